"""Errors that tell a developer what to do, and helpers that raise them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from typing import NoReturn

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


def module_getattr(module: str, names: Mapping[str, str]) -> Callable[[str], NoReturn]:
    """Make the ``__getattr__`` of a module that lacks *names* on purpose (PEP 562).

    :param module: the module's ``__name__``.
    :param names: for each name out of scope, what it belongs to.
    :return: a function that raises :class:`OutOfScopeImport` for one of *names* and
        AttributeError for any other.
    """

    def __getattr__(name: str) -> NoReturn:
        if name in names:
            raise OutOfScopeImport(f"{module}.{name}", names[name])
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return __getattr__
