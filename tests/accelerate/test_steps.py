"""Each step: overridden, set on the application or patched, whenever, it is called.

What it returns counts, and when it is taken back all is as before. The same is done to
plain Flask, and the whole outcome has to be the same.
"""

from __future__ import annotations

import functools
import logging
import typing as t
from collections.abc import Callable

import flask
import pytest
from tests.accelerate.conftest import ACCELERATED
from tests.accelerate.conftest import Host
from tests.accelerate.conftest import PLAIN
from tests.conformance.subjects import FLASK32
from tests.conformance.support import call
from werkzeug.exceptions import ImATeapot

Trace = list[t.Any]
Alter = Callable[..., t.Any]


def _answer(
    app: t.Any, original: Alter, environ: t.Any, start_response: t.Any
) -> t.Any:
    getattr(original(environ, lambda *args: None), "close", lambda: None)()
    start_response("299 ALTERED", [("X-Altered", "1")])
    return [b"altered"]


def _bind(app: t.Any, original: Alter, request: t.Any) -> t.Any:
    adapter = original(request)
    if request is not None:
        adapter.path_info = "/other"
    return adapter


def _sync(app: t.Any, original: Alter, func: t.Any) -> t.Any:
    if func is app.view_functions["index"]:
        return lambda: "altered"
    return original(func)


def _other(app: t.Any, original: Alter, environ: t.Any) -> t.Any:
    return original(dict(environ, PATH_INFO="/other"))


def _marked(app: t.Any, original: Alter) -> t.Any:
    context = original()
    context.g.mark = "altered"
    return context


def _raise(app: t.Any, original: Alter, request: t.Any) -> t.Any:
    raise ImATeapot("altered")


def _text(app: t.Any, original: Alter, *args: t.Any) -> t.Any:
    return "altered"


def _response(app: t.Any, original: Alter, *args: t.Any, **kwargs: t.Any) -> t.Any:
    return app.response_class("altered", 298)


def _processed(app: t.Any, original: Alter, response: t.Any) -> t.Any:
    original(response)
    return app.response_class("altered", 297)


def _nothing(app: t.Any, original: Alter, *args: t.Any) -> None:
    app.trace.append(("altered", *(type(arg).__name__ for arg in args)))


def _handler(app: t.Any, original: Alter, *args: t.Any) -> t.Any:
    return lambda e: (f"altered {type(e).__name__}", 296)


def _true(app: t.Any, original: Alter, *args: t.Any) -> bool:
    return True


STEPS: dict[str, tuple[str, str, Alter]] = {
    "__call__": ("/", "GET", _answer),
    "wsgi_app": ("/", "GET", _answer),
    "request_context": ("/", "GET", _other),
    "app_context": ("/", "GET", _marked),
    "full_dispatch_request": ("/", "GET", _response),
    "preprocess_request": ("/", "GET", _text),
    "dispatch_request": ("/", "GET", _text),
    "finalize_request": ("/", "GET", _response),
    "make_response": ("/", "GET", _response),
    "process_response": ("/", "GET", _processed),
    "do_teardown_request": ("/", "GET", _nothing),
    "do_teardown_appcontext": ("/", "GET", _nothing),
    "create_url_adapter": ("/", "GET", _bind),
    "ensure_sync": ("/", "GET", _sync),
    "raise_routing_exception": ("/nowhere", "GET", _raise),
    "handle_http_exception": ("/nowhere", "GET", _text),
    "trap_http_exception": ("/nowhere", "GET", _true),
    "make_default_options_response": ("/", "OPTIONS", _response),
    "handle_user_exception": ("/error", "GET", _text),
    "handle_exception": ("/error", "GET", _response),
    "log_exception": ("/error", "GET", _nothing),
    "_find_error_handler": ("/error", "GET", _handler),
    "should_ignore_error": ("/error", "GET", _true),
}
"""A request that takes the step, and what is put in the step's place."""

# Flask 3.2 warns of a should_ignore_error, once an application.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The 'should_ignore_error' method:DeprecationWarning"
)

# From Flask 3.2 on these get the context.
TAKE_CONTEXT = {
    "full_dispatch_request",
    "preprocess_request",
    "dispatch_request",
    "finalize_request",
    "process_response",
    "do_teardown_request",
    "do_teardown_appcontext",
    "handle_http_exception",
    "make_default_options_response",
    "handle_user_exception",
    "handle_exception",
    "log_exception",
}

WHERE = ["subclass", "instance", "class", "flask.Flask", "wrapper", "method"]
WHEN = ["before", "after", "late", "during"]


