"""App: what an application is — registration, configuration, overridable steps."""

from __future__ import annotations

import logging
import os
import sys
import weakref
from datetime import timedelta
from functools import cached_property
from functools import partial
from inspect import iscoroutinefunction
from operator import attrgetter
from operator import is_
from threading import RLock
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import quote

from werkzeug.datastructures import ImmutableDict
from werkzeug.exceptions import Aborter
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import BadRequestKeyError
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError
from werkzeug.exceptions import SecurityError
from werkzeug.routing import BuildError
from werkzeug.routing import Map
from werkzeug.routing import MapAdapter
from werkzeug.routing import RequestRedirect
from werkzeug.routing import RoutingException
from werkzeug.routing import Rule
from werkzeug.urls import uri_to_iri
from werkzeug.utils import redirect as werkzeug_redirect
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wsgi import get_host

from .config import check
from .config import complaints
from .config import Config
from .config import ConfigAttribute
from .config import get_debug_flag
from .engine import context
from .engine import lifecycle
from .engine import response as responses
from .engine.context import Context
from .engine.lifecycle import Application
from .engine.plan import comparer
from .engine.plan import Plan
from .engine.plan import STEPS
from .engine.routing import Matcher
from .scaffold import endpoint_of
from .scaffold import find_instance_path
from .scaffold import Later
from .scaffold import Scaffold
from .scaffold import setupmethod
from .scaffold import static_attribute
from .wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Any
    from typing import ClassVar
    from typing import IO
    from typing import NoReturn
    from typing import TypeVar

    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.wrappers import Response as WerkzeugResponse

    from .blueprints import Blueprint
    from .engine.plan import JSONText
    from .engine.plan import SessionCookies
    from .json import JSONProvider
    from .sessions import SessionInterface
    from .testing import FlaskClient
    from .wrappers import Request

    F = TypeVar("F", bound=Callable[..., Any])

_UNSET: Any = object()

_GLOBALS: Any = Later("globals", "AppCtxGlobals")
_PROVIDER: Any = Later("json", "DefaultJSONProvider")
_REQUEST: Any = Later("wrappers", "Request")
_SESSIONS: Any = Later("sessions", "stock_interface")

_ERROR_STEPS = (
    "_find_error_handler",
    "handle_http_exception",
    "handle_user_exception",
    "trap_http_exception",
)
_SESSION_SETTINGS = ("permanent_session_lifetime", "secret_key")
_STEPS = (
    *STEPS,
    *_ERROR_STEPS,
    *_SESSION_SETTINGS,
    "debug",
    "response_class",
)
_steps_of = attrgetter(*_STEPS)
# The same of what is not asked for its value, which may have to be imported.
_LATER = ("request_class", "session_interface")
_PLANNED = frozenset(
    (
        *_STEPS,
        *_LATER,
        "_got_first_request",
        "error_handler_spec",
        "url_value_preprocessors",
        "before_request_funcs",
        "after_request_funcs",
        "teardown_request_funcs",
        "teardown_appcontext_funcs",
        "view_functions",
        "config",
        "url_map",
        "subdomain_matching",
    )
)
"""The attributes that a plan is drawn from: setting one makes it stale."""


# What the value of a setting raises where it is used, if it is of a wrong type.
_WRONG_TYPE = (AttributeError, TypeError, ValueError)


def _timedelta(value: Any) -> Any:
    if value is None or isinstance(value, timedelta):
        return value
    return timedelta(seconds=value)


def _later_of(cls: type[App]) -> tuple[Any, ...]:
    return tuple([static_attribute(cls, name) for name in _LATER])


def _is_same(
    has_steps: Callable[[type], bool], later: tuple[Any, ...], cls: type[App]
) -> bool:
    """Whether a class has the same steps, and *later* is what it has of the rest."""
    return has_steps(cls) and all(map(is_, _later_of(cls), later))


def _requests() -> Any:
    """Our class of requests, or its base while nobody has asked for it."""
    return getattr(
        sys.modules.get(f"{__package__}._request"), "Request", WerkzeugRequest
    )


def _find_stock_json() -> JSONText | None:
    from .json import STOCK_TEXT

    return STOCK_TEXT


def _find_stock_cookies() -> SessionCookies | None:
    from .sessions import cookie_sessions
    from .sessions import stock_interface

    return cookie_sessions(stock_interface)


