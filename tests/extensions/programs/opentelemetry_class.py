"""OpenTelemetry's instrument(): puts a subclass in the place of flask.Flask."""

from __future__ import annotations

import flask
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from tests.extensions.programs import tracing
from tests.extensions.programs.opentelemetry_app import Telemetry
from tests.extensions.support import Log
from tests.extensions.support import Subject


def program(subject: Subject, log: Log) -> None:
    telemetry = Telemetry()
    before = flask.Flask("before")
    FlaskInstrumentor().instrument(**telemetry.options())
    app = flask.Flask(__name__)
    assert type(app) is not type(before)
    subject.made(app)
    tracing.set_up(app)
    subject.ready(app)
    telemetry.told()
    tracing.drive(app, log, telemetry.told)
    # An application that is older than the instrumentation.
    made_before = Subject(subject.when, subject.accelerated)
    made_before.made(before)
    tracing.set_up(before)
    made_before.ready(before)
    log.open(before.test_client(), "/hello/anna")
    log.append(telemetry.told())
