"""One test on plain Flask and on accelerated Flask, and the watch over leaks."""

from __future__ import annotations

import contextvars
import typing as t
from collections.abc import Callable

import flask
import pytest

import fastdispatch

App = t.TypeVar("App", bound=flask.Flask)


class Host:
    """Takes applications: as they are, or accelerated."""

    def __init__(self, name: str, take: Callable[[t.Any], t.Any]) -> None:
        self.name = name
        self.take = take

    @property
    def accelerated(self) -> bool:
        return self.name == "accelerated"

    def __call__(self, app: App) -> App:
        taken: App = self.take(app)
        assert taken is app
        return taken

    def __repr__(self) -> str:
        return self.name


PLAIN = Host("plain", lambda app: app)
ACCELERATED = Host("accelerated", fastdispatch.accelerate)


@pytest.fixture(params=[PLAIN, ACCELERATED], ids=str)
def host(request: pytest.FixtureRequest) -> Host:
    chosen: Host = request.param
    return chosen


@pytest.fixture
def trace() -> list[t.Any]:
    """Events in the order they happened."""
    return []


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Run each test in context variables of its own; it may leave no context there."""
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}

    def run() -> None:
        pyfuncitem.obj(**arguments)
        assert not flask.has_request_context(), "a request context is left"
        assert not flask.has_app_context(), "an application context is left"

    contextvars.copy_context().run(run)
    return True
