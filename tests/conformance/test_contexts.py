"""Rules 1–18: contexts."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import io
import threading
import typing as t
from collections.abc import Iterator

import pytest
from tests.conformance.subjects import Framework
from tests.conformance.support import call
from tests.conformance.support import environ
from tests.conformance.support import listen
from tests.conformance.support import Server
from werkzeug.exceptions import Forbidden
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter

# --- Rule 1


@pytest.mark.parametrize("testing", [False, True])
def test_c01_a_path_that_is_not_latin1(
    fw: Framework, app: t.Any, trace: list[t.Any], testing: bool
) -> None:
    app.testing = testing
    app.before_request(lambda: trace.append(fw.request.path))
    app.teardown_request(lambda exc: trace.append("teardown"))
    app.add_url_rule("/<path:p>", view_func=lambda p: "view", endpoint="view")
    env = environ("/")
    env["PATH_INFO"] = "/\N{SNOWMAN}"

    if fw.native:
        assert call(app, env=env).status == 400, "whatever the hooks look at"
    else:
        with pytest.raises(UnicodeEncodeError):
            call(app, env=env)

        assert trace == []


def test_c01_an_app_serves_on_after_a_request_it_could_not_construct(
    fw: Framework, app: t.Any
) -> None:
    app.add_url_rule("/", view_func=lambda: "fine", endpoint="index")
    env = environ("/")
    env["PATH_INFO"] = "/\N{SNOWMAN}"

    if fw.native:
        assert call(app, env=env).status == 400
    else:
        with pytest.raises(UnicodeEncodeError):
            call(app, env=env)

    assert call(app).text == "fine"


def test_c01_a_request_class_that_raises_runs_no_teardown(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    class Broken(fw.Request):  # type: ignore[name-defined,misc]
        def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
            raise LookupError("no request for you")

    app.request_class = Broken
    app.teardown_request(lambda exc: trace.append("teardown"))

    if fw.native:
        assert call(app).status >= 400
    else:
        with pytest.raises(LookupError):
            call(app)

        assert trace == []


# --- Rules 2 and 3


def _app_with_g(fw: Framework, trace: list[t.Any]) -> t.Any:
    app = fw.App("conformance")

    @app.route("/")
    def index() -> str:
        fw.g.count = fw.g.get("count", 0) + 1
        return str(fw.g.count)

    @app.teardown_appcontext
    def teardown(exc: BaseException | None) -> None:
        trace.append(("teardown_appcontext", fw.g.count))

    return app


def test_c02_a_request_inside_an_app_context_shares_it(
    fw: Framework, trace: list[t.Any]
) -> None:
    app = _app_with_g(fw, trace)

    if fw.native:
        app.config["SHARE_APP_CONTEXT"] = True

    with app.app_context():
        fw.g.count = 10
        answers = [call(app).text, call(app).text]
        ended, left = list(trace), fw.g.count
        assert not fw.has_request_context()

    if fw.flask32:
        assert answers == ["1", "1"] and left == 10, "never shared"
        assert ended == [("teardown_appcontext", 1)] * 2
        assert trace == [*ended, ("teardown_appcontext", 10)]
    else:
        assert answers == ["11", "12"] and left == 12
        assert ended == [], "teardown_appcontext waits for the context's own pop"
        assert trace == [("teardown_appcontext", 12)]


def test_c02_sharing_still_ends_each_request(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    if fw.native:
        app.config["SHARE_APP_CONTEXT"] = True

    @app.route("/<name>")
    def view(name: str) -> str:
        return str(fw.request.path)

    app.teardown_request(lambda exc: trace.append(("request", fw.request.path)))
    app.teardown_appcontext(lambda exc: trace.append("appcontext"))

    with app.app_context():
        assert call(app, "/a").text == "/a"
        assert call(app, "/b").text == "/b"
        each = ["appcontext"] if fw.flask32 else []
        ended = [("request", "/a"), *each, ("request", "/b"), *each]
        assert trace == ended

    assert trace == [*ended, "appcontext"]


def test_c02_another_app_s_context_is_not_shared(
    fw: Framework, trace: list[t.Any]
) -> None:
    app, other = _app_with_g(fw, trace), fw.App("conformance")

    if fw.native:
        app.config["SHARE_APP_CONTEXT"] = True
        other.config["SHARE_APP_CONTEXT"] = True

    with other.app_context():
        fw.g.count = 10
        assert call(app).text == "1"
        assert trace == [("teardown_appcontext", 1)]
        assert fw.g.count == 10
        assert fw.current_app._get_current_object() is other


@pytest.mark.parametrize("share", [False, True])
def test_c02_a_context_that_belongs_to_a_request(
    fw: Framework, trace: list[t.Any], share: bool
) -> None:
    app = _app_with_g(fw, trace)

    if fw.native:
        app.config["SHARE_APP_CONTEXT"] = share

    @app.route("/outer")
    def outer() -> str:
        fw.g.count = 10
        inner = call(app).text
        return f"{inner} {fw.g.count} {fw.request.path}"

    if fw.merged:
        assert call(app, "/outer").text == "1 10 /outer"
        assert trace == [("teardown_appcontext", 1), ("teardown_appcontext", 10)]
    else:
        assert call(app, "/outer").text == "11 11 /outer"
        assert trace == [("teardown_appcontext", 11)]


@pytest.mark.parametrize("share", [False, True])
def test_c02_the_same_for_test_request_context(
    fw: Framework, trace: list[t.Any], share: bool
) -> None:
    app = _app_with_g(fw, trace)

    if fw.native:
        app.config["SHARE_APP_CONTEXT"] = share

    with app.app_context():
        fw.g.count = 3

        with app.test_request_context("/"):
            shared = fw.g.get("count") == 3
            fw.g.count = 4

    assert shared is (share if fw.native else not fw.merged)
    assert trace == (
        [("teardown_appcontext", 4)]
        if shared
        else [("teardown_appcontext", 4), ("teardown_appcontext", 3)]
    )


def test_c03_a_request_has_a_context_of_its_own(
    fw: Framework, trace: list[t.Any]
) -> None:
    app = _app_with_g(fw, trace)

    with app.app_context():
        fw.g.count = 10
        answers = [call(app).text, call(app).text]
        left = fw.g.count

    if fw.merged:
        assert (answers, left) == (["1", "1"], 10)
        assert trace == [
            ("teardown_appcontext", 1),
            ("teardown_appcontext", 1),
            ("teardown_appcontext", 10),
        ]
    else:
        assert (answers, left) == (["11", "12"], 12)
        assert trace == [("teardown_appcontext", 12)]


def test_c03_one_context_holds_app_and_request(fw: Framework, app: t.Any) -> None:
    with app.test_request_context("/there"):
        app_ctx = fw.globals.app_ctx._get_current_object()
        request_ctx = fw.request_ctx._get_current_object()
        assert app_ctx.app is request_ctx.app is app
        assert request_ctx.request.path == "/there"
        assert app_ctx.g is fw.g._get_current_object()
        assert (app_ctx is request_ctx) is fw.merged


def test_c03_an_app_context_alone_holds_no_request(fw: Framework, app: t.Any) -> None:
    with app.app_context():
        assert fw.has_app_context()
        assert not fw.has_request_context()

        says = "no request in this context" if fw.flask32 else "request context"

        with pytest.raises(RuntimeError, match=says):
            _ = fw.request.path

        with pytest.raises(RuntimeError, match=says):
            _ = fw.request_ctx.request


# --- Rule 4


class _TracingConverter(BaseConverter):
    seen: t.Callable[[], None]

    def to_python(self, value: str) -> str:
        type(self).seen()
        return value


def _with_converter(app: t.Any, seen: t.Callable[[], None]) -> None:
    app.url_map.converters["tracing"] = type(
        "Tracing", (_TracingConverter,), {"seen": staticmethod(seen)}
    )
    app.add_url_rule("/<tracing:value>", endpoint="view", view_func=lambda value: value)


def test_c04_push_signal_then_session_then_match(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    class Interface(fw.sessions.SecureCookieSessionInterface):  # type: ignore[name-defined,misc]
        def open_session(self, app: t.Any, request: t.Any) -> t.Any:
            assert fw.request.environ is request.environ
            trace.append("open_session")
            return super().open_session(app, request)

    app.secret_key = "key"
    app.session_interface = Interface()
    _with_converter(app, lambda: trace.append("match"))

    def pushed(sender: t.Any, **kwargs: t.Any) -> None:
        assert fw.current_app._get_current_object() is sender is app
        trace.append("appcontext_pushed")

    with listen(fw.signals.appcontext_pushed, app, pushed):
        assert call(app, "/x").text == "x"

    assert trace == ["appcontext_pushed", "open_session", "match"]


def test_c04_the_request_is_there_for_converters(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.secret_key = "key"

    def seen() -> None:
        assert fw.current_app._get_current_object() is app
        trace.append((fw.request.path, fw.session.get("a"), "b" in fw.g))

    _with_converter(app, seen)

    with app.test_request_context("/x"):
        assert trace == [("/x", None, False)]
        assert fw.request.view_args == {"value": "x"}


def test_c04_when_the_session_opens(
    fw: Framework, app: t.Any, trace: list[t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cls = fw.sessions.SecureCookieSession
    original = cls.__init__

    def init(self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        trace.append("opened")
        original(self, *args, **kwargs)

    monkeypatch.setattr(cls, "__init__", init)
    app.secret_key = "key"
    app.add_url_rule("/idle", endpoint="idle", view_func=lambda: "idle")

    @app.route("/reads")
    def reads() -> str:
        trace.append("view")
        fw.session.get("a")
        fw.session.get("b")
        return "read"

    call(app, "/idle")
    assert trace == ([] if fw.native else ["opened"])
    trace.clear()
    call(app, "/reads")
    assert trace == (["view", "opened"] if fw.native else ["opened", "view"])


# --- Rule 5


def _counting_interface(fw: Framework, trace: list[t.Any], none: bool) -> t.Any:
    class Interface(fw.sessions.SecureCookieSessionInterface):  # type: ignore[name-defined,misc]
        def open_session(self, app: t.Any, request: t.Any) -> t.Any:
            trace.append("open")
            return None if none else self.session_class({"a": "b"})

        def make_null_session(self, app: t.Any) -> t.Any:
            trace.append("null")
            return super().make_null_session(app)

        def save_session(self, app: t.Any, session: t.Any, response: t.Any) -> None:
            trace.append("save")

    return Interface()


def test_c05_the_session_opens_once(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.session_interface = _counting_interface(fw, trace, none=False)

    @app.route("/")
    def index() -> str:
        assert fw.session["a"] == "b"
        return str(fw.session["a"])

    assert call(app).text == "b"
    assert trace == ["open", "save"]


def test_c05_the_session_opens_once_for_a_context_pushed_twice(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.session_interface = _counting_interface(fw, trace, none=False)
    ctx = app.test_request_context("/")

    with ctx:
        first = fw.session._get_current_object()

        with ctx:
            assert fw.session._get_current_object() is first

    assert trace == ["open"]


def test_c05_none_from_the_interface_is_a_null_session(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.session_interface = _counting_interface(fw, trace, none=True)

    @app.route("/")
    def index() -> str:
        session = fw.session._get_current_object()
        assert app.session_interface.is_null_session(session)
        return str(fw.session.get("a", "nothing"))

    assert call(app).text == "nothing"
    assert trace == ["open", "null"], "a null session is not saved"


def test_c05_a_null_session_reads_and_does_not_write(fw: Framework, app: t.Any) -> None:
    with app.test_request_context("/"):
        assert fw.session.get("a") is None
        assert "a" not in fw.session
        assert not fw.session

        for write in (
            lambda: fw.session.__setitem__("a", 1),
            lambda: fw.session.pop("a", None),
            lambda: fw.session.update(a=1),
            lambda: fw.session.setdefault("a", 1),
            lambda: fw.session.clear(),
        ):
            with pytest.raises(RuntimeError, match="secret key"):
                write()


# --- Rule 6


def _raising_converter(app: t.Any, error: BaseException) -> None:
    def fail() -> None:
        raise error

    _with_converter(app, fail)


def test_c06_an_http_exception_from_matching_is_the_routing_exception(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    error = Forbidden()
    _raising_converter(app, error)

    @app.before_request
    def before() -> None:
        trace.append(fw.request.routing_exception)

    assert call(app, "/x").status == 403
    assert trace == [error]

    with app.test_request_context("/x"):
        assert fw.request.routing_exception is error
        assert fw.request.url_rule is None
        assert fw.request.endpoint is None
        assert fw.request.view_args is None


@pytest.mark.parametrize("error", [ValueError("v"), LookupError("l"), OSError("o")])
def test_c06_another_error_from_matching_is_not(
    fw: Framework, app: t.Any, trace: list[t.Any], error: Exception
) -> None:
    _raising_converter(app, error)
    app.before_request(lambda: trace.append("before"))
    app.errorhandler(type(error))(lambda e: "asked")
    app.teardown_request(trace.append)
    assert call(app, "/x").status == 500
    assert trace == [error]


def test_c06_an_http_exception_from_binding_is_the_routing_exception(
    fw: Framework, trace: list[t.Any]
) -> None:
    error = Forbidden()

    class App(fw.App):  # type: ignore[name-defined,misc]
        def create_url_adapter(self, request: t.Any) -> t.Any:
            if request is None:
                return None

            raise error

    app = App("conformance")

    @app.before_request
    def before() -> None:
        trace.append(fw.request.routing_exception)

    assert call(app).status == 403
    assert trace == [error]


def test_c06_not_found_and_method_not_allowed(fw: Framework, app: t.Any) -> None:
    app.add_url_rule("/", endpoint="i", view_func=lambda: "", methods=["POST"])

    with app.test_request_context("/no"):
        assert isinstance(fw.request.routing_exception, NotFound)

    with app.test_request_context("/"):
        assert fw.request.routing_exception.code == 405
        assert set(fw.request.routing_exception.valid_methods) == {"POST", "OPTIONS"}

    with app.test_request_context("/", method="POST"):
        assert fw.request.routing_exception is None


# --- Rule 7


@pytest.mark.parametrize("error", [Forbidden("closed"), OSError("gone")])
def test_c07_an_error_in_open_session(
    fw: Framework, app: t.Any, trace: list[t.Any], error: Exception
) -> None:
    class Interface(fw.sessions.SecureCookieSessionInterface):  # type: ignore[name-defined,misc]
        def open_session(self, app: t.Any, request: t.Any) -> t.Any:
            raise error

    app.session_interface = Interface()
    app.before_request(lambda: trace.append("before"))
    app.errorhandler(403)(lambda e: ("asked for 403", 403))
    app.errorhandler(OSError)(lambda e: ("asked for OSError", 200))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    app.teardown_request(lambda exc: trace.append(("teardown", exc)))

    @app.errorhandler(500)
    def internal(e: t.Any) -> tuple[str, int]:
        assert e.original_exception is error
        return "internal", 500

    def signalled(sender: t.Any, exception: BaseException, **kwargs: t.Any) -> None:
        trace.append(("signal", exception))

    with listen(fw.signals.got_request_exception, app, signalled):
        answer = call(app)

    assert (answer.status, answer.text) == (500, "internal")
    assert trace == [("signal", error), ("teardown", error)]


def test_c07_it_propagates_where_errors_do(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    class Interface(fw.sessions.SecureCookieSessionInterface):  # type: ignore[name-defined,misc]
        def open_session(self, app: t.Any, request: t.Any) -> t.Any:
            raise OSError("gone")

    app.testing = True
    app.session_interface = Interface()
    app.teardown_request(lambda exc: trace.append(type(exc)))
    app.teardown_appcontext(lambda exc: trace.append(type(exc)))

    with pytest.raises(OSError, match="gone"):
        call(app)

    assert trace == [OSError, OSError]


# --- Rule 8


def test_c08_a_request_context_ends_at_its_last_pop(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.teardown_request(lambda exc: trace.append("request"))
    app.teardown_appcontext(lambda exc: trace.append("appcontext"))
    ctx = app.test_request_context("/")
    ctx.push()
    ctx.push()
    ctx.push()
    ctx.pop()
    assert trace == [] and fw.request.path == "/"
    ctx.pop()
    assert trace == [] and fw.request.path == "/"
    assert fw.current_app._get_current_object() is app
    ctx.pop()
    assert trace == ["request", "appcontext"]
    assert not fw.has_app_context()


def test_c08_an_app_context_ends_at_its_last_pop(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.teardown_appcontext(lambda exc: trace.append("appcontext"))
    ctx = app.app_context()

    with ctx:
        fw.g.a = 1

        with ctx:
            assert fw.g.a == 1

        assert trace == [] and fw.g.a == 1

    assert trace == ["appcontext"]


def test_c08_a_context_may_be_pushed_again_after_its_end(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.teardown_request(lambda exc: trace.append(fw.request.path))
    ctx = app.test_request_context("/again")

    for _ in range(2):
        with ctx:
            assert fw.request.path == "/again"

    assert trace == ["/again", "/again"]


def test_c08_pushed_again_over_another(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.teardown_request(lambda exc: trace.append(fw.request.path))
    one, two = app.test_request_context("/1"), app.test_request_context("/2")
    one.push()
    two.push()
    one.push()

    if fw.flask32:
        assert fw.request.path == "/2", "it was not made current again"

        with pytest.raises(RuntimeError, match="not the active context"):
            one.pop()

        two.pop()
        one.pop()
    else:
        assert fw.request.path == "/1"
        one.pop()
        assert fw.request.path == "/2" and trace == []
        two.pop()

    assert fw.request.path == "/1" and trace == ["/2"]
    one.pop()
    assert trace == ["/2", "/1"]


def test_c08_contexts_nest(fw: Framework) -> None:
    one, two = fw.App("conformance"), fw.App("conformance.other")

    with one.test_request_context("/1"):
        fw.g.a = 1

        with two.test_request_context("/2"):
            assert fw.current_app._get_current_object() is two
            assert fw.request.path == "/2"
            assert "a" not in fw.g

            with one.test_request_context("/3"):
                assert fw.current_app._get_current_object() is one
                assert fw.request.path == "/3"
                assert "a" not in fw.g

            assert fw.request.path == "/2"

        assert fw.request.path == "/1"
        assert fw.g.a == 1

        with two.app_context():
            assert fw.current_app._get_current_object() is two
            assert "a" not in fw.g

        assert fw.current_app._get_current_object() is one


# --- Rule 9


def test_c09_popping_the_wrong_request_context(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.teardown_request(lambda exc: trace.append(fw.request.path))

    def run() -> None:
        first = app.test_request_context("/first")
        second = app.test_request_context("/second")
        first.push()
        second.push()

        if not fw.merged:
            with pytest.raises(AssertionError, match="wrong request context"):
                first.pop()

            return

        with pytest.raises(RuntimeError):
            first.pop()

        assert trace == [], "nothing has ended"
        assert fw.request.path == "/second"
        second.pop()
        assert fw.request.path == "/first"
        first.pop()
        assert trace == ["/second", "/first"]
        assert not fw.has_app_context()

    contextvars.copy_context().run(run)


def test_c09_popping_the_wrong_app_context(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.teardown_appcontext(lambda exc: trace.append(fw.g.name))

    def run() -> None:
        first, second = app.app_context(), app.app_context()
        first.push()
        fw.g.name = "first"
        second.push()
        fw.g.name = "second"

        if not fw.merged:
            with pytest.raises(AssertionError, match="wrong app context"):
                first.pop()

            return

        with pytest.raises(RuntimeError):
            first.pop()

        assert trace == []
        assert fw.g.name == "second"
        second.pop()
        assert fw.g.name == "first"
        first.pop()
        assert trace == ["second", "first"]
        assert not fw.has_app_context()

    contextvars.copy_context().run(run)


@pytest.mark.parametrize("kind", ["app", "request"])
def test_c09_popping_a_context_that_is_not_pushed(
    fw: Framework, app: t.Any, trace: list[t.Any], kind: str
) -> None:
    app.teardown_request(lambda exc: trace.append("request"))
    app.teardown_appcontext(lambda exc: trace.append("appcontext"))
    ctx = app.app_context() if kind == "app" else app.test_request_context("/")

    with pytest.raises(RuntimeError if fw.merged else LookupError):
        ctx.pop()

    with ctx:
        assert fw.has_app_context()

    assert not fw.has_app_context()
    ended = ["appcontext"] if kind == "app" else ["request", "appcontext"]
    assert trace == ended

    with pytest.raises(RuntimeError if fw.merged else LookupError):
        ctx.pop()

    assert trace == ended


def test_c09_popping_in_another_thread_or_task(
    native: Framework, trace: list[t.Any]
) -> None:
    app = native.App("conformance")
    app.teardown_request(lambda exc: trace.append("teardown"))

    with app.test_request_context("/") as ctx:
        elsewhere = contextvars.Context()

        with pytest.raises(RuntimeError):
            elsewhere.run(ctx.pop)

        assert native.request.path == "/"
        assert trace == []

    assert trace == ["teardown"]


# --- Rule 10


def test_c10_the_order_of_a_pop(fw: Framework, trace: list[t.Any]) -> None:
    class Request(fw.Request):  # type: ignore[name-defined,misc]
        def close(self) -> None:
            trace.append("request.close")
            super().close()

    app = fw.App("conformance")
    app.request_class = Request
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    app.teardown_request(lambda exc: trace.append("teardown_request"))

    @app.teardown_appcontext
    def teardown_appcontext(exc: BaseException | None) -> None:
        assert fw.current_app._get_current_object() is app
        trace.append(("teardown_appcontext", fw.has_request_context()))

    def note(name: str, bound: bool) -> t.Any:
        def receiver(sender: t.Any, **kwargs: t.Any) -> None:
            assert fw.has_app_context() is bound
            trace.append(name)

        return receiver

    signals = fw.signals

    with (
        listen(signals.request_tearing_down, app, note("request_tearing_down", True)),
        listen(signals.appcontext_tearing_down, app, note("tearing_down", True)),
        listen(signals.appcontext_popped, app, note("popped", False)),
    ):
        call(app)

    assert trace == [
        "teardown_request",
        "request_tearing_down",
        "request.close",
        ("teardown_appcontext", fw.merged),
        "tearing_down",
        "popped",
    ]


def test_c10_request_close_closes_uploaded_files(fw: Framework, app: t.Any) -> None:
    files: list[t.Any] = []

    @app.post("/")
    def index() -> str:
        upload = fw.request.files["f"]
        files.append(upload.stream)
        return str(upload.read().decode())

    answer = call(app, method="POST", data={"f": (io.BytesIO(b"content"), "f.txt")})
    assert answer.text == "content"
    assert files[0].closed


def test_c10_request_and_g_are_gone_after_the_pop(fw: Framework, app: t.Any) -> None:
    with app.test_request_context("/"):
        request = fw.request._get_current_object()
        fw.g.a = 1

    assert request.path == "/"

    with pytest.raises(RuntimeError):
        _ = fw.g.a


# --- Rule 11


def test_c11_a_receiver_that_raises_in_appcontext_pushed(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    error = ZeroDivisionError("receiver")
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    app.teardown_request(lambda exc: trace.append(("request", exc)))
    app.teardown_appcontext(lambda exc: trace.append(("appcontext", exc)))

    def pushed(sender: t.Any, **kwargs: t.Any) -> None:
        raise error

    def run() -> None:
        with listen(fw.signals.appcontext_pushed, app, pushed):
            if fw.merged:
                assert call(app).status == 500
                assert not fw.has_app_context()
            else:
                with pytest.raises(LookupError):
                    call(app)

                assert fw.has_app_context(), "Flask 3.1 leaves it behind"

    contextvars.copy_context().run(run)

    if fw.merged:
        assert trace == [("request", error), ("appcontext", error)]


def test_c11_the_same_around_app_context(native: Framework, trace: list[t.Any]) -> None:
    app = native.App("conformance")

    def pushed(sender: t.Any, **kwargs: t.Any) -> None:
        raise ZeroDivisionError("receiver")

    with listen(native.signals.appcontext_pushed, app, pushed):
        for make in (app.app_context, app.test_request_context):
            with pytest.raises(ZeroDivisionError, match="receiver"):
                with make():
                    trace.append("entered")

            assert not native.has_app_context()

    assert trace == []


# --- Rule 12


def test_c12_a_copy_has_the_same_request_and_session_and_a_fresh_g(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.secret_key = "key"
    app.teardown_request(lambda exc: trace.append("teardown"))

    with app.test_request_context("/x"):
        fw.g.a = 1
        fw.session["a"] = 1
        request = fw.request._get_current_object()
        session = fw.session._get_current_object()
        copy = fw.request_ctx.copy()

        def elsewhere() -> None:
            with copy:
                assert fw.request._get_current_object() is request
                assert fw.session._get_current_object() is session
                assert "a" not in fw.g
                assert fw.request.endpoint is None
                fw.session["b"] = 2

            assert not fw.has_app_context()
            trace.append("thread")

        _in_thread(elsewhere)
        assert trace == ["teardown", "thread"]
        assert fw.session["b"] == 2
        assert fw.g.a == 1

    assert trace == ["teardown", "thread", "teardown"]


def _in_thread(func: t.Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            func()
        except BaseException as e:
            errors.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()

    if errors:
        raise errors[0]


def test_c12_copy_current_request_context_in_a_thread(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.secret_key = "key"

    @app.route("/<name>")
    def view(name: str) -> str:
        fw.g.a = 1
        fw.session["name"] = name

        @fw.copy_current_request_context
        def job(x: int, *, y: int) -> int:
            """Does it."""
            assert fw.request.path == f"/{name}"
            assert fw.request.view_args == {"name": name}
            assert fw.session["name"] == name
            assert "a" not in fw.g
            assert fw.current_app._get_current_object() is app
            trace.append("job")
            return x + y

        assert job.__name__ == "job" and job.__doc__ == "Does it."
        _in_thread(lambda: trace.append(job(1, y=2)))
        return "done"

    app.teardown_request(lambda exc: trace.append("teardown"))
    assert call(app, "/one").text == "done"
    assert trace == ["job", "teardown", 3, "teardown"]


def test_c12_the_copy_outlives_the_request(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    jobs = []

    @app.route("/")
    def index() -> str:
        jobs.append(fw.copy_current_request_context(lambda: fw.request.args["q"]))
        return "done"

    call(app, "/?q=later")
    _in_thread(lambda: trace.append(jobs[0]()))
    assert trace == ["later"]


def test_c12_an_error_in_the_copy_goes_to_its_teardown(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.teardown_request(trace.append)
    error = ZeroDivisionError()

    with app.test_request_context("/"):

        @fw.copy_current_request_context
        def job() -> None:
            raise error

        with pytest.raises(ZeroDivisionError):
            _in_thread(job)

    assert trace == [error, None]


def test_c12_in_the_same_thread(fw: Framework, app: t.Any) -> None:
    with app.test_request_context("/"):
        fw.g.a = 1
        job = fw.copy_current_request_context(lambda: "a" in fw.g)
        assert job() is not fw.merged, "3.1 shares the app context that is current"
        assert fw.g.a == 1


def test_c12_copy_current_request_context_outside_a_request(fw: Framework) -> None:
    with pytest.raises(RuntimeError, match="request context"):
        fw.copy_current_request_context(lambda: None)


def test_c12_an_async_job_runs_in_the_copy(fw: Framework, app: t.Any) -> None:
    with app.test_request_context("/here"):

        @fw.copy_current_request_context
        async def job() -> str:
            await asyncio.sleep(0)
            return str(fw.request.path)

        results: list[t.Any] = []
        _in_thread(lambda: results.append(job()))
        assert results == ["/here"]


def test_c12_a_copy_without_teardown(native: Framework, trace: list[t.Any]) -> None:
    app = native.App("conformance")
    app.teardown_request(lambda exc: trace.append("request"))
    app.teardown_appcontext(lambda exc: trace.append("appcontext"))

    with app.test_request_context("/x"):
        with native.globals.request_ctx.copy(teardown=False):
            assert native.request.path == "/x"

        assert trace == []

        def job() -> None:
            trace.append(native.request.path)

        job = native.copy_current_request_context(job, teardown=False)
        _in_thread(job)
        assert trace == ["/x"]

    assert trace == ["/x", "request", "appcontext"]


# --- Rule 13


def test_c13_after_this_request_outside_a_request(fw: Framework, app: t.Any) -> None:
    with pytest.raises(RuntimeError, match="request context"):
        fw.after_this_request(lambda response: response)

    with app.app_context():
        with pytest.raises(RuntimeError, match="request context"):
            fw.after_this_request(lambda response: response)


def test_c13_after_this_request_returns_its_function(fw: Framework, app: t.Any) -> None:
    def func(response: t.Any) -> t.Any:
        return response

    with app.test_request_context("/"):
        assert fw.after_this_request(func) is func


# --- Rule 14


def test_c14_stream_with_context_needs_a_request(fw: Framework) -> None:
    with pytest.raises(RuntimeError, match="request"):
        fw.stream_with_context(iter(["a"]))

    @fw.stream_with_context
    def generate() -> Iterator[str]:
        yield "a"

    with pytest.raises(RuntimeError, match="request"):
        generate()


@pytest.mark.parametrize("how", ["decorator", "wrapper"])
def test_c14_it_keeps_the_request_for_the_generator(
    fw: Framework, app: t.Any, how: str
) -> None:
    app.secret_key = "key"

    @app.route("/")
    def index() -> t.Any:
        fw.g.name = "g"
        fw.session["name"] = "session"

        def generate() -> Iterator[str]:
            yield "Hello "
            yield fw.request.args["name"]
            yield f" {fw.g.name} {fw.session['name']} {fw.current_app.name}"

        if how == "decorator":
            return fw.Response(fw.stream_with_context(generate)())

        return fw.Response(fw.stream_with_context(generate()))

    assert call(app, "/?name=World").text == "Hello World g session conformance"


def test_c14_decorated_arguments_arrive(fw: Framework, app: t.Any) -> None:
    @app.route("/")
    def index() -> t.Any:
        @fw.stream_with_context
        def generate(hello: str) -> Iterator[str]:
            yield hello
            yield fw.request.path

        return generate("Hi")

    assert call(app).text == "Hi/"


class _Iterator:
    def __init__(self, trace: list[t.Any], items: list[str]) -> None:
        self.trace = trace
        self.items = iter(items)

    def __iter__(self) -> _Iterator:
        return self

    def __next__(self) -> str:
        return next(self.items)

    def close(self) -> None:
        self.trace.append("closed")


def test_c14_it_closes_the_inner_iterator_at_the_end(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    @app.route("/")
    def index() -> t.Any:
        return fw.Response(fw.stream_with_context(_Iterator(trace, ["a", "b"])))

    assert call(app).text == "ab"
    assert trace == ["closed"]


def test_c14_it_closes_the_inner_iterator_when_the_client_leaves(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    @app.route("/")
    def index() -> t.Any:
        return fw.Response(fw.stream_with_context(_Iterator(trace, ["a", "b"])))

    server = Server(app, environ())
    assert next(iter(server.iterable)) == b"a"
    assert trace == []
    server.close()
    assert trace == (["closed"] if fw.native else ["closed", "closed"])


def _streaming(fw: Framework, trace: list[t.Any]) -> t.Any:
    app = fw.App("conformance")

    @app.route("/")
    def index() -> t.Any:
        @fw.stream_with_context
        def generate() -> Iterator[str]:
            try:
                for name in "ab":
                    trace.append(name)
                    yield fw.request.path + name
            finally:
                trace.append(("finally", fw.request.path))

        return fw.Response(generate())

    app.add_url_rule("/plain", endpoint="plain", view_func=lambda: fw.request.path)
    app.teardown_request(lambda exc: trace.append("request"))
    app.teardown_appcontext(lambda exc: trace.append("appcontext"))
    return app


def test_c14_when_teardown_runs(fw: Framework, trace: list[t.Any]) -> None:
    assert call(_streaming(fw, trace)).text == "/a/b"
    ends = ["request", "appcontext"]
    stream = ["a", "b", ("finally", "/")]
    assert trace == ([*stream, *ends] if fw.merged else [*ends, *stream, *ends])


def test_c14_teardown_once_when_the_client_leaves(
    fw: Framework, trace: list[t.Any]
) -> None:
    server = Server(_streaming(fw, trace), environ())
    assert next(iter(server.iterable)) == b"/a"
    server.close()
    ends = ["request", "appcontext"]
    stream = ["a", ("finally", "/")]
    assert trace == ([*stream, *ends] if fw.merged else [*ends, *stream, *ends])


def test_c14_teardown_once_when_the_stream_never_starts(
    fw: Framework, trace: list[t.Any]
) -> None:
    server = Server(_streaming(fw, trace), environ())
    server.close()
    assert trace == ["request", "appcontext"]


def test_c14_closing_twice_tears_down_once(
    native: Framework, trace: list[t.Any]
) -> None:
    server = Server(_streaming(native, trace), environ())
    assert b"".join(server.iterable) == b"/a/b"
    server.close()
    server.close()
    assert trace[3:] == ["request", "appcontext"]


def test_c14_an_abandoned_stream_does_not_stay_current(
    fw: Framework, trace: list[t.Any]
) -> None:
    app = _streaming(fw, trace)

    def run() -> None:
        server = Server(app, environ())
        assert next(iter(server.iterable)) == b"/a"
        left = fw.has_request_context()
        assert left is not fw.native, "between two chunks"
        assert call(app, "/plain").text == "/plain"
        assert fw.has_request_context() is left
        server.close()

    contextvars.copy_context().run(run)


def test_c14_two_streams_at_once_keep_apart(native: Framework) -> None:
    app = native.App("conformance")

    @app.route("/<name>")
    def index(name: str) -> t.Any:
        native.g.name = name

        @native.stream_with_context
        def generate() -> Iterator[str]:
            for i in range(3):
                yield f"{native.g.name}{native.request.path}{i} "

        return native.Response(generate())

    one, two = Server(app, environ("/x")), Server(app, environ("/y"))
    seen = [b" ".join(pair) for pair in zip(one.iterable, two.iterable, strict=True)]
    assert seen == [b"x/x0  y/y0 ", b"x/x1  y/y1 ", b"x/x2  y/y2 "]
    one.close()
    two.close()


def test_c14_a_stream_may_end_in_another_thread(
    native: Framework, trace: list[t.Any]
) -> None:
    server = Server(_streaming(native, trace), environ())
    chunks: list[bytes] = []
    iterator = iter(server.iterable)
    chunks.append(next(iterator))
    _in_thread(lambda: chunks.extend(iterator))
    _in_thread(server.close)
    assert b"".join(chunks) == b"/a/b"
    assert trace == ["a", "b", ("finally", "/"), "request", "appcontext"]


def test_c14_a_dropped_stream_is_torn_down_once(
    native: Framework, trace: list[t.Any]
) -> None:
    server = Server(_streaming(native, trace), environ())
    next(iter(server.iterable))
    del server
    gc.collect()
    assert trace.count("request") <= 1
    assert not native.has_request_context()


def test_c14_an_error_in_the_stream(fw: Framework, trace: list[t.Any]) -> None:
    app = fw.App("conformance")

    @app.route("/")
    def index() -> t.Any:
        @fw.stream_with_context
        def generate() -> Iterator[str]:
            yield "a"
            raise ZeroDivisionError("in the stream")

        return fw.Response(generate())

    app.teardown_request(lambda exc: trace.append(fw.request.path))

    with pytest.raises(ZeroDivisionError, match="in the stream"):
        call(app)

    assert trace == (["/"] if fw.merged else ["/", "/"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [200, 204, 304])
def test_c14_teardown_once_where_no_body_is_sent(
    native: Framework, trace: list[t.Any], method: str, status: int
) -> None:
    app = _streaming(native, trace)

    @app.after_request
    def after(response: t.Any) -> t.Any:
        response.status_code = status
        return response

    body = b"/a/b" if (method, status) == ("GET", 200) else b""
    assert call(app, method=method).body == body
    assert trace[-2:] == ["request", "appcontext"]
    assert trace.count("request") == 1


@pytest.mark.parametrize("how", ["replaced", "failed after", "failed view", "unused"])
def test_c14_teardown_once_where_the_stream_is_not_sent(
    native: Framework, trace: list[t.Any], how: str
) -> None:
    app = native.App("conformance")
    app.teardown_request(lambda exc: trace.append(type(exc)))
    app.teardown_appcontext(lambda exc: trace.append("appcontext"))

    @app.route("/")
    def index() -> t.Any:
        @native.stream_with_context
        def generate() -> Iterator[str]:
            yield "never sent"

        stream = generate()

        if how == "failed view":
            raise ZeroDivisionError

        return "another" if how == "unused" else native.Response(stream)

    @app.after_request
    def after(response: t.Any) -> t.Any:
        if how == "replaced":
            return native.Response("another")

        if how == "failed after" and response.status_code == 200:
            raise ZeroDivisionError

        return response

    answer = call(app)
    gc.collect()
    assert not native.has_app_context()
    assert answer.status == (500 if "failed" in how else 200)
    given = ZeroDivisionError if "failed" in how else type(None)
    assert trace == [given, "appcontext"]


def test_c14_inside_a_pushed_context(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.teardown_request(lambda exc: trace.append("teardown"))

    with app.test_request_context("/here"):

        @fw.stream_with_context
        def generate() -> Iterator[str]:
            yield fw.request.path

        assert list(generate()) == ["/here"]
        assert fw.request.path == "/here"

    assert trace.count("teardown") == 1


def test_c14_from_an_async_view(fw: Framework, app: t.Any) -> None:
    @app.route("/")
    async def index() -> t.Any:
        await asyncio.sleep(0)

        @fw.stream_with_context
        def generate() -> Iterator[str]:
            yield fw.request.path
            yield fw.request.args["q"]

        return fw.Response(generate())

    assert call(app, "/?q=1").text == "/1"


def test_c14_a_stream_of_a_copied_context(
    native: Framework, trace: list[t.Any]
) -> None:
    app = native.App("conformance")
    app.teardown_request(lambda exc: trace.append(native.request.path))

    with app.test_request_context("/here"):
        copy = native.globals.request_ctx.copy()

    assert trace == ["/here"]

    with copy:
        stream = native.stream_with_context(iter(["a", native.request.path]))

    assert trace == ["/here"], "it waits for the stream"
    assert list(stream) == ["a", "/here"]
    assert trace == ["/here", "/here"]
    stream.close()
    assert trace == ["/here", "/here"]


def test_c14_a_stream_made_in_teardown(native: Framework, trace: list[t.Any]) -> None:
    app = native.App("conformance")
    streams: list[t.Any] = []

    @app.teardown_request
    def teardown(exc: BaseException | None) -> None:
        trace.append(native.request.path)
        streams.append(native.stream_with_context(iter(["late"])))

    call(app, "/x")
    assert list(streams[0]) == ["late"]
    streams[0].close()
    assert trace == ["/x"], "it has ended; it does not end again"


def test_c14_a_stream_that_ends_before_the_request_does(
    native: Framework, trace: list[t.Any]
) -> None:
    app = native.App("conformance")
    app.teardown_request(lambda exc: trace.append("teardown"))

    @app.route("/")
    def index() -> str:
        stream = native.stream_with_context(iter(["a", "b"]))
        body = "".join(stream)
        assert trace == []
        stream.close()
        return body

    assert call(app).text == "ab"
    assert trace == ["teardown"]
    gc.collect()
    assert trace == ["teardown"]


# --- Rule 15


def test_c15_preserve_context_is_called_before_the_pop(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    app.teardown_request(lambda exc: trace.append("teardown"))

    def preserve(ctx: t.Any) -> None:
        assert fw.request.path == "/"
        assert ctx.app is app
        trace.append(ctx)

    env = environ()
    env["werkzeug.debug.preserve_context"] = preserve
    assert call(app, env=env).text == "view"

    if fw.merged:
        (ctx, end) = trace
        assert ctx.request.path == "/"
    else:
        (app_ctx, ctx, end) = trace
        assert not hasattr(app_ctx, "request")
        assert ctx.request.path == "/"

    assert end == "teardown"


def test_c15_after_an_error_too(fw: Framework, app: t.Any, trace: list[t.Any]) -> None:
    app.testing = True
    app.add_url_rule("/", endpoint="i", view_func=lambda: 1 // 0)
    env = environ()
    env["werkzeug.debug.preserve_context"] = trace.append

    with pytest.raises(ZeroDivisionError):
        call(app, env=env)

    assert len(trace) == (1 if fw.merged else 2)

    for ctx in trace:
        ctx.push()

    assert fw.request.path == "/"
    assert fw.current_app._get_current_object() is app

    for ctx in reversed(trace):
        ctx.pop()


# --- Rule 16


def test_c16_with_client_tears_down_twice(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.add_url_rule("/<name>", endpoint="view", view_func=lambda name: name)
    app.teardown_request(lambda exc: trace.append(fw.request.path))
    client = app.test_client()

    with client:
        client.get("/a")
        assert trace == ["/a"]
        assert fw.request.path == "/a"
        client.get("/b")
        assert trace == ["/a", "/a", "/b"]
        assert fw.request.path == "/b"

    assert trace == ["/a", "/a", "/b", "/b"]
    assert not fw.has_app_context()


def test_c16_without_with_it_tears_down_once(
    fw: Framework, app: t.Any, client: t.Any, trace: list[t.Any]
) -> None:
    app.teardown_request(lambda exc: trace.append(fw.request.path))
    client.get("/a")
    assert trace == ["/a"]
    assert not fw.has_request_context()


def test_c16_with_client_and_a_stream(fw: Framework, trace: list[t.Any]) -> None:
    app = _streaming(fw, trace)

    with app.test_client() as client:
        response = client.get("/")
        assert response.text == "/a/b"
        assert fw.request.path == "/"
        response.close()
        assert fw.request.path == "/"

    assert trace[-2:] == ["request", "appcontext"]
    assert trace.count("request") == trace.count("appcontext") <= 2
    assert not fw.has_app_context()


def test_c16_the_preserved_context_keeps_session_and_g(
    fw: Framework, app: t.Any, client: t.Any
) -> None:
    app.secret_key = "key"

    @app.route("/")
    def index() -> str:
        fw.session["a"] = "in the session"
        fw.g.a = "on g"
        return ""

    with client:
        client.get("/")
        assert fw.session["a"] == "in the session"
        assert fw.g.a == "on g"

    with client:
        client.get("/nowhere")
        assert fw.request.path == "/nowhere"

        with pytest.raises(RuntimeError, match="nest"):
            with client:
                pass


# --- Rule 17


@pytest.mark.parametrize("name", ["request", "session"])
def test_c17_outside_a_request(fw: Framework, app: t.Any, name: str) -> None:
    proxy = getattr(fw, name)
    use = {"request": lambda: proxy.path, "session": lambda: proxy["a"]}[name]

    with pytest.raises(RuntimeError, match="outside of request context") as info:
        use()

    _says_what_to_do(fw, str(info.value), r"test_request_context|request_context\(")
    assert not proxy

    inside = "no request in this context" if fw.flask32 else "outside of request"

    with app.app_context():
        with pytest.raises(RuntimeError, match=inside):
            use()


@pytest.mark.parametrize("name", ["g", "current_app"])
def test_c17_outside_an_app_context(fw: Framework, app: t.Any, name: str) -> None:
    proxy = getattr(fw, name)

    with pytest.raises(RuntimeError, match="outside of application context") as info:
        _ = proxy.name

    with pytest.raises(RuntimeError, match="outside of application context"):
        proxy.name = 1

    _says_what_to_do(fw, str(info.value), r"app_context\(")
    assert not proxy

    with app.app_context():
        assert fw.current_app.name == "conformance"
        assert fw.g.get("a") is None


def _says_what_to_do(fw: Framework, message: str, pattern: str) -> None:
    import re

    if fw.native:
        assert re.search(pattern, message)
    else:
        assert "documentation on" in message or re.search(pattern, message)


def test_c17_asking_whether_there_is_one(fw: Framework, app: t.Any) -> None:
    assert (fw.has_app_context(), fw.has_request_context()) == (False, False)

    with app.app_context():
        assert (fw.has_app_context(), fw.has_request_context()) == (True, False)

        with app.test_request_context("/"):
            assert (fw.has_app_context(), fw.has_request_context()) == (True, True)
            assert fw.request and fw.current_app

    assert (fw.has_app_context(), fw.has_request_context()) == (False, False)


# --- Rule 18


def test_c18_threads_are_isolated(fw: Framework, app: t.Any) -> None:
    barrier = threading.Barrier(8, timeout=10)

    @app.route("/<int:n>")
    def view(n: int) -> str:
        fw.g.n = n
        barrier.wait()
        assert fw.request.view_args == {"n": n}
        barrier.wait()
        return f"{fw.g.n}"

    answers: dict[int, str] = {}

    def work(n: int) -> None:
        assert not fw.has_app_context()
        answers[n] = call(app, f"/{n}").text
        assert not fw.has_app_context()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join(20)

    assert answers == {n: str(n) for n in range(8)}


def test_c18_a_context_is_not_seen_in_another_thread(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    with app.test_request_context("/"):
        _in_thread(
            lambda: trace.append((fw.has_app_context(), fw.has_request_context()))
        )

    assert trace == [(False, False)]


def test_c18_greenlets_are_isolated(fw: Framework, app: t.Any) -> None:
    greenlet = pytest.importorskip("greenlet")
    main = greenlet.getcurrent()

    @app.route("/<int:n>")
    def view(n: int) -> str:
        fw.g.n = n
        main.switch()
        assert fw.request.view_args == {"n": n}
        main.switch()
        return f"{fw.g.n}"

    answers: dict[int, str] = {}

    def work(n: int) -> None:
        answers[n] = call(app, f"/{n}").text

    workers = [greenlet.greenlet(lambda n=n: work(n)) for n in range(3)]

    for _ in range(3):
        for worker in workers:
            worker.switch()
            assert not fw.has_app_context()

    assert answers == {0: "0", 1: "1", 2: "2"}


def test_c18_asyncio_tasks_are_isolated(fw: Framework, app: t.Any) -> None:
    async def work(n: int) -> str:
        with app.test_request_context(f"/{n}"):
            fw.g.n = n
            await asyncio.sleep(0)
            assert fw.request.path == f"/{n}"
            await asyncio.sleep(0)
            return f"{fw.g.n} {fw.request.path}"

    async def main() -> list[str]:
        answers = await asyncio.gather(*(work(n) for n in range(5)))
        assert not fw.has_app_context()
        return list(answers)

    assert asyncio.run(main()) == [f"{n} /{n}" for n in range(5)]


def test_c18_an_async_view_keeps_its_context_across_every_await(
    fw: Framework, app: t.Any
) -> None:
    app.secret_key = "key"

    @app.route("/<int:n>")
    async def view(n: int) -> str:
        fw.g.n = n
        fw.session["n"] = n

        for _ in range(3):
            await asyncio.sleep(0)
            assert fw.request.path == f"/{n}"
            assert fw.g.n == fw.session["n"] == n
            assert fw.current_app._get_current_object() is app

        return f"{fw.g.n}"

    @app.after_request
    async def after(response: t.Any) -> t.Any:
        await asyncio.sleep(0)
        response.headers["X-N"] = str(fw.g.n)
        return response

    for n in range(3):
        answer = call(app, f"/{n}")
        assert (answer.text, answer.headers["X-N"]) == (str(n), str(n))
        assert answer.headers["Vary"] == "Cookie"


def test_c18_tasks_of_an_async_view_inherit_its_context(
    fw: Framework, app: t.Any
) -> None:
    @app.route("/<int:n>")
    async def view(n: int) -> str:
        async def part(i: int) -> str:
            await asyncio.sleep(0)
            return f"{fw.request.path}{i}"

        return " ".join(await asyncio.gather(part(1), part(2)))

    assert call(app, "/7").text == "/71 /72"
