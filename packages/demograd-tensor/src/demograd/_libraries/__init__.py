"""Array libraries beside NumPy, and devices: how each is found, and what moves between them."""
