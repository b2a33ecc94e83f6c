# cython: auto_pickle=False, binding=False, embedsignature=True
# cython: embedsignature.format=clinic
"""What the engine knows of its host: which steps are stock, where the tables are.

A host is whatever owns hook tables, view functions, error handlers and a URL map. It
draws up one :class:`Plan` and draws it up again when the engine finds it stale.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from operator import is_
from typing import Any
from typing import TYPE_CHECKING

from . import compiled

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts
    from . import ctext
    from .classes import watch


STEPS: tuple[str, ...] = (
    "create_url_adapter",
    "dispatch_request",
    "do_teardown_appcontext",
    "do_teardown_request",
    "ensure_sync",
    "finalize_request",
    "full_dispatch_request",
    "handle_user_exception",
    "make_response",
    "preprocess_request",
    "process_response",
    "raise_routing_exception",
    "request_context",
    "should_ignore_error",
    "wsgi_app",
)
"""The steps that a host's class or instance may override, in the order of the plan."""

_SOMEBODY = (True,)

_KNOWN_HOSTS_MAX = 1000
# Octets of a name, and of what is between its dots (RFC 1035, 2.3.4).
_HOST_MAX = 253
_LABEL_MAX = 63

_makers: dict[tuple[str, tuple[str, ...]], Any] = {}

_ATTRIBUTE = "o.{}"


def is_plain_host(host: str) -> bool:
    """Whether *host* is surely taken for one: names of ASCII, perhaps a port.

    No Punycode, which has two hyphens: somebody may want to decode it.
    """
    name, colon, port = host.partition(":")
    if colon and not (
        port.isascii() and port.isdecimal() and len(port) < 5 and port[0] != "0"
    ):
        return False
    if not name.isascii() or "--" in name or len(name) > _HOST_MAX:
        return False
    for label in name.split("."):
        if (
            not 0 < len(label) <= _LABEL_MAX
            or label[0] == "-"
            or label[-1] == "-"
            or not label.replace("-", "").isalnum()
        ):
            return False
    return True


def _has(attributes_of: Any, values: tuple[Any, ...], obj: Any) -> bool:
    return all(map(is_, attributes_of(obj), values))


def comparer(
    names: tuple[str, ...], values: Any, form: str = _ATTRIBUTE
) -> Callable[[Any], bool]:
    """A function that tells whether an object's attributes *names* are *values*.

    The same objects, that is: what wraps one may claim to equal it. Several names may
    be joined by dots.

    :param form: how to write what is compared of ``o``.

    PERF: written out name by name, so that the interpreter keeps where it has found
    each: half the time of ``attrgetter`` and a comparison of what it gives. The
    compiled build asks once a change, and compiling the text takes a hundred times as
    long.
    """
    if compiled and form == _ATTRIBUTE:
        return partial(_has, attrgetter(*names), tuple(values))
    make = _makers.get((form, names))
    if make is None:
        parameters = ", ".join([f"v{i}" for i in range(len(names))])
        each = [f"{form.format(name)} is v{i}" for i, name in enumerate(names)]
        same = " and ".join(each)
        source = (
            f"def make({parameters}):\n def same(o):\n  return {same}\n return same"
        )
        scope: dict[str, Any] = {}
        exec(source, scope)  # noqa: S102
        make = _makers[form, names] = scope["make"]
    return make(*values)  # type: ignore[no-any-return]


def never(obj: Any) -> bool:
    """What a :func:`comparer` makes, of values that nothing has."""
    return False


