# cython: auto_pickle=False, binding=False, embedsignature=True
# cython: embedsignature.format=clinic
"""The hook chains: what runs before, after and at the teardown of a request.

Each chain walks the host's live tables, so a hook that a hook adds or removes is
treated as a plain ``for`` loop over the list would treat it.
"""

from __future__ import annotations

from typing import Any
from typing import TYPE_CHECKING

from werkzeug.sansio.response import Response as SansIOResponse

from . import compiled
from .plan import Plan

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts


def as_list(funcs: Any) -> Any:
    """*funcs* itself when it is a list, else a list of it."""
    if type(funcs) is list:
        return funcs
    return list(funcs)


def name_of(func: Any) -> str:
    """How messages and logs name a hook: ``module.qualname``."""
    try:
        name = getattr(func, "__qualname__", None)
        if name is None:
            return repr(func)
        return f"{getattr(func, '__module__', None)}.{name}"
    except Exception:
        # A proxy that is not bound, for one.
        return f"a {type(func).__qualname__}"


def run_before(plan: Plan, app: Any, scopes: Any, ctx: Any) -> Any:
    """Run url_value_preprocessors, then before_request hooks. Rules 22 and 23.

    *scopes* are whose hooks run, inner to outer: the names of the request's blueprints,
    then None, the application; *ctx* is its context.

    :return: the first value of a before_request hook that is not None, or None.
    """
    table = plan.url_value_preprocessors
    if table:
        for name in reversed(scopes):
            funcs = cdicts.scoped(table, name)
            if funcs:
                chain = as_list(funcs)
                for func in chain:
                    func(ctx.endpoint, ctx.view_args)
    table = plan.before_request
    if table:
        own = plan.own_ensure_sync
        for name in reversed(scopes):
            funcs = cdicts.scoped(table, name)
            if funcs:
                chain = as_list(funcs)
                for func in chain:
                    rv = capi.call_hook(func, app, own)
                    if rv is not None:
                        return rv
    return None


def check_response(func: Any, response: Any) -> None:
    """Raise TypeError unless an after_request hook returned a response. Rule 28."""
    if not isinstance(response, SansIOResponse):
        raise TypeError(
            f"The after_request function {name_of(func)} returned"
            f" {type(response).__name__}, not a response. It must return the response"
            " it was given, or another one."
        )


def run_after_this_request(plan: Plan, app: Any, functions: Any, response: Any) -> Any:
    """Run after_this_request *functions*. Rule 28."""
    i = 0
    while i < len(functions):
        func = functions[i]
        i += 1
        rv = app.ensure_sync(func)(response)
        if rv is not response:
            if not plan.hosted:
                check_response(func, rv)
            response = rv
    return response


def run_after(plan: Plan, app: Any, scopes: Any, response: Any) -> Any:
    """Run after_request hooks. Rule 28."""
    table = plan.after_request
    if table:
        own = plan.own_ensure_sync
        for name in scopes:
            funcs = cdicts.scoped(table, name)
            if funcs:
                chain = as_list(funcs)
                for func in reversed(chain):
                    rv = capi.call_hook_with(func, app, own, response)
                    if rv is not response:
                        if not plan.hosted:
                            check_response(func, rv)
                        response = rv
    return response


def failed(app: Any, what: str, error: BaseException, errors: Any) -> Any:
    """Log that *what* failed at teardown and add *error* to the list. Rule 42."""
    if errors is None:
        errors = []
    errors.append(error)
    try:
        app.logger.error("Error in %s", what, exc_info=error)
    except Exception as e:
        # A log handler that fails must not keep the other hooks from running.
        errors.append(e)
    return errors


def teardown_chain(
    plan: Plan, app: Any, funcs: Any, exc: Any, errors: Any, phase: str
) -> Any:
    """Call every function with *exc*, last registered first, whatever they raise."""
    if type(funcs) is not list:
        try:
            funcs = list(funcs)
        except BaseException as e:
            return failed(app, f"the {phase} functions", e, errors)
    chain = funcs
    own = plan.own_ensure_sync
    i = len(chain)
    func = None
    while i > 0:
        # PERF: one try for all that return, 60 instructions less for each other one.
        try:
            while i > 0:
                i -= 1
                if i >= len(chain):
                    # Functions were removed meanwhile: an iterator ends there.
                    return errors
                func = chain[i]
                capi.call_hook_with(func, app, own, exc)
        except BaseException as e:
            errors = failed(app, f"{phase} function {name_of(func)}", e, errors)
    return errors


def send_teardown(app: Any, signal: Any, exc: Any, errors: Any, name: str) -> Any:
    """Send a teardown signal; a receiver's error joins *errors*."""
    try:
        signal.send(app, _async_wrapper=app.ensure_sync, exc=exc)
    except BaseException as e:
        errors = failed(app, f"a receiver of the signal {name}", e, errors)
    return errors


def run_teardown_request(plan: Plan, app: Any, scopes: Any, exc: Any) -> Any:
    """Run teardown_request hooks and their signal. Rules 40 to 42.

    Returns the list of errors raised, or None.
    """
    errors = None
    table = plan.teardown_request
    if table:
        for name in scopes:
            funcs = cdicts.scoped(table, name)
            if funcs:
                errors = teardown_chain(
                    plan, app, funcs, exc, errors, "teardown_request"
                )
    if plan.tearing_down_to:
        errors = send_teardown(
            app, plan.tearing_down, exc, errors, "request_tearing_down"
        )
    return errors


def run_teardown_appcontext(plan: Plan, app: Any, exc: Any) -> Any:
    """Run teardown_appcontext hooks and their signal. Rules 40 to 42.

    Returns the list of errors raised, or None.
    """
    errors = None
    if plan.teardown_appcontext:
        errors = teardown_chain(
            plan, app, plan.teardown_appcontext, exc, errors, "teardown_appcontext"
        )
    if plan.app_tearing_down_to:
        errors = send_teardown(
            app, plan.app_tearing_down, exc, errors, "appcontext_tearing_down"
        )
    return errors
