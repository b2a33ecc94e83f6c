"""The engine taken out again, by ``restore`` or by somebody else; Flask replaced."""

from __future__ import annotations

import functools
import subprocess
import sys
import typing as t
from collections.abc import Iterable

import flask
import pytest
from flask.json.provider import DefaultJSONProvider

import fastdispatch
from fastdispatch.flask import Engine
from fastdispatch.flask import engine_of
from fastdispatch.flask import FlaskRequest


class Shop(flask.Flask):
    """Its own wsgi_app has to run, whatever is put in place and taken out."""

    def wsgi_app(self, environ: t.Any, start_response: t.Any) -> t.Any:
        environ["shop"] = "open"
        return super().wsgi_app(environ, start_response)


def shop() -> Shop:
    app = Shop(__name__)
    app.add_url_rule("/", "index", lambda: flask.request.environ.get("shop", "shut"))
    return app


class Middleware:
    def __init__(self, wsgi_app: t.Any) -> None:
        self.wsgi_app = wsgi_app

    def __call__(self, environ: t.Any, start_response: t.Any) -> Iterable[bytes]:
        environ["middleware"] = True
        answer: Iterable[bytes] = self.wsgi_app(environ, start_response)
        return answer


def test_an_overridden_wsgi_app_runs_accelerated_and_restored() -> None:
    app = shop()
    fastdispatch.accelerate(app)
    assert app.test_client().get("/").text == "open"
    rows = {row.step: row for row in fastdispatch.explain(app)}
    assert not rows["wsgi_app"].engine
    assert rows["wsgi_app"].why.endswith(".Shop")
    fastdispatch.restore(app)
    assert app.test_client().get("/").text == "open"


@pytest.mark.parametrize("deleted", [True, False])
def test_restored_after_somebody_took_the_engine_out(deleted: bool) -> None:
    app = shop()
    stock = app.wsgi_app
    fastdispatch.accelerate(app)
    if deleted:
        del app.wsgi_app
    else:
        app.wsgi_app = stock  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="not accelerated"):
        fastdispatch.explain(app)
    assert fastdispatch.restore(app) is app
    assert "fastdispatch" not in app.extensions
    assert type(app.json) is DefaultJSONProvider
    assert app.test_client().get("/").text == "open"
    assert isinstance(fastdispatch.accelerate(app).wsgi_app, Engine)


def test_restored_inside_middleware_an_overridden_wsgi_app_runs() -> None:
    app = shop()
    outer = Middleware(app.wsgi_app)
    app.wsgi_app = outer  # type: ignore[method-assign]
    fastdispatch.accelerate(app)
    assert isinstance(outer.wsgi_app, Engine)
    assert app.test_client().get("/").text == "open"
    fastdispatch.restore(app)
    assert not isinstance(outer.wsgi_app, Engine)
    assert app.test_client().get("/").text == "open"


def wrapping(inner: t.Any) -> t.Any:
    @functools.wraps(inner)
    def middleware(environ: t.Any, start_response: t.Any) -> t.Any:
        return inner(environ, start_response)

    return middleware


@pytest.mark.parametrize(
    "put_around", [Middleware, wrapping, lambda inner: Middleware(inner).__call__]
)
@pytest.mark.parametrize("late", [False, True])
def test_inside_of_middleware_it_runs_and_is_taken_out(
    put_around: t.Any, late: bool
) -> None:
    app = flask.Flask(__name__)

    @app.route("/")
    def index() -> str:
        return str(isinstance(flask.request, FlaskRequest))

    if late:
        fastdispatch.accelerate(app)
    app.wsgi_app = put_around(app.wsgi_app)  # type: ignore[method-assign]
    if not late:
        fastdispatch.accelerate(app)
    assert app.test_client().get("/").text == "True"
    fastdispatch.restore(app)
    assert app.test_client().get("/").text == "False"


def test_what_was_there_before_accelerate_is_put_back() -> None:
    app = flask.Flask(__name__)
    app.add_url_rule("/", "index", lambda: "index")
    older = app.wsgi_app
    fastdispatch.accelerate(app)
    assert engine_of(app) is app.wsgi_app
    app.wsgi_app = older  # type: ignore[method-assign]
    assert app.test_client().get("/").text == "index"
    assert engine_of(app) is None
    with pytest.raises(RuntimeError, match="not accelerated"):
        fastdispatch.explain(app)
    fastdispatch.accelerate(app)
    assert engine_of(app) is app.wsgi_app
    assert app.test_client().get("/").text == "index"


# A tracer puts a subclass in the place of flask.Flask, before or after the import.
REPLACED = """
import flask

old = flask.Flask("old")
if {early}:
    import fastdispatch.flask
flask.Flask = type("Flask", (flask.Flask,), {{}})
import fastdispatch

for app in (old, flask.Flask("new")):
    app.add_url_rule("/", "index", lambda: "index")
    assert fastdispatch.accelerate(app) is app
    assert app.test_client().get("/").text == "index"
    rows = {{row.step: row for row in fastdispatch.explain(app)}}
    assert rows.pop("json").engine is fastdispatch.compiled
    assert all(row.engine for row in rows.values())
"""


@pytest.mark.parametrize("early", [False, True])
def test_flask_is_replaced_by_a_subclass(early: bool) -> None:
    program = REPLACED.format(early=early)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
