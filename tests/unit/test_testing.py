"""The test client: the same tests on ours and on Flask's."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import flask
import flask.testing
import pytest
from werkzeug.test import EnvironBuilder as WerkzeugBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

import fastdispatch
import fastdispatch.testing


@pytest.fixture(params=["ours", "flask"])
def lib(request: pytest.FixtureRequest) -> Any:
    return flask if request.param == "flask" else fastdispatch


@pytest.fixture
def app(lib: Any) -> Any:
    app: Any = (flask.Flask if lib is flask else fastdispatch.App)("x")
    app.config.update(SECRET_KEY="secret", TESTING=True)

    @app.route("/", methods=["GET", "POST"])
    def index() -> Any:
        lib.g.seen = lib.request.remote_addr
        return {
            "url": lib.request.url,
            "address": lib.request.remote_addr,
            "agent": lib.request.user_agent.string,
            "form": lib.request.form,
        }

    return app


# EnvironBuilder.


@pytest.mark.parametrize(
    ("config", "args", "kwargs", "url"),
    [
        ({}, (), {}, "http://localhost/"),
        ({}, ("/a?b=c",), {}, "http://localhost/a?b=c"),
        ({"SERVER_NAME": "a.b:80"}, ("/x",), {}, "http://a.b/x"),
        ({"SERVER_NAME": "a.b:81"}, ("/x",), {}, "http://a.b:81/x"),
        ({"APPLICATION_ROOT": "/prefix"}, ("/x",), {}, "http://localhost/prefix/x"),
        ({"PREFERRED_URL_SCHEME": "https"}, (), {}, "https://localhost/"),
        ({}, (), {"url_scheme": "https"}, "https://localhost/"),
        ({"SERVER_NAME": "a.b"}, (), {"subdomain": "s"}, "http://s.a.b/"),
        ({}, ("https://e.f:9/x?y",), {}, "https://e.f:9/x?y"),
        ({}, ("/x",), {"base_url": "https://e.f/r"}, "https://e.f/r/x"),
        ({}, ("/x",), {"query_string": {"a": "b"}}, "http://localhost/x?a=b"),
    ],
)
def test_builder_takes_defaults_from_the_app(
    lib: Any, app: Any, config: Any, args: Any, kwargs: Any, url: str
) -> None:
    app.config.update(config)
    builder = lib.testing.EnvironBuilder(app, *args, **kwargs)
    assert WerkzeugRequest(builder.get_environ()).url == url
    builder.close()
    assert app.test_request_context(*args, **kwargs).request.url == url


@pytest.mark.parametrize("kwargs", [{"subdomain": "s"}, {"url_scheme": "https"}])
def test_builder_refuses_what_the_base_url_says(
    lib: Any, app: Any, kwargs: Any
) -> None:
    with pytest.raises(AssertionError, match='with "base_url"'):
        lib.testing.EnvironBuilder(app, "/", "http://x/", **kwargs)


def test_builder_dumps_json_like_the_app(lib: Any, app: Any) -> None:
    app.json.ensure_ascii = False
    builder = lib.testing.EnvironBuilder(app, json={"b": "€", "a": 1})
    assert builder.input_stream.read().decode() == '{"a": 1, "b": "€"}'
    assert builder.content_type == "application/json"
    builder.close()


# Requests.


def test_environ_base(app: Any) -> None:
    client = app.test_client()
    agent = f"Werkzeug/{importlib.metadata.version('werkzeug')}"
    answer = client.get("/").json
    assert (answer["address"], answer["agent"]) == ("127.0.0.1", agent)
    client.environ_base["REMOTE_ADDR"] = "10.0.0.1"
    answer = client.get("/", environ_base={"HTTP_USER_AGENT": "x"}).json
    assert (answer["address"], answer["agent"]) == ("10.0.0.1", "x")
    assert app.test_client().get("/").json["address"] == "127.0.0.1"


def test_open_takes_builder_environ_and_request(lib: Any, app: Any) -> None:
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = "10.0.0.1"
    ours = lib.testing.EnvironBuilder(app, "/?a", method="POST", data={"k": "v"})
    plain = WerkzeugBuilder("/?b")
    for _ in range(2):
        answer = client.open(ours).json
        assert (answer["url"], answer["form"]) == ("http://localhost/?a", {"k": "v"})
        assert client.open(plain).json["url"] == "http://localhost/?b"
        assert client.open(plain).json["address"] == "10.0.0.1"
    assert "REMOTE_ADDR" not in (plain.environ_base or {})
    environ = plain.get_environ()
    request = WerkzeugRequest(plain.get_environ())
    for first in (environ, request):
        assert client.open(first).json["address"] == "10.0.0.1"
        assert "REMOTE_ADDR" not in environ and "REMOTE_ADDR" not in request.environ
    ours.close()
    plain.close()


def test_response_loads_json_like_the_app(app: Any) -> None:
    base: Any = type(app.json)

    class Provider(base):  # type: ignore[misc]
        def loads(self, s: Any, **kwargs: Any) -> Any:
            return ["loaded"]

    app.json = Provider(app)
    assert app.test_client().get("/").json == ["loaded"]


# Contexts.


def test_c16_context_stays_in_a_with_block(lib: Any, app: Any) -> None:
    torn_down: list[Any] = []
    app.teardown_request(torn_down.append)
    client = app.test_client()
    client.get("/")
    assert not lib.has_request_context()
    assert torn_down == [None]
    with client:
        client.get("/?a")
        assert torn_down == [None] * 2
        assert lib.request.query_string == b"a"
        assert lib.g.seen == "127.0.0.1"
        first = lib.request._get_current_object()
        client.get("/?b")
        assert lib.request.query_string == b"b"
        assert lib.request._get_current_object() is not first
        # Of the first one twice: what stays current ends with the next request.
        assert torn_down == [None] * 4
    assert not lib.has_request_context()
    assert torn_down == [None] * 5


def test_c16_after_an_error(lib: Any, app: Any) -> None:
    @app.route("/error")
    def error() -> Any:
        raise ZeroDivisionError

    client = app.test_client()
    with client:
        with pytest.raises(ZeroDivisionError):
            client.get("/error")
        assert not lib.has_request_context()
        client.get("/?next")
        assert lib.request.query_string == b"next"
    assert not lib.has_app_context()
    with client:
        assert not lib.has_request_context()
    app.testing = False
    with client:
        assert client.get("/error").status_code == 500
        assert lib.request.path == "/error"
    assert not lib.has_request_context()


def test_a_failed_request_is_forgotten() -> None:
    app = fastdispatch.App("x")
    app.testing = True

    @app.route("/error")
    def error() -> Any:
        raise ZeroDivisionError

    torn_down: list[Any] = []
    app.teardown_request(torn_down.append)
    client = app.test_client()
    with client:
        with pytest.raises(ZeroDivisionError):
            client.get("/error")
        assert len(torn_down) == 1
        client.get("/missing")
    assert [type(exc) for exc in torn_down] == [ZeroDivisionError, *[type(None)] * 2]


def test_client_cannot_be_nested(lib: Any, app: Any) -> None:
    client = app.test_client()
    with client:
        with pytest.raises(RuntimeError, match="Cannot nest"):
            with client:
                pass
    with client:
        assert client.get("/").status_code == 200


def test_redirects_are_followed(lib: Any, app: Any) -> None:
    @app.route("/from")
    def redirecting() -> Any:
        lib.session["from"] = True
        return lib.redirect("/to")

    @app.route("/to")
    def target() -> str:
        return repr(dict(lib.session))

    with app.test_client() as client:
        response = client.get("/from", follow_redirects=True)
        assert response.text == "{'from': True}"
        assert len(response.history) == 1
        assert lib.request.path == "/to"
    assert not lib.has_request_context()


# Sessions.


def test_session_transaction(lib: Any, app: Any) -> None:
    @app.route("/session")
    def show() -> str:
        return repr(sorted(lib.session.items()))

    client = app.test_client()
    with client.session_transaction() as session:
        assert len(session) == 0
        session["a"] = [1]
    assert client.get("/session").text == "[('a', [1])]"
    with client.session_transaction() as session:
        assert session["a"] == [1]
        session.clear()
    assert client.get("/session").text == "[]"
    assert client.get_cookie("session") is None


def test_session_transaction_that_fails_saves_nothing(app: Any) -> None:
    client = app.test_client()
    with pytest.raises(ZeroDivisionError):
        with client.session_transaction() as session:
            session["a"] = 1
            raise ZeroDivisionError
    with client.session_transaction() as session:
        assert "a" not in session


def test_session_transaction_for_a_path(app: Any) -> None:
    app.config["SESSION_COOKIE_PATH"] = "/inner"
    client = app.test_client()
    with client.session_transaction("/inner/x") as session:
        session["a"] = 1
    with client.session_transaction("/inner/y") as session:
        assert session["a"] == 1
    with client.session_transaction("/outer") as session:
        assert "a" not in session


def test_session_transaction_leaves_the_context_alone(lib: Any, app: Any) -> None:
    client = app.test_client()
    with app.test_request_context("/mine"):
        with client.session_transaction() as session:
            session["a"] = 1
            assert lib.request.path == "/mine"
        assert lib.request.path == "/mine"
    assert not lib.has_request_context()


def test_session_transaction_needs_cookies_and_a_key(app: Any) -> None:
    with pytest.raises(TypeError, match="Cookies are disabled"):
        with app.test_client(use_cookies=False).session_transaction():
            pass
    app.secret_key = None
    with pytest.raises(RuntimeError, match="Session backend did not open a session"):
        with app.test_client().session_transaction():
            pass


def test_session_transaction_with_a_null_session(lib: Any, app: Any) -> None:
    base: Any = lib.sessions.SessionInterface

    class Interface(base):  # type: ignore[misc]
        def open_session(self, app: Any, request: Any) -> Any:
            return self.make_null_session(app)

    app.session_interface = Interface()
    with app.test_client().session_transaction() as session:
        assert dict(session) == {}


def test_session_of_a_custom_interface(lib: Any, app: Any) -> None:
    store: dict[str, Any] = {}
    base: Any = lib.sessions.SessionInterface
    mixin: Any = lib.sessions.SessionMixin

    class Session(dict, mixin):  # type: ignore[misc,type-arg]
        pass

    class Interface(base):  # type: ignore[misc]
        def open_session(self, app: Any, request: Any) -> Any:
            return Session(store)

        def save_session(self, app: Any, session: Any, response: Any) -> None:
            store.update(session)

    @app.route("/count")
    def count() -> str:
        lib.session["n"] = lib.session.get("n", 0) + 1
        return str(lib.session["n"])

    app.session_interface = Interface()
    client = app.test_client()
    assert [client.get("/count").text for _ in range(2)] == ["1", "2"]
    with client.session_transaction() as session:
        session["n"] = 10
    assert client.get("/count").text == "11"


# Names.


def test_names() -> None:
    assert fastdispatch.testing.Client is fastdispatch.testing.FlaskClient
    client = fastdispatch.App("x").test_client()
    assert type(client) is fastdispatch.testing.FlaskClient
    with pytest.raises(ImportError, match="FlaskCliRunner.*out of scope"):
        from fastdispatch.testing import FlaskCliRunner  # noqa: F401
    with pytest.raises(AttributeError):
        _ = fastdispatch.testing.nothing  # type: ignore[attr-defined]
