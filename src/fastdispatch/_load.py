"""Find the application that ``module:app`` or ``module:create_app()`` names."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any


def load(name: str) -> Any:
    """The application named ``module:attribute``, or what ``module:factory()`` makes.

    :raises ValueError: for a name of another form.
    :raises ImportError: if there is no such module.
    :raises AttributeError: if the module has no such name.
    """
    module_name, colon, attribute = name.partition(":")
    factory = attribute.endswith("()")
    attribute = attribute.removesuffix("()")
    if not (module_name and colon and attribute.isidentifier()):
        raise ValueError(
            f"{name!r} names no application: it must have the form 'module:app' or"
            " 'module:create_app()'."
        )
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    found = getattr(import_module(module_name), attribute)
    return found() if factory else found
