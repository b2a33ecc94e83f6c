"""Return value → response → start_response.

:class:`ResponseKernel` keeps what a view returned and makes Werkzeug's objects
(``Headers``, the list around the body, the list of close functions) when somebody
looks at them. :func:`make_response` and :func:`send` answer themselves only where the
class is proved to behave as the stock one (:class:`ClassProof`); everything else goes
through Werkzeug's own methods on the real attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from operator import attrgetter
from types import FunctionType
from types import GeneratorType
from typing import Any
from typing import TYPE_CHECKING

import werkzeug.datastructures.headers
import werkzeug.exceptions
import werkzeug.sansio.response
import werkzeug.wrappers.response
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.utils import get_content_type
from werkzeug.wrappers import Response as WerkzeugResponse
from werkzeug.wsgi import ClosingIterator

from . import compiled
from .plan import comparer
from .plan import never

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts
    from . import ctext
    from .classes import watch

if TYPE_CHECKING:
    from typing import TypeVar

    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

    _Class = TypeVar("_Class", bound=type)


# What Werkzeug's Response keeps in its instance dict; here they are properties.
FIELDS = (
    "headers",
    "_status",
    "_status_code",
    "direct_passthrough",
    "_on_close",
    "response",
)

# What it is called with.
PARAMETERS: tuple[tuple[str, Any], ...] = (
    ("response", None),
    ("status", None),
    ("headers", None),
    ("mimetype", None),
    ("content_type", None),
    ("direct_passthrough", False),
)

_CACHE_LIMIT = 1024
_werkzeug_init = WerkzeugResponse.__init__


class ResponseKernel:
    """The fields of a response, materialised at first access.

    A mixin: put it before Werkzeug's ``Response``. The attributes that Werkzeug keeps
    on the instance (``headers``, ``response``, ``direct_passthrough``, ``_status``,
    ``_status_code``, ``_on_close``) are properties here, readable and settable alike.
    """

    # Lazy states: _fd_body is not None -> nobody has seen `response` yet;
    # _fd_type is not None -> nobody has seen `headers` yet;
    # _fd_on_close is None -> nobody has seen `_on_close` yet.
    __slots__ = (
        "_fd_body",
        "_fd_bodied",
        "_fd_code",
        "_fd_headers",
        "_fd_iterable",
        "_fd_length",
        "_fd_on_close",
        "_fd_passthrough",
        "_fd_status",
        "_fd_streamed",
        "_fd_type",
    )

    _fd_body: bytes | None
    _fd_bodied: bool  # the status is known to allow a body
    _fd_code: Any
    _fd_headers: Any
    _fd_iterable: Any
    _fd_length: int  # of the Content-Length not yet materialised; -1: none
    _fd_on_close: Any
    _fd_passthrough: Any
    _fd_status: Any
    _fd_streamed: bool  # _fd_body stands for an iterator, not for a list
    _fd_type: tuple[str, str] | None

    def __init__(
        self,
        response: Any = None,
        status: Any = None,
        headers: Any = None,
        mimetype: Any = None,
        content_type: Any = None,
        direct_passthrough: Any = False,
    ) -> None:
        """Arguments and errors are those of Werkzeug's ``Response``."""
        proof = prove(type(self))
        if proof.builds and _untouched(self):
            fill(
                self,
                proof,
                response,
                status,
                headers,
                mimetype,
                content_type,
                direct_passthrough,
            )
        else:
            _werkzeug_init(
                self,  # type: ignore[arg-type]
                response,
                status,
                headers,
                mimetype,
                content_type,
                direct_passthrough,
            )

    @property
    def headers(self) -> Any:
        """The response headers, a :class:`werkzeug.datastructures.Headers`."""
        return self.made_headers()

    @headers.setter
    def headers(self, value: Any) -> None:
        self._fd_type = None
        self._fd_headers = value

    def made_headers(self) -> Any:
        """The same as :attr:`headers`."""
        if self._fd_type is not None:
            if self._fd_length >= 0:
                listed = [self._fd_type, length_item(self._fd_length)]
            else:
                listed = [self._fd_type]
            headers = _new_headers(listed)
            if self._fd_type is not None:
                # No other thread was quicker, with a response that they share.
                self._fd_headers = headers
                self._fd_type = None
        elif self._fd_headers is None and self._fd_status is None:
            raise AttributeError("headers: the response is not initialised yet")
        return self._fd_headers

    @property
    def response(self) -> Any:
        """The body as an iterable of str or bytes; a list when its length is fixed."""
        return self.made_iterable()

    @response.setter
    def response(self, value: Any) -> None:
        self._fd_body = None
        self._fd_iterable = value

    def made_iterable(self) -> Any:
        """The same as :attr:`response`."""
        if self._fd_body is not None:
            body = [self._fd_body]
            self._fd_iterable = ClosingIterator(body) if self._fd_streamed else body
            self._fd_body = None
        return self._fd_iterable

    @property
    def direct_passthrough(self) -> Any:
        """Hand ``response`` to the server as it is."""
        return self._fd_passthrough

    @direct_passthrough.setter
    def direct_passthrough(self, value: Any) -> None:
        self._fd_passthrough = value

    @property
    def _on_close(self) -> Any:
        if self._fd_on_close is None:
            self._fd_on_close = []
        return self._fd_on_close

    @_on_close.setter
    def _on_close(self, value: Any) -> None:
        self._fd_on_close = value

    @property
    def _status(self) -> Any:
        return self._fd_status

    @_status.setter
    def _status(self, value: Any) -> None:
        self._fd_status = value

    @property
    def _status_code(self) -> Any:
        return self._fd_code

    @_status_code.setter
    def _status_code(self, value: Any) -> None:
        self._fd_code = value
        self._fd_bodied = is_code(value) and has_body(value)

    @property
    def status(self) -> Any:
        """The status line's code and reason, such as ``"404 NOT FOUND"``."""
        return self._fd_status

    @status.setter
    def status(self, value: Any) -> None:
        line, code = self._clean_status(value)  # type: ignore[attr-defined]
        self._status = line
        self._status_code = code

    @property
    def status_code(self) -> Any:
        """The status code, an int."""
        return self._fd_code

    @status_code.setter
    def status_code(self, code: Any) -> None:
        self.status = code

    def _set_iterable(self, iterable: Any) -> None:
        self._fd_body = None
        self._fd_iterable = iterable
        self._fd_length = -1

    @classmethod
    def force_type(cls, response: Any, environ: WSGIEnvironment | None = None) -> Any:
        """*response*, another class's or a WSGI callable, as an object of this class.

        A callable is run with *environ*; TypeError if there is none.
        """
        if not isinstance(response, WerkzeugResponse):
            if environ is None:
                raise TypeError(
                    f"a {type(response).__name__} can be made a response only by"
                    " running it as a WSGI application: pass an environ"
                )
            from werkzeug.test import run_wsgi_app

            response = WerkzeugResponse(*run_wsgi_app(response, environ))
        return adopt(cls, response)

    def __getstate__(self) -> dict[str, Any]:
        """What Werkzeug's ``Response`` has in its instance dict."""
        state = {name: getattr(self, name) for name in FIELDS}
        state.update(self.__dict__)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            if name in FIELDS:
                setattr(self, name, value)
            else:
                self.__dict__[name] = value


