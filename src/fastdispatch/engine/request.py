"""The request: an environ that is read when somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any
from typing import TYPE_CHECKING

from werkzeug.datastructures import EnvironHeaders as WerkzeugEnvironHeaders
from werkzeug.datastructures import ImmutableMultiDict as WerkzeugMultiDict
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wsgi import LimitedStream

from . import compiled

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts
    from . import ctext


if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.exceptions import HTTPException
    from werkzeug.routing import Rule

    _MultiDict = WerkzeugMultiDict[Any, Any]
else:
    # PERF: a class without type arguments is made in half the time.
    _MultiDict = WerkzeugMultiDict

#: In a field: not read from the environ yet. Werkzeug uses Ellipsis so for JSON.
_UNREAD: Any = ...
_NO_JSON: Any = (_UNREAD, _UNREAD)

#: Header names as written to their keys in the environ, and Content-Types to their
#: mimetypes. Emptied when full: there are few, but a client may choose them.
_KEYS: dict[str, str] = {}
_MIMETYPES: dict[str, str] = {}
_KNOWN_MAX = 1024
_KNOWN_LENGTH = 256

#: A larger body is left to Werkzeug, which reads it in pieces of this size: a client
#: that announces much and sends nothing must not make us reserve it.
_BODY_MAX = 64 * 1024

_URLENCODED = "application/x-www-form-urlencoded"


def environ_key(name: str) -> str:
    """The key that the header *name* has in a WSGI environ (PEP 3333)."""
    key = _KEYS.get(name)
    if key is None:
        key = name.upper().replace("-", "_")
        if key != "CONTENT_TYPE" and key != "CONTENT_LENGTH":
            key = "HTTP_" + key
        if len(name) <= _KNOWN_LENGTH:
            if len(_KEYS) >= _KNOWN_MAX:
                _KEYS.clear()
            _KEYS[name] = key
    return key


def lookup(environ: Any, key: str) -> Any:
    """``environ.get(key)``."""
    if type(environ) is dict:
        known = environ
        return known.get(key)
    return environ.get(key)


def text_of(environ: Any, key: str) -> str:
    """The string in the environ, "" without one; TypeError if it is no string."""
    value = lookup(environ, key) or ""
    return value if type(value) is str else "".join((value,))


def decode_wsgi(environ: Any, key: str) -> str:
    """The text of a path in the environ; bytes that are not UTF-8 are replaced.

    :raises BadRequest: if the server put in something that is not latin-1, as PEP 3333
        demands (rule 1).
    """
    text = text_of(environ, key)
    if text.isascii():
        return text
    try:
        return text.encode("latin1").decode(errors="replace")
    except UnicodeEncodeError as e:
        raise not_latin1(key) from e


def read_root_path(environ: Any) -> str:
    """The decoded SCRIPT_NAME, without slashes at its end."""
    text = decode_wsgi(environ, "SCRIPT_NAME")
    return text.rstrip("/") if text else text


def read_path(environ: Any) -> str:
    """The decoded PATH_INFO, with one slash at its start."""
    text = decode_wsgi(environ, "PATH_INFO")
    if text[:1] == "/" and text[1:2] != "/":
        return text
    return "/" + text.lstrip("/")


def not_latin1(key: str) -> BadRequest:
    """The error for a string in the environ that PEP 3333 does not allow."""
    return BadRequest(
        f"The server passed a {key} that holds more than latin-1 characters (PEP 3333)."
    )


def encode_query(environ: Any) -> bytes:
    """The query string as it came.

    :raises BadRequest: as :func:`decode_wsgi`.
    """
    text = text_of(environ, "QUERY_STRING")
    try:
        return text.encode("latin1")
    except UnicodeEncodeError as e:
        raise not_latin1("QUERY_STRING") from e


def parse_pairs(text: str, storage: Any) -> Any:
    """A query or an urlencoded form as *storage*; None if unsure of it."""
    result = capi.new_instance(storage)
    return result if ctext.read_pairs(text, result) else None


def parse_cookies(text: str, storage: Any) -> Any:
    """The cookies of a header as *storage*; None if unsure of it."""
    result = capi.new_instance(storage)
    return result if ctext.read_cookies(text, result) else None


def is_known_storage(storage: Any) -> bool:
    """Whether *storage* is a class that may be filled without its constructor."""
    return storage is _MULTI_DICT or storage is WerkzeugMultiDict


def parse_mimetype(content_type: str) -> str:
    """The type of a Content-Type header without its parameters, in lower case."""
    mimetype = _MIMETYPES.get(content_type)
    if mimetype is None:
        mimetype = content_type.partition(";")[0].strip(" \t").lower()
        if len(content_type) <= _KNOWN_LENGTH:
            if len(_MIMETYPES) >= _KNOWN_MAX:
                _MIMETYPES.clear()
            _MIMETYPES[content_type] = mimetype
    return mimetype


def plain_length(value: Any) -> int:
    """A Content-Length of up to nine digits as number; -1 for anything else."""
    if type(value) is str:
        text = value
        if 0 < len(text) < 10 and text.isascii() and text.isdigit():
            return int(text)
    return -1


_current: Any = None


def active_app() -> Any:
    """The application of the current context, or None."""
    global _current
    if _current is None:
        # Not at the top: that module imports this one.
        from .context import current

        _current = current
    context = _current()
    return None if context is None else context.app


class HeadersKernel:
    """Header lookup in an environ; what is not here is Werkzeug's."""

    def __init__(self, environ: Any) -> None:
        self.environ = environ

    def __getitem__(self, key: Any) -> Any:
        """The header's value. KeyError, or BadRequestKeyError for no str, if absent."""
        if type(key) is str:
            return self._item(environ_key(key))
        return _next_headers(self).__getitem__(key)

    def _item(self, key: str) -> Any:
        if type(self.environ) is dict:
            known = self.environ
            return known[key]
        return self.environ[key]

    def __contains__(self, key: Any) -> bool:
        if type(key) is str:
            environ = self.environ
            return environ_key(key) in environ
        return _next_headers(self).__contains__(key)  # type: ignore[no-any-return]

    def get(
        self, key: Any, default: Any = None, type: Callable[[str], Any] | None = None
    ) -> Any:
        """The header's value, passed through *type*; *default* if absent or refused.

        :param type: refuses a value by raising ValueError.
        """
        if type is None and key.__class__ is str:
            environ = self.environ
            if default is None:
                return lookup(environ, environ_key(key))
            return environ.get(environ_key(key), default)
        return _next_headers(self).get(key, default, type)


