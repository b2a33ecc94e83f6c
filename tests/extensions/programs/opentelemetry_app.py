"""OpenTelemetry's instrument_app: puts middleware around wsgi_app, adds hooks."""

from __future__ import annotations

import typing as t

import flask
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.extensions.programs import tracing
from tests.extensions.support import Log
from tests.extensions.support import Subject


class Telemetry:
    """An OpenTelemetry that keeps what it is told."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])

    def options(self) -> dict[str, t.Any]:
        def request_hook(span: t.Any, environ: t.Any) -> None:
            span.set_attribute("hooked", environ["PATH_INFO"])

        def response_hook(span: t.Any, status: str, headers: t.Any) -> None:
            span.set_attribute("answered", status)

        return {
            "tracer_provider": self.tracers,
            "meter_provider": self.meters,
            "request_hook": request_hook,
            "response_hook": response_hook,
            "excluded_urls": "/form",
        }

    def told(self) -> t.Any:
        spans = [
            [
                span.name,
                str(span.kind),
                sorted((k, str(v)) for k, v in (span.attributes or {}).items()),
                span.status.status_code.name,
                [event.name for event in span.events],
                span.parent is None,
            ]
            for span in self.exporter.get_finished_spans()
        ]
        self.exporter.clear()
        return spans

    def measured(self) -> t.Any:
        data: t.Any = self.reader.get_metrics_data()
        return [
            [metric.name, sorted((str(k), str(v)) for k, v in point.attributes.items())]
            + [getattr(point, "count", None), getattr(point, "value", None)]
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        ]


def program(subject: Subject, log: Log) -> None:
    telemetry = Telemetry()
    app = flask.Flask(__name__)
    # Instrumented after accelerate when that comes early, before it when late.
    subject.made(app)
    FlaskInstrumentor.instrument_app(app, **telemetry.options())
    tracing.set_up(app)
    subject.ready(app)
    telemetry.told()
    tracing.drive(app, log, telemetry.told)
    log.append(telemetry.measured())
    FlaskInstrumentor.uninstrument_app(app)
    log.open(app.test_client(), "/hello/anna")
    log.append(telemetry.told())
    # What was there before instrument_app has been put back: Flask's own, if accelerate
    # came after it.
    subject.again(app)
    log.open(app.test_client(), "/hello/anna")
    log.append(telemetry.told())