# -- What is the stock behaviour, and which classes have it ------------------------


class _Unknown:
    """Stands for a function that was already replaced when we were imported."""


def genuine(owner: type, name: str, module: Any) -> Any:
    """*owner*'s attribute *name* if *module* itself defined it, else no match ever."""
    found = owner.__dict__.get(name)
    func = found.fget if isinstance(found, property) else found
    if type(func) is FunctionType and func.__globals__ is vars(module):
        return found
    return _Unknown()


def _stock_attributes() -> dict[str, Any]:
    """What each name that the fast paths pass over is on the stock class."""
    wsgi = werkzeug.wrappers.response
    stock = {
        name: genuine(WerkzeugResponse, name, wsgi)
        for name in (
            "set_data",
            "__call__",
            "get_wsgi_response",
            "get_wsgi_headers",
            "get_app_iter",
            "iter_encoded",
            "is_sequence",
            "close",
        )
    }
    stock["_clean_status"] = genuine(
        werkzeug.sansio.response.Response, "_clean_status", werkzeug.sansio.response
    )
    for name in (*FIELDS, "status", "status_code", "__init__"):
        stock[name] = ResponseKernel.__dict__[name]
    stock["__new__"] = ResponseKernel.__new__
    stock["__getattribute__"] = object.__getattribute__
    stock["__setattr__"] = object.__setattr__
    stock["force_type.__func__"] = ResponseKernel.force_type.__func__  # type: ignore[attr-defined]
    stock["automatically_set_content_length"] = True
    return stock


_STOCK = _stock_attributes()

# What Werkzeug calls of the class of headers to make a response and to send it.
_HEADERS_NAMES = tuple(
    [
        name
        for name in (
            "__contains__",
            "__init__",
            "__iter__",
            "__len__",
            "__setitem__",
            "_get_key",
            "add",
            "extend",
            "set",
            "to_wsgi_list",
        )
        if name in vars(Headers)
    ]
)
_are_stock_headers = comparer(
    _HEADERS_NAMES,
    [
        genuine(Headers, name, werkzeug.datastructures.headers)
        for name in _HEADERS_NAMES
    ],
)
# PERF: the version that is known to be the stock one, found without comparing.
_headers_version = 0 if capi.COMPILED else -1
if not capi.COMPILED:
    _headers_watch = watch(Headers)
