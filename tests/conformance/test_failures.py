"""A failure at any point leaves no context behind and skips no teardown."""

from __future__ import annotations

import contextvars
import typing as t
from collections.abc import Callable
from collections.abc import Iterator

import pytest
from tests.conformance.subjects import FLASK
from tests.conformance.subjects import Framework
from tests.conformance.support import call
from tests.conformance.support import environ
from tests.conformance.support import Server
from werkzeug.exceptions import Forbidden
from werkzeug.routing import BaseConverter

Boom = Callable[..., t.Any]


class Program:
    """An app with a hook of every kind, and one place that fails."""

    def __init__(self, fw: Framework, point: str, error: BaseException) -> None:
        self.fw = fw
        self.point = point
        self.error = error
        self.armed = False
        self.trace: list[str] = []
        self.undo: list[Callable[[], None]] = []
        self.environ: dict[str, t.Any] = {}
        self.start_response_fails = False
        self.app = self.make()

    def boom(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """Fail, in the one request that is meant to; `value` is the answer else."""
        if self.armed:
            self.trace.append("boom")
            raise self.error

        return kwargs.get("value")

    def receiver(self, sender: t.Any, **kwargs: t.Any) -> None:
        if sender is self.app:
            self.boom()

    def make(self) -> t.Any:
        fw, trace, point = self.fw, self.trace, self.point

        class Request(fw.Request):  # type: ignore[name-defined,misc]
            def close(inner) -> None:  # noqa: N805
                trace.append("close")
                super().close()

                if point == "request.close":
                    self.boom()

        class Interface(fw.sessions.SecureCookieSessionInterface):  # type: ignore[name-defined,misc]
            pass

        class App(fw.App):  # type: ignore[name-defined,misc]
            pass

        for name in ("open_session", "save_session", "make_null_session"):
            if point == name:
                self.override(Interface, name)

        if point == "make_null_session":
            Interface.open_session = lambda self, app, request: None

        if point == "is_null_session":
            self.override(Interface, name="is_null_session")

        for name in (
            "create_url_adapter",
            "ensure_sync",
            "full_dispatch_request",
            "preprocess_request",
            "dispatch_request",
            "raise_routing_exception",
            "handle_user_exception",
            "handle_http_exception",
            "finalize_request",
            "make_response",
            "process_response",
            "make_default_options_response",
        ):
            if point == name:
                self.override(App, name)

        app = App("conformance")
        app.secret_key = "key"
        app.request_class = Request
        app.session_interface = Interface()
        bp = fw.Blueprint("bp", "conformance", url_prefix="/bp")

        def view() -> t.Any:
            fw.session.get("a")
            fw.g.get("a")

            if point == "after_this_request":
                fw.after_this_request(lambda r: self.boom(value=r))

            if point == "stream_with_context":
                list(fw.stream_with_context(lambda: self.boom(value=iter("x")))())

            if point in {"handler", "handle_user_exception"}:
                raise LookupError

            if point == "500 handler" and self.armed:
                raise ZeroDivisionError

            if point == "call_on_close":
                response = fw.make_response("view")
                response.call_on_close(self.boom)
                return response

            if point in {"view", "bp view"}:
                self.boom()

            return "view"

        @app.errorhandler(LookupError)
        def handler(e: Exception) -> str:
            self.boom()
            return "handled"

        if point == "500 handler":

            @app.errorhandler(500)
            def internal(e: Exception) -> str:
                self.boom()
                return "sorry"

        for scope, name in ((app, "app"), (bp, "bp")):
            scope.add_url_rule("/", endpoint="view", view_func=view)
            scope.before_request(self.hook(f"{name} before"))
            scope.after_request(self.hook(f"{name} after"))
            scope.teardown_request(self.hook(f"{name} teardown"))
            scope.url_value_preprocessor(self.hook(f"{name} preprocessor"))

            if point.startswith(f"{name} "):
                kind = point.removeprefix(f"{name} ")
                add = {
                    "before": scope.before_request,
                    "after": scope.after_request,
                    "teardown": scope.teardown_request,
                    "preprocessor": scope.url_value_preprocessor,
                }.get(kind)

                if add is not None:
                    add(lambda *args: self.boom(value=args[0] if args else None))

            scope.teardown_request(self.hook(f"{name} last teardown"))

        app.teardown_appcontext(self.hook("first appcontext"))

        if point == "teardown_appcontext":
            app.teardown_appcontext(self.boom)

        app.teardown_appcontext(self.hook("last appcontext"))

        if point == "before_first_request":
            app.before_first_request(self.boom)

        class Converter(BaseConverter):
            def to_python(inner, value: str) -> str:  # noqa: N805
                self.boom()
                return value

        app.url_map.converters["failing"] = Converter
        app.add_url_rule("/converter/<failing:x>", endpoint="x", view_func=lambda x: x)
        app.add_url_rule("/stream", endpoint="stream", view_func=self.stream)
        app.register_blueprint(bp)
        signal = getattr(fw.signals, point, None)

        if signal is not None:
            signal.connect(self.receiver, weak=False)
            self.undo.append(lambda: signal.disconnect(self.receiver))

        if point == "preserve_context":
            self.environ["werkzeug.debug.preserve_context"] = self.boom

        if point == "app_ctx_globals_class":
            original = app.app_ctx_globals_class

            def make_g() -> t.Any:
                self.boom()
                return original()

            app.app_ctx_globals_class = make_g

        if point == "start_response":
            self.start_response_fails = True

        return app

    def override(self, cls: t.Any, name: str) -> None:
        original = getattr(cls, name)

        def method(inner: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
            self.boom()
            return original(inner, *args, **kwargs)

        setattr(cls, name, method)

    def hook(self, name: str) -> Boom:
        def func(*args: t.Any) -> t.Any:
            self.trace.append(name)
            return args[0] if name.endswith("after") else None

        return func

    def stream(self) -> t.Any:
        fw = self.fw
        when = self.point.removeprefix("stream ")

        def generate() -> Iterator[str]:
            try:
                if when == "first":
                    self.boom()

                yield "a"

                if when == "second":
                    self.boom()

                yield "b"
            finally:
                if when == "close":
                    self.boom()

        return fw.Response(fw.stream_with_context(generate()))

    @property
    def path(self) -> str:
        if self.point.startswith("bp "):
            return "/bp/"

        if self.point.startswith("stream "):
            return "/stream"

        if self.point == "converter":
            return "/converter/value"

        if self.point in {"raise_routing_exception", "handle_http_exception"}:
            return "/nowhere"

        return "/"

    def serve(self) -> t.Any:
        """The answer of one request, or what escaped."""
        method = "OPTIONS" if "options" in self.point else "GET"
        env = {**environ(self.path, method), **self.environ}

        try:
            if self.start_response_fails and self.armed:
                return self.app(env, self.boom)

            return call(self.app, env=env)
        except BaseException as e:
            return e

    def teardowns(self) -> list[str]:
        """The hooks that ran; closing a request that never came to be is no loss."""
        return [n for n in self.trace if "teardown" in n or "appcontext" in n]

    def expected(self) -> list[str]:
        app = ["app last teardown", "app teardown"]
        bp = ["bp last teardown", "bp teardown"] if self.path == "/bp/" else []
        return [*bp, *app, "last appcontext", "first appcontext"]


SIGNALS = [
    "appcontext_pushed",
    "request_started",
    "request_finished",
    "got_request_exception",
    "request_tearing_down",
    "appcontext_tearing_down",
    "appcontext_popped",
]

POINTS = [
    "app preprocessor",
    "app before",
    "app after",
    "app teardown",
    "bp preprocessor",
    "bp before",
    "bp view",
    "bp after",
    "bp teardown",
    "view",
    "handler",
    "500 handler",
    "after_this_request",
    "stream_with_context",
    "call_on_close",
    "teardown_appcontext",
    "request.close",
    "open_session",
    "save_session",
    "make_null_session",
    "is_null_session",
    "converter",
    "create_url_adapter",
    "full_dispatch_request",
    "preprocess_request",
    "dispatch_request",
    "raise_routing_exception",
    "handle_user_exception",
    "handle_http_exception",
    "finalize_request",
    "make_response",
    "process_response",
    "make_default_options_response",
    "app_ctx_globals_class",
    "start_response",
    "stream first",
    "stream second",
    "stream close",
    "preserve_context",
    *SIGNALS,
]

FLASK_FAILS = {
    "app teardown",
    "bp teardown",
    "teardown_appcontext",
    "request.close",
    "request_tearing_down",
    "appcontext_tearing_down",
    "appcontext_pushed",
    "app_ctx_globals_class",
    "preserve_context",
    "create_url_adapter",
    "stream first",
    "stream second",
    "stream close",
}
"""Where Flask 3.1.3 skips or repeats a teardown, or leaves a context: rules 1, 11, 14,
15 and 42."""

if FLASK.flask32:
    FLASK_FAILS -= {
        "appcontext_pushed",
        "stream first",
        "stream second",
        "stream close",
    }

OUTSIDE = {
    # The server's own: nobody is left to be answered.
    "start_response",
    "call_on_close",
    "stream first",
    "stream second",
    "stream close",
    # Rules 30 and 35: outside of the guard, in Flask as well.
    "500 handler",
    "finalize_request",
    "make_response",
    # A step of the server's or the debugger's making.
    "preserve_context",
    "appcontext_popped",
    "got_request_exception",
}
"""Where an error reaches the server though errors do not propagate."""

ERRORS: list[Callable[[], BaseException]] = [
    lambda: ValueError("boom"),
    lambda: Forbidden("boom"),
    lambda: KeyboardInterrupt(),
]


def _check(fw: Framework, point: str, error: BaseException, testing: bool) -> list[str]:
    """What was not kept, in words; empty where everything was."""
    program = Program(fw, point, error)
    program.app.testing = testing
    broken = []

    if point == "got_request_exception":
        program.app.before_request_funcs[None].insert(0, lambda: int("no number"))

    program.armed = True
    result = program.serve()
    program.armed = False

    if "boom" not in program.trace and not (testing and point == "500 handler"):
        broken.append("the point was not reached")

    teardowns = program.teardowns()

    once = [name for name in teardowns if teardowns.count(name) == 1]

    if sorted(once) != sorted(program.expected()):
        broken.append(f"teardown: {teardowns}")
    elif once != program.expected():
        broken.append(f"the order of teardown: {teardowns}")

    if program.trace.count("close") > 1:
        broken.append("the request is closed more than once")

    if fw.has_app_context() or fw.has_request_context():
        broken.append("a context is left")

    escaped = isinstance(result, BaseException)
    excused = testing or not isinstance(error, Exception) or point in OUTSIDE

    if escaped and not excused:
        broken.append(f"{result!r} escaped")

    # The next request is none the worse for it.
    program.trace.clear()
    hooks = program.app.before_request_funcs[None]
    hooks[:] = [func for func in hooks if func.__name__ == "func"]
    program.start_response_fails = False
    program.environ.clear()
    program.point = "none" if "options" not in point else point
    after = program.serve()

    if isinstance(after, BaseException) or after.status != 200:
        broken.append(f"the next request: {after!r}")
    elif program.teardowns() != program.expected():
        broken.append(f"the next request's teardown: {program.teardowns()}")

    for undo in program.undo:
        undo()

    return broken


@pytest.mark.parametrize("testing", [False, True], ids=["production", "testing"])
@pytest.mark.parametrize("make_error", ERRORS, ids=["ValueError", "Forbidden", "Exit"])
@pytest.mark.parametrize("point", POINTS)
def test_a_failure_at(
    fw: Framework, point: str, make_error: Callable[[], BaseException], testing: bool
) -> None:
    context = contextvars.copy_context()
    broken = context.run(_check, fw, point, make_error(), testing)

    if fw.native or point not in FLASK_FAILS:
        assert broken == []


def test_every_excuse_is_needed() -> None:
    """What is listed against Flask does fail on Flask."""
    for point in FLASK_FAILS:
        error = ValueError("boom")
        assert contextvars.copy_context().run(_check, FLASK, point, error, False), point


# --- Particular ones


def test_before_first_request(native: Framework) -> None:
    for make_error in ERRORS:
        error = make_error()
        assert _check(native, "before_first_request", error, False) == []


def test_log_exception_that_fails(fw: Framework, trace: list[t.Any]) -> None:
    class App(fw.App):  # type: ignore[name-defined,misc]
        def log_exception(self, *ctx) -> None:
            raise OSError("the disk is full")

    app = App("conformance")
    error = ZeroDivisionError()

    @app.route("/")
    def index() -> str:
        raise error

    app.teardown_request(lambda exc: trace.append(exc))

    with pytest.raises(OSError, match="the disk is full"):
        call(app)

    assert trace == [error]


def test_a_log_handler_that_fails_loses_no_teardown(
    native: Framework, trace: list[t.Any]
) -> None:
    import logging

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("the disk is full")

    app = native.App("conformance")
    app.teardown_request(lambda exc: trace.append("first"))

    @app.teardown_request
    def fails(exc: BaseException | None) -> None:
        raise ValueError

    app.teardown_appcontext(lambda exc: trace.append("appcontext"))
    handler = Handler()
    app.logger.addHandler(handler)

    try:
        call(app)
    except OSError:
        pass
    finally:
        app.logger.removeHandler(handler)

    assert trace == ["first", "appcontext"]


def test_should_ignore_error_that_fails(native: Framework, trace: list[t.Any]) -> None:
    class App(native.App):  # type: ignore[name-defined,misc]
        def should_ignore_error(self, error: BaseException | None) -> bool:
            raise OSError("cannot say")

    app = App("conformance")
    app.add_url_rule("/", endpoint="i", view_func=lambda: 1 // 0)
    app.teardown_request(lambda exc: trace.append("teardown"))

    try:
        call(app)
    except OSError:
        pass

    assert trace == ["teardown"]


def test_a_failing_start_response_closes_the_response(
    native: Framework, trace: list[t.Any]
) -> None:
    """PEP 3333 leaves closing to the server, which has got nothing to close."""
    app = native.App("conformance")

    @app.route("/")
    def index() -> t.Any:
        @native.stream_with_context
        def generate() -> Iterator[str]:
            yield "never sent"

        return native.Response(generate())

    app.teardown_request(lambda exc: trace.append("teardown"))

    def start_response(*args: t.Any) -> t.Any:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        app(environ(), start_response)

    assert trace == ["teardown"]


def test_no_half_written_session(fw: Framework) -> None:
    """A session that cannot be written is not written, and the client keeps its own."""
    app = fw.App("conformance")
    app.secret_key = "key"

    @app.route("/fill")
    def fill() -> str:
        fw.session["a"] = 1
        return "filled"

    @app.route("/break")
    def break_() -> str:
        fw.session["a"] = object()
        return "never sent"

    @app.route("/raise")
    def raise_() -> str:
        fw.session["a"] = 2
        raise ZeroDivisionError

    @app.route("/read")
    def read() -> str:
        return str(fw.session.get("a"))

    client = app.test_client()
    assert client.get("/fill").status_code == 200
    response = client.get("/break")
    assert response.status_code == 500
    assert "Set-Cookie" not in response.headers
    assert client.get("/read").text == "1"
    assert client.get("/raise").status_code == 500
    assert client.get("/read").text == "2", (
        "the save follows after_request, on a 500 too"
    )


def test_an_error_while_a_copied_context_is_pushed(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.teardown_request(lambda exc: trace.append(type(exc)))

    with app.test_request_context("/"):

        @fw.copy_current_request_context
        def job() -> t.NoReturn:
            raise KeyError

        with pytest.raises(KeyError):
            contextvars.Context().run(job)

        assert fw.request.path == "/"

    assert trace == [KeyError, type(None)]


def test_an_abandoned_generator_beside_the_next_request(
    native: Framework, trace: list[t.Any]
) -> None:
    app = native.App("conformance")

    @app.route("/<name>")
    def index(name: str) -> t.Any:
        native.g.name = name

        def generate() -> Iterator[str]:
            while True:
                yield native.g.name

        return native.Response(native.stream_with_context(generate()))

    app.teardown_request(lambda exc: trace.append(native.g.name))
    servers = [Server(app, environ(f"/{n}")) for n in range(3)]

    for n, server in enumerate(servers):
        assert next(iter(server.iterable)) == str(n).encode()
        assert not native.has_app_context()

    for server in servers:
        server.close()

    assert trace == ["0", "1", "2"]
