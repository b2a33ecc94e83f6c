"""Request, which :mod:`fastdispatch.wrappers` has: loaded when somebody asks for it."""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import BadRequest
from werkzeug.utils import cached_property
from werkzeug.wrappers import Request as WerkzeugRequest

from .engine.request import active_app
from .engine.request import ImmutableMultiDict
from .engine.request import RequestKernel


class Request(RequestKernel, WerkzeugRequest):  # type: ignore[misc]
    """The request that ``App`` makes; to be subclassed as ``App.request_class``.

    It is Werkzeug's ``Request`` with what Flask adds, and is lazy: nothing is read from
    the environ before it is looked at. A query string that is not UTF-8 is a BadRequest
    where Werkzeug's attributes raise UnicodeDecodeError.
    """

    parameter_storage_class = ImmutableMultiDict
    dict_storage_class = ImmutableMultiDict

    @cached_property
    def full_path(self) -> str:
        """The path with the query string. BadRequest if that is not UTF-8."""
        try:
            return super().full_path
        except UnicodeDecodeError as e:
            self._refuse_query(e)
            raise

    def _refuse_query(self, error: UnicodeDecodeError) -> None:
        raise BadRequest("The query string of the request is not UTF-8.") from error

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Raise what ``get_json`` raises; its return value is used instead if there is.

        :param e: why the body is no JSON; None if the mimetype is another.
        :raises BadRequest: with the reason in debug mode only.
        :raises UnsupportedMediaType: if *e* is None.
        """
        try:
            return super().on_json_loading_failed(e)
        except BadRequest as error:
            app = active_app()
            if app is not None and app.debug:
                raise
            raise BadRequest() from error

    def _explain_missing_files(self) -> None:
        if self.mimetype != "multipart/form-data" and not self.files:
            from .debughelpers import attach_files_hint

            attach_files_hint(self)