# The first one tells our classes from others, which may not have the rest.
_NAMES = tuple(
    dict.fromkeys(("__init__", *_STOCK, "default_status", "default_mimetype"))
)
_SHADOWING = frozenset(_NAMES)
_attributes_of = attrgetter(*_NAMES)
_BUILDING = frozenset(_STOCK) - {
    "__init__",
    "__new__",
    "__call__",
    "get_wsgi_response",
    "get_wsgi_headers",
    "get_app_iter",
    "iter_encoded",
    "is_sequence",
    "close",
    "force_type.__func__",
}
_SENDING = frozenset(_STOCK) - {
    "__init__",
    "__new__",
    "set_data",
    "_clean_status",
    "force_type.__func__",
}


def is_code(value: Any) -> bool:
    return type(value) is int and 0 <= value <= 999


def has_body(code: int) -> bool:
    return not (100 <= code < 200 or code == 204 or code == 304)


class ClassProof:
    """What one response class, as it is now, is sure to have in common with ours.

    ``builds``: ``__init__``'s steps are the stock ones. ``creates``: calling the class
    is nothing but that. ``sends``: calling an instance is the stock ``__call__``.
    ``sends_body``: both, and with a status that has a body.
    ``forces``: ``force_type`` is the stock one, and makes what ``creates`` and sends.
    """

    __slots__ = (
        "version",
        "same",
        "cls",
        "watch",
        "builds",
        "creates",
        "sends",
        "sends_body",
        "bodied",
        "forces",
        "code",
        "reason",
        "reason_seen",
        "line",
        "type_item",
    )

    version: int
    same: Callable[[Any], bool]
    cls: type | None
    watch: Any
    builds: bool
    creates: bool
    sends: bool
    sends_body: bool
    bodied: bool
    forces: bool
    code: int
    reason: str | None
    line: str
    type_item: tuple[str, str] | None

    def __init__(self, cls: type, version: int, attributes: tuple[Any, ...]) -> None:
        kept = {
            name
            for name, value in zip(_NAMES, attributes, strict=True)
            if name in _STOCK and value is _STOCK[name]
        }
        default_status, default_mimetype = attributes[-2:]
        self.reason_seen = 0
        self.version = version
        # Where there are no versions to go by.
        self.same = never if version else comparer(_NAMES, attributes)
        if not capi.COMPILED:
            self.cls = cls if version else None
            self.watch = watch(cls)
        self.sends = _SENDING <= kept
        self.builds = (
            _BUILDING <= kept
            and is_code(default_status)
            and type(default_mimetype) is str
            and not ctext.has_newline(default_mimetype)
        )
        self.creates = (
            self.builds
            and type(cls) is type
            and "__init__" in kept
            and "__new__" in kept
        )
        self.forces = self.creates and self.sends and "force_type.__func__" in kept
        if self.builds:
            self.code = default_status
            self.reason = HTTP_STATUS_CODES.get(default_status)
            self.line = _line(default_status)
            self.type_item = (
                "Content-Type",
                get_content_type(default_mimetype, "utf-8"),
            )
        else:
            self.code = 0
            self.reason = None
            self.line = ""
            self.type_item = None
        self.bodied = has_body(self.code)
        self.sends_body = self.creates and self.sends and self.bodied


_statuses_watched = cdicts.watch(HTTP_STATUS_CODES)
_proofs: dict[int, ClassProof] = {}
_no_proof = ClassProof(object, 0, (_Unknown(),) * len(_NAMES))
# PERF: the proof asked for last, found without making an int of the version.
_last_proof = [_no_proof]


def prove(cls: type) -> ClassProof:
    """The proof for *cls*, renewed whenever it or a base of it is patched."""
    proof: ClassProof = _last_proof[0]
    if not capi.COMPILED and proof.cls is cls and proof.watch.seen[0] == proof.version:
        # PERF: half of what is asked below.
        return proof
    version = capi.type_version(cls) if isinstance(cls, type) else 0
    if version:
        if proof.version == version:
            return proof
        found = _proofs.get(version)
        if found is not None:
            _last_proof[0] = found
            return found
    elif not capi.COMPILED and type(cls) is type and proof.same(cls):
        return proof
    return _renew(cls)


def prove_whole(cls: Any, environ: Any) -> ClassProof | None:
    """The proof for *cls*, where ``cls(body)`` surely answers the request of *environ*
    with a status line, two headers and all of that body; None otherwise."""
    proof: ClassProof = _last_proof[0]
    # PERF: to call prove for that took 3 % of the pure build's hello world.
    if capi.COMPILED or proof.cls is not cls or proof.watch.seen[0] != proof.version:
        proof = prove(cls)
    if not proof.sends_body or type(environ) is not dict:
        return None
    method: Any = cdicts.recall(environ, "REQUEST_METHOD")
    if type(method) is not str:
        return None
    if capi.COMPILED:
        known = not ctext.is_head(method) and _has_known_parts(proof)
    else:
        known = (
            method != "HEAD"
            and HTTP_STATUS_CODES.get(proof.code) is proof.reason
            and (_headers_watch.seen[0] == _headers_version or headers_are_stock())
        )
    return proof if known else None


