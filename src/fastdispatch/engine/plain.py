"""Responses that keep their fields where Werkzeug puts them: a host's own.

Views of another framework make responses of its class. They are made and sent here
where the class is proved to do what Werkzeug wrote, and where the object has nothing
but the fields that Werkzeug gives it. Everything else goes through Werkzeug's methods.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any
from typing import TYPE_CHECKING

import werkzeug.sansio.response
import werkzeug.wrappers.response
from werkzeug.sansio.response import Response as SansIOResponse
from werkzeug.wrappers import Response as WerkzeugResponse

from . import compiled
from . import response as responses
from .context import Context
from .response import FIELDS
from .response import PARAMETERS
from .response import ResponseBody
from .response import ResponseKernel

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts
    from . import ctext
    from . import cvars

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

_END: Any = object()
_CACHE_LIMIT = 1024


# -- Which classes do as Werkzeug wrote ---------------------------------------------


def _stock_sending() -> dict[str, Any]:
    """What each name that sending passes over is on Werkzeug's class."""
    stock: dict[str, Any] = {
        name: responses.genuine(WerkzeugResponse, name, werkzeug.wrappers.response)
        for name in (
            "__call__",
            "get_wsgi_response",
            "get_wsgi_headers",
            "get_app_iter",
            "iter_encoded",
            "is_sequence",
            "close",
        )
    }
    for name in ("status", "status_code"):
        stock[name] = responses.genuine(SansIOResponse, name, werkzeug.sansio.response)
    stock["automatically_set_content_length"] = True
    stock["__getattribute__"] = object.__getattribute__
    return stock


def _stock_making() -> dict[str, Any]:
    """The same for making one."""
    wsgi = werkzeug.wrappers.response
    sansio = werkzeug.sansio.response
    return {
        "__init__": responses.genuine(WerkzeugResponse, "__init__", wsgi),
        "set_data": responses.genuine(WerkzeugResponse, "set_data", wsgi),
        "_clean_status": responses.genuine(SansIOResponse, "_clean_status", sansio),
        "status": responses.genuine(SansIOResponse, "status", sansio),
        "__new__": object.__new__,
        "__setattr__": object.__setattr__,
        "__getattribute__": object.__getattribute__,
    }


_SENDING = _stock_sending()
_MAKING = _stock_making()
_sending_of = attrgetter(*_SENDING)
_making_of = attrgetter(*_MAKING)
_sending_stock = tuple(_SENDING.values())
_making_stock = tuple(_MAKING.values())
_sansio_init = responses.genuine(SansIOResponse, "__init__", werkzeug.sansio.response)


class PlainProof:
    """What one response class, as it is now, is sure to do as Werkzeug wrote.

    ``sends``: calling an instance. ``makes``: calling the class.
    """

    __slots__ = ("version", "sends", "makes")

    version: int
    sends: bool
    makes: bool

    def __init__(self, cls: Any) -> None:
        plain = bool(
            isinstance(cls, type)
            and type(cls) is type
            and issubclass(cls, WerkzeugResponse)
            and not issubclass(cls, ResponseKernel)
            and not any([name in vars(base) for base in cls.__mro__ for name in FIELDS])
        )
        self.sends = plain and capi.identical(_sending_of(cls), _sending_stock)
        self.makes = (
            plain
            and capi.identical(_making_of(cls), _making_stock)
            and "__init__" in vars(WerkzeugResponse)
            and vars(SansIOResponse).get("__init__") is _sansio_init
        )
        self.version = 0


_proofs: dict[int, PlainProof] = {}
_no_proof = PlainProof(object)
# PERF: the proof asked for last, found without making an int of the version.
_last_proof = [_no_proof]


def prove(cls: type) -> PlainProof:
    """The proof for *cls*, renewed whenever it or a base of it is patched."""
    version = capi.type_version(cls)
    if version:
        proof: PlainProof = _last_proof[0]
        if proof.version == version:
            return proof
        found = _proofs.get(version)
        if found is not None:
            _last_proof[0] = found
            return found
    # Looking at it gives a class a version.
    getattr(cls, "__call__", None)  # noqa: B004
    version = capi.type_version(cls)
    if not version:
        # PERF: proving it each time takes longer than what Flask's own code does.
        return _no_proof
    proof = PlainProof(cls)
    if len(_proofs) >= _CACHE_LIMIT:
        _proofs.clear()
    if capi.type_version(cls) == version:
        proof.version = version
        _proofs[version] = proof
    return proof


