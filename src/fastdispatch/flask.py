"""``accelerate``: the engine under an existing Flask application."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from collections.abc import Iterable
from operator import attrgetter
from typing import Any
from typing import NamedTuple
from typing import TYPE_CHECKING
from typing import TypeVar

import flask
from blinker import NamedSignal
from flask import signals
from flask.app import Flask  # flask.Flask is another class once tracers are at work
from flask.ctx import _AppCtxGlobals  # pyright: ignore[reportPrivateUsage]
from flask.json.provider import DefaultJSONProvider
from flask.sansio.app import App
from flask.sessions import SecureCookieSession
from flask.sessions import SecureCookieSessionInterface
from flask.wrappers import Request
from flask.wrappers import Response
from werkzeug.routing import Map
from werkzeug.routing import MapAdapter

from ._flask_sessions import cookie_sessions
from .engine.failures import LOOKUP
from .engine.jsontext import METHODS as JSON_METHODS
from .engine.jsontext import methods
from .engine.jsontext import read_json
from .engine.jsontext import respond
from .engine.lifecycle import HostedApplication
from .engine.plain import make_for
from .engine.plan import Plan
from .engine.plan import STEPS
from .engine.request import RequestKernel
from .engine.response import FIELDS
from .engine.response import ResponseKernel
from .engine.routing import Matcher
from .engine.signing import CookieSessions

if TYPE_CHECKING or "_cv_request" in vars(flask.globals):
    from . import _flask31 as version
else:
    from . import _flask32 as version

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

F = TypeVar("F", bound=Flask)


_OWN_STEPS = tuple(step for step in STEPS if step != "wsgi_app")
_SESSION_SETTINGS = ("permanent_session_lifetime", "secret_key")
# Looked at when there is an error: nothing of them on the application makes a plan
# invalid.
_ERROR_STEPS: tuple[str, ...] = (*LOOKUP, "handle_exception", "log_exception")
_LOOKED_AT_LATE = (*_ERROR_STEPS, *_SESSION_SETTINGS, "debug")
_CLASS_NAMES = (
    *STEPS,
    *_LOOKED_AT_LATE,
    "app_context",
    "app_ctx_globals_class",
    "request_class",
    "response_class",
    "session_interface",
)
_class_values = attrgetter(*_CLASS_NAMES)

# What the plan is drawn from, besides the class: while each of these is the same object
# in the application's ``__dict__`` (or is not there), the plan holds.
_INSTANCE_NAMES = (
    *(name for name in _CLASS_NAMES if name not in ("wsgi_app", *_LOOKED_AT_LATE)),
    "after_request_funcs",
    "before_request_funcs",
    "config",
    "subdomain_matching",
    "teardown_appcontext_funcs",
    "teardown_request_funcs",
    "url_map",
    "url_value_preprocessors",
    "view_functions",
)

_LATE_NAMES = (
    "after_request_funcs",
    "response_class",
    "session_interface",
    "teardown_appcontext_funcs",
    "teardown_request_funcs",
    "view_functions",
)

_SESSION_NAMES = (
    "get_cookie_name",
    "get_signing_serializer",
    "is_null_session",
    "make_null_session",
    "open_session",
    "save_session",
    "session_class",
    "should_set_cookie",
)


class FlaskRequest(RequestKernel, Request):  # type: ignore[misc]
    """Stands in for ``flask.Request`` where that is the request class: lazy."""

    def _load_form_data(self) -> None:
        if flask.current_app and flask.current_app.debug:
            # With Flask's hint for a form without an enctype.
            Request._load_form_data(self)
        else:
            super()._load_form_data()


class FlaskResponse(  # pyright: ignore[reportIncompatibleVariableOverride]
    ResponseKernel, Response
):
    """Stands in for ``flask.Response`` where that is the response class: lazy."""


class FlaskJSONProvider(DefaultJSONProvider):
    """Stands in for ``DefaultJSONProvider`` where that is the provider's class."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """As Flask's."""
        if not kwargs and DefaultJSONProvider.loads is _own_loads:
            return read_json(s)
        return super().loads(s, **kwargs)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        """As Flask's, of a text that the engine writes where it can."""
        if DefaultJSONProvider.response is _own_response and not (args and kwargs):
            obj = args[0] if len(args) == 1 else args or kwargs or None
            app = self._app
            made = respond(self, STOCK_JSON, app.debug, obj)
            if made is not None:
                text = made[0].decode()
                return app.response_class(text, mimetype=self.mimetype)
        return super().response(*args, **kwargs)