def _renew(cls: type) -> ClassProof:
    if not isinstance(cls, type) or not issubclass(cls, ResponseKernel):
        return _no_proof
    try:
        attributes = _attributes_of(cls)
    except AttributeError:
        return _no_proof
    version = capi.type_version(cls)
    if version and _attributes_of(cls) == attributes:
        proof = ClassProof(cls, version, attributes)
        if len(_proofs) >= _CACHE_LIMIT:
            _proofs.clear()
        _proofs[version] = proof
        _last_proof[0] = proof
        return proof
    # No version to go by: the attributes themselves are the key. Only
    # our own are kept, lest a user's class live on here.
    proof = ClassProof(cls, 0, attributes)
    if proof.creates and proof.sends:
        _last_proof[0] = proof
    return proof


def _untouched(response: Any) -> bool:
    """Whether no instance attribute shadows what the fast paths pass over."""
    attributes = capi.instance_dict(response) if capi.COMPILED else response.__dict__
    return not attributes or _SHADOWING.isdisjoint(attributes)


# -- Building ---------------------------------------------------------------------

_lines: dict[int, tuple[str | None, str]] = {}
_type_items: dict[str, tuple[str, str]] = {}
# By the last bits of a length: that length and its header.
_length_items: list[tuple[int, tuple[str, str]] | None] = [None] * 2048


def _line(code: int) -> str:
    """The status line of *code*, as Werkzeug's ``_clean_status`` builds it."""
    reason = cdicts.table_get(HTTP_STATUS_CODES, code)
    known: tuple[str | None, str] | None = _lines.get(code)
    if known is not None and known[0] is reason:
        return known[1]
    line = f"{code} UNKNOWN" if reason is None else f"{code} {reason.upper()}"
    if len(_lines) < _CACHE_LIMIT:
        _lines[code] = (reason, line)
    return line


def length_item(length: int) -> tuple[str, str]:
    """The Content-Length header for a body of *length* bytes."""
    # PERF: 5 ns instead of 100 for a length that has come before.
    known = _length_items[length & 2047]
    if known is not None:
        size = known[0]
        if size == length:
            return known[1]
    item = ("Content-Length", str(length))
    _length_items[length & 2047] = (length, item)
    return item


def content_type_item(mimetype: Any) -> tuple[str, str] | None:
    """The Content-Type header for *mimetype*; None if only Werkzeug can tell."""
    if type(mimetype) is not str:
        return None
    item = _type_items.get(mimetype)
    if item is None:
        if ctext.has_newline(mimetype):
            return None
        item = ("Content-Type", get_content_type(mimetype, "utf-8"))
        if len(_type_items) >= _CACHE_LIMIT:
            _type_items.clear()
        _type_items[mimetype] = item
    return item


def _new_headers(listed: list[tuple[str, str]]) -> Any:
    """Headers with *listed* in them, whose values are known to be valid."""
    if headers_are_stock():
        headers = capi.new_instance(Headers)
        headers._list = listed
    else:
        headers = Headers()
        for name, value in listed:
            headers[name] = value
    return headers


def headers_are_stock() -> bool:
    """Whether Werkzeug's ``Headers`` is as it was written."""
    global _headers_version
    version = capi.type_version(Headers) if capi.COMPILED else _headers_watch.seen[0]
    if version != 0 and version == _headers_version:
        return True
    if not _are_stock_headers(Headers):
        return False
    if version != 0:
        _headers_version = version
    return True


def _to_headers(headers: Any) -> Any:
    """``Headers(headers)``, without a method call per item where all are plain."""
    kind = type(headers)
    if kind is dict:
        items = list(headers.items())
    elif kind is list:
        items = list(headers)
    else:
        return Headers(headers)
    if not headers_are_stock():
        return Headers(headers)
    item: Any
    for item in items:
        if (
            type(item) is not tuple
            or len(item) != 2
            or type(item[0]) is not str
            or type(item[1]) is not str
            or ctext.has_newline(item[1])
        ):
            return Headers(headers)
    made = capi.new_instance(Headers)
    made._list = items
    return made


def _lacks(headers: Any, name: str) -> bool:
    """Whether *headers* surely has no *name* (lower case)."""
    if type(headers) is not Headers or not headers_are_stock():
        return False
    size = len(name)
    pair: Any
    for pair in headers._list:
        if type(pair) is not tuple or type(pair[0]) is not str:
            return False
        key = pair[0]
        if len(key) == size and key.lower() == name:
            return False
    return True


def _set_header(headers: Any, name: str, item: tuple[str, str]) -> None:
    """``headers[item[0]] = item[1]``; *name* is the key in lower case."""
    if _lacks(headers, name):
        headers._list.append(item)
    else:
        headers[item[0]] = item[1]


def _set_status(self: ResponseKernel, proof: ClassProof, status: Any) -> None:
    if status is None:
        if capi.COMPILED:
            known = _has_known_parts(proof)
        else:
            known = HTTP_STATUS_CODES.get(proof.code) is proof.reason
        self._fd_status = proof.line if known else _line(proof.code)
        self._fd_code = proof.code
        self._fd_bodied = proof.bodied
        return
    if is_code(status):
        self._fd_status = _line(status)
    else:
        self.status = status
        return
    self._fd_code = status
    self._fd_bodied = has_body(status)


