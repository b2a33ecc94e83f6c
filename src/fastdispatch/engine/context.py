# cython: auto_pickle=False
"""Contexts: what is current, push and pop, and what a request holds."""

from __future__ import annotations

import sys
from typing import Any
from typing import TYPE_CHECKING

from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound

from . import compiled
from . import hooks
from . import response as responses
from .plan import Host
from .plan import Plan
from .routing import MATCHED
from .routing import Matcher
from .routing import NOT_ALLOWED
from .routing import NOT_FOUND
from .routing import Routed

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts
    from . import ctext
    from . import cvars

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextvars import ContextVar
    from types import TracebackType

NO_APP = """\
Working outside of application context.

`current_app` and `g` need the current application. Push an application context: \
`with app.app_context():`, or do this while a request is handled.\
"""
NO_REQUEST = """\
Working outside of request context.

`request` and `session` need an active HTTP request. In a test, push one: \
`with app.test_request_context():`. In a thread or a task that a request started, wrap \
the function in `copy_current_request_context`.\
"""

UNBOUND = "<LocalProxy unbound>"

_UNSET: Any = object()

# The answers of a Matcher, as C globals in the compiled build.
_MATCHED = MATCHED
_NOT_FOUND = NOT_FOUND
_NOT_ALLOWED = NOT_ALLOWED

# A context that no request uses: the compiled build makes no other for the next.
_spare: Context | None = None

_var: ContextVar[Any] = cvars.new_var("fastdispatch.context")
# PERF: to set and reset it took 1,700 instructions of 7,200 for a hello world.
cvars.prove_cells(_var)


def current() -> Any:
    """The context that is current here, or None."""
    return cvars.current(_var)


def make_current(ctx: Any) -> Any:
    """Make *ctx* current and nothing else, until :func:`restore` of what is returned.

    For work that comes in steps, between which other contexts take their turn.
    """
    return cvars.enter(_var, ctx)


def restore(token: Any) -> None:
    """Make current again what was so before :func:`make_current`."""
    cvars.leave(_var, token)


def plan_of(app: Any) -> Any:
    """The plan of *app*, drawn up again if the app has changed."""
    host: Host = app
    return host.get_plan()


def new_context(app: Any, plan: Plan, environ: Any) -> Context:
    """Make the context of one request, or of *app* alone if *environ* is None."""
    if not capi.COMPILED:
        # PERF: the interpreter makes it and its fields in one go.
        return Context(app, environ, None, plan)
    global _spare
    ctx: Context | None = _spare
    if ctx is None:
        ctx = Context.__new__(Context)
    else:
        _spare = None
        capi.show(ctx)
    ctx.start(app, plan, environ)
    return ctx


def reuse(ctx: Context) -> None:
    """Have the next request use *ctx*, which has ended, if nobody else has it.

    PERF: to make it and to let it go took 980 instructions of 12,400.
    """
    global _spare
    if type(ctx) is Context and capi.is_sole(ctx):
        # What ends now may run code that looks at all there is; so may tests for leaks.
        capi.hide(ctx)
        ctx.forget()
        _spare = ctx


def checked(ctx: Any) -> Any:
    """*ctx*, if it is the context of a request. TypeError otherwise.

    A host's own ``request_context`` made it.
    """
    if not isinstance(ctx, Context):
        raise TypeError(
            f"request_context() must return a Context, not {type(ctx).__name__}."
        )
    given: Context = ctx
    if given.plan is None or not given.has_request:
        raise TypeError(
            "request_context() must return the context of a request: this one was made"
            " without Context.__init__ or without an environ."
        )
    return ctx


def raise_errors(app: Any, errors: list[BaseException]) -> None:
    """Raise teardown errors where errors propagate (rules 36 and 42).

    What is no Exception (SystemExit, KeyboardInterrupt) is raised anywhere.
    """
    for error in errors:
        if not isinstance(error, Exception):
            raise error
    if app._propagates_exceptions():
        if len(errors) == 1:
            raise errors[0]
        raise BaseExceptionGroup("Errors during context teardown", errors)


