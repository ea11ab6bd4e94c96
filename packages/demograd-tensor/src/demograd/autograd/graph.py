"""The recorded graph: how the values that it saves are kept."""

from demograd.autograd._saved import saved_tensors_hooks

__all__ = ["saved_tensors_hooks"]
