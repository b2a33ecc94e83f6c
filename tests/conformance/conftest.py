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


DISAGREE: dict[str, str] = {
    "test_header_injection_through_the_status[app-compiled-200": "not refused",
    "test_header_injection_through_the_status[app-pure-200": "not refused",
    "test_a_failure_at[app-compiled-preserve_context": "no teardown, a context left",
    "test_a_failure_at[app-pure-preserve_context": "no teardown, a context left",
    "test_a_log_handler_that_fails_loses_no_teardown": "the rest is skipped",
    "test_should_ignore_error_that_fails": "no teardown",
    "test_a_failing_start_response_closes_the_response[app-pure": "left to the gc",
    "test_c14_teardown_once_where_the_stream_is_not_sent[app-compiled-fail": "gc",
    "test_c14_teardown_once_where_the_stream_is_not_sent[app-pure-fail": "to the gc",
}
"""Where the native App is not there yet: each of these has to fail until it is."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name, reason in DISAGREE.items():
            if item.name.startswith(name) and "flask" not in item.name:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
