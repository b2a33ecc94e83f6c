"""What a host's own steps do with an error of its program: Flask's, in their order.

Each function is asked only where :func:`knows` says that nobody can see the difference.
"""

from __future__ import annotations

from collections import defaultdict
from logging import ERROR
from logging import Logger
from typing import Any
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError

from . import compiled
from .context import Context
from .plan import Plan

if TYPE_CHECKING or not compiled:
    from . import cvars

LOOKUP = ("_find_error_handler", "_get_exc_class_and_code")
"""The host's methods that find a handler: where one is not its own, all goes to it."""

_logger_error = Logger.error
_enabled = Logger.isEnabledFor


def knows(ctx: Context, step: str, own: bool) -> bool:
    """Whether *step* is the host's own, and ``request`` is that of *ctx*.

    :param own: whether it was in the plan's time.
    """
    plan = ctx.plan
    if not own or not plan.own_error_lookup:
        return False
    if plan.request_var is not None and cvars.var_find(plan.request_var) is not ctx:
        return False
    found: Any = ctx.app.__dict__
    for name in LOOKUP:
        if name in found:
            return False
    return step not in found


def find_handler(ctx: Context, error: Exception, code: int | None) -> Any:
    """The handler of *error*, whose status is *code* if it is to have one. Rule 32."""
    spec = ctx.app.error_handler_spec
    names = ctx.get_scopes()
    if not _has_defaults(spec, names):
        return ctx.app._find_error_handler(error, list(names[:-1]))
    if code is not None:
        handler = _find(spec, names, type(error), code)
        if handler is not None:
            return handler
    return _find(spec, names, type(error), None)


def _has_defaults(spec: Any, names: tuple[Any, ...]) -> bool:
    """Whether what is not in these tables is as good as empty, as the host made them.

    In a dict of somebody's own it would be a KeyError.
    """
    if type(spec) is not defaultdict:
        return False
    for name in names:
        by_code = spec.get(name)
        if by_code is not None and type(by_code) is not defaultdict:
            return False
    return True


def _find(spec: Any, names: tuple[Any, ...], cls: type, code: int | None) -> Any:
    for name in names:
        by_code = spec.get(name)
        if by_code is None:
            continue
        handlers = by_code.get(code)
        if not handlers:
            continue
        for base in cls.__mro__:
            handler = handlers.get(base)
            if handler is not None:
                return handler
    return None


def handle_user_exception(ctx: Context, error: Exception) -> Any:
    """Ask the handler of *error*; raise it again without one. Rules 32 to 37."""
    app = ctx.app
    if isinstance(error, HTTPException):
        return ctx.call_step_with(app.handle_user_exception, error)
    handler = find_handler(ctx, error, None)
    if handler is None:
        raise error
    return app.ensure_sync(handler)(error)


def handle_exception(ctx: Context, error: Exception) -> Any:
    """What there is to be answered to an error that nobody handled. Rules 34 to 36.

    Signal, propagate or log, then ask the handler of a 500.
    """
    app = ctx.app
    plan = ctx.plan
    if plan.failed_to:
        plan.failed.send(app, _async_wrapper=app.ensure_sync, exception=error)
    propagate = app.config["PROPAGATE_EXCEPTIONS"]
    if propagate is None:
        propagate = app.testing or app.debug
    if propagate:
        raise error
    if not _silent(app, plan):
        ctx.call_step_with(app.log_exception, (type(error), error, error.__traceback__))
    failure = InternalServerError(original_exception=error)
    handler = find_handler(ctx, failure, failure.code)
    if handler is not None:
        return app.ensure_sync(handler)(failure)
    return failure


def _silent(app: Any, plan: Plan) -> bool:
    """Whether ``log_exception`` would call a logger that is off, and nothing else."""
    if (
        not plan.own_log_exception
        or "log_exception" in app.__dict__
        or plan.request_stand_in is None
    ):
        return False
    logger = app.logger
    return (
        type(logger) is Logger
        and Logger.error is _logger_error
        and Logger.isEnabledFor is _enabled
        and not logger.__dict__.keys() & {"error", "isEnabledFor"}
        and not logger.isEnabledFor(ERROR)
    )
