"""``accelerate`` and kin without importing Flask before they are called."""

from __future__ import annotations

from typing import Any
from typing import TYPE_CHECKING
from typing import TypeVar

if TYPE_CHECKING:
    from types import ModuleType

    import flask

F = TypeVar("F", bound="flask.Flask")


def _flask() -> ModuleType:
    try:
        from . import flask
    except ModuleNotFoundError as e:
        if e.name != "flask":
            raise
        raise ModuleNotFoundError(
            "accelerate() needs Flask: pip install 'fastdispatch[flask]'", name="flask"
        ) from None
    return flask


def accelerate(app: F) -> F:
    """Run an existing Flask application on the engine; nothing else changes.

    :param app: any :class:`flask.Flask`, subclassed or not. Twice is once.
    :returns: *app*.
    :raises TypeError: if it is no Flask application.
    :raises RuntimeError: if middleware hides ``app.wsgi_app``: call this before it is
        put around.
    """
    return _flask().accelerate(app)  # type: ignore[no-any-return]


def restore(app: F) -> F:
    """Undo :func:`accelerate`: Flask's own code runs *app* again.

    :returns: *app*.
    :raises TypeError: if it is no Flask application.
    :raises RuntimeError: if the engine can't be found in ``app.wsgi_app``.
    """
    return _flask().restore(app)  # type: ignore[no-any-return]


def explain(app: flask.Flask) -> Any:
    """What of *app* the engine runs, what the application's own code, and why.

    :returns: a table with a row for each step of the lifecycle; ``str()`` draws it.
    :raises TypeError: if *app* is no Flask application.
    :raises RuntimeError: if it is not accelerated.
    """
    return _flask().explain(app)
