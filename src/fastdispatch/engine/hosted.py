"""Contexts of a host framework that has two of them: Flask 3.1 under the engine.

The classes here are kernels: the host's own context classes come behind them, and do
what is not done here.
"""

from __future__ import annotations

from typing import Any

from . import capi
from . import hooks
from .context import Context
from .plan import Host
from .plan import Plan


class Watcher(Host):
    """Keeps the plan of an application that does not tell when it changes.

    A subclass has ``_draw_plan(app)`` and ``_class_facts()``.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        late_names: tuple[str, ...],
        classes: tuple[Any, ...],
    ) -> None:
        """Say what a plan is drawn from.

        :param names: of attributes: the plan holds while each is the same object in
            the application's ``__dict__``, or still not there.
        :param late_names: those of them that the end of a request depends on and that
            may be replaced without a new attribute.
        :param classes: it holds while none of these is patched, as the values that
            ``_class_facts`` returns say.
        """
        super().__init__()
        self._names = names
        self._values: tuple[Any, ...] = ()
        self._classes = classes
        self._facts: tuple[Any, ...] = ()
        self._versions = 0
        self._tables: tuple[Any, ...] = ()
        self._sizes = 0
        self._late_names = late_names
        self._late_values: tuple[Any, ...] = ()
        self._own_size = 0

    def plan_now(self, app: Any) -> Plan:
        """The plan, drawn up again if *app* or what it is made of has changed."""
        plan = self._plan
        if plan is None or plan.stale(type(app)) or self._changed(app):
            plan = self._draw(app)
        return plan

    def plan_later(self, app: Any, plan: Plan) -> Plan:
        """The same in the midst of a request that began with *plan*.

        What was set on *app* since, where it has no attribute less, is seen.
        """
        # PERF: asked for up to four times a request, so it looks at little.
        own: dict[str, Any] = capi.instance_dict(app)  # type: ignore[assignment]
        if (
            plan is self._plan
            and len(own) == self._own_size
            and capi.same_items(own, self._late_names, self._late_values)
            and not plan.stale(type(app))
            and self._class_versions() == self._versions
            and self._versions != 0
        ):
            return plan
        return self.plan_now(app)

    def _changed(self, app: Any) -> bool:
        own: dict[str, Any] = capi.instance_dict(app)  # type: ignore[assignment]
        if not capi.same_items(own, self._names, self._values):
            return True
        self._own_size = len(own)
        versions = self._class_versions()
        if versions == 0 or versions != self._versions:
            if not capi.identical(self._class_facts(), self._facts):
                return True
            self._versions = self._class_versions()
        return self._table_sizes() != self._sizes

    def _class_versions(self) -> int:
        # Versions only grow, so their sum stays the same only if each of them does.
        total = 0
        for cls in self._classes:
            version = capi.type_version(cls)
            if version == 0:
                return 0
            total += version
        return total

    def _table_sizes(self) -> int:
        total = 0
        for table in self._tables:
            total += len(table)
        return total

    def _watch_sizes(self, tables: tuple[dict[str, Any], ...]) -> None:
        """The plan holds while no key is added to one of *tables*."""
        self._tables = tables

    def _draw(self, app: Any) -> Plan:
        own: Any = capi.instance_dict(app)
        values = tuple([own.get(name) for name in self._names])
        facts = self._class_facts()
        versions = self._class_versions()
        plan: Plan = self._draw_plan(app)
        # The plan before what it was drawn from: to another thread it may look stale,
        # but not an older plan like this one.
        self._plan = plan
        self._values = values
        self._late_values = tuple([own.get(name) for name in self._late_names])
        self._own_size = len(own)
        self._facts = facts
        self._versions = versions
        self._sizes = self._table_sizes()
        return plan

    def _class_facts(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def _draw_plan(self, app: Any) -> Plan:
        raise NotImplementedError


def new_context(app: Any, plan: Plan, environ: Any, host: Watcher) -> HostedContext:
    """Make the request context of one request."""
    path = capi.table_get(environ, "PATH_INFO")
    if type(path) is str and not capi.is_ascii(path):
        # What is not latin-1 is an error before anything has begun. Rule 1.
        path.encode("latin-1")
    ctx: HostedContext = capi.new_instance(plan.context_class)
    ctx.start(app, plan, environ)
    ctx._host = host
    ctx._app_context = None
    ctx._tokens = None
    ctx._pushed = None
    if not plan.own_create_url_adapter:
        ctx.bind()
    return ctx


class HostedAppContext:
    """The kernel of an application context that the engine pushes."""

    _app: Any
    _g: Any
    _adapter: Any
    _bound: bool
    _pushed: Any
    _tokens: list[Any] | None

    def make(self) -> None:
        """Make now what is made on first use otherwise, in the host's order."""
        self._adapter = self._app.create_url_adapter(None)
        self._bound = True
        self._g = self._app.app_ctx_globals_class()

    @property
    def app(self) -> Any:
        """The application."""
        return self._app

    @app.setter
    def app(self, value: Any) -> None:
        self._app = value

    @property
    def g(self) -> Any:
        """The namespace of this context."""
        if self._g is None:
            self._g = self._app.app_ctx_globals_class()
        return self._g

    @g.setter
    def g(self, value: Any) -> None:
        self._g = value

    @property
    def url_adapter(self) -> Any:
        """The adapter of ``SERVER_NAME``, or None."""
        if not self._bound:
            self._adapter = self._app.create_url_adapter(None)
            self._bound = True
        return self._adapter

    @url_adapter.setter
    def url_adapter(self, value: Any) -> None:
        self._bound = True
        self._adapter = value

    @property
    def _cv_tokens(self) -> Any:
        """The tokens of each push. Whoever looks at them has the host's code pop."""
        tokens = self._tokens
        if tokens is None:
            tokens = [] if self._pushed is None else [self._pushed]
            self._tokens = tokens
        return tokens

    @_cv_tokens.setter
    def _cv_tokens(self, value: Any) -> None:
        self._tokens = value


