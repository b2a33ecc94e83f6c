"""``accelerate``: the engine under an existing Flask application."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from collections.abc import Iterable
from functools import partial
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
from werkzeug.datastructures import Headers
from werkzeug.local import LocalProxy
from werkzeug.routing import Map
from werkzeug.routing import MapAdapter
from werkzeug.sansio.response import Response as SansIOResponse

from ._flask_sessions import cookie_sessions
from .app import App as NativeApp
from .engine import compiled
from .engine.failures import LOOKUP
from .engine.hosted import HostedApplication
from .engine.jsontext import dumps_is_stock
from .engine.jsontext import METHODS as JSON_METHODS
from .engine.jsontext import ProviderText
from .engine.jsontext import read_json
from .engine.plain import json_for
from .engine.plain import json_response
from .engine.plain import make_for
from .engine.plan import comparer
from .engine.plan import Plan
from .engine.plan import STEPS
from .engine.request import FIELDS as REQUEST_FIELDS
from .engine.request import RequestKernel
from .engine.response import FIELDS
from .engine.response import headers_are_stock
from .engine.response import prove
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


def _requests() -> type[FlaskRequest]:
    return FlaskRequest


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

    response = json_response


_own_loads = DefaultJSONProvider.loads
json_for(DefaultJSONProvider, FlaskJSONProvider)

_json_text = ProviderText(FlaskJSONProvider)


for _class, _name in (
    (FlaskJSONProvider, "DefaultJSONProvider"),
    (FlaskRequest, "Request"),
    (FlaskResponse, "Response"),
):
    # What people print and log: the names they know.
    _class.__name__ = _class.__qualname__ = _name


def _shadowed(kernel: type, cls: type, *fields: str) -> tuple[str, ...]:
    """The names that *kernel*, put before *cls*, takes over from it, with those of
    *fields* that *cls* has."""
    return tuple(
        name
        for name in dict.fromkeys((*vars(kernel), *fields))
        if name not in {"__doc__", "__module__", "__dict__", "__weakref__"}
        and hasattr(cls, name)
    )


_HEADERS_NAMES = (
    "__init__",
    "__iter__",
    "__setitem__",
    "add",
    "extend",
    "set",
    "to_wsgi_list",
)

# Classes other than the application's that may be patched, and what of them the engine
# does itself.
_WATCHED: dict[type, tuple[str, ...]] = {
    Request: _shadowed(RequestKernel, Request, *REQUEST_FIELDS),
    Response: _shadowed(ResponseKernel, Response),
    SansIOResponse: ("__init__", "_clean_status"),
    Headers: _HEADERS_NAMES,
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
_BUILT_FROM = _PACKAGES | {"builtins"}


def _genuine(value: Any) -> bool:
    """Whether a function, method or property is of Flask or what Flask is made of."""
    if type(value) is types.MethodType:
        value = value.__func__
    elif isinstance(value, property):
        return all(
            f is None or _genuine(f) for f in (value.fget, value.fset, value.fdel)
        )
    if type(value) is types.FunctionType:
        scope: dict[str, Any] | None = value.__globals__
        # PyPy's built-in functions are of this type, too, and have none.
        return scope is None or scope.get("__name__", "").split(".")[0] in _PACKAGES
    return False


def _patch_of(cls: type) -> str | None:
    """What of *cls* has been patched that the engine does in its place, or None.

    A patch may be older than this module, so that comparing is not enough.
    """
    for name, natural in zip(_WATCHED[cls], _NATURAL[cls], strict=True):
        value = getattr(cls, name)
        kind = type(value)
        if kind in (types.FunctionType, types.MethodType) or isinstance(
            value, property
        ):
            natural_still = _genuine(value)
        elif value is not natural and value != natural:
            natural_still = False
        else:
            origin = value if isinstance(value, type) else kind
            natural_still = origin.__module__.partition(".")[0] in _BUILT_FROM
        if not natural_still:
            owner = next((c for c in cls.__mro__ if name in vars(c)), cls)
            return f"{_name_of(owner)}.{name} is patched"
    return None


def _has_stock_names(request_class: Any) -> bool:
    """Whether a request's endpoint and blueprints are what the URL led to."""
    return all(
        _genuine(inspect.getattr_static(request_class, name, None))
        for name in ("blueprint", "blueprints", "endpoint")
    )