def _next_headers(headers: HeadersKernel) -> Any:
    return super(HeadersKernel, headers)


def _next(request: RequestKernel) -> Any:
    return super(RequestKernel, request)


class EnvironHeaders(HeadersKernel, WerkzeugEnvironHeaders):  # type: ignore[misc]
    """The headers of a request: Werkzeug's, with one dict lookup for each name."""

    # Werkzeug's own is never filled either.
    _list: list[tuple[str, str]] = []


class MultiDictKernel(dict[Any, Any]):
    """Lookup in a dict of lists; what is not here is Werkzeug's."""

    def __getitem__(self, key: Any) -> Any:
        """The first of the key's values. BadRequestKeyError if it has none."""
        values = cdicts.stored(self, key)
        if values:
            return values[0]
        return _next_dict(self).__getitem__(key)

    def get(
        self, key: Any, default: Any = None, type: Callable[[Any], Any] | None = None
    ) -> Any:
        """The first of the key's values, passed through *type*.

        :param default: returned if there is none, or *type* refuses it.
        :param type: refuses a value by raising ValueError or TypeError.
        """
        if type is None:
            values = cdicts.stored(self, key)
            return values[0] if values else default
        return _next_dict(self).get(key, default, type)


def _next_dict(multi: MultiDictKernel) -> Any:
    return super(MultiDictKernel, multi)


