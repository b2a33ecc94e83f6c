"""Errors of debug mode, which say more; without it nobody needs to import them."""

from __future__ import annotations

from typing import Any
from typing import TYPE_CHECKING

from werkzeug.datastructures import FileStorage
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import RequestRedirect

if TYPE_CHECKING:
    from werkzeug.wrappers import Request


class FormDataRoutingRedirect(AssertionError):
    """Raised in debug mode when a routing redirect would lose a body. Rule 27.

    A client that follows a 301, 302 or 303 sends a GET without the body.
    """

    def __init__(self, request: Request) -> None:
        """*request* is one whose ``routing_exception`` is a RequestRedirect."""
        redirect = getattr(request, "routing_exception", None)
        assert isinstance(redirect, RequestRedirect)
        message = [
            f"A request was sent to '{request.url}', but routing issued a redirect to"
            f" the canonical URL '{redirect.new_url}'."
        ]
        if redirect.new_url.partition("?")[0] == f"{request.base_url}/":
            message.append(
                "The rule ends with a slash, and a request without the slash is"
                " redirected to it."
            )
        message.append(
            f"The redirect would lose the body of this {request.method} request: send"
            " it to the canonical URL, or redirect with 307 or 308."
            "\n\nThis error is raised in debug mode only."
        )
        super().__init__(" ".join(message))


class DebugFilesKeyError(KeyError, AssertionError):
    """Raised in debug mode for a file that was sent as an ordinary form field."""

    def __init__(self, request: Request, key: str) -> None:
        """*key* is what was looked up in ``request.files`` and is in the form."""
        super().__init__(key)
        sent = ", ".join(map(repr, request.form.getlist(key)))
        self.message = (
            f"request.files has no {key!r}: no file contents were transmitted, as the"
            f" mimetype of the request is {request.mimetype!r} and not"
            " 'multipart/form-data'. Add enctype=\"multipart/form-data\" to the form."
            f"\n\nThe browser sent file names instead. This was submitted: {sent}"
        )

    def __str__(self) -> str:
        return self.message


class _HintingFiles(ImmutableMultiDict[str, FileStorage]):
    """``request.files`` that knows its request, for the sake of a better error."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.files)
        self._request = request

    def __getitem__(self, key: str) -> Any:
        try:
            return super().__getitem__(key)
        except KeyError:
            if key not in self._request.form:
                raise
        raise DebugFilesKeyError(self._request, key)


def attach_files_hint(request: Request) -> None:
    """Make ``request.files[key]`` explain a form that lacks its ``enctype``.

    For debug mode, once the form of *request* is parsed: a key that is missing in the
    files but is in the form then raises :class:`DebugFilesKeyError`.
    """
    setattr(request, "files", _HintingFiles(request))  # noqa: B010
