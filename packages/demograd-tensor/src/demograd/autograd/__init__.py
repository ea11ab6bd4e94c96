"""Differentiation: Functions, the engine, grad modes, and checks of rules."""

from demograd.autograd import graph
from demograd.autograd._anomaly import detect_anomaly, set_detect_anomaly
from demograd.autograd._checkpoint import checkpoint, checkpoint_sequential
from demograd.autograd._engine import backward, grad
from demograd.autograd._function import Function
from demograd.autograd._gradcheck import gradcheck, gradgradcheck
from demograd.autograd._graph import mark_changed
from demograd.autograd._hooks import RemovableHandle
from demograd.autograd._inference import inference_mode, is_inference_mode_enabled
from demograd.autograd._mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from demograd.autograd._once import once_differentiable
from demograd.autograd._scope import end_call, record_call, start_call
from demograd.autograd._step_checks import StepChecks, note_replaced

__all__ = [
    "Function",
    "RemovableHandle",
    "StepChecks",
    "backward",
    "checkpoint",
    "checkpoint_sequential",
    "detect_anomaly",
    "enable_grad",
    "end_call",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "mark_changed",
    "no_grad",
    "note_replaced",
    "once_differentiable",
    "record_call",
    "set_detect_anomaly",
    "set_grad_enabled",
    "start_call",
]
