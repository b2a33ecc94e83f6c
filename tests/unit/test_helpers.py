"""Helpers. What Flask has as well is tested on both; Flask is the oracle."""

from __future__ import annotations

import gc
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import flask.helpers
import pytest
from tests.conformance.subjects import FLASK32
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound
from werkzeug.exceptions import Unauthorized
from werkzeug.test import EnvironBuilder
from werkzeug.test import run_wsgi_app

import fastdispatch
import fastdispatch.helpers
from fastdispatch.engine import context


@pytest.fixture(params=["ours", "flask"])
def lib(request: pytest.FixtureRequest) -> Any:
    return flask if request.param == "flask" else fastdispatch


@pytest.fixture
def app(lib: Any) -> Any:
    return make(lib)


def make(lib: Any, **kwargs: Any) -> Any:
    cls = flask.Flask if lib is flask else fastdispatch.App
    app: Any = cls("x", **kwargs)
    app.config.update(SECRET_KEY="secret", TESTING=True)
    return app


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((None, False), ("", False), ("0", False), ("False", False), ("No", False)),
        *(("1", True), ("true", True), ("x", True)),
    ],
)
def test_debug_flag(
    lib: Any, monkeypatch: pytest.MonkeyPatch, value: str | None, expected: bool
) -> None:
    monkeypatch.delenv("FLASK_DEBUG", raising=False)
    if value is not None:
        monkeypatch.setenv("FLASK_DEBUG", value)
    assert lib.helpers.get_debug_flag() is expected


# Contexts.


def test_has_context(lib: Any, app: Any) -> None:
    assert (lib.has_app_context(), lib.has_request_context()) == (False, False)
    with app.app_context():
        assert (lib.has_app_context(), lib.has_request_context()) == (True, False)
    with app.test_request_context():
        assert (lib.has_app_context(), lib.has_request_context()) == (True, True)
    assert (lib.has_app_context(), lib.has_request_context()) == (False, False)


@pytest.mark.parametrize("name", ["after_this_request", "copy_current_request_context"])
def test_c13_outside_of_a_request(lib: Any, app: Any, name: str) -> None:
    with pytest.raises(RuntimeError, match=f"'{name}' can only be used when"):
        getattr(lib, name)(lambda response: response)
    with app.app_context():
        if lib is flask and FLASK32 and name == "copy_current_request_context":
            assert (
                getattr(lib, name)(lambda: "of the app alone")() == "of the app alone"
            )
            return
        with pytest.raises(RuntimeError, match=f"'{name}' can only be used when"):
            getattr(lib, name)(lambda response: response)


def test_c28_after_this_request_in_order(lib: Any, app: Any) -> None:
    @app.route("/")
    def index() -> str:
        for name in "ab":

            @lib.after_this_request
            def add(response: Any, name: str = name) -> Any:
                response.headers.add("X-Order", name)
                return response

        return "x"

    response = app.test_client().get("/")
    assert response.headers.getlist("X-Order") == ["a", "b"]


def in_thread(func: Any) -> None:
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


def test_c12_copied_context_in_a_thread(lib: Any, app: Any) -> None:
    log: list[Any] = []
    app.teardown_request(lambda exc: log.append(("teardown", exc)))

    @app.route("/<name>")
    def index(name: str) -> str:
        lib.session["name"] = name
        lib.g.name = name
        original = lib.request._get_current_object()

        @lib.copy_current_request_context
        def work(arg: int) -> str:
            """Works."""
            assert lib.request._get_current_object() is original
            assert lib.session["name"] == name
            log.append(("g", lib.g.get("name")))
            return f"{arg}"

        assert (work.__name__, work.__doc__) == ("work", "Works.")
        in_thread(lambda: log.append(("result", work(1))))
        in_thread(lambda: log.append(("result", work(2))))
        return "x"

    assert app.test_client().get("/n").status_code == 200
    one = [("g", None), ("teardown", None)]
    assert log == [*one, ("result", "1"), *one, ("result", "2"), ("teardown", None)]


