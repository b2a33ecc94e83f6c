"""Request: a Python class over the engine's kernel and Werkzeug's class."""

from __future__ import annotations

from werkzeug.wrappers import Request as WerkzeugRequest

from .engine.request import RequestKernel


class Request(RequestKernel, WerkzeugRequest):
    """The request that ``App`` makes; to be subclassed as ``App.request_class``.

    It is Werkzeug's ``Request`` with what Flask adds, and is lazy: nothing is read from
    the environ before it is looked at.
    """
