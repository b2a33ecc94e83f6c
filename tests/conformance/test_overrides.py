"""What others reach into: overridden and patched steps are called, tables read live."""

from __future__ import annotations

import gc
import typing as t
import weakref
from collections.abc import Callable

import pytest
from tests.conformance.subjects import FLASK
from tests.conformance.subjects import Framework
from tests.conformance.support import call
from tests.conformance.support import environ
from tests.conformance.support import listen
from tests.conformance.support import Server
from werkzeug.datastructures import Headers
from werkzeug.exceptions import Gone
from werkzeug.exceptions import NotFound

Trace = list[t.Any]

STEPS: dict[str, tuple[str, str]] = {
    "wsgi_app": ("/", "GET"),
    "request_context": ("/", "GET"),
    "full_dispatch_request": ("/", "GET"),
    "preprocess_request": ("/", "GET"),
    "dispatch_request": ("/", "GET"),
    "finalize_request": ("/", "GET"),
    "make_response": ("/", "GET"),
    "process_response": ("/", "GET"),
    "do_teardown_request": ("/", "GET"),
    "do_teardown_appcontext": ("/", "GET"),
    "create_url_adapter": ("/", "GET"),
    "ensure_sync": ("/", "GET"),
    "raise_routing_exception": ("/nowhere", "GET"),
    "handle_http_exception": ("/nowhere", "GET"),
    "trap_http_exception": ("/nowhere", "GET"),
    "make_default_options_response": ("/", "OPTIONS"),
    "handle_user_exception": ("/error", "GET"),
    "handle_exception": ("/error", "GET"),
    "log_exception": ("/error", "GET"),
    "should_ignore_error": ("/error", "GET"),
}
"""The steps of a request that may be taken over, and a request that takes each."""

# Flask 3.2 warns of a should_ignore_error, once an app.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The 'should_ignore_error' method:DeprecationWarning"
)

WAYS = ["subclass", "instance", "instance late", "class", "class late"]


