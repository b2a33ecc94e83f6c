"""``explain`` says what the engine does with the next request, and no more."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import typing as t
from collections.abc import Callable
from pathlib import Path

import flask
import pytest
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSessionInterface
from tests.accelerate.conftest import ACCELERATED
from werkzeug.datastructures import Headers
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Map
from werkzeug.routing import MapAdapter

import fastdispatch
import fastdispatch.flask
from fastdispatch.engine.plan import STEPS
from fastdispatch.flask import Engine
from fastdispatch.flask import engine_of
from fastdispatch.flask import version

Rows = dict[str, fastdispatch.flask.Step]


def rows_of(app: flask.Flask) -> Rows:
    return {row.step: row for row in fastdispatch.explain(app)}


def left(app: flask.Flask) -> dict[str, str]:
    """The rows that say ``app``; that of json only where it is about *app*."""
    found = {row.step: row.why for row in fastdispatch.explain(app) if not row.engine}
    if not fastdispatch.compiled and "the pure build leaves" in found["json"]:
        del found["json"]
    return found


def make(cls: type[flask.Flask] = flask.Flask) -> flask.Flask:
    app = cls("explained", static_folder=None)
    app.secret_key = "key"
    app.add_url_rule("/", "index", lambda: "index")
    return ACCELERATED(app)


def overriding(step: str) -> type[flask.Flask]:
    """A subclass whose *step* does as Flask's."""
    original = getattr(flask.Flask, step)

    @functools.wraps(original)
    def method(self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return original(self, *args, **kwargs)

    return type("Overriding", (flask.Flask,), {step: method})


def wrap(monkeypatch: pytest.MonkeyPatch, cls: type, name: str) -> None:
    """Patch *cls* with what does the same."""
    original = getattr(cls, name)

    @functools.wraps(original)
    def wrapper(*args: t.Any, **kwargs: t.Any) -> t.Any:
        return original(*args, **kwargs)

    monkeypatch.setattr(cls, name, wrapper)


@pytest.fixture
def handed_back(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of requests that the engine handed back to Flask."""
    paths: list[str] = []
    hand_back = Engine._hand_back

    def noting(self: Engine, app: t.Any, environ: t.Any, start: t.Any) -> t.Any:
        paths.append(environ["PATH_INFO"])
        return hand_back(self, app, environ, start)

    monkeypatch.setattr(Engine, "_hand_back", noting)
    return paths


def assert_lost(app: flask.Flask, why: str) -> None:
    for row in fastdispatch.explain(app):
        assert not row.engine
        assert row.why.endswith(f"Flask's own code runs all of it: {why}")


@pytest.mark.parametrize("step", ["wsgi_app", *version.CONTEXT_STEPS])
def test_a_step_that_costs_everything_is_in_every_row(
    step: str, handed_back: list[str]
) -> None:
    app = make(overriding(step))
    assert app.test_client().get("/").text == "index"
    assert handed_back == ["/"]
    assert_lost(app, f"{step} is overridden by {__name__}.Overriding")


def around(inner: t.Any) -> t.Any:
    return lambda environ, start_response: inner(environ, start_response)


def test_middleware_is_named() -> None:
    app = make()
    app.wsgi_app = ProxyFix(around(app.wsgi_app))  # type: ignore[method-assign]
    row = rows_of(app)["wsgi_app"]
    assert row.engine
    assert row.why == "Flask's own, inside of a ProxyFix"
    assert left(app) == {}


@pytest.mark.parametrize("hide", [lambda inner: around(None), functools.partial])
def test_middleware_in_which_the_engine_is_not_found_is_named(
    hide: t.Any,
) -> None:
    app = make()
    app.wsgi_app = hide(app.wsgi_app)
    (why,) = left(app).values()
    assert not rows_of(app)["wsgi_app"].engine
    assert "in which the engine is not found" in why


@pytest.mark.parametrize(
    "cls, name",
    [
        (cls, name)
        for cls, names in version.WATCHED.items()
        for name in names
        if callable(vars(cls).get(name)) and name != "__init__"
    ],
)
def test_a_patched_context_costs_everything(
    cls: type, name: str, handed_back: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make()
    assert left(app) == {}
    wrap(monkeypatch, cls, name)
    assert app.test_client().get("/").text == "index"
    assert handed_back == ["/"]
    assert_lost(app, f"flask.ctx.{cls.__name__}.{name} is patched")
    monkeypatch.undo()
    assert left(app) == {}
    assert app.test_client().get("/").text == "index"


def test_where_all_is_lost_a_row_tells_its_own_reason_too() -> None:
    app = make(overriding("wsgi_app"))
    app.process_response = app.process_response  # type: ignore[method-assign]
    lost = f"wsgi_app is overridden by {__name__}.Overriding"
    assert_lost(app, lost)
    assert rows_of(app)["process_response"].why.startswith("set on the application; ")


# Flask 3.2 has no should_ignore_error of its own.
@pytest.mark.parametrize("step", [s for s in STEPS if getattr(flask.Flask, s)])
def test_a_row_says_what_the_plan_says(step: str) -> None:
    app = make(overriding(step))
    engine = engine_of(app)
    assert engine is not None
    rows = rows_of(app)
    assert not rows[step].engine
    plan = engine.next_plan(app)
    for name in STEPS:
        if rows[name].engine:
            assert getattr(plan, f"own_{name}")
    assert not getattr(plan, f"own_{step}")


@pytest.mark.parametrize(
    "step, inside",
    [
        (
            "full_dispatch_request",
            {
                "dispatch_request",
                "finalize_request",
                "handle_user_exception",
                "make_response",
                "preprocess_request",
                "process_response",
                "raise_routing_exception",
            },
        ),
        ("dispatch_request", {"raise_routing_exception"}),
        ("finalize_request", {"make_response", "process_response"}),
        ("handle_exception", {"log_exception"}),
        (
            "_find_error_handler",
            {
                "_get_exc_class_and_code",
                "handle_exception",
                "handle_user_exception",
                "log_exception",
            },
        ),
        ("create_url_adapter", {"url_map"}),
        ("process_response", set()),
    ],
)
def test_what_is_done_inside_of_a_step_goes_with_it(
    step: str, inside: set[str]
) -> None:
    assert set(left(make(overriding(step)))) == inside | {step}


PATCHES: list[tuple[type, str, str]] = [
    (flask.Request, "__init__", "request_class"),
    (flask.Request.__mro__[1], "__init__", "request_class"),
    (flask.Response, "__init__", "response_class"),
    (flask.Response.__mro__[1], "__call__", "response_class"),
    (flask.Response.__mro__[1], "get_wsgi_headers", "response_class"),
    (Headers, "__init__", "response_class"),
    (Map, "bind_to_environ", "create_url_adapter"),
    (MapAdapter, "match", "create_url_adapter"),
    (SecureCookieSessionInterface, "open_session", "session"),
    (DefaultJSONProvider, "dumps", "json"),
]


@pytest.mark.parametrize("cls, name, step", PATCHES)
def test_a_patched_class_is_named(
    cls: type, name: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make()
    assert left(app) == {}
    owner = next(c for c in cls.__mro__ if name in vars(c) or c is cls)
    wrap(monkeypatch, cls, name)
    found = left(app)
    assert found[step].endswith(f"{owner.__qualname__}.{name} is patched")
    assert set(found) - {step} <= {"url_map"}
    assert app.test_client().get("/").text == "index"
    monkeypatch.undo()
    assert left(app) == {}


class OwnGlobals(flask.ctx._AppCtxGlobals):
    pass


class OwnMap(Map):
    pass


class OwnRequest(flask.Request):
    cookies: t.Any = {}


def own_interface() -> SecureCookieSessionInterface:
    interface: t.Any = SecureCookieSessionInterface()
    interface.open_session = interface.open_session
    return interface  # type: ignore[no-any-return]


def _own_map(app: flask.Flask) -> None:
    app.url_map.__class__ = OwnMap


ALTERED: list[tuple[Callable[[flask.Flask], t.Any], dict[str, str]]] = [
    (
        lambda app: app.config.update(TRUSTED_HOSTS=["localhost"]),
        {"url_map": "TRUSTED_HOSTS is set"},
    ),
    (
        lambda app: setattr(app, "subdomain_matching", True),
        {"url_map": "hosts or subdomains take part"},
    ),
    (
        lambda app: setattr(app, "app_ctx_globals_class", OwnGlobals),
        {"app_ctx_globals_class": f"{__name__}.OwnGlobals"},
    ),
    (
        lambda app: setattr(app, "request_class", OwnRequest),
        {
            "request_class": f"{__name__}.OwnRequest",
            "session": "SecureCookieSessionInterface, opened each time:"
            f" {__name__}.OwnRequest has cookies of its own",
        },
    ),
    (
        lambda app: setattr(app, "session_interface", own_interface()),
        {
            "session": "SecureCookieSessionInterface, opened each time:"
            " open_session is set on it"
        },
    ),
    (
        lambda app: setattr(app, "log_exception", lambda *a: None),
        {"log_exception": "set on the application"},
    ),
]


@pytest.mark.parametrize("alter, expected", ALTERED)
def test_what_an_application_has_set_is_told(
    alter: Callable[[flask.Flask], t.Any], expected: dict[str, str]
) -> None:
    app = make()
    alter(app)
    assert left(app) == expected


def test_a_map_of_another_class_is_told() -> None:
    app = make()
    _own_map(app)
    assert left(app)["create_url_adapter"] == f"the URL map is a {__name__}.OwnMap"
    assert not rows_of(app)["url_map"].engine


def test_a_patch_on_a_base_of_flask_is_called_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = make()
    base = flask.Flask.__mro__[1]
    wrap(monkeypatch, base, "_find_error_handler")
    why = left(app)["_find_error_handler"]
    assert why == f"patched on {base.__module__}.{base.__qualname__}"


def test_the_table_has_a_line_for_each_row() -> None:
    table = fastdispatch.explain(make(overriding("process_response")))
    lines = str(table).splitlines()
    assert len(lines) == len(table) + 1
    line = next(line for line in lines if line.startswith("process_response"))
    assert line.split(maxsplit=2)[1:] == ["app", f"overridden by {__name__}.Overriding"]


# What is no Flask application.


def create_app() -> None: ...


WRONG = [
    (5, "not int", "Give it the application itself"),
    (None, "not None", "return it"),
    (create_app, "not the function create_app", "{name}(create_app())"),
    (fastdispatch.App("x"), "not a fastdispatch.App", "leave {name}() out"),
    (flask.Flask, "not the class Flask", "{name}(Flask(...))"),
]


@pytest.mark.parametrize("function", ["accelerate", "explain", "restore"])
@pytest.mark.parametrize("thing, what, remedy", WRONG)
def test_what_is_no_flask_application_is_named(
    function: str, thing: t.Any, what: str, remedy: str
) -> None:
    with pytest.raises(TypeError) as info:
        getattr(fastdispatch, function)(thing)
    said = str(info.value)
    assert said.startswith(f"{function}() takes a flask.Flask application, {what}. ")
    assert remedy.format(name=function) in said


def test_the_proxy_of_the_current_application_will_do() -> None:
    app = flask.Flask("proxied")
    with app.app_context():
        assert fastdispatch.accelerate(flask.current_app) is app
        assert rows_of(flask.current_app)["wsgi_app"].engine
        assert fastdispatch.restore(flask.current_app) is app
        with pytest.raises(RuntimeError, match="Call fastdispatch.accelerate"):
            fastdispatch.explain(flask.current_app)


# The command.

PROGRAM = """
import flask
import fastdispatch

app = flask.Flask(__name__)
native = fastdispatch.App(__name__)
nothing = None

def create_app():
    return flask.Flask(__name__)

def broken():
    cfg = None
    cfg.foo

def unset():
    raise ValueError("no DATABASE_URL")

def imports():
    import not_installed_thing

def forgets():
    flask.Flask(__name__)
"""


def command(tmp_path: Path, *arguments: str) -> tuple[int, str, str]:
    (tmp_path / "shop.py").write_text(PROGRAM)
    (tmp_path / "deep.py").write_text("import not_installed_thing\n")
    paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-m", "fastdispatch", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", ["shop:app", "shop:create_app()"])
def test_the_command_draws_the_table(name: str, tmp_path: Path) -> None:
    status, out, err = command(tmp_path, "explain", name)
    assert (status, err) == (0, "")
    assert out.splitlines()[0].split() == ["step", "run", "by", "why"]
    assert any(line.startswith("process_response") for line in out.splitlines())


@pytest.mark.parametrize(
    "name, error, where",
    [
        ("shop:broken()", "AttributeError: 'NoneType'", "in broken"),
        ("shop:unset()", "ValueError: no DATABASE_URL", "in unset"),
        ("shop:imports()", "No module named 'not_installed_thing'", "in imports"),
        ("deep:app", "No module named 'not_installed_thing'", "deep.py"),
    ],
)
def test_an_error_of_the_program_has_its_traceback(
    name: str, error: str, where: str, tmp_path: Path
) -> None:
    status, out, err = command(tmp_path, "explain", name)
    assert (status, out) == (1, "")
    assert err.startswith("Traceback (most recent call last):")
    assert where in err
    assert error in err.splitlines()[-1]


@pytest.mark.parametrize(
    "name, said",
    [
        ("shop", "it must have the form 'module:app' or 'module:create_app()'."),
        ("no_such:app", "'no_such:app' names no application: No module named"),
        ("shop.web:app", "'shop' is not a package."),
        ("shop:ap", "module 'shop' has no 'ap'."),
        ("shop:create_app", "If it makes one: 'shop:create_app()'."),
        ("shop:native", "not a fastdispatch.App."),
        ("shop:nothing", "not None."),
        ("shop:forgets()", "Does what makes the application return it?"),
    ],
)
def test_a_wrong_name_is_a_message_of_one_line(
    name: str, said: str, tmp_path: Path
) -> None:
    status, out, err = command(tmp_path, "explain", name)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert said in err


def test_help_is_no_error(tmp_path: Path) -> None:
    for arguments in (["--help"], ["-h"], ["explain", "--help"]):
        status, out, err = command(tmp_path, *arguments)
        assert (status, err) == (0, "")
        assert "explain" in out
    assert "module:create_app()" in out
    for arguments in (["explain"], ["no-such-command"], ["explain", "a:b", "c"]):
        status, out, err = command(tmp_path, *arguments)
        assert (status, out) == (2, "")
        assert err.startswith("usage: python -m fastdispatch")