class Wrapper:
    """A descriptor that claims to equal what it wraps, as wrapt's does."""

    def __init__(self, wrapped: t.Any, function: t.Any) -> None:
        self.wrapped = wrapped
        self.function = function

    def __get__(self, instance: t.Any, owner: t.Any = None) -> t.Any:
        if instance is None:
            return self
        bound = self.function.__get__(instance, owner)
        return Wrapper(self.wrapped.__get__(instance, owner), bound)

    def __call__(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return self.function(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return bool(self.wrapped == other)

    def __hash__(self) -> int:
        return hash(self.wrapped)


class Logged(logging.Handler):
    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self.trace = trace

    def emit(self, record: logging.LogRecord) -> None:
        self.trace.append(("log", record.getMessage()))


def program(cls: type[flask.Flask]) -> t.Any:
    app: t.Any = cls("steps", static_folder=None)
    trace: Trace = []
    app.trace = trace

    def after(response: t.Any) -> t.Any:
        trace.append(("after", response.status))
        return response

    app.before_request(lambda: trace.append(("before", flask.request.endpoint)))
    app.after_request(after)
    app.teardown_request(lambda exc: trace.append(("teardown", type(exc).__name__)))
    app.teardown_appcontext(lambda exc: trace.append(("app", type(exc).__name__)))
    app.add_url_rule("/", "index", lambda: f"view {flask.g.get('mark')}")
    app.add_url_rule("/other", "other", lambda: "other")
    app.add_url_rule("/error", "error", lambda: 1 // 0)
    app.logger.handlers[:] = [Logged(trace)]
    app.logger.propagate = False
    return app


def outcome(app: t.Any, path: str, method: str) -> t.Any:
    app.trace.clear()
    answer = call(app, path, method)
    return answer.status_line, sorted(answer.headers), answer.body, list(app.trace)


def altered_step(
    step: str, app: t.Any, original: t.Any, args: tuple[t.Any, ...], kwargs: t.Any
) -> t.Any:
    """Do what is put in the place of *step*, as if it were called without context."""
    if FLASK32 and step in TAKE_CONTEXT:
        ctx, *rest = args
        current = flask.globals.app_ctx._get_current_object()
        app.trace.append(("context", ctx is current, type(ctx).__name__))
        return STEPS[step][2](app, functools.partial(original, ctx), *rest, **kwargs)
    return STEPS[step][2](app, original, *args, **kwargs)


def no_step(self: t.Any, error: t.Any) -> bool:
    """In place of a None in a class: the should_ignore_error of Flask 3.2."""
    return False


def scenario(
    host: Host, step: str, where: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> list[t.Any]:
    """Outcomes: as it was, altered twice, and taken back."""
    path, method, _ = STEPS[step]

    class Local(flask.Flask):
        """Patched in place of everybody's class."""

    class App(Local):
        pass

    def put(target: t.Any, original: t.Any, wrap: bool = False) -> None:
        original = no_step if original is None else original

        def altered(self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
            return altered_step(step, self, original.__get__(self), args, kwargs)

        altered.__name__ = step
        new = Wrapper(original, altered) if wrap else altered
        monkeypatch.setattr(target, step, new)

    def install(app: t.Any) -> None:
        if where == "subclass":
            put(App, getattr(Local, step))
        elif where == "class":
            put(Local, getattr(Local, step))
        elif where == "wrapper":
            put(Local, getattr(Local, step), wrap=True)
        elif where == "flask.Flask":
            put(flask.Flask, getattr(flask.Flask, step))
        else:
            original = getattr(app, step) or no_step.__get__(app)

            def altered(*args: t.Any, **kwargs: t.Any) -> t.Any:
                return altered_step(step, app, original, args, kwargs)

            def method_of(self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
                return altered_step(step, self, original, args, kwargs)

            bound = method_of.__get__(app)
            # monkeypatch would put the bound method back, which is no undoing.
            app.__dict__[step] = altered if where == "instance" else bound

    outcomes = [outcome(program(App), path, method)]
    app = program(App)
    below = app.__dict__.get(step)
    if when == "before":
        install(app)
    host(app)
    if when in ("late", "during"):
        outcomes.append(outcome(app, path, method))
        assert outcomes[0] == outcomes[1]
    if when == "during":
        # Seen by the request that it happens in, from there on.
        app.before_request_funcs[None].append(lambda: install(app))
        outcomes.append(outcome(app, path, method))
        app.before_request_funcs[None].pop()
    elif when in ("after", "late"):
        below = app.__dict__.get(step)
        install(app)
    outcomes += [outcome(app, path, method), outcome(app, path, method)]
    if where in ("instance", "method"):
        if below is None:
            del app.__dict__[step]
        else:
            app.__dict__[step] = below
    monkeypatch.undo()
    outcomes += [outcome(app, path, method), outcome(app, path, method)]
    return outcomes


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("step", STEPS)
def test_whoever_takes_a_step_over_is_called(
    step: str, where: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if step == "__call__" and where in ("instance", "method"):
        # Python looks it up on the class.
        expected = "not altered"
    elif step == "app_context" and FLASK32:
        # A request needs no other context than its own.
        expected = "not altered"
    else:
        expected = "altered"
    plain = scenario(PLAIN, step, where, when, monkeypatch)
    assert plain[-1] == plain[-2] == plain[0], "taken back"
    assert plain[-3] == plain[-4]
    assert (plain[-3] != plain[0]) is (expected == "altered")
    assert scenario(ACCELERATED, step, where, when, monkeypatch) == plain
