"""The Flask program of the workloads, with ``App as Flask``."""

from __future__ import annotations

from types import ModuleType
from types import SimpleNamespace

from ..workloads import WSGIApp
from . import flask_app


def _make(package: ModuleType, workload: str) -> WSGIApp:
    names = ("Blueprint", "jsonify", "request", "session")
    api = SimpleNamespace(**{name: getattr(package, name) for name in names})
    api.Flask = package.App
    app: WSGIApp = flask_app.program(api, workload)
    return app


def make(workload: str) -> WSGIApp:
    """The program on the build that runs."""
    import fastdispatch

    return _make(fastdispatch, workload)


def make_pure(workload: str) -> WSGIApp:
    """The program on the pure build, loaded beside the other."""
    from fastdispatch import _build

    return _make(_build.load_pure(), workload)
