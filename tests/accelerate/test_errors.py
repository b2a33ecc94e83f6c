"""Errors that views raise: signal, log, handlers and answer are plain Flask's."""

from __future__ import annotations

import itertools
import logging
import typing as t
from collections.abc import Callable

import flask
import pytest
from flask import signals
from tests.accelerate.conftest import ACCELERATED
from tests.accelerate.conftest import Host
from tests.accelerate.conftest import PLAIN
from tests.conformance.support import call
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError

Change = Callable[[t.Any], object]


class Error(Exception):
    pass


class SubError(Error):
    pass


class OwnLogger(logging.Logger):
    def error(self, *args: t.Any, **kwargs: t.Any) -> None:
        TRACE.append(("own logger", args[0]))


class Path(flask.Request):
    @property
    def path(self) -> str:  # type: ignore[override]
        TRACE.append("path")
        return "/own"


TRACE: list[t.Any] = []


def told(e: t.Any) -> t.Any:
    original = getattr(e, "original_exception", None)
    TRACE.append((type(e).__name__, brief(original)))
    return f"{type(e).__name__}", 418


def failing(e: t.Any) -> t.Any:
    raise SubError("in the handler")


def again(e: t.Any) -> t.Any:
    raise e


async def asynchronous(e: t.Any) -> t.Any:
    return told(e)


HANDLERS: dict[str, tuple[t.Any, t.Any] | None] = {
    "none": None,
    "500": (500, told),
    "InternalServerError": (InternalServerError, told),
    "HTTPException": (HTTPException, told),
    "Exception": (Exception, told),
    "Error": (Error, told),
    "SubError": (SubError, told),
    "KeyError": (KeyError, told),
    "async": (Error, asynchronous),
    "failing": (Error, failing),
    "failing 500": (500, failing),
    "again": (Error, again),
    "nothing": (Error, lambda e: None),
    "response": (500, lambda e: flask.Response("r", 503)),
    "json": (Error, lambda e: ({"error": str(e)}, 400)),
}


def _disable(app: t.Any) -> None:
    app.logger.disabled = True


def _shadow(app: t.Any) -> None:
    app.logger.disabled = True
    app.logger.error = lambda *args, **kwargs: TRACE.append(("shadow", args[0]))


def _own_logger(app: t.Any) -> None:
    app.logger = OwnLogger("own")
    app.logger.disabled = True


def _silent_path(app: t.Any) -> None:
    app.request_class = Path
    app.logger.disabled = True


def _failing_after(app: t.Any) -> None:
    app.after_request(lambda response: 1 // 0)


CHANGES: dict[str, Change] = {
    "as it is": lambda app: None,
    "disabled": _disable,
    "level": lambda app: app.logger.setLevel(logging.CRITICAL),
    "shadowed": _shadow,
    "own logger": _own_logger,
    "own request": _silent_path,
    "testing": lambda app: app.config.update(TESTING=True),
    "debug": lambda app: app.config.update(DEBUG=True),
    "propagate": lambda app: app.config.update(PROPAGATE_EXCEPTIONS=True),
    "not propagate": lambda app: app.config.update(
        PROPAGATE_EXCEPTIONS=False, TESTING=True
    ),
    "trap": lambda app: app.config.update(TRAP_HTTP_EXCEPTIONS=True),
    "failing after_request": _failing_after,
    "no spec": lambda app: setattr(app, "error_handler_spec", {None: {None: {}}}),
}

VIEWS: dict[str, Callable[[], t.Any]] = {
    "Error": lambda: _raise(Error("e")),
    "SubError": lambda: _raise(SubError("s")),
    "chained": lambda: _chain(),
    "InternalServerError": lambda: flask.abort(500),
    "404": lambda: flask.abort(404),
    "key": lambda: flask.request.form["missing"],
    "group": lambda: _raise(ExceptionGroup("g", [Error("e")])),
    "nothing": lambda: None,
}


def _raise(error: Exception) -> t.Any:
    raise error


def _chain() -> t.Any:
    try:
        raise Error("first")
    except Error as e:
        raise SubError("second") from e


def brief(error: t.Any) -> str:
    """Its repr; of one message, whose advice is another, the beginning."""
    return repr(error).partition(" did not return a valid response")[0]


class Logged(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        # What finalizes a response is no frame of Flask's.
        logs = record.funcName == "log_exception"
        where = record.filename if logs else None
        TRACE.append((record.levelname, record.getMessage(), brief(error), where))


def requests(
    host: Host, handler: str, change: str, view: str, late: bool, blueprint: bool
) -> list[t.Any]:
    TRACE.clear()
    app = flask.Flask("errors", static_folder=None)
    app.logger.handlers[:] = [Logged()]
    app.logger.propagate = False
    app.logger.disabled = False
    app.logger.setLevel(logging.NOTSET)
    app.logger.__dict__.pop("error", None)
    app.after_request(lambda r: (TRACE.append(("after", r.status)), r)[1])
    app.teardown_request(lambda e: TRACE.append(("teardown", brief(e))))
    parts = flask.Blueprint("part", "errors")
    target: t.Any = parts if blueprint else app
    target.add_url_rule("/", "view", VIEWS[view])
    registered = HANDLERS[handler]
    if registered is not None:
        target.register_error_handler(*registered)
    app.register_blueprint(parts)

    def receive(sender: t.Any, exception: BaseException, **extra: t.Any) -> None:
        TRACE.append(("signal", brief(exception)))

    if not late:
        CHANGES[change](app)
    host(app)
    for n in range(3):
        try:
            answer = call(app, "/")
            TRACE.append((answer.status_line, list(answer.headers), answer.body))
        except Exception as e:
            TRACE.append((brief(e), brief(e.__cause__), brief(e.__context__)))
        if n == 0 and late:
            app._got_first_request = False
            CHANGES[change](app)
        if n == 1:
            signals.got_request_exception.connect(receive, app)
    signals.got_request_exception.disconnect(receive, app)
    return list(TRACE)


@pytest.mark.parametrize("late", [False, True], ids=["before", "late"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("handler", HANDLERS)
def test_an_error_is_answered_as_flask_answers_it(
    handler: str, change: str, late: bool
) -> None:
    for view, blueprint in itertools.product(VIEWS, (False, True)):
        plain = requests(PLAIN, handler, change, view, late, blueprint)
        got = requests(ACCELERATED, handler, change, view, late, blueprint)
        assert got == plain, (view, blueprint)


def test_an_error_while_another_context_is_current() -> None:
    def status(host: Host) -> str:
        app = flask.Flask("errors", static_folder=None)
        app.logger.disabled = True

        @app.route("/")
        def index() -> str:
            with app.test_request_context("/other"):
                raise Error("inside")

        host(app)
        return call(app, "/").status_line

    assert status(PLAIN) == status(ACCELERATED) == "500 INTERNAL SERVER ERROR"


def test_patched_logging_is_called(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[t.Any] = []
    app = flask.Flask("errors", static_folder=None)
    app.logger.disabled = True
    app.add_url_rule("/", "view", VIEWS["Error"])
    host(app)
    call(app, "/")
    monkeypatch.setattr(
        logging.Logger, "error", lambda self, *args, **kwargs: calls.append(args)
    )
    call(app, "/")
    monkeypatch.undo()
    call(app, "/")
    assert calls == [("Exception on / [GET]",)]
