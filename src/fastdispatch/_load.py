"""Find the application that ``module:app`` or ``module:create_app()`` names."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import FunctionType
from typing import Any


class NoApplication(ValueError):
    """A name that leads to no application: what it says has to be changed."""


def load(name: str) -> Any:
    """The application named ``module:attribute``, or what ``module:factory()`` makes.

    :raises NoApplication: for a name of another form, of no module, of nothing in its
        module, and of a function without ``()``. What the module or the factory raises
        itself is raised as it is.
    """
    module_name, colon, attribute = name.partition(":")
    factory = attribute.endswith("()")
    attribute = attribute.removesuffix("()")
    if not (module_name and colon and attribute.isidentifier()):
        raise NoApplication(
            f"{name!r} names no application: it must have the form 'module:app' or"
            " 'module:create_app()'."
        )
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as e:
        if not f"{module_name}.".startswith(f"{e.name}."):
            # One that the program itself wants to import.
            raise
        raise NoApplication(f"{name!r} names no application: {e}.") from None
    if not hasattr(module, attribute):
        raise NoApplication(
            f"{name!r} names no application: module {module_name!r} has no"
            f" {attribute!r}."
        )
    found = getattr(module, attribute)
    if factory:
        return found()
    if isinstance(found, FunctionType):
        raise NoApplication(
            f"{name!r} names a function, not an application. If it makes one:"
            f" '{name}()'."
        )
    return found
