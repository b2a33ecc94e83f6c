"""What is changed behind the engine, between requests and in the midst of one."""

from __future__ import annotations

import sys
import sysconfig
import typing as t

import flask
import pytest
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSessionInterface
from flask.sessions import SessionInterface
from flask.signals import request_finished
from tests.accelerate.conftest import Host
from tests.conformance.subjects import FLASK32
from werkzeug.datastructures import Headers
from werkzeug.sansio.response import Response as SansIOResponse
from werkzeug.test import create_environ
from werkzeug.test import run_wsgi_app

import fastdispatch

Trace = list[t.Any]

# Elsewhere, what replaces an attribute of another name waits for the next request.
COUNTS_CHANGES = (
    fastdispatch.compiled
    and sys.version_info >= (3, 12)
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
)


class Attributes(dict[str, t.Any]):
    """A ``__dict__`` of another class than dict."""


def _program(host: Host) -> flask.Flask:
    app = flask.Flask(__name__)
    app.add_url_rule("/", "index", lambda: "index")
    app.add_url_rule("/made", "made", lambda: flask.Response("made"))
    app.add_url_rule("/json", "json", lambda: {"a": 1})
    app.add_url_rule("/refused", "refused", lambda: flask.abort(403))
    app.secret_key = "secret"
    return host(app)


def test_one_attribute_in_the_place_of_another_is_called(
    host: Host, trace: Trace
) -> None:
    app = _program(host)
    vars(app)["mark"] = "to be gone"

    def process(*args: t.Any) -> flask.Response:
        # With the context before it from Flask 3.2 on.
        response: flask.Response = args[-1]
        trace.append(response.status_code)
        return response

    @app.before_request
    def swap() -> None:
        if vars(app).pop("mark", None) is not None:
            vars(app)["process_response"] = process

    client = app.test_client()
    client.get("/")
    if COUNTS_CHANGES or not host.accelerated:
        assert trace == [200]
    else:  # then or at the next request
        assert trace in ([], [200])
    client.get("/")
    assert trace[-1] == 200