def _fields_are_free() -> bool:
    """Whether nobody has put a property before what a response has in its __dict__."""
    return not any(hasattr(Response, name) for name in FIELDS)


class Engine(HostedApplication):
    """What takes the place of ``app.wsgi_app``."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app, _INSTANCE_NAMES, _LATE_NAMES, tuple(_WATCHED))
        # What the plan leaves to the application's own code, and why.
        self.left: dict[str, str] = {}

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
        values = _class_values(cls)
        left = left_to(app)
        stock = frozenset(step for step in STEPS if step not in left)
        plan = Plan(cls, stock, comparer(_CLASS_NAMES, values))
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
        natural = _patch_of(NamedSignal) is None
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
            frozenset(step for step in _ERROR_STEPS if step not in left),
        )
        _lend_json(app)
        if "json" not in left:
            plan.use_json(
                _json_text if compiled else None,
                _genuine(inspect.getattr_static(cls, "debug")),
            )
        plan.use_routing(
            app.url_map,
            Matcher(app.url_map),
            "url_map" not in left and _has_stock_names(app.request_class),
        )
        interface = app.session_interface
        plan.use_session(
            interface if _is_fixed(app, "session_interface") else None,
            "session" not in left,
            True,
            sessions_of(app),
        )
        lazy = "request_class" not in left
        plan.use_requests(lazy, _requests if lazy else None)
        plan.use_responses(None if "response_class" in left else Response)
        plan.use_host(
            version.app_var,
            version.request_var,
            version.FlaskContext,
            version.FlaskAppContext,
            FlaskRequest if lazy else None,
            None if "response_class" in left else FlaskResponse,
            not left.keys() & {"create_url_adapter", "app_ctx_globals_class"},
        )
        settings = type(interface) is SecureCookieSessionInterface
        self._keep_tables(
            tuple([vars(s) for s in (*sent, failed)]),
            "receivers",
            vars(interface) if settings else {},
        )
        self.left = left
        return plan


def left_to(app: Flask) -> dict[str, str]:
    """What is left to code that is *app*'s own or Flask's, and why.

    The plan is drawn from this, and :func:`explain` reads it. A step of handling an
    error may be replaced on the application later: that is looked at when there is one.
    """
    cls = type(app)
    found: dict[str, str | None] = {
        step: _left_step(app, step)
        for step in dict.fromkeys((*_OWN_STEPS, *version.CONTEXT_STEPS))
    }
    for step in _ERROR_STEPS:
        if not _is_own_step(cls, step):
            found[step] = _defined_by(cls, step)
    if not _is_own_step(cls, "wsgi_app"):
        found["wsgi_app"] = f"wsgi_app is {_defined_by(cls, 'wsgi_app')}"
    found["request_context"] = _left_contexts(app)
    found["create_url_adapter"] = found["create_url_adapter"] or _left_map(app)
    if app.url_map.host_matching or app.subdomain_matching:
        found["url_map"] = "hosts or subdomains take part"
    found["session"] = _left_session(app)
    found["request_class"] = _left_class(app, "request_class", Request)
    found["response_class"] = _left_class(app, "response_class", Response)
    if app.app_ctx_globals_class is not _AppCtxGlobals:
        found["app_ctx_globals_class"] = _name_of(app.app_ctx_globals_class)
    found["json"] = _patch_of(DefaultJSONProvider)
    return {name: why for name, why in found.items() if why is not None}


def _left_step(app: Flask, step: str) -> str | None:
    needed = version.NEEDED.get(step)
    if needed is not None and _left_step(app, needed) is not None:
        return f"{needed} is not Flask's own"
    if step in app.__dict__:
        return "set on the application"
    return None if _is_own_step(type(app), step) else _defined_by(type(app), step)


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


def _defined_by(cls: type, step: str) -> str:
    for owner in cls.__mro__:
        if step in vars(owner):
            if owner is Flask:
                return "patched on flask.Flask"
            if owner in Flask.__mro__:
                return f"patched on {_name_of(owner)}"
            return f"overridden by {_name_of(owner)}"
    return "unknown"


def _name_of(cls: Any) -> str:
    if isinstance(cls, type):
        return f"{cls.__module__}.{cls.__qualname__}"
    function = getattr(cls, "__func__", cls)
    if type(function) is types.FunctionType:
        # Its own name, whatever functools.wraps has given it.
        return f"{function.__globals__['__name__']}.{function.__code__.co_qualname}"
    return f"a {type(cls).__qualname__}"


def _left_contexts(app: Flask) -> str | None:
    for step in version.CONTEXT_STEPS:
        why = _left_step(app, step)
        if why is not None:
            return f"{step} is {why}"
    return _first(_patch_of(cls) for cls in version.WATCHED)


def _left_map(app: Flask) -> str | None:
    """None where nobody can tell when a URL adapter is made, nor who matches."""
    if type(app.url_map) is not Map:
        return f"the URL map is a {_name_of(type(app.url_map))}"
    return _patch_of(Map) or _patch_of(MapAdapter)


def _first(reasons: Iterable[str | None]) -> str | None:
    return next((why for why in reasons if why is not None), None)


def _is_fixed(app: Flask, attribute: str) -> bool:
    """Whether *attribute* is no property, which may differ from request to request."""
    value = inspect.getattr_static(type(app), attribute)
    return not hasattr(type(value), "__get__")


def _left_class(app: Flask, attribute: str, stock: type) -> str | None:
    cls = getattr(app, attribute)
    if cls is not stock:
        return _name_of(cls)
    if not _is_fixed(app, attribute):
        return f"a property of {_name_of(type(app))}"
    if stock is not Response:
        return _patch_of(stock)
    if not _fields_are_free():
        return f"{_name_of(stock)} has a property in the place of a field"
    return _first(_patch_of(owner) for owner in (stock, SansIOResponse, Headers))


def _left_session(app: Flask) -> str | None:
    why = _left_interface(app)
    cls = app.request_class
    if why is None and cls is not Request:
        if not _genuine(inspect.getattr_static(cls, "cookies")):
            why = f"{_name_of(cls)} has cookies of its own"
    if why is None:
        return None
    name = type(app.session_interface).__name__
    return f"{name}, opened each time" + (why and f": {why}")


def _left_interface(app: Flask) -> str | None:
    """None where nobody can tell when the interface of *app* opens a session.

    Nothing more to be said, "", of an interface of the program's own.
    """
    interface = app.session_interface
    if type(interface) is not SecureCookieSessionInterface:
        return ""
    if not _is_fixed(app, "session_interface"):
        return f"a property of {_name_of(type(app))}"
    own = getattr(interface, "__dict__", {})
    for name in _SESSION_NAMES:
        if name in own:
            return f"{name} is set on it"
    return _patch_of(SecureCookieSessionInterface) or _patch_of(SecureCookieSession)


def sessions_of(app: Flask) -> CookieSessions | None:
    """What of the engine reads and writes the session cookies of *app*, or None."""
    cls = type(app)
    if any(getattr(cls, name) is not vars(App)[name] for name in _SESSION_SETTINGS):
        return None
    if _left_interface(app) is not None:
        return None
    return cookie_sessions(app.session_interface, FlaskJSONProvider)


def _is_flask_wsgi_app(value: Any, app: Flask) -> bool:
    return (
        isinstance(value, types.MethodType)
        and value.__self__ is app
        and value.__name__ == "wsgi_app"
    )


def _place_inside(
    outer: Any, matches: Callable[[Any], bool], depth: int = 0
) -> Callable[[Any], None] | None:
    """What replaces that which *matches* in the chain of middleware that begins with
    *outer*; None if nothing does."""
    if depth > 50:
        return None
    inner: list[tuple[Any, Callable[[Any], None]]] = []
    for name, value in getattr(outer, "__dict__", {}).items():
        # functools.wraps keeps there what is called by another name.
        if name != "__wrapped__":
            inner.append((value, partial(setattr, outer, name)))
    for cell in getattr(outer, "__closure__", None) or ():
        try:
            inner.append((cell.cell_contents, partial(setattr, cell, "cell_contents")))
        except ValueError:
            # An empty cell.
            continue
    for value, put in inner:
        if matches(value):
            return put
    nested: list[Any] = [value for value, _ in inner if callable(value)]
    if isinstance(outer, types.MethodType):
        nested.append(outer.__self__)
    for value in nested:
        if not isinstance(value, (type, Flask, Engine)):
            place = _place_inside(value, matches, depth + 1)
            if place is not None:
                return place
    return None


def _checked(function: str, app: Any) -> Any:
    """*app*, or what it is a proxy for; TypeError, from *function*, if no Flask."""
    if isinstance(app, Flask):
        # As current_app is one.
        proxied: Any = app
        is_proxy = issubclass(type(app), LocalProxy)
        return proxied._get_current_object() if is_proxy else app
    name = getattr(app, "__name__", type(app).__name__)
    remedy = "Give it the application itself."
    if app is None:
        name = "None"
        remedy = "Does what makes the application return it?"
    elif isinstance(app, NativeApp):
        name = "a fastdispatch.App"
        remedy = f"That is on the engine already: leave {function}() out."
    elif isinstance(app, type):
        name = f"the class {name}"
        remedy = f"Give it an instance: {function}({app.__name__}(...))."
    elif isinstance(app, types.FunctionType):
        name = f"the function {name}"
        remedy = f"If that makes the application: {function}({app.__name__}())."
    raise TypeError(
        f"{function}() takes a flask.Flask application, not {name}. {remedy}"
    )


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
    app = _checked("accelerate", app)
    if engine_of(app) is not None:
        return app
    current = app.__dict__.get("wsgi_app")
    engine = Engine(app)
    if current is None or _is_flask_wsgi_app(current, app):
        app.wsgi_app = engine  # type: ignore[method-assign]
    else:
        put = _place_inside(current, lambda v: _is_flask_wsgi_app(v, app))
        if put is None:
            raise RuntimeError(
                f"app.wsgi_app is {current!r}, and the application can't be found"
                " inside of it. Call accelerate(app) before the middleware is put"
                " around it."
            )
        put(engine)
    app.extensions["fastdispatch"] = engine
    make_for(Response, FlaskResponse, version.request_var or version.app_var)
    _lend_json(app)
    return app


def _lend_json(app: Flask) -> None:
    """Have Flask's own provider write its responses faster, if it is what *app* has."""
    if type(app.json) is DefaultJSONProvider and not _patch_of(DefaultJSONProvider):
        provider: Any = app.json
        provider.__class__ = FlaskJSONProvider


