"""Flask-Session on the file system: its own session interface, opened each time."""

from __future__ import annotations

import tempfile
import typing as t

import flask
from cachelib import FileSystemCache
from flask_session import Session
from tests.extensions.support import Log
from tests.extensions.support import Subject


def program(subject: Subject, log: Log) -> None:
    with tempfile.TemporaryDirectory() as directory:
        _program(subject, log, directory)


def _program(subject: Subject, log: Log, directory: str) -> None:
    app = flask.Flask(__name__)
    subject.made(app)
    app.config["SESSION_TYPE"] = "cachelib"
    app.config["SESSION_CACHELIB"] = FileSystemCache(directory, threshold=50)
    Session(app)

    @app.route("/count")
    def count() -> dict[str, t.Any]:
        flask.session["count"] = flask.session.get("count", 0) + 1
        return {"count": flask.session["count"]}

    @app.route("/look")
    def look() -> dict[str, t.Any]:
        return {
            "session": {k: v for k, v in flask.session.items()},
            "permanent": flask.session.permanent,
            "class": type(flask.session._get_current_object()).__name__,  # type: ignore[attr-defined]
        }

    @app.route("/nested")
    def nested() -> str:
        flask.session.setdefault("list", []).append(1)
        flask.session.modified = True
        return str(flask.session["list"])

    @app.route("/new-id")
    def new_id() -> str:
        old = flask.session.sid  # type: ignore[attr-defined]
        app.session_interface.regenerate(flask.session)  # type: ignore[attr-defined]
        return str(old != flask.session.sid)  # type: ignore[attr-defined]

    @app.route("/clear")
    def clear() -> str:
        flask.session.clear()
        return "cleared"

    @app.route("/not-looked-at")
    def not_looked_at() -> str:
        return "not looked at"

    @app.route("/broken")
    def broken() -> str:
        flask.session["broken"] = True
        raise ValueError

    subject.ready(app)
    client = app.test_client()
    for path in ("/not-looked-at", "/look", "/count", "/count", "/look", "/nested"):
        log.open(client, path)
    for path in ("/nested", "/broken", "/look", "/not-looked-at", "/new-id", "/look"):
        log.open(client, path)
    log.open(app.test_client(), "/look")
    for path in ("/clear", "/look", "/no-such-page"):
        log.open(client, path)
    with client.session_transaction() as session:
        session["count"] = 41
    log.open(client, "/count")