_own_loads = DefaultJSONProvider.loads
_own_response = DefaultJSONProvider.response

#: The provider whose text the engine may write, and what it is made of.
STOCK_JSON = (FlaskJSONProvider, methods(FlaskJSONProvider))


for _class, _name in (
    (FlaskJSONProvider, "DefaultJSONProvider"),
    (FlaskRequest, "Request"),
    (FlaskResponse, "Response"),
):
    # What people print and log: the names they know.
    _class.__name__ = _class.__qualname__ = _name


def _shadowed(kernel: type, cls: type) -> tuple[str, ...]:
    """The names that *kernel*, put before *cls*, takes over from it."""
    return tuple(
        name
        for name in vars(kernel)
        if name not in {"__doc__", "__module__", "__dict__", "__weakref__"}
        and hasattr(cls, name)
    )


# Classes other than the application's that may be patched, and what of them the engine
# does itself.
_WATCHED: dict[type, tuple[str, ...]] = {
    Request: _shadowed(RequestKernel, Request),
    Response: _shadowed(ResponseKernel, Response),
    **version.WATCHED,
    NamedSignal: ("receivers_for", "send"),
    Map: ("__init__", "bind", "bind_to_environ", "update"),
    MapAdapter: ("__init__", "match"),
    SecureCookieSessionInterface: _SESSION_NAMES,
    SecureCookieSession: (
        "__getattribute__",
        "__init__",
        "__new__",
        "accessed",
        "get",
        "modified",
        "permanent",
    ),
    DefaultJSONProvider: ("_prepare_response_obj", "dumps", "loads", "response"),
}
_NATURAL = {cls: attrgetter(*names)(cls) for cls, names in _WATCHED.items()}
_watched_classmethods = [
    (cls, name)
    for cls, names in _WATCHED.items()
    for name in names
    if type(getattr(cls, name)) is types.MethodType
]
_watched_values = [
    (cls, attrgetter(*(n for n in names if (cls, n) not in _watched_classmethods)))
    for cls, names in _WATCHED.items()
]
_PACKAGES = {"flask", "itsdangerous", "werkzeug", "blinker"}


def _genuine(value: Any) -> bool:
    """Whether a function, method or property is of Flask or what Flask is made of."""
    if type(value) is types.MethodType:
        value = value.__func__
    elif isinstance(value, property):
        return all(
            f is None or _genuine(f) for f in (value.fget, value.fset, value.fdel)
        )
    if type(value) is types.FunctionType:
        module = value.__globals__.get("__name__", "")
        return module.partition(".")[0] in _PACKAGES
    return False


def _unpatched(cls: type) -> bool:
    """Whether *cls* does itself what the engine does in its place.

    A patch may be older than this module, so that comparing is not enough.
    """
    for name, natural in zip(_WATCHED[cls], _NATURAL[cls], strict=True):
        value = getattr(cls, name)
        kind = type(value)
        if kind in (types.FunctionType, types.MethodType) or isinstance(
            value, property
        ):
            if not _genuine(value):
                return False
        elif value is not natural and value != natural:
            return False
        else:
            origin = value if isinstance(value, type) else kind
            if origin.__module__.partition(".")[0] not in _PACKAGES | {"builtins"}:
                return False
    return True


def _fields_are_free() -> bool:
    """Whether nobody has put a property before what a response has in its __dict__."""
    return not any(hasattr(Response, name) for name in FIELDS)


