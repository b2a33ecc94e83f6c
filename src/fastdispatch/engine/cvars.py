"""Context variables: pure-Python equivalents of the C helpers in ``cvars.pxd``.

Compiled modules never run these bodies: they cimport the inline C functions of the
same names.
"""

from __future__ import annotations

from contextvars import ContextVar
from contextvars import Token
from typing import Any

# Functions of C that do what the functions of these names in cvars.pxd do.
var_reset = ContextVar.reset
var_set = ContextVar.set
current = ContextVar.get  # of one that has a default
enter = ContextVar.set


def new_var(name: str) -> ContextVar[Any]:
    """A context variable whose default is None.

    PERF: the module that has the class in Python takes 0.2 ms to import.
    """
    return ContextVar(name, default=None)


def prove_cells(var: ContextVar[Any]) -> bool:
    """Have :func:`enter` and :func:`leave` replace what *var* holds, where nobody else
    can see it, rather than set *var* itself.

    *var* is then used through these two and :func:`current` alone.

    :return: whether this Python is found to be as that takes.
    """
    return False


def leave(var: ContextVar[Any], token: Any) -> None:
    """Put back the value from before :func:`enter`, which returned *token*.

    In another ``contextvars.Context``, too, as a copied task's is.
    """
    try:
        var.reset(token)
    except ValueError:
        before = token.old_value
        var.set(None if before is Token.MISSING else before)


def var_find(var: ContextVar[Any]) -> Any:
    """The value of a context variable here, or None."""
    return var.get(None)
