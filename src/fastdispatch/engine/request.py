"""The request: an environ that is read when somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from types import EllipsisType
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import unquote_to_bytes

from werkzeug.datastructures import EnvironHeaders as WerkzeugEnvironHeaders
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import BadRequest
from werkzeug.formparser import FormDataParser
from werkzeug.wsgi import LimitedStream

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException
    from werkzeug.routing import Rule

# Ellipsis in a field: not read from the environ yet.

_STOCK_STORAGE: Any = ImmutableMultiDict
_new_dict: Any = dict.__new__
_update_dict: Any = dict.update

#: Header names as written to their keys in the environ. Emptied when it is full: a
#: program uses few names, but it may look up names that a client chose.
_KEYS: dict[str, str] = {}
_KEYS_MAX = 1024


def environ_key(name: str) -> str:
    """The key that the header *name* has in a WSGI environ (PEP 3333)."""
    key = _KEYS.get(name)
    if key is None:
        key = name.upper().replace("-", "_")
        if key != "CONTENT_TYPE" and key != "CONTENT_LENGTH":
            key = "HTTP_" + key
        if len(_KEYS) >= _KEYS_MAX:
            _KEYS.clear()
        _KEYS[name] = key
    return key


def decode_wsgi(environ: Any, key: str) -> str:
    """The text of a path in the environ; bytes that are not UTF-8 are replaced.

    :raises BadRequest: if the server put in something that is not latin-1, as PEP 3333
        demands (rule 1).
    """
    value = environ.get(key) or ""
    if value.isascii():
        return value  # type: ignore[no-any-return]
    try:
        return value.encode("latin1").decode(errors="replace")  # type: ignore[no-any-return]
    except UnicodeEncodeError as e:
        raise not_latin1(key) from e


def not_latin1(key: str) -> BadRequest:
    """The error for a string in the environ that PEP 3333 does not allow."""
    return BadRequest(
        f"The server passed a {key} that holds more than latin-1 characters (PEP 3333)."
    )


def multidict(lists: dict[str, list[str]]) -> Any:
    """An ImmutableMultiDict of *lists*, without its constructor's copying."""
    result = _new_dict(ImmutableMultiDict)
    _update_dict(result, lists)
    return result


class HeadersKernel:
    """Header lookup in an environ; what is not here is Werkzeug's."""

    def __init__(self, environ: Any) -> None:
        self.environ = environ

    def __getitem__(self, key: Any) -> Any:
        """The header's value. KeyError, or BadRequestKeyError for no str, if absent."""
        if type(key) is str:
            return self.environ[environ_key(key)]
        return _next_headers(self).__getitem__(key)

    def __contains__(self, key: Any) -> bool:
        if type(key) is str:
            return environ_key(key) in self.environ
        return _next_headers(self).__contains__(key)  # type: ignore[no-any-return]

    def get(
        self, key: Any, default: Any = None, type: Callable[[str], Any] | None = None
    ) -> Any:
        """The header's value, passed through *type*; *default* if absent or refused.

        :param type: refuses a value by raising ValueError.
        """
        if type is None and key.__class__ is str:
            return self.environ.get(environ_key(key), default)
        return _next_headers(self).get(key, default, type)


def _next_headers(headers: HeadersKernel) -> Any:
    return super(HeadersKernel, headers)


class EnvironHeaders(HeadersKernel, WerkzeugEnvironHeaders):
    """The headers of a request: Werkzeug's, with one dict lookup for each name."""

    # Werkzeug's own is never filled either.
    _list: list[tuple[str, str]] = []


