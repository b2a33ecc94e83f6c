"""Rules 40–44: teardown, what the project is named for."""

from __future__ import annotations

import sys
import threading
import typing as t

import pytest
from tests.conformance.subjects import Framework
from tests.conformance.support import call
from tests.conformance.support import environ
from tests.conformance.support import listen
from tests.conformance.support import Server
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter

Trace = list[t.Any]


def hook(
    trace: Trace, name: str, error: BaseException | None = None
) -> t.Callable[[t.Any], None]:
    """A teardown function of that name that leaves it, with the error it was given."""

    def func(exc: BaseException | None) -> None:
        trace.append((name, exc))

        if error is not None:
            raise error

    func.__name__ = func.__qualname__ = name
    return func


def fails(error: BaseException) -> t.Callable[..., t.Any]:
    def func(*args: t.Any, **kwargs: t.Any) -> t.Any:
        raise error

    return func


def signal_note(trace: Trace, name: str) -> t.Callable[..., None]:
    def receiver(sender: t.Any, exc: BaseException | None, **kwargs: t.Any) -> None:
        trace.append((name, exc))

    return receiver


# --- Rule 40


@pytest.mark.parametrize("error", [None, ZeroDivisionError()])
def test_c40_the_order_of_teardown(
    fw: Framework, trace: Trace, error: Exception | None
) -> None:
    app = fw.App("conformance")
    outer = fw.Blueprint("outer", "conformance", url_prefix="/outer")
    inner = fw.Blueprint("inner", "conformance", url_prefix="/inner")

    for scope, name in ((app, "app"), (outer, "outer"), (inner, "inner")):
        for n in (1, 2):
            scope.teardown_request(hook(trace, f"{name}{n}"))

    for n in (1, 2):
        app.teardown_appcontext(hook(trace, f"appcontext{n}"))

    inner.add_url_rule(
        "/", endpoint="v", view_func=fails(error) if error else lambda: "view"
    )
    outer.register_blueprint(inner)
    app.register_blueprint(outer)

    with (
        listen(fw.signals.request_tearing_down, app, signal_note(trace, "request")),
        listen(fw.signals.appcontext_tearing_down, app, signal_note(trace, "popping")),
    ):
        call(app, "/outer/inner/")

    assert trace == [
        ("inner2", error),
        ("inner1", error),
        ("outer2", error),
        ("outer1", error),
        ("app2", error),
        ("app1", error),
        ("request", error),
        ("appcontext2", error),
        ("appcontext1", error),
        ("popping", error),
    ]


def test_c40_only_the_blueprints_of_the_request(fw: Framework, trace: Trace) -> None:
    app = fw.App("conformance")
    app.teardown_request(hook(trace, "app"))

    for name in ("one", "two"):
        bp = fw.Blueprint(name, "conformance", url_prefix=f"/{name}")
        bp.teardown_request(hook(trace, name))
        bp.add_url_rule("/", endpoint="v", view_func=lambda: "view")
        app.register_blueprint(bp)

    call(app, "/two/")
    assert trace == [("two", None), ("app", None)]