@pytest.mark.parametrize("decorate", [True, False])
def test_c12_copied_context_without_teardown(decorate: bool) -> None:
    app = make(fastdispatch)
    log: list[Any] = []
    app.teardown_request(lambda exc: log.append("teardown"))

    @app.route("/")
    def index() -> str:
        def work() -> str:
            return str(fastdispatch.request.path)

        copy: Any = fastdispatch.copy_current_request_context
        made = copy(teardown=False)(work) if decorate else copy(work, teardown=False)
        in_thread(lambda: log.append(made()))
        return "x"

    app.test_client().get("/")
    assert log == ["/", "teardown"]


def test_c12_overlapping_calls_of_one_copy() -> None:
    app = make(fastdispatch)
    both = threading.Barrier(2, timeout=10)
    seen: list[Any] = []

    @app.route("/")
    def index() -> str:
        @fastdispatch.copy_current_request_context
        def work(n: int) -> None:
            fastdispatch.g.n = n
            both.wait()
            seen.append(fastdispatch.g.n == n and fastdispatch.request.path == "/")
            both.wait()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        return "x"

    app.test_client().get("/")
    assert seen == [True, True]


def test_c46_async_function_in_a_copied_context(lib: Any, app: Any) -> None:
    @app.route("/")
    def index() -> str:
        @lib.copy_current_request_context
        async def work() -> str:
            return str(lib.request.path)

        result: list[Any] = []
        in_thread(lambda: result.append(work()))
        return str(result[0])

    assert app.test_client().get("/").text == "/"


# Streams.


def environ(path: str = "/") -> Any:
    builder = EnvironBuilder(path)
    try:
        return builder.get_environ()
    finally:
        builder.close()


class Streamed:
    """An app whose only view streams, and what happens in it."""

    def __init__(self, lib: Any = fastdispatch) -> None:
        self.lib = lib
        self.app = make(lib)
        self.app.testing = False
        self.log: list[Any] = []
        self.app.teardown_request(lambda exc: self.log.append(("request", exc)))
        self.app.teardown_appcontext(lambda exc: self.log.append(("app", exc)))

    def view(self, body: Any) -> None:
        self.app.add_url_rule("/", "index", lambda: self.lib.Response(body()))

    def start(self) -> Any:
        """The body that a server would iterate over."""
        return self.app(environ("/?name=World"), lambda status, headers: None)


@pytest.mark.parametrize("decorate", [True, False])
def test_c14_stream_has_the_request(lib: Any, decorate: bool) -> None:
    streamed = Streamed(lib)

    def generate(*first: str) -> Iterator[str]:
        yield from first
        yield lib.session.get("x", "Hello ")
        yield lib.request.args["name"]

    if decorate:
        streamed.view(lambda: lib.stream_with_context(generate)("("))
    else:
        streamed.view(lambda: lib.stream_with_context(generate("(")))
    response = streamed.app.test_client().get("/?name=World")
    assert response.text == "(Hello World"
    assert not lib.has_request_context()


def test_c14_needs_a_request(lib: Any, app: Any) -> None:
    with pytest.raises(RuntimeError, match="'stream_with_context' can only be used"):
        lib.stream_with_context(iter("x"))
    decorated = lib.stream_with_context(lambda: iter("x"))
    with app.app_context():
        if lib is flask and FLASK32:
            assert "".join(decorated()) == "x"
            return
        with pytest.raises(RuntimeError, match="'stream_with_context' can only"):
            decorated()


def test_c14_wants_an_iterator_or_a_function() -> None:
    with make(fastdispatch).test_request_context():
        with pytest.raises(TypeError, match="not 'int'"):
            fastdispatch.stream_with_context(5)  # type: ignore[call-overload]


def test_c14_teardown_once_at_the_end() -> None:
    streamed = Streamed()

    @fastdispatch.stream_with_context
    def generate() -> Iterator[str]:
        fastdispatch.g.x = "g"
        yield "a"
        streamed.log.append(fastdispatch.g.x)
        yield "b"

    streamed.view(generate)
    body = streamed.start()
    assert streamed.log == []
    assert list(body) == [b"a", b"b"]
    done = ["g", ("request", None), ("app", None)]
    assert streamed.log == done
    body.close()
    assert streamed.log == done


def test_c14_teardown_once_when_it_is_closed_early() -> None:
    streamed = Streamed()

    @fastdispatch.stream_with_context
    def generate() -> Iterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            # The client has gone; the context is there still.
            streamed.log.append(fastdispatch.request.path)

    streamed.view(generate)
    body = streamed.start()
    assert next(iter(body)) == b"a"
    body.close()
    body.close()
    assert streamed.log == ["/", ("request", None), ("app", None)]
    assert context.current() is None


