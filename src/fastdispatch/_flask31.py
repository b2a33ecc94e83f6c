"""What is so in Flask 3.1 and otherwise in 3.2: a context each for app and request."""

from __future__ import annotations

from typing import Any

from flask.ctx import AppContext
from flask.ctx import RequestContext
from flask.globals import _cv_app  # pyright: ignore[reportPrivateUsage]
from flask.globals import _cv_request  # pyright: ignore[reportPrivateUsage]

from .engine.split import SplitAppContext
from .engine.split import SplitContext

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
request_var = _cv_request

#: Contexts: what of them the engine does itself.
WATCHED: dict[type, tuple[str, ...]] = {
    AppContext: ("__init__", "pop", "push"),
    RequestContext: ("__init__", "match_request", "pop", "push", "session"),
}

#: The steps that make them.
CONTEXT_STEPS: tuple[str, ...] = ("request_context", "app_context")

#: Steps that are None unless overridden.
ABSENT: frozenset[str] = frozenset()

#: Steps that the engine does only where another one is stock as well.
NEEDED: dict[str, str] = {}


class FlaskAppContext(  # pyright: ignore[reportIncompatibleVariableOverride]
    SplitAppContext, AppContext
):
    """The application context that the engine pushes: lazy, otherwise Flask's own."""


class FlaskContext(  # pyright: ignore[reportIncompatibleVariableOverride]
    SplitContext, RequestContext
):
    """The request context that the engine pushes: lazy, otherwise Flask's own."""

    push: Any = RequestContext.push
    pop: Any = RequestContext.pop
    __enter__: Any = RequestContext.__enter__
    __exit__: Any = RequestContext.__exit__
    __repr__: Any = RequestContext.__repr__

    def copy(self) -> RequestContext:  # type: ignore[override]
        """As Flask's; the copy is Flask's own context. Rule 12."""
        return RequestContext(
            self.app,
            environ=self.request.environ,
            request=self.request,
            session=self._session,
        )


FlaskAppContext.__name__ = FlaskAppContext.__qualname__ = "AppContext"
FlaskContext.__name__ = FlaskContext.__qualname__ = "RequestContext"


def method_of(cls: type, step: str) -> Any:
    """What *cls* has for *step*."""
    return getattr(cls, step)