def fill(
    self: ResponseKernel,
    proof: ClassProof,
    response: Any,
    status: Any,
    headers: Any,
    mimetype: Any,
    content_type: Any,
    direct_passthrough: Any,
) -> None:
    """The steps of Werkzeug's ``Response.__init__``, in its order."""
    real: Any = None
    if headers is not None:
        if isinstance(headers, Headers):
            real = headers
        elif headers:
            real = _to_headers(headers)

    item: tuple[str, str] | None = None
    if content_type is None:
        if mimetype is not None:
            item = content_type_item(mimetype)
            if item is None:
                content_type = get_content_type(mimetype, "utf-8")
        elif real is None or _lacks(real, "content-type"):
            item = proof.type_item
        elif "content-type" not in real:
            item = proof.type_item
    elif type(content_type) is str and not ctext.has_newline(content_type):
        item = ("Content-Type", content_type)

    if item is not None:
        if real is not None:
            _set_header(real, "content-type", item)
            item = None
    elif content_type is not None:
        if real is None:
            real = Headers()
        real["Content-Type"] = content_type
    self._fd_type = item
    self._fd_headers = real

    _set_status(self, proof, status)
    self._fd_passthrough = direct_passthrough
    self._fd_on_close = None
    self._fd_streamed = False

    value: Any
    kind = type(response)
    if kind is str:
        value = ctext.utf8(response)
    elif kind is bytes:
        value = response
    elif response is None:
        self._set_iterable([])
        return
    elif isinstance(response, str):
        value = response.encode()
    elif isinstance(response, (bytes, bytearray)):
        value = response
    else:
        self._set_iterable(response)
        return
    if type(value) is bytes:
        self._fd_body = value
        self._fd_iterable = None
    else:
        self._fd_body = None
        self._fd_iterable = [value]
    self._fd_length = len(value)
    if real is not None:
        _set_header(real, "content-length", length_item(len(value)))


def _create(cls: Any, proof: ClassProof, body: Any, status: Any) -> Any:
    """``cls(body, status)`` for a str or bytes, of a class that is proved to create.

    PERF: half the instructions of the general way.
    """
    self = _new(cls)
    _put(self, proof, body, status)
    return self


def _new(cls: Any) -> Any:
    """An object of *cls*, every field of which is to be set."""
    global _spare
    spare = _spare
    if spare is not None and type(spare) is cls:
        _spare = None
        capi.show(spare)
        return spare
    return capi.new_object(cls)


def _keep(kernel: ResponseKernel) -> None:
    """Have the next response made of *kernel*, which was sent and nobody else has.

    PERF: 600 instructions of 14,000 where a view or hook has a response.
    """
    global _spare
    capi.hide(kernel)
    kernel._fd_body = None
    kernel._fd_headers = None
    kernel._fd_iterable = None
    kernel._fd_on_close = None
    _spare = kernel


def _put(self: ResponseKernel, proof: ClassProof, body: Any, status: Any) -> None:
    self._fd_type = proof.type_item
    self._fd_headers = None
    _set_status(self, proof, status)
    self._fd_passthrough = False
    self._fd_on_close = None
    self._fd_streamed = False
    value = ctext.utf8(body) if type(body) is str else body
    self._fd_body = value
    self._fd_iterable = None
    self._fd_length = len(value)


def _made(
    cls: Any,
    response: Any,
    status: Any,
    headers: Any,
    mimetype: Any,
    content_type: Any,
    direct_passthrough: Any,
) -> Any:
    """A call of *cls*; NotImplemented if it is not proved to create."""
    proof = prove(cls)
    if not proof.creates:
        return NotImplemented
    self = _new(cls)
    fill(
        self,
        proof,
        response,
        status,
        headers,
        mimetype,
        content_type,
        direct_passthrough,
    )
    return self


def quick_to_call(cls: _Class) -> _Class:
    """Have *cls*, a subclass of :class:`ResponseKernel`, called without detours.

    PERF: no tuple, no dict, no slots: a call takes half the instructions.
    """
    global _kept_class
    capi.call_by(cls, _made, PARAMETERS)
    _kept_class = cls
    return cls


# Objects of that class have no fields but the kernel's; one that no request uses.
_kept_class: Any = None
_spare: Any = None


# -- Return value -> response: rule 45 ---------------------------------------------

_EXPECTED = (
    "a str, bytes, dict, list, iterator, Response or WSGI callable, or a tuple of one"
    " of these with a status, headers, or both"
)


