"""Request and Response: Python classes over the engine's kernels and Werkzeug's."""

from __future__ import annotations

from typing import Any
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response as WerkzeugResponse

from .engine.response import quick_to_call
from .engine.response import ResponseKernel
from .scaffold import Later

if TYPE_CHECKING:
    from ._request import Request as Request
else:

    def __getattr__(name):
        if name != "Request":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ._request import Request

        return Request


# What Werkzeug keeps as attributes are properties of the kernel.
@quick_to_call
class Response(  # pyright: ignore[reportIncompatibleVariableOverride]
    ResponseKernel, WerkzeugResponse
):
    """The response that ``App`` makes; to be subclassed as ``App.response_class``.

    It is Werkzeug's ``Response`` with an HTML mimetype by default and JSON by the
    current app's provider, as Flask's is. It is lazy: ``headers``, ``response`` and the
    status come into being when they are looked at.
    """

    default_mimetype: str | None = "text/html"
    json_module: Any = Later("json")
    autocorrect_location_header = False

    @property
    def max_cookie_size(self) -> int:  # type: ignore[override]
        """``MAX_COOKIE_SIZE`` of the current app's config, in bytes; read-only.

        Without a current app, Werkzeug's default.
        """
        from .globals import current_app

        if current_app:
            size: int = current_app.config["MAX_COOKIE_SIZE"]
            return size
        return WerkzeugResponse.max_cookie_size