class Engine(HostedApplication):
    """What takes the place of ``app.wsgi_app``."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app, _INSTANCE_NAMES, _LATE_NAMES, tuple(_WATCHED))

    def __repr__(self) -> str:
        return f"<fastdispatch engine of {self.app!r}>"

    def _hand_back(
        self, app: Flask, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        return _wsgi_app_of_class(app)(environ, start_response)

    def _class_facts(self) -> tuple[Any, ...]:
        # PERF: without type versions this is asked for three times a request; by
        # attrgetter it takes a fifth of what a look at each value takes.
        facts: list[Any] = [_fields_are_free()]
        for cls, values in _watched_values:
            facts += values(cls)
        for cls, name in _watched_classmethods:
            # Bound anew each time.
            value = getattr(cls, name)
            facts.append(getattr(value, "__func__", value))
        return tuple(facts)

    def _draw_plan(self, app: Flask) -> Plan:
        cls = type(app)
        stock = {step for step in _OWN_STEPS if step_is_stock(app, step)}
        if _own_wsgi_app(cls):
            stock.add("wsgi_app")
        if _own_contexts(app) is not None:
            stock.discard("request_context")
        if not _own_binding(app):
            stock.discard("create_url_adapter")
        plan = Plan(cls, _class_values(cls), frozenset(stock), _class_values)
        plan.use_tables(
            app.url_value_preprocessors,
            app.before_request_funcs,
            app.after_request_funcs,
            app.teardown_request_funcs,
            app.teardown_appcontext_funcs,
            app.view_functions,
            app.config,
        )
        sent = (
            signals.appcontext_pushed,
            signals.request_started,
            signals.request_finished,
            signals.request_tearing_down,
            signals.appcontext_tearing_down,
            signals.appcontext_popped,
        )
        plan.use_signals(*sent)
        natural = _unpatched(NamedSignal)
        plan.send_always(
            *(
                not natural or "receivers_for" in vars(s) or "send" in vars(s)
                for s in sent
            )
        )
        failed = signals.got_request_exception
        plan.use_failures(
            failed,
            not natural or "receivers_for" in vars(failed) or "send" in vars(failed),
            frozenset(step for step in _ERROR_STEPS if _is_own_step(cls, step)),
        )
        _lend_json(app)
        if _unpatched(DefaultJSONProvider):
            plan.use_json(STOCK_JSON, _genuine(inspect.getattr_static(cls, "debug")))
        plan.use_routing(
            app.url_map,
            Matcher(app.url_map),
            not app.url_map.host_matching and not app.subdomain_matching,
        )
        interface = app.session_interface
        plan.use_session(
            interface if _is_fixed(app, "session_interface") else None,
            session_is_stock(app)
            and (
                app.request_class is Request
                or _genuine(inspect.getattr_static(app.request_class, "cookies"))
            ),
            True,
            sessions_of(app),
        )
        request_stand_in = None
        if _has_class(app, "request_class", Request) and _unpatched(Request):
            request_stand_in = FlaskRequest
        response_stand_in = None
        if (
            _has_class(app, "response_class", Response)
            and _unpatched(Response)
            and _fields_are_free()
        ):
            response_stand_in = FlaskResponse
        plan.use_requests(request_stand_in is not None)
        plan.use_host(
            version.app_var,
            version.request_var,
            version.FlaskContext,
            version.FlaskAppContext,
            request_stand_in,
            response_stand_in,
            "create_url_adapter" in stock
            and app.app_ctx_globals_class is _AppCtxGlobals,
        )
        self._watch_sizes(
            (*(vars(s) for s in (*sent, failed)), getattr(interface, "__dict__", {}))
        )
        return plan


def step_is_stock(app: Flask, step: str) -> bool:
    """Whether a step of *app* is Flask's own: not overridden, patched or replaced."""
    if step in version.NEEDED and not step_is_stock(app, version.NEEDED[step]):
        return False
    return step not in app.__dict__ and _is_own_step(type(app), step)


def _is_own_step(cls: type[Flask], step: str) -> bool:
    value = version.method_of(cls, step)
    if value is None:
        return step in version.ABSENT
    return (
        type(value) is types.FunctionType
        and _genuine(value)
        and value.__code__.co_qualname
        in tuple(f"{owner}.{step}" for owner in ("Flask", "App", "Scaffold"))
    )


def _wsgi_app_of_class(app: Flask) -> Callable[..., Iterable[bytes]]:
    """``app.wsgi_app`` as it would be without the instance attribute of that name."""
    found = inspect.getattr_static(type(app), "wsgi_app")
    bind = getattr(type(found), "__get__", None)
    return found if bind is None else bind(found, app, type(app))  # type: ignore[no-any-return]


def _own_wsgi_app(cls: type[Flask]) -> bool:
    return _is_own_step(cls, "wsgi_app")


def _own_contexts(app: Flask) -> str | None:
    """None where contexts are Flask's own, else what about them is not."""
    for step in version.CONTEXT_STEPS:
        if not step_is_stock(app, step):
            return step
    for cls in version.WATCHED:
        if not _unpatched(cls):
            return f"flask.ctx.{cls.__name__}"
    return None


