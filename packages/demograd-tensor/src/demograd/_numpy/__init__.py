"""NumPy's functions on Tensors: which there are, and how each is recorded, computed or refused."""
