"""The contexts that the engine pushes, in the hands of programs, extensions, tracers.

Each scenario says what came of it, on plain and on accelerated Flask: the same.
"""

from __future__ import annotations

import typing as t
import warnings
from collections.abc import Callable
from collections.abc import Iterator

import flask
import pytest
from flask.ctx import AppContext
from tests.accelerate.conftest import ACCELERATED
from tests.accelerate.conftest import Host
from tests.accelerate.conftest import PLAIN
from tests.conformance.subjects import FLASK32
from tests.conformance.support import call
from tests.conformance.support import environ
from tests.conformance.support import listen
from werkzeug.exceptions import NotFound

import fastdispatch

Scenario = Callable[[Host, list[t.Any]], t.Any]


def current() -> t.Any:
    """The context of the request."""
    proxy: t.Any = flask.globals.app_ctx if FLASK32 else flask.globals.request_ctx
    return proxy._get_current_object()


def request_context_class() -> t.Any:
    return AppContext if FLASK32 else vars(flask.ctx)["RequestContext"]


def noting(host: Host, trace: list[t.Any]) -> flask.Flask:
    app = host(flask.Flask("contexts", static_folder=None))
    app.secret_key = "key"

    def teardown(exc: BaseException | None) -> None:
        trace.append(("request", flask.request.path, type(exc).__name__))

    def end(exc: BaseException | None) -> None:
        trace.append(("app", sorted(flask.g), type(exc).__name__))

    app.teardown_request(teardown)
    app.teardown_appcontext(end)
    return app


def has_what_flask_s_has(host: Host, trace: list[t.Any]) -> t.Any:
    """Every name, and what of it can be compared; those that may be set are set."""
    app = noting(host, trace)
    seen: dict[str, str] = {}

    @app.route("/<name>")
    def view(name: str) -> str:
        ctx = current()
        for attribute in sorted(names):
            value = getattr(ctx, attribute)
            seen[attribute] = type(value).__name__
        return f"{isinstance(ctx, request_context_class())} {type(ctx).__name__}"

    with noting(PLAIN, []).test_request_context("/x") as ctx:
        names = {n for n in dir(ctx) if n[:2] != "__"} - {"_cv_tokens"}
    return call(app, "/x").text, seen


def takes_assignments(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)

    @app.route("/")
    def view() -> str:
        ctx = current()
        for name in ("app", "request", "session", "url_adapter"):
            try:
                setattr(ctx, name, getattr(ctx, name))
            except AttributeError:
                trace.append(("no", name))
        if not FLASK32:
            ctx = flask.globals.app_ctx._get_current_object()
            ctx.app = app
            ctx = current()
        ctx.g = app.app_ctx_globals_class()
        ctx.g.mark = 1
        ctx.of_an_extension = 2
        ctx._session = app.session_interface.session_class({"a": 3})
        return f"{flask.g.get('mark')} {current().of_an_extension} {flask.session}"

    return call(app).text, call(app, "/no").status


def pushed_again(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)

    @app.route("/")
    def view() -> str:
        ctx = current()
        with ctx:
            flask.g.inside = 1
            trace.append(flask.request.path)
        with ctx, ctx:
            trace.append(flask.session.get("a"))
        return f"{current() is ctx} {flask.has_request_context()}"

    return call(app).text, call(app).text


def pushed_and_not_popped(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)
    left = []

    @app.route("/")
    def view() -> str:
        left.append(current())
        left[-1].push()
        return "pushed"

    answers = [call(app).text, type(flask.globals._cv_app.get(None)).__name__]
    while flask.has_app_context():
        left.pop().pop()
    return answers


def popped_by_the_view(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)

    @app.route("/")
    def view() -> str:
        current().pop()
        return str(flask.has_request_context())

    return call(app).text


