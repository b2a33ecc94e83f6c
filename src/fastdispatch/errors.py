"""Errors that tell a developer what to do, and helpers that raise them."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Mapping
    from typing import Any

TEMPLATES = "templates"
CLI = "the command line interface"
EXTENSIONS = "extensions"


class OutOfScopeError(RuntimeError):
    """A name of Flask's was used that fastdispatch does not have on purpose.

    Templates, the command line interface and extensions are out of scope.
    """

    def __init__(self, name: str, feature: str) -> None:
        """*name* is what was used; *feature* what it belongs to, in the plural."""
        super().__init__(
            f"{name!r} is out of scope: fastdispatch has no {_plain(feature)}."
            " Use Flask itself for that."
        )


class OutOfScopeAttribute(OutOfScopeError, AttributeError):
    """The same for an attribute: ``hasattr`` answers False."""


class OutOfScopeImport(OutOfScopeError, ImportError):
    """The same for a name of a module.

    An ImportError, so that ``from fastdispatch import render_template`` shows this
    message: Python would replace an AttributeError by its own.
    """


def _plain(feature: str) -> str:
    return feature.removeprefix("the ")


def module_dir(module: str, later: Iterable[str]) -> Callable[[], list[str]]:
    """Make the ``__dir__`` of a module that has the names *later*, too (PEP 562)."""

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[module]), *later})

    return __dir__


def module_getattr(
    module: str, names: Mapping[str, str], later: Mapping[str, str] | None = None
) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a module that lacks *names* on purpose (PEP 562).

    :param module: the module's ``__name__``.
    :param names: for each name out of scope, what it belongs to.
    :param later: for each name that is imported when somebody first asks for it, the
        submodule that has it, or is it.
    :return: a function that raises :class:`OutOfScopeImport` for one of *names* and
        AttributeError for any that is not in *later* either.
    """

    def __getattr__(name: str) -> Any:
        if name in names:
            raise OutOfScopeImport(f"{module}.{name}", names[name])
        if later is None or name not in later:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value: Any = import_module(f"{module}.{later[name]}")
        if name != later[name]:
            value = getattr(value, name)
        setattr(sys.modules[module], name, value)
        return value

    return __getattr__
