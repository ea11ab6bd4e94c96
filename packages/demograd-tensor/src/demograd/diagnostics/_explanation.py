"""What ``explain`` returns: words, which a notebook shows as such."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import shorten

__all__ = ["Explanation", "ModelExplanation"]

WIDEST = 100  # characters of a reason in a printed table; each parameter's own has all


@dataclass(frozen=True, repr=False)
class Explanation:
    """Why a gradient is as it is.

    Attributes:
        name: the tensor.
        verdict: a few words that are the same for all cases of a kind, such as ``not reached``.
        headline: what is so.
        facts: why, a line each.
        mend: the way out, empty where there is nothing to mend.
    """

    name: str
    verdict: str
    headline: str
    facts: tuple[str, ...] = ()
    mend: str = ""

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.headline}", *(f"  {fact}" for fact in self.facts)]
        return "\n".join([*lines, self.mend] if self.mend else lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        facts = "".join(f"<li>{escape(fact)}</li>" for fact in self.facts)
        mend = f"<p>{escape(self.mend)}</p>" if self.mend else ""
        return (
            f"<p><b>{escape(self.name)}</b>: {escape(self.headline)}</p>"
            f"{f'<ul>{facts}</ul>' if facts else ''}{mend}"
        )


@dataclass(frozen=True, repr=False)
class ModelExplanation:
    """The same for each parameter of a model; also a sequence of them.

    Attributes:
        name: the model's class.
        parameters: an explanation for each, in the model's order.
    """

    name: str
    parameters: tuple[Explanation, ...]

    def __iter__(self) -> Iterator[Explanation]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, name: str) -> Explanation:
        """The explanation for the parameter of this name."""
        return {each.name: each for each in self.parameters}[name]

    @property
    def unused(self) -> list[str]:
        """The names of the parameters that the loss does not depend on."""
        return [each.name for each in self if each.verdict in ("not reached", "cut")]

    def _rows(self) -> Sequence[tuple[str, str, str]]:
        return [(each.name, each.verdict, _because(each)) for each in self]

    def __str__(self) -> str:
        short = [(a, b, shorten(c, WIDEST, placeholder=" ...")) for a, b, c in self._rows()]
        rows = [("parameter", "gradient", "because"), *short]
        widths = [max(len(row[i]) for row in rows) for i in range(2)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in rows]
        if self.unused:
            lines.append(f"Never used: {', '.join(self.unused)}.")
        return "\n".join([f"{self.name}:", *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{title}</th>" for title in ("parameter", "gradient", "because"))
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
            for row in self._rows()
        )
        return f"<table><tr>{head}</tr>{body}</table>"


def _because(each: Explanation) -> str:
    return each.facts[0] if each.facts else each.headline