def another_left_behind(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)
    left: list[t.Any] = []

    @app.route("/")
    def view() -> str:
        left.append(app.test_request_context("/left"))
        left[-1].push()
        return flask.request.path

    try:
        return call(app).text
    finally:
        while (ctx := flask.globals._cv_app.get(None)) is not None:
            trace.append(type(ctx).__name__)
            flask.globals._cv_app.set(None)
        if not FLASK32:
            vars(flask.globals)["_cv_request"].set(None)


def contexts_of_flask_inside(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)
    other = noting(host, trace)

    @app.route("/")
    def view() -> str:
        flask.g.outer = 1
        with app.app_context():
            trace.append(("inside", sorted(flask.g), flask.has_request_context()))
            flask.g.inner = 1
        with other.test_request_context("/other"):
            trace.append(("other", sorted(flask.g), flask.request.path))
        with app.test_request_context("/same"):
            trace.append(("same", sorted(flask.g), flask.request.path))
        trace.append(call(app, "/nested").text)
        return flask.request.path

    app.add_url_rule("/nested", "nested", lambda: f"{sorted(flask.g)}")
    with app.app_context():
        flask.g.around = 1
        return call(app).text, sorted(flask.g)


def copied(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)

    @app.route("/")
    def view() -> t.Any:
        flask.g.a = 1
        flask.session["a"] = 1

        @flask.copy_current_request_context
        def job() -> None:
            trace.append((sorted(flask.g), flask.request.path, flask.session["a"]))
            flask.session["b"] = 2

        job()
        return dict(flask.session)

    return call(app).json


def streamed(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)

    @app.route("/")
    def view() -> t.Any:
        @flask.stream_with_context
        def generate() -> Iterator[str]:
            for name in "ab":
                trace.append(name)
                yield name + flask.request.path

        return generate()

    return call(app).text, call(app).text


def preserved(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)
    app.add_url_rule("/<a>", "view", lambda a: flask.session.setdefault("a", a))
    kept: list[t.Any] = []
    env = environ("/x")
    env["werkzeug.debug.preserve_context"] = kept.append
    texts = [call(app, env=env).text]
    for ctx in kept:
        ctx.push()
    trace.append((flask.request.view_args, dict(flask.session), flask.request.endpoint))
    for ctx in reversed(kept):
        ctx.pop()
    with app.test_client() as client:
        texts += [client.get("/1").text, client.get("/2").text]
        trace.append((flask.request.path, dict(flask.session)))
    return texts, [type(ctx).__name__ for ctx in kept]


