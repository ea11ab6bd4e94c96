"""What training does with all gradients, or all parameters, at once."""

from demograd.nn.utils._clip import clip_grad_norm_, clip_grad_value_
from demograd.nn.utils._vector import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "parameters_to_vector",
    "vector_to_parameters",
]