def _own_binding(app: Flask) -> bool:
    """Whether nobody can tell when a URL adapter is made, nor who matches."""
    return (
        step_is_stock(app, "create_url_adapter")
        and type(app.url_map) is Map
        and _unpatched(Map)
        and _unpatched(MapAdapter)
    )


def _is_fixed(app: Flask, attribute: str) -> bool:
    """Whether *attribute* is no property, which may differ from request to request."""
    value = inspect.getattr_static(type(app), attribute)
    return not hasattr(type(value), "__get__")


def _has_class(app: Flask, attribute: str, cls: type) -> bool:
    return getattr(app, attribute) is cls and _is_fixed(app, attribute)


def session_is_stock(app: Flask) -> bool:
    """Whether nobody can tell when the interface of *app* opens a session."""
    interface = app.session_interface
    return (
        type(interface) is SecureCookieSessionInterface
        and _is_fixed(app, "session_interface")
        and _unpatched(SecureCookieSessionInterface)
        and _unpatched(SecureCookieSession)
        and not set(_SESSION_NAMES) & set(getattr(interface, "__dict__", ()))
    )


def sessions_of(app: Flask) -> CookieSessions | None:
    """What of the engine reads and writes the session cookies of *app*, or None."""
    cls = type(app)
    if any(getattr(cls, name) is not vars(App)[name] for name in _SESSION_SETTINGS):
        return None
    if not session_is_stock(app):
        return None
    return cookie_sessions(app.session_interface, FlaskJSONProvider)


def _is_flask_wsgi_app(value: Any, app: Flask) -> bool:
    return (
        isinstance(value, types.MethodType)
        and value.__self__ is app
        and value.__name__ == "wsgi_app"
    )


def _replace_inside(
    outer: Any,
    matches: Callable[[Any], bool],
    replacement: Any,
    depth: int = 0,
) -> bool:
    """Replace what *matches* in the chain of middleware that begins with *outer*."""
    if depth > 50:
        return False
    attributes = getattr(outer, "__dict__", None)
    if isinstance(attributes, dict):
        for name, value in attributes.items():
            if matches(value):
                setattr(outer, name, replacement)
                return True
    for cell in getattr(outer, "__closure__", None) or ():
        try:
            if matches(cell.cell_contents):
                cell.cell_contents = replacement
                return True
        except ValueError:
            # An empty cell.
            continue
    inner: list[Any] = list(attributes.values()) if attributes else []
    inner += [
        cell.cell_contents
        for cell in getattr(outer, "__closure__", None) or ()
        if _filled(cell)
    ]
    return any(
        callable(value)
        and not isinstance(value, (type, Flask, Engine))
        and _replace_inside(value, matches, replacement, depth + 1)
        for value in inner
    )


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def engine_of(app: Flask) -> Engine | None:
    """The engine that *app* runs on, or None."""
    engine = app.extensions.get("fastdispatch")
    current = app.__dict__.get("wsgi_app")
    if current is None or _is_flask_wsgi_app(current, app):
        # Somebody has put back what was there before accelerate.
        return None
    return engine if isinstance(engine, Engine) else None


def accelerate(app: F) -> F:
    """Run an existing Flask application on the engine; nothing else changes.

    :param app: any :class:`flask.Flask`, subclassed or not. Twice is once.
    :returns: *app*.
    :raises TypeError: if it is no Flask application.
    :raises RuntimeError: if middleware hides ``app.wsgi_app``: call this before it is
        put around.
    """
    if not isinstance(app, Flask):
        raise TypeError(
            f"accelerate() takes a flask.Flask application, not {type(app).__name__}."
        )
    if engine_of(app) is not None:
        return app
    current = app.__dict__.get("wsgi_app")
    engine = Engine(app)
    if current is None or _is_flask_wsgi_app(current, app):
        app.wsgi_app = engine  # type: ignore[method-assign]
    elif not _replace_inside(current, lambda v: _is_flask_wsgi_app(v, app), engine):
        raise RuntimeError(
            f"app.wsgi_app is {current!r}, and the application can't be found inside"
            " of it. Call accelerate(app) before the middleware is put around it."
        )
    app.extensions["fastdispatch"] = engine
    make_for(Response, FlaskResponse, version.request_var or version.app_var)
    _lend_json(app)
    return app


