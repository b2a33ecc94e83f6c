"""Calls and objects: pure-Python equivalents of the C helpers in ``capi.pxd``.

Compiled modules never run these bodies: they cimport the inline C functions of the
same names.
"""

from __future__ import annotations

import operator
from inspect import CO_COROUTINE
from types import CoroutineType
from types import FunctionType
from typing import Any

from .classes import type_version as type_version

#: Whether this is C. It is known when C is made, so that nothing is left there of what
#: is for Python alone, where a function called is what costs.
COMPILED = False

# What inspect.markcoroutinefunction sets.
MARK = "_is_coroutine_marker"

new_object = object.__new__


def is_plain_function(func: Any) -> bool:
    """Whether *func* is a Python function that is surely not a coroutine function."""
    return (
        type(func) is FunctionType
        and not func.__code__.co_flags & CO_COROUTINE
        and MARK not in func.__dict__
    )


def call_hook(func: Any, app: Any, own: bool) -> Any:
    """``app.ensure_sync(func)()``; *own*: plain functions are left as they are.

    PERF: a coroutine that has not begun tells of its function in half the time that
    it takes to ask that one.
    """
    if own and type(func) is FunctionType and MARK not in func.__dict__:
        rv = func()
        if type(rv) is not CoroutineType or not func.__code__.co_flags & CO_COROUTINE:
            return rv
        rv.close()
    return app.ensure_sync(func)()


def call_hook_with(func: Any, app: Any, own: bool, value: Any) -> Any:
    """``app.ensure_sync(func)(value)``, likewise."""
    if own and type(func) is FunctionType and MARK not in func.__dict__:
        rv = func(value)
        if type(rv) is not CoroutineType or not func.__code__.co_flags & CO_COROUTINE:
            return rv
        rv.close()
    return app.ensure_sync(func)(value)


def start(start_response: Any, status: Any, first: Any, second: Any) -> Any:
    """``start_response(status, [first, second])``."""
    return start_response(status, [first, second])


def call_named(func: Any, args: dict[str, Any]) -> Any:
    """``func(**args)`` of a Python function and a dict."""
    return func(**args)


def call_by(cls: type, made: Any, parameters: tuple[tuple[str, Any], ...]) -> None:
    """Have calls of *cls* made by ``made(cls, *arguments)``, where that is quicker.

    :param made: a function of C, or one that nobody calls. It returns NotImplemented
        for a call to be made as ever, as those that do not fit *parameters* are.
    :param parameters: six names of parameters, each with its default.
    """


def is_sole(obj: Any) -> bool:
    """Whether nobody but the caller's caller has *obj*, or anything set on it.

    False where that is not sure: there are weak references, or there is no GIL.
    """
    return False


def hide(obj: Any) -> None:
    """Have the garbage collector, which knows *obj*, show it to nobody."""


def show(obj: Any) -> None:
    """Undo :func:`hide`."""


def instance_dict(obj: Any) -> dict[str, Any] | None:
    """The instance attributes of *obj* if it has any, else None or an empty dict."""
    return obj.__dict__  # type: ignore[no-any-return]


def new_instance(cls: type) -> Any:
    """``cls.__new__(cls)``, for a class known not to define ``__new__`` in Python."""
    return cls.__new__(cls)  # type: ignore[call-overload]


def address(obj: Any) -> int:
    """``id(obj)``."""
    return id(obj)


def dict_address(obj: Any) -> int:
    """The :func:`address` of what holds the instance attributes of *obj*."""
    return id(obj.__dict__)


def is_seen(obj: Any) -> bool:
    """Whether anybody has, or could get, *obj* but the caller of him who asks."""
    return True


def is_shared(obj: Any) -> bool:
    """Whether anybody has *obj* but who asks and one object that he knows of."""
    return True


def is_one_bytes(obj: Any) -> bool:
    """Whether *obj* is a list of one bytes."""
    return type(obj) is list and len(obj) == 1 and type(obj[0]) is bytes


def identical(values: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    """Whether they are the same objects: a wrapper may claim to equal what it wraps."""
    return len(values) == len(others) and all(map(operator.is_, values, others))
