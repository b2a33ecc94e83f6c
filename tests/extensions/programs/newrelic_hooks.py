"""New Relic: wrapt wrappers around methods of flask.Flask.

Without a collector there are no transactions; what is noted is which of its wrappers
ask for the current one, in which order.
"""

from __future__ import annotations

import sys
import typing as t

import flask
import flask.app
import flask.blueprints
import flask.templating
import flask.views
from newrelic.api import function_trace
from newrelic.api import wsgi_application
from newrelic.hooks import framework_flask as hooks
from tests.extensions.programs import tracing
from tests.extensions.support import Log
from tests.extensions.support import Subject


def program(subject: Subject, log: Log) -> None:
    asked: list[t.Any] = []

    def spy(*args: t.Any, **kwargs: t.Any) -> None:
        frame = sys._getframe(1)
        wrapped = frame.f_locals.get("wrapped")
        asked.append([frame.f_code.co_name, getattr(wrapped, "__name__", None)])

    for module, name in (
        (hooks, "current_transaction"),
        (function_trace, "current_trace"),
        (wsgi_application, "current_transaction"),
    ):
        assert hasattr(module, name)
        setattr(module, name, spy)

    def instrument() -> None:
        # The import hooks of newrelic-admin, called on what is imported already.
        hooks.instrument_flask_views(flask.views)
        hooks.instrument_flask_app(flask.app)
        hooks.instrument_flask_templating(flask.templating)
        hooks.instrument_flask_blueprints(flask.blueprints)

    if subject.when == "early":
        instrument()
    app = flask.Flask(__name__)
    subject.made(app)
    tracing.set_up(app)
    subject.ready(app)
    if subject.when != "early":
        instrument()
    asked.clear()

    def told() -> t.Any:
        seen, asked[:] = list(asked), []
        return seen

    tracing.drive(app, log, told)