class HostedContext(Context):
    """The kernel of a request context that the engine pushes."""

    _host: Watcher | None
    _pushed: Any
    _tokens: list[Any] | None
    _app_context: HostedAppContext | None

    @property
    def _after_request_functions(self) -> Any:
        """The after_this_request functions."""
        if self._after_functions is None:
            self._after_functions = []
        return self._after_functions

    @_after_request_functions.setter
    def _after_request_functions(self, value: Any) -> None:
        self._after_functions = value

    @property
    def _cv_tokens(self) -> Any:
        """The tokens of each push. Whoever looks at them has the host's code pop."""
        tokens = self._tokens
        if tokens is None:
            tokens = []
            if self._pushed is not None:
                tokens.append((self._pushed, self._app_context))
            self._tokens = tokens
        return tokens

    @_cv_tokens.setter
    def _cv_tokens(self, value: Any) -> None:
        self._tokens = value

    def begin(self) -> None:
        """Push the application context, unless one of the app is current; then this.

        Rules 2, 4 and 11.
        """
        plan = self.plan
        app = self.app
        outer = capi.var_get(plan.app_var)
        if outer is None or outer.app is not app:
            inner: HostedAppContext = capi.new_instance(plan.app_context_class)
            inner._app = app
            inner._g = None
            inner._adapter = None
            inner._bound = False
            inner._tokens = None
            if not plan.lazy_app_context:
                inner.make()
            inner._pushed = capi.var_set(plan.app_var, inner)
            self._app_context = inner
            if capi.filled(plan.pushed_to):
                plan.pushed.send(app, _async_wrapper=app.ensure_sync)
        self._pushed = capi.var_set(plan.request_var, self)

    def open(self) -> None:
        """Open the session, match the URL. Rule 4."""
        plan = self.plan
        if not plan.lazy_session and self.opened is None:
            self.opened_session()
        self.match()

    def renew(self) -> Plan:
        """The plan as of now: hooks and views may change the application."""
        plan = self.plan
        host = self._host
        if host is not None:
            now = host.plan_later(self.app, plan)
            if now is not plan:
                # What would have been made by now is made as it would have been.
                self.get_request()
                self.opened_session()
                self.plan = now
                return now
        return plan

    def opened_session(self) -> Any:
        """The session, opened now if it was not. Rule 5."""
        session = self.opened
        if session is None:
            app = self.app
            # The one that it would have been opened by when this was pushed.
            interface = self.plan.session_interface
            session = interface.open_session(app, self.get_request())
            if session is None:
                session = interface.make_null_session(app)
            self.opened = session
        return session

    def preserve(self, keep: Any) -> None:
        """Hand both contexts to a debugger or a test client. Rule 15."""
        plan = self.plan
        keep(capi.var_get(plan.app_var))
        keep(capi.var_get(plan.request_var))

    def end_request(self, exc: Any) -> None:
        """As :meth:`end`: the host's rules say what becomes of what is left behind."""
        self.end(exc)

    def end(self, exc: Any) -> None:
        """What ``RequestContext.pop`` does. Rules 8 to 10 and 40 to 42."""
        plan = self.renew()
        app = self.app
        if self._tokens is not None or self._pushed is None:
            # Pushed again by somebody, or not at all: the host knows what to do.
            self.pop(exc)
            return
        try:
            if plan.own_do_teardown_request:
                if capi.filled(plan.teardown_request) or capi.filled(
                    plan.tearing_down_to
                ):
                    hooks.plain_teardown_request(plan, app, self.get_blueprints(), exc)
            else:
                app.do_teardown_request(exc)
            request = self.made_request
            if request is not None:
                close = getattr(request, "close", None)
                if close is not None:
                    close()
        finally:
            self._leave_hosted(exc)

    def _leave_hosted(self, exc: Any) -> None:
        plan = self.plan
        active = capi.var_get(plan.request_var)
        if self._tokens is None:
            token = self._pushed
        else:
            token = self._tokens.pop()[0]
        capi.var_reset(plan.request_var, token)
        self._pushed = None
        self.environ["werkzeug.request"] = None
        inner = self._app_context
        if inner is not None:
            self._app_context = None
            if inner._tokens is None:
                self._end_app_context(inner, exc)
            else:
                inner.pop(exc)  # type: ignore[attr-defined]
        if active is not self:
            raise AssertionError(
                f"Popped wrong request context. ({active!r} instead of {self!r})"
            )

    def _end_app_context(self, inner: HostedAppContext, exc: Any) -> None:
        """What ``AppContext.pop`` does."""
        plan = self.plan
        if (
            capi.filled(plan.teardown_request)
            or capi.filled(plan.tearing_down_to)
            or not plan.own_do_teardown_request
        ):
            plan = self.renew()
        app = self.app
        try:
            if plan.own_do_teardown_appcontext:
                if capi.filled(plan.teardown_appcontext) or capi.filled(
                    plan.app_tearing_down_to
                ):
                    hooks.plain_teardown_appcontext(plan, app, exc)
            else:
                app.do_teardown_appcontext(exc)
        finally:
            active = capi.var_get(plan.app_var)
            token = inner._pushed if inner._tokens is None else inner._tokens.pop()
            capi.var_reset(plan.app_var, token)
            inner._pushed = None
        if active is not inner:
            raise AssertionError(
                f"Popped wrong app context. ({active!r} instead of {inner!r})"
            )
        if capi.filled(plan.popped_to):
            plan.popped.send(app, _async_wrapper=app.ensure_sync)