class Plan:
    """A host's facts as of its last change of class, method or table.

    The tables are the host's own objects, so additions and removals are seen at once.
    A plan holds no reference to its host.
    """

    __slots__ = (
        "after_request",
        "app_context_class",
        "app_tearing_down",
        "app_tearing_down_to",
        "app_var",
        "before_request",
        "begun",
        "changes",
        "cls",
        "config",
        "config_version",
        "config_watched",
        "context_class",
        "cookie_name",
        "cookie_named_by_config",
        "cookie_seen",
        "cookie_sessions",
        "debug_in_config",
        "error_handlers",
        "failed",
        "failed_to",
        "find_cookies",
        "find_json",
        "find_requests",
        "finished",
        "finished_to",
        "flat",
        "hosted",
        "hosts_seen",
        "hosts_trusted",
        "json_text",
        "known_hosts",
        "lazy_app_context",
        "lazy_request",
        "lazy_session",
        "matcher",
        "own_create_url_adapter",
        "own_dispatch_request",
        "own_do_teardown_appcontext",
        "own_do_teardown_request",
        "own_ensure_sync",
        "own_error_lookup",
        "own_finalize_request",
        "own_full_dispatch_request",
        "own_handle_exception",
        "own_handle_user_exception",
        "own_log_exception",
        "own_make_response",
        "own_preprocess_request",
        "own_process_response",
        "own_raise_routing_exception",
        "own_request_context",
        "own_response",
        "own_should_ignore_error",
        "own_wsgi_app",
        "popped",
        "popped_to",
        "pushed",
        "pushed_to",
        "request_stand_in",
        "request_var",
        "response_class",
        "response_stand_in",
        "same",
        "session_interface",
        "started",
        "started_to",
        "stock_errors",
        "teardown_appcontext",
        "teardown_request",
        "tearing_down",
        "tearing_down_to",
        "url_map",
        "url_value_preprocessors",
        "version",
        "view_functions",
        "watch",
    )

    def __init__(
        self,
        cls: type,
        stock: frozenset[str],
        same: Callable[[type], bool],
    ) -> None:
        """Record which of :data:`STEPS` are *stock*.

        *same* is a :func:`comparer` of the values that *stock* was made out from:
        while they are the same, nobody has patched the class.
        """
        if not capi.COMPILED:
            self.cls = cls
            self.watch = watch(cls)
        self.version = capi.type_version(cls)
        self.same = same
        if not same(cls):
            # Another thread has patched the class since its steps were read.
            self.version = 0
            self.same = never
        self.changes = 0
        self.begun = False
        self.hosted = False
        self.request_stand_in = None
        self.response_stand_in = None
        self.stock_errors = False
        self.json_text: JSONText | None = None
        self.find_json: Callable[[], JSONText | None] | None = None
        self.debug_in_config = False
        self.own_error_lookup = False
        self.own_handle_exception = False
        self.own_log_exception = False
        self.own_create_url_adapter = "create_url_adapter" in stock
        self.own_dispatch_request = "dispatch_request" in stock
        self.own_do_teardown_appcontext = "do_teardown_appcontext" in stock
        self.own_do_teardown_request = "do_teardown_request" in stock
        self.own_ensure_sync = "ensure_sync" in stock
        self.own_finalize_request = "finalize_request" in stock
        self.own_full_dispatch_request = "full_dispatch_request" in stock
        self.own_handle_user_exception = "handle_user_exception" in stock
        self.own_make_response = "make_response" in stock
        self.own_preprocess_request = "preprocess_request" in stock
        self.own_process_response = "process_response" in stock
        self.own_raise_routing_exception = "raise_routing_exception" in stock
        self.own_request_context = "request_context" in stock
        self.own_should_ignore_error = "should_ignore_error" in stock
        self.own_wsgi_app = "wsgi_app" in stock
        # All that comes between a view's return value and its response.
        self.own_response = stock.issuperset(
            ("finalize_request", "make_response", "process_response")
        )

    def use_tables(
        self,
        url_value_preprocessors: Any,
        before_request: Any,
        after_request: Any,
        teardown_request: Any,
        teardown_appcontext: Any,
        view_functions: Any,
        config: Any,
    ) -> None:
        """Point at the host's live tables."""
        self.url_value_preprocessors = url_value_preprocessors
        self.before_request = before_request
        self.after_request = after_request
        self.teardown_request = teardown_request
        self.teardown_appcontext = teardown_appcontext
        self.view_functions = view_functions
        self.config = config
        self.config_watched = cdicts.watch(config)
        self.config_version = capi.type_version(type(config))
        self.hosts_seen = 0
        self.hosts_trusted = False
        self.cookie_seen = 0
        self.cookie_name: Any = None

    def watches_config(self) -> bool:
        """Whether every change of what the config says is counted.

        PERF: three lookups less are a fortieth of hello world's instructions.
        """
        version = self.config_version
        return (
            self.config_watched
            and version != 0
            and version == capi.type_version(type(self.config))
        )

    def trusts_all_hosts(self) -> bool:
        """Whether ``TRUSTED_HOSTS`` is not set."""
        changes = 0
        if capi.COMPILED:
            changes = cdicts.watched_changes()
            if changes != 0 and changes == self.hosts_seen and self.watches_config():
                return self.hosts_trusted
        try:
            trusted = self.config["TRUSTED_HOSTS"] is None
        except KeyError:
            # What that means is the host's to say.
            trusted = False
        if capi.COMPILED:
            self.hosts_trusted = trusted
            self.hosts_seen = changes
        return trusted

    def lacks_cookie(self, environ: Any) -> bool:
        """Whether a request surely has no cookie of the name that sessions' have."""
        changes = 0
        if capi.COMPILED:
            changes = cdicts.watched_changes()
            if changes != 0 and changes == self.cookie_seen and self.watches_config():
                return ctext.lacks_cookie(environ, self.cookie_name)
        try:
            name = self.config["SESSION_COOKIE_NAME"]
        except KeyError:
            return False
        if capi.COMPILED:
            self.cookie_name = name
            self.cookie_seen = changes
        return ctext.lacks_cookie(environ, name)

    def refreshes_cookie(self) -> bool:
        """Whether sessions are refreshed on each request, by the cookie they name.

        So they are taken to be where the config lacks what decides it, or names no
        cookie: who opens the session says what is wrong.
        """
        try:
            name = self.config["SESSION_COOKIE_NAME"]
            refreshes = self.config["SESSION_REFRESH_EACH_REQUEST"]
        except KeyError:
            return True
        return name is not None and (type(name) is not str or bool(refreshes))

    def use_signals(
        self,
        pushed: Any,
        started: Any,
        finished: Any,
        tearing_down: Any,
        app_tearing_down: Any,
        popped: Any,
    ) -> None:
        """Keep the host's signals and, beside each, its live table of receivers."""
        self.pushed = pushed
        self.started = started
        self.finished = finished
        self.tearing_down = tearing_down
        self.app_tearing_down = app_tearing_down
        self.popped = popped
        self.pushed_to = pushed.receivers
        self.started_to = started.receivers
        self.finished_to = finished.receivers
        self.tearing_down_to = tearing_down.receivers
        self.app_tearing_down_to = app_tearing_down.receivers
        self.popped_to = popped.receivers

    def send_always(
        self,
        pushed: Any,
        started: Any,
        finished: Any,
        tearing_down: Any,
        app_tearing_down: Any,
        popped: Any,
    ) -> None:
        """Send those signals even without receivers: somebody has patched them."""
        if pushed:
            self.pushed_to = _SOMEBODY
        if started:
            self.started_to = _SOMEBODY
        if finished:
            self.finished_to = _SOMEBODY
        if tearing_down:
            self.tearing_down_to = _SOMEBODY
        if app_tearing_down:
            self.app_tearing_down_to = _SOMEBODY
        if popped:
            self.popped_to = _SOMEBODY

    def use_failures(self, failed: Any, always: Any, own: frozenset[str]) -> None:
        """Keep the signal of an unhandled error, to be sent *always* if it is patched.

        *own*: which steps of handling an error are the host's own.
        """
        self.failed = failed
        self.failed_to = _SOMEBODY if always else failed.receivers
        self.own_error_lookup = own.issuperset(
            ("_find_error_handler", "_get_exc_class_and_code")
        )
        self.own_handle_exception = "handle_exception" in own
        self.own_log_exception = "log_exception" in own

    def use_routing(self, url_map: Any, matcher: Any, flat: bool) -> None:
        """Keep the matcher of *url_map*.

        *flat* says that neither hosts nor subdomains take part in matching, so that
        path and method decide alone.
        """
        self.url_map = url_map
        self.matcher = matcher
        self.flat = flat and self.own_create_url_adapter
        self.known_hosts: set[Any] = set()

    def use_session(
        self,
        interface: Any,
        lazy: bool,
        named_by_config: bool,
        cookie_sessions: SessionCookies | None = None,
        find_cookies: Callable[[], SessionCookies | None] | None = None,
    ) -> None:
        """Keep the session interface; None if the host has to be asked each time.

        *lazy*: a session opens when first looked at. *named_by_config*: its cookie has
        the name in the config, and a request without that cookie owes it nothing.
        *cookie_sessions* stands in for the interface where it can; *find_cookies* finds
        it when the first session is opened.
        """
        self.session_interface = interface
        self.lazy_session = lazy
        self.cookie_named_by_config = named_by_config
        self.cookie_sessions = cookie_sessions
        self.find_cookies = find_cookies

    def cookies(self) -> SessionCookies | None:
        """What stands in for the session interface, or None."""
        find = self.find_cookies
        if find is not None:
            self.cookie_sessions = find()
            self.find_cookies = None
        return self.cookie_sessions

    def use_responses(self, response_class: Any) -> None:
        """Keep what responses are made of; None if the host has to be asked."""
        self.response_class = response_class

    def use_errors(self, handlers: Any, stock: bool) -> None:
        """Keep the live table of error handlers.

        :param stock: whether the steps that look for one are the host's own, and raise
            or return the error itself where there is none.
        """
        self.error_handlers = handlers
        self.stock_errors = stock

    def use_json(
        self,
        text: JSONText | None,
        debug_in_config: bool,
        find: Callable[[], JSONText | None] | None = None,
    ) -> None:
        """Let *text* write what the host's own JSON provider would; None if it must.

        *find* finds it when the first response of JSON is made. *debug_in_config*:
        whether ``DEBUG`` in the config says all of debug mode.
        """
        self.json_text = text
        self.find_json = find
        self.debug_in_config = debug_in_config

    def json(self) -> JSONText | None:
        """What writes the text of JSON in the provider's place, or None."""
        find = self.find_json
        if find is not None:
            self.json_text = find()
            self.find_json = None
        return self.json_text

    def use_requests(self, lazy: bool, find_stock: Callable[[], Any] | None) -> None:
        """*lazy*: making a request has no effect that anyone could see.

        It is made when first looked at then. *find_stock* finds the host's own class of
        requests, or a base of it while it is not imported; None if that is not theirs.
        """
        self.lazy_request = lazy
        self.find_requests = find_stock

    def takes_host(self, host: Any) -> bool:
        """Whether binding the URL map to *host*, a header, is sure to succeed.

        PERF: to make a request and have Werkzeug bind the map took four fifths of the
        first request of a hello world.
        """
        if (
            type(host) is not str
            or self.find_requests is None
            or self.find_requests().trusted_hosts is not None
            or not is_plain_host(host)
        ):
            return False
        try:
            if self.config["SERVER_NAME"] is not None:
                return False
        except KeyError:
            return False
        self.know_host(host)
        return True

    def know_host(self, host: Any) -> None:
        """Binding has succeeded, or would, for *host*: so it will do again."""
        if len(self.known_hosts) >= _KNOWN_HOSTS_MAX:
            self.known_hosts.clear()
        self.known_hosts.add(host)

    def use_host(
        self,
        app_var: Any,
        request_var: Any,
        context_class: Any,
        app_context_class: Any,
        request_class: Any,
        response_class: Any,
        lazy_app_context: bool,
    ) -> None:
        """Have requests run in the contexts of another framework: of a Flask.

        Its rules hold then where App's are others (docs/compatibility.md).

        :param app_var: the context variable of application contexts.
        :param request_var: that of request contexts, or None if there is none.
        :param context_class: what a request context is, a HostedContext.
        :param app_context_class: what an application context is, or None if a request
            context is one.
        :param request_class: what stands in for the host's request class, or None.
        :param response_class: what stands in for its response class, or None.
        :param lazy_app_context: nobody sees when ``g`` and URL adapters are made.
        """
        self.hosted = True
        self.app_var = app_var
        self.request_var = request_var
        self.context_class = context_class
        self.app_context_class = app_context_class
        self.request_stand_in = request_class
        self.response_stand_in = response_class
        self.lazy_app_context = lazy_app_context

    def stale(self, cls: type) -> bool:
        """Whether the host, of class *cls*, has changed since this plan was drawn."""
        version = capi.type_version(cls)
        if version != 0 and version == self.version:
            return False
        if not self.same(cls):
            return True
        self.version = version
        return False