def test_c14_teardown_once_when_it_is_never_begun() -> None:
    streamed = Streamed()
    streamed.view(fastdispatch.stream_with_context(lambda: iter("ab")))
    streamed.start().close()
    assert streamed.log == [("request", None), ("app", None)]


def test_c14_teardown_once_when_it_is_thrown_away() -> None:
    streamed = Streamed()

    @streamed.app.after_request
    def replace(response: Any) -> Any:
        return fastdispatch.Response("instead")

    streamed.view(fastdispatch.stream_with_context(lambda: iter("ab")))
    assert list(streamed.start()) == [b"instead"]
    gc.collect()
    assert streamed.log == [("request", None), ("app", None)]
    assert context.current() is None


def test_c14_teardown_gets_the_error_of_the_stream() -> None:
    streamed = Streamed()
    error = ValueError("broken")

    @fastdispatch.stream_with_context
    def generate() -> Iterator[str]:
        yield "a"
        raise error

    streamed.view(generate)
    body = iter(streamed.start())
    assert next(body) == b"a"
    with pytest.raises(ValueError) as e:
        next(body)
    assert e.value is error
    assert streamed.log == [("request", error), ("app", error)]
    assert context.current() is None


def test_c14_error_of_close_is_raised_and_torn_down() -> None:
    streamed = Streamed()
    error = ValueError("broken")

    class Body:
        def __iter__(self) -> Body:
            return self

        def __next__(self) -> str:
            return "a"

        def close(self) -> None:
            raise error

    streamed.view(fastdispatch.stream_with_context(lambda: Body()))  # type: ignore
    body = streamed.start()
    with pytest.raises(ValueError):
        body.close()
    assert streamed.log == [("request", error), ("app", error)]


def test_c14_context_is_current_only_while_the_stream_works() -> None:
    streamed = Streamed()
    streamed.view(fastdispatch.stream_with_context(lambda: iter("ab")))
    other = make(fastdispatch)
    body = streamed.start()
    iterator = iter(body)
    assert context.current() is None
    next(iterator)
    assert context.current() is None
    with other.test_request_context("/other"):
        next(iterator)
        assert fastdispatch.request.path == "/other"
        assert fastdispatch.current_app == other
        body.close()
        assert fastdispatch.request.path == "/other"
    assert context.current() is None


def test_c14_abandoned_stream_does_not_disturb_the_next_request() -> None:
    streamed = Streamed()

    @fastdispatch.stream_with_context
    def generate() -> Iterator[str]:
        yield fastdispatch.request.args["name"]
        yield "never"

    streamed.view(generate)
    streamed.app.add_url_rule(
        "/next", "next", lambda: repr(vars(fastdispatch.g)) + fastdispatch.request.path
    )
    abandoned = streamed.start()
    next(iter(abandoned))
    assert context.current() is None
    assert streamed.app.test_client().get("/next").text == "{}/next"
    assert streamed.log == [("request", None), ("app", None)]
    del abandoned
    gc.collect()
    assert streamed.log == [("request", None), ("app", None)] * 2


def test_c14_streams_interleave() -> None:
    streamed = Streamed()

    @fastdispatch.stream_with_context
    def generate() -> Iterator[str]:
        for _ in range(3):
            fastdispatch.g.count = fastdispatch.g.get("count", 0) + 1
            yield f"{fastdispatch.g.count}{fastdispatch.request.args['n']}"

    streamed.view(generate)
    bodies = [
        iter(streamed.app(environ(f"/?n={n}"), lambda status, headers: None))
        for n in "xy"
    ]
    got = [next(bodies[i % 2]) for i in range(6)]
    assert got == [b"1x", b"1y", b"2x", b"2y", b"3x", b"3y"]


def test_c14_stream_is_read_in_another_thread() -> None:
    streamed = Streamed()

    @fastdispatch.stream_with_context
    def generate() -> Iterator[str]:
        yield fastdispatch.request.args["name"]

    streamed.view(generate)
    body = streamed.start()
    got: list[bytes] = []
    in_thread(lambda: got.extend(body))
    assert got == [b"World"]
    assert streamed.log == [("request", None), ("app", None)]


