"""Contexts of a host that has one for application and request: Flask 3.2.

As in hosted.py, these are kernels: the host's own class comes behind them.
"""

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


class MergedContext(HostedContext):
    """The kernel of the context that the engine pushes."""

    _cv_token: Any
    _push_count: int

    def start(self, app: Any, plan: Plan, environ: Any) -> None:
        """Set every field to its beginning."""
        Context.start(self, app, plan, environ)
        if not capi.COMPILED:
            self._cv_token = None
            self._push_count = 0

    def prepare(self) -> None:
        """Make now what is made on first use otherwise, in the host's order."""
        self.get_request()
        self.get_g()
        if not self.plan.own_create_url_adapter:
            self.bind()

    def call_step(self, step: Any) -> Any:
        """Call *step*, a method of the application: it takes the context."""
        return step(self)

    def call_step_with(self, step: Any, value: Any) -> Any:
        """The same for a step that takes *value* as well."""
        return step(self, value)

    @property  # type: ignore[misc]
    def request(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The request."""
        return self.get_request()

    @property
    def _request(self) -> Any:
        """The request, under the name that the host's own class keeps it by."""
        return self.get_request()

    @_request.setter
    def _request(self, value: Any) -> None:
        self.made_request = value

    @property
    def _flashes(self) -> Any:
        """The messages that this request has taken out of its session, or None."""
        return self.flashes

    @_flashes.setter
    def _flashes(self, value: Any) -> None:
        self.flashes = value

    def _get_session(self) -> Any:
        """The session, without counting as a look."""
        return self.opened_session()

    def enter(self) -> None:
        """Push this context. Rules 3, 4 and 11."""
        plan = self.plan
        self._push_count = 1
        self._cv_token = cvars.var_set(plan.app_var, self)
        if plan.pushed_to:
            app = self.app
            plan.pushed.send(app, _async_wrapper=app.ensure_sync)
        self.open()

    def preserve(self, keep: Any) -> None:
        """Hand the context to a debugger or a test client. Rule 15."""
        keep(self)

    def end(self, exc: Any, whatever: bool = False) -> None:
        """What ``AppContext.pop`` does. Rules 8 to 10 and 40 to 42."""
        plan = self.plan
        if (
            self._push_count != 1
            or self._cv_token is None
            or cvars.var_find(plan.app_var) is not self
        ):
            # Pushed more than once, or not the one to be popped.
            self.pop(exc)
            return
        self._push_count = 0
        app = self.app
        errors = None
        plan = self.plan
        try:
            plan = self.renew()
        except BaseException as e:
            errors = added(errors, e)
        again = not plan.own_do_teardown_request
        try:
            if again:
                app.do_teardown_request(self, exc)
            elif plan.teardown_request or plan.tearing_down_to:
                again = True
                teardown_request(self, exc)
        except BaseException as e:
            errors = added(errors, e)
        request = self.made_request
        if request is not None:
            try:
                request.close()
            except BaseException as e:
                errors = added(errors, e)
        try:
            if again:
                plan = self.renew()
            if not plan.own_do_teardown_appcontext:
                app.do_teardown_appcontext(self, exc)
            elif plan.teardown_appcontext or plan.app_tearing_down_to:
                teardown_appcontext(self, exc)
        except BaseException as e:
            errors = added(errors, e)
        cvars.var_reset(plan.app_var, self._cv_token)
        self._cv_token = None
        if plan.popped_to:
            try:
                plan.popped.send(app, _async_wrapper=app.ensure_sync)
            except BaseException as e:
                errors = added(errors, e)
        if errors is not None:
            raise BaseExceptionGroup("Errors during context teardown", errors)


def added(errors: Any, error: BaseException) -> Any:
    """The list *errors*, made if it is None, with *error* at its end."""
    if errors is None:
        errors = []
    errors.append(error)
    return errors


def teardown_chain(plan: Plan, app: Any, funcs: Any, exc: Any, errors: Any) -> Any:
    """Call every function with *exc*, last registered first, whatever they raise."""
    chain = hooks.as_list(funcs)
    for func in reversed(chain):
        try:
            capi.call_hook_with(func, app, plan.own_ensure_sync, exc)
        except BaseException as e:
            errors = added(errors, e)
    return errors


def send_teardown(app: Any, signal: Any, exc: Any, errors: Any) -> Any:
    """Send a teardown signal; a receiver's error joins *errors*."""
    try:
        signal.send(app, _async_wrapper=app.ensure_sync, exc=exc)
    except BaseException as e:
        errors = added(errors, e)
    return errors


def teardown_request(ctx: MergedContext, exc: Any) -> None:
    """``Flask.do_teardown_request`` of Flask 3.2. Rules 40 to 42."""
    app = ctx.app
    plan = ctx.plan
    errors = None
    table = plan.teardown_request
    if table:
        for name in ctx.get_scopes():
            funcs = cdicts.scoped(table, name)
            if funcs:
                errors = teardown_chain(plan, app, funcs, exc, errors)
    if plan.tearing_down_to:
        errors = send_teardown(app, plan.tearing_down, exc, errors)
    if errors is not None:
        raise BaseExceptionGroup("Errors during request teardown", errors)


def teardown_appcontext(ctx: MergedContext, exc: Any) -> None:
    """``Flask.do_teardown_appcontext`` of Flask 3.2. Rules 40 to 42."""
    app = ctx.app
    plan = ctx.plan
    errors = None
    if plan.teardown_appcontext:
        errors = teardown_chain(plan, app, plan.teardown_appcontext, exc, errors)
    if plan.app_tearing_down_to:
        errors = send_teardown(app, plan.app_tearing_down, exc, errors)
    if errors is not None:
        raise BaseExceptionGroup("Errors during app teardown", errors)