def restore(app: F) -> F:
    """Undo :func:`accelerate`: Flask's own code runs *app* again.

    :returns: *app*.
    :raises TypeError: if it is no Flask application.
    :raises RuntimeError: if the engine can't be found in ``app.wsgi_app``.
    """
    app = _checked("restore", app)
    engine = app.extensions.get("fastdispatch")
    if not isinstance(engine, Engine):
        return app
    current = app.__dict__.get("wsgi_app")
    if current is engine:
        del app.__dict__["wsgi_app"]
    elif engine_of(app) is not None:
        put = _place_inside(current, lambda v: v is engine)
        if put is None:
            raise RuntimeError(
                f"app.wsgi_app is {current!r}, and the engine can't be found inside of"
                " it. Take that middleware off first, or leave out the call of"
                " accelerate()."
            )
        put(_wsgi_app_of_class(app))
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


# What is done inside of what: where all that is left to Flask's own code, so is this.
_INSIDE: dict[str, tuple[str, ...]] = {
    "preprocess_request": ("full_dispatch_request",),
    "dispatch_request": ("full_dispatch_request",),
    "raise_routing_exception": ("dispatch_request",),
    "finalize_request": ("full_dispatch_request",),
    "make_response": ("finalize_request",),
    "process_response": ("finalize_request",),
    "handle_user_exception": ("full_dispatch_request",),
    "log_exception": ("handle_exception",),
    **dict.fromkeys(LOOKUP, ("handle_user_exception", "handle_exception")),
    "url_map": ("create_url_adapter",),
}