def test_c14_closes_the_inner_iterator(lib: Any) -> None:
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self) -> str:
            if closed:
                raise AssertionError
            raise StopIteration

        def close(self) -> None:
            closed.append(lib.has_request_context())

    streamed = Streamed(lib)
    streamed.view(lambda: lib.stream_with_context(Body()))
    body, _, _ = run_wsgi_app(streamed.app, environ())
    assert list(body) == []
    assert closed == [True]


def test_c14_in_an_async_view(lib: Any, app: Any) -> None:
    @app.route("/")
    async def index() -> Any:
        lib.session["test"] = "streamed"

        @lib.stream_with_context
        def generate() -> Iterator[str]:
            yield lib.session["test"]

        return lib.Response(generate())

    client = app.test_client()
    client.get("/").close()
    assert client.get("/").text == "streamed"
    with client:
        client.get("/").close()
    with client:
        assert client.get("/").text == "streamed"
    assert not lib.has_request_context()


# Responses.


def test_make_response(lib: Any, app: Any) -> None:
    with app.test_request_context():
        empty = lib.make_response()
        assert (empty.status_code, empty.data) == (200, b"")
        assert type(empty) is app.response_class
        assert lib.make_response("a").data == b"a"
        both = lib.make_response("a", 404, {"X-A": "b"})
        assert (both.status_code, both.headers["X-A"]) == (404, "b")
        assert lib.make_response(("a", 201)).status_code == 201
        with pytest.raises(TypeError):
            lib.make_response(None)


def default_redirect(lib: Any) -> int:
    """Rule 55."""
    return 303 if lib is flask and FLASK32 else 302


def test_redirect_and_abort_outside_of_a_context(lib: Any) -> None:
    class Response(lib.Response):  # type: ignore[misc]
        pass

    response = lib.redirect("/x", 307, Response)
    assert (response.location, response.status_code) == ("/x", 307)
    assert type(response) is Response
    assert lib.redirect("/x").status_code == default_redirect(lib)
    with pytest.raises(Unauthorized):
        lib.abort(401)
    with pytest.raises(LookupError):
        lib.abort(900)


def test_redirect_and_abort_ask_the_app(lib: Any, app: Any) -> None:
    class Strange(HTTPException):
        code = 900

    app.aborter.mapping[900] = Strange
    app.redirect = lambda location, code: (location, code)
    with app.app_context():
        assert lib.redirect("/x") == ("/x", default_redirect(lib))
        with pytest.raises(Strange, match="why"):
            lib.abort(900, "why")
        with pytest.raises(HTTPException) as e:
            lib.abort(lib.Response("x", 418))
        assert e.value.get_response().status_code == 418


def test_url_for_asks_the_app(lib: Any, app: Any) -> None:
    app.add_url_rule("/<self>/<endpoint_>", endpoint="index")
    with app.test_request_context():
        url = lib.url_for("index", self="a", endpoint_="b", q="c", _anchor="d")
        assert url == "/a/b?q=c#d"
        with pytest.raises(ValueError, match="_external"):
            lib.url_for("index", self=1, endpoint_=2, _scheme="x", _external=False)


def test_redirect_cannot_inject_a_header(lib: Any, app: Any) -> None:
    with app.test_request_context():
        with pytest.raises(ValueError, match="newline"):
            lib.redirect("/x\r\nX-Injected: 1")


# Flashed messages.


def test_flashed_messages(lib: Any, app: Any) -> None:
    sent: list[Any] = []

    def receive(sender: Any, message: str, category: str) -> None:
        sent.append((sender, message, category))

    with (
        app.test_request_context(),
        lib.signals.message_flashed.connected_to(receive, app),
    ):
        assert lib.get_flashed_messages() == []
    with (
        app.test_request_context(),
        lib.signals.message_flashed.connected_to(receive, app),
    ):
        lib.flash("one")
        lib.session.modified = False
        lib.flash("two", "error")
        assert lib.session.modified
        assert sent == [(app, "one", "message"), (app, "two", "error")]
        assert lib.get_flashed_messages() == ["one", "two"]
        assert "_flashes" not in lib.session
        assert lib.get_flashed_messages() == ["one", "two"]
        pairs = [("message", "one"), ("error", "two")]
        assert lib.get_flashed_messages(with_categories=True) == pairs
        assert lib.get_flashed_messages(category_filter=["error"]) == ["two"]
        assert lib.get_flashed_messages(True, ["message", "x"]) == pairs[:1]