class ImmutableMultiDict(MultiDictKernel, _MultiDict):  # type: ignore[misc]
    """Query arguments, form fields, cookies: Werkzeug's, with a quicker lookup."""


#: Not globals of the module, in C.
_HEADERS: Any = EnvironHeaders
_MULTI_DICT: Any = ImmutableMultiDict


def make_headers(environ: Any) -> Any:
    """``EnvironHeaders(environ)``."""
    headers = capi.new_instance(_HEADERS)
    headers.environ = environ
    return headers


#: Attributes of Werkzeug's and Flask's requests that are fields of the kernel: they are
#: on the class in the compiled build, and only on its instances in the pure one.
FIELDS = (
    "_cached_data",
    "_cached_json",
    "_max_content_length",
    "_max_form_memory_size",
    "_max_form_parts",
    "routing_exception",
    "shallow",
    "url_rule",
    "view_args",
)


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
        self._environ = environ
        self._settled = False
        self.shallow = shallow
        self.url_rule: Rule | None = None
        self.view_args: dict[str, Any] | None = None
        self.routing_exception: HTTPException | None = None
        self._raw_method: Any = _UNREAD
        self._raw_scheme: Any = _UNREAD
        self._raw_server: Any = _UNREAD
        self._raw_root_path: Any = _UNREAD
        self._raw_path: Any = _UNREAD
        self._raw_query_string: Any = _UNREAD
        self._raw_headers: Any = _UNREAD
        self._raw_remote_addr: Any = _UNREAD
        self._raw_args: Any = _UNREAD
        self._raw_cookies: Any = _UNREAD
        self._raw_mimetype: Any = _UNREAD
        self._raw_content_length: Any = _UNREAD
        self._raw_json_module: Any = _UNREAD
        self._max_content_length: int | None = None
        self._max_form_memory_size: int | None = None
        self._max_form_parts: int | None = None
        # These two have the names that Werkzeug gives them: programs write to them.
        self._cached_data: bytes | None = None
        self._cached_json: tuple[Any, Any] = _NO_JSON
        self._drained = -1
        if populate_request and not shallow:
            environ["werkzeug.request"] = self

    # What Werkzeug's constructor sets.

    @property
    def environ(self) -> WSGIEnvironment:
        """The WSGI environ (PEP 3333).

        Who has it may change it, so what Werkzeug's constructor reads is read before.
        """
        if not self._settled:
            self._settle()
        return self._environ  # type: ignore[no-any-return]

    @environ.setter
    def environ(self, value: WSGIEnvironment) -> None:
        if not self._settled:
            self._settle()
        self._environ = value

    def _settle(self) -> None:
        self._settled = True
        for part in _PARTS:
            try:
                part.__get__(self, None)
            except Exception:  # noqa: S112
                # Raised again to whoever reads it.
                continue

    @property
    def method(self) -> str:
        """The method the request was made with, in upper case, such as ``GET``."""
        value: str = self._raw_method
        if value is _UNREAD:
            value = lookup(self._environ, "REQUEST_METHOD")
            value = "GET" if value is None else value.upper()
            self._raw_method = value
        return value

    @method.setter
    def method(self, value: str) -> None:
        self._raw_method = value

    @property
    def scheme(self) -> str:
        """The scheme of the URL, such as ``https``."""
        value: str = self._raw_scheme
        if value is _UNREAD:
            value = self._environ.get("wsgi.url_scheme", "http")
            self._raw_scheme = value
        return value

    @scheme.setter
    def scheme(self, value: str) -> None:
        self._raw_scheme = value

    @property
    def server(self) -> tuple[str, int | None] | None:
        """``(host, port)`` of the server, ``(path, None)`` of a socket, or None."""
        value: tuple[str, int | None] | None = self._raw_server
        if value is _UNREAD:
            value = None
            name = lookup(self._environ, "SERVER_NAME")
            if name is not None:
                try:
                    value = (name, int(lookup(self._environ, "SERVER_PORT")))
                except (TypeError, ValueError):
                    value = (name, None)
            self._raw_server = value
        return value

    @server.setter
    def server(self, value: tuple[str, int | None] | None) -> None:
        self._raw_server = value

    @property
    def root_path(self) -> str:
        """The prefix that the application is mounted under, without a slash at its end.

        BadRequest if it cannot be decoded.
        """
        value: str = self._raw_root_path
        if value is _UNREAD:
            value = read_root_path(self._environ)
            self._raw_root_path = value
        return value

    @root_path.setter
    def root_path(self, value: str) -> None:
        self._raw_root_path = value

    @property
    def path(self) -> str:
        """The path after ``root_path``, from a slash on; it is what is routed.

        BadRequest if it cannot be decoded.
        """
        value: str = self._raw_path
        if value is _UNREAD:
            value = read_path(self._environ)
            self._raw_path = value
        return value

    @path.setter
    def path(self, value: str) -> None:
        self._raw_path = value

    def _refuse_query(self, error: UnicodeDecodeError) -> None:
        """Raise what is to be raised for a query string that is not UTF-8.

        *error* itself is if this does not raise.
        """

    @property
    def query_string(self) -> bytes:
        """What follows the question mark, as it came. BadRequest if not latin-1."""
        value: bytes = self._raw_query_string
        if value is _UNREAD:
            value = encode_query(self._environ)
            self._raw_query_string = value
        return value

    @query_string.setter
    def query_string(self, value: bytes) -> None:
        self._raw_query_string = value

    @property
    def headers(self) -> Any:
        """The headers that came with the request: a view of the environ."""
        value = self._raw_headers
        if value is _UNREAD:
            value = self._raw_headers = make_headers(self._environ)
        return value

    @headers.setter
    def headers(self, value: Any) -> None:
        self._raw_headers = value

    @property
    def remote_addr(self) -> str | None:
        """The address of the client that sent the request, or None."""
        value: str | None = self._raw_remote_addr
        if value is _UNREAD:
            value = lookup(self._environ, "REMOTE_ADDR")
            self._raw_remote_addr = value
        return value

    @remote_addr.setter
    def remote_addr(self, value: str | None) -> None:
        self._raw_remote_addr = value

    # What the query string and the headers say.

    @property
    def args(self) -> Any:
        """The parameters of the query string, as ``parameter_storage_class``.

        BadRequest if it is not UTF-8.
        """
        value = self._raw_args
        if value is _UNREAD:
            value = self._parse_args()
            self._raw_args = value
        return value

    @args.setter
    def args(self, value: Any) -> None:
        self._raw_args = value

    @args.deleter
    def args(self) -> None:
        if self._raw_args is _UNREAD:
            raise KeyError("args")
        self._raw_args = _UNREAD
        self.__dict__.pop("args", None)

    def _parse_args(self) -> Any:
        storage = self.parameter_storage_class  # type: ignore[attr-defined]
        if is_known_storage(storage):
            query = self.query_string
            if type(query) is bytes and query.isascii():
                known = query
                args = parse_pairs(known.decode("ascii"), storage)
                if args is not None:
                    return args
        try:
            return _next(self).args
        except UnicodeDecodeError as e:
            self._refuse_query(e)
            raise

    @property
    def cookies(self) -> Any:
        """The cookies that came along, as ``dict_storage_class``."""
        value = self._raw_cookies
        if value is _UNREAD:
            value = self._parse_cookies()
            self._raw_cookies = value
        return value

    @cookies.setter
    def cookies(self, value: Any) -> None:
        self._raw_cookies = value

    @cookies.deleter
    def cookies(self) -> None:
        if self._raw_cookies is _UNREAD:
            raise KeyError("cookies")
        self._raw_cookies = _UNREAD
        self.__dict__.pop("cookies", None)

    def _parse_cookies(self) -> Any:
        headers = self.headers
        storage = self.dict_storage_class  # type: ignore[attr-defined]
        if type(headers) is _HEADERS and is_known_storage(storage):
            text = lookup(headers.environ, "HTTP_COOKIE")
            if text is None:
                text = ""
            if type(text) is str:
                cookies = parse_cookies(text, storage)
                if cookies is not None:
                    return cookies
        return _next(self).cookies

    @property
    def content_type(self) -> str | None:
        """The Content-Type header, with its parameters, or None."""
        headers = self.headers
        if type(headers) is _HEADERS:
            return lookup(headers.environ, "CONTENT_TYPE")  # type: ignore[no-any-return]
        return _next(self).content_type  # type: ignore[no-any-return]

    @property
    def mimetype(self) -> str:
        """The Content-Type without its parameters, in lower case; "" without one."""
        value: str = self._raw_mimetype
        if value is _UNREAD:
            value = self.headers.get("Content-Type", "")
            if type(value) is str:
                value = parse_mimetype(value)
            else:
                value = _next(self).mimetype
            self._raw_mimetype = value
        return value

    @property
    def is_json(self) -> bool:
        """Whether the mimetype is ``application/json`` or ``application/*+json``."""
        mimetype = self.mimetype
        if mimetype == "application/json":
            return True
        return mimetype.startswith("application/") and mimetype.endswith("+json")

    @property
    def content_length(self) -> int | None:
        """The Content-Length, 0 if it is no number; None without one, or if chunked."""
        value: int | None = self._raw_content_length
        if value is _UNREAD:
            value = None
            headers = self.headers
            if headers.get("Transfer-Encoding") is None:
                value = plain_length(headers.get("Content-Length"))
            if value is None or value < 0:
                value = _next(self).content_length
            self._raw_content_length = value
        return value

    @content_length.setter
    def content_length(self, value: int | None) -> None:
        self._raw_content_length = value

    @content_length.deleter
    def content_length(self) -> None:
        if self._raw_content_length is _UNREAD:
            raise KeyError("content_length")
        self._raw_content_length = _UNREAD
        self.__dict__.pop("content_length", None)

    # The limits (rule 53).

    @property
    def max_content_length(self) -> int | None:
        """The most bytes that are read of the body; beyond, RequestEntityTooLarge.

        What is set on the request, else the app's ``MAX_CONTENT_LENGTH``; None is no
        limit (rule 53).
        """
        if self._max_content_length is not None:
            return self._max_content_length
        app = active_app()
        if app is None:
            return _next(self).max_content_length  # type: ignore[no-any-return]
        return app.config["MAX_CONTENT_LENGTH"]  # type: ignore[no-any-return]

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value

    @property
    def max_form_memory_size(self) -> int | None:
        """The most bytes a field of a multipart form may have that is no file.

        What is set on the request, else the app's ``MAX_FORM_MEMORY_SIZE``; None is no
        limit; beyond, RequestEntityTooLarge (rule 53).
        """
        if self._max_form_memory_size is not None:
            return self._max_form_memory_size
        app = active_app()
        if app is None:
            return _next(self).max_form_memory_size  # type: ignore[no-any-return]
        return app.config["MAX_FORM_MEMORY_SIZE"]  # type: ignore[no-any-return]

    @max_form_memory_size.setter
    def max_form_memory_size(self, value: int | None) -> None:
        self._max_form_memory_size = value

    @property
    def max_form_parts(self) -> int | None:
        """The most parts a multipart form may have; beyond, RequestEntityTooLarge.

        What is set on the request, else the app's ``MAX_FORM_PARTS``; None is no limit
        (rule 53).
        """
        if self._max_form_parts is not None:
            return self._max_form_parts
        app = active_app()
        if app is None:
            return _next(self).max_form_parts  # type: ignore[no-any-return]
        return app.config["MAX_FORM_PARTS"]  # type: ignore[no-any-return]

    @max_form_parts.setter
    def max_form_parts(self, value: int | None) -> None:
        self._max_form_parts = value

    # The body. What Werkzeug keeps in the instance's dict under "stream", "form" and
    # "files" is kept there here too: its own methods look for it.

    @property
    def stream(self) -> Any:
        """The body to be read once, limited to its length.

        :raises RuntimeError: if the request is shallow.
        :raises RequestEntityTooLarge: beyond ``max_content_length``.
        """
        values = self.__dict__
        stream = values.get("stream", _UNREAD)
        if stream is _UNREAD:
            if self._drained < 0:
                return _next(self).stream
            # What Werkzeug's would be after the read that already took place.
            stream = LimitedStream(BytesIO(bytes(self._drained)), self._drained)
            stream.exhaust()
            values["stream"] = stream
        return stream

    @stream.setter
    def stream(self, value: Any) -> None:
        self.__dict__["stream"] = value

    @stream.deleter
    def stream(self) -> None:
        values = self.__dict__
        if self._drained < 0:
            del values["stream"]
        else:
            self._drained = -1
            values.pop("stream", None)

    def _read_body(self) -> Any:
        """``self.stream.read()``, by one read of the server's stream where that does.

        :raises ClientDisconnected: if it ends before its announced length.
        """
        values = self.__dict__
        environ = self._environ
        if (
            "stream" not in values
            and self._drained < 0
            and not self.shallow
            and type(self).stream is _STOCK_STREAM
        ):
            raw = lookup(environ, "wsgi.input")
            limit = self.max_content_length
            if raw is None:
                pass
            elif "wsgi.input_terminated" in environ:
                if limit is None:
                    values["stream"] = raw
                    return raw.read()
            elif lookup(environ, "HTTP_TRANSFER_ENCODING") is None:
                length = plain_length(lookup(environ, "CONTENT_LENGTH"))
                if 0 < length <= _BODY_MAX and (limit is None or length <= limit):
                    return self._read_exactly(raw, length)
        return self.stream.read()

    def _read_exactly(self, raw: Any, length: int) -> bytes:
        try:
            data = raw.read(length)
        except (OSError, ValueError) as e:
            raise ClientDisconnected() from e
        if type(data) is not bytes:
            data = bytes(data or b"")
        if len(data) < length:
            rest: Any = LimitedStream(raw, length)
            rest._pos = len(data)
            # Should it end too early, that much has been read of it.
            self.__dict__["stream"] = rest
            return data + rest.readall()  # type: ignore[no-any-return]
        self._drained = length
        return data

    def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> Any:
        """The body as bytes.

        :param cache: keep it for later calls and for the form.
        :param as_text: decode it as UTF-8; what is not is replaced.
        :param parse_form_data: parse a form first, which leaves nothing to return.
        """
        data = self._cached_data
        if data is None:
            if parse_form_data:
                self._load_form_data()
            data = self._read_body()
            if cache:
                self._cached_data = data
        if as_text:
            return data.decode(errors="replace")
        return data

    @property
    def form(self) -> Any:
        """The fields of a form, as ``parameter_storage_class``, without its files."""
        values = self.__dict__
        form = values.get("form", _UNREAD)
        if form is _UNREAD:
            self._load_form_data()
            form = values["form"]
        return form

    @form.setter
    def form(self, value: Any) -> None:
        self.__dict__["form"] = value

    @form.deleter
    def form(self) -> None:
        del self.__dict__["form"]

    @property
    def want_form_data_parsed(self) -> bool:
        """Whether the body may be a form: there is a ``Content-Type``."""
        if WerkzeugRequest.want_form_data_parsed is not _STOCK_WANT:
            # Of the class that comes next, patched.
            return super().want_form_data_parsed  # type: ignore[misc, no-any-return]
        return bool(lookup(self._environ, "CONTENT_TYPE"))

    def _load_form_data(self) -> None:
        """Parse the body into ``form`` and ``files``, unless that has been done."""
        values = self.__dict__
        if "form" in values:
            return
        if self._has_plain_form(values):
            self._load_plain_form(values)
        else:
            _next(self)._load_form_data()
        app = active_app()
        if app is not None and app.debug:
            self._explain_missing_files()

    def _has_plain_form(self, values: dict[str, Any]) -> bool:
        """Whether Werkzeug's methods would parse an urlencoded body, still unread."""
        cls: Any = type(self)
        return (
            self._cached_data is None
            and self.mimetype == _URLENCODED
            and self.want_form_data_parsed
            and is_known_storage(self.parameter_storage_class)  # type: ignore[attr-defined]
            and self.form_data_parser_class is FormDataParser  # type: ignore[attr-defined]
            and cls.make_form_data_parser is _STOCK_PARSER
            and cls._get_stream_for_parsing is _STOCK_PARSING
            and "make_form_data_parser" not in values
            and "_get_stream_for_parsing" not in values
        )

    def _load_plain_form(self, values: dict[str, Any]) -> None:
        storage = self.parameter_storage_class  # type: ignore[attr-defined]
        data = b""
        form = None
        try:
            data = self._read_body()
            form = parse_pairs(data.decode(), storage)
        except ValueError:
            # Not UTF-8: Werkzeug's parser makes an empty form of it.
            pass
        if form is None:
            form = FormDataParser(cls=storage).parse(
                BytesIO(data), _URLENCODED, len(data)
            )[1]
        values["form"] = form
        values["files"] = capi.new_instance(storage)

    def _explain_missing_files(self) -> None:
        """Called in debug mode when a form has been parsed."""

    def close(self) -> None:
        """Close the uploaded files."""
        values = capi.instance_dict(self)
        if values is not None and values.get("files"):
            _next(self).close()

    # JSON

    @property
    def json_module(self) -> Any:
        """What has ``loads`` to parse a body with: the app's ``json``, unless set."""
        value = self._raw_json_module
        if value is _UNREAD:
            app = active_app()
            value = _next(self).json_module if app is None else app.json
        return value

    @json_module.setter
    def json_module(self, value: Any) -> None:
        self._raw_json_module = value

    def get_json(
        self, force: bool = False, silent: bool = False, cache: bool = True
    ) -> Any:
        """The body parsed as JSON.

        :param force: whatever the mimetype is.
        :param silent: return None where ``on_json_loading_failed`` would be called: for
            another mimetype, and for what is no JSON.
        :param cache: keep the value for later calls.
        """
        if cache:
            value = self._cached_json[silent]
            if value is not _UNREAD:
                return value
        if not (force or self.is_json):
            return None if silent else self.on_json_loading_failed(None)  # type: ignore[attr-defined]
        data = self.get_data() if cache else self.get_data(cache=False)
        try:
            value = self.json_module.loads(data)
        except (ValueError, RecursionError) as e:
            # What is nested too deeply is no fault of the application's either.
            value = None if silent else self.on_json_loading_failed(e)  # type: ignore[attr-defined]
            if cache:
                loud, quiet = self._cached_json
                self._cached_json = (loud, value) if silent else (value, quiet)
            return value
        if cache:
            self._cached_json = (value, value)
        return value

    @property
    def json(self) -> Any:
        """``get_json()``: 415 for another mimetype, 400 for what is no JSON."""
        return self.get_json()

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
        name = self.blueprint
        if name is None:
            return []
        names = [name]
        while "." in name:
            name = name.rpartition(".")[0]
            names.append(name)
        return names


_STOCK_STREAM: Any = RequestKernel.stream
_STOCK_PARSER: Any = WerkzeugRequest.make_form_data_parser
_STOCK_PARSING: Any = WerkzeugRequest._get_stream_for_parsing
_STOCK_WANT: Any = WerkzeugRequest.want_form_data_parsed

# What Werkzeug's constructor reads from the environ, and keeps.
_PARTS: tuple[Any, ...] = tuple(
    [
        vars(RequestKernel)[name]
        for name in (
            "method",
            "scheme",
            "server",
            "root_path",
            "path",
            "query_string",
            "remote_addr",
        )
    ]
)