def _lend_json(app: Flask) -> None:
    """Have Flask's own provider write its responses faster, if it is what *app* has."""
    if type(app.json) is DefaultJSONProvider and _unpatched(DefaultJSONProvider):
        provider: Any = app.json
        provider.__class__ = FlaskJSONProvider


def restore(app: F) -> F:
    """Undo :func:`accelerate`: Flask's own code runs *app* again.

    :returns: *app*.
    :raises RuntimeError: if the engine can't be found in ``app.wsgi_app``.
    """
    engine = engine_of(app)
    if engine is None:
        return app
    current = app.__dict__.get("wsgi_app")
    if current is engine:
        del app.__dict__["wsgi_app"]
    elif current is not None and not _replace_inside(
        current,
        lambda v: v is engine,
        _wsgi_app_of_class(app),
    ):
        raise RuntimeError(
            f"app.wsgi_app is {current!r}, and the engine can't be found inside of it."
        )
    del app.extensions["fastdispatch"]
    if type(app.json) is FlaskJSONProvider:
        provider: Any = app.json
        provider.__class__ = DefaultJSONProvider
    return app


class Step(NamedTuple):
    """A row of :func:`explain`."""

    step: str
    engine: bool
    why: str


class Explanation(list[Step]):
    """The rows of :func:`explain`; ``str()`` draws them as a table."""

    def __str__(self) -> str:
        rows = [("step", "run by", "why")]
        rows += [(r.step, "engine" if r.engine else "app", r.why) for r in self]
        widths = [max(len(row[i]) for row in rows) for i in range(2)]
        return "\n".join(
            f"{step:<{widths[0]}}  {by:<{widths[1]}}  {why}" for step, by, why in rows
        )


def explain(app: Flask) -> Explanation:
    """What of *app* the engine runs, what the application's own code, and why.

    :returns: a table with a row for each step of the lifecycle.
    :raises RuntimeError: if *app* is not accelerated.
    """
    engine = engine_of(app)
    if engine is None:
        raise RuntimeError("The application is not accelerated: accelerate(app).")
    rows = Explanation()
    if not _own_wsgi_app(type(app)):
        rows.append(Step("wsgi_app", False, _defined_by(type(app), "wsgi_app")))
    else:
        rows.append(Step("wsgi_app", True, "Flask's own"))
    for step in dict.fromkeys((*_OWN_STEPS, *_ERROR_STEPS, *version.CONTEXT_STEPS)):
        needed = version.NEEDED.get(step)
        if step_is_stock(app, step):
            rows.append(Step(step, True, "Flask's own"))
        elif needed is not None and not step_is_stock(app, needed):
            rows.append(Step(step, False, f"{needed} is not Flask's own"))
        elif step in app.__dict__:
            rows.append(Step(step, False, "set on the application"))
        else:
            rows.append(Step(step, False, _defined_by(type(app), step)))
    interface = app.session_interface
    lazy = session_is_stock(app)
    name = type(interface).__name__
    if not lazy:
        why = f"{name}, opened each time"
    elif sessions_of(app) is None:
        why = f"{name}, opened on first use; Flask reads and writes the cookie"
    else:
        why = f"{name}, opened on first use"
    rows.append(Step("session", lazy, why))
    for attribute, stock in (("request_class", Request), ("response_class", Response)):
        cls = getattr(app, attribute)
        why = f"{cls.__module__}.{cls.__qualname__}"
        rows.append(Step(attribute, _has_class(app, attribute, stock), why))
    provider = app.json
    rows.append(
        Step(
            "json",
            type(provider) is FlaskJSONProvider
            and _unpatched(DefaultJSONProvider)
            and not set(JSON_METHODS) & set(vars(provider)),
            type(provider).__name__,
        )
    )
    flat = not app.url_map.host_matching and not app.subdomain_matching
    matcher = Matcher(app.url_map)
    why = "path and method" if flat else "hosts or subdomains take part"
    if flat and not matcher.sure:
        why = "rules that only Werkzeug's Map knows how to match"
    rows.append(Step("url_map", flat and matcher.sure, why))
    return rows


def _defined_by(cls: type, step: str) -> str:
    for owner in cls.__mro__:
        if step in vars(owner):
            if owner is Flask:
                return "patched on flask.Flask"
            return f"overridden by {owner.__module__}.{owner.__qualname__}"
    return "unknown"
