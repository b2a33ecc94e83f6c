# cython: auto_pickle=False, binding=False, embedsignature=True
# cython: embedsignature.format=clinic
"""The order of it all: what happens to a request, from environ to pop."""

from __future__ import annotations

from functools import partial
from typing import Any
from typing import TYPE_CHECKING

from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound

from . import compiled
from . import context
from . import hooks
from . import response as responses
from .context import Context
from .plan import Host
from .plan import Plan

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts
    from . import ctext

if TYPE_CHECKING:
    from collections.abc import Iterable


# What is answered to a 404 that nobody has looked at: no exception is made for it.
_MISSING: Any = object()


class Application(Host):
    """The kernel of an application: the WSGI callable (PEP 3333)."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request, by :attr:`wsgi_app` where that is not the stock one."""
        plan = self.get_plan()
        if plan.own_wsgi_app and plan.own_request_context:
            # PERF: two Python frames less are a tenth of hello world's instructions.
            if not capi.COMPILED:
                ctx = Context(self, environ, None, plan)
                return run_in(ctx, self, plan, environ, start_response)
            ctx = context.new_context(self, plan, environ)
            result = run_in(ctx, self, plan, environ, start_response)
            context.reuse(ctx)
            return result
        return self.wsgi_app(environ, start_response)

    def wsgi_app(self, environ: Any, start_response: Any) -> Any:
        """Answer one request; middleware is put around this."""
        return run(self, self.get_plan(), environ, start_response)


def run(app: Any, plan: Plan, environ: Any, start_response: Any) -> Iterable[bytes]:
    """Answer one request of *app*."""
    ctx: Context
    if plan.own_request_context:
        ctx = context.new_context(app, plan, environ)
    else:
        ctx = context.checked(app.request_context(environ))
    result = run_in(ctx, app, plan, environ, start_response)
    if capi.COMPILED:
        context.reuse(ctx)
    return result


def run_in(
    ctx: Context, app: Any, plan: Plan, environ: Any, start_response: Any
) -> Iterable[bytes]:
    """Answer one request of *app* in *ctx*, which is new."""
    if not plan.lazy_request:
        try:
            ctx.get_request()
        except Exception as e:
            if plan.hosted:
                raise
            return refuse(app, e, environ, start_response)
    error: BaseException | None = None
    response = None
    body = None
    cls = None
    try:
        try:
            ctx.enter()
            if plan.own_full_dispatch_request:
                rv = answer(ctx)
                if capi.COMPILED or plan.hosted:
                    cls = context.response_class(ctx)
                else:
                    # PERF: what that does, a call less.
                    cls = app.response_class
                body = unseen(ctx, rv, cls, environ)
                if body is None:
                    response = finalize(ctx, rv, cls)
                # Sending looks whether anybody else has the response.
                rv = None
            else:
                response = ctx.call_step(app.full_dispatch_request)
        except Exception as e:
            error = e
            ctx.drop_holds()
            response = handle_exception(ctx, e)
        except BaseException as e:
            error = e
            raise
        if body is not None:
            if capi.COMPILED:
                length = responses.length_item(len(body))
                capi.start(start_response, ctx.body_status, ctx.body_item, length)
            else:
                # PERF: two functions less to call.
                length = ("Content-Length", str(len(body)))
                start_response(ctx.body_status, [ctx.body_item, length])
            return [body]
        if plan.hosted:
            return ctx.send(response, environ, start_response)
        return responses.send(response, environ, start_response, capi.COMPILED)
    except BaseException as e:
        ctx.drop_holds()
        if not plan.hosted:
            if error is None:
                # Rule 38.
                error = e
            if response is not None:
                close_unsent(app, response)
        raise
    finally:
        if type(ctx.environ) is dict:
            known = ctx.environ
            keep = known.get("werkzeug.debug.preserve_context")
        else:
            keep = keeper(ctx.environ)
        if keep is None and error is None:
            ctx.end(None, True)
        else:
            end(ctx, error, keep)