# -- Making -------------------------------------------------------------------------

_request_var: Any = None
_class: Any = None
_kernel: Any = None
_spare: Any = None


def make_for(cls: type, kernel: type, request_var: Any) -> None:
    """Have calls of *cls* answered by :func:`make` from now on, in the compiled build.

    Nothing can be seen of it on the class: it is a call's C function alone that is
    another one, and it asks first whether the class is still as Werkzeug wrote it.

    :param cls: a subclass of Werkzeug's ``Response``.
    :param kernel: one of *cls* and of ``ResponseKernel``.
    :param request_var: the context variable of the host's request contexts.
    """
    global _request_var, _class, _kernel
    if _kernel is None:
        _request_var = request_var
        _class = cls
        _kernel = kernel
        capi.call_by(cls, make, PARAMETERS)


def make(
    cls: Any,
    response: Any,
    status: Any,
    headers: Any,
    mimetype: Any,
    content_type: Any,
    direct_passthrough: Any,
) -> Any:
    """A call of *cls*; NotImplemented if only *cls* itself can tell what that is.

    That is so outside of requests that the engine runs, too.
    """
    ctx = cvars.var_find(_request_var)
    if not isinstance(ctx, Context) or not prove(cls).makes:
        return NotImplemented
    proof = responses.prove(_kernel)
    if not proof.builds or not responses.headers_are_stock():
        return NotImplemented
    kernel: ResponseKernel = _taken()
    responses.fill(
        kernel,
        proof,
        response,
        status,
        headers,
        mimetype,
        content_type,
        direct_passthrough,
    )
    return _of_spare(cls, kernel)


def _taken() -> Any:
    """A kernel to fill for :func:`_of_spare`, by nobody else at the time."""
    global _spare
    # PERF: made anew each time it took 600 instructions of 2,500.
    kernel = _spare
    if kernel is None:
        return capi.new_instance(_kernel)
    _spare = None
    capi.show(kernel)
    return kernel


def _of_spare(cls: Any, kernel: ResponseKernel) -> Any:
    """The same as :func:`_of_kernel`, of a kernel that was taken and is given back."""
    global _spare
    made = _of_kernel(cls, kernel)
    kernel._fd_headers = None
    kernel._fd_iterable = None
    kernel._fd_on_close = None
    if _spare is None:
        capi.hide(kernel)
        _spare = kernel
    return made


def _template(status: Any, code: Any) -> tuple[Any, Any, dict[str, Any]]:
    # In Werkzeug's order.
    fields = {
        "headers": None,
        "_status": status,
        "_status_code": code,
        "direct_passthrough": False,
        "_on_close": None,
        "response": None,
    }
    return status, code, fields


_last_template = _template("200 OK", 200)


def _of_kernel(cls: Any, kernel: ResponseKernel) -> Any:
    """An instance of *cls* with what *kernel* holds."""
    global _last_template
    made = capi.new_instance(cls)
    status = kernel._fd_status
    code = kernel._fd_code
    template = _last_template
    if template[0] is not status or template[1] is not code:
        template = _last_template = _template(status, code)
    unset = template[2]
    fields = unset.copy()
    fields["headers"] = kernel.made_headers()
    if kernel._fd_passthrough is not False:
        fields["direct_passthrough"] = kernel._fd_passthrough
    fields["_on_close"] = [] if kernel._fd_on_close is None else kernel._fd_on_close
    fields["response"] = kernel.made_iterable()
    if prove(cls).makes:
        # PERF: a third of the time of six attributes, and it is read as a dict later.
        made.__dict__ = fields
    else:
        for name in fields:
            setattr(made, name, fields[name])
    return made


_provider: Any = None
_lent: Any = None
_provider_response: Any = None
_provider_version = 0


def json_for(provider_class: Any, lent: Any) -> None:
    """Have :func:`json_response` answer for methods of *provider_class*, a host's.

    :param lent: the subclass of it that has :func:`json_response` for a method.
    """
    global _provider, _lent, _provider_response
    _provider = provider_class
    _lent = lent
    _provider_response = provider_class.response


def _provider_is_stock() -> bool:
    global _provider_version
    version = capi.type_version(_provider)
    if version != 0 and version == _provider_version:
        return True
    if _provider.response is not _provider_response:
        return False
    _provider_version = version
    return True


