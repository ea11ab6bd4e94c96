"""Lion, an optimizer for demograd that needs the tensor core alone."""

from demograd_lion._lion import Lion, lion

__all__ = ["Lion", "lion"]