def keeper(environ: Any) -> Any:
    """What wants the context to be kept, of an *environ* that is no dict; or None."""
    try:
        return cdicts.table_get(environ, "werkzeug.debug.preserve_context")
    except TypeError:
        # No mapping at all: the request has failed by that.
        return None


def close_unsent(app: Any, response: Any) -> None:
    """Close a response that could not be sent: the server has nothing to close."""
    try:
        close = getattr(response, "close", None)
        if close is not None:
            close()
    except Exception:
        app.logger.exception("Closing a response that could not be sent failed")


def refuse(
    app: Any, error: Exception, environ: Any, start_response: Any
) -> Iterable[bytes]:
    """Answer a request of which no request object could be made. Rule 1."""
    if isinstance(error, UnicodeError):
        error = BadRequest()
    elif not isinstance(error, HTTPException):
        if app._propagates_exceptions():
            raise error
        app.logger.error(
            "The request class %r failed", app.request_class, exc_info=error
        )
        error = InternalServerError(original_exception=error)
    return error(environ, start_response)


def full_dispatch_request(ctx: Context) -> Any:
    """From ``request_started`` to ``request_finished``. Rules 19 to 28."""
    rv = answer(ctx)
    return finalize(ctx, rv, context.response_class(ctx))


def answer(ctx: Context) -> Any:
    """What hooks, view or error handler have to say. Rules 19 to 27."""
    app = ctx.app
    plan = ctx.plan
    try:
        if not plan.begun:
            if plan.hosted:
                app._got_first_request = True
            else:
                app._begin()
            plan.begun = True
        if plan.started_to:
            plan.started.send(app, _async_wrapper=app.ensure_sync)
        rv = None
        if not plan.own_preprocess_request:
            rv = ctx.call_step(app.preprocess_request)
        elif plan.before_request or plan.url_value_preprocessors:
            rv = hooks.run_before(plan, app, ctx.get_scopes(), ctx)
        if rv is None:
            if plan.hosted and (
                plan.before_request
                or plan.url_value_preprocessors
                or plan.started_to
                or not plan.own_preprocess_request
            ):
                plan = ctx.renew()
            if plan.own_dispatch_request:
                if ctx.route is None and plan.stock_errors:
                    rv = unhandled(ctx)
                if rv is None:
                    rv = dispatch_request(ctx)
            else:
                rv = ctx.call_step(app.dispatch_request)
    except Exception as e:
        if (
            plan.stock_errors
            and not plan.error_handlers
            and not isinstance(e, HTTPException)
        ):
            raise
        rv = handle_user_exception(ctx, e)
    if plan.hosted:
        ctx.renew()
    return rv


def unhandled(ctx: Context) -> Any:
    """The 404 or 405 that the URL led to, if it is the answer without being raised.

    Asked where no rule matched and the steps of error handling are the stock ones.

    :return: ``_MISSING`` for a 404 that nobody has looked at; None where it takes
        dispatch, or where there may be a handler.
    """
    plan = ctx.plan
    request = ctx.made_request
    if request is not None:
        error = request.routing_exception
    elif ctx._missing:
        error = _MISSING
    else:
        error = ctx.routing_error()
    if (
        (
            error is not _MISSING
            and type(error) is not NotFound
            and type(error) is not MethodNotAllowed
        )
        or not plan.own_raise_routing_exception
        or plan.error_handlers
        or cdicts.table_get(plan.config, "TRAP_HTTP_EXCEPTIONS")
    ):
        return None
    return error


def handle_user_exception(ctx: Context, error: Exception) -> Any:
    """Ask the handler of an error; raise it again without one. Rules 32 to 37."""
    plan = ctx.renew()
    if ctx.knows("handle_user_exception", plan.own_handle_user_exception):
        return ctx.handle_user_exception(error)
    return ctx.call_step_with(ctx.app.handle_user_exception, error)