def json_response(self: Any, *args: Any, **kwargs: Any) -> Any:
    """The method ``response`` of a JSON provider, written by the engine where it can.

    PERF: as a method in Python it took a tenth of a request that calls jsonify.
    """
    if _provider_is_stock() and not (args and kwargs):
        made = _json(self, args[0] if len(args) == 1 else args or kwargs or None)
        if made is not None:
            return made
    # What is put there may be no function, or bind in another way.
    return super(_lent, self).response(*args, **kwargs)


def _json(provider: Any, value: Any) -> Any:
    """The response to *value*; None if unsure.

    That is so outside of requests that the engine runs, too.
    """
    current = cvars.var_find(_request_var)
    if not isinstance(current, Context):
        return None
    ctx: Context = current
    plan = ctx.renew()
    app = ctx.app
    if app.json is not provider:
        return None
    body = ctx.json_body(value, provider)
    if body is None:
        return None
    item = ctx.body_item
    # The view may return something else.
    ctx.body_item = None
    cls = plan.response_class
    if cls is None:
        cls = app.response_class
    if (
        cls is _class
        and prove(cls).makes
        and responses.prove(_kernel).sends_body
        and responses.headers_are_stock()
    ):
        kernel: ResponseKernel = _taken()
        responses.put_body(kernel, item, body)
        return _of_spare(cls, kernel)
    return cls(body.decode(), mimetype=provider.mimetype)


def shown(response: Any) -> Any:
    """*response*, as the program may see it: of the host's class, no stand-in for it.

    Somebody may ask for its class or change it, as Werkzeug's ``force_type`` does.
    """
    if type(response) is not _kernel or _kernel is None:
        return response
    kernel: ResponseKernel = response
    return _of_kernel(_class, kernel)


# -- Sending ------------------------------------------------------------------------


class PlainBody(ResponseBody):
    """The same as :class:`ResponseBody`, for a response that is no ResponseKernel."""

    __slots__ = ("_owner",)

    _owner: Any

    def close(self) -> None:
        """What Werkzeug's ``Response.close`` does, as often as this is called."""
        self.drop()
        iterable = self._owner.response
        kind = type(iterable)
        if kind is not list and kind is not tuple:
            close = getattr(iterable, "close", _END)
            if close is not _END:
                close()
        for func in self._owner._on_close:
            func()


def send(
    response: Any, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """``response(environ, start_response)``: the same effect for any response.

    Rule 38: what the response's own ``__call__`` raises is raised here.
    """
    if isinstance(response, ResponseKernel):
        return responses.send(response, environ, start_response, True)
    if (
        type(environ) is dict
        and isinstance(response, WerkzeugResponse)
        and prove(type(response)).sends
        and responses.headers_are_stock()
    ):
        # Nothing but the fields, so nothing that would shadow a method.
        fields: Any = capi.instance_dict(response)
        if fields is not None and len(fields) == 6:
            status = cdicts.stored_at(fields, 1, "_status")
            passthrough = cdicts.stored_at(fields, 3, "direct_passthrough")
            on_close = cdicts.stored_at(fields, 4, "_on_close")
            iterable = cdicts.stored_at(fields, 5, "response")
            if (
                type(status) is str
                and (passthrough is False or passthrough is True)
                and iterable is not None
                and type(on_close) is list
                and _needs_no_rule(fields, environ)
            ):
                headers = responses.list_headers(
                    cdicts.stored_at(fields, 0, "headers"),
                    iterable if isinstance(iterable, (list, tuple)) else None,
                )
                if headers is not None:
                    result: Any
                    # PERF: an iterator that closes what nobody can have asked to be
                    # closed is a twentieth of a request's instructions.
                    if passthrough is True or not (
                        on_close
                        or not capi.is_one_bytes(iterable)
                        or capi.is_seen(response)
                        or capi.is_shared(fields)
                        or capi.is_shared(on_close)
                        or capi.is_shared(iterable)
                    ):
                        result = iterable
                    else:
                        body: PlainBody = capi.new_instance(PlainBody)
                        body._owner = response
                        body._iterable = iterable
                        body._iterator = None
                        body._finished = False
                        result = body
                    start_response(status, headers)
                    return result  # type: ignore[no-any-return]
    return response(environ, start_response)  # type: ignore[no-any-return]


def _needs_no_rule(fields: dict[str, Any], environ: dict[str, Any]) -> bool:
    """Whether all of the body goes out, and that is for sure."""
    code = cdicts.stored_at(fields, 2, "_status_code")
    method = cdicts.stored(environ, "REQUEST_METHOD")
    return (
        responses.is_code(code)
        and responses.has_body(code)
        and type(method) is str
        and not ctext.is_head(method)
    )
