"""Signals: blinker's, with Flask's names."""

from __future__ import annotations

import subprocess
import sys

import flask.signals
import pytest

from fastdispatch import errors
from fastdispatch import signals

NAMES = [
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "got_request_exception",
    "message_flashed",
    "request_finished",
    "request_started",
    "request_tearing_down",
]


@pytest.mark.parametrize("name", NAMES)
def test_name_is_that_of_flask(name: str) -> None:
    ours = getattr(signals, name)
    theirs = getattr(flask.signals, name)
    assert type(ours) is type(theirs)
    assert ours.name == theirs.name
    assert ours is not theirs
    assert ours.__doc__ or name


@pytest.mark.parametrize("name", ["template_rendered", "before_render_template"])
def test_template_signals_are_out_of_scope(name: str) -> None:
    with pytest.raises(errors.OutOfScopeError, match="Use Flask itself"):
        getattr(signals, name)


def test_from_import_says_out_of_scope() -> None:
    with pytest.raises(ImportError, match="template_rendered.*out of scope"):
        from fastdispatch.signals import template_rendered  # noqa: F401


def test_other_names_are_an_attribute_error() -> None:
    assert not hasattr(signals, "nothing_of_the_kind")


PROGRAM = """
import sys
import fastdispatch

app = fastdispatch.App("app")

@app.get("/")
def view():
    return "Hello"

environ = {
    "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "a",
    "SERVER_PORT": "80", "wsgi.url_scheme": "http",
}

def ask():
    assert app(dict(environ), lambda *args: None) == [b"Hello"]

ask()
assert "blinker" not in sys.modules
heard = []

def listen(name):
    def receiver(sender, **kwargs):
        assert sender is app
        heard.append(name)
    getattr(fastdispatch, name).connect(receiver, weak=False)
    return receiver

listeners = {name: listen(name) for name in NAMES}
ask()
print(*heard)
for name, listener in listeners.items():
    getattr(fastdispatch, name).disconnect(listener)
heard.clear()
ask()
assert not heard
"""


def test_a_signal_is_sent_to_who_connects_after_the_first_request() -> None:
    names = [
        "appcontext_pushed",
        "request_started",
        "request_finished",
        "request_tearing_down",
        "appcontext_tearing_down",
        "appcontext_popped",
    ]
    command = [sys.executable, "-c", PROGRAM.replace("NAMES", repr(names))]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.split() == names