def explain(app: Flask) -> Explanation:
    """What of *app* the engine runs, what the application's own code, and why.

    It is read off the plan by which the next request would be answered.

    :returns: a table with a row for each step of the lifecycle.
    :raises TypeError: if *app* is no Flask application.
    :raises RuntimeError: if it is not accelerated.
    """
    app = _checked("explain", app)
    engine = engine_of(app)
    if engine is None:
        raise RuntimeError(
            "This application is not accelerated. Call fastdispatch.accelerate(app)"
            " first."
        )
    plan = engine.next_plan(app)
    left = engine.left | _left_to_each_request(app, plan, engine.left)
    for name, around in _INSIDE.items():
        if left.keys() >= set(around):
            left.setdefault(name, f"done inside of {' and '.join(around)}")
    described = _described(app, plan)
    current = vars(app)["wsgi_app"]
    if current is not engine:
        if _place_inside(current, lambda v: v is engine) is not None:
            described["wsgi_app"] += f", inside of {_name_of(current)}"
        else:
            left["wsgi_app"] = (
                f"{_name_of(current)}, in which the engine is not found: if it does"
                " not call the engine, Flask's own code runs all of it"
            )
    rows = Explanation(
        Step(step, step not in left, left.get(step) or described[step])
        for step in described
    )
    if not (plan.own_wsgi_app and plan.own_request_context):
        culprit = "request_context" if plan.own_wsgi_app else "wsgi_app"
        lost = f"Flask's own code runs all of it: {left.pop(culprit)}"
        rows[:] = [
            Step(step, False, f"{left[step]}; {lost}" if step in left else lost)
            for step in described
        ]
    return rows


