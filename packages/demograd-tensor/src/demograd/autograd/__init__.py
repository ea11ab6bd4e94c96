"""Differentiation: Functions, the engine, grad modes, and checks of rules."""

from demograd.autograd._engine import backward, grad
from demograd.autograd._function import Function
from demograd.autograd._gradcheck import gradcheck, gradgradcheck
from demograd.autograd._graph import mark_changed
from demograd.autograd._hooks import RemovableHandle
from demograd.autograd._mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from demograd.autograd._scope import record_call, start_call

__all__ = [
    "Function",
    "RemovableHandle",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "is_grad_enabled",
    "mark_changed",
    "no_grad",
    "record_call",
    "set_grad_enabled",
    "start_call",
]
