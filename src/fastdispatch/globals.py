"""``request``, ``session``, ``g`` and ``current_app``: what is current, by name."""

from __future__ import annotations

import copy
import math
import operator
from typing import Any
from typing import cast
from typing import TYPE_CHECKING

# Who asks for these names looks at requests: what those need is loaded now, and not
# during the first of them.
from . import json as json
from .engine.context import ContextProxy
from .wrappers import Request as Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from .app import App
    from .engine.context import Context
    from .sessions import SessionMixin

_UNSET: Any = object()


class AppCtxGlobals:
    """The class of ``g``: a namespace that lives as long as its context."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...
        def __delattr__(self, name: str) -> None: ...

    def get(self, name: str, default: Any = None) -> Any:
        """The attribute *name*, or *default*."""
        return self.__dict__.get(name, default)

    def pop(self, name: str, default: Any = _UNSET) -> Any:
        """Take the attribute *name* away and return it.

        :raises KeyError: if there is none and no *default* is given.
        """
        if default is _UNSET:
            return self.__dict__.pop(name)
        return self.__dict__.pop(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """The attribute *name*, set to *default* first if it is not there."""
        return self.__dict__.setdefault(name, default)

    def __contains__(self, item: str) -> bool:
        return item in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __repr__(self) -> str:
        if current_app:
            return f"<flask.g of {current_app.name!r}>"
        return object.__repr__(self)


def _unary(func: Callable[[Any], Any]) -> Callable[[ContextProxy], Any]:
    def forward(self: ContextProxy) -> Any:
        return func(self._get_current_object())

    return forward


def _binary(func: Callable[[Any, Any], Any]) -> Callable[[ContextProxy, Any], Any]:
    def forward(self: ContextProxy, other: Any) -> Any:
        return func(self._get_current_object(), other)

    return forward


def _reflected(func: Callable[[Any, Any], Any]) -> Callable[[ContextProxy, Any], Any]:
    def forward(self: ContextProxy, other: Any) -> Any:
        return func(other, self._get_current_object())

    return forward


def _method(name: str) -> Callable[..., Any]:
    def forward(self: ContextProxy, *args: Any) -> Any:
        return getattr(self._get_current_object(), name)(*args)

    return forward


def _operators() -> dict[str, Any]:
    found: dict[str, Any] = {}
    unary: dict[str, Any] = {
        "__neg__": operator.neg,
        "__pos__": operator.pos,
        "__abs__": abs,
        "__invert__": operator.invert,
        "__int__": int,
        "__float__": float,
        "__complex__": complex,
        "__index__": operator.index,
        "__trunc__": math.trunc,
        "__floor__": math.floor,
        "__ceil__": math.ceil,
        "__bytes__": bytes,
        "__reversed__": reversed,
        "__length_hint__": operator.length_hint,
        "__next__": next,
        "__copy__": copy.copy,
        "__aiter__": aiter,
        "__anext__": anext,
    }
    binary = ["lt", "le", "gt", "ge", "ne"]
    arithmetic = [
        *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow"),
        *("lshift", "rshift", "and", "xor", "or"),
    ]
    methods = [
        *("__enter__", "__exit__", "__aenter__", "__aexit__", "__await__"),
        *("__round__", "__deepcopy__", "__format__"),
    ]
    for name, func in unary.items():
        found[name] = _unary(func)
    for name in binary:
        found[f"__{name}__"] = _binary(getattr(operator, name))
    for name in arithmetic:
        dunder = f"__{name}__"
        found[dunder] = _binary(getattr(operator, dunder))
        found[f"__r{name}__"] = _reflected(getattr(operator, dunder))
        found[f"__i{name}__"] = _binary(getattr(operator, f"__i{name}__"))
    for name, func in {"__divmod__": divmod}.items():
        found[name] = _binary(func)
        found[name.replace("__", "__r", 1)] = _reflected(func)
    for name in methods:
        found[name] = _method(name)
    return found


class Proxy(ContextProxy):
    """A proxy for one of the names of this module, with every operator forwarded."""

    # PERF: one by one, after the class is made, they take four times as long.
    locals().update(_operators())


current_app: App = cast("App", Proxy("current_app"))
"""The application of the current context. RuntimeError outside of one (rule 17)."""

g: AppCtxGlobals = cast("AppCtxGlobals", Proxy("g"))
"""A namespace for the time of the current context."""

request: Request = cast("Request", Proxy("request"))
"""The current request. RuntimeError outside of one (rule 17)."""

session: SessionMixin = cast("SessionMixin", Proxy("session"))
"""The session of the current request."""

app_ctx: Context = cast("Context", Proxy("app_ctx"))
"""The current context."""

request_ctx: Context = cast("Context", Proxy("request_ctx"))
"""The current context, if it is that of a request."""
