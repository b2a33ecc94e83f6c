"""Contexts of a host that has one for application and one for request: Flask 3.1."""

from __future__ import annotations

from typing import Any
from typing import TYPE_CHECKING

from . import compiled
from . import hooks
from .context import Context
from .hosted import HostedContext
from .plan import Plan

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts
    from . import cvars


class SplitAppContext:
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


class SplitContext(HostedContext):
    """The kernel of a request context that the engine pushes."""

    _pushed: Any
    _tokens: list[Any] | None
    _app_context: SplitAppContext | None

    def start(self, app: Any, plan: Plan, environ: Any) -> None:
        """Set every field to its beginning."""
        Context.start(self, app, plan, environ)
        if not capi.COMPILED:
            self._pushed = None
            self._tokens = None
            self._app_context = None

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

    def enter(self) -> None:
        """Push the application context, unless one of the app is current; then this.

        Rules 2, 4 and 11.
        """
        plan = self.plan
        app = self.app
        outer = cvars.var_find(plan.app_var)
        if outer is None or outer.app is not app:
            inner: SplitAppContext = capi.new_instance(plan.app_context_class)
            inner._app = app
            inner._g = None
            inner._adapter = None
            inner._bound = False
            inner._tokens = None
            if not plan.lazy_app_context:
                inner.make()
            inner._pushed = cvars.var_set(plan.app_var, inner)
            self._app_context = inner
            if plan.pushed_to:
                plan.pushed.send(app, _async_wrapper=app.ensure_sync)
        self._pushed = cvars.var_set(plan.request_var, self)
        self.open()

    def preserve(self, keep: Any) -> None:
        """Hand both contexts to a debugger or a test client. Rule 15."""
        plan = self.plan
        keep(cvars.var_find(plan.app_var))
        keep(cvars.var_find(plan.request_var))

    def end(self, exc: Any, whatever: bool = False) -> None:
        """What ``RequestContext.pop`` does. Rules 8 to 10 and 40 to 42."""
        if self._tokens is not None or self._pushed is None:
            # Pushed again by somebody, or not at all: the host knows what to do.
            self.pop(exc)
            return
        app = self.app
        try:
            plan = self.renew()
            if plan.own_do_teardown_request:
                if plan.teardown_request or plan.tearing_down_to:
                    teardown_request(plan, app, self.get_scopes(), exc)
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
        active = cvars.var_find(plan.request_var)
        if self._tokens is None:
            token = self._pushed
        else:
            token = self._tokens.pop()[0]
        cvars.var_reset(plan.request_var, token)
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

    def _end_app_context(self, inner: SplitAppContext, exc: Any) -> None:
        """What ``AppContext.pop`` does."""
        plan = self.plan
        app = self.app
        try:
            if (
                plan.teardown_request
                or plan.tearing_down_to
                or not plan.own_do_teardown_request
            ):
                plan = self.renew()
            if plan.own_do_teardown_appcontext:
                if plan.teardown_appcontext or plan.app_tearing_down_to:
                    teardown_appcontext(plan, app, exc)
            else:
                app.do_teardown_appcontext(exc)
        finally:
            active = cvars.var_find(plan.app_var)
            token = inner._pushed if inner._tokens is None else inner._tokens.pop()
            cvars.var_reset(plan.app_var, token)
            inner._pushed = None
        if active is not inner:
            raise AssertionError(
                f"Popped wrong app context. ({active!r} instead of {inner!r})"
            )
        if plan.popped_to:
            plan.popped.send(app, _async_wrapper=app.ensure_sync)


def teardown_chain(plan: Plan, app: Any, funcs: Any, exc: Any) -> None:
    """Call every function with *exc*, last registered first, until one raises."""
    chain = hooks.as_list(funcs)
    for func in reversed(chain):
        capi.call_hook_with(func, app, plan.own_ensure_sync, exc)


def teardown_request(plan: Plan, app: Any, scopes: Any, exc: Any) -> None:
    """``Flask.do_teardown_request`` of Flask 3.1. Rules 40 to 42."""
    table = plan.teardown_request
    if table:
        for name in scopes:
            funcs = cdicts.scoped(table, name)
            if funcs:
                teardown_chain(plan, app, funcs, exc)
    if plan.tearing_down_to:
        plan.tearing_down.send(app, _async_wrapper=app.ensure_sync, exc=exc)


def teardown_appcontext(plan: Plan, app: Any, exc: Any) -> None:
    """``Flask.do_teardown_appcontext`` of Flask 3.1. Rules 40 to 42."""
    if plan.teardown_appcontext:
        teardown_chain(plan, app, plan.teardown_appcontext, exc)
    if plan.app_tearing_down_to:
        plan.app_tearing_down.send(app, _async_wrapper=app.ensure_sync, exc=exc)