def handle_exception(ctx: Context, error: Exception) -> Any:
    """Answer an error that nobody handled. Rules 34 to 36."""
    app = ctx.app
    plan = ctx.renew()
    if ctx.knows("handle_exception", plan.own_handle_exception):
        rv = ctx.handle_exception(error)
        if ctx.renew().own_finalize_request:
            return finalize_request(ctx, rv, True)
        step = partial(app.finalize_request, from_error_handler=True)
        return ctx.call_step_with(step, rv)
    return ctx.call_step_with(app.handle_exception, error)


def finalize(ctx: Context, rv: Any, cls: Any) -> Any:
    """Make the response by whoever does that; *cls* is what responses are made of."""
    if rv is _MISSING:
        rv = ctx.routing_error()
    if ctx.plan.own_finalize_request:
        return finalize_request(ctx, rv, False, cls)
    return ctx.call_step_with(ctx.app.finalize_request, rv)


def unseen(ctx: Context, rv: Any, cls: Any, environ: Any) -> Any:
    """The body that *rv* stands for if nobody can see the response; None otherwise.

    Status and Content-Type are left in *ctx*. *cls* is what responses are made of.

    PERF: a response object that is made, sent and thrown away costs hello world a
    tenth of its instructions.
    """
    plan = ctx.plan
    kind = type(rv)
    if (
        (
            kind is not str
            and kind is not bytes
            and kind is not dict
            and kind is not list
            and rv is not _MISSING
        )
        or ctx._after_functions is not None
        or plan.after_request
        or plan.finished_to
        or not plan.own_response
        or owes_session(ctx)
    ):
        return None
    proof = responses.prove_whole(cls, environ)
    if proof is None:
        return None
    ctx.body_status = proof.line
    ctx.body_item = proof.type_item
    if kind is str:
        return ctext.utf8(rv)
    if kind is bytes:
        return rv
    if rv is _MISSING:
        page = responses.page_of_404(cls, ctx.environ)
        if page is None:
            return None
        ctx.body_status = page[1]
        ctx.body_item = page[2]
        return page[0]
    return ctx.json_body(rv)


def preprocess_request(ctx: Context) -> Any:
    """The url_value_preprocessors and before_request hooks. Rules 22 and 23."""
    plan = ctx.plan
    if plan.before_request or plan.url_value_preprocessors:
        return hooks.run_before(plan, ctx.app, ctx.get_scopes(), ctx)
    return None


def dispatch_request(ctx: Context) -> Any:
    """Raise the routing error, answer OPTIONS, or call the view. Rules 24 to 27."""
    app = ctx.app
    plan = ctx.plan
    request = ctx.made_request
    route: Any = ctx.route
    if request is None and route is not None:
        rule = route.rule
        args: Any = ctx.args
        endpoint = route.endpoint
        method = ctx.method
    else:
        error = ctx.routing_exception
        if error is not None:
            if plan.own_raise_routing_exception and (
                type(error) is NotFound or type(error) is MethodNotAllowed
            ):
                raise error
            app.raise_routing_exception(ctx.get_request())
        request = ctx.get_request()
        rule = request.url_rule
        args = request.view_args
        endpoint = rule.endpoint
        method = request.method
    if (
        method != "GET"
        and method.upper() == "OPTIONS"
        and getattr(rule, "provide_automatic_options", False)
    ):
        return ctx.call_step(app.make_default_options_response)
    view = cdicts.table_recall(plan.view_functions, endpoint) if capi.COMPILED else None
    if view is None:
        view = plan.view_functions[endpoint]
    if not args and (args is not None or request is None):
        return capi.call_hook(view, app, plan.own_ensure_sync)
    # A hook may have made them None: the call raises what it does in Flask.
    given: Any = args
    if not (plan.own_ensure_sync and capi.is_plain_function(view)):
        return app.ensure_sync(view)(**given)
    if type(given) is dict:
        return capi.call_named(view, given)
    return view(**given)