def test_flashed_messages_are_for_the_next_request(lib: Any, app: Any) -> None:
    @app.route("/flash")
    def flash() -> str:
        lib.flash("kept")
        return "x"

    @app.route("/show")
    def show() -> Any:
        return [list(pair) for pair in lib.get_flashed_messages(with_categories=True)]

    client = app.test_client()
    client.get("/flash")
    assert client.get("/show").json == [["message", "kept"]]
    assert client.get("/show").json == []


# Files.


@pytest.fixture
def files(tmp_path: Path, lib: Any) -> Any:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.txt").write_text("text")
    (tmp_path / "secret.txt").write_text("secret")
    return make(lib, root_path=str(tmp_path))


def test_send_file(lib: Any, files: Any) -> None:
    with files.test_request_context():
        response = lib.send_file("inner/a.txt")
        assert type(response) is files.response_class
        assert response.mimetype == "text/plain" and response.direct_passthrough
        assert response.cache_control.max_age is None
        assert response.headers["ETag"]
        response.close()
        response = lib.send_file(
            io.BytesIO(b"x"), download_name="a.bin", as_attachment=True, max_age=5
        )
        assert response.headers["Content-Disposition"] == "attachment; filename=a.bin"
        assert response.cache_control.max_age == 5
        response.close()
        with pytest.raises(TypeError):
            lib.send_file(io.BytesIO(b"x"))
        with pytest.raises(ValueError):
            lib.send_file(io.StringIO("x"), mimetype="text/plain")


def test_send_file_asks_the_app_for_the_age(lib: Any, files: Any) -> None:
    files.config["SEND_FILE_MAX_AGE_DEFAULT"] = 60
    with files.test_request_context():
        for send in (
            lambda: lib.send_file("inner/a.txt"),
            lambda: lib.send_from_directory("inner", "a.txt"),
        ):
            response = send()
            assert response.cache_control.max_age == 60
            response.close()


def test_send_file_leaves_it_to_the_server(lib: Any, files: Any) -> None:
    files.config["USE_X_SENDFILE"] = True
    with files.test_request_context():
        response = lib.send_file("inner/a.txt")
        path = os.path.join(files.root_path, "inner", "a.txt")
        assert response.headers["X-Sendfile"] == path
        response.close()


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "/etc/passwd", "missing", "", ".", "..", "a.txt/x", "a\x00.txt"],
)
def test_send_from_directory_stays_in_it(lib: Any, files: Any, path: str) -> None:
    with files.test_request_context():
        with pytest.raises(NotFound):
            lib.send_from_directory("inner", path)
        response = lib.send_from_directory("inner", "a.txt")
        response.direct_passthrough = False
        assert response.data == b"text"
        response.close()


# Modules and blueprints.


@pytest.mark.parametrize(
    "name", ["json", "werkzeug.utils", "__main__", "no.such.module", "os.path"]
)
def test_root_path_is_that_of_flask(name: str) -> None:
    ours, theirs = fastdispatch.helpers.get_root_path, flask.helpers.get_root_path
    assert ours(name) == theirs(name)


def test_root_path_does_not_import(lib: Any, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "broken_module.py").write_text("raise NotImplementedError")
    monkeypatch.syspath_prepend(tmp_path)
    assert lib.helpers.get_root_path("broken_module") == str(tmp_path)


def test_root_path_of_a_module_without_a_file(lib: Any) -> None:
    with pytest.raises(RuntimeError, match="No root path can be found"):
        lib.helpers.get_root_path("sys")


def test_blueprint_path(lib: Any) -> None:
    split = lib.helpers._split_blueprint_path
    assert split("a") == ["a"]
    assert split("a.b.c") == ["a.b.c", "a.b", "a"]


@pytest.mark.parametrize("name", ["get_template_attribute", "get_load_dotenv"])
def test_names_out_of_scope(name: str) -> None:
    with pytest.raises(ImportError, match="out of scope"):
        getattr(fastdispatch.helpers, name)