def program(cls: type[t.Any], trace: Trace) -> t.Any:
    app = cls("conformance")

    def after(response: t.Any) -> t.Any:
        trace.append("after")
        return response

    app.before_request(lambda: trace.append("before"))
    app.after_request(after)
    app.teardown_request(lambda exc: trace.append(("teardown", type(exc).__name__)))
    app.teardown_appcontext(lambda exc: trace.append("teardown_appcontext"))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    app.add_url_rule("/error", endpoint="e", view_func=lambda: 1 // 0)
    return app


def outcome(app: t.Any, trace: Trace, path: str, method: str) -> t.Any:
    trace.clear()
    answer = call(app, path, method)
    return answer.status_line, answer.body, list(trace)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_is_taken_over_is_called(
    fw: Framework,
    trace: Trace,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    way: str,
) -> None:
    calls: list[str] = []

    def wrap(original: Callable[..., t.Any]) -> Callable[..., t.Any]:
        def wrapper(*args: t.Any, **kwargs: t.Any) -> t.Any:
            calls.append(step)
            # Flask 3.2 has no should_ignore_error of its own.
            return original is not None and original(*args, **kwargs)

        return wrapper

    class Local(fw.App):  # type: ignore[name-defined,misc]
        """Patched in place of the App class of everybody."""

    class Subclass(Local):
        pass

    path, method = STEPS[step]
    plain = outcome(program(Local, trace), trace, path, method)
    assert calls == []

    if way == "subclass":
        setattr(Subclass, step, wrap(getattr(Local, step)))

    app = program(Subclass, trace)

    if way.endswith("late"):
        assert outcome(app, trace, path, method) == plain
        call(app, "/")

    assert calls == []

    if way.startswith("instance"):
        monkeypatch.setattr(app, step, wrap(getattr(app, step)))
    elif way.startswith("class"):
        monkeypatch.setattr(Local, step, wrap(getattr(Local, step)))

    assert outcome(app, trace, path, method) == plain, "the same outcome"
    assert calls, "called"
    calls.clear()
    assert outcome(app, trace, path, method) == plain
    assert calls, "called again"

    if way != "subclass":
        monkeypatch.undo()
        calls.clear()
        assert outcome(app, trace, path, method) == plain
        assert calls == [], "not after it is taken back"


@pytest.mark.parametrize("step", sorted(set(STEPS) - {"wsgi_app"}))
def test_the_app_class_itself_may_be_patched(
    fw: Framework, trace: Trace, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    app = program(fw.App, trace)
    path, method = STEPS[step]
    plain = outcome(app, trace, path, method)
    original = getattr(fw.App, step)
    calls: list[str] = []

    def wrapper(*args: t.Any, **kwargs: t.Any) -> t.Any:
        calls.append(step)
        return original is not None and original(*args, **kwargs)

    monkeypatch.setattr(fw.App, step, wrapper)
    assert outcome(app, trace, path, method) == plain
    assert calls
    monkeypatch.undo()
    calls.clear()
    assert outcome(app, trace, path, method) == plain
    assert calls == []


@pytest.mark.parametrize("late", [False, True])
def test_call_is_looked_up_on_the_class(
    fw: Framework, trace: Trace, late: bool
) -> None:
    class App(fw.App):  # type: ignore[name-defined,misc]
        pass

    app = program(App, trace)

    if late:
        call(app)

    def wrapper(self: t.Any, environ: t.Any, start_response: t.Any) -> t.Any:
        trace.append("__call__")
        return fw.App.__call__(self, environ, start_response)

    App.__call__ = wrapper
    trace.clear()
    assert call(app).text == "view"
    assert trace[0] == "__call__"


def test_a_step_may_answer_otherwise(fw: Framework, trace: Trace) -> None:
    class App(fw.App):  # type: ignore[name-defined,misc]
        # Flask 3.2 gives the context as well, where the first is called ctx.
        def preprocess_request(self, *ctx) -> t.Any:
            return super().preprocess_request(*ctx) or "from preprocess_request"

        def process_response(self, *ctx) -> t.Any:
            response = super().process_response(*ctx)
            response.headers["X-Processed"] = "yes"
            return response

        def make_response(self, rv: t.Any) -> t.Any:
            return super().make_response(f"<{rv}>")

    answer = call(program(App, trace))
    assert answer.text == "<from preprocess_request>"
    assert answer.headers["X-Processed"] == "yes"
    assert trace[:2] == ["before", "after"]


def test_wsgi_app_may_be_wrapped_late_and_put_back(fw: Framework, trace: Trace) -> None:
    app = program(fw.App, trace)
    older = app.wsgi_app
    assert call(app).text == "view"

    def middleware(environ: t.Any, start_response: t.Any) -> t.Any:
        trace.append("middleware")
        environ["PATH_INFO"] = "/"
        return older(environ, start_response)

    app.wsgi_app = middleware
    assert call(app, "/elsewhere").text == "view"
    assert trace.count("middleware") == 1
    app.wsgi_app = older
    assert call(app, "/elsewhere").status == 404
    assert trace.count("middleware") == 1


def test_a_custom_init_may_set_wsgi_app(fw: Framework, trace: Trace) -> None:
    class App(fw.App):  # type: ignore[name-defined,misc]
        def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().__init__(*args, **kwargs)
            inner = self.wsgi_app

            def wrapped(environ: t.Any, start_response: t.Any) -> t.Any:
                trace.append("wrapped")
                return inner(environ, start_response)

            self.wsgi_app = wrapped

    app = program(App, trace)
    trace.clear()
    assert call(app).text == "view"
    assert trace[0] == "wrapped"


# --- Tables


@pytest.mark.parametrize("late", [False, True])
def test_hook_tables_are_the_app_s_own_and_read_live(
    fw: Framework, trace: Trace, late: bool
) -> None:
    app = program(fw.App, trace)

    if late:
        call(app)

    def before() -> None:
        trace.append("before 2")

    def after(response: t.Any) -> t.Any:
        trace.append("after 2")
        return response

    def teardown(exc: t.Any) -> None:
        trace.append("teardown 2")

    def appcontext(exc: t.Any) -> None:
        trace.append("appcontext 2")

    def preprocessor(endpoint: t.Any, values: t.Any) -> None:
        trace.append("preprocessor")

    app.before_request_funcs.setdefault(None, []).append(before)
    app.after_request_funcs.setdefault(None, []).append(after)
    app.teardown_request_funcs.setdefault(None, []).append(teardown)
    app.teardown_appcontext_funcs.append(appcontext)
    app.url_value_preprocessors[None].append(preprocessor)
    trace.clear()
    call(app)
    none = ("teardown", "NoneType")
    assert trace == [
        "preprocessor",
        "before",
        "before 2",
        "after 2",
        "after",
        "teardown 2",
        none,
        "appcontext 2",
        "teardown_appcontext",
    ]
    app.before_request_funcs[None].remove(before)
    app.after_request_funcs[None].remove(after)
    app.teardown_request_funcs[None] = []
    app.teardown_appcontext_funcs.clear()
    del app.url_value_preprocessors[None]
    trace.clear()
    call(app)
    assert trace == ["before", "after"]


def test_hook_tables_change_during_a_request(fw: Framework, trace: Trace) -> None:
    app = program(fw.App, trace)

    def added(response: t.Any) -> t.Any:
        trace.append("added")
        return response

    def view() -> str:
        app.after_request_funcs[None].append(added)
        app.teardown_request_funcs[None].append(lambda exc: trace.append("torn"))
        return "view"

    app.view_functions["i"] = view
    call(app)
    assert trace == [
        "before",
        "added",
        "after",
        "torn",
        ("teardown", "NoneType"),
        "teardown_appcontext",
    ]


def test_a_hook_added_by_a_hook_runs_in_the_same_request(
    fw: Framework, trace: Trace
) -> None:
    app = program(fw.App, trace)

    def adds() -> None:
        if len(app.before_request_funcs[None]) == 2:
            app.before_request_funcs[None].append(lambda: trace.append("added"))

    app.before_request(adds)
    call(app)
    assert trace[:2] == ["before", "added"]


@pytest.mark.parametrize(
    "name",
    ["before_request_funcs", "after_request_funcs", "teardown_request_funcs"],
)
def test_a_hook_table_may_be_replaced(fw: Framework, trace: Trace, name: str) -> None:
    app = program(fw.App, trace)
    call(app)
    trace.clear()

    def func(*args: t.Any) -> t.Any:
        trace.append("replaced")
        return args[0] if name.startswith("after") else None

    setattr(app, name, {None: [func]})
    call(app)
    assert trace.count("replaced") == 1
    gone = {
        "before_request_funcs": "before",
        "after_request_funcs": "after",
        "teardown_request_funcs": ("teardown", "NoneType"),
    }
    assert gone[name] not in trace


@pytest.mark.parametrize("late", [False, True])
def test_view_functions_are_read_live(fw: Framework, trace: Trace, late: bool) -> None:
    app = program(fw.App, trace)

    if late:
        assert call(app).text == "view"

    original = app.view_functions["i"]
    app.view_functions["i"] = lambda: f"wrapped {original()}"
    assert call(app).text == "wrapped view"
    app.view_functions = {**app.view_functions, "i": lambda: "another table"}
    assert call(app).text == "another table"


@pytest.mark.parametrize("late", [False, True])
def test_error_handlers_are_read_live(fw: Framework, trace: Trace, late: bool) -> None:
    app = program(fw.App, trace)

    if late:
        assert call(app, "/error").status == 500

    spec = app.error_handler_spec
    spec[None][None][ZeroDivisionError] = lambda e: "handled"
    assert call(app, "/error").text == "handled"
    del spec[None][None][ZeroDivisionError]
    assert call(app, "/error").status == 500


@pytest.mark.parametrize("late", [False, True])
def test_the_session_interface_may_be_swapped(
    fw: Framework, trace: Trace, late: bool
) -> None:
    app = program(fw.App, trace)
    app.secret_key = "key"
    app.view_functions["i"] = lambda: str(dict(fw.session))

    if late:
        assert call(app).text == "{}"

    class Interface(fw.sessions.SessionInterface):  # type: ignore[name-defined,misc]
        def open_session(self, app: t.Any, request: t.Any) -> t.Any:
            return fw.sessions.SecureCookieSession({"opened": 1})

        def save_session(self, app: t.Any, session: t.Any, response: t.Any) -> None:
            response.headers["X-Saved"] = "yes"

    app.session_interface = Interface()
    answer = call(app)
    assert (answer.text, answer.headers["X-Saved"]) == ("{'opened': 1}", "yes")


@pytest.mark.parametrize("way", ["class", "instance"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("step", ["open_session", "save_session", "is_null_session"])
def test_steps_of_the_session_interface(
    fw: Framework,
    trace: Trace,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    late: bool,
    way: str,
) -> None:
    app = program(fw.App, trace)
    app.secret_key = "key"

    def view() -> str:
        fw.session["a"] = 1
        return "view"

    app.view_functions["i"] = view

    if late:
        call(app)

    # One of its own: what is set on it and taken back stays there as an attribute.
    interface = app.session_interface = type(app.session_interface)()
    target = type(interface) if way == "class" else interface
    original = getattr(target, step)

    def wrapper(*args: t.Any, **kwargs: t.Any) -> t.Any:
        trace.append(step)
        return original(*args, **kwargs)

    monkeypatch.setattr(target, step, wrapper)
    assert call(app).headers["Set-Cookie"].startswith("session=")
    assert step in trace


@pytest.mark.parametrize("way", ["subclass", "class late", "instance", "instance late"])
def test_request_and_response_class(fw: Framework, trace: Trace, way: str) -> None:
    class Request(fw.Request):  # type: ignore[name-defined,misc]
        def hello(self) -> str:
            return f"hello {self.path}"

    class Response(fw.Response):  # type: ignore[name-defined,misc]
        default_mimetype = "text/x-mine"

    class App(fw.App):  # type: ignore[name-defined,misc]
        pass

    if way == "subclass":
        App.request_class, App.response_class = Request, Response

    app = program(App, trace)

    if way.endswith("late"):
        assert call(app).headers["Content-Type"].startswith("text/html")

    target = App if way.startswith("class") else app

    if way != "subclass":
        target.request_class, target.response_class = Request, Response

    app.view_functions["i"] = lambda: fw.request.hello()
    answer = call(app)
    assert answer.text == "hello /"
    assert answer.headers["Content-Type"].startswith("text/x-mine")


@pytest.mark.parametrize("late", [False, True])
def test_app_ctx_globals_class(fw: Framework, trace: Trace, late: bool) -> None:
    class G:
        greeting = "hello"

    app = program(fw.App, trace)
    app.view_functions["i"] = lambda: getattr(fw.g, "greeting", "nothing")

    if late:
        assert call(app).text == "nothing"

    app.app_ctx_globals_class = G
    assert call(app).text == "hello"


def test_receivers_for_is_asked_at_each_request(
    fw: Framework, trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracers wrap it to time the receivers."""
    app = program(fw.App, trace)
    call(app)
    signal = fw.signals.request_started
    original = signal.receivers_for

    def receivers_for(sender: t.Any) -> t.Any:
        for receiver in original(sender):
            trace.append("asked")
            yield receiver

    monkeypatch.setattr(signal, "receivers_for", receivers_for)

    with listen(signal, app, lambda sender, **kwargs: trace.append("received")):
        trace.clear()
        call(app)

    assert trace[:2] == ["asked", "received"]


# --- Contexts


def test_contexts_take_attributes_and_weak_references(
    fw: Framework, app: t.Any
) -> None:
    seen: list[weakref.ref[t.Any]] = []

    @app.before_request
    def before() -> None:
        for proxy in (fw.globals.app_ctx, fw.request_ctx):
            ctx = proxy._get_current_object()
            ctx.of_an_extension = id(ctx)
            seen.append(weakref.ref(ctx))

    @app.after_request
    def after(response: t.Any) -> t.Any:
        for proxy in (fw.globals.app_ctx, fw.request_ctx):
            ctx = proxy._get_current_object()
            assert ctx.of_an_extension == id(ctx)

        return response

    call(app)
    gc.collect()
    assert [ref() for ref in seen] == [None, None], "freed with the request"


def test_a_session_may_be_written_on_the_context(fw: Framework, app: t.Any) -> None:
    app.secret_key = "key"

    @app.route("/")
    def index() -> str:
        session = fw.sessions.SecureCookieSession({"a": "written"})
        fw.request_ctx._session = session
        return str(fw.session["a"])

    assert call(app).text == "written"


def test_request_attributes_of_an_extension(fw: Framework, app: t.Any) -> None:
    @app.before_request
    def before() -> None:
        fw.request.user = "root"
        fw.request._of_an_extension = 1

    app.add_url_rule("/", endpoint="i", view_func=lambda: fw.request.user)
    assert call(app).text == "root"


def test_the_app_is_freed_with_its_last_reference(fw: Framework) -> None:
    trace: Trace = []
    gc.collect()
    gc.disable()

    try:
        app = fw.App("conformance", static_folder=None)
        app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
        assert call(app).text == "view"
        ref = weakref.ref(app)
        trace.append(ref)
        del app

        if fw.native:
            assert ref() is None
    finally:
        gc.enable()

    gc.collect()
    assert ref() is None


@pytest.mark.parametrize("name", ["request_class", "response_class"])
def test_a_class_may_be_chosen_for_each_request(fw: Framework, name: str) -> None:
    stock = getattr(fw.App, name)
    other = type("Other", (stock,), {"default_mimetype": "text/x", "charm": "other"})
    chosen = [stock]

    class Choosing(fw.App):  # type: ignore[name-defined,misc]
        pass

    setattr(Choosing, name, property(lambda self: chosen[0]))
    app = Choosing("conformance")
    app.add_url_rule(
        "/", endpoint="i", view_func=lambda: getattr(fw.request, "charm", "stock")
    )
    app.add_url_rule("/json", endpoint="j", view_func=lambda: {"a": 1})
    seen = []
    for cls in (stock, other, stock):
        chosen[0] = cls
        for path in ("/", "/json"):
            answer = call(app, path)
            seen.append((answer.body, dict(answer.headers)["Content-Type"]))
    json = (b'{"a":1}\n', "application/json")
    first = (b"stock", "text/html; charset=utf-8")
    second = (
        (b"other", "text/html; charset=utf-8")
        if name == "request_class"
        else (b"stock", "text/x; charset=utf-8")
    )
    assert seen == [first, json, second, json, first, json]


def test_a_session_interface_may_be_chosen_for_each_request(fw: Framework) -> None:
    stock = fw.sessions.SecureCookieSessionInterface
    chosen = [stock(), type("Salted", (stock,), {"salt": "other"})()]

    class Choosing(fw.App):  # type: ignore[name-defined,misc]
        session_interface = property(lambda self: chosen[0])

    def count() -> str:
        fw.session["n"] = fw.session.get("n", 0) + 1
        return str(fw.session["n"])

    app = Choosing("conformance")
    app.secret_key = "key"
    app.add_url_rule("/", endpoint="i", view_func=count)
    cookie = ""
    seen = []
    for _ in range(3):
        answer = call(app, "/", headers={"Cookie": cookie})
        cookie = dict(answer.headers)["Set-Cookie"].partition(";")[0]
        seen.append(answer.body)
        seen.append(call(app, "/", headers={"Cookie": cookie}).body)
        chosen.reverse()
    assert seen == [b"1", b"2"] * 3


def _marking(was: Callable[..., t.Any]) -> Callable[..., t.Any]:
    return lambda self, key, value, **kw: was(self, key, f"<{value}>", **kw)


HEADERS_PATCHES: dict[str, Callable[..., t.Any]] = {
    "__setitem__": lambda was: lambda self, key, value: was(self, f"X-{key}", value),
    "add": _marking,
    "set": _marking,
    "to_wsgi_list": lambda was: lambda self: [*was(self), ("X-Patched", "yes")],
}


def of_all_kinds(cls: type[t.Any], seen: bool) -> t.Any:
    app = cls("conformance")
    views: dict[str, Callable[[], t.Any]] = {
        "str": lambda: "text",
        "bytes": lambda: b"text",
        "dict": lambda: {"a": 1},
        "list": lambda: [1],
        "status": lambda: ("text", 201),
        "headers": lambda: ("text", {"X-Own": "own"}),
        "pairs": lambda: (b"text", 404, [("Content-Type", "text/own")]),
        "response": lambda: app.response_class("text", mimetype="text/own"),
        "made": lambda: app.response_class("text", headers={"X-Own": "own"}),
        "stream": lambda: iter(["a", "b"]),
        "error": lambda: 1 // 0,
    }

    for name, view in views.items():
        app.add_url_rule(f"/{name}", endpoint=name, view_func=view)

    if seen:
        app.after_request(lambda response: response)

    return app


KINDS = (
    *("str", "bytes", "dict", "list", "status", "headers", "pairs", "response"),
    *("made", "stream", "error", "nowhere"),
)


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("name", HEADERS_PATCHES)
def test_the_class_of_headers_may_be_patched(
    fw: Framework, monkeypatch: pytest.MonkeyPatch, name: str, seen: bool
) -> None:
    app = of_all_kinds(fw.App, seen)
    oracle = of_all_kinds(FLASK.App, seen)

    def sent(app: t.Any) -> dict[str, list[tuple[str, str]]]:
        return {kind: Server(app, environ(f"/{kind}")).started[0][1] for kind in KINDS}

    plain = sent(app)
    assert plain == sent(oracle)
    monkeypatch.setattr(Headers, name, HEADERS_PATCHES[name](getattr(Headers, name)))
    patched = sent(app)
    assert patched == sent(oracle)
    assert all(patched[kind] != plain[kind] for kind in KINDS), "each is affected"
    monkeypatch.undo()
    assert sent(app) == plain


@pytest.mark.parametrize("name", ["__init__", "__new__"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("raised", [None, Gone, RuntimeError])
def test_a_404_is_made_when_flask_makes_it_where_somebody_sees_that(
    fw: Framework,
    trace: Trace,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    late: bool,
    raised: type[Exception] | None,
) -> None:
    apps = [program(cls, trace) for cls in (fw.App, FLASK.App)]
    was = getattr(NotFound, name)

    def patched(first: t.Any, *args: t.Any) -> t.Any:
        trace.append("making")

        if raised is not None:
            raise raised

        return was(first, *args)

    def outcomes() -> list[t.Any]:
        return [outcome(app, trace, "/nowhere", "GET") for app in apps]

    if late:
        outcomes()

    monkeypatch.setattr(NotFound, name, patched)
    ours, oracle = outcomes()
    assert ours == oracle
    assert "making" in ours[2]
    monkeypatch.undo()
    ours, oracle = outcomes()
    assert ours == oracle
    assert "making" not in ours[2]