class RequestKernel:
    """What a request is made of. Constructing it reads nothing.

    Every attribute that Werkzeug's constructor fills is read from the environ at first
    access and kept; what is assigned wins. The kernel stands before Werkzeug's class in
    the MRO and hands over to it what it is not sure of.
    """

    def __init__(
        self, environ: Any, populate_request: bool = True, shallow: bool = False
    ) -> None:
        """Make a request of a WSGI environ (PEP 3333).

        :param populate_request: put the request into the environ as
            ``werkzeug.request``.
        :param shallow: reading the body is a RuntimeError; implies
            ``populate_request=False``.
        """
        self.environ = environ
        self.shallow = shallow
        self.url_rule: Rule | None = None
        self.view_args: dict[str, Any] | None = None
        self.routing_exception: HTTPException | None = None
        self._raw_method: str | EllipsisType = ...
        self._raw_scheme: str | EllipsisType = ...
        self._raw_server: tuple[str, int | None] | None | EllipsisType = ...
        self._raw_root_path: str | EllipsisType = ...
        self._raw_path: str | EllipsisType = ...
        self._raw_query_string: bytes | EllipsisType = ...
        self._raw_headers: Any = ...
        self._raw_remote_addr: str | None | EllipsisType = ...
        if populate_request and not shallow:
            environ["werkzeug.request"] = self

    def check(self) -> None:
        """Refuse an environ whose paths or query cannot be decoded (rule 1).

        :raises BadRequest: naming the key, as access to the attribute would.
        """
        environ = self.environ
        for key in ("PATH_INFO", "SCRIPT_NAME", "QUERY_STRING"):
            value = environ.get(key)
            if value and not value.isascii():
                try:
                    value.encode("latin1")
                except UnicodeEncodeError as e:
                    raise not_latin1(key) from e

    # What Werkzeug's constructor sets.

    @property
    def method(self) -> str:
        """The method the request was made with, in upper case, such as ``GET``."""
        value = self._raw_method
        if value is ...:
            value = self.environ.get("REQUEST_METHOD", "GET").upper()
            self._raw_method = value
        return value  # type: ignore[return-value]

    @method.setter
    def method(self, value: str) -> None:
        self._raw_method = value

    @property
    def scheme(self) -> str:
        """The scheme of the URL, such as ``https``."""
        value = self._raw_scheme
        if value is ...:
            value = self.environ.get("wsgi.url_scheme", "http")
            self._raw_scheme = value
        return value  # type: ignore[return-value]

    @scheme.setter
    def scheme(self, value: str) -> None:
        self._raw_scheme = value

    @property
    def server(self) -> tuple[str, int | None] | None:
        """``(host, port)`` of the server, ``(path, None)`` of a socket, or None."""
        value = self._raw_server
        if value is ...:
            value = None
            name = self.environ.get("SERVER_NAME")
            if name is not None:
                try:
                    value = (name, int(self.environ.get("SERVER_PORT")))
                except (TypeError, ValueError):
                    value = (name, None)
            self._raw_server = value
        return value  # type: ignore[return-value]

    @server.setter
    def server(self, value: tuple[str, int | None] | None) -> None:
        self._raw_server = value

    @property
    def root_path(self) -> str:
        """The prefix that the application is mounted under, without a slash at its end.

        BadRequest if it cannot be decoded.
        """
        value = self._raw_root_path
        if value is ...:
            value = decode_wsgi(self.environ, "SCRIPT_NAME").rstrip("/")
            self._raw_root_path = value
        return value  # type: ignore[return-value]

    @root_path.setter
    def root_path(self, value: str) -> None:
        self._raw_root_path = value

    @property
    def path(self) -> str:
        """The path after ``root_path``, from a slash on; it is what is routed.

        BadRequest if it cannot be decoded.
        """
        value = self._raw_path
        if value is ...:
            value = "/" + decode_wsgi(self.environ, "PATH_INFO").lstrip("/")
            self._raw_path = value
        return value  # type: ignore[return-value]

    @path.setter
    def path(self, value: str) -> None:
        self._raw_path = value

    @property
    def query_string(self) -> bytes:
        """What follows the question mark, as it came. BadRequest if not latin-1."""
        value = self._raw_query_string
        if value is ...:
            try:
                value = self.environ.get("QUERY_STRING", "").encode("latin1")
            except UnicodeEncodeError as e:
                raise not_latin1("QUERY_STRING") from e
            self._raw_query_string = value
        return value  # type: ignore[return-value]

    @query_string.setter
    def query_string(self, value: bytes) -> None:
        self._raw_query_string = value

    @property
    def headers(self) -> Any:
        """The headers that came with the request: a view of the environ."""
        value = self._raw_headers
        if value is ...:
            value = EnvironHeaders(self.environ)
            self._raw_headers = value
        return value

    @headers.setter
    def headers(self, value: Any) -> None:
        self._raw_headers = value

    @property
    def remote_addr(self) -> str | None:
        """The address of the client that sent the request, or None."""
        value = self._raw_remote_addr
        if value is ...:
            value = self.environ.get("REMOTE_ADDR")
            self._raw_remote_addr = value
        return value  # type: ignore[return-value]

    @remote_addr.setter
    def remote_addr(self, value: str | None) -> None:
        self._raw_remote_addr = value

    # What routing found.

    @property
    def endpoint(self) -> Any:
        """The endpoint that the URL led to; None if it led to none."""
        rule = self.url_rule
        return None if rule is None else rule.endpoint

    @property
    def blueprint(self) -> str | None:
        """The registered name of the endpoint's blueprint, or None."""
        endpoint = self.endpoint
        if endpoint is None or "." not in endpoint:
            return None
        return endpoint.rpartition(".")[0]  # type: ignore[no-any-return]

    @property
    def blueprints(self) -> list[str]:
        """Names of the blueprint and those it is nested in, inner to outer."""
        names: list[str] = []
        name = self.blueprint
        while name:
            names.append(name)
            name = name.rpartition(".")[0]
        return names
