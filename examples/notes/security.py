"""The CSRF token, and the headers every response carries."""

import secrets

from fastdispatch import abort
from fastdispatch import request
from fastdispatch import Response
from fastdispatch import session


def csrf_token() -> str:
    """Return the session's token, making it at first use."""
    if "csrf_token" not in session:
        session["csrf_token"] = secrets.token_urlsafe()
    return str(session["csrf_token"])


def check_csrf_token() -> None:
    """Refuse (403) a post that does not come from one of our own forms."""
    if request.method != "POST" or request.url_rule is None:
        return
    expected = session.get("csrf_token", "")
    given = request.form.get("csrf_token", "")
    if not expected or not secrets.compare_digest(expected.encode(), given.encode()):
        abort(403, "This form is out of date. Go back, reload the page and try again.")


def set_headers(response: Response) -> Response:
    """Let nothing foreign run on our pages, and no cache keep what is private."""
    policy = "default-src 'self'; form-action 'self'; frame-ancestors 'none'"
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