def make_response(app: Any, cls: Any, rv: Any, ctx: Any, stand_in: Any = None) -> Any:
    """The view's return value *rv* as an object of *cls*, a response class (rule 45).

    *ctx* gives ``endpoint`` for messages and ``environ`` to run a WSGI callable with.
    *stand_in* is a subclass of both ResponseKernel and *cls*, made in its place.
    Raises TypeError for a value that is not one of the kinds of rule 45.
    """
    status: Any = None
    headers: Any = None
    if isinstance(rv, tuple):
        size = len(rv)
        if size == 3:
            rv, status, headers = rv
        elif size == 2:
            rv, status = rv
            if isinstance(status, (Headers, dict, tuple, list)):
                headers = status
                status = None
        else:
            raise TypeError(
                f"The view function for {ctx.endpoint!r} returned a tuple of {size}"
                " items. A response tuple must have the form (body, status, headers),"
                " (body, status) or (body, headers)."
            )

    if type(status) is str and ctext.has_newline(status):
        check_status(status, ctx)
    make: Any = cls if stand_in is None else stand_in
    kind = type(rv)
    if kind is str or kind is bytes or kind is GeneratorType:
        proof = prove(make)
        if proof.creates:
            if headers is None and kind is not GeneratorType:
                return _create(make, proof, rv, status)
            response = _new(make)
            fill(response, proof, rv, status, headers, None, None, False)
            return response

    if rv is None:
        raise TypeError(
            f"The view function for {ctx.endpoint!r} did not return a valid response:"
            " it returned None, or ended without a return statement. Return"
            f" {_EXPECTED}."
        )
    if kind is dict or kind is list:
        # PERF: before the check for Iterator, which costs 0.2 us.
        rv = app.json.response(rv)
    elif kind is not cls and not isinstance(rv, cls):
        response = None
        if isinstance(rv, HTTPException):
            response = _from_exception(make, rv, ctx.environ)
        if response is not None:
            rv = response
        elif isinstance(rv, (str, bytes, bytearray, Iterator)):
            # The class gets status and headers, in case its __init__ looks at them.
            rv = cls(rv, status=status, headers=headers)
            status = headers = None
        elif isinstance(rv, (dict, list)):
            rv = app.json.response(rv)
        elif isinstance(rv, WerkzeugResponse) or callable(rv):
            rv = _force(cls, rv, ctx)
        else:
            raise TypeError(_invalid(rv, ctx))

    if status is not None:
        if isinstance(status, (str, bytes, bytearray)):
            rv.status = status
        else:
            rv.status_code = status
    if headers:
        rv.headers.update(headers)
    return rv


def check_status(status: str, ctx: Any) -> None:
    """Refuse a status that would be more than a status line (PEP 3333).

    In a host's own contexts it is let pass: Flask and Werkzeug do.
    """
    if not ctx.hosted:
        raise ValueError(f"A status must not contain newline characters: {status!r}")


def _invalid(rv: Any, ctx: Any) -> str:
    return (
        f"The view function for {ctx.endpoint!r} did not return a valid response: it"
        f" was a {type(rv).__name__}. Return {_EXPECTED}."
    )


def _force(cls: Any, rv: Any, ctx: Any) -> Any:
    """*rv*, a WSGI callable or another class's response, as an object of *cls*."""
    if isinstance(rv, ResponseKernel) and not issubclass(cls, ResponseKernel):
        # No class outside ours can take over our objects: hand it Werkzeug's.
        state = rv.__getstate__()
        rv = WerkzeugResponse.__new__(WerkzeugResponse)
        rv.__dict__.update(state)
    try:
        return cls.force_type(rv, ctx.environ)
    except TypeError as error:
        raise TypeError(f"{error}\n{_invalid(rv, ctx)}").with_traceback(
            error.__traceback__
        ) from None


def adopt(cls: Any, response: Any) -> Any:
    """An object of *cls* that has taken over all that *response* has.

    Werkzeug's ``force_type`` sets ``__class__``; that is done where the layouts allow
    it. Werkzeug's own responses are moved into a new object, which shares their
    headers, body and close functions.
    """
    if isinstance(response, ResponseKernel):
        response.__class__ = cls
        return response
    new = cls.__new__(cls)
    new.__setstate__(response.__dict__)
    return new


# The names of HTTPException that decide what its response is.
_EXCEPTION_NAMES = (
    "__call__",
    "get_response",
    "get_headers",
    "get_body",
    "get_description",
    "name",
)
_exception_attributes = attrgetter(*_EXCEPTION_NAMES, "__getattribute__")
_STOCK_EXCEPTION = (
    *[genuine(HTTPException, name, werkzeug.exceptions) for name in _EXCEPTION_NAMES],
    Exception.__getattribute__,
)
_EXCEPTION_SHADOWING = frozenset(_EXCEPTION_NAMES)
_EXCEPTION_TYPE_ITEM = ("Content-Type", "text/html; charset=utf-8")
_stock_exceptions: dict[int, bool] = {}
_pages: dict[tuple[int, str | None], tuple[str | None, bytes]] = {}
_PAGE_LENGTH = 4096


