"""Extensions do the same on a plain application and on an accelerated one."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from tests.extensions.support import run
from tests.extensions.support import WHENS

import fastdispatch

ROOT = Path(__file__).resolve().parents[2]

# The steps that each leaves to the application's own code.
EXTENSIONS: dict[str, set[str]] = {
    "sqlalchemy": set(),
    "login": set(),
    "wtf": set(),
    "cors": {
        "_find_error_handler",
        "_get_exc_class_and_code",
        "handle_exception",
        "handle_user_exception",
        "log_exception",
    },
    "session": {"session"},
    "limiter": set(),
    # In debug mode, where JSON is indented.
    "debugtoolbar": {"dispatch_request", "json", "raise_routing_exception"},
}
# Each in a process of its own: they instrument Flask for good. None: everything.
TRACERS: dict[str, set[str] | None] = {
    "sentry": set(),
    "opentelemetry_app": set(),
    "opentelemetry_class": set(),
    "newrelic_hooks": None,
    "ddtrace_patch": None,
    "scout": {
        "dispatch_request",
        "finalize_request",
        "full_dispatch_request",
        "handle_user_exception",
        "make_response",
        "preprocess_request",
        "process_response",
        "raise_routing_exception",
    },
}
TIMEOUT = 60.0  # seconds for one program in a process of its own


def compare(
    plain: dict[str, t.Any], accelerated: dict[str, t.Any], left: set[str] | None
) -> None:
    """Both have shown the same, and the engine was there in one of them."""
    assert plain["requests"] == 0
    assert len(plain["log"]) > 5
    assert accelerated["log"] == plain["log"]
    assert accelerated["requests"] > 4
    if left is None:
        assert accelerated["the_engines"] == []
        assert accelerated["handed_back"] == accelerated["requests"]
    else:
        if not fastdispatch.compiled:
            left = left | {"json"}
        assert set(accelerated["not_the_engines"]) == left
        assert accelerated["handed_back"] == 0


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("name", EXTENSIONS)
# Their own warnings are theirs.
@pytest.mark.filterwarnings("default")
def test_the_same_with_and_without(name: str, when: str) -> None:
    program = importlib.import_module(f"tests.extensions.programs.{name}").program
    plain = run(program, when, False)
    accelerated = run(program, when, True)
    compare(plain, accelerated, EXTENSIONS[name])


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("name", TRACERS)
def test_tracers_see_the_same_with_and_without(name: str, when: str) -> None:
    plain = in_own_process(name, when, "plain")
    accelerated = in_own_process(name, when, "accelerated")
    compare(plain, accelerated, TRACERS[name])


def in_own_process(name: str, when: str, how: str) -> dict[str, t.Any]:
    completed = subprocess.run(
        [sys.executable, "-m", "tests.extensions.programs", name, when, how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    lines = completed.stdout.splitlines()
    found = [line for line in lines if line.startswith("RESULT ")]
    assert completed.returncode == 0 and len(found) == 1, completed.stderr[-4000:]
    result: dict[str, t.Any] = json.loads(found[0].removeprefix("RESULT "))
    return result
