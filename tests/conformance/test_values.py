"""Rules 45–56: return values, async, signals, sessions, limits, routing."""

from __future__ import annotations

import asyncio
import datetime
import io
import typing as t
from collections.abc import Iterator

import pytest
from itsdangerous import TimestampSigner
from itsdangerous import URLSafeTimedSerializer
from tests.conformance.subjects import Framework
from tests.conformance.support import Answer
from tests.conformance.support import call
from tests.conformance.support import environ
from tests.conformance.support import listen
from tests.conformance.support import Server
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import SecurityError
from werkzeug.http import dump_cookie
from werkzeug.http import parse_cookie
from werkzeug.routing import BaseConverter
from werkzeug.routing import Map
from werkzeug.routing import RequestRedirect
from werkzeug.routing import Rule
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wrappers import Response as WerkzeugResponse

Trace = list[t.Any]


# --- Rule 45


def _wsgi(environ: t.Any, start_response: t.Any) -> list[bytes]:
    start_response("202 Accepted", [("X-Wsgi", environ["PATH_INFO"])])
    return [b"from ", b"wsgi"]


class _Str(str):
    pass


class _Dict(dict[str, t.Any]):
    pass


def _values(fw: Framework) -> dict[str, t.Callable[[], t.Any]]:
    """Return values of every kind; made anew for each use (iterators run out)."""
    return {
        "str": lambda: "text é",
        "str subclass": lambda: _Str("text"),
        "empty": lambda: "",
        "bytes": lambda: b"bytes",
        "bytearray": lambda: bytearray(b"bytes"),
        "dict": lambda: {"b": 1, "a": [None, True, "é", 1.5]},
        "dict subclass": lambda: _Dict(a=1),
        "empty dict": lambda: {},
        "list": lambda: [1, {"a": 2}],
        "iterator": lambda: iter(["a", "b"]),
        "generator": lambda: (part for part in ("a", "b")),
        "bytes generator": lambda: (part for part in (b"a", b"b")),
        "response": lambda: fw.Response("response", 201, {"X-A": "1"}),
        "werkzeug response": lambda: WerkzeugResponse("plain", 202, {"X-A": "1"}),
        "wsgi": lambda: _wsgi,
        "exception": lambda: SecurityError("as a value"),
        "status": lambda: ("text", 201),
        "status str": lambda: ("text", "201 Made"),
        "status bare str": lambda: ("text", "202"),
        "status None": lambda: ("text", None),
        "status enum": lambda: ("text", __import__("http").HTTPStatus.CREATED),
        "status odd": lambda: ("text", 299),
        "headers dict": lambda: ("text", {"X-A": "1"}),
        "headers of lists": lambda: ("text", {"X-A": ["1", "2"]}),
        "headers pairs": lambda: ("text", [("X-A", "1"), ("X-A", "2")]),
        "headers tuple": lambda: ("text", (("X-A", "1"),)),
        "headers Headers": lambda: ("text", Headers([("X-A", "1")])),
        "headers type": lambda: ("text", {"Content-Type": "text/plain"}),
        "all three": lambda: ("text", 201, {"X-A": "1"}),
        "all three None": lambda: ("text", None, None),
        "dict 201": lambda: ({"a": 1}, 201),
        "dict headers": lambda: ({"a": 1}, {"X-A": "1"}),
        "dict type": lambda: ({"a": 1}, 200, {"Content-Type": "application/x+json"}),
        "list all": lambda: ([1], 201, [("X-A", "1")]),
        "response status": lambda: (fw.Response("r"), 203),
        "response all": lambda: (
            fw.Response("r", headers={"X-A": "0"}),
            203,
            {"X-A": "1"},
        ),
        "wsgi status": lambda: (_wsgi, 201),
        "204": lambda: ("", 204),
        "304": lambda: ("", 304),
        "jsonify": lambda: fw.jsonify(a=1),
        "jsonify args": lambda: fw.jsonify(1, 2),
        "redirect": lambda: fw.redirect("/there", 302),
        "make_response": lambda: fw.make_response("made", 201),
    }


EXPECTED: dict[str, tuple[int, bytes]] = {
    "str": (200, "text é".encode()),
    "str subclass": (200, b"text"),
    "empty": (200, b""),
    "bytes": (200, b"bytes"),
    "bytearray": (200, b"bytes"),
    "dict": (200, b'{"a":[null,true,"\\u00e9",1.5],"b":1}\n'),
    "dict subclass": (200, b'{"a":1}\n'),
    "empty dict": (200, b"{}\n"),
    "list": (200, b'[1,{"a":2}]\n'),
    "iterator": (200, b"ab"),
    "generator": (200, b"ab"),
    "bytes generator": (200, b"ab"),
    "response": (201, b"response"),
    "werkzeug response": (202, b"plain"),
    "wsgi": (202, b"from wsgi"),
    "status": (201, b"text"),
    "status str": (201, b"text"),
    "status bare str": (202, b"text"),
    "status None": (200, b"text"),
    "status enum": (201, b"text"),
    "status odd": (299, b"text"),
    "dict 201": (201, b'{"a":1}\n'),
    "response status": (203, b"r"),
    "wsgi status": (201, b"from wsgi"),
    "204": (204, b""),
    "304": (304, b""),
    "jsonify": (200, b'{"a":1}\n'),
    "jsonify args": (200, b"[1,2]\n"),
    "make_response": (201, b"made"),
}

NAMES = sorted(_values(t.cast(Framework, None)))


def _answer(fw: Framework, name: str, method: str = "GET") -> Answer:
    app = fw.App("conformance")
    app.add_url_rule("/", endpoint="i", view_func=lambda: _values(fw)[name]())
    return call(app, method=method)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", NAMES)
def test_c45_what_a_view_may_return(fw: Framework, name: str, method: str) -> None:
    from tests.conformance.subjects import FLASK

    answer = _answer(fw, name, method)
    oracle = _answer(FLASK, name, method)
    assert answer.status_line == oracle.status_line
    assert answer.headers.to_wsgi_list() == oracle.headers.to_wsgi_list()
    assert answer.body == oracle.body

    if name in EXPECTED:
        status, body = EXPECTED[name]
        assert answer.status == status
        assert answer.body == (b"" if method == "HEAD" else body)


@pytest.mark.parametrize("name", NAMES)
def test_c45_make_response_gives_the_app_s_class(fw: Framework, name: str) -> None:
    class Response(fw.Response):  # type: ignore[name-defined,misc]
        default_mimetype = "text/x-mine"

    app = fw.App("conformance")
    app.response_class = Response
    kept = name in {"response", "werkzeug response", "make_response"}

    with app.test_request_context("/"):
        value = _values(fw)[name]()
        response = app.make_response(value)
        assert isinstance(response, Response)

        if name == "make_response":
            assert response is value
        elif not kept and name in {"str", "bytes", "generator"}:
            assert response.mimetype == "text/x-mine"

        response.close()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "'the.endpoint'"),
        ((None, 200), "'the.endpoint'"),
        ((None, 200, {}), "'the.endpoint'"),
        (1, "it was a int"),
        (1.5, "it was a float"),
        (True, "it was a bool"),
        ({1, 2}, "it was a set"),
        (object(), "it was a object"),
        (("a",), "response tuple"),
        (("a", 1, {}, 2), "response tuple"),
        ((), "response tuple"),
        ((("a", 200), 200), "it was a tuple"),
        (lambda: "not wsgi", "valid response"),
    ],
)
def test_c45_what_it_may_not(
    fw: Framework, app: t.Any, value: t.Any, message: str
) -> None:
    app.testing = True
    bp = fw.Blueprint("the", "conformance")
    bp.add_url_rule("/", endpoint="endpoint", view_func=lambda: value)
    app.register_blueprint(bp)

    with pytest.raises(TypeError, match=message):
        call(app)

    app.testing = False
    assert call(app).status == 500


def test_c45_none_says_what_happened(fw: Framework, app: t.Any) -> None:
    app.testing = True
    app.add_url_rule("/", endpoint="forgot", view_func=lambda: None)

    with pytest.raises(TypeError) as info:
        call(app)

    assert "'forgot'" in str(info.value)
    assert "None" in str(info.value)


def test_c45_headers_extend_and_replace(fw: Framework, app: t.Any) -> None:
    def view() -> t.Any:
        response = fw.Response("r", headers=[("X-A", "0"), ("X-A", "00"), ("X-B", "0")])
        return response, 200, [("X-A", "1"), ("X-A", "2")]

    app.add_url_rule("/", view_func=view)
    headers = call(app).headers
    assert headers.getlist("X-A") == ["2"], "each pair replaces"
    assert headers.getlist("X-B") == ["0"]


