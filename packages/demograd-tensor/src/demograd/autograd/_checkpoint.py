"""Checkpoints: less memory for more time.

The nodes of a checkpointed block are recorded as usual, but what they save is dropped. When a
backward pass needs the first of these values, the block is run once more, and its operations are
asked, in their order, for the values that they save. So the graph, and every gradient of any
order, is that of the block itself.

The second run must do what the first did. Random numbers start from the same states again, and
what is found to differ (an argument, a leaf or a kept value that was changed in place; another
operation; another shape; another value) is refused.

Reference: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from demograd.autograd._mode import grad_mode
from demograd.autograd._second_run import Block, Dropping
from demograd.errors import ArgumentError

__all__ = ["checkpoint", "checkpoint_sequential"]


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool = False,
    preserve_rng_state: bool = True,
    determinism_check: str = "default",
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, keeping nothing for the backward pass but the arguments.

    What its operations would save is computed again by a second call when a backward pass needs
    it, so a network in ``n`` such pieces holds the values of one piece at a time. Checkpoints may
    be nested. Whatever else the function does, such as to count, it does twice.

    Args:
        function: computes Tensors from its arguments; of nothing else that changes meanwhile.
        args: its positional arguments.
        use_reentrant: False; PyTorch's other way of doing it is not there.
        preserve_rng_state: start the second call from the states that all generators of demograd
            had at the first. Those of NumPy's own are the function's matter.
        determinism_check: ``"none"`` leaves out the comparison of the second call with the first.
        kwargs: its keyword arguments.

    Returns:
        What the function returns.

    Raises:
        ArgumentError: ``use_reentrant`` is true, or ``determinism_check`` is something else.
        GradientError: in the backward pass, if the second call differs from the first.

    Reference: ``torch.utils.checkpoint.checkpoint``.

    >>> import demograd as dg
    >>> x = dg.tensor([1.0, 2.0], requires_grad=True)
    >>> y = checkpoint(lambda x: (x * x) ** 2, x)
    >>> y.grad_fn.nbytes_saved
    0
    >>> y.sum().backward()
    >>> x.grad
    tensor([ 4., 32.])
    """
    if use_reentrant:
        raise ArgumentError(
            "checkpoint: there is no reentrant way.",
            mend="Leave use_reentrant out: the gradients are the same, and more is possible.",
        )
    if determinism_check not in ("default", "none"):
        raise ArgumentError(
            f"checkpoint: determinism_check is {determinism_check!r}.",
            mend='It is "default" or "none".',
        )
    if not grad_mode.enabled:
        return function(*args, **kwargs)
    block = Block(function, args, kwargs, preserve_rng_state, determinism_check == "default")
    with Dropping(block):
        out = function(*args, **kwargs)
    block.finish()
    return out


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool = False,
    preserve_rng_state: bool = True,
) -> Any:
    """Functions called one after another, in pieces that are checkpointed, all but the last.

    Args:
        functions: a list of functions or modules, or an ``nn.Sequential``.
        segments: into how many pieces they are cut, 1 to ``len(functions)``.
        input: what the first is given.
        use_reentrant: as in :func:`checkpoint`.
        preserve_rng_state: as in :func:`checkpoint`.

    Raises:
        ArgumentError: the number of pieces does not fit.

    Reference: ``torch.utils.checkpoint.checkpoint_sequential``.

    >>> import demograd as dg
    >>> x = dg.tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint_sequential([lambda x: x * x, lambda x: x + 1, lambda x: x * x], 3, x)
    tensor([ 4., 25.], grad_fn=<MulBackward>)
    """
    steps = list(functions.children() if hasattr(functions, "children") else functions)
    if not 1 <= segments <= max(len(steps), 1):
        raise ArgumentError(
            "checkpoint_sequential: the number of pieces does not fit.",
            [f"functions: {len(steps)}", f"segments: {segments}"],
        )
    size = len(steps) // segments
    last = size * (segments - 1)
    for start in range(0, last, size):
        input = checkpoint(
            _in_sequence(steps[start : start + size]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve_rng_state,
        )
    return _in_sequence(steps[last:])(input)


def _in_sequence(steps: Sequence[Callable[..., Any]]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for step in steps:
            x = step(x)
        return x

    return run
