"""sentry-sdk: wraps Flask.__call__ on the class, listens to signals."""

from __future__ import annotations

import typing as t

import flask
import sentry_sdk
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.transport import Transport
from tests.extensions.programs import tracing
from tests.extensions.support import Log
from tests.extensions.support import Subject


class Collecting(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[t.Any] = []

    def capture_envelope(self, envelope: t.Any) -> None:
        self.events += [item.payload.json for item in envelope.items]


def program(subject: Subject, log: Log) -> None:
    transport = Collecting()

    def instrument() -> None:
        sentry_sdk.init(
            dsn="http://key@127.0.0.1/1",
            transport=transport,
            integrations=[FlaskIntegration()],
            default_integrations=False,
            auto_enabling_integrations=False,
            traces_sample_rate=1.0,
            send_default_pii=True,
        )

    if subject.when == "late":
        # Accelerated and only then instrumented.
        app = flask.Flask(__name__)
        subject.made(app)
        tracing.set_up(app)
        subject.ready(app)
        instrument()
    else:
        instrument()
        app = flask.Flask(__name__)
        subject.made(app)
        tracing.set_up(app)
        subject.ready(app)
    transport.events.clear()

    def told() -> t.Any:
        events, transport.events[:] = list(transport.events), []
        return [
            [
                event.get("type", "error"),
                event.get("transaction"),
                event.get("transaction_info"),
                {k: event.get("request", {}).get(k) for k in ("method", "url", "data")},
                [
                    [value["type"], value["value"], value["mechanism"], frames(value)]
                    for value in event.get("exception", {}).get("values", ())
                ],
                event.get("contexts", {}).get("trace", {}).get("op"),
                event.get("contexts", {}).get("trace", {}).get("status"),
                event.get("tags"),
            ]
            for event in events
        ]

    def frames(value: dict[str, t.Any]) -> list[str]:
        # Frames of the framework are what is accelerated.
        found = value["stacktrace"]["frames"]
        return [f["function"] for f in found if f["module"].startswith("tests.")]

    tracing.drive(app, log, told)
    assert any("ZeroDivisionError" in str(entry) for entry in log)