def preserved_after_an_error(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)
    app.add_url_rule("/", "view", lambda: 1 // 0)
    env = environ("/")
    env["werkzeug.debug.preserve_context"] = lambda ctx: trace.append("kept")
    return call(app, env=env).status


def flashed(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)

    @app.route("/")
    def view() -> t.Any:
        flask.flash("one")
        flask.flash("two", "error")
        first = flask.get_flashed_messages(with_categories=True)
        return [first, flask.get_flashed_messages(), "_flashes" in flask.session]

    return call(app).json


def a_receiver_that_raises(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)
    app.add_url_rule("/", "view", lambda: "view")

    def receiver(sender: t.Any, **kwargs: t.Any) -> None:
        raise LookupError("receiver")

    with listen(flask.signals.appcontext_popped, app, receiver):
        return call(app).text


def teardowns_that_raise(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)
    app.add_url_rule("/", "view", lambda: "view")
    app.teardown_request(lambda exc: {}["request"])
    app.teardown_request(lambda exc: {}["and another"])
    app.teardown_appcontext(lambda exc: {}["app"])
    return call(app).text


def an_adapter_that_cannot_be_had(host: Host, trace: list[t.Any]) -> t.Any:
    class App(flask.Flask):
        def create_url_adapter(self, request: t.Any) -> t.Any:
            trace.append(request is not None)
            if request is None:
                return super().create_url_adapter(None)
            raise NotFound()

    app = host(App("contexts", static_folder=None))
    app.register_error_handler(404, lambda e: f"{current().url_adapter}")
    return call(app).status, call(app).text


def an_adapter_that_is_none(host: Host, trace: list[t.Any]) -> t.Any:
    app = noting(host, trace)
    app.create_url_adapter = lambda request: trace.append("asked")  # type: ignore
    return call(app).status


def globals_of_its_own(host: Host, trace: list[t.Any]) -> t.Any:
    class Globals:
        def __init__(self) -> None:
            trace.append(flask.has_request_context())
            self.a = 1

    class Request(flask.Request):
        def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
            trace.append("request")
            super().__init__(*args, **kwargs)

    app = host(flask.Flask("contexts", static_folder=None))
    app.request_class = Request
    app.app_ctx_globals_class = Globals  # type: ignore[assignment]
    app.add_url_rule("/", "view", lambda: str(flask.g.a))
    return call(app).text


SCENARIOS: list[Scenario] = [
    has_what_flask_s_has,
    takes_assignments,
    pushed_again,
    pushed_and_not_popped,
    popped_by_the_view,
    another_left_behind,
    contexts_of_flask_inside,
    copied,
    streamed,
    preserved,
    preserved_after_an_error,
    flashed,
    a_receiver_that_raises,
    teardowns_that_raise,
    an_adapter_that_cannot_be_had,
    an_adapter_that_is_none,
    globals_of_its_own,
]


def said(error: BaseException) -> t.Any:
    if isinstance(error, BaseExceptionGroup):
        return error.message, [said(inner) for inner in error.exceptions]
    words = str(error).split(" (<")[0]
    return type(error).__name__, words


def outcome(scenario: Scenario, host: Host) -> t.Any:
    trace: list[t.Any] = []
    try:
        result = scenario(host, trace)
    except Exception as e:
        result = said(e)
    return result, trace


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_the_same_as_on_flask(scenario: Scenario) -> None:
    plain = outcome(scenario, PLAIN)
    assert outcome(scenario, ACCELERATED) == plain
    assert plain[0] is not None


@pytest.mark.parametrize("where", ["app context", "request context"])
@pytest.mark.parametrize("name", ["__init__", "push", "pop"])
def test_a_patched_context_is_used(
    host: Host,
    trace: list[t.Any],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    where: str,
) -> None:
    """Tracers wrap these on the class."""
    app = noting(host, [])
    app.add_url_rule("/", "view", lambda: "view")
    cls: t.Any = AppContext if where == "app context" else request_context_class()
    original = getattr(cls, name)

    def wrapper(*args: t.Any, **kwargs: t.Any) -> t.Any:
        trace.append(name)
        return original(*args, **kwargs)

    assert call(app).text == "view"
    monkeypatch.setattr(cls, name, wrapper)
    assert call(app).text == "view"
    assert trace == [name]
    monkeypatch.undo()
    assert call(app).text == "view"
    assert trace == [name]


# Flask 3.2 takes methods without ctx for a while.

if FLASK32:

    @pytest.fixture
    def flask_itself() -> Iterator[None]:
        """Put back what Flask puts around its own methods."""
        before = dict(vars(flask.Flask))
        yield
        for name, value in before.items():
            if vars(flask.Flask)[name] is not value:
                setattr(flask.Flask, name, value)

    OLD: dict[str, tuple[str, str, t.Any]] = {
        "full_dispatch_request": ("/", "GET", lambda self, base: base()),
        "preprocess_request": ("/", "GET", lambda self, base: base()),
        "dispatch_request": ("/", "GET", lambda self, base: base()),
        "finalize_request": ("/", "GET", lambda self, base, rv, f=False: base(rv, f)),
        "process_response": ("/", "GET", lambda self, base, r: base(r)),
        "do_teardown_request": ("/", "GET", lambda self, base, e=None: base(e)),
        "do_teardown_appcontext": ("/", "GET", lambda self, base, e=None: base(e)),
        "handle_http_exception": ("/nowhere", "GET", lambda self, base, e: base(e)),
        "handle_user_exception": ("/error", "GET", lambda self, base, e: base(e)),
        "handle_exception": ("/error", "GET", lambda self, base, e: base(e)),
        "log_exception": ("/error", "GET", lambda self, base, info: base(info)),
        "make_default_options_response": ("/", "OPTIONS", lambda self, base: base()),
    }

    def old_method(name: str, trace: list[t.Any]) -> t.Any:
        (_, _, do) = OLD[name]

        def method(self: t.Any, *args: t.Any) -> t.Any:
            trace.append((name, *(type(arg).__name__ for arg in args)))
            return do(self, getattr(super(type(self), self), name), *args)

        method.__name__ = name
        return method

    @pytest.mark.usefixtures("flask_itself")
    @pytest.mark.parametrize("name", OLD)
    def test_an_override_with_the_signature_of_3_1(name: str) -> None:
        path, verb, _ = OLD[name]
        outcomes = []
        for host in (PLAIN, ACCELERATED):
            trace: list[t.Any] = []
            method = old_method(name, trace)
            with pytest.warns(DeprecationWarning, match=f"The '{name}' method now"):
                cls = type("Old", (flask.Flask,), {name: method})
            apps = [cls("contexts"), flask.Flask("contexts")]
            for app in apps:
                host(app)
                app.add_url_rule("/", "view", lambda: "view")
                app.add_url_rule("/error", "error", lambda: 1 // 0)
                app.logger.disabled = True
            answers = [call(app, path, verb) for app in apps]
            assert answers[0].body == answers[1].body
            assert answers[0].status == answers[1].status
            if host.accelerated:
                rows = {row.step: row for row in fastdispatch.explain(apps[0])}
                assert name not in rows or not rows[name].engine
                rows = {row.step: row for row in fastdispatch.explain(apps[1])}
                assert rows.pop("json").engine is fastdispatch.compiled
                assert all(row.engine for row in rows.values()), (
                    "Flask's own steps are still the engine's to do"
                )
            outcomes.append((answers[0].status, answers[0].body, trace))
        assert outcomes[0] == outcomes[1]
        assert [event[0] for event in outcomes[0][2]] == [name]

    @pytest.mark.parametrize("name", OLD)
    def test_on_the_application_it_gets_the_context(name: str) -> None:
        """Flask looks at subclasses alone."""
        path, verb, _ = OLD[name]
        outcomes = []
        for host in (PLAIN, ACCELERATED):
            app = host(flask.Flask("contexts"))
            app.add_url_rule("/", "view", lambda: "view")
            app.add_url_rule("/error", "error", lambda: 1 // 0)
            app.logger.disabled = True
            app.__dict__[name] = lambda: "answer"
            app.config["PROPAGATE_EXCEPTIONS"] = name != "log_exception"
            with pytest.raises((TypeError, ExceptionGroup)) as info:
                call(app, path, verb)
            outcomes.append(said(info.value))
        assert outcomes[0] == outcomes[1]
        assert "positional argument" in str(outcomes[0])

    def test_should_ignore_error_is_warned_of_once() -> None:
        class App(flask.Flask):
            def should_ignore_error(self, error: t.Any) -> bool:  # type: ignore
                return isinstance(error, ZeroDivisionError)

        outcomes = []
        for host in (PLAIN, ACCELERATED):
            trace: list[t.Any] = []
            app = host(App("contexts"))
            app.logger.disabled = True
            app.teardown_request(trace.append)
            app.add_url_rule("/", "view", lambda: 1 // 0)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                answers = [call(app).status, call(app).status]
            where = [(str(w.message), w.filename) for w in caught]
            outcomes.append((answers, trace, where))
        assert outcomes[0] == outcomes[1]
        assert len(outcomes[0][2]) == 1
        assert outcomes[0][1] == [None, None]
        rows = {row.step: row for row in fastdispatch.explain(app)}
        assert not rows["should_ignore_error"].engine
        assert rows["full_dispatch_request"].why == (
            "should_ignore_error is not Flask's own"
        )
