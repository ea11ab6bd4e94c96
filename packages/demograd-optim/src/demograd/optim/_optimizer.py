"""``Optimizer``: groups of parameters, their state, and a step that applies an update rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from demograd import Tensor, enable_grad
from demograd.autograd import StepChecks
from demograd.operators import Call, at_once, overwriting
from demograd.optim._groups import ParamsT, as_group, as_groups, check_no_duplicates
from demograd.optim._settings import number
from demograd.optim._state import loaded_groups, loaded_states, snapshot
from demograd.optim._updater import Updater

__all__ = ["Optimizer"]


class Optimizer:
    """Changes parameters by their gradients; the base class of all optimizers here.

    A subclass gives its settings to the constructor, and its update rule as ``rule``: a pure
    function of arrays, ``new_x, *new_state = rule(xp, x, grad, *state, **settings)``. It is written
    with Python's operators and ``xp.`` functions, and takes as keywords the settings that it needs,
    and ``step``, the number of this step from 1, if ``initial_state`` names it. Elementwise rules
    run in the parameters' own memory, without arrays in between. A subclass may override ``step``
    instead, as in PyTorch.

    Args:
        params: tensors; or dicts with ``params`` and settings of their own; or pairs of name and
            tensor, such as ``model.named_parameters()``.
        defaults: the settings of groups that do not have their own.

    Attributes:
        param_groups: dicts of ``params`` and settings; a schedule writes to ``lr``.
        state: for each parameter what is kept of it, tensors and the step number by name.

    Raises:
        ArgumentError: there are no parameters, one is there twice or is not a leaf, or a setting
            is out of its range.
        ArgumentTypeError: what is given as a parameter is no Tensor.

    >>> import demograd as dg
    >>> class SignSGD(Optimizer):
    ...     def __init__(self, params, lr=0.01):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     @staticmethod
    ...     def rule(xp, x, grad, *, lr):
    ...         return (x - lr * xp.sign(grad),)
    >>> x = dg.tensor([1.0, -2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> SignSGD([x]).step()
    >>> x
    tensor([ 0.9900, -1.9900], requires_grad=True)
    """

    rule: ClassVar[Callable[..., tuple[Any, ...]] | None] = None

    def __init__(self, params: ParamsT, defaults: Mapping[str, Any]) -> None:
        self.defaults: dict[str, Any] = dict(defaults)
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._updater: Updater | None = None
        self._checks = StepChecks(self._name)
        for group in as_groups(self._name, params):
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def initial_state(self, group: dict[str, Any]) -> dict[str, float | None]:
        """What is kept of each parameter under a group's settings, in the rule's order.

        Returns:
            For each array its name and the number that fills it at first, or None if the rule
            finds the first value itself (it is given None then); and ``"step": 0`` for a rule that
            takes ``step``.
        """
        return {}

    def check_settings(self, group: dict[str, Any]) -> None:
        """Raise an error if a setting of a new group is wrong."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimize further parameters.

        Args:
            param_group: ``params`` and the settings that differ from the defaults.

        Raises:
            ArgumentError, ArgumentTypeError: as the constructor; nothing is added then.
        """
        group = as_group(self._name, param_group, self.defaults)
        check_no_duplicates(self._name, self.param_groups, group)
        self.check_settings(group)
        self.param_groups.append(group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change each parameter that has a gradient, in place.

        Args:
            closure: computes the loss again, with its gradients, and returns it; recording is on
                while it runs.

        Returns:
            What the closure returned, None without one.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        rule = self.rule
        if rule is None:
            raise NotImplementedError(f"{self._name} has neither a rule nor a step of its own")
        self._checks.look(self.param_groups)
        if self._updater is None:
            self._updater = Updater(rule, f"{self._name}.step")
        calls: list[Call] = []
        for place, group in enumerate(self.param_groups):
            calls += self._updater.prepare(place, group, self.initial_state(group), self.state)
        at_once(calls)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients.

        Args:
            set_to_none: set ``.grad`` to None; otherwise fill it with zeros, in place, which also
                makes parameters that the next loss does not depend on take part in the next step.
        """
        for group in self.param_groups:
            for x in group["params"]:
                if set_to_none:
                    x.grad = None
                elif x.grad is not None:
                    # Detached, should it have been computed with create_graph.
                    x.grad = x.grad.detach().zero_()

    def state_dict(self) -> dict[str, Any]:
        """The state and settings as plain data; a copy, which later steps do not change.

        Returns:
            ``state``: by the parameter's number, what is kept of it: tensors and numbers by name.
            ``param_groups``: settings, with the parameters' numbers under ``params``.
        """
        return snapshot(self.param_groups, self.state)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state; PyTorch's of the same class will do.

        Settings that were saved, ``lr`` among them, replace the present ones.

        Args:
            state_dict: what ``state_dict`` gave; numbers of parameters may have become strings,
                and tuples lists, as JSON makes them.

        Raises:
            StateError: it is another optimizer's, or of other groups, parameters or shapes.
            ArgumentError: a setting is out of its range. Nothing is changed then.
        """
        groups = loaded_groups(self._name, state_dict, self.param_groups, self.defaults)
        names_of = self.initial_state if self.rule is not None else lambda _: None
        states = loaded_states(self._name, state_dict, groups, names_of)
        for group in groups:
            self.check_settings(group)
        calls: list[Call] = [(setattr, self, "state", defaultdict(dict, states))]
        for present, new in zip(self.param_groups, groups, strict=True):
            if isinstance(present.get("lr"), Tensor):
                rate = number(new["lr"])
                new["lr"] = present["lr"]
                calls += overwriting(new["lr"], rate, f"{self._name}.load_state_dict")
            calls.append((present.update, new))
        at_once(calls)

    def __repr__(self) -> str:
        lines = []
        for place, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {place}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([f"{self._name} (", *lines, ")"])

    def __getstate__(self) -> dict[str, Any]:
        # Not the scratch memory, and not what a schedule put in place of ``step``.
        return {k: v for k, v in vars(self).items() if k not in ("_updater", "_checks", "step")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._updater = None
        self._checks = StepChecks(self._name)
