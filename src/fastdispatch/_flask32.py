"""What is so in Flask 3.2 and otherwise in 3.1: one context for app and request."""

from __future__ import annotations

import types
from typing import Any

import flask.app
from flask.ctx import AppContext
from flask.globals import _cv_app  # pyright: ignore[reportPrivateUsage]

from .engine.merged import MergedContext

__all__ = [
    "ABSENT",
    "CONTEXT_STEPS",
    "NEEDED",
    "WATCHED",
    "FlaskAppContext",
    "FlaskContext",
    "app_var",
    "method_of",
    "request_var",
]

app_var = _cv_app
request_var = None
FlaskAppContext = None

#: Contexts: what of them the engine does itself.
WATCHED: dict[type, tuple[str, ...]] = {
    AppContext: (
        "__init__",
        "_get_session",
        "from_environ",
        "has_request",
        "match_request",
        "pop",
        "push",
        "request",
        "session",
    ),
}

#: The steps that make them.
CONTEXT_STEPS: tuple[str, ...] = ("request_context",)

#: Steps that are None unless overridden.
ABSENT: frozenset[str] = frozenset({"should_ignore_error"})

#: Steps that the engine does only where another one is stock as well.
#: ``full_dispatch_request`` warns, once, of a ``should_ignore_error``.
NEEDED: dict[str, str] = {"full_dispatch_request": "should_ignore_error"}


class FlaskContext(  # pyright: ignore[reportIncompatibleVariableOverride]
    MergedContext, AppContext
):
    """The context that the engine pushes for a request: lazy, otherwise Flask's own."""

    has_request: Any = True
    push: Any = AppContext.push
    pop: Any = AppContext.pop
    __enter__: Any = AppContext.__enter__
    __exit__: Any = AppContext.__exit__
    __repr__: Any = AppContext.__repr__

    def copy(self) -> AppContext:  # type: ignore[override]
        """As Flask's; the copy is Flask's own context. Rule 12."""
        make: Any = AppContext
        copied: AppContext = make(
            self.app, request=self.request, session=self._get_session()
        )
        return copied


FlaskContext.__name__ = FlaskContext.__qualname__ = "AppContext"


# The code of what Flask puts around a method of its own once a subclass overrides that
# with the signature of 3.1: who calls without the context gets it.
_ADD_CTX = {
    const
    for const in getattr(flask.app, "add_ctx").__code__.co_consts  # noqa: B009
    if type(const) is types.CodeType
}


def method_of(cls: type, step: str) -> Any:
    """What *cls* has for *step*, whatever Flask has put around it."""
    value = getattr(cls, step)
    while type(value) is types.FunctionType and value.__code__ in _ADD_CTX:
        value = value.__closure__[0].cell_contents  # type: ignore[index]
    return value
