"""Contexts of a host framework that has two of them: Flask 3.1 under the engine.

The classes here are kernels: the host's own context classes come behind them, and do
what is not done here.
"""

from __future__ import annotations

from typing import Any

from . import capi
from . import hooks
from .context import Context
from .plan import Plan


def new_context(app: Any, plan: Plan, environ: Any) -> HostedContext:
    """Make the request context of one request."""
    path = capi.table_get(environ, "PATH_INFO")
    if type(path) is str and not capi.is_ascii(path):
        # What is not latin-1 is an error before anything has begun. Rule 1.
        path.encode("latin-1")
    ctx: HostedContext = capi.new_instance(plan.context_class)
    ctx.start(app, plan, environ)
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
            inner._pushed = capi.var_set(plan.app_var, inner)
            self._app_context = inner
            if plan.pushed_to:
                plan.pushed.send(app, _async_wrapper=app.ensure_sync)
        self._pushed = capi.var_set(plan.request_var, self)

    def open(self) -> None:
        """Open the session, match the URL. Rule 4."""
        plan = self.plan
        if not plan.lazy_session and self.opened is None:
            self.opened_session()
        self.match()

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
        plan = self.plan
        app = self.app
        if self._tokens is not None or self._pushed is None:
            # Pushed again by somebody, or not at all: the host knows what to do.
            self.pop(exc)
            return
        try:
            if plan.own_do_teardown_request:
                if plan.teardown_request or plan.tearing_down_to:
                    hooks.plain_teardown_request(plan, app, self.get_blueprints(), exc)
            else:
                app.do_teardown_request(exc)
            request = self._request
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
        app = self.app
        try:
            if plan.own_do_teardown_appcontext:
                if plan.teardown_appcontext or plan.app_tearing_down_to:
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
        if plan.popped_to:
            plan.popped.send(app, _async_wrapper=app.ensure_sync)
