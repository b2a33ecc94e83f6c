"""The logger: the same tests on ours and on Flask's."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from typing import Any

import flask
import flask.logging
import pytest

import fastdispatch
import fastdispatch.logging

NAME = "app_of_test_logging"


@pytest.fixture(autouse=True)
def outer() -> Iterator[logging.Logger]:
    """The logger above the app's, in place of the root, where pytest has handlers."""
    outer = logging.Logger("outer", logging.WARNING)
    logger = logging.getLogger(NAME)
    root, logger.parent = logger.parent, outer
    yield outer
    logger.parent = root
    logger.handlers[:] = []
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


@pytest.fixture(params=["ours", "flask"])
def framework(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def module(framework: str) -> Any:
    return flask.logging if framework == "flask" else fastdispatch.logging


@pytest.fixture
def app(framework: str) -> Any:
    return (flask.Flask if framework == "flask" else fastdispatch.App)(NAME)


def test_logger_is_named_like_the_app(app: Any, module: Any) -> None:
    assert app.logger is logging.getLogger(NAME)
    assert app.logger.level == logging.NOTSET
    assert app.logger.handlers == [module.default_handler]


def test_debug_sets_the_level_once(app: Any) -> None:
    app.debug = True
    assert app.logger.level == logging.DEBUG


def test_a_level_that_was_set_stays(app: Any) -> None:
    logging.getLogger(NAME).setLevel(logging.ERROR)
    app.debug = True
    assert app.logger.level == logging.ERROR


def test_no_handler_beside_one_that_is_there(app: Any, outer: logging.Logger) -> None:
    outer.addHandler(logging.StreamHandler(io.StringIO()))
    assert app.logger.handlers == []


def test_has_level_handler(module: Any, outer: logging.Logger) -> None:
    logger = logging.getLogger(NAME)
    assert not module.has_level_handler(logger)
    handler = logging.StreamHandler(io.StringIO())
    outer.addHandler(handler)
    assert module.has_level_handler(logger)
    handler.setLevel(logging.ERROR)
    assert not module.has_level_handler(logger)
    handler.setLevel(logging.NOTSET)
    logger.propagate = False
    assert not module.has_level_handler(logger)


def test_stream_is_that_of_the_request(app: Any, module: Any) -> None:
    stream = io.StringIO()
    assert module.wsgi_errors_stream._get_current_object() is sys.stderr
    with app.app_context():
        assert module.wsgi_errors_stream._get_current_object() is sys.stderr
    with app.test_request_context(errors_stream=stream):
        assert module.wsgi_errors_stream._get_current_object() is stream
        app.logger.error("a message")
    assert stream.getvalue().endswith("ERROR in test_logging: a message\n")


def test_an_unhandled_error_is_logged(app: Any) -> None:
    @app.route("/")
    def index() -> str:
        raise ValueError("broken")

    stream = io.StringIO()
    assert app.test_client().get("/", errors_stream=stream).status_code == 500
    assert "Exception on / [GET]" in stream.getvalue()
    assert "ValueError: broken" in stream.getvalue()
