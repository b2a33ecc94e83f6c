"""Requests that Flask fails on: an accelerated one fails in the same way."""

from __future__ import annotations

from typing import Any

import flask
import pytest
from werkzeug.test import EnvironBuilder

import fastdispatch


def program() -> flask.Flask:
    app = flask.Flask("malformed")
    app.logger.disabled = True

    @app.get("/")
    def index() -> str:
        return repr((flask.request.args, flask.request.full_path, flask.request.url))

    return app


def answer(app: flask.Flask, key: str, value: str) -> Any:
    environ = EnvironBuilder("/").get_environ()
    environ[key] = value
    started: list[Any] = []
    try:
        body = b"".join(app(environ, lambda *args: started.append(args)))  # type: ignore[arg-type,return-value]
    except Exception as error:
        return type(error), str(error)
    return started, body


@pytest.mark.parametrize("key", ["QUERY_STRING", "SCRIPT_NAME", "PATH_INFO"])
@pytest.mark.parametrize(
    "value",
    ["a=%ff", "/a=\xff", "\xe9=1", "/\u1234", "a=\ud800", "a=\x00", "/\xc3\xa9"],
)
def test_malformed_environ(key: str, value: str) -> None:
    plain = answer(program(), key, value)
    assert answer(fastdispatch.accelerate(program()), key, value) == plain
