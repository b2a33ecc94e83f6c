"""ddtrace: wrapt wrappers around wsgi_app, dispatch, hooks and signals of Flask."""

from __future__ import annotations

import os
import typing as t

os.environ |= {
    "DD_TRACE_STARTUP_LOGS": "false",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
}

from ddtrace import patch  # noqa: E402
from ddtrace.trace import TraceFilter  # noqa: E402
from ddtrace.trace import tracer  # noqa: E402
from tests.extensions.support import Log  # noqa: E402
from tests.extensions.support import Subject  # noqa: E402


class Collecting(TraceFilter):
    """Keeps every trace and sends none."""

    def __init__(self) -> None:
        self.traces: list[t.Any] = []

    def process_trace(self, trace: t.Any) -> None:
        self.traces.append(
            sorted(
                [span.name, span.resource, span.error, span.get_tag("flask.endpoint")]
                for span in trace
            )
        )


def program(subject: Subject, log: Log) -> None:
    import flask
    from tests.extensions.programs import tracing

    collecting = Collecting()
    tracer.configure(trace_processors=[collecting])
    if subject.when == "late":
        # Patched when everything is there already.
        app = flask.Flask(__name__)
        subject.made(app)
        tracing.set_up(app)
        subject.ready(app)
        patch(flask=True)
    else:
        patch(flask=True)
        app = flask.Flask(__name__)
        subject.made(app)
        tracing.set_up(app)
        subject.ready(app)
    collecting.traces.clear()

    def told() -> t.Any:
        traces, collecting.traces[:] = list(collecting.traces), []
        return traces

    tracing.drive(app, log, told)