def teardown_request(ctx: Context, exc: Any) -> None:
    """The stock step of that name, for a host to call. Rules 40 to 42."""
    errors = hooks.run_teardown_request(ctx.plan, ctx.app, ctx.get_scopes(), exc)
    if errors is not None:
        raise_errors(ctx.app, errors)


def teardown_appcontext(app: Any, exc: Any) -> None:
    """The stock step of that name, for a host to call. Rules 40 to 42."""
    errors = hooks.run_teardown_appcontext(plan_of(app), app, exc)
    if errors is not None:
        raise_errors(app, errors)


class Context(Routed):
    """The state of one request, or of work on an application outside of requests.

    It is made current by :meth:`push` and no longer so by :meth:`pop`, or by ``with``.
    Pushed N times it tears down at its last pop (rule 8). Everything in it is made
    when it is first looked at. It takes further attributes and weak references.
    """

    app: Any
    plan: Plan
    environ: Any
    has_request: bool
    flashes: Any
    _routing_exception: Any
    _missing: bool
    made_request: Any
    opened: Any
    _alone: bool
    _noted: bool
    _g: Any
    _adapter: Any
    _unbound: bool
    _matched: bool
    method: Any
    _after_functions: list[Any] | None
    body_item: Any
    body_status: Any
    _outer: Any
    _token: Any
    _more: list[Any] | None
    _holds: int
    _generation: int
    _unfinished: bool
    _silent: bool

    def __init__(
        self,
        app: Any,
        environ: Any = None,
        request: Any = None,
        plan: Plan | None = None,
    ) -> None:
        """Make a context of *app*.

        :param environ: the WSGI environ (PEP 3333) of a request.
        :param request: a request that exists already; *environ* is then its own.
        :param plan: the plan of *app*, where that has just been looked up.
        """
        if plan is None:
            plan = plan_of(app)
        if request is not None:
            environ = request.environ
        self.app = app
        self.plan = plan  # pyright: ignore[reportAttributeAccessIssue]
        self.environ = environ
        self.has_request = environ is not None
        self.made_request = request
        if not capi.COMPILED:
            # C has made them so. PERF: what is set or read in every request takes ten
            # times as long as a default in the class.
            self.route = None
            self.args = None
            self.opened = None
            self._adapter = None
            self._matched = False
            self.method = None
            self._after_functions = None
            self.body_item = None
            self.body_status = None
            self._outer = None
            self._token = None
            self._more = None
            self._holds = 0
            self._unfinished = False
            self._silent = False

    def start(self, app: Any, plan: Plan, environ: Any) -> None:
        """Set every field to its beginning."""
        if not capi.COMPILED:
            Context.__init__(self, app, environ, None, plan)
            return
        self.app = app
        self.plan = plan
        self.environ = environ
        self.has_request = environ is not None

    def forget(self) -> None:
        """Set every field to what it is in a context that has just been made."""
        self.app = None
        self.plan = None  # type: ignore[assignment]
        self.environ = None
        self.route = None
        self.args = None
        self.allowed = None
        self.flashes = None
        self._routing_exception = None
        self.made_request = None
        self.opened = None
        self._g = None
        self._adapter = None
        self.method = None
        self._after_functions = None
        self.body_item = None
        self.body_status = None
        self._outer = None
        self._token = None
        self._more = None
        self.has_request = False
        self._alone = False
        self._noted = False
        self._missing = False
        self._unbound = False
        self._matched = False
        self._unfinished = False
        self._silent = False
        self._holds = 0
        self._generation = 0

    # What a context holds.

    @property
    def hosted(self) -> bool:
        """Whether another framework's rules hold: those of an accelerated Flask."""
        return self.plan is not None and self.plan.hosted

    @property
    def request(self) -> Any:
        """The request. RuntimeError in a context that has none (rule 17)."""
        return self.get_request()

    @request.setter
    def request(self, value: Any) -> None:
        self.made_request = value
        self.has_request = True

    @property
    def session(self) -> Any:
        """The session, opened now if it was not; counts as looked at (rule 48)."""
        return self.get_session()

    @property
    def g(self) -> Any:
        """The namespace of this context, or of the shared one around it (rule 2)."""
        return self.get_g()

    @g.setter
    def g(self, value: Any) -> None:
        self._g = value

    @property
    def endpoint(self) -> Any:
        """The endpoint that the URL led to, or None."""
        return self.get_endpoint()

    def get_request(self) -> Any:
        """The same as :attr:`request`."""
        request = self.made_request
        if request is None:
            if not self.has_request:
                raise RuntimeError(NO_REQUEST)
            request = self._make_request()
        return request

    @property
    def _session(self) -> Any:
        """The session, opened now if it was not, without counting as a look.

        Extensions read and write it under this name.
        """
        self._alone = False
        self._noted = False
        return self.opened_session() if self.has_request else None

    @_session.setter
    def _session(self, value: Any) -> None:
        self._alone = False
        self._noted = False
        self.opened = value

    def open_cookie_session(self) -> Any:
        """The session, of the stock kind in a cookie; None if it is not surely that."""
        plan = self.plan
        sessions = plan.cookies()
        if sessions is None or not self.is_current():
            return None
        session = sessions.open(self.app, self.environ, self.made_request)
        if session is not None:
            self.opened = session
            self._alone = True
        return session

    def save_cookie_session(self, session: Any, response: Any) -> bool:
        """Save a session of that kind. False if its interface must do so."""
        plan = self.plan
        sessions = plan.cookies()
        return (
            sessions is not None
            and self.is_current()
            and sessions.save(self.app, session, response)
        )

    def is_current(self) -> bool:
        """Whether the application of this context is the current one."""
        current = cvars.current(_var)
        return current is self or (current is not None and current.app is self.app)

    def get_session(self) -> Any:
        """The same as :attr:`session`."""
        session = self.look()
        # Whoever has it may say that it was not looked at.
        self._alone = False
        self._noted = False
        return session

    def look(self) -> Any:
        """The same, for somebody who does not keep it.

        PERF: noting a look took a fifth of the time of ``session["x"]``, and all but
        the first tell nothing new as long as nobody else has the session.
        """
        session = self.opened
        if self._noted:
            return session
        if session is None:
            if not self.has_request:
                raise RuntimeError(NO_REQUEST)
            session = self.opened_session()
        session.accessed = True
        self._noted = self._alone
        return session

    def get_g(self) -> Any:
        """The same as :attr:`g`."""
        g = self._g
        if g is None:
            if self._outer is not None:
                g = self._outer.g
            else:
                g = self.app.app_ctx_globals_class()
            self._g = g
        return g

    @property
    def url_adapter(self) -> Any:
        """The host's MapAdapter; None where the host's SERVER_NAME is needed for one.

        None as well when binding failed: see ``request.routing_exception``.
        """
        return self.bind()

    @url_adapter.setter
    def url_adapter(self, value: Any) -> None:
        self._adapter = value

    def bind(self) -> Any:
        """The same as :attr:`url_adapter`."""
        adapter = self._adapter
        if adapter is None:
            if self._unbound:
                return None
            if not self.has_request:
                adapter = self.app.create_url_adapter(None)
            else:
                try:
                    adapter = self.app.create_url_adapter(self.get_request())
                except HTTPException as e:
                    # Once: what a hook has made of the error stays.
                    self._unbound = True
                    self.set_routing_exception(e)
                    return None
                except UnicodeError:
                    if self.plan.hosted:
                        raise
                    self._unbound = True
                    # PATH_INFO or SCRIPT_NAME is not latin-1. Rule 1.
                    self.set_routing_exception(BadRequest())
                    return None
            self._adapter = adapter
        return adapter

    @property
    def routing_exception(self) -> Any:
        """The error that routing ended with, or None (rule 6)."""
        request = self.made_request
        if request is not None:
            return request.routing_exception
        return self.routing_error()

    def routing_error(self) -> Any:
        """What matching ended with, or None. A 404 is made when first looked at."""
        if self._missing:
            self._missing = False
            self._routing_exception = NotFound()
        return self._routing_exception

    def set_routing_exception(self, error: Any) -> None:
        """Keep *error* for dispatch to raise."""
        self.route = None
        self._missing = False
        self._routing_exception = error
        if self.made_request is not None:
            self.made_request.routing_exception = error

    def get_endpoint(self) -> Any:
        """The same as :attr:`endpoint`."""
        request = self.made_request
        if request is not None:
            return request.endpoint
        route = self.route
        if route is not None:
            return route.endpoint
        return None

    @property
    def blueprints(self) -> Any:
        """Names of the request's blueprints, inner to outer."""
        return self.get_blueprints()

    def get_blueprints(self) -> Any:
        """The same as :attr:`blueprints`."""
        request = self.made_request
        route = self.route
        if route is None:
            return () if request is None else request.blueprints
        if request is not None and request.url_rule is not route.rule:
            # Somebody has given the request another rule.
            return request.blueprints
        return route.blueprints

    def get_scopes(self) -> tuple[Any, ...]:
        """Whose hooks run: names of blueprints, inner to outer; None for the app."""
        request = self.made_request
        route = self.route
        if route is not None and (request is None or request.url_rule is route.rule):
            return route.scopes
        return (*self.get_blueprints(), None)

    @property
    def view_args(self) -> Any:
        """The view's arguments: a dict, or None when routing failed."""
        return self.get_view_args()

    def get_view_args(self) -> Any:
        """The same as :attr:`view_args`."""
        request = self.made_request
        if request is not None:
            return request.view_args
        if self.route is None:
            return None
        if self.args is None:
            self.args = {}
        return self.args

    def after_this_request(self, func: Any) -> None:
        """Call *func* with the response of this request. Rule 28."""
        if self._after_functions is None:
            self._after_functions = []
        self._after_functions.append(func)

    def _make_request(self) -> Any:
        app = self.app
        cls = self.plan.request_stand_in
        if cls is None:
            cls = app.request_class
        request = cls(self.environ)
        self.made_request = request
        request.json_module = app.json
        route = self.route
        if route is not None:
            request.url_rule = route.rule
            if self.args is None:
                self.args = {}
            request.view_args = self.args
        error = self.routing_error()
        if error is not None:
            request.routing_exception = error
        return request

    def json_body(self, value: Any, provider: Any = None) -> Any:
        """The body of ``app.json.response(value)``; its Content-Type is left here.

        None if unsure. *provider* is ``app.json``, if that has been looked up.
        """
        plan = self.plan
        text = plan.json()
        if text is None:
            return None
        if provider is None:
            provider = self.app.json
        if plan.debug_in_config:
            debug = cdicts.table_get(plan.config, "DEBUG")
        else:
            debug = self.app.debug
        made = text.respond(provider, debug, value)
        if made is None:
            return None
        self.body_item = made[1]
        return made[0]

    def opened_session(self) -> Any:
        """The session, opened now if it was not, without counting as a look. Rule 5."""
        session = self.opened
        if session is None:
            app = self.app
            interface = app.session_interface
            if interface is self.plan.session_interface:
                session = self.open_cookie_session()
                if session is not None:
                    return session
            session = interface.open_session(app, self.request)
            if session is None:
                session = interface.make_null_session(app)
            self.opened = session
        return session

    # Calls of the application's own steps.

    def call_step(self, step: Any) -> Any:
        """Call *step*, a method of the application, as its framework calls it."""
        return step()

    def call_step_with(self, step: Any, value: Any) -> Any:
        """The same for a step that takes *value*."""
        return step(value)

    # What has rules of its own where there is another framework: see hosted.py.

    def shown(self, response: Any) -> Any:
        """*response*, as the program may see it."""
        return response

    def send(self, response: Any, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Send *response* of a host."""
        raise NotImplementedError

    def knows(self, step: str, own: bool) -> bool:
        """Whether *step* of an error's handling is one of the two that follow."""
        return False

    def handle_user_exception(self, error: Exception) -> Any:
        """What a host's own step of that name does."""
        raise NotImplementedError

    def handle_exception(self, error: Exception) -> Any:
        """What a host's own step of that name does."""
        raise NotImplementedError

    # Routing.

    def match_request(self) -> None:
        """Match the URL; keep the rule and arguments, or the error. Rules 6 and 56."""
        self.match()

    def match(self) -> None:
        """The same as :meth:`match_request`."""
        self._matched = True
        plan = self.plan
        if plan.flat and self._adapter is None and type(self.environ) is dict:
            environ = self.environ
            host: Any = cdicts.recall(environ, "HTTP_HOST")
            if (
                (
                    host in plan.known_hosts
                    or (self.made_request is None and plan.takes_host(host))
                )
                and environ.get("HTTP_UPGRADE") is None
                and plan.trusts_all_hosts()
            ):
                matcher = plan.matcher
                if not (
                    matcher.fresh() if capi.COMPILED else matcher.same(plan.url_map)
                ):
                    matcher = Matcher(plan.url_map)
                    plan.matcher = matcher
                method: Any = cdicts.recall(environ, "REQUEST_METHOD")
                self.method = method
                path: Any = cdicts.recall(environ, "PATH_INFO")
                code = matcher.match(self, path, method)
                if code == _MATCHED:
                    request = self.made_request
                    if request is not None:
                        request.url_rule = self.route.rule  # type: ignore[union-attr]
                        request.view_args = self.view_args_made()
                    return
                if code == _NOT_FOUND and responses.makes_plain_404():
                    self.route = None
                    self._routing_exception = None
                    self._missing = True
                    if self.made_request is not None:
                        self.made_request.routing_exception = self.routing_error()
                    return
                if code == _NOT_ALLOWED:
                    self.set_routing_exception(
                        MethodNotAllowed(valid_methods=list(self.allowed or ()))
                    )
                    return
        self._match_by_adapter()

    def view_args_made(self) -> Any:
        """The matched arguments, as a dict."""
        if self.args is None:
            self.args = {}
        return self.args

    def _match_by_adapter(self) -> None:
        adapter = self.bind()
        if adapter is None:
            return
        plan = self.plan
        if plan.flat:
            host = self.environ.get("HTTP_HOST")
            if type(host) is str:
                plan.know_host(host)
        request = self.request
        try:
            request.url_rule, request.view_args = adapter.match(return_rule=True)
        except HTTPException as e:
            self.set_routing_exception(e)

    # Push and pop.

    def push(self) -> None:
        """Make this context current. Rule 4.

        If a signal receiver, the session interface or the URL map raises, everything
        is undone, teardown included, before the error goes on.
        """
        if self.plan is None:
            raise RuntimeError(f"{type(self).__name__}.__init__ was not called.")
        if self._token is not None:
            if self._more is None:
                self._more = []
            again = cvars.current(_var) is not self
            self._more.append(cvars.enter(_var, self) if again else None)
            return
        try:
            self.enter()
        except BaseException as e:
            if self._token is not None:
                self.end(e)
            raise

    def enter(self) -> None:
        """A first push: make this current, signal that, open the session, match."""
        has_request = self.has_request
        if has_request:
            outer = cvars.current(_var)
            if outer is not None:
                self._share(outer)
        self._unfinished = True
        self._token = cvars.enter(_var, self)
        plan = self.plan
        if plan.pushed_to and self._outer is None:
            plan.pushed.send(self.app, _async_wrapper=self.app.ensure_sync)
        if has_request:
            if not plan.lazy_request and self.made_request is None:
                self._make_request()
            if not plan.lazy_session and self.opened is None:
                self.opened_session()
            if not self._matched:
                self.match()

    def _share(self, outer: Any) -> None:
        """Use the ``g`` of *outer* if the app wants that. Rule 2."""
        app = self.app
        if (
            outer.app is app
            and not outer.has_request
            and app.config.get("SHARE_APP_CONTEXT", False)
        ):
            self._outer = outer

    def renew(self) -> Plan:
        """The plan as of now, where the host may have changed during the request."""
        return self.plan

    def preserve(self, keep: Any) -> None:
        """Hand the context to a debugger or a test client. Rule 15."""
        keep(self)

    def pop(self, exc: Any = _UNSET) -> None:
        """Undo one push; at the last one tear down first. Rules 8 to 10, 40 to 42.

        :param exc: the error that ended the work, or None; the error being handled
            when it is left out.
        :raises RuntimeError: if this context is not the current one; nothing changes.
        """
        if exc is _UNSET:
            exc = sys.exc_info()[1]
        self.end(exc)

    def end(self, exc: Any, whatever: bool = False) -> None:
        """The same as :meth:`pop`.

        :param whatever: at the end of the request: it is popped whatever the program
            has left behind.
        """
        active = cvars.current(_var)
        if active is not self or self._token is None:
            if whatever and active is not None and self._token is not None:
                self._end_left_behind(active, exc)
                return
            raise RuntimeError(self._cannot_pop(active))
        if self._more:
            token = self._more.pop()
            if token is not None:
                cvars.leave(_var, token)
            return
        if self._holds > 0:
            self._leave()
            return
        errors = self._finish(exc)
        token = self._token
        self._token = None
        if capi.COMPILED:
            cvars.leave(_var, token)
        else:
            # PERF: what that does, a call less.
            try:
                cvars.var_reset(_var, token)
            except ValueError:
                cvars.leave(_var, token)
        if errors is not None or self._outer is not None or self.plan.popped_to:
            self._end_work(errors)

    def _end_left_behind(self, active: Any, exc: Any) -> None:
        # A context was pushed in the request and not popped.
        self._more = None
        errors = hooks.failed(
            self.app,
            "the request",
            RuntimeError(f"{active!r} was pushed in this request and not popped."),
            None,
        )
        if self._holds > 0:
            self._leave()
            raise_errors(self.app, errors)
            return
        token = cvars.enter(_var, self)
        more = self._finish(exc)
        cvars.leave(_var, token)
        # This puts back what was current before the request.
        self._leave()
        self._end_work(errors if more is None else errors + more)

    def _end_work(self, errors: Any) -> None:
        """The very last of a context: ``appcontext_popped``, then the errors."""
        if self._outer is not None:
            self._outer = None
        elif self.plan.popped_to:
            errors = self._signal_popped(errors)
        if errors is not None:
            raise_errors(self.app, errors)

    def _leave(self) -> None:
        """Stop being current: the last half of a pop."""
        token = self._token
        self._token = None
        cvars.leave(_var, token)

    def _cannot_pop(self, active: Any) -> str:
        if active is None:
            return f"Cannot pop {self!r}: no context is active."
        if active is not self:
            return f"Cannot pop {self!r}: the active context is {active!r}."
        return f"Cannot pop {self!r}: it was not pushed."

    def hold(self) -> int:
        """Put the teardown off until :meth:`release` gets what this returns. Rule 14.

        N holds put it off until the last release.
        """
        self._holds += 1
        return self._generation

    def release(self, hold: int, exc: Any = None) -> None:
        """Give up one :meth:`hold`; tear down if the context was popped meanwhile.

        :param exc: the error that ended the work, or None.
        """
        if hold != self._generation:
            # The request failed since.
            return
        self._holds -= 1
        if self._holds > 0 or self._token is not None or not self._unfinished:
            return
        token = cvars.enter(_var, self)
        try:
            errors = self._finish(exc)
        finally:
            cvars.leave(_var, token)
        self._end_work(errors)

    def drop_holds(self) -> None:
        """The request failed: what was to be sent won't be, and nobody waits for it."""
        self._holds = 0
        self._generation += 1

    def _finish(self, exc: Any) -> Any:
        """Tear down: request, then application. Rules 40 to 42."""
        self._unfinished = False
        if self._silent:
            return None
        app = self.app
        plan = self.plan
        errors = None
        if self.has_request:
            if plan.own_do_teardown_request:
                if plan.teardown_request or plan.tearing_down_to:
                    errors = self._teardown_request(exc)
            else:
                errors = self._call_teardown(app.do_teardown_request, exc, errors)
            if self.made_request is not None:
                errors = self._close_request(errors)
        if self._outer is None:
            if plan.own_do_teardown_appcontext:
                if plan.teardown_appcontext or plan.app_tearing_down_to:
                    more = hooks.run_teardown_appcontext(plan, app, exc)
                    if more is not None:
                        errors = more if errors is None else errors + more
            else:
                errors = self._call_teardown(app.do_teardown_appcontext, exc, errors)
        return errors

    def _teardown_request(self, exc: Any) -> Any:
        try:
            return hooks.run_teardown_request(
                self.plan, self.app, self.get_scopes(), exc
            )
        except BaseException as e:
            # The table is none, or the request cannot tell its blueprints.
            return hooks.failed(self.app, "do_teardown_request", e, None)

    def _call_teardown(self, step: Any, exc: Any, errors: Any) -> Any:
        try:
            step(exc)
        except BaseException as e:
            errors = hooks.failed(self.app, hooks.name_of(step), e, errors)
        return errors

    def _close_request(self, errors: Any) -> Any:
        request = self.made_request
        close = getattr(request, "close", None)
        if close is not None:
            try:
                close()
            except BaseException as e:
                errors = hooks.failed(self.app, "request.close()", e, errors)
        # The request is the environ's and the environ the request's: end the cycle.
        self.environ["werkzeug.request"] = None
        return errors

    def _signal_popped(self, errors: Any) -> Any:
        app = self.app
        try:
            self.plan.popped.send(app, _async_wrapper=app.ensure_sync)
        except BaseException as e:
            errors = hooks.failed(
                app, "a receiver of the signal appcontext_popped", e, errors
            )
        return errors

    def copy(self, teardown: bool = True) -> Context:
        """A context with the same request and session objects and a fresh ``g``.

        :param teardown: whether the copy's own pop runs the teardown hooks. Rule 12.
        """
        ctx: Context = type(self)(self.app, request=self.request)
        self._copy_into(ctx, teardown)
        return ctx

    def _copy_into(self, ctx: Context, teardown: bool) -> None:
        ctx.opened = self.opened_session()
        self._alone = False
        self._noted = False
        ctx.route = self.route
        ctx.method = self.method
        ctx.args = self.args
        ctx._matched = self._matched
        ctx._adapter = self._adapter
        ctx._unbound = self._unbound
        ctx._silent = not teardown

    def __enter__(self) -> Context:
        self.push()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.pop(exc_value)

    def __repr__(self) -> str:
        name = type(self).__name__
        if not self.has_request:
            return f"<{name} of {self.app.name}>"
        request = self.request
        return f"<{name} {request.url!r} [{request.method}] of {self.app.name}>"


if not capi.COMPILED:
    # The fields that a hello world neither sets nor reads. PERF: each that is set takes
    # 15 ns of the 3,800 for that.
    for _field, _default in (
        ("allowed", None),
        ("flashes", None),
        ("_routing_exception", None),
        ("_missing", False),
        ("_alone", False),
        ("_noted", False),
        ("_g", None),
        ("_generation", 0),
        ("_unbound", False),
    ):
        setattr(Context, _field, _default)


def response_class(ctx: Context) -> Any:
    """What responses are made of."""
    plan = ctx.plan
    if plan.hosted:
        cls = plan.response_stand_in
        return ctx.app.response_class if cls is None else cls
    if plan.version == 0 or not capi.COMPILED:
        # PERF: in Python, to ask for it takes less than to ask for the plan.
        return ctx.app.response_class
    host: Host = ctx.app
    cls = host.get_plan().response_class
    return ctx.app.response_class if cls is None else cls


REQUEST = 0
SESSION = 1
G = 2
APP = 3
REQUEST_CONTEXT = 4
CONTEXT = 5
_KINDS = {
    "request": REQUEST,
    "session": SESSION,
    "g": G,
    "current_app": APP,
    "request_ctx": REQUEST_CONTEXT,
    "app_ctx": CONTEXT,
}


def find(kind: int) -> Any:
    """What a proxy of *kind* stands for here and now, or None."""
    ctx = cvars.current(_var)
    if ctx is None:
        return None
    if kind == REQUEST:
        request = ctx.made_request
        if request is None and ctx.has_request:
            return ctx.get_request()
        return request
    if kind == SESSION:
        return ctx.look() if ctx.has_request else None
    if kind == G:
        return ctx.get_g()
    if kind == APP:
        return ctx.app
    if kind == REQUEST_CONTEXT:
        return ctx if ctx.has_request else None
    return ctx


def need(kind: int) -> Any:
    """The same, but RuntimeError that says what to do when there is none. Rule 17."""
    value = find(kind)
    if value is None:
        if kind == REQUEST or kind == SESSION or kind == REQUEST_CONTEXT:
            raise RuntimeError(NO_REQUEST)
        raise RuntimeError(NO_APP)
    return value


def hand_out(kind: int) -> Any:
    """The same, for somebody who may keep it."""
    if kind == SESSION:
        ctx = cvars.current(_var)
        if ctx is not None and ctx.has_request:
            return ctx.get_session()
    return need(kind)


class ContextProxy:
    """Stands for one thing of the current context: the kernel of ``request`` and kin.

    What is asked of it is asked of that thing. Subclasses forward the operators that
    are not forwarded here.
    """

    def __init__(self, name: str) -> None:
        """*name*: what to stand for, as :mod:`fastdispatch.globals` names it."""
        self._kind: int = _KINDS[name]

    def _get_current_object(self) -> Any:
        """The object itself. RuntimeError when there is none (rule 17)."""
        return hand_out(self._kind)

    def __getattribute__(self, name: str) -> Any:
        # PERF: comparing every name with both of these took a tenth of a read.
        if ctext.is_underscored(name) and (
            name == "_kind" or name == "_get_current_object"
        ):
            return object.__getattribute__(self, name)
        value = find(self._kind)
        if value is None:
            if name.startswith("__"):
                # Introspection (isinstance, doctest, inspect) outside of a context.
                return object.__getattribute__(self, name)
            need(self._kind)
        return getattr(value, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_kind":
            # The pure build's way to the field: C code sets it without coming here.
            object.__setattr__(self, name, value)
        else:
            setattr(hand_out(self._kind), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(hand_out(self._kind), name)

    def __getitem__(self, key: Any) -> Any:
        value = find(self._kind)
        if value is None:
            need(self._kind)
        return cdicts.item(value, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        need(self._kind)[key] = value

    def __delitem__(self, key: Any) -> None:
        del need(self._kind)[key]

    def __contains__(self, item: Any) -> bool:
        return item in need(self._kind)

    def __len__(self) -> int:
        return len(need(self._kind))

    def __iter__(self) -> Any:
        return iter(need(self._kind))

    def __bool__(self) -> bool:
        value = find(self._kind)
        return value is not None and bool(value)

    def __eq__(self, other: object) -> Any:
        return need(self._kind) == other

    def __hash__(self) -> int:
        return hash(need(self._kind))

    def __repr__(self) -> str:
        value = find(self._kind)
        if value is None:
            return UNBOUND
        return repr(value)

    def __str__(self) -> str:
        value = find(self._kind)
        if value is None:
            return UNBOUND
        return str(value)

    def __dir__(self) -> Any:
        value = find(self._kind)
        return [] if value is None else dir(value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return need(self._kind)(*args, **kwargs)