@pytest.mark.parametrize("made", [False, True])
def test_c45_a_line_end_is_refused_in_a_header_s_value_and_not_in_its_name(
    fw: Framework, app: t.Any, made: bool
) -> None:
    def answer(name: str, value: str) -> t.Any:
        if not made:
            return "text", {name: value}

        response = fw.Response("text")
        response.headers[name] = value
        return response

    app.add_url_rule("/name", endpoint="n", view_func=lambda: answer("X-A\r\nB", "c"))
    app.add_url_rule("/value", endpoint="v", view_func=lambda: answer("X-A", "b\r\nC"))
    sent: list[t.Any] = []
    assert app(environ("/name"), lambda *started: sent.append(started))
    ((status, headers),) = sent
    assert status == "200 OK"
    assert ("X-A\r\nB", "c") in headers
    assert call(app, "/value").status == 500


def test_c45_a_streamed_body_has_no_length_and_is_closed(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    class Body:
        def __iter__(self) -> Body:
            return self

        parts = iter(["a", "b"])

        def __next__(self) -> str:
            return next(self.parts)

        def close(self) -> None:
            trace.append("closed")

    app.add_url_rule("/", endpoint="i", view_func=lambda: Body())
    server = Server(app, environ())
    iterator = iter(server.iterable)
    assert next(iterator) == b"a"
    assert trace == []
    server.close()
    assert trace == ["closed"]
    ((_, headers),) = server.started
    assert "Content-Length" not in dict(headers)


def test_c45_head_of_a_stream_does_not_run_it(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    def generate() -> Iterator[str]:
        trace.append("ran")
        yield "a"

    app.add_url_rule("/", endpoint="i", view_func=generate)
    assert call(app, method="HEAD").body == b""
    assert trace == []


def test_c45_call_on_close(fw: Framework, app: t.Any, trace: Trace) -> None:
    @app.route("/")
    def index() -> t.Any:
        response = fw.make_response("view")
        response.call_on_close(lambda: trace.append("closed"))
        return response

    server = Server(app, environ())
    assert trace == []
    assert server.answer().text == "view"
    assert trace == ["closed"]


def test_c45_the_response_s_identity_is_kept(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    @app.route("/")
    def index() -> t.Any:
        trace.append(fw.make_response("view"))
        return trace[0]

    @app.after_request
    def after(response: t.Any) -> t.Any:
        trace.append(response)
        return response

    call(app)
    assert trace[0] is trace[1]


@pytest.mark.parametrize(
    ("args", "status", "body"),
    [
        ((), 200, b""),
        (("a",), 200, b"a"),
        (("a", 201), 201, b"a"),
        ((({"a": 1}),), 200, b'{"a":1}\n'),
    ],
)
def test_c45_the_make_response_function(
    fw: Framework, app: t.Any, args: t.Any, status: int, body: bytes
) -> None:
    with app.test_request_context("/"):
        response = fw.make_response(*args)
        assert (response.status_code, response.get_data()) == (status, body)


# --- Rule 46


def _plain_hooks(fw: Framework, app: t.Any) -> dict[str, t.Any]:
    """One function of every kind that `ensure_sync` wraps, by name."""

    def before() -> None:
        pass

    def after(response: t.Any) -> t.Any:
        return response

    def this(response: t.Any) -> t.Any:
        return response

    def teardown(exc: t.Any) -> None:
        pass

    def teardown_appcontext(exc: t.Any) -> None:
        pass

    def handler(e: t.Any) -> str:
        return "handled"

    def internal(e: t.Any) -> tuple[str, int]:
        return "internal", 500

    def view() -> str:
        fw.after_this_request(this)
        raise LookupError

    def failing() -> str:
        return str(1 // 0)

    def preprocessor(endpoint: t.Any, values: t.Any) -> None:
        pass

    app.before_request(before)
    app.after_request(after)
    app.teardown_request(teardown)
    app.teardown_appcontext(teardown_appcontext)
    app.errorhandler(LookupError)(handler)
    app.errorhandler(500)(internal)
    app.add_url_rule("/", view_func=view)
    app.add_url_rule("/failing", view_func=failing)
    app.url_value_preprocessor(preprocessor)
    return {
        func.__name__: func
        for func in (
            before,
            after,
            this,
            teardown,
            teardown_appcontext,
            handler,
            internal,
            view,
            failing,
        )
    }


@pytest.mark.parametrize("patch", ["subclass", "instance"])
def test_c46_what_ensure_sync_is_asked_for(
    fw: Framework, trace: Trace, patch: str
) -> None:
    def ensure_sync(func: t.Any) -> t.Any:
        trace.append(func.__name__)
        return func

    if patch == "subclass":

        class App(fw.App):  # type: ignore[name-defined,misc]
            def ensure_sync(self, func: t.Any) -> t.Any:
                return ensure_sync(func)

        app = App("conformance")
    else:
        app = fw.App("conformance")
        app.ensure_sync = ensure_sync

    expected = set(_plain_hooks(fw, app))
    assert call(app).text == "handled"
    assert call(app, "/failing").text == "internal"
    assert set(trace) == expected
    assert "preprocessor" not in trace


def test_c46_async_functions_of_every_kind(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    def note(name: str) -> None:
        trace.append((name, fw.request.path))

    @app.before_request
    async def before() -> None:
        await asyncio.sleep(0)
        note("before")

    @app.after_request
    async def after(response: t.Any) -> t.Any:
        await asyncio.sleep(0)
        note("after")
        response.headers["X-After"] = "1"
        return response

    @app.teardown_request
    async def teardown(exc: t.Any) -> None:
        await asyncio.sleep(0)
        note("teardown")

    @app.errorhandler(LookupError)
    async def handler(e: t.Any) -> str:
        await asyncio.sleep(0)
        note("handler")
        return f"handled {e}"

    @app.route("/")
    async def view() -> str:
        await asyncio.sleep(0)
        note("view")

        @fw.after_this_request
        async def this(response: t.Any) -> t.Any:
            note("this")
            return response

        raise LookupError("async")

    answer = call(app)
    assert (answer.text, answer.headers["X-After"]) == ("handled async", "1")
    names = ["before", "view", "handler", "this", "after", "teardown"]
    assert trace == [(name, "/") for name in names]


def test_c46_async_class_based_views(fw: Framework, app: t.Any) -> None:
    class Plain(fw.views.View):  # type: ignore[name-defined,misc]
        methods = ["GET"]

        async def dispatch_request(self) -> str:
            await asyncio.sleep(0)
            return f"plain {fw.request.path}"

    class Methods(fw.views.MethodView):  # type: ignore[name-defined,misc]
        async def get(self) -> str:
            await asyncio.sleep(0)
            return f"get {fw.request.path}"

    app.add_url_rule("/plain", view_func=Plain.as_view("plain"))
    app.add_url_rule("/methods", view_func=Methods.as_view("methods"))
    assert call(app, "/plain").text == "plain /plain"
    assert call(app, "/methods").text == "get /methods"


def test_c46_an_async_error_is_an_error(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    error = ZeroDivisionError()

    @app.route("/")
    async def view() -> str:
        await asyncio.sleep(0)
        raise error

    app.teardown_request(trace.append)
    assert call(app).status == 500
    assert trace == [error]


def test_c46_url_value_preprocessors_are_not_wrapped(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    coroutines = []

    async def preprocessor(endpoint: t.Any, values: t.Any) -> None:
        trace.append("ran")

    def plain(endpoint: t.Any, values: t.Any) -> None:
        coroutines.append(preprocessor(endpoint, values))

    app.url_value_preprocessor(plain)
    call(app, "/nowhere")
    coroutines.pop().close()
    assert trace == []
    app.url_value_preprocessors[None] = [preprocessor]

    with pytest.warns(RuntimeWarning, match="never awaited"):
        call(app, "/nowhere")
        __import__("gc").collect()

    assert trace == []


def test_c46_an_async_view_while_a_loop_runs_in_the_thread(
    native: Framework,
) -> None:
    app = native.App("conformance")

    @app.route("/")
    async def view() -> str:
        await asyncio.sleep(0)
        return str(native.request.path)

    async def main() -> str:
        return call(app).text

    assert asyncio.run(main()) == "/"


def test_c46_views_of_partial_and_callable_objects(fw: Framework, app: t.Any) -> None:
    import functools

    class View:
        def __call__(self) -> str:
            return "object"

    async def with_argument(argument: str) -> str:
        return argument

    app.add_url_rule("/o", endpoint="o", view_func=View())
    app.add_url_rule(
        "/p", endpoint="p", view_func=functools.partial(with_argument, "partial")
    )
    assert call(app, "/o").text == "object"
    assert call(app, "/p").text == "partial"


# --- Rule 47


SIGNALS = [
    "appcontext_pushed",
    "request_started",
    "request_finished",
    "got_request_exception",
    "request_tearing_down",
    "appcontext_tearing_down",
    "appcontext_popped",
]


def _signalling(fw: Framework) -> t.Any:
    app = fw.App("conformance")
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    app.add_url_rule("/error", endpoint="e", view_func=lambda: 1 // 0)
    return app


def test_c47_the_signals_of_a_request_in_order(fw: Framework, trace: Trace) -> None:
    import contextlib

    app = _signalling(fw)

    def receiver(name: str) -> t.Callable[..., None]:
        def receive(sender: t.Any, **kwargs: t.Any) -> None:
            assert sender is app, "the app itself, not a proxy"
            kwargs.pop("_async_wrapper", None)
            trace.append((name, sorted(kwargs)))

        return receive

    with contextlib.ExitStack() as stack:
        for name in SIGNALS:
            stack.enter_context(listen(getattr(fw.signals, name), app, receiver(name)))

        call(app)
        fine = [
            ("appcontext_pushed", []),
            ("request_started", []),
            ("request_finished", ["response"]),
            ("request_tearing_down", ["exc"]),
            ("appcontext_tearing_down", ["exc"]),
            ("appcontext_popped", []),
        ]
        assert trace == fine
        trace.clear()
        call(app, "/error")

    assert trace == [
        *fine[:2],
        ("got_request_exception", ["exception"]),
        *fine[2:],
    ]


@pytest.mark.parametrize("name", SIGNALS)
def test_c47_async_receivers(fw: Framework, trace: Trace, name: str) -> None:
    app = _signalling(fw)

    async def receive(sender: t.Any, **kwargs: t.Any) -> None:
        await asyncio.sleep(0)
        trace.append(sender)

    with listen(getattr(fw.signals, name), app, receive):
        call(app, "/error")

    assert trace == [app]


@pytest.mark.parametrize("name", SIGNALS)
def test_c47_sent_with_ensure_sync(
    fw: Framework, trace: Trace, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = _signalling(fw)
    signal = getattr(fw.signals, name)
    original = signal.send

    def send(*args: t.Any, **kwargs: t.Any) -> t.Any:
        trace.append((args, kwargs["_async_wrapper"]))
        return original(*args, **kwargs)

    monkeypatch.setattr(signal, "send", send)

    with listen(signal, app, lambda sender, **kwargs: None):
        call(app, "/error")

    ((args, wrapper),) = trace
    assert args == (app,)
    assert wrapper == app.ensure_sync


def test_c47_any_sender_and_another_app_s(fw: Framework, trace: Trace) -> None:
    one, two = _signalling(fw), _signalling(fw)
    signal = fw.signals.request_started

    def everyone(sender: t.Any, **kwargs: t.Any) -> None:
        trace.append(("everyone", sender))

    with listen(signal, one, lambda sender, **kwargs: trace.append(("one", sender))):
        with signal.connected_to(everyone):
            call(one)
            call(two)

    assert sorted(trace, key=str) == sorted(
        [("one", one), ("everyone", one), ("everyone", two)], key=str
    )


def test_c47_connected_between_two_requests(fw: Framework, trace: Trace) -> None:
    app = _signalling(fw)
    call(app)

    with listen(
        fw.signals.request_started, app, lambda sender, **kwargs: trace.append("seen")
    ):
        call(app)

    call(app)
    assert trace == ["seen"]


def test_c47_message_flashed(fw: Framework, app: t.Any, trace: Trace) -> None:
    app.secret_key = "key"

    def receive(sender: t.Any, message: str, category: str, **kwargs: t.Any) -> None:
        trace.append((sender, message, category))

    with listen(fw.signals.message_flashed, app, receive):
        with app.test_request_context("/"):
            fw.flash("hello", "info")
            assert fw.get_flashed_messages(with_categories=True) == [("info", "hello")]

    assert trace == [(app, "hello", "info")]


# --- Rules 48 and 49

USES: dict[str, t.Callable[[t.Any], t.Any]] = {
    "get": lambda s: s.get("a"),
    "item": lambda s: s.pop("none", None),
    "in": lambda s: "a" in s,
    "len": len,
    "bool": bool,
    "iter": list,
    "keys": lambda s: list(s.keys()),
    "==": lambda s: s == {},
    "permanent": lambda s: s.permanent,
    "modified": lambda s: s.modified,
    "new": lambda s: s.new,
    "object": lambda s: s._get_current_object(),
    "repr": repr,
}


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("use", USES)
def test_c48_vary_whenever_the_session_was_looked_at(
    fw: Framework, app: t.Any, use: str, filled: bool
) -> None:
    app.secret_key = "key"
    app.add_url_rule("/", endpoint="i", view_func=lambda: str(USES[use](fw.session)))
    client = app.test_client()

    if filled:
        with client.session_transaction() as session:
            session["a"] = 1

    assert client.get("/").headers.getlist("Vary") == ["Cookie"]


def test_c48_no_vary_where_it_was_not(fw: Framework, app: t.Any) -> None:
    app.secret_key = "key"
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    client = app.test_client()

    with client.session_transaction() as session:
        session["a"] = 1

    response = client.get("/")
    assert "Vary" not in response.headers
    assert "Set-Cookie" not in response.headers


def test_c48_looked_at_by_a_hook(fw: Framework, app: t.Any) -> None:
    app.secret_key = "key"
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")

    @app.after_request
    def after(response: t.Any) -> t.Any:
        response.vary.add("Accept")
        _ = "user" in fw.session
        return response

    vary = call(app).headers["Vary"]
    assert {part.strip() for part in vary.split(",")} == {"Accept", "Cookie"}


def _own_object(session: t.Any, ctx: t.Any) -> t.Any:
    return session._get_current_object()


def _of_the_context(session: t.Any, ctx: t.Any) -> t.Any:
    return ctx.session


def _set_by_the_proxy(session: t.Any, ctx: t.Any) -> t.Any:
    session.accessed = False
    return session._get_current_object()


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(
    "take", [_own_object, _of_the_context, _set_by_the_proxy], ids=lambda f: f.__name__
)
def test_c48_looked_at_again_after_somebody_said_it_was_not(
    fw: Framework, app: t.Any, take: t.Any, first: bool
) -> None:
    app.secret_key = "key"
    with app.test_request_context("/") as ctx:
        if first:
            assert fw.session.get("a") is None
            assert fw.session.get("a") is None
        session = take(fw.session, ctx)
        for look in (lambda: "a" in fw.session, lambda: len(fw.session)):
            session.accessed = False
            look()
            assert session.accessed


def test_c48_each_request_looks_at_a_session_of_its_own(
    fw: Framework, app: t.Any
) -> None:
    app.secret_key = "key"

    @app.route("/<int:number>")
    def index(number: int) -> str:
        if number % 3:
            fw.session["n"] = fw.session.get("n", 0) + number
        return str(fw.session.get("n") if number % 2 else "")

    found = []
    for number in range(1, 8):
        answer = call(app, path=f"/{number}")
        found.append((answer.body, answer.headers.get("Vary")))
    assert found == [
        (str(number if number % 3 else None).encode(), "Cookie")
        if number % 2
        else (b"", "Cookie" if number % 3 else None)
        for number in range(1, 8)
    ]


def test_an_item_is_asked_of_the_class_of_the_session(
    fw: Framework, app: t.Any
) -> None:
    class Session(fw.sessions.SecureCookieSession):  # type: ignore[name-defined,misc]
        def __getitem__(self, key: str) -> t.Any:
            return f"{super().__getitem__(key)} of {key}"

    class Missing(fw.sessions.SecureCookieSession):  # type: ignore[name-defined,misc]
        def __missing__(self, key: str) -> t.Any:
            return f"no {key}"

    app.secret_key = "key"
    for cls, items in (
        (fw.sessions.SecureCookieSession, ["1", "KeyError('b')"]),
        (Session, ["1 of a", "KeyError('b')"]),
        (Missing, ["1", "no b"]),
    ):

        class Interface(fw.sessions.SecureCookieSessionInterface):  # type: ignore[name-defined,misc]
            session_class = cls

        app.session_interface = Interface()
        found = []
        with app.test_request_context("/"):
            fw.session["a"] = 1
            for key in "ab":
                try:
                    found.append(str(fw.session[key]))
                except KeyError as e:
                    found.append(repr(e))
            with pytest.raises(TypeError, match="unhashable"):
                _ = fw.session[[]]
        assert found == items


def test_an_item_is_asked_of_a_patched_class(
    fw: Framework, app: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.secret_key = "key"
    with app.test_request_context("/"):
        fw.session["a"] = 1
        assert fw.session["a"] == 1
        monkeypatch.setattr(
            fw.sessions.SecureCookieSession,
            "__getitem__",
            lambda self, key: f"patched {key}",
            raising=False,
        )
        assert fw.session["a"] == "patched a"
        monkeypatch.undo()
        assert fw.session["a"] == 1


def test_a_proxy_is_asked_for_odd_names(native: Framework) -> None:
    class Name(str):
        pass

    read = type(native.g).__getattribute__
    with native.App("odd").app_context():
        for name in ("x", "_x", "", "é", "_kinda", Name("y"), Name("_y")):
            setattr(native.g, name, name)
            assert read(native.g, name) == name
        for own in ("_get_current_object", Name("_get_current_object")):
            assert read(native.g, own)() is native.g._get_current_object()
        for bad in (5, None, b"x"):
            with pytest.raises(TypeError, match="must be string"):
                read(native.g, bad)


def test_c48_a_bare_global_proxy_is_no_look(fw: Framework, app: t.Any) -> None:
    app.secret_key = "key"

    @app.route("/")
    def index() -> str:
        session = fw.session
        return type(session).__name__

    assert "Vary" not in call(app).headers


def _session_app(fw: Framework) -> t.Any:
    app = fw.App("conformance")
    app.secret_key = "key"

    @app.route("/set")
    def set_() -> str:
        fw.session["a"] = 1
        fw.session.permanent = "permanent" in fw.request.args
        return ""

    @app.route("/clear")
    def clear() -> str:
        fw.session.clear()
        return ""

    @app.route("/read")
    def read() -> dict[str, t.Any]:
        return dict(fw.session)

    app.add_url_rule("/idle", endpoint="idle", view_func=lambda: "idle")
    return app


def _set_cookie(response: t.Any) -> list[str]:
    cookies: list[str] = response.headers.getlist("Set-Cookie")
    return cookies


def test_c49_empty_and_modified_deletes_the_cookie(fw: Framework) -> None:
    client = _session_app(fw).test_client()
    client.get("/set")
    assert client.get_cookie("session") is not None
    response = client.get("/clear")
    (cookie,) = _set_cookie(response)
    assert cookie.startswith("session=;")
    assert "Expires=Thu, 01 Jan 1970 00:00:00 GMT" in cookie
    assert "Max-Age=0" in cookie
    assert response.headers["Vary"] == "Cookie"
    assert client.get_cookie("session") is None
    assert client.get("/read").json == {}


def test_c49_empty_and_not_modified_writes_nothing(fw: Framework) -> None:
    response = _session_app(fw).test_client().get("/read")
    assert _set_cookie(response) == []
    assert response.headers["Vary"] == "Cookie"


def test_c49_unmodified_writes_nothing(fw: Framework) -> None:
    client = _session_app(fw).test_client()
    client.get("/set")
    response = client.get("/read")
    assert response.json == {"a": 1, "_permanent": False}
    assert _set_cookie(response) == []


@pytest.mark.parametrize("refresh", [True, False])
@pytest.mark.parametrize("path", ["/idle", "/read"])
def test_c49_permanent_is_written_again(
    fw: Framework, path: str, refresh: bool
) -> None:
    app = _session_app(fw)
    app.config["SESSION_REFRESH_EACH_REQUEST"] = refresh
    app.permanent_session_lifetime = datetime.timedelta(days=1)
    client = app.test_client()
    (first,) = _set_cookie(client.get("/set?permanent"))
    assert "Expires=" in first
    response = client.get(path)

    if refresh:
        (again,) = _set_cookie(response)
        assert "Expires=" in again
        assert response.headers["Vary"] == "Cookie", "written without being looked at"
    else:
        assert _set_cookie(response) == []
        assert ("Vary" in response.headers) is (path == "/read")


def test_c49_a_session_that_is_not_permanent_has_no_expiry(fw: Framework) -> None:
    (cookie,) = _set_cookie(_session_app(fw).test_client().get("/set"))
    assert "Expires" not in cookie
    assert "HttpOnly" in cookie and "Path=/" in cookie


@pytest.mark.parametrize(("age", "alive"), [(0, True), (50, True), (200, False)])
def test_c49_a_session_that_has_expired_is_empty(
    fw: Framework, age: int, alive: bool
) -> None:
    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return super().get_timestamp() - age

    app = _session_app(fw)
    app.permanent_session_lifetime = datetime.timedelta(seconds=100)
    interface = app.session_interface
    serializer = URLSafeTimedSerializer(
        "key",
        salt=interface.salt,
        serializer=interface.serializer,
        signer=Signer,
        signer_kwargs={
            "key_derivation": interface.key_derivation,
            "digest_method": interface.digest_method,
        },
    )
    header = {"Cookie": f"session={serializer.dumps({'a': 1})}"}
    assert call(app, "/read", headers=header).json == ({"a": 1} if alive else {})


def test_c49_no_lifetime_no_session(fw: Framework) -> None:
    app = _session_app(fw)
    client = app.test_client()
    client.get("/set")
    app.permanent_session_lifetime = datetime.timedelta(seconds=-1)
    assert client.get("/read").json == {}


def test_c49_cookie_options(fw: Framework) -> None:
    app = _session_app(fw)
    app.config.update(
        SESSION_COOKIE_NAME="mine",
        SESSION_COOKIE_DOMAIN="example.com",
        SESSION_COOKIE_PATH="/set",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=False,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PARTITIONED=True,
    )
    (cookie,) = call(app, "/set").headers.getlist("Set-Cookie")
    assert cookie.startswith("mine=")

    for part in ("Domain=example.com", "Path=/set", "Secure", "SameSite=Lax"):
        assert part in cookie

    assert "Partitioned" in cookie and "HttpOnly" not in cookie


@pytest.mark.parametrize("refresh", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("name", ["SESSION_COOKIE_NAME", "SESSION_COOKIE_DOMAIN"])
def test_c49_a_cookie_with_a_line_end_is_an_error(
    fw: Framework, name: str, end: str, refresh: bool
) -> None:
    """It is handled, and nothing of it is sent."""
    app = _session_app(fw)
    app.config[name] = f"a{end}b"
    app.config["SESSION_REFRESH_EACH_REQUEST"] = refresh
    ended: Trace = []
    app.teardown_request(ended.append)
    app.register_error_handler(500, lambda e: (repr(e.original_exception), 500))

    for path in ("/set", "/set", "/clear"):
        answer = call(app, path)
        assert answer.status == 500, path
        assert "newline" in answer.text
        assert "Set-Cookie" not in answer.headers

    assert [type(error) for error in ended] == [ValueError] * 3
    assert call(app, "/read").status == 200


@pytest.mark.parametrize("cookie", [{}, {"Cookie": "a=b"}], ids=["none", "another"])
@pytest.mark.parametrize("secret", ["key", None])
@pytest.mark.parametrize("refresh", [True, False])
def test_c49_a_cookie_without_a_name_is_an_error(
    fw: Framework, refresh: bool, secret: str | None, cookie: dict[str, str]
) -> None:
    """Of each request, as long as there is a key to sign with."""
    app = fw.App("conformance")
    app.secret_key = secret
    app.config["SESSION_REFRESH_EACH_REQUEST"] = refresh
    app.add_url_rule("/", "index", lambda: "index")
    status = 200 if secret is None else 500
    assert call(app, headers=cookie).status == 200
    app.config["SESSION_COOKIE_NAME"] = ["not to be hashed"]
    assert call(app, headers=cookie).status == status
    del app.config["SESSION_COOKIE_NAME"]
    assert call(app, headers=cookie).status == status


@pytest.mark.parametrize(
    "value", ["", "x", "a.b.c", "é", "eyJhIjoxfQ.bad.bad", "." * 99]
)
def test_c49_a_cookie_that_does_not_verify_is_an_empty_session(
    fw: Framework, value: str
) -> None:
    app = _session_app(fw)
    header = dump_cookie("session", value).partition(";")[0]
    answer = call(app, "/read", headers={"Cookie": header})
    assert (answer.status, answer.json) == (200, {})


TAGGED = {
    "t": (1, ("a", 2)),
    "b": b"\x00\xff",
    "d": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
    "u": __import__("uuid").UUID(int=5),
    "m": __import__("markupsafe").Markup("<b>"),
    "n": {" t": 1, "x": [None, True, 1.5, "é"]},
}


def test_c49_a_session_keeps_types(fw: Framework, app: t.Any) -> None:
    app.secret_key = "key"

    @app.route("/")
    def index() -> str:
        if "t" not in fw.session:
            fw.session.update(TAGGED)
            return "written"

        assert dict(fw.session) == TAGGED
        assert type(fw.session["m"]) is type(TAGGED["m"])
        return "read"

    client = app.test_client()
    assert [client.get("/").text for _ in range(2)] == ["written", "read"]


def test_c49_cookies_of_flask_and_ours_are_the_same(
    fw: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conformance.subjects import FLASK

    monkeypatch.setattr("time.time", lambda: 1_700_000_000.25)
    values = []

    for framework in (fw, FLASK):
        app = framework.App("conformance")
        app.secret_key = "key"

        @app.route("/")
        def index(framework: t.Any = framework) -> str:
            framework.session.update(TAGGED)
            framework.session.permanent = True
            return ""

        @app.route("/read")
        def read(framework: t.Any = framework) -> str:
            return str(dict(framework.session) == {**TAGGED, "_permanent": True})

        answer = call(app)
        values.append(parse_cookie(answer.headers["Set-Cookie"])["session"])

        for value in values:
            header = {"Cookie": f"session={value}"}
            assert call(app, "/read", headers=header).text == "True"

    assert values[0] == values[1]


def test_c49_a_session_is_modified_by_its_own_items_only(fw: Framework) -> None:
    app = _session_app(fw)

    @app.route("/nested")
    def nested() -> str:
        fw.session.setdefault("items", [])
        fw.session.modified = False
        fw.session["items"].append(1)
        return ""

    @app.route("/told")
    def told() -> str:
        fw.session["items"] = []
        fw.session.modified = False
        fw.session["items"].append(1)
        fw.session.modified = True
        return ""

    client = app.test_client()
    assert _set_cookie(client.get("/nested")) == []
    assert len(_set_cookie(client.get("/told"))) == 1
    assert client.get("/read").json == {"items": [1]}


# --- Rule 50


def _sign(app: t.Any, data: dict[str, t.Any], key: str) -> str:
    interface = app.session_interface
    serializer = URLSafeTimedSerializer(
        key,
        salt=interface.salt,
        serializer=interface.serializer,
        signer_kwargs={
            "key_derivation": interface.key_derivation,
            "digest_method": interface.digest_method,
        },
    )
    signed = serializer.dumps(data)
    return signed if isinstance(signed, str) else signed.decode()


@pytest.mark.parametrize(
    ("key", "accepted"), [("new", True), ("old", True), ("older", True), ("no", False)]
)
def test_c50_fallback_keys_verify(fw: Framework, key: str, accepted: bool) -> None:
    app = _session_app(fw)
    app.secret_key = "new"
    app.config["SECRET_KEY_FALLBACKS"] = ["older", "old"]
    header = {"Cookie": f"session={_sign(app, {'a': 1}, key)}"}
    assert call(app, "/read", headers=header).json == ({"a": 1} if accepted else {})


def test_c50_fallback_keys_never_sign(fw: Framework) -> None:
    app = _session_app(fw)
    app.secret_key = "new"
    app.config["SECRET_KEY_FALLBACKS"] = ["older", "old"]
    value = parse_cookie(call(app, "/set").headers["Set-Cookie"])["session"]

    for key, accepted in (("new", True), ("old", False), ("older", False)):
        other = _session_app(fw)
        other.secret_key = key
        answer = call(other, "/read", headers={"Cookie": f"session={value}"})
        assert bool(answer.json) is accepted


def test_c50_keys_may_change_between_requests(fw: Framework) -> None:
    """Keys are derived once: for each key, not for ever."""
    app = _session_app(fw)
    client = app.test_client()
    client.get("/set")
    assert client.get("/read").json["a"] == 1
    app.secret_key = "another"
    assert client.get("/read").json == {}
    app.config["SECRET_KEY_FALLBACKS"] = ["key"]
    assert client.get("/read").json["a"] == 1
    app.config["SECRET_KEY_FALLBACKS"].clear()
    assert client.get("/read").json == {}
    app.secret_key = None
    assert client.get("/read").json == {}


# --- Rule 51


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("example.com", True),
        ("example.com:8080", True),
        ("evil.com", False),
        ("www.sub.org", True),
        ("sub.org", True),
        ("notsub.org", False),
    ],
)
def test_c51_trusted_hosts(
    fw: Framework, app: t.Any, trace: Trace, host: str, trusted: bool
) -> None:
    app.config["TRUSTED_HOSTS"] = ["example.com", ".sub.org"]

    @app.before_request
    def before() -> None:
        trace.append(type(fw.request.routing_exception))

    @app.after_request
    def after(response: t.Any) -> t.Any:
        trace.append("after")
        return response

    app.teardown_request(lambda exc: trace.append(("teardown", exc)))
    app.errorhandler(400)(lambda e: ("not here", 400))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    answer = call(app, headers={"Host": host})
    assert (answer.status, answer.text) == (
        (200, "view") if trusted else (400, "not here")
    )
    cls = type(None) if trusted else SecurityError
    assert trace == [cls, "after", ("teardown", None)]


def test_c51_none_trusts_every_host(fw: Framework, app: t.Any) -> None:
    assert app.config["TRUSTED_HOSTS"] is None
    app.add_url_rule("/", endpoint="i", view_func=lambda: fw.request.host)
    assert call(app, headers={"Host": "any.example"}).text == "any.example"


def test_c51_may_be_set_while_it_runs(fw: Framework, app: t.Any) -> None:
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    assert call(app, headers={"Host": "evil.com"}).status == 200
    app.config["TRUSTED_HOSTS"] = ["example.com"]
    assert call(app, headers={"Host": "evil.com"}).status == 400
    assert call(app, headers={"Host": "example.com"}).status == 200


@pytest.mark.parametrize("base", [False, True])
def test_c51_the_class_of_requests_may_trust_few(
    fw: Framework, app: t.Any, monkeypatch: pytest.MonkeyPatch, base: bool
) -> None:
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    assert call(app, headers={"Host": "one.example"}).status == 200
    cls = WerkzeugRequest if base else fw.Request
    monkeypatch.setattr(cls, "trusted_hosts", ["two.example"])
    assert call(app, headers={"Host": "evil.com"}).status == 400
    assert call(app, headers={"Host": "two.example"}).status == 200


@pytest.mark.parametrize("host", ["a.example", "b.example:81"])
def test_c51_a_request_has_its_host_and_adapter_where_nobody_looked_before(
    fw: Framework, app: t.Any, host: str
) -> None:
    def view() -> t.Any:
        ctx = fw.request_ctx._get_current_object()
        return f"{fw.request.host} {ctx.url_adapter.server_name} {app.url_for('i')}"

    app.add_url_rule("/", endpoint="i", view_func=view)
    for _ in range(2):
        assert call(app, headers={"Host": host}).text == f"{host} {host} /"


# --- Rule 52


@pytest.mark.parametrize("server_name", [None, "other.org"])
def test_c52_host_matching_ignores_server_name(
    fw: Framework, server_name: str | None
) -> None:
    app = fw.App("conformance", host_matching=True, static_host="static.example")
    app.config["SERVER_NAME"] = server_name
    app.add_url_rule("/", endpoint="a", view_func=lambda: "a", host="a.example")
    app.add_url_rule("/", endpoint="b", view_func=lambda: "b", host="b.example:81")
    app.add_url_rule("/", endpoint="c", view_func=lambda x: x, host="<x>.c.example")
    hosts = {"a.example": "a", "b.example:81": "b", "x.c.example": "x"}

    for host, text in hosts.items():
        assert call(app, headers={"Host": host}).text == text

    assert call(app, headers={"Host": "other.org"}).status == 404


@pytest.mark.parametrize("server_name", [None, "example.com"])
@pytest.mark.parametrize(
    "host", ["example.com", "www.example.com", "x.org", "[::1]:80"]
)
def test_c52_without_subdomain_matching_the_default_is_forced(
    fw: Framework, app: t.Any, server_name: str | None, host: str
) -> None:
    app.config["SERVER_NAME"] = server_name
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    app.add_url_rule("/w", endpoint="w", view_func=lambda: "w", subdomain="www")
    assert call(app, headers={"Host": host}).text == "view"
    assert call(app, "/w", headers={"Host": host}).status == 404


def test_c52_subdomain_matching(fw: Framework) -> None:
    app = fw.App("conformance", subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.com"
    app.add_url_rule("/", endpoint="bare", view_func=lambda: "bare")
    app.add_url_rule("/", endpoint="www", view_func=lambda: "www", subdomain="www")
    app.add_url_rule("/", endpoint="user", view_func=lambda u: u, subdomain="<u>")
    hosts = {"example.com": "bare", "www.example.com": "www", "me.example.com": "me"}

    for host, text in hosts.items():
        assert call(app, headers={"Host": host}).text == text


def test_c52_server_name_is_used_to_build(fw: Framework, app: t.Any) -> None:
    app.config["SERVER_NAME"] = "example.com"
    app.config["APPLICATION_ROOT"] = "/prefix"
    app.config["PREFERRED_URL_SCHEME"] = "https"
    app.add_url_rule("/x", endpoint="x", view_func=lambda: fw.url_for("x"))

    with app.app_context():
        assert fw.url_for("x") == "https://example.com/prefix/x"
        assert fw.url_for("x", _external=False) == "/prefix/x"

    assert call(app, "/x", headers={"Host": "another.org"}).text == "/x"


# --- Rule 53


def _limits(fw: Framework) -> t.Any:
    app = fw.App("conformance")

    @app.post("/data")
    def data() -> str:
        if limit := fw.request.args.get("limit", type=int):
            fw.request.max_content_length = limit

        return str(len(fw.request.get_data()))

    @app.post("/form")
    def form() -> str:
        if limit := fw.request.args.get("memory", type=int):
            fw.request.max_form_memory_size = limit

        if limit := fw.request.args.get("parts", type=int):
            fw.request.max_form_parts = limit

        return str(len(fw.request.form))

    return app


def test_c53_max_content_length(fw: Framework) -> None:
    app = _limits(fw)
    assert app.config["MAX_CONTENT_LENGTH"] is None
    assert call(app, "/data", "POST", data=b"x" * 100).text == "100"
    app.config["MAX_CONTENT_LENGTH"] = 50
    assert call(app, "/data", "POST", data=b"x" * 50).text == "50"
    assert call(app, "/data", "POST", data=b"x" * 51).status == 413
    assert call(app, "/data?limit=60", "POST", data=b"x" * 51).text == "51"
    assert call(app, "/data?limit=10", "POST", data=b"x" * 11).status == 413


def test_c53_max_form_memory_size(fw: Framework) -> None:
    app = _limits(fw)
    assert app.config["MAX_FORM_MEMORY_SIZE"] == 500_000
    kind = {"content_type": "multipart/form-data"}
    big = {"a": "x" * 500_001}
    assert call(app, "/form", "POST", data=big, **kind).status == 413
    assert call(app, "/form?memory=600000", "POST", data=big, **kind).text == "1"
    app.config["MAX_FORM_MEMORY_SIZE"] = 1000
    assert call(app, "/form", "POST", data={"a": "x" * 5}, **kind).text == "1"
    assert call(app, "/form", "POST", data={"a": "x" * 1001}, **kind).status == 413
    app.config["MAX_FORM_MEMORY_SIZE"] = None
    assert call(app, "/form", "POST", data=big, **kind).text == "1"


def test_c53_max_form_parts(fw: Framework) -> None:
    app = _limits(fw)
    assert app.config["MAX_FORM_PARTS"] == 1000
    kind = {"content_type": "multipart/form-data"}
    many = {f"f{n}": "x" for n in range(1001)}
    assert call(app, "/form", "POST", data=many, **kind).status == 413
    assert call(app, "/form?parts=1001", "POST", data=many, **kind).text == "1001"
    app.config["MAX_FORM_PARTS"] = 2
    assert call(app, "/form", "POST", data={"a": "x", "b": "x"}, **kind).text == "2"
    three = {"a": "x", "b": "x", "c": "x"}
    assert call(app, "/form", "POST", data=three, **kind).status == 413


def test_c53_a_class_s_own_limit_yields_to_the_config(fw: Framework) -> None:
    """The config wins, set or not: as in Flask."""
    from werkzeug.wrappers import Request

    assert Request.max_content_length is None
    app = _limits(fw)

    with app.test_request_context("/data"):
        assert fw.request.max_content_length is None
        assert fw.request.max_form_memory_size == 500_000
        assert fw.request.max_form_parts == 1000
        request = fw.request._get_current_object()

    assert request.max_form_parts == Request.max_form_parts


# --- Rule 54


def test_c54_dotted_nested_names(fw: Framework) -> None:
    app = fw.App("conformance")
    parent = fw.Blueprint("parent", "conformance", url_prefix="/parent")
    child = fw.Blueprint("child", "conformance", url_prefix="/child")
    grandchild = fw.Blueprint("grandchild", "conformance", url_prefix="/g")

    def view() -> dict[str, t.Any]:
        return {
            "endpoint": fw.request.endpoint,
            "blueprint": fw.request.blueprint,
            "blueprints": fw.request.blueprints,
            "urls": [fw.url_for(".v"), fw.url_for("parent.v")],
        }

    for bp in (parent, child, grandchild):
        bp.add_url_rule("/", endpoint="v", view_func=view)

    child.register_blueprint(grandchild)
    parent.register_blueprint(child)
    app.register_blueprint(parent)
    assert set(app.blueprints) == {"parent", "parent.child", "parent.child.grandchild"}
    assert call(app, "/parent/child/g/").json == {
        "endpoint": "parent.child.grandchild.v",
        "blueprint": "parent.child.grandchild",
        "blueprints": ["parent.child.grandchild", "parent.child", "parent"],
        "urls": ["/parent/child/g/", "/parent/"],
    }


def test_c54_a_duplicate_name_is_a_value_error(fw: Framework, app: t.Any) -> None:
    bp = fw.Blueprint("bp", "conformance")
    app.register_blueprint(bp)

    with pytest.raises(ValueError, match="already registered for this blueprint"):
        app.register_blueprint(bp, url_prefix="/again")

    with pytest.raises(ValueError, match="already registered for a different"):
        app.register_blueprint(fw.Blueprint("bp", "conformance"))

    app.register_blueprint(bp, name="again", url_prefix="/again")
    assert set(app.blueprints) == {"bp", "again"}


def test_c54_one_blueprint_under_two_names(fw: Framework, trace: Trace) -> None:
    app = fw.App("conformance")
    bp = fw.Blueprint("bp", "conformance")
    bp.before_request(lambda: trace.append("before"))
    bp.before_app_request(lambda: trace.append("app-wide"))
    bp.record_once(lambda state: trace.append("once"))
    bp.record(lambda state: trace.append("each"))
    bp.add_url_rule("/", endpoint="v", view_func=lambda: fw.url_for(".v"))
    app.register_blueprint(bp, url_prefix="/one")
    app.register_blueprint(bp, url_prefix="/two", name="two")
    assert sorted(trace) == ["each", "each", "once"]
    trace.clear()
    assert call(app, "/one/").text == "/one/"
    assert call(app, "/two/").text == "/two/"
    assert trace == ["app-wide", "before", "app-wide", "before"]


@pytest.mark.parametrize("name", [None, 5])
def test_c54_a_name_at_registration_that_is_no_string(
    fw: Framework, trace: Trace, name: t.Any
) -> None:
    """It is written as one."""
    app = fw.App("conformance")
    parent = fw.Blueprint("parent", "conformance")
    child = fw.Blueprint("child", "conformance")

    for bp in (parent, child):
        bp.before_request(lambda: trace.append(fw.request.blueprints))
        bp.add_url_rule("/", endpoint="v", view_func=lambda: fw.url_for(".v"))

    parent.register_blueprint(child, url_prefix="/child")
    app.register_blueprint(parent, url_prefix="/parent", name=name)
    assert set(app.blueprints) == {f"{name}", f"{name}.child"}

    with pytest.raises(ValueError, match=f"name '{name}' is already registered"):
        app.register_blueprint(parent, name=name)

    assert call(app, "/parent/").text == "/parent/"
    assert trace == [[f"{name}"]]
    trace.clear()
    assert call(app, "/parent/child/").text == "/parent/child/"
    assert trace == [[f"{name}.child", f"{name}"]] * 2


@pytest.mark.parametrize("name", ["", "with.dot"])
def test_c54_names_that_are_not(fw: Framework, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        fw.Blueprint(name, "conformance")


def test_c54_no_dots_in_endpoints_of_a_blueprint(fw: Framework) -> None:
    bp = fw.Blueprint("bp", "conformance")

    with pytest.raises(ValueError, match="dot"):
        bp.add_url_rule("/", endpoint="a.b", view_func=lambda: "")

    with pytest.raises(ValueError, match="itself"):
        bp.register_blueprint(bp)


@pytest.mark.parametrize(
    "set_up",
    [
        lambda bp: bp.route("/late")(lambda: ""),
        lambda bp: bp.before_request(lambda: None),
        lambda bp: bp.after_request(lambda r: r),
        lambda bp: bp.teardown_request(lambda e: None),
        lambda bp: bp.before_app_request(lambda: None),
        lambda bp: bp.errorhandler(404)(lambda e: ""),
        lambda bp: bp.app_errorhandler(404)(lambda e: ""),
        lambda bp: bp.url_value_preprocessor(lambda e, v: None),
        lambda bp: bp.url_defaults(lambda e, v: None),
        lambda bp: bp.record(lambda s: None),
    ],
)
def test_c54_set_up_is_frozen_after_registration(
    fw: Framework, app: t.Any, set_up: t.Any
) -> None:
    bp = fw.Blueprint("bp", "conformance")
    set_up(bp)
    app.register_blueprint(bp)

    with pytest.raises(AssertionError, match="already been registered"):
        set_up(bp)


def test_c54_prefixes_subdomains_and_defaults(fw: Framework) -> None:
    app = fw.App("conformance", subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.com"
    outer = fw.Blueprint("outer", "conformance", url_prefix="/o/", subdomain="x")
    inner = fw.Blueprint(
        "inner", "conformance", url_prefix="/i", url_defaults={"d": "default"}
    )
    inner.add_url_rule("/v", endpoint="v", view_func=lambda d: d)
    inner.add_url_rule("", endpoint="bare", view_func=lambda d: f"bare {d}")
    outer.register_blueprint(inner, subdomain="y")
    app.register_blueprint(outer)
    host = {"Host": "y.x.example.com"}
    assert call(app, "/o/i/v", headers=host).text == "default"
    assert call(app, "/o/i", headers=host).text == "bare default"
    assert call(app, "/o/i/v", headers={"Host": "x.example.com"}).status == 404


def test_c54_url_defaults_and_errors(fw: Framework) -> None:
    app = fw.App("conformance")
    bp = fw.Blueprint("bp", "conformance", url_prefix="/<lang>")

    @bp.url_defaults
    def defaults(endpoint: str, values: dict[str, t.Any]) -> None:
        values.setdefault("lang", fw.g.lang)

    @bp.url_value_preprocessor
    def pull(endpoint: str, values: dict[str, t.Any]) -> None:
        fw.g.lang = values.pop("lang")

    bp.add_url_rule("/a", endpoint="a", view_func=lambda: fw.url_for("bp.b", x=1))
    bp.add_url_rule("/b", endpoint="b", view_func=lambda: fw.url_for(".a"))
    app.register_blueprint(bp)
    assert call(app, "/de/a").text == "/de/b?x=1"
    assert call(app, "/en/b").text == "/en/a"


# --- Rule 55


@pytest.mark.parametrize("code", [None, 301, 302, 303, 305, 307, 308])
def test_c55_redirect(fw: Framework, app: t.Any, code: int | None) -> None:
    args = () if code is None else (code,)
    app.add_url_rule("/", endpoint="i", view_func=lambda: fw.redirect("/there", *args))
    answer = call(app)
    assert answer.status == (code or (303 if fw.flask32 else 302))
    assert answer.headers["Location"] == "/there"
    assert "/there" in answer.text
    assert isinstance(app.redirect("/there"), app.response_class)


def test_c55_redirect_asks_the_app(fw: Framework, trace: Trace) -> None:
    class App(fw.App):  # type: ignore[name-defined,misc]
        def redirect(self, location: str, code: int = 301) -> t.Any:
            trace.append((location, code))
            return super().redirect(location, code)

    app = App("conformance")
    app.add_url_rule("/", endpoint="i", view_func=lambda: fw.redirect("/there"))
    code = 303 if fw.flask32 else 302
    assert call(app).status == code
    assert trace == [("/there", code)]


@pytest.mark.parametrize("location", ["http://example.com/a?b=c#d", "a/ü", "//x.org/"])
def test_c55_locations(fw: Framework, app: t.Any, location: str) -> None:
    app.add_url_rule("/", endpoint="i", view_func=lambda: fw.redirect(location))
    assert call(app).headers["Location"] == location.replace("ü", "%C3%BC")


def test_c55_abort(fw: Framework, app: t.Any) -> None:
    class Odd(HTTPException):
        code = 499
        description = "odd"

    app.aborter.mapping[499] = Odd
    app.add_url_rule("/<int:code>", endpoint="i", view_func=lambda code: fw.abort(code))
    assert call(app, "/404").status == 404
    assert call(app, "/418").status == 418
    assert call(app, "/499").status == 499

    with pytest.raises(LookupError):
        fw.abort(777)


# --- Rule 56


class _ListConverter(BaseConverter):
    regex = r"\w+(?:\+\w+)*"
    part_isolating = True

    def to_python(self, value: str) -> list[str]:
        return value.split("+")

    def to_url(self, value: t.Any) -> str:
        return "+".join(value)


def _rules() -> list[Rule]:
    return [
        Rule("/", endpoint="index"),
        Rule("/a", endpoint="a"),
        Rule("/a/", endpoint="a slash"),
        Rule("/branch/", endpoint="branch"),
        Rule("/leaf", endpoint="leaf"),
        Rule("/post", endpoint="post", methods=["POST"]),
        Rule("/both", endpoint="both get", methods=["GET"]),
        Rule("/both", endpoint="both put", methods=["PUT", "DELETE"]),
        Rule("/int/<int:n>", endpoint="int"),
        Rule("/int/special", endpoint="int special"),
        Rule("/int/<name>", endpoint="int str"),
        Rule("/fixed/<int(fixed_digits=3):n>", endpoint="fixed"),
        Rule("/range/<int(min=2, max=5):n>", endpoint="range"),
        Rule("/signed/<int(signed=True):n>", endpoint="signed"),
        Rule("/float/<float:x>", endpoint="float"),
        Rule("/uuid/<uuid:u>", endpoint="uuid"),
        Rule("/any/<any(red, 'green tea'):c>", endpoint="any"),
        Rule("/len/<string(length=2):s>", endpoint="len"),
        Rule("/lens/<string(minlength=2, maxlength=3):s>", endpoint="lens"),
        Rule("/path/<path:p>", endpoint="path"),
        Rule("/path/<path:p>/edit", endpoint="path edit"),
        Rule("/mix/<a>-<b>.<ext>", endpoint="mix"),
        Rule("/list/<list:items>", endpoint="list"),
        Rule("/deep/<a>/<int:b>/c/<path:d>", endpoint="deep"),
        Rule("/page/", endpoint="page", defaults={"n": 1}),
        Rule("/page/<int:n>", endpoint="page"),
        Rule("/alias", endpoint="leaf", alias=True),
        Rule("/old", endpoint="old", redirect_to="leaf"),
        Rule("/loose/", endpoint="loose", strict_slashes=False),
        Rule("/unmerged//x", endpoint="unmerged", merge_slashes=False),
        Rule("/unmerged2/<path:p>", endpoint="unmerged2", merge_slashes=False),
        Rule("/ws", endpoint="ws", websocket=True),
        Rule("/ünï/<x>", endpoint="unicode"),
        Rule("/built", endpoint="built", build_only=True),
        Rule("/e/%20/x", endpoint="percent"),
    ]


PATHS = [
    "/",
    "",
    "//",
    "/a",
    "/a/",
    "/a//",
    "/branch",
    "/branch/",
    "/branch//",
    "/leaf",
    "/leaf/",
    "/LEAF",
    "/post",
    "/both",
    "/int/1",
    "/int/007",
    "/int/-1",
    "/int/special",
    "/int/x",
    "/int/",
    "/int",
    "/int/1/",
    "/int/٣",
    "/fixed/001",
    "/fixed/1",
    "/range/1",
    "/range/2",
    "/range/5",
    "/range/6",
    "/signed/-3",
    "/signed/3",
    "/float/1.5",
    "/float/1",
    "/float/-1.5",
    "/uuid/a8098c1a-f86e-11da-bd1a-00112444be1e",
    "/uuid/A8098C1A-F86E-11DA-BD1A-00112444BE1E",
    "/uuid/x",
    "/any/red",
    "/any/blue",
    "/any/green tea",
    "/len/ab",
    "/len/abc",
    "/len/é",
    "/lens/a",
    "/lens/ab",
    "/lens/abcd",
    "/path/a",
    "/path/a/b/c",
    "/path/a/edit",
    "/path/a/edit/",
    "/path/a//b",
    "/path/",
    "/path//a",
    "/mix/x-y.z",
    "/mix/x-y-z.a.b",
    "/mix/x",
    "/list/a+b",
    "/list/a",
    "/list/+",
    "/deep/x/1/c/y/z",
    "/deep/x/y/c/z",
    "/deep//1/c/z",
    "/page/",
    "/page",
    "/page/1",
    "/page/2",
    "/alias",
    "/old",
    "/loose",
    "/loose/",
    "/unmerged//x",
    "/unmerged/x",
    "/unmerged2/a//b",
    "//leaf",
    "/x//leaf",
    "/ws",
    "/ünï/é",
    "/ünï/",
    "/built",
    "/e/%20/x",
    "/e/ /x",
    "/int/1\n",
    "/a\x00",
    "/\x7f",
    "/a;b",
    "/int/1?x",
    "/..",
    "/./a",
    "/a|b",
    "/int/|",
]


def _outcome_of_map(url_map: Map, path: str, method: str) -> t.Any:
    env = environ("/", method)
    env["PATH_INFO"] = path.encode().decode("latin-1")

    try:
        rule, args = url_map.bind_to_environ(env, subdomain="").match(return_rule=True)
    except RequestRedirect as e:
        return ("redirect", e.code, e.new_url)
    except MethodNotAllowed as e:
        return (405, sorted(e.valid_methods or ()))
    except HTTPException as e:
        return e.code, type(e).__name__
    else:
        return (rule.endpoint, args)


def _outcome_of_app(app: t.Any, fw: Framework, path: str, method: str) -> t.Any:
    env = environ("/", method)
    env["PATH_INFO"] = path.encode().decode("latin-1")

    with app.request_context(env):
        e = fw.request.routing_exception

        if isinstance(e, RequestRedirect):
            return ("redirect", e.code, e.new_url)

        if isinstance(e, MethodNotAllowed):
            return (405, sorted(e.valid_methods or ()))

        if e is not None:
            return e.code, type(e).__name__

        return (fw.request.url_rule.endpoint, fw.request.view_args)


@pytest.fixture
def routed(fw: Framework) -> t.Any:
    app = fw.App("conformance", static_folder=None)
    app.url_map.converters["list"] = _ListConverter

    for rule in _rules():
        app.url_map.add(rule)

    return app


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "BREW"])
def test_c56_matching_as_werkzeug_s_map(
    fw: Framework, routed: t.Any, method: str
) -> None:
    oracle = Map(_rules(), converters={"list": _ListConverter})

    for path in PATHS:
        expected = _outcome_of_map(oracle, path, method)
        found = _outcome_of_app(routed, fw, path, method)
        assert found == expected, path
        assert _outcome_of_app(routed, fw, path, method) == expected, f"again: {path}"


@pytest.mark.parametrize(
    "options",
    [
        {"strict_slashes": False},
        {"merge_slashes": False},
        {"redirect_defaults": False},
        {"sort_parameters": True},
    ],
)
def test_c56_options_of_the_map(fw: Framework, options: dict[str, bool]) -> None:
    app = fw.App("conformance", static_folder=None)
    app.url_map.converters["list"] = _ListConverter

    for name, value in options.items():
        setattr(app.url_map, name, value)

    oracle = Map(_rules(), converters={"list": _ListConverter}, **options)

    for rule in _rules():
        app.url_map.add(rule)

    for path in PATHS:
        expected = _outcome_of_map(oracle, path, "GET")
        assert _outcome_of_app(app, fw, path, "GET") == expected, path


def test_c56_a_websocket_request(fw: Framework, routed: t.Any) -> None:
    env = environ("/ws")
    env.update(HTTP_CONNECTION="Upgrade", HTTP_UPGRADE="websocket")
    env["wsgi.url_scheme"] = "ws"

    with routed.request_context(env):
        assert fw.request.url_rule.endpoint == "ws"

    env["PATH_INFO"] = "/leaf"

    with routed.request_context(env):
        assert type(fw.request.routing_exception).__name__ == "WebsocketMismatch"


def test_c56_rules_added_later_are_seen(fw: Framework, app: t.Any) -> None:
    app.add_url_rule("/<x>", endpoint="any", view_func=lambda x: f"any {x}")
    app.view_functions["late"] = lambda: "late"
    assert call(app, "/late").text == "any late"
    app.url_map.add(Rule("/late", endpoint="late"))
    assert call(app, "/late").text == "late"
    app.view_functions["late"] = lambda: "replaced"
    assert call(app, "/late").text == "replaced"


def test_c56_the_whole_way(fw: Framework, app: t.Any) -> None:
    app.add_url_rule(
        "/user/<int:n>/<path:rest>",
        endpoint="user",
        view_func=lambda n, rest: f"{n + 1} {rest} {fw.request.url_rule.rule}",
    )
    app.add_url_rule("/ü/<name>", endpoint="u", view_func=lambda name: name)
    answer = call(app, "/user/41/a/b%20c")
    assert answer.text == "42 a/b c /user/<int:n>/<path:rest>"
    assert call(app, "/%C3%BC/%C3%A4").text == "ä"
    assert call(app, "/user/x/a").status == 404


def test_c56_a_request_under_a_script_name(fw: Framework, app: t.Any) -> None:
    app.add_url_rule("/branch/", endpoint="b", view_func=lambda: fw.url_for("b"))
    mounted = {"base_url": "http://localhost/mount"}
    assert call(app, "/branch/", **mounted).text == "/mount/branch/"
    redirect = call(app, "/branch", **mounted)
    assert redirect.headers["Location"] == "http://localhost/mount/branch/"


def test_c56_json_and_files_reach_the_view(fw: Framework, app: t.Any) -> None:
    @app.post("/")
    def index() -> t.Any:
        if fw.request.is_json:
            return {"got": fw.request.get_json()}

        upload = fw.request.files["f"]
        return f"{upload.filename} {upload.read().decode()} {fw.request.form['a']}"

    assert call(app, method="POST", json={"a": [1]}).json == {"got": {"a": [1]}}
    form = {"f": (io.BytesIO(b"content"), "f.txt"), "a": "b"}
    assert call(app, method="POST", data=form).text == "f.txt content b"
    kwargs = {"data": "1", "content_type": "application/json"}
    assert call(app, method="POST", **kwargs).json == {"got": 1}


# --- What a request has of its environ


def test_an_environ_that_a_hook_changes(fw: Framework) -> None:
    """Method, path and the like are read before; headers are a view of the environ."""
    app = fw.App("conformance")
    seen: list[t.Any] = []

    def change() -> None:
        changed = fw.request.environ
        changed["REQUEST_METHOD"] = "PUT"
        changed["PATH_INFO"] = "/changed"
        changed["SCRIPT_NAME"] = "/below"
        changed["QUERY_STRING"] = "b=2"
        changed["REMOTE_ADDR"] = "192.0.2.9"
        changed["SERVER_PORT"] = "81"
        changed["wsgi.url_scheme"] = "https"
        changed["HTTP_X_NAME"] = "changed"

    def view() -> str:
        request = fw.request
        seen.append((request.method, request.path, request.root_path, request.scheme))
        seen.append((request.query_string, dict(request.args), request.remote_addr))
        seen.append((request.server, request.url, request.headers["X-Name"]))
        return "seen"

    app.before_request(change)
    app.add_url_rule("/first", "first", view)
    given = environ("/first?a=1", headers={"X-Name": "first"})
    given["REMOTE_ADDR"] = "192.0.2.1"
    assert call(app, env=given).text == "seen"
    assert seen == [
        ("GET", "/first", "", "http"),
        (b"a=1", {"a": "1"}, "192.0.2.1"),
        (("localhost", 80), "http://localhost/first?a=1", "changed"),
    ]


def test_another_environ_for_a_request(fw: Framework) -> None:
    request = fw.Request(environ("/first"))
    request.environ = environ("/second", method="POST")
    assert (request.method, request.path) == ("GET", "/first")
    assert request.environ["PATH_INFO"] == "/second"