def test_c40_a_hook_registered_twice_runs_twice(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    func = hook(trace, "twice")
    app.teardown_request(func)
    app.teardown_request(func)
    call(app)
    assert trace == [("twice", None)] * 2


def test_c40_a_pushed_app_context_runs_the_app_s_alone(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    app.teardown_request(hook(trace, "request"))
    app.teardown_appcontext(hook(trace, "appcontext"))
    error = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        with app.app_context():
            raise error

    assert trace == [("appcontext", error)]


# --- Rule 41


class _Failing(BaseConverter):
    def to_python(self, value: str) -> str:
        raise LookupError(value)


def _end(how: str, fw: Framework, app: t.Any) -> t.Any:
    """Serve a request that ends in this way; the error teardown has to be given."""
    error: t.Any = None
    before_error = {"before": ZeroDivisionError("b")}.get(how)

    @app.before_request
    def before() -> t.Any:
        if before_error is not None:
            raise before_error

        return "answered" if how == "answered" else None

    if how == "view":
        error = ZeroDivisionError("v")
    elif how == "before":
        error = before_error
    elif how == "exit":
        error = SystemExit(1)
    elif how == "after":
        error = LookupError("after")
        app.after_request(fails(error))
    elif how == "handled":
        app.errorhandler(OSError)(lambda e: "handled")

    raised = {"view": error, "exit": error, "handled": OSError()}.get(how)
    app.add_url_rule(
        "/", endpoint="i", view_func=fails(raised) if raised else lambda: "v"
    )
    path = "/nowhere" if how == "not found" else "/"

    if how == "exit":
        with pytest.raises(SystemExit):
            call(app, path)
    else:
        call(app, path)

    return error


ENDS = ["fine", "answered", "view", "before", "after", "handled", "not found", "exit"]


@pytest.mark.parametrize("how", ENDS)
def test_c41_they_run_whatever_happened(
    fw: Framework, app: t.Any, trace: Trace, how: str
) -> None:
    app.teardown_request(hook(trace, "one"))
    app.teardown_request(hook(trace, "two"))
    app.teardown_appcontext(hook(trace, "three"))
    error = _end(how, fw, app)
    assert trace == [("two", error), ("one", error), ("three", error)]


@pytest.mark.parametrize("how", ENDS)
def test_c41_in_the_request_s_thread_with_everything_still_there(
    fw: Framework, app: t.Any, trace: Trace, how: str
) -> None:
    app.secret_key = "key"

    @app.before_request
    def first() -> None:
        fw.g.name = "g"
        fw.session["name"] = "session"
        trace.append(threading.get_ident())

    @app.teardown_request
    def teardown(exc: BaseException | None) -> None:
        assert fw.request.method == "GET"
        assert fw.current_app._get_current_object() is app
        trace.extend([threading.get_ident(), fw.g.name, fw.session["name"]])

    @app.teardown_appcontext
    def teardown_appcontext(exc: BaseException | None) -> None:
        assert fw.current_app._get_current_object() is app
        trace.append(fw.g.name)

        if fw.native:
            trace.append((fw.request.method, fw.session["name"]))

    _end(how, fw, app)
    expected = [threading.get_ident()] * 2 + ["g", "session", "g"]
    assert trace == expected + ([("GET", "session")] if fw.native else [])


def test_c41_one_positional_argument(fw: Framework, app: t.Any, trace: Trace) -> None:
    error = ZeroDivisionError()

    class Callable:
        def __call__(self, *args: t.Any, **kwargs: t.Any) -> None:
            trace.append((args, kwargs))

        def method(self, error: t.Any) -> None:
            trace.append(error)

    app.teardown_request(lambda exception=None: trace.append(exception))
    app.teardown_request(lambda whatever, /: trace.append(whatever))
    app.teardown_request(Callable())
    app.teardown_request(Callable().method)
    app.teardown_appcontext(lambda exception=None: trace.append(exception))
    app.add_url_rule("/", endpoint="i", view_func=fails(error))
    call(app)
    assert trace == [error, ((error,), {}), error, error, error]


def test_c41_every_hook_gets_the_same_error(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    error = ZeroDivisionError()

    def disturb(exc: BaseException | None) -> None:
        trace.append(exc)

        try:
            raise LookupError
        except LookupError:
            pass

    for _ in range(3):
        app.teardown_request(disturb)
        app.teardown_appcontext(disturb)

    app.add_url_rule("/", endpoint="i", view_func=fails(error))
    call(app)
    assert trace == [error] * 6


def test_c41_not_what_sys_exc_info_says(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    """A request served while another error is handled has not failed itself."""
    app.teardown_request(hook(trace, "request"))
    app.teardown_appcontext(hook(trace, "appcontext"))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")

    try:
        raise LookupError("outside")
    except LookupError:
        assert sys.exc_info()[0] is LookupError
        assert call(app).text == "view"

    assert trace == [("request", None), ("appcontext", None)]


def test_c41_pop_without_an_argument_takes_the_current_error(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    app.teardown_request(hook(trace, "request"))
    app.teardown_appcontext(hook(trace, "appcontext"))
    error = LookupError()

    for ctx in (app.test_request_context("/"), app.app_context()):
        ctx.push()

        try:
            raise error
        except LookupError:
            ctx.pop()

    ctx = app.app_context()
    ctx.push()
    ctx.pop(None)
    current = None if fw.flask32 else error
    assert trace == [
        ("request", current),
        ("appcontext", current),
        ("appcontext", current),
        ("appcontext", None),
    ]


def test_c41_with_gives_the_error_of_the_block(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    app.teardown_request(hook(trace, "request"))
    error = LookupError()

    with pytest.raises(LookupError):
        with app.test_request_context("/"):
            raise error

    try:
        raise OSError
    except OSError:
        with app.test_request_context("/"):
            pass

    assert trace == [("request", error), ("request", None)]


@pytest.mark.parametrize("value", ["text", 1, (None, 404), ValueError()])
def test_c41_return_values_are_ignored(fw: Framework, app: t.Any, value: t.Any) -> None:
    app.teardown_request(lambda exc: value)
    app.teardown_appcontext(lambda exc: value)
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    answer = call(app)
    assert (answer.status, answer.text) == (200, "view")


@pytest.mark.filterwarnings(
    "ignore:The 'should_ignore_error' method:DeprecationWarning"
)
def test_c41_should_ignore_error(fw: Framework, trace: Trace) -> None:
    class App(fw.App):  # type: ignore[name-defined,misc]
        def should_ignore_error(self, error: BaseException | None) -> bool:
            return isinstance(error, ZeroDivisionError)

    app = App("conformance")
    app.teardown_request(lambda exc: trace.append(type(exc)))
    app.add_url_rule("/zero", endpoint="z", view_func=lambda: 1 // 0)
    app.add_url_rule("/key", endpoint="k", view_func=lambda: {}["a"])
    call(app, "/zero")
    call(app, "/key")
    assert trace == [type(None), KeyError]


def test_c41_async_teardown(fw: Framework, app: t.Any, trace: Trace) -> None:
    error = ZeroDivisionError()

    @app.teardown_request
    async def teardown(exc: BaseException | None) -> None:
        trace.append((fw.request.path, exc))

    @app.teardown_appcontext
    async def teardown_appcontext(exc: BaseException | None) -> None:
        trace.append((fw.current_app.name, exc))

    app.add_url_rule("/", endpoint="i", view_func=fails(error))
    call(app)
    assert trace == [("/", error), ("conformance", error)]


# --- Rule 42


def _failing_hooks(
    fw: Framework, trace: Trace, *names: str
) -> tuple[t.Any, dict[str, Exception]]:
    """An app of three request and two app context hooks; the named ones raise."""
    app = fw.App("conformance")
    errors: dict[str, Exception] = {name: LookupError(name) for name in names}

    for name in ("first", "second", "third"):
        app.teardown_request(hook(trace, name, errors.get(name)))

    for name in ("fourth", "fifth"):
        app.teardown_appcontext(hook(trace, name, errors.get(name)))

    app.add_url_rule("/", endpoint="i", view_func=lambda: ("view", {"X-View": "1"}))
    app.add_url_rule("/error", endpoint="e", view_func=lambda: 1 // 0)
    return app, errors


def _names(trace: Trace) -> list[str]:
    return [name for name, _ in trace]


ALL = ["third", "second", "first", "request", "fifth", "fourth", "popping"]


def _serve(fw: Framework, app: t.Any, trace: Trace, path: str = "/") -> t.Any:
    with (
        listen(fw.signals.request_tearing_down, app, signal_note(trace, "request")),
        listen(fw.signals.appcontext_tearing_down, app, signal_note(trace, "popping")),
    ):
        return call(app, path)


@pytest.mark.parametrize(
    ("failing", "on_flask"),
    [
        ("third", ["third", "fifth", "fourth", "popping"]),
        ("second", ["third", "second", "fifth", "fourth", "popping"]),
        ("first", ["third", "second", "first", "fifth", "fourth", "popping"]),
        ("fifth", ["third", "second", "first", "request", "fifth"]),
        ("fourth", ["third", "second", "first", "request", "fifth", "fourth"]),
    ],
)
def test_c42_one_hook_that_raises(
    fw: Framework,
    trace: Trace,
    caplog: pytest.LogCaptureFixture,
    failing: str,
    on_flask: list[str],
) -> None:
    app, errors = _failing_hooks(fw, trace, failing)

    if not fw.merged:
        with pytest.raises(LookupError, match=failing):
            _serve(fw, app, trace)

        assert _names(trace) == on_flask
        return

    if fw.flask32:
        with pytest.raises(ExceptionGroup, match="during context teardown") as info:
            _serve(fw, app, trace)

        phase = "request" if failing in {"first", "second", "third"} else "app"
        (group,) = info.value.exceptions
        assert isinstance(group, ExceptionGroup)
        assert group.message == f"Errors during {phase} teardown"
        assert group.exceptions == (errors[failing],)
        assert _names(trace) == ALL
        return

    answer = _serve(fw, app, trace)
    assert (answer.status, answer.text, answer.headers["X-View"]) == (200, "view", "1")
    assert _names(trace) == ALL
    assert {exc for _, exc in trace} == {None}, "the request itself has not failed"
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.name == "conformance"
    assert failing in record.getMessage()
    assert record.exc_info is not None and record.exc_info[1] is errors[failing]


def test_c42_several_hooks_that_raise(
    native: Framework, trace: Trace, caplog: pytest.LogCaptureFixture
) -> None:
    app, errors = _failing_hooks(native, trace, "third", "first", "fourth")
    answer = _serve(native, app, trace)
    assert (answer.status, answer.text) == (200, "view")
    assert _names(trace) == ALL
    assert len(caplog.records) == 3

    for record, name in zip(caplog.records, ["third", "first", "fourth"], strict=True):
        assert name in record.getMessage()
        assert record.exc_info is not None and record.exc_info[1] is errors[name]


def test_c42_beside_an_error_of_the_view(
    native: Framework, trace: Trace, caplog: pytest.LogCaptureFixture
) -> None:
    app, _ = _failing_hooks(native, trace, "second", "fifth")
    assert _serve(native, app, trace, "/error").status == 500
    assert _names(trace) == ALL
    assert {type(exc) for _, exc in trace} == {ZeroDivisionError}
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0] == "Exception on /error [GET]"
    assert "second" in messages[1] and "fifth" in messages[2]
    assert len(messages) == 3


@pytest.mark.parametrize("config", ["TESTING", "DEBUG", "PROPAGATE_EXCEPTIONS"])
def test_c42_raised_where_errors_propagate(
    native: Framework, trace: Trace, config: str
) -> None:
    app, errors = _failing_hooks(native, trace, "second")
    app.config[config] = True

    with pytest.raises(LookupError) as info:
        _serve(native, app, trace)

    assert info.value is errors["second"]
    assert _names(trace) == ALL


def test_c42_several_are_raised_as_a_group(native: Framework, trace: Trace) -> None:
    app, errors = _failing_hooks(native, trace, "second", "fifth", "fourth")
    app.testing = True

    with pytest.raises(ExceptionGroup) as info:
        _serve(native, app, trace)

    expected = tuple(errors[name] for name in ("second", "fifth", "fourth"))
    assert info.value.exceptions == expected
    assert _names(trace) == ALL


def test_c42_an_explicit_false_keeps_it_in(native: Framework, trace: Trace) -> None:
    app, _ = _failing_hooks(native, trace, "second", "fifth")
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert _serve(native, app, trace).text == "view"
    assert _names(trace) == ALL


def test_c42_the_view_s_own_error_is_not_lost(native: Framework, trace: Trace) -> None:
    app, errors = _failing_hooks(native, trace, "second")
    app.testing = True

    with pytest.raises(BaseException) as info:
        _serve(native, app, trace, "/error")

    assert _names(trace) == ALL
    seen = [info.value]

    for e in seen:
        seen.extend(x for x in (e.__context__, e.__cause__) if x and x not in seen)
        seen.extend(getattr(e, "exceptions", ()))

    assert any(isinstance(e, ZeroDivisionError) for e in seen)


@pytest.mark.parametrize("name", ["request_tearing_down", "appcontext_tearing_down"])
def test_c42_a_receiver_that_raises(
    native: Framework, trace: Trace, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    app, _ = _failing_hooks(native, trace)

    with listen(getattr(native.signals, name), app, fails(LookupError("receiver"))):
        answer = call(app)

    assert (answer.status, answer.text) == (200, "view")
    assert _names(trace) == ["third", "second", "first", "fifth", "fourth"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_c42_a_request_close_that_raises(
    native: Framework, trace: Trace, caplog: pytest.LogCaptureFixture
) -> None:
    class Request(native.Request):  # type: ignore[name-defined,misc]
        def close(self) -> None:
            raise LookupError("close")

    app, _ = _failing_hooks(native, trace)
    app.request_class = Request
    assert call(app).text == "view"
    assert _names(trace) == ["third", "second", "first", "fifth", "fourth"]
    assert len(caplog.records) == 1


def test_c42_the_log_names_hooks_of_every_kind(
    native: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    import functools

    class Closer:
        def close_it(self, exc: t.Any) -> None:
            raise LookupError

        def __call__(self, exc: t.Any) -> None:
            raise LookupError

    def with_arguments(flag: bool, exc: t.Any) -> None:
        raise LookupError

    async def close_later(exc: t.Any) -> None:
        raise LookupError

    app = native.App("conformance")

    for func in (
        Closer().close_it,
        Closer(),
        functools.partial(with_arguments, True),
        close_later,
    ):
        app.teardown_request(func)

    assert call(app, "/nowhere").status == 404
    messages = [record.getMessage() for record in caplog.records]
    names = ["close_later", "with_arguments", "Closer", "close_it"]
    assert len(messages) == 4

    for message, name in zip(messages, names, strict=True):
        assert name in message


@pytest.mark.parametrize("cls", [KeyboardInterrupt, SystemExit])
def test_c42_a_base_exception_in_a_hook(
    native: Framework, trace: Trace, cls: type[BaseException]
) -> None:
    app = native.App("conformance")
    app.teardown_request(hook(trace, "first"))
    app.teardown_request(hook(trace, "second", cls()))
    app.teardown_appcontext(hook(trace, "third"))

    with pytest.raises(cls):
        call(app)

    assert _names(trace) == ["second", "first", "third"]


def test_c42_around_a_with_block(native: Framework, trace: Trace) -> None:
    app, errors = _failing_hooks(native, trace, "second")
    app.testing = True

    with pytest.raises(LookupError) as info:
        with app.test_request_context("/"):
            pass

    assert info.value is errors["second"]
    assert _names(trace) == ["third", "second", "first", "fifth", "fourth"]
    assert not native.has_app_context()


# --- Rule 43


def test_c43_without_before_request_having_run(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    app.before_request(lambda: trace.append("before"))
    app.teardown_request(hook(trace, "request"))
    app.teardown_appcontext(hook(trace, "appcontext"))

    with app.test_request_context("/"):
        pass

    assert trace == [("request", None), ("appcontext", None)]


def test_c43_after_an_error_in_a_converter(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    app.url_map.converters["failing"] = _Failing
    app.add_url_rule("/<failing:x>", endpoint="x", view_func=lambda x: x)
    app.before_request(lambda: trace.append("before"))
    app.teardown_request(hook(trace, "request"))
    app.teardown_appcontext(hook(trace, "appcontext"))
    assert call(app, "/value").status == 500
    assert [name for name, _ in trace] == ["request", "appcontext"]
    assert all(isinstance(exc, LookupError) for _, exc in trace)


def test_c43_after_a_before_request_of_another_that_failed(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    app.before_request(fails(NotFound()))
    app.before_request(lambda: setattr(fw.g, "db", "open"))
    app.teardown_request(lambda exc: trace.append(fw.g.pop("db", "never opened")))
    assert call(app).status == 404
    assert trace == ["never opened"]


# --- Rule 44


def test_c44_start_response_has_been_called(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    app.teardown_request(hook(trace, "request"))
    app.teardown_appcontext(hook(trace, "appcontext"))

    def start_response(status: str, headers: t.Any, exc_info: t.Any = None) -> t.Any:
        assert fw.request.path == "/"
        trace.append((status, exc_info))

    iterable = app(environ(), start_response)
    assert trace == [("200 OK", None), ("request", None), ("appcontext", None)]
    assert b"".join(iterable) == b"view"


def test_c44_the_response_cannot_be_changed(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    @app.route("/")
    def index() -> t.Any:
        fw.g.response = fw.make_response("view")
        return fw.g.response

    @app.teardown_request
    def teardown(exc: BaseException | None) -> None:
        response = fw.g.response
        response.status_code = 500
        response.headers["X-Late"] = "1"
        response.set_cookie("late", "1")
        trace.append("ran")

    answer = call(app)
    assert (answer.status, answer.text) == (200, "view")
    assert "X-Late" not in answer.headers and "Set-Cookie" not in answer.headers
    assert trace == ["ran"]


def test_c44_nor_the_session(fw: Framework, app: t.Any) -> None:
    app.secret_key = "key"

    @app.route("/")
    def index() -> str:
        return str(fw.session.get("late", "nothing"))

    @app.teardown_request
    def teardown(exc: BaseException | None) -> None:
        fw.session["late"] = "too late"

    client = app.test_client()
    assert [client.get("/").text for _ in range(2)] == ["nothing", "nothing"]


def test_c44_a_stream_goes_on_after_the_teardown(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    def generate() -> t.Iterator[str]:
        trace.append("chunk")
        yield "a"
        trace.append(fw.has_request_context())
        yield "b"

    app.add_url_rule("/", endpoint="i", view_func=generate)
    app.teardown_request(hook(trace, "teardown"))
    assert Server(app, environ()).answer().text == "ab"
    assert trace == [("teardown", None), "chunk", False]
