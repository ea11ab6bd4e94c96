"""Mish, an operator for demograd that needs the tensor core alone."""

from demograd.interfaces import FunctionProvider
from demograd_mish._mish import Mish, mish

__all__ = ["Mish", "mish", "provider"]

provider = FunctionProvider("demograd-mish", functions={"mish": mish}, methods={"mish": mish})
