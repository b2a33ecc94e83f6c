"""Scout: wraps two methods on the application with wrapt."""

from __future__ import annotations

import typing as t

import flask
import scout_apm.core
from scout_apm.core.tracked_request import TrackedRequest
from scout_apm.flask import ScoutApm
from tests.extensions.programs import tracing
from tests.extensions.support import Log
from tests.extensions.support import Subject


def program(subject: Subject, log: Log) -> None:
    finished: list[t.Any] = []
    finish = TrackedRequest.finish

    def finishing(request: TrackedRequest) -> None:
        finished.append(
            [
                request.operation,
                {k: v for k, v in request.tags.items() if isinstance(v, str)},
                [span.operation for span in request.complete_spans],
            ]
        )
        # Nothing is sent.
        request.is_real_request = False
        finish(request)

    core: t.Any = scout_apm.core
    core.install = lambda **_: True
    tracked: t.Any = TrackedRequest
    tracked.finish = finishing
    app = flask.Flask(__name__)
    subject.made(app)
    ScoutApm(app)
    tracing.set_up(app)
    subject.ready(app)
    finished.clear()

    def told() -> t.Any:
        seen, finished[:] = list(finished), []
        return seen

    tracing.drive(app, log, told)