def _is_fixed(cls: type[App], attribute: str) -> bool:
    """Whether *attribute* is no property, which may differ from request to request."""
    return not hasattr(type(getattr(cls, attribute)), "__get__")


def _control_escaped(text: str) -> str:
    """*text* on one line: control characters as ``\\xNN``. Rule 39."""
    if text.isprintable():
        return text
    codes = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
    return text.translate({code: f"\\x{code:02x}" for code in codes})


# PERF: fastdispatch.signals and blinker are imported by who connects to a signal, a
# millisecond; most programs do not. Until then each signal that an application sends
# has its table of receivers here, which stays empty; then its send, too.
SIGNALS = {
    name: SimpleNamespace(receivers={})
    for name in (
        "appcontext_popped",
        "appcontext_pushed",
        "appcontext_tearing_down",
        "got_request_exception",
        "request_finished",
        "request_started",
        "request_tearing_down",
    )
}


class App(Application, Scaffold):
    """A WSGI application: routes, hooks, error handlers, configuration.

    Names and behaviour are those of ``flask.Flask`` 3.1; where they differ on purpose
    docs/compatibility.md says so.

    :param import_name: the module or package of the application, usually ``__name__``.
    :param static_url_path: the URL prefix of static files; the folder's name if None.
    :param static_folder: the folder of static files, relative to the root path.
    :param static_host: the host that serves them, with *host_matching*.
    :param host_matching: whether rules match on the host.
    :param subdomain_matching: whether rules match on subdomains of ``SERVER_NAME``.
    :param instance_path: an absolute path for files of this installation.
    :param instance_relative_config: whether configuration files are found there.
    :param root_path: the folder of the application, if it can't be worked out.
    """

    aborter_class: ClassVar[type[Aborter]] = Aborter
    app_ctx_globals_class: type[Any] = _GLOBALS
    config_class: type[Config] = Config
    json_provider_class: type[JSONProvider] = _PROVIDER
    url_rule_class: type[Rule] = Rule
    url_map_class: type[Map] = Map
    request_class: type[Request] = _REQUEST
    response_class: type[Response] = Response
    session_interface: SessionInterface = _SESSIONS
    test_client_class: type[FlaskClient] | None = None

    testing: ConfigAttribute[bool] = ConfigAttribute("TESTING")
    secret_key: ConfigAttribute[str | bytes | None] = ConfigAttribute("SECRET_KEY")
    permanent_session_lifetime: ConfigAttribute[timedelta] = ConfigAttribute(
        "PERMANENT_SESSION_LIFETIME", get_converter=_timedelta
    )

    default_config: ClassVar[dict[str, Any]] = ImmutableDict(
        {
            "AFTER_REQUEST_ON_ERROR": True,
            "APPLICATION_ROOT": "/",
            "DEBUG": None,
            "MAX_CONTENT_LENGTH": None,
            "MAX_COOKIE_SIZE": 4093,
            "MAX_FORM_MEMORY_SIZE": 500_000,
            "MAX_FORM_PARTS": 1_000,
            "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
            "PREFERRED_URL_SCHEME": "http",
            "PROPAGATE_EXCEPTIONS": None,
            "PROVIDE_AUTOMATIC_OPTIONS": True,
            "SECRET_KEY": None,
            "SECRET_KEY_FALLBACKS": None,
            "SEND_FILE_MAX_AGE_DEFAULT": None,
            "SERVER_NAME": None,
            "SESSION_COOKIE_DOMAIN": None,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_NAME": "session",
            "SESSION_COOKIE_PARTITIONED": False,
            "SESSION_COOKIE_PATH": None,
            "SESSION_COOKIE_SAMESITE": None,
            "SESSION_COOKIE_SECURE": False,
            "SESSION_REFRESH_EACH_REQUEST": True,
            "SHARE_APP_CONTEXT": False,
            "TESTING": False,
            "TRAP_BAD_REQUEST_ERRORS": None,
            "TRAP_HTTP_EXCEPTIONS": False,
            "TRUSTED_HOSTS": None,
            "USE_X_SENDFILE": False,
        }
    )

    def __init__(
        self,
        import_name: str,
        static_url_path: str | None = None,
        static_folder: str | os.PathLike[str] | None = "static",
        static_host: str | None = None,
        host_matching: bool = False,
        subdomain_matching: bool = False,
        template_folder: None = None,
        instance_path: str | None = None,
        instance_relative_config: bool = False,
        root_path: str | None = None,
    ) -> None:
        Application.__init__(self)
        Scaffold.__init__(
            self,
            import_name,
            static_folder,
            static_url_path,
            template_folder,
            root_path,
        )
        if instance_path is None:
            instance_path = self.auto_find_instance_path()
        elif not os.path.isabs(instance_path):
            raise ValueError(
                "If an instance path is provided it must be absolute."
                " A relative path was given instead."
            )
        self.instance_path = instance_path
        self.config = self.make_config(instance_relative_config)
        self.aborter = self.make_aborter()
        if static_attribute(type(self), "json_provider_class") is not _PROVIDER:
            self.json = self.json_provider_class(self)
        self.url_build_error_handlers: list[
            Callable[[BuildError, str, dict[str, Any]], str | None]
        ] = []
        self.before_first_request_funcs: list[Callable[[], Any]] = []
        self.teardown_appcontext_funcs: list[Callable[..., Any]] = []
        self.blueprints: dict[str, Blueprint] = {}
        self.extensions: dict[str, Any] = {}
        self.url_map = self.url_map_class(host_matching=host_matching)
        self.subdomain_matching = subdomain_matching
        self._got_first_request = False
        self._before_first_lock = RLock()
        self._before_first_state = "pending"
        if self.has_static_folder:
            if bool(static_host) != host_matching:
                raise AssertionError("Invalid static_host/host_matching combination")
            # The rule must not keep the app alive.
            app_ref = weakref.ref(self)

            def static(**kwargs: Any) -> Response:
                app = app_ref()
                assert app is not None
                return app.send_static_file(**kwargs)

            self.add_url_rule(
                f"{self.static_url_path}/<path:filename>",
                endpoint="static",
                host=static_host,
                view_func=static,
            )

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name in _PLANNED:
            self._forget_plan()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if name in _PLANNED:
            self._forget_plan()

    # The plan that the engine works by.

    def _make_plan(self) -> Plan:
        cls = type(self)
        own = self.__dict__
        values = _steps_of(cls)
        stock = frozenset(
            step
            for step, value in zip(_STEPS, values, strict=True)
            if step not in own and value is _STOCK.get(step)
        )
        later = _later_of(cls)
        same = partial(_is_same, comparer(_STEPS, values), later)
        plan = Plan(cls, stock, same)
        plan.use_tables(
            self.url_value_preprocessors,
            self.before_request_funcs,
            self.after_request_funcs,
            self.teardown_request_funcs,
            self.teardown_appcontext_funcs,
            self.view_functions,
            self.config,
        )
        plan.use_signals(
            SIGNALS["appcontext_pushed"],
            SIGNALS["request_started"],
            SIGNALS["request_finished"],
            SIGNALS["request_tearing_down"],
            SIGNALS["appcontext_tearing_down"],
            SIGNALS["appcontext_popped"],
        )
        url_map = self.url_map
        plan.use_routing(
            url_map,
            Matcher(url_map),
            not url_map.host_matching
            and not self.subdomain_matching
            and self._has_stock_requests("blueprint", "blueprints", "endpoint"),
        )
        _, sessions = later
        if sessions is _SESSIONS and "session_interface" not in own:
            find = _find_stock_cookies if self._has_stock_cookies() else None
            plan.use_session(None, True, True, find_cookies=find)
        else:
            self._plan_session(plan, not hasattr(type(sessions), "__get__"))
        plan.use_responses(
            self.response_class if _is_fixed(cls, "response_class") else None
        )
        plan.use_errors(self.error_handler_spec, stock.issuperset(_ERROR_STEPS))
        plan.use_json(None, type(self).debug is App.debug, _find_stock_json)
        plan.use_requests(
            self._has_stock_requests("__init__"),
            _requests if self._has_stock_requests() else None,
        )
        return plan

    def _plan_session(self, plan: Plan, fixed: bool) -> None:
        from .sessions import cookie_sessions
        from .sessions import SecureCookieSessionInterface

        interface = self.session_interface
        plan.use_session(
            interface if fixed else None,
            # An interface of any class will do, with or without what ours has.
            fixed and getattr(interface, "opens_on_first_use", False),
            type(interface) is SecureCookieSessionInterface
            and "get_cookie_name" not in vars(interface),
            find_cookies=partial(cookie_sessions, interface)
            if fixed and self._has_stock_cookies()
            else None,
        )

    def _has_stock_cookies(self) -> bool:
        """Whether what session cookies depend on, beside their interface, is ours."""
        cls = type(self)
        return all(
            getattr(cls, name) is vars(App)[name] for name in _SESSION_SETTINGS
        ) and self._has_stock_requests("cookies", "dict_storage_class")

    def _has_stock_requests(self, *names: str) -> bool:
        """Whether each request is of our class, or of one with these of its attributes.

        Our class is not imported for that.
        """
        cls = type(self)
        if (
            static_attribute(cls, "request_class") is _REQUEST
            and "request_class" not in self.__dict__
        ):
            return True
        from .wrappers import Request

        if not _is_fixed(cls, "request_class"):
            return False
        requests = self.request_class
        if not names:
            return requests is Request
        return all(getattr(requests, n, None) is getattr(Request, n) for n in names)

    def _begin(self) -> None:
        """Note the first request; run before_first_request. Rules 19 and 20."""
        self.__dict__["_got_first_request"] = True
        if self._before_first_state == "done":
            return
        with self._before_first_lock:
            if self._before_first_state != "pending":
                # Done meanwhile, or one of them makes a request of its own.
                return
            self._before_first_state = "running"
            try:
                for func in self.before_first_request_funcs:
                    self.ensure_sync(func)()
                self._before_first_state = "done"
            finally:
                if self._before_first_state == "running":
                    self._before_first_state = "pending"

    def _check_setup_finished(self, name: str) -> None:
        if self._got_first_request:
            raise AssertionError(
                f"The setup method {name!r} can no longer be called on the"
                " application. It has already handled its first request, any changes"
                " will not be applied consistently.\n"
                "Make sure all imports, decorators, functions, etc. needed to set up"
                " the application are done before running it."
            )

    # What an application has.

    @cached_property
    def name(self) -> str:  # type: ignore[override]  # pyright: ignore
        """The import name, or the name of the file that is run as ``__main__``."""
        if self.import_name == "__main__":
            file: str | None = getattr(sys.modules["__main__"], "__file__", None)
            if file is None:
                return "__main__"
            return os.path.splitext(os.path.basename(file))[0]
        return self.import_name

    @cached_property
    def json(self) -> JSONProvider:
        """The JSON provider: a :attr:`json_provider_class`, or what has been set."""
        # Two threads that ask at once get the same.
        made = self.json_provider_class(self)
        provider: JSONProvider = self.__dict__.setdefault("json", made)
        return provider

    @cached_property
    def logger(self) -> logging.Logger:
        """The logger of this app, named :attr:`name`."""
        from .logging import create_logger

        return create_logger(self)

    @property
    def debug(self) -> bool:
        """Whether debug mode is on; the config's ``DEBUG``."""
        return self.config["DEBUG"]  # type: ignore[no-any-return]

    @debug.setter
    def debug(self, value: bool) -> None:
        self.config["DEBUG"] = value

    def make_config(self, instance_relative: bool = False) -> Config:
        """Make the configuration, with the defaults and ``FLASK_DEBUG``."""
        root_path = self.instance_path if instance_relative else self.root_path
        defaults = {**self.default_config, "DEBUG": get_debug_flag()}
        return self.config_class(root_path, defaults)

    def make_aborter(self) -> Aborter:
        """Make what :func:`abort` calls."""
        return self.aborter_class()

    def auto_find_instance_path(self) -> str:
        """The instance folder beside the package, or below its prefix."""
        return find_instance_path(self.import_name, self.name)

    def open_instance_resource(
        self, resource: str, mode: str = "rb", encoding: str | None = "utf-8"
    ) -> IO[Any]:
        """Open a file below :attr:`instance_path`."""
        path = os.path.join(self.instance_path, resource)
        return open(path, mode, encoding=None if "b" in mode else encoding)

    # Registration.

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Register *blueprint*; *options* override its own. Rule 54.

        :raises TypeError: for a blueprint of Flask.
        """
        if any(base.__module__.startswith("flask.") for base in type(blueprint).mro()):
            raise TypeError(
                f"{blueprint!r} is a blueprint of Flask. Import Blueprint from"
                " fastdispatch, as all else that the program imports from flask."
            )
        blueprint.register(self, options)

    def iter_blueprints(self) -> Collection[Blueprint]:
        """The registered blueprints, in the order of registration."""
        return self.blueprints.values()

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Route a URL rule to a view function.

        :param rule: the URL rule, in Werkzeug's syntax.
        :param endpoint: the name of the route; the view function's if None.
        :param view_func: the view function; may be given later, by :meth:`endpoint`.
        :param provide_automatic_options: whether OPTIONS is answered (rule 25); by
            default if the methods don't name it and PROVIDE_AUTOMATIC_OPTIONS is on.
        :param options: ``methods`` and what Werkzeug's Rule takes.
        :raises TypeError: if *methods* is a string.
        :raises AssertionError: if the endpoint has another view function already.
        """
        if endpoint is None:
            endpoint = endpoint_of(view_func)
        methods = options.pop("methods", None)
        if methods is None:
            methods = getattr(view_func, "methods", None) or ("GET",)
        if isinstance(methods, str):
            raise TypeError(
                "Allowed methods must be a list of strings, for"
                ' example: @app.route(..., methods=["POST"])'
            )
        allowed = {method.upper() for method in methods}
        required: set[str] = set(getattr(view_func, "required_methods", ()))
        automatic = provide_automatic_options
        if automatic is None:
            automatic = getattr(view_func, "provide_automatic_options", None)
        if automatic is None:
            automatic = (
                "OPTIONS" not in allowed and self.config["PROVIDE_AUTOMATIC_OPTIONS"]
            )
            if automatic:
                required.add("OPTIONS")
        url_rule = self.url_rule_class(
            rule, methods=allowed | required, endpoint=endpoint, **options
        )
        url_rule.provide_automatic_options = bool(automatic)  # type: ignore[attr-defined]
        self.url_map.add(url_rule)
        if view_func is None:
            return
        known = self.view_functions.get(endpoint)
        if known is not None and known != view_func:
            raise AssertionError(
                "View function mapping is overwriting an existing endpoint function:"
                f" {endpoint}"
            )
        self.view_functions[endpoint] = view_func

    @setupmethod
    def before_first_request(self, f: F) -> F:
        """Call *f* once, inside the first request, before the other hooks. Rule 20."""
        self.before_first_request_funcs.append(f)
        return f

    @setupmethod
    def teardown_appcontext(self, f: F) -> F:
        """Call *f* with the error or None when an app context pops. Rules 40 to 42."""
        self.teardown_appcontext_funcs.append(f)
        return f

    # Contexts.

    def app_context(self) -> Context:
        """A context for work outside of requests; use it with ``with``."""
        return Context(self)

    def request_context(self, environ: WSGIEnvironment) -> Context:
        """The context of a request with this environ (PEP 3333)."""
        return Context(self, environ)

    def test_request_context(self, *args: Any, **kwargs: Any) -> Context:
        """The context of a request made up from the arguments of EnvironBuilder."""
        from .testing import EnvironBuilder

        builder = EnvironBuilder(self, *args, **kwargs)
        try:
            return self.request_context(builder.get_environ())
        finally:
            builder.close()

    def test_client(self, use_cookies: bool = True, **kwargs: Any) -> FlaskClient:
        """A client that calls this app without a server."""
        cls = self.test_client_class
        if cls is None:
            from .testing import FlaskClient

            cls = FlaskClient
        return cls(self, self.response_class, use_cookies=use_cookies, **kwargs)

    # The steps of a request, in their order. Each may be overridden or patched.

    def wsgi_app(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """The WSGI application itself (PEP 3333); middleware is put around this."""
        return super().wsgi_app(environ, start_response)  # type: ignore[no-any-return]

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Bind the URL map to *request*, or to the config's ``SERVER_NAME``.

        Rules 51 and 52. None where there is neither.
        """
        url_map = self.url_map
        server_name: str | None = self.config["SERVER_NAME"]
        if request is None:
            if server_name is None:
                return None
            check(self.config, "SERVER_NAME", "APPLICATION_ROOT")
            return url_map.bind(
                server_name,
                script_name=self.config["APPLICATION_ROOT"],
                url_scheme=self.config["PREFERRED_URL_SCHEME"],
            )
        trusted_hosts = self.config["TRUSTED_HOSTS"]
        if trusted_hosts is not None:
            request.trusted_hosts = trusted_hosts
        request.host = get_host(  # pyright: ignore[reportAttributeAccessIssue]
            request.environ, request.trusted_hosts
        )
        if not request.host:
            _check_host(request.environ.get("HTTP_HOST", ""))
        elif ":" in request.host or "xn--" in request.host:
            _check_parts(request.host)
        subdomain = None
        if url_map.host_matching:
            server_name = None
        elif not self.subdomain_matching:
            subdomain = url_map.default_subdomain or ""
        return url_map.bind_to_environ(
            request.environ, server_name=server_name, subdomain=subdomain
        )

    def full_dispatch_request(self) -> Response:
        """All that happens inside the context; returns the finished response."""
        return lifecycle.full_dispatch_request(_request_context())  # type: ignore[no-any-return]

    def preprocess_request(self) -> Any:
        """Run what comes before the view; a value that is not None answers."""
        return lifecycle.preprocess_request(_request_context())

    def dispatch_request(self) -> Any:
        """Raise the routing error, or return what the view returns. Rules 24, 25."""
        return lifecycle.dispatch_request(_request_context())

    def raise_routing_exception(self, request: Request) -> NoReturn:
        """Raise what routing ended with. Rule 27."""
        error = request.routing_exception
        assert error is not None
        if (
            self.debug
            and isinstance(error, RequestRedirect)
            and error.code not in {307, 308}
            and request.method not in {"GET", "HEAD", "OPTIONS"}
        ):
            from .debughelpers import FormDataRoutingRedirect

            raise FormDataRoutingRedirect(request)
        raise error

    def make_default_options_response(self) -> Response:
        """The answer to OPTIONS: the methods that the URL allows. Rule 25."""
        response = self.response_class()
        response.allow.update(_request_context().url_adapter.allowed_methods())
        return response

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """*func* as a synchronous function. Rule 46."""
        if iscoroutinefunction(func):
            return self.async_to_sync(func)
        return func

    def async_to_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """A synchronous function that runs the coroutine function *func*."""
        # PERF: asyncio is a third of what importing this takes beyond Werkzeug.
        from ._async import async_to_sync

        return async_to_sync(func)

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Response:
        """Make a response of a return value and process it. Rules 28 to 30."""
        return lifecycle.finalize_request(  # type: ignore[no-any-return]
            _request_context(), rv, from_error_handler
        )

    def make_response(self, rv: Any) -> Response:
        """Make a response of what a view may return. Rule 45.

        :raises TypeError: for anything else.
        """
        ctx = context.current()
        if ctx is None:
            ctx = self.app_context()
        return responses.make_response(  # type: ignore[no-any-return]
            self, self.response_class, rv, ctx
        )

    def process_response(self, response: Response) -> Response:
        """Run the after_request hooks and save the session. Rule 28."""
        return lifecycle.process_response(_request_context(), response)  # type: ignore[no-any-return]

    def do_teardown_request(self, exc: BaseException | None = _UNSET) -> None:
        """Run teardown_request hooks and their signal. Rules 40 to 42."""
        context.teardown_request(_request_context(), _given(exc))

    def do_teardown_appcontext(self, exc: BaseException | None = _UNSET) -> None:
        """Run teardown_appcontext hooks and their signal. Rules 40 to 42."""
        context.teardown_appcontext(self, _given(exc))

    def should_ignore_error(self, error: BaseException | None) -> bool:
        """Whether teardown gets None instead of *error*. Never, unless overridden."""
        return False

    # Errors.

    def _propagates_exceptions(self) -> bool:
        """Rule 36."""
        propagate = self.config["PROPAGATE_EXCEPTIONS"]
        if propagate is None:
            return self.testing or self.debug
        return bool(propagate)

    def _find_error_handler(
        self, error: Exception, blueprints: Iterable[str]
    ) -> Callable[..., Any] | None:
        """The handler of *error* for a request of *blueprints*. Rule 32."""
        spec = self.error_handler_spec
        if not spec:
            return None
        exc_class, code = self._get_exc_class_and_code(type(error))
        names = (*blueprints, None)
        for c in (code, None) if code is not None else (None,):
            for name in names:
                by_code = spec.get(name)
                handlers = None if by_code is None else by_code.get(c)
                if handlers:
                    for cls in exc_class.__mro__:
                        handler = handlers.get(cls)
                        if handler is not None:
                            return handler
        return None

    def trap_http_exception(self, error: Exception) -> bool:
        """Whether an HTTPException is treated as an unhandled error. Rule 37."""
        if self.config["TRAP_HTTP_EXCEPTIONS"]:
            return True
        trap_bad_request = self.config["TRAP_BAD_REQUEST_ERRORS"]
        if trap_bad_request is None:
            return self.debug and isinstance(error, BadRequestKeyError)
        return bool(trap_bad_request) and isinstance(error, BadRequest)

    def handle_http_exception(self, error: HTTPException) -> Any:
        """Ask the handler of an HTTPException; without one it is the response itself.

        Rules 26 and 32.
        """
        if error.code is None or isinstance(error, RoutingException):
            return error
        handler = self._find_error_handler(error, _request_context().blueprints)
        if handler is None:
            return error
        return self.ensure_sync(handler)(error)

    def handle_user_exception(self, error: Exception) -> Any:
        """Ask the handler of an error; raise it again without one. Rules 32 to 37."""
        if isinstance(error, HTTPException):
            if isinstance(error, BadRequestKeyError) and (
                self.debug or self.config["TRAP_BAD_REQUEST_ERRORS"]
            ):
                error.show_exception = True
            if not self.trap_http_exception(error):
                return self.handle_http_exception(error)
        handler = self._find_error_handler(error, _request_context().blueprints)
        if handler is None:
            raise error
        return self.ensure_sync(handler)(error)

    def handle_exception(self, error: Exception) -> Response:
        """Answer an error that nobody handled: signal, propagate or log, 500.

        Rules 34 to 36.
        """
        exc_info = sys.exc_info()
        failed = SIGNALS["got_request_exception"]
        if failed.receivers:
            self._note_settings(error)
            failed.send(self, _async_wrapper=self.ensure_sync, exception=error)
        if self._propagates_exceptions():
            self._note_settings(error)
            raise error
        if exc_info[1] is error:
            self.log_exception(exc_info)
        else:
            self.log_exception((type(error), error, error.__traceback__))
        rv: Any = InternalServerError(original_exception=error)
        handler = self._find_error_handler(rv, _request_context().blueprints)
        if handler is not None:
            rv = self.ensure_sync(handler)(rv)
        if not self.config.get("AFTER_REQUEST_ON_ERROR", True):
            return self.make_response(rv)
        return self.finalize_request(rv, from_error_handler=True)

    def _note_settings(self, error: BaseException | None) -> None:
        """Note on *error*, which somebody is going to see, what setting it may be of.

        PERF: a look at all of them takes a third of a silenced 500.
        """
        if isinstance(error, _WRONG_TYPE):
            for complaint in complaints(self.config):
                if complaint not in getattr(error, "__notes__", ()):
                    error.add_note(complaint)

    def log_exception(
        self,
        exc_info: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> None:
        """Log an unhandled error with path and method. Rule 39."""
        logger = self.logger
        if type(logger) is logging.Logger and not logger.isEnabledFor(logging.ERROR):
            # PERF: no request made for nobody: a third of a silenced 500.
            return
        self._note_settings(exc_info[1])
        request = _request_context().request
        logger.error(
            "Exception on %s [%s]",
            _control_escaped(request.path),
            _control_escaped(request.method),
            exc_info=exc_info,
        )

    # URLs.

    def url_for(
        self,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: Any,
    ) -> str:
        """Build the URL of an endpoint.

        :param endpoint: its name; with a leading dot, within the current blueprint.
        :param _anchor: the fragment (``#...``), quoted as needed.
        :param _method: the method whose rule to prefer.
        :param _scheme: the URL's scheme; the URL is external then.
        :param _external: whether scheme and host are part of it; by default only
            outside of a request.
        :param values: the rule's arguments; the rest becomes the query string.
        :raises RuntimeError: outside of a request without ``SERVER_NAME``.
        :raises ValueError: for ``_scheme`` with ``_external=False``.
        :raises BuildError: if there is no such endpoint or an argument is missing.
        """
        ctx = context.current()
        if ctx is not None and ctx.has_request:
            adapter = ctx.url_adapter
            if adapter is None:
                # The request's host was refused: its error page still has links.
                adapter = self.url_map.bind(
                    self.config["SERVER_NAME"] or "",
                    script_name=ctx.environ.get("SCRIPT_NAME"),
                    url_scheme=ctx.environ["wsgi.url_scheme"],
                )
            if endpoint[:1] == ".":
                blueprints = ctx.blueprints
                if blueprints:
                    endpoint = f"{blueprints[0]}{endpoint}"
                else:
                    endpoint = endpoint[1:]
            if _external is None:
                _external = _scheme is not None
        else:
            if ctx is not None:
                adapter = ctx.url_adapter
            else:
                adapter = self.create_url_adapter(None)
            if adapter is None:
                raise RuntimeError(
                    "Unable to build URLs outside an active request without"
                    " 'SERVER_NAME' configured. Also configure 'APPLICATION_ROOT' and"
                    " 'PREFERRED_URL_SCHEME' as needed."
                )
            if _external is None:
                _external = True
        if _scheme is not None and not _external:
            raise ValueError("When specifying '_scheme', '_external' must be True.")
        self.inject_url_defaults(endpoint, values)
        try:
            url = adapter.build(
                endpoint,
                values,
                method=_method,
                url_scheme=_scheme,
                force_external=_external,
            )
        except BuildError as error:
            values.update(
                _anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external
            )
            return self.handle_url_build_error(error, endpoint, values)
        if _anchor is not None:
            url = f"{url}#{quote(_anchor, safe='%!#$&()*+,/:;=?@' + chr(39))}"
        return url  # type: ignore[no-any-return]

    def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        """Let the url_defaults functions of app and blueprints add to *values*."""
        table = self.url_default_functions
        if not table:
            return
        names: list[str | None] = [None]
        parts = endpoint.split(".")[:-1]
        names += [".".join(parts[: i + 1]) for i in range(len(parts))]
        for name in names:
            for func in table.get(name, ()):
                func(endpoint, values)

    def handle_url_build_error(
        self, error: BuildError, endpoint: str, values: dict[str, Any]
    ) -> str:
        """Ask ``url_build_error_handlers`` for the URL; raise *error* without one."""
        for handler in self.url_build_error_handlers:
            try:
                rv = handler(error, endpoint, values)
            except BuildError as e:
                # The next handler is asked about the newer error.
                error = e
            else:
                if rv is not None:
                    return rv
        raise error

    def redirect(self, location: str, code: int = 302) -> WerkzeugResponse:
        """A response that redirects to *location*. Rule 55."""
        return werkzeug_redirect(location, code=code, Response=self.response_class)

    # The development server.

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        **options: Any,
    ) -> None:
        """Serve on Werkzeug's development server; not for production.

        :param host: the address; that of ``SERVER_NAME``, or 127.0.0.1, by default.
        :param port: the port; that of ``SERVER_NAME``, or 5000, by default.
        :param debug: turns debug mode on or off, with it reloader and debugger.
        :param options: for :func:`werkzeug.serving.run_simple`.
        """
        from werkzeug.serving import run_simple

        options.pop("load_dotenv", None)
        if debug is not None:
            self.debug = bool(debug)
        server_name: str = self.config["SERVER_NAME"] or ""
        name, _, name_port = server_name.partition(":")
        host = host or name or "127.0.0.1"
        if port is None:
            port = int(name_port) if name_port else 5000
        options.setdefault("use_reloader", self.debug)
        options.setdefault("use_debugger", self.debug)
        options.setdefault("threaded", True)
        try:
            run_simple(host, int(port), self, **options)
        finally:
            # So that the app can go on being set up, in an interactive session.
            self._got_first_request = False


_STOCK = {step: getattr(App, step) for step in (*STEPS, *_ERROR_STEPS)}


def _given(exc: Any) -> BaseException | None:
    """*exc*, or the error being handled if it was left out."""
    return sys.exc_info()[1] if exc is _UNSET else exc


def _check_host(host: str) -> None:
    """Refuse a Host header that names no host (RFC 9112, 3.2).

    Werkzeug takes an invalid one for a missing one. An internationalized name that a
    client has not encoded is let pass, as Flask does.
    """
    if not host.isascii():
        try:
            host.encode("idna")
        except UnicodeError:
            pass
        else:
            return
    if host:
        raise SecurityError(f"Host {host!r} is not valid")


def _check_parts(host: str) -> None:
    """Refuse a port or a Punycode label of which no URL could be made."""
    try:
        uri_to_iri(f"http://{host}/")
    except ValueError:
        raise SecurityError(f"Host {host!r} is not valid") from None


def _request_context() -> Context:
    """The current context of a request. RuntimeError when there is none."""
    ctx = context.current()
    if ctx is None or not ctx.has_request:
        raise RuntimeError(context.NO_REQUEST)
    return ctx  # type: ignore[no-any-return]