class SessionCookies:
    """What opens and saves sessions in cookies, if it is sure to do as their interface.

    ``signing.CookieSessions``: most programs have no sessions, and do not load it.
    """

    def open(self, app: Any, environ: Any, request: Any) -> Any:
        """The session of a request; None if its interface has to open it."""
        raise NotImplementedError

    def owes_nothing(self, app: Any, environ: Any) -> bool:
        """Whether the cookie of a request whose session nobody has opened may stay."""
        raise NotImplementedError

    def save(self, app: Any, session: Any, response: Any) -> bool:
        """Save *session* in *response*; False if its interface has to."""
        raise NotImplementedError


class JSONText:
    """What writes the responses of a host's own JSON provider, if it is sure how.

    ``jsontext.ProviderText``: a program without JSON does not load it.
    """

    def respond(self, provider: Any, debug: Any, obj: Any) -> Any:
        """Body and Content-Type item of ``provider.response(obj)``; None if unsure.

        :param debug: whether the application is in debug mode.
        """
        raise NotImplementedError


class Host:
    """What the plan is of, and keeps it. A subclass has :meth:`_make_plan`."""

    def __init__(self) -> None:
        self._plan: Plan | None = None
        self._changes = 0

    def _make_plan(self) -> Plan:
        """Draw up the plan of this host as it is now."""
        raise NotImplementedError

    def get_plan(self) -> Plan:
        """The plan, drawn up again if the host has changed."""
        plan = self._plan
        changes = self._changes
        if (
            plan is None
            or plan.changes != changes
            or (
                # PERF: what stale asks first.
                plan.version == 0
                or (
                    capi.type_version(type(self)) != plan.version
                    if capi.COMPILED
                    else plan.watch.seen[0] != plan.version
                    or plan.cls is not type(self)
                )
            )
            and plan.stale(type(self))
        ):
            plan = self._make_plan()
            # Not those of now: another thread may have changed the host meanwhile.
            plan.changes = changes
            self._plan = plan
        return plan

    def _forget_plan(self) -> None:
        """The host has changed: draw up the plan again before the next request."""
        if not capi.COMPILED and "_changes" not in self.__dict__:
            # A subclass sets attributes before it calls __init__.
            self._changes = 0
        self._changes += 1