def _left_to_each_request(
    app: Flask, plan: Plan, left: dict[str, str]
) -> dict[str, str]:
    """What *left*, of the plan, does not have: each request looks at that itself."""
    found = {
        step: "set on the application" for step in _ERROR_STEPS if step in vars(app)
    }
    for name in LOOKUP:
        if name in left or name in found:
            for step in ("handle_user_exception", "handle_exception"):
                found.setdefault(step, f"{name} is not Flask's own")
    if "response_class" not in left:
        proof = prove(FlaskResponse)
        if not (proof.creates and proof.sends and headers_are_stock()):
            found["response_class"] = _patch_anywhere(Response, Headers)
    if _json_text.respond(app.json, app.debug, {}) is None or "json" in left:
        found["json"] = f"{type(app.json).__name__}{_left_json(app, left)}"
    if "url_map" not in left:
        if not plan.trusts_all_hosts():
            found["url_map"] = "TRUSTED_HOSTS is set"
        elif not Matcher(app.url_map).sure:
            found["url_map"] = "rules that only Werkzeug's Map knows how to match"
    return found


def _left_json(app: Flask, left: dict[str, str]) -> str:
    provider = app.json
    if type(provider) is not FlaskJSONProvider:
        return ""
    for name in JSON_METHODS:
        if name in vars(provider):
            return f", {name} is set on it"
    if "json" in left:
        return f", {left['json']}"
    if provider.compact is False or (provider.compact is None and app.debug):
        return ", which indents"
    if not dumps_is_stock():
        return ", json.dumps is patched"
    if not compiled:
        return ", whose text the pure build leaves to it"
    return ", whose class is patched"


def _patch_anywhere(*classes: type) -> str:
    """A function on *classes* or their bases that is not of those who wrote them."""
    for owner in (owner for cls in classes for owner in cls.__mro__):
        for name, value in vars(owner).items():
            if type(value) is types.FunctionType and not _genuine(value):
                return f"{_name_of(owner)}.{name} is patched"
    return f"{_name_of(classes[0])} is patched"


def _described(app: Flask, plan: Plan) -> dict[str, str]:
    """The rows of :func:`explain`, each with what to say where the engine does it."""
    steps = ("wsgi_app", *_OWN_STEPS, *_ERROR_STEPS, *version.CONTEXT_STEPS)
    session = f"{type(app.session_interface).__name__}, opened on first use"
    if plan.cookie_sessions is None or sessions_of(app) is None:
        session += "; Flask reads and writes the cookie"
    return {
        **dict.fromkeys(steps, "Flask's own"),
        "session": session,
        "app_ctx_globals_class": _name_of(app.app_ctx_globals_class),
        "request_class": _name_of(app.request_class),
        "response_class": _name_of(app.response_class),
        "json": type(app.json).__name__,
        "url_map": "path and method",
    }
