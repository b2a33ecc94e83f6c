"""Fixtures for one test on every subject, and the watch over leaked contexts."""

from __future__ import annotations

import contextvars
import typing as t

import pytest
from tests.conformance.subjects import Framework
from tests.conformance.subjects import NATIVE
from tests.conformance.subjects import SUBJECTS


def assert_no_context() -> None:
    for subject in SUBJECTS:
        assert not subject.has_request_context(), (
            f"{subject}: a request context is left"
        )
        assert not subject.has_app_context(), f"{subject}: an app context is left"
        assert not subject.current_app, f"{subject}: current_app is left bound"
        assert not subject.request, f"{subject}: request is left bound"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Run each test in context variables of its own; it may leave no context there."""
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}

    def run() -> None:
        assert_no_context()
        pyfuncitem.obj(**arguments)
        assert_no_context()

    contextvars.copy_context().run(run)
    return True


@pytest.fixture(params=SUBJECTS, ids=str)
def fw(request: pytest.FixtureRequest) -> Framework:
    """Each framework in turn: ours in both builds, and Flask, the oracle."""
    framework: Framework = request.param
    return framework


@pytest.fixture(params=NATIVE, ids=str)
def native(request: pytest.FixtureRequest) -> Framework:
    """Ours in each build, for what Flask does not have."""
    framework: Framework = request.param
    return framework


@pytest.fixture
def app(fw: Framework) -> t.Any:
    return fw.App("conformance")


@pytest.fixture
def client(app: t.Any) -> t.Any:
    return app.test_client()


@pytest.fixture
def trace() -> list[t.Any]:
    """Events in the order they happened."""
    return []
