"""The reference's directives: each public name is described once, where it is at home.

``public-module`` describes a module's own names with autodoc, and links to those that it
re-exports. ``provided-methods`` describes the methods that installed packages add to Tensor:
they are found when they are used (``Tensor.__getattr__``), so autodoc doesn't see them.
``provided-functions`` does the same for ``dg.``.
"""

import functools
import importlib
import inspect
import itertools
import re
from collections.abc import Callable
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.inspect import stringify_signature
from sphinx.util.nodes import nested_parse_with_titles

from demograd import Function
from demograd._providers import providers

# In the order of the reference's start page; the first that offers a name is its home, unless the
# module that defines it says better.
PUBLIC_MODULES = [
    "demograd",
    "demograd.autograd",
    "demograd.autograd.graph",
    "demograd.interfaces",
    "demograd.testing",
    "demograd.operators",
    "demograd.cuda",
    "demograd.jax",
    "demograd.errors",
    "demograd.diagnostics",
    "demograd.func",
    "demograd.ops",
    "demograd.activations",
    "demograd.linalg",
    "demograd.nn",
    "demograd.nn.functional",
    "demograd.nn.init",
    "demograd.nn.utils",
    "demograd.optim",
    "demograd.optim.lr_scheduler",
    "demograd.data",
    "demograd.data.transforms",
    "demograd.train",
    "demograd.viz",
    "demograd.visualization",
]

# Above so many names a module's page begins with a list of them.
LONG = 12


@functools.cache
def offers() -> dict[int, list[tuple[str, str]]]:
    """Under which (module, name) each object is public, by the object's id."""
    found: dict[int, list[tuple[str, str]]] = {}
    for module_name in PUBLIC_MODULES:
        module = importlib.import_module(module_name)
        for name in module.__all__:
            value = getattr(module, name)
            if not inspect.ismodule(value):
                found.setdefault(id(value), []).append((module_name, name))
    return found


def home_of(value: Any) -> tuple[str, str] | None:
    """The (module, name) under which an object is described."""
    places = offers().get(id(value))
    if not places:
        return None
    defined_in = getattr(value, "__module__", "") or ""
    inside = [place for place in places if f"{defined_in}.".startswith(f"{place[0]}.")]
    return max(inside, key=lambda place: len(place[0])) if inside else places[0]


class Generated(Directive):
    """A directive that writes reStructuredText."""

    def lines(self) -> list[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        section = nodes.section()
        section.document = self.state.document
        nested_parse_with_titles(self.state, StringList(self.lines(), self.name), section)
        return section.children


class PublicModule(Generated):
    required_arguments = 1
    option_spec: ClassVar = {"exclude": directives.unchanged, "functions-first": directives.flag}

    def lines(self) -> list[str]:
        module_name = self.arguments[0]
        module = importlib.import_module(module_name)
        excluded = set(self.options.get("exclude", "").split())
        classes, functions, others = [], [], []
        for name in sorted(module.__all__, key=str.lower):
            value = getattr(module, name)
            if not callable(value) or name in excluded:
                continue
            home = home_of(value)
            if home != (module_name, name):
                others.append(f":py:obj:`{name} <{home[0]}.{home[1]}>`")
            else:
                (classes if inspect.isclass(value) else functions).append(name)
        groups = [("Classes", classes), ("Functions", functions)]
        if "functions-first" in self.options:
            groups.reverse()
        lines = [f".. automodule:: {module_name}", ""]
        for title, names in groups:
            if len(classes) + len(functions) > LONG and names:
                links = ", ".join(f":py:obj:`{name} <{module_name}.{name}>`" for name in names)
                lines += [f"{title}: {links}.", ""]
        if others:
            lines += [f"Also here, described where they are at home: {', '.join(others)}.", ""]
        for title, names in groups:
            if all(names for _, names in groups):
                lines += [f".. rubric:: {title}", ""]
            lines += [line for name in names for line in described(module_name, name)]
        return lines


def described(module_name: str, name: str) -> list[str]:
    """The directive that describes a class or a function."""
    value = getattr(importlib.import_module(module_name), name)
    if not inspect.isclass(value):
        return [f".. autofunction:: {module_name}.{name}", ""]
    kind = "exception" if issubclass(value, BaseException) else "class"
    lines = [f".. auto{kind}:: {module_name}.{name}", "   :members:"]
    if issubclass(value, Function) and value is not Function:
        lines.append("   :exclude-members: apply")  # a copy of Function's
    bases = value.__mro__[1:]
    private = list(itertools.takewhile(is_private, bases))
    if private:
        # What a private base offers has no other place; what stands here are the bases left out.
        others = [base.__name__ for base in bases if base not in private]
        lines.append(f"   :inherited-members: {', '.join(others)}")
    return [*lines, ""]


def is_private(base: type) -> bool:
    """Whether a base class is demograd's own and has no public name."""
    return base.__module__.startswith("demograd.") and home_of(base) is None


def link_home(app: Sphinx, env: Any, node: Any, content: nodes.TextElement) -> Any:
    """A reference to a name that is described elsewhere, such as ``demograd.exp``: to there."""
    module_name, _, name = str(node.get("reftarget", "")).rpartition(".")
    if node.get("refdomain") != "py" or module_name not in PUBLIC_MODULES:
        return None
    home = home_of(getattr(importlib.import_module(module_name), name, None))
    if home is None:
        return None
    domain = env.get_domain("py")
    target = ".".join(home)
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, content)


def signature_of(method: Callable[..., Any]) -> str:
    """The signature as it is called on a tensor: without the first parameter."""
    whole = inspect.signature(method)
    rest = list(whole.parameters.values())[1:]
    return stringify_signature(
        whole.replace(parameters=rest), unqualified_typehints=True, show_return_annotation=False
    )


def summary_of(method: Callable[..., Any]) -> str:
    """The first sentence of the docstring."""
    paragraph = (inspect.getdoc(method) or "").split("\n\n")[0].replace("\n", " ")
    return re.split(r"(?<=\.)\s", paragraph)[0]


class ProvidedMethods(Generated):
    def lines(self) -> list[str]:
        lines: list[str] = []
        for provider in providers():
            for name, method in sorted(provider.methods.items()):
                lines += [
                    f".. py:method:: demograd.Tensor.{name}{signature_of(method)}",
                    "",
                    f"   {summary_of(method)}",
                    "",
                ]
                home = home_of(method)
                if home is not None:
                    lines += [f"   See :py:func:`{home[0]}.{home[1]}`.", ""]
        return lines


class ProvidedFunctions(Generated):
    def lines(self) -> list[str]:
        lines: list[str] = []
        for provider in providers():
            links = []
            for name, function in sorted(provider.functions.items()):
                home = home_of(function)
                links.append(f":py:func:`{name} <{home[0]}.{home[1]}>`" if home else f"``{name}``")
            if links:
                lines += [f"From {provider.distribution}: " + ", ".join(links) + ".", ""]
        return lines


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("missing-reference", link_home)
    app.add_directive("public-module", PublicModule)
    app.add_directive("provided-functions", ProvidedFunctions)
    app.add_directive("provided-methods", ProvidedMethods)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