def finalize_request(
    ctx: Context, rv: Any, from_error_handler: bool, cls: Any = None
) -> Any:
    """Make the response, process it, signal it. Rules 28 to 30.

    *cls* is what responses are made of, if that has been looked up.
    """
    app = ctx.app
    plan = ctx.plan
    if plan.own_make_response:
        if cls is None:
            cls = context.response_class(ctx)
        stand_in = plan.response_stand_in
        body = None
        kind = type(rv)
        if (kind is dict or kind is list) and responses.prove(cls).sends_body:
            body = ctx.json_body(rv)
        if body is not None:
            response = responses.from_body(cls, ctx.body_item, body)
        elif kind is cls and stand_in is None:
            # PERF: what is done for a response, a call less.
            response = rv
        else:
            if stand_in is not None:
                cls = plan.response_class
            response = responses.make_response(app, cls, rv, ctx, stand_in)
    else:
        response = app.make_response(rv)
    if from_error_handler and plan.hosted:
        # Should a hook fail, what is sent has what was done to it until then.
        response = ctx.shown(response)
    if not from_error_handler:
        response = process(ctx, response)
        return announce(ctx, response) if ctx.plan.finished_to else response
    try:
        response = process(ctx, response)
        if ctx.plan.finished_to:
            response = announce(ctx, response)
    except Exception:
        app.logger.exception(
            "Request finalizing failed with an error while handling an error"
        )
    return response


def process(ctx: Context, response: Any) -> Any:
    """The step ``process_response``, by whoever does that."""
    if ctx.plan.own_process_response:
        return process_response(ctx, response)
    return ctx.call_step_with(ctx.app.process_response, ctx.shown(response))


def announce(ctx: Context, response: Any) -> Any:
    """Signal ``request_finished``, to which somebody listens. Rule 30."""
    app = ctx.app
    response = ctx.shown(response)
    ctx.plan.finished.send(app, _async_wrapper=app.ensure_sync, response=response)
    return response


def process_response(ctx: Context, response: Any) -> Any:
    """The after_request hooks, then the session. Rule 28."""
    app = ctx.app
    plan = ctx.plan
    functions = ctx._after_functions
    if functions is not None or plan.after_request:
        response = ctx.shown(response)
        if functions is not None:
            response = hooks.run_after_this_request(plan, app, functions, response)
            if plan.hosted:
                plan = ctx.renew()
        if plan.after_request:
            response = hooks.run_after(plan, app, ctx.get_scopes(), response)
            if plan.hosted:
                plan = ctx.renew()
    if owes_session(ctx):
        session = ctx.opened_session()
        if not ctx.save_cookie_session(session, response):
            interface = plan.session_interface
            if interface is None:
                interface = app.session_interface
            if not interface.is_null_session(session):
                response = ctx.shown(response)
                interface.save_session(app, session, response)
    return response


def owes_session(ctx: Context) -> bool:
    """Whether the session has a say in the response. Rules 28 and 48."""
    plan = ctx.plan
    if ctx.opened is not None or not plan.lazy_session:
        return True
    environ = ctx.environ
    if not plan.cookie_named_by_config:
        return cdicts.table_get(environ, "HTTP_COOKIE") is not None and bool(
            plan.session_interface.needs_save_unopened(ctx.app, environ)
        )
    # PERF: asking the interface took a sixth of a hello world's time.
    if plan.lacks_cookie(environ) or not plan.refreshes_cookie():
        return False
    sessions = plan.cookies()
    return sessions is None or not sessions.owes_nothing(ctx.app, environ)


def end(ctx: Context, error: Any, keep: Any) -> None:
    """Pop the context of a request that failed, or that somebody wants to *keep*: a
    debugger or a test client, by calling that. Rule 15."""
    try:
        if keep is not None:
            ctx.preserve(keep)
        if (
            error is not None
            and not ctx.renew().own_should_ignore_error
            and ctx.app.should_ignore_error(error)
        ):
            error = None
    finally:
        ctx.end(error, True)
