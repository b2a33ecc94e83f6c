"""A program that uses an extension, run plain and accelerated, and what it showed."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Callable

import flask
from flask.testing import FlaskClient

from fastdispatch import accelerate
from fastdispatch import explain

WHENS = ("early", "late", "served")
"""Accelerated before the extension is set up; after; after a first request."""

# What differs from run to run on plain Flask already.
_SCRUBBED = (
    (re.compile(r"0x[0-9a-f]{6,}"), "0x…"),
    (re.compile(r"\d+(\.\d+)? ?ms\b"), "… ms"),
    (re.compile(r"\d+\.\d{3,}"), "0.…"),
    (re.compile(r"I[mjk][A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"), "token"),
)
_DROPPED_HEADERS = {"Date"}


class Subject:
    """Accelerates one application, or does not, at the time that is on trial."""

    def __init__(self, when: str, accelerated: bool) -> None:
        assert when in WHENS
        self.when = when
        self.accelerated = accelerated
        self.app: flask.Flask | None = None

    def made(self, app: flask.Flask) -> None:
        """*app* is made, and nothing has been set up."""
        self.app = app
        app.secret_key = "a key"
        if self.when == "early":
            self._accelerate(app)

    def ready(self, app: flask.Flask) -> None:
        """*app* is set up, and has served nothing."""
        assert self.app is app
        if self.when == "late":
            self._accelerate(app)
        elif self.when == "served":
            app.test_client().get("/first-request-of-all").close()
            self._accelerate(app)

    def again(self, app: flask.Flask) -> None:
        """*app* is done with an extension: maybe the engine has been taken out."""
        self._accelerate(app)

    def _accelerate(self, app: flask.Flask) -> None:
        if self.accelerated:
            counting.start()
            assert accelerate(app) is app


class Log(list[t.Any]):
    """What a program showed: responses, and whatever it appends."""

    def open(
        self, client: FlaskClient, path: str, method: str = "GET", **options: t.Any
    ) -> str:
        """Make a request, note what came back, and return the body."""
        response = client.open(path, method=method, **options)
        body = response.get_data(as_text=True)
        headers = [
            [name, shown(client, name, value)]
            for name, value in response.headers
            if name not in _DROPPED_HEADERS
        ]
        self.append([method, path, response.status, headers, scrub(body)])
        response.close()
        return body


def shown(client: FlaskClient, name: str, value: str) -> t.Any:
    """Return a header's value without what differs from run to run."""
    if name == "Set-Cookie":
        return cookie(client, value)
    if name == "Allow":
        # A set's order.
        return sorted(value.split(", "))
    return scrub(value)


def scrub(text: str) -> str:
    """Return *text* without what differs from run to run."""
    for pattern, replacement in _SCRUBBED:
        text = pattern.sub(replacement, text)
    return text


def cookie(client: FlaskClient, header: str) -> t.Any:
    """Return a Set-Cookie header with what was signed in it in the clear."""
    app = client.application
    name, _, rest = header.partition("=")
    value, semicolon, attributes = rest.partition(";")
    attributes = re.sub(r"Expires=[^;]*", "Expires=…", attributes)
    serializer = flask.sessions.SecureCookieSessionInterface().get_signing_serializer(
        app
    )
    if name == app.config["SESSION_COOKIE_NAME"] and serializer and value:
        try:
            loaded = dict(serializer.loads(value))
        except Exception:
            return [name, "not signed", attributes]
        return [name, json.loads(scrub(json.dumps(secrets_hidden(loaded)))), attributes]
    return [name, bool(value), semicolon + attributes]


def secrets_hidden(loaded: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a session's contents with the random ones named only."""
    return {k: "random" if k == "csrf_token" else v for k, v in loaded.items()}


class Counting:
    """Counts the requests that reach engines, and those they hand back to Flask."""

    def __init__(self) -> None:
        self.requests = 0
        self.handed_back = 0
        self.originals: dict[str, t.Any] = {}

    def start(self) -> None:
        """Begin to count, if that is not done yet."""
        if self.originals:
            return
        # Not before the program's tracers have patched what they patch.
        from fastdispatch.flask import Engine

        engine: t.Any = Engine
        call = engine.__call__
        hand_back = engine._hand_back
        self.originals = {n: vars(Engine).get(n) for n in ("__call__", "_hand_back")}

        def counting_call(engine: t.Any, environ: t.Any, start: t.Any) -> t.Any:
            self.requests += 1
            return call(engine, environ, start)

        def counting_hand_back(*args: t.Any) -> t.Any:
            self.handed_back += 1
            return hand_back(*args)

        engine.__call__ = counting_call
        engine._hand_back = counting_hand_back

    def stop(self) -> None:
        """Count no more."""
        if not self.originals:
            return
        from fastdispatch.flask import Engine

        for name, original in self.originals.items():
            if original is None:
                delattr(Engine, name)
            else:
                setattr(Engine, name, original)
        self.originals = {}


counting = Counting()


Program = Callable[[Subject, Log], None]


def run(program: Program, when: str, accelerated: bool) -> dict[str, t.Any]:
    """Run *program* and return what it showed and how many requests the engine had."""
    subject = Subject(when, accelerated)
    log = Log()
    counting.requests = counting.handed_back = 0
    try:
        program(subject, log)
    finally:
        counting.stop()
    assert subject.app is not None
    rows = {}
    done = []
    if accelerated:
        table = explain(subject.app)
        rows = {row.step: row.why for row in table if not row.engine}
        done = [row.step for row in table if row.engine]
    return {
        # As it comes back from another process.
        "log": json.loads(json.dumps(log)),
        "requests": counting.requests,
        "handed_back": counting.handed_back,
        "not_the_engines": rows,
        "the_engines": done,
    }