def _is_stock_exception(cls: type) -> bool:
    version = capi.type_version(cls)
    if version:
        known = _stock_exceptions.get(version)
        if known is not None:
            return known
    stock = _exception_attributes(cls) == _STOCK_EXCEPTION and not issubclass(
        cls, Iterator
    )
    version = capi.type_version(cls)
    if version:
        if len(_stock_exceptions) >= _CACHE_LIMIT:
            _stock_exceptions.clear()
        _stock_exceptions[version] = stock
    return stock


def _from_exception(cls: Any, error: Any, environ: Any) -> Any:
    """What ``cls.force_type(error, environ)`` makes of it, if that is certain."""
    proof = prove(cls)
    if (
        not proof.forces
        or type(environ) is not dict
        or not _is_stock_exception(type(error))
        or error.response is not None
        or not _EXCEPTION_SHADOWING.isdisjoint(error.__dict__)
        or not headers_are_stock()
    ):
        return None
    method = cdicts.table_get(environ, "REQUEST_METHOD")
    if type(method) is not str or ctext.is_head(method):
        return None
    code = error.code
    description = error.description
    if (
        not is_code(code)
        or not has_body(code)
        or (description is not None and type(description) is not str)
    ):
        return None
    reason = HTTP_STATUS_CODES.get(code)
    page = _pages.get((code, description))
    if page is None or page[0] is not reason:
        page = (reason, error.get_body(environ).encode())
        if len(page[1]) <= _PAGE_LENGTH:
            if len(_pages) >= 128:
                _pages.clear()
            _pages[code, description] = page
    response = _create(cls, proof, page[1], code)
    response._fd_type = _EXCEPTION_TYPE_ITEM
    # Werkzeug runs the exception as an application: its output is an iterator.
    response._fd_streamed = True
    return response


# What else decides whether one NotFound() is as another.
_making_of = attrgetter("__init__", "__new__", "__setattr__")
_STOCK_MAKING = (
    genuine(HTTPException, "__init__", werkzeug.exceptions),
    Exception.__new__,
    Exception.__setattr__,
)
# PERF: the version of NotFound that is known to be made so, found without comparing.
_plain_404 = 0


def makes_plain_404() -> bool:
    """Whether nobody can tell when a ``NotFound()`` is made."""
    global _plain_404
    version = capi.type_version(NotFound)
    if version != 0 and version == _plain_404:
        return True
    if _making_of(NotFound) != _STOCK_MAKING:
        return False
    _plain_404 = version
    return True


def _is_same_each_time() -> bool:
    """Whether every ``NotFound()`` is surely answered with the same page."""
    return (
        _is_stock_exception(NotFound)
        and makes_plain_404()
        and type(NotFound.code) is int
        and (NotFound.description is None or type(NotFound.description) is str)
    )


# Of the 404 that was answered last: versions of its class and of the response class,
# the reason, and what page_of_404 gives.
_last_404: list[Any] = [None]


def page_of_404(cls: Any, environ: Any) -> Any:
    """Body, status line and Content-Type of a *cls* made of ``NotFound()``, if sure."""
    method = cdicts.table_get(environ, "REQUEST_METHOD")
    version = capi.type_version(NotFound)
    if type(environ) is not dict or type(method) is not str or ctext.is_head(method):
        return None
    reason = cdicts.table_get(HTTP_STATUS_CODES, 404)
    if not prove(cls).forces or not headers_are_stock():
        return None
    known: Any = _last_404[0]
    if known is not None and known[0] == version and version and known[1] is reason:
        return known[2]
    if not _is_same_each_time():
        return None
    response = _from_exception(cls, NotFound(), environ)
    if response is None or response._fd_body is None:
        return None
    page = response._fd_body, response._fd_status, response._fd_type
    if capi.type_version(NotFound) == version:
        _last_404[0] = (version, reason, page)
    return page


# -- Response -> start_response -----------------------------------------------------


_END: Any = object()


class ResponseBody:
    """The body as the server iterates it: str items encoded, closing the response.

    Behaves as Werkzeug's ``ClosingIterator(response.iter_encoded(), response.close)``.
    """

    __slots__ = ("_finished", "_iterable", "_iterator", "_response")

    _finished: bool
    _iterable: Any
    _iterator: Any
    _response: ResponseKernel

    def __init__(self, response: ResponseKernel, iterable: Any) -> None:
        self._response = response
        self._iterable = iterable
        self._iterator = None
        self._finished = False

    def __iter__(self) -> ResponseBody:
        return self

    def __next__(self) -> bytes:
        item: Any
        if self._finished:
            raise StopIteration
        try:
            if self._iterator is None:
                self._iterator = iter(self._iterable)
            item = next(self._iterator, _END)
            if type(item) is not bytes and isinstance(item, str):
                item = item.encode()
        except BaseException:
            self.drop()
            raise
        if item is _END:
            self.drop()
            raise StopIteration
        return item  # type: ignore[no-any-return]

    def drop(self) -> None:
        self._finished = True
        self._iterator = self._iterable = None

    def close(self) -> None:
        """What the stock ``close`` of a response does, as often as this is called.

        PERF: 0.3 us less than to call it, and as sure: ``send`` looked what it is.
        """
        self.drop()
        response = self._response
        try:
            close = response.response.close
        except AttributeError:
            pass
        else:
            close()
        if response._fd_on_close is not None:
            for func in response._fd_on_close:
                func()