def test_a_signals_receivers_are_replaced(
    host: Host, trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = _program(host)
    client = app.test_client()

    def receive(sender: flask.Flask, **extra: t.Any) -> None:
        trace.append(extra["response"].get_data(as_text=True))

    with request_finished.connected_to(receive, app):
        client.get("/")
    client.get("/")
    assert trace == ["index"]
    monkeypatch.setattr(request_finished, "receivers", {})
    with request_finished.connected_to(receive, app):
        client.get("/")
        assert trace == ["index", "index"]
    monkeypatch.undo()
    client.get("/")
    assert trace == ["index", "index"]


def test_a_setting_of_the_session_interface_gives_way_to_a_method(
    host: Host, trace: Trace
) -> None:
    app = _program(host)
    interface = SecureCookieSessionInterface()
    interface.salt = "other"
    app.session_interface = interface
    client = app.test_client()
    client.get("/")

    def opened(app: flask.Flask, request: flask.Request) -> t.Any:
        trace.append(request.path)
        return SecureCookieSessionInterface.open_session(interface, app, request)

    del interface.salt
    interface.open_session = opened  # type: ignore[method-assign]
    client.get("/")
    assert trace == ["/"]


@pytest.mark.parametrize("path", ["/", "/made", "/json", "/refused", "/missing"])
def test_patched_headers_are_in_every_response(
    host: Host, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = _program(host).test_client()
    before = client.get(path)
    original = Headers.to_wsgi_list

    def marked(self: Headers) -> list[tuple[str, str]]:
        return [*original(self), ("X-Mark", "1")]

    monkeypatch.setattr(Headers, "to_wsgi_list", marked)
    assert "1" in client.get(path).headers.getlist("X-Mark")
    monkeypatch.undo()
    assert list(client.get(path).headers) == list(before.headers)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("name", ["routing_exception", "url_rule", "view_args"])
def test_a_patched_field_of_the_request_class_is_used(
    host: Host, trace: Trace, name: str, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = _program(host)
    answers = []

    def ask() -> None:
        answers.append([app.test_client().get(path).status_code for path in paths])

    def get(request: flask.Request) -> t.Any:
        return vars(request).get(f"kept_{name}")

    def put(request: flask.Request, value: t.Any) -> None:
        trace.append(type(value).__name__)
        vars(request)[f"kept_{name}"] = value

    paths = ["/", "/missing", "/"]
    if late:
        ask()
    monkeypatch.setattr(flask.Request, name, property(get, put))
    ask()
    monkeypatch.undo()
    ask()
    assert (
        trace
        == {
            "routing_exception": ["NotFound"],
            "url_rule": ["Rule", "Rule"],
            "view_args": ["dict", "dict"],
        }[name]
    )
    assert answers == [[200, 404, 200]] * (2 + late)


@pytest.mark.parametrize("path", ["/", "/made", "/json", "/refused", "/missing"])
def test_a_patched_init_below_the_response_class_runs(
    host: Host, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = _program(host)
    environ = create_environ(path)
    before = run_wsgi_app(app, environ)
    original = SansIOResponse.__init__

    def marked(self: SansIOResponse, *args: t.Any, **kwargs: t.Any) -> None:
        original(self, *args, **kwargs)
        self.headers["X-Mark"] = "1"

    monkeypatch.setattr(SansIOResponse, "__init__", marked)
    assert run_wsgi_app(app, environ)[2]["X-Mark"] == "1"
    monkeypatch.undo()
    assert run_wsgi_app(app, environ)[2] == before[2]


@pytest.mark.parametrize("kind", [staticmethod, property])
def test_a_providers_method_gives_way_to_what_binds_in_another_way(
    host: Host, kind: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def respond(value: t.Any) -> flask.Response:
        return flask.Response(repr(value))

    app = _program(host)
    replaced = respond if kind is staticmethod else lambda provider: respond
    monkeypatch.setattr(DefaultJSONProvider, "response", kind(replaced))
    assert app.test_client().get("/json").text == "{'a': 1}"


def test_attributes_are_kept_in_a_subclass_of_dict(host: Host) -> None:
    app = _program(host)
    app.__dict__ = Attributes(vars(app))
    app.json.__dict__ = Attributes(vars(app.json))
    app.session_interface.__dict__ = Attributes(vars(app.session_interface))
    app.url_map.__dict__ = Attributes(vars(app.url_map))

    @app.route("/response")
    def respond() -> flask.Response:
        flask.session["a"] = 1
        response = flask.jsonify(b=2)
        response.__dict__ = Attributes(vars(response))
        return response

    client = app.test_client()
    for _ in range(2):
        assert client.get("/").text == "index"
        response = client.get("/response")
        assert response.json == {"b": 2}
        assert response.headers["Set-Cookie"].startswith("session=")


def test_an_error_page_keeps_what_a_hook_did_before_the_next_one_failed(
    host: Host,
) -> None:
    app = _program(host)

    @app.after_request
    def fail(response: flask.Response) -> flask.Response:
        raise ValueError("second")

    @app.after_request
    def mark(response: flask.Response) -> flask.Response:
        response.headers["X-Mark"] = "1"
        response.status_code = 503
        return response

    @app.route("/broken")
    def broken() -> str:
        raise ValueError("first")

    response = app.test_client().get("/broken")
    assert response.status_code == 503
    assert response.headers["X-Mark"] == "1"


class Unavailable(SessionInterface):
    """Its store cannot be reached."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def open_session(self, app: flask.Flask, request: flask.Request) -> t.NoReturn:
        self.trace.append("open")
        raise ConnectionError("no store")

    def save_session(self, app: flask.Flask, session: t.Any, response: t.Any) -> None:
        self.trace.append(("save", session))


@pytest.mark.parametrize("changes", [False, True])
def test_a_session_that_fails_to_open_is_opened_as_often_as_by_flask(
    host: Host, trace: Trace, changes: bool
) -> None:
    app = _program(host)
    app.session_interface = Unavailable(trace)

    @app.teardown_request
    def change(exc: t.Any) -> None:
        trace.append(type(exc))
        if changes:
            app.make_response = app.make_response  # type: ignore[method-assign]

    @app.teardown_appcontext
    def end(exc: t.Any) -> None:
        trace.append("end")

    assert app.test_client().get("/").status_code == 500
    again = "open" if FLASK32 else ("save", None)
    assert trace == ["open", again, ConnectionError, "end"]