def from_body(cls: Any, item: Any, body: bytes) -> Any:
    """``cls(body, content_type=item[1])`` of a *cls* whose proof ``sends_body``."""
    response = _new(cls)
    put_body(response, item, body)
    return response


def put_body(self: ResponseKernel, item: Any, body: bytes) -> None:
    """Fill *self*, which may have been in use, as :func:`from_body` would."""
    _put(self, prove(type(self)), body, None)
    self._fd_type = item


def _has_known_parts(proof: ClassProof) -> bool:
    """Whether the default status of a class still has the reason that it had, and
    ``Headers`` is as it was written. For C alone."""
    changes = cdicts.watched_changes()
    if changes != 0 and changes == proof.reason_seen:
        return True
    if (
        cdicts.table_get(HTTP_STATUS_CODES, proof.code) is not proof.reason
        or not headers_are_stock()
    ):
        return False
    if _statuses_watched and cdicts.watch_type(Headers):
        proof.reason_seen = changes
    return True


def send(
    response: Any,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    owned: bool = False,
) -> Iterable[bytes]:
    """``response(environ, start_response)``: the same effect for any response.

    Rule 38: what the response's own ``__call__`` raises is raised here.

    :param owned: the caller is compiled code that is done with *response*, to which it
        has a reference of its own; where nobody else has one, it may be used again.
    """
    if isinstance(response, ResponseKernel) and type(environ) is dict:
        sole = owned and type(response) is _kept_class and not capi.is_seen(response)
        kernel: ResponseKernel = response
        body = kernel._fd_body
        # Nobody can have asked to be told of the end.
        whole = body is not None and kernel._fd_on_close is None
        headers = None
        if _is_as_stock(kernel, environ):
            if whole and kernel._fd_type is not None and kernel._fd_length >= 0:
                length = length_item(kernel._fd_length)
                capi.start(start_response, kernel._fd_status, kernel._fd_type, length)
                if sole and capi.dict_address(kernel) == 0:
                    _keep(kernel)
                return [body]  # type: ignore[list-item]
            headers = _wire_headers(kernel)
        if headers is not None:
            result: Any = [body] if whole else ResponseBody(kernel, kernel.response)
            start_response(kernel._fd_status, headers)
            if sole and whole and capi.dict_address(kernel) == 0:
                _keep(kernel)
            return result  # type: ignore[no-any-return]
    return response(environ, start_response)  # type: ignore[no-any-return]


def _is_as_stock(response: ResponseKernel, environ: dict[str, Any]) -> bool:
    """Whether all of *response* is sent, as the stock class does it."""
    method = cdicts.recall(environ, "REQUEST_METHOD")
    return (
        response._fd_bodied
        and not response._fd_passthrough
        and type(method) is str
        and not ctext.is_head(method)
        and prove(type(response)).sends
        and _untouched(response)
        and (
            not capi.COMPILED
            and _headers_watch.seen[0] == _headers_version
            or headers_are_stock()
        )
    )


def _wire_headers(response: ResponseKernel) -> list[tuple[str, str]] | None:
    """The header list if the response is one that needs no rule of Werkzeug's."""
    item = response._fd_type
    if item is not None:
        if response._fd_length >= 0:
            return [item, length_item(response._fd_length)]
        if isinstance(response._fd_iterable, (list, tuple)):
            return [item, length_item(_measure(response._fd_iterable))]
        return [item]

    body: Any = response._fd_body
    if body is None:
        body = response._fd_iterable
        if not isinstance(body, (list, tuple)):
            body = None
    elif response._fd_streamed:
        body = None
    return list_headers(response._fd_headers, body)


def list_headers(headers: Any, body: Any) -> list[tuple[str, str]] | None:
    """*headers* as ``start_response`` takes them, or None if Werkzeug has to see them.

    :param body: what a Content-Length that is missing is the length of: bytes, or a
        list or tuple of bytes and str; None: there is none to be added.
    """
    if type(headers) is not Headers:
        return None
    given: Any = headers._list
    if type(given) is not list:
        return None
    kept: list[Any] = given
    listed = kept[:]
    has_length = False
    for item in listed:
        size = ctext.header_size(item)
        if size < 0:
            return None
        if size == 14 or size == 8 or size == 16:
            pair = item
            key = pair[0]
            if key == "Content-Length" or key.lower() == "content-length":
                has_length = True
            elif key.lower() in ("location", "content-location"):
                return None
    if body is not None and not has_length:
        length = len(body) if type(body) is bytes else _measure(body)
        listed.append(length_item(length))
    return listed


def _measure(items: Any) -> int:
    """The length of *items* joined, each str encoded."""
    total = 0
    for item in items:
        total += len(item.encode() if isinstance(item, str) else item)
    return total
