"""Rules 19–39: dispatch, errors, and what happens after the view."""

from __future__ import annotations

import logging
import threading
import time
import typing as t

import pytest
from tests.conformance.subjects import Framework
from tests.conformance.support import call
from tests.conformance.support import environ
from tests.conformance.support import listen
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import BadRequestKeyError
from werkzeug.exceptions import Forbidden
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect


def note(trace: list[t.Any], name: str, value: t.Any = None) -> t.Callable[[], t.Any]:
    """A `before_request` function that leaves its name."""

    def func() -> t.Any:
        trace.append(name)
        return value

    func.__name__ = name
    return func


def note_after(trace: list[t.Any], name: str) -> t.Callable[[t.Any], t.Any]:
    def func(response: t.Any) -> t.Any:
        trace.append(name)
        return response

    func.__name__ = name
    return func


def note_exc(trace: list[t.Any], name: str) -> t.Callable[[t.Any], None]:
    def func(exc: t.Any) -> None:
        trace.append((name, exc))

    func.__name__ = name
    return func


def fails(error: BaseException) -> t.Callable[..., t.Any]:
    def func(*args: t.Any, **kwargs: t.Any) -> t.Any:
        raise error

    return func


def nested(fw: Framework) -> tuple[t.Any, t.Any, t.Any]:
    """An app, and a blueprint nested in another; register with `mount`."""
    return (
        fw.App("conformance"),
        fw.Blueprint("outer", "conformance", url_prefix="/outer"),
        fw.Blueprint("inner", "conformance", url_prefix="/inner"),
    )


def mount(app: t.Any, outer: t.Any, inner: t.Any) -> None:
    outer.register_blueprint(inner)
    app.register_blueprint(outer)


# --- Rule 19


def _set_up(name: str, fw: Framework, app: t.Any) -> None:
    if name == "route":
        app.route("/late")(lambda: "late")
    elif name == "get":
        app.get("/late")(lambda: "late")
    elif name == "add_url_rule":
        app.add_url_rule("/late", endpoint="late", view_func=lambda: "late")
    elif name == "errorhandler":
        app.errorhandler(404)(lambda e: "late")
    elif name == "register_error_handler":
        app.register_error_handler(404, lambda e: "late")
    elif name == "register_blueprint":
        app.register_blueprint(fw.Blueprint("late", "conformance"))
    elif name == "endpoint":
        app.endpoint("late")(lambda: "late")
    elif name == "after_request":
        app.after_request(lambda response: response)
    else:
        getattr(app, name)(lambda *args: None)


SETUP = [
    "route",
    "get",
    "add_url_rule",
    "endpoint",
    "before_request",
    "after_request",
    "teardown_request",
    "teardown_appcontext",
    "errorhandler",
    "register_error_handler",
    "register_blueprint",
    "url_value_preprocessor",
    "url_defaults",
]


@pytest.mark.parametrize("name", SETUP)
def test_c19_no_set_up_after_the_first_request(
    fw: Framework, app: t.Any, name: str
) -> None:
    _set_up(name, fw, app)
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    assert app._got_first_request is False
    call(app)
    assert app._got_first_request is True

    with pytest.raises(AssertionError) as info:
        _set_up(name, fw, app)

    named = {"get": "route"}.get(name, name)
    assert f"'{named}'" in str(info.value) or f"'{name}'" in str(info.value)
    assert "first request" in str(info.value)


def test_c19_before_first_request_is_set_up_too(native: Framework) -> None:
    app = native.App("conformance")
    app.before_first_request(lambda: None)
    call(app)

    with pytest.raises(AssertionError, match="before_first_request"):
        app.before_first_request(lambda: None)


def test_c19_it_is_set_first(fw: Framework, app: t.Any, trace: list[t.Any]) -> None:
    def started(sender: t.Any, **kwargs: t.Any) -> None:
        trace.append(app._got_first_request)

    with listen(fw.signals.request_started, app, started):
        call(app)

    assert trace == [True]


def test_c19_a_failing_first_request_counts(fw: Framework, app: t.Any) -> None:
    app.before_request(fails(ZeroDivisionError()))
    assert call(app).status == 500

    with pytest.raises(AssertionError):
        app.before_request(lambda: None)


def test_c19_pushing_a_context_is_not_a_request(fw: Framework, app: t.Any) -> None:
    with app.test_request_context("/"), app.app_context():
        app.route("/late")(lambda: "late")

    assert call(app, "/late").text == "late"


# --- Rule 20


def test_c20_flask_has_none(fw: Framework, app: t.Any) -> None:
    assert hasattr(app, "before_first_request") is fw.native


def test_c20_once_before_everything(native: Framework, trace: list[t.Any]) -> None:
    app = native.App("conformance")

    @app.before_first_request
    def first() -> None:
        trace.append(("first", native.request.path))

    @app.before_first_request
    def second() -> None:
        trace.append("second")

    app.url_value_preprocessor(lambda endpoint, values: trace.append("preprocessor"))
    app.before_request(note(trace, "before"))
    app.add_url_rule("/", endpoint="i", view_func=note(trace, "view", "view"))
    assert app.before_first_request(first) is first
    app.before_first_request_funcs.pop()
    assert call(app).text == "view"
    assert [e for e in trace if e != "preprocessor"] == [
        ("first", "/"),
        "second",
        "before",
        "view",
    ]
    assert trace.index("second") < trace.index("before")
    trace.clear()
    call(app)
    assert trace == ["preprocessor", "before", "view"]


def test_c20_its_return_value_is_ignored(native: Framework) -> None:
    app = native.App("conformance")
    app.before_first_request(lambda: "not an answer")
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    assert call(app).text == "view"


def test_c20_once_per_app(native: Framework, trace: list[t.Any]) -> None:
    for name in ("one", "two"):
        app = native.App("conformance")
        app.before_first_request(note(trace, name))
        call(app)
        call(app)

    assert trace == ["one", "two"]


def test_c20_on_a_blueprint(native: Framework, trace: list[t.Any]) -> None:
    app = native.App("conformance")
    bp = native.Blueprint("bp", "conformance")
    bp.before_app_first_request(note(trace, "first"))
    app.register_blueprint(bp)
    call(app, "/elsewhere")
    call(app, "/elsewhere")
    assert trace == ["first"]


def test_c20_async(native: Framework, trace: list[t.Any]) -> None:
    app = native.App("conformance")

    @app.before_first_request
    async def first() -> None:
        trace.append(native.request.path)

    call(app, "/x")
    call(app, "/y")
    assert trace == ["/x"]


def test_c20_an_error_is_handled_like_a_view_s(
    native: Framework, trace: list[t.Any]
) -> None:
    app = native.App("conformance")
    failures: list[Exception] = [ValueError("not yet"), Forbidden()]

    @app.before_first_request
    def earlier() -> None:
        trace.append("earlier")

    @app.before_first_request
    def first() -> None:
        trace.append("first")

        if failures:
            raise failures.pop(0)

    app.errorhandler(ValueError)(lambda e: (f"handled {e}", 503))
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "teardown"))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    answer = call(app)
    assert (answer.status, answer.text) == (503, "handled not yet")
    ends = ["after", ("teardown", None)]
    assert trace == ["earlier", "first", *ends]
    trace.clear()
    assert call(app).status == 403
    assert trace == ["earlier", "first", *ends], "they run again"
    trace.clear()
    assert call(app).text == "view"
    assert trace == ["earlier", "first", *ends]
    trace.clear()
    assert call(app).text == "view"
    assert trace == ends


def test_c20_an_unhandled_error_is_a_500(native: Framework, trace: list[t.Any]) -> None:
    app = native.App("conformance")
    error = ZeroDivisionError()
    app.before_first_request(fails(error))
    app.teardown_request(note_exc(trace, "teardown"))
    assert call(app).status == 500
    assert call(app).status == 500
    assert trace == [("teardown", error)] * 2


def test_c20_other_threads_wait(native: Framework, trace: list[t.Any]) -> None:
    app = native.App("conformance")
    entered = threading.Event()

    @app.before_first_request
    def first() -> None:
        entered.set()
        time.sleep(0.1)
        trace.append("first")

    @app.route("/")
    def index() -> str:
        trace.append("view")
        return "view"

    threads = [threading.Thread(target=call, args=(app,)) for _ in range(4)]
    threads[0].start()
    assert entered.wait(10)

    for thread in threads[1:]:
        thread.start()

    for thread in threads:
        thread.join(10)

    assert trace == ["first", "view", "view", "view", "view"]


# --- Rule 21


@pytest.mark.parametrize("where", ["started", "preprocessor", "before", "view"])
def test_c21_one_guard_for_signal_preprocessing_and_view(
    fw: Framework, app: t.Any, trace: list[t.Any], where: str
) -> None:
    error = LookupError(where)
    boom = fails(error)
    app.add_url_rule(
        "/", endpoint="i", view_func=boom if where == "view" else lambda: "view"
    )

    if where == "preprocessor":
        app.url_value_preprocessor(boom)
    elif where == "before":
        app.before_request(boom)

    @app.errorhandler(LookupError)
    def handler(e: Exception) -> str:
        assert e is error
        return f"handled {fw.request.path}"

    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "teardown"))
    receiver = boom if where == "started" else lambda sender, **kwargs: None

    with listen(fw.signals.request_started, app, receiver):
        assert call(app).text == "handled /"

    assert trace == ["after", ("teardown", None)]


# --- Rule 22


def test_c22_every_preprocessor_before_any_before_request(
    fw: Framework, trace: list[t.Any]
) -> None:
    app, outer, inner = nested(fw)

    def preprocessor(name: str) -> t.Callable[[t.Any, t.Any], None]:
        def func(endpoint: str | None, values: dict[str, t.Any] | None) -> None:
            trace.append((name, endpoint, dict(values or {})))

        return func

    for scope, name in ((inner, "inner"), (outer, "outer"), (app, "app")):
        scope.before_request(note(trace, f"before {name}"))

        for n in (1, 2):
            scope.url_value_preprocessor(preprocessor(f"{name}{n}"))

    inner.add_url_rule("/<int:n>", endpoint="view", view_func=lambda n: str(n))
    mount(app, outer, inner)
    assert call(app, "/outer/inner/7").text == "7"
    arguments = ("outer.inner.view", {"n": 7})
    assert trace == [
        *(
            (f"{name}{n}", *arguments)
            for name in ("app", "outer", "inner")
            for n in (1, 2)
        ),
        "before app",
        "before outer",
        "before inner",
    ]


def test_c22_they_may_change_the_view_arguments(fw: Framework, app: t.Any) -> None:
    @app.url_value_preprocessor
    def pull(endpoint: str | None, values: dict[str, t.Any]) -> None:
        fw.g.lang = values.pop("lang")
        values["extra"] = 1

    @app.route("/<lang>/<name>")
    def view(name: str, extra: int) -> str:
        return f"{fw.g.lang} {name} {extra} {sorted(fw.request.view_args)}"

    assert call(app, "/de/x").text == "de x 1 ['extra', 'name']"


def test_c22_none_none_on_a_404_and_a_405(fw: Framework, trace: list[t.Any]) -> None:
    app, outer, inner = nested(fw)
    app.url_value_preprocessor(lambda *args: trace.append(args))
    outer.url_value_preprocessor(lambda *args: trace.append("outer"))
    outer.add_url_rule("/", endpoint="view", view_func=lambda: "view")
    mount(app, outer, inner)
    assert call(app, "/outer/nothing").status == 404
    assert call(app, "/outer/", "POST").status == 405
    assert trace == [(None, None), (None, None)]


def test_c22_for_every_request_of_the_app(fw: Framework, trace: list[t.Any]) -> None:
    app, outer, inner = nested(fw)
    inner.app_url_value_preprocessor(lambda *args: trace.append("app-wide"))
    inner.before_app_request(note(trace, "before"))
    inner.after_app_request(note_after(trace, "after"))
    inner.teardown_app_request(note_exc(trace, "teardown"))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    mount(app, outer, inner)
    call(app)
    assert trace == ["app-wide", "before", "after", ("teardown", None)]


# --- Rule 23


def test_c23_before_request_from_the_app_inwards(
    fw: Framework, trace: list[t.Any]
) -> None:
    app, outer, inner = nested(fw)

    for scope, name in ((inner, "inner"), (outer, "outer"), (app, "app")):
        for n in (1, 2):
            scope.before_request(note(trace, f"{name}{n}"))

        scope.add_url_rule("/at", endpoint="at", view_func=note(trace, "view", "view"))

    mount(app, outer, inner)
    call(app, "/outer/inner/at")
    assert trace == ["app1", "app2", "outer1", "outer2", "inner1", "inner2", "view"]
    trace.clear()
    call(app, "/outer/at")
    assert trace == ["app1", "app2", "outer1", "outer2", "view"]
    trace.clear()
    call(app, "/at")
    assert trace == ["app1", "app2", "view"]


@pytest.mark.parametrize("value", ["answered", "", b"bytes", {"a": 1}, ("t", 201), []])
def test_c23_the_first_non_none_is_the_response(
    fw: Framework, app: t.Any, trace: list[t.Any], value: t.Any
) -> None:
    app.before_request(note(trace, "one"))
    app.before_request(note(trace, "two", value))
    app.before_request(note(trace, "three"))
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "teardown"))
    app.add_url_rule("/", endpoint="i", view_func=note(trace, "view", "view"))
    answer = call(app)
    assert trace == ["one", "two", "after", ("teardown", None)]

    with app.test_request_context("/"):
        expected = app.make_response(value)

    assert (answer.status, answer.body) == (
        expected.status_code,
        expected.get_data(),
    )


def test_c23_the_app_s_answer_stops_the_blueprint_s(
    fw: Framework, trace: list[t.Any]
) -> None:
    app, outer, inner = nested(fw)
    app.before_request(note(trace, "app", "from the app"))
    outer.before_request(note(trace, "outer"))
    outer.after_request(note_after(trace, "outer after"))
    outer.add_url_rule("/", endpoint="view", view_func=note(trace, "view", "view"))
    mount(app, outer, inner)
    assert call(app, "/outer/").text == "from the app"
    assert trace == ["app", "outer after"]


def test_c23_it_may_answer_a_404(fw: Framework, app: t.Any, trace: list[t.Any]) -> None:
    app.before_request(lambda: f"instead of {fw.request.routing_exception.code}")
    app.after_request(note_after(trace, "after"))
    app.errorhandler(404)(note_exc(trace, "handler"))
    answer = call(app, "/nowhere")
    assert (answer.status, answer.text) == (200, "instead of 404")
    assert trace == ["after"]


def test_c23_a_hook_returns_the_function(fw: Framework, app: t.Any) -> None:
    def func(*args: t.Any) -> None:
        pass

    bp = fw.Blueprint("bp", "conformance")

    for scope in (app, bp):
        assert scope.before_request(func) is func
        assert scope.after_request(func) is func
        assert scope.teardown_request(func) is func
        assert scope.url_value_preprocessor(func) is func
        assert scope.url_defaults(func) is func
        assert scope.errorhandler(404)(func) is func

    assert app.teardown_appcontext(func) is func
    assert app.before_request_funcs[None] == [func]
    assert app.after_request_funcs[None] == [func]
    assert app.teardown_request_funcs[None] == [func]
    assert app.teardown_appcontext_funcs == [func]


# --- Rule 24


@pytest.mark.parametrize(("path", "code"), [("/outer/no", 404), ("/outer/post", 405)])
def test_c24_a_routing_failure_has_no_blueprint(
    fw: Framework, trace: list[t.Any], path: str, code: int
) -> None:
    app, outer, inner = nested(fw)

    for scope, name in ((app, "app"), (outer, "outer")):
        scope.before_request(note(trace, f"before {name}"))
        scope.after_request(note_after(trace, f"after {name}"))
        scope.teardown_request(note_exc(trace, f"teardown {name}"))

    @app.errorhandler(code)
    def handler(e: HTTPException) -> tuple[str, int]:
        trace.append(f"handler app {fw.request.blueprints} {fw.request.endpoint}")
        assert e is fw.request.routing_exception
        return "app", code

    outer.errorhandler(code)(lambda e: "never asked")
    outer.add_url_rule("/post", endpoint="p", view_func=lambda: "", methods=["POST"])
    mount(app, outer, inner)
    answer = call(app, path)
    assert (answer.status, answer.text) == (code, "app")
    assert trace == [
        "before app",
        "handler app [] None",
        "after app",
        ("teardown app", None),
    ]


def test_c24_an_abort_in_a_blueprint_view_is_the_blueprint_s(fw: Framework) -> None:
    app, outer, inner = nested(fw)
    app.errorhandler(404)(lambda e: ("app", 404))
    outer.errorhandler(404)(lambda e: ("outer", 404))
    outer.add_url_rule("/", endpoint="v", view_func=lambda: fw.abort(404))
    inner.add_url_rule("/", endpoint="v", view_func=lambda: fw.abort(404))
    mount(app, outer, inner)
    assert call(app, "/outer/").text == "outer"
    assert call(app, "/outer/inner/").text == "outer"
    assert call(app, "/nowhere").text == "app"


def test_c24_a_hook_may_route_otherwise(fw: Framework, app: t.Any) -> None:
    """Dispatch reads what stands on the request by then."""
    app.add_url_rule("/there/<x>", endpoint="there", view_func=lambda x: f"there {x}")
    app.add_url_rule("/here", endpoint="here", view_func=lambda: "here")
    app.add_url_rule("/args/<x>", endpoint="args", view_func=lambda x: x)

    @app.before_request
    def before() -> None:
        request = fw.request

        if request.path == "/args/a":
            request.view_args = {"x": "b"}
        elif request.path == "/gone":
            request.routing_exception = Forbidden()
        elif request.path in {"/here", "/nowhere"}:
            (request.url_rule,) = app.url_map.iter_rules("there")
            request.view_args = {"x": request.path}
            request.routing_exception = None

    assert call(app, "/here").text == "there /here"
    assert call(app, "/nowhere").text == "there /nowhere"
    assert call(app, "/args/a").text == "b"
    assert call(app, "/args/c").text == "c"
    assert call(app, "/gone").status == 403


def test_c24_the_blueprints_follow_the_rule(fw: Framework, trace: list[t.Any]) -> None:
    app, outer, inner = nested(fw)
    outer.after_request(note_after(trace, "outer"))
    outer.teardown_request(note_exc(trace, "teardown outer"))
    outer.add_url_rule("/", endpoint="v", view_func=lambda: str(fw.request.blueprint))
    mount(app, outer, inner)

    @app.before_request
    def before() -> None:
        (fw.request.url_rule,) = app.url_map.iter_rules("outer.v")
        fw.request.view_args = {}
        fw.request.routing_exception = None

    assert call(app, "/nowhere").text == "outer"
    assert trace == ["outer", ("teardown outer", None)]


def test_c24_405_tells_the_methods(fw: Framework, app: t.Any) -> None:
    app.add_url_rule("/", endpoint="p", view_func=lambda: "", methods=["POST", "PUT"])
    answer = call(app)
    assert answer.status == 405
    assert _methods(answer.headers["Allow"]) == {"POST", "PUT", "OPTIONS"}


def test_c24_an_unknown_converter_is_a_set_up_error(fw: Framework, app: t.Any) -> None:
    with pytest.raises(LookupError, match="nosuch"):
        app.add_url_rule("/<nosuch:x>", endpoint="x", view_func=lambda x: x)


# --- Rule 25


def _methods(allow: str) -> set[str]:
    return {method.strip() for method in allow.split(",")}


def test_c25_options_after_before_request_instead_of_the_view(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.before_request(note(trace, "before"))
    app.after_request(note_after(trace, "after"))
    view = note(trace, "view", "view")
    app.add_url_rule("/", endpoint="i", view_func=view, methods=["GET", "POST"])
    answer = call(app, method="OPTIONS")
    assert (answer.status, answer.body) == (200, b"")
    assert _methods(answer.headers["Allow"]) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert trace == ["before", "after"]


def test_c25_before_request_may_answer_options(fw: Framework, app: t.Any) -> None:
    app.before_request(lambda: "mine")
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    answer = call(app, method="OPTIONS")
    assert answer.text == "mine" and "Allow" not in answer.headers


def test_c25_a_view_may_have_options_itself(fw: Framework, app: t.Any) -> None:
    app.add_url_rule("/", endpoint="i", view_func=lambda: "o", methods=["OPTIONS"])
    app.add_url_rule(
        "/off", endpoint="o", view_func=lambda: "off", provide_automatic_options=False
    )
    assert call(app, method="OPTIONS").text == "o"
    assert call(app, "/off", "OPTIONS").status == 405
    assert _methods(call(app, "/off", "OPTIONS").headers["Allow"]) == {"GET", "HEAD"}


def test_c25_switched_off_by_function_attribute_and_config(
    fw: Framework, app: t.Any
) -> None:
    def view() -> str:
        return "view"

    view.provide_automatic_options = False  # type: ignore[attr-defined]
    app.add_url_rule("/", view_func=view)
    assert call(app, method="OPTIONS").status == 405
    other = fw.App("conformance")
    other.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    other.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    assert call(other, method="OPTIONS").status == 405


def test_c25_required_methods_and_methods_of_the_function(
    fw: Framework, app: t.Any
) -> None:
    def view() -> str:
        return str(fw.request.method)

    view.required_methods = ["PATCH"]  # type: ignore[attr-defined]
    view.methods = ["PUT"]  # type: ignore[attr-defined]
    app.add_url_rule("/", view_func=view)
    assert call(app, method="PATCH").text == "PATCH"
    assert call(app, method="PUT").text == "PUT"
    assert call(app).status == 405


def test_c25_methods_are_a_list(fw: Framework, app: t.Any) -> None:
    with pytest.raises(TypeError, match="list of strings"):
        app.add_url_rule("/x", endpoint="x", view_func=lambda: "", methods="POST")


def test_c25_head_is_added_to_get(fw: Framework, app: t.Any) -> None:
    @app.get("/")
    def index() -> str:
        return f"{fw.request.method} body"

    answer = call(app, method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == str(len("HEAD body"))
    assert call(app).text == "GET body"


def test_c25_method_view_head_falls_back_to_get(fw: Framework, app: t.Any) -> None:
    class Both(fw.views.MethodView):  # type: ignore[name-defined,misc]
        def get(self) -> tuple[str, dict[str, str]]:
            return "got", {"X-Method": fw.request.method}

        def post(self) -> str:
            return "posted"

    class Head(Both):
        def head(self) -> tuple[str, dict[str, str]]:
            return "", {"X-Method": "own head"}

    app.add_url_rule("/", view_func=Both.as_view("both"))
    app.add_url_rule("/head", view_func=Head.as_view("head"))
    assert call(app, method="HEAD").headers["X-Method"] == "HEAD"
    assert call(app, "/head", "HEAD").headers["X-Method"] == "own head"
    assert call(app, method="POST").text == "posted"
    assert call(app, method="DELETE").status == 405
    assert _methods(call(app, method="OPTIONS").headers["Allow"]) == {
        "GET",
        "HEAD",
        "OPTIONS",
        "POST",
    }


# --- Rule 26


@pytest.mark.parametrize("key", [Exception, HTTPException, RequestRedirect])
def test_c26_a_routing_redirect_bypasses_handlers(
    fw: Framework, app: t.Any, trace: list[t.Any], key: t.Any
) -> None:
    app.errorhandler(key)(lambda e: ("asked", 200))
    app.add_url_rule("/foo/", endpoint="foo", view_func=lambda: "foo")
    app.before_request(note(trace, "before"))
    app.after_request(note_after(trace, "after"))
    answer = call(app, "/foo?a=b")
    assert answer.status == 308
    assert answer.headers["Location"] == "http://localhost/foo/?a=b"
    assert trace == ["before", "after"]


@pytest.mark.parametrize("key", [Exception, HTTPException])
def test_c26_an_error_without_a_code_is_returned_as_it_is(
    fw: Framework, app: t.Any, trace: list[t.Any], key: t.Any
) -> None:
    app.errorhandler(key)(lambda e: ("asked", 200))
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "teardown"))
    app.add_url_rule(
        "/", endpoint="i", view_func=lambda: fw.abort(fw.Response("as it is", 418))
    )
    answer = call(app)
    assert (answer.status, answer.text) == (418, "as it is")
    assert trace == ["after", ("teardown", None)]


def test_c26_a_response_on_an_error_with_a_code(fw: Framework, app: t.Any) -> None:
    @app.route("/")
    def index() -> t.Any:
        raise Forbidden(response=fw.Response("mine", 403))

    assert call(app).text == "mine"
    app.error_handler_spec[None][403][Forbidden] = lambda e: ("handled", 403)
    assert call(app).text == "handled"


# --- Rule 27


def _redirecting(fw: Framework, monkeypatch: pytest.MonkeyPatch, code: int) -> t.Any:
    monkeypatch.setattr(RequestRedirect, "code", code)
    app = fw.App("conformance")
    app.testing = True
    app.add_url_rule(
        "/foo/", endpoint="f", view_func=lambda: "s", methods=["GET", "POST"]
    )
    return app


def test_c27_debug_refuses_a_redirect_that_loses_the_body(
    fw: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = _redirecting(fw, monkeypatch, 301)
    app.debug = True

    with pytest.raises(AssertionError, match="canonical URL 'http://localhost/foo/'"):
        call(app, "/foo", "POST", data={"a": "b"})

    for method in ("GET", "HEAD", "OPTIONS"):
        assert call(app, "/foo", method).status == 301


def test_c27_not_without_debug(fw: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    app = _redirecting(fw, monkeypatch, 301)
    assert call(app, "/foo", "POST", data={"a": "b"}).status == 301


@pytest.mark.parametrize("code", [307, 308])
def test_c27_not_where_the_body_is_kept(
    fw: Framework, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    app = _redirecting(fw, monkeypatch, code)
    app.debug = True
    assert call(app, "/foo", "POST", data={"a": "b"}).status == code


# --- Rule 28


def test_c28_the_order_of_what_follows_the_view(
    fw: Framework, trace: list[t.Any]
) -> None:
    class Interface(fw.sessions.SecureCookieSessionInterface):  # type: ignore[name-defined,misc]
        def save_session(self, app: t.Any, session: t.Any, response: t.Any) -> None:
            trace.append("save")
            super().save_session(app, session, response)

    app, outer, inner = nested(fw)
    app.secret_key = "key"
    app.session_interface = Interface()

    for scope, name in ((app, "app"), (outer, "outer"), (inner, "inner")):
        for n in (1, 2):
            scope.after_request(note_after(trace, f"{name}{n}"))

    @inner.route("/")
    def view() -> str:
        fw.after_this_request(note_after(trace, "this1"))
        fw.after_this_request(note_after(trace, "this2"))
        return "view"

    @inner.before_request
    def before() -> None:
        fw.after_this_request(note_after(trace, "this0"))

    mount(app, outer, inner)

    def finished(sender: t.Any, response: t.Any, **kwargs: t.Any) -> None:
        trace.append(("finished", response.get_data()))

    with listen(fw.signals.request_finished, app, finished):
        call(app, "/outer/inner/")

    assert trace == [
        "this0",
        "this1",
        "this2",
        "inner2",
        "inner1",
        "outer2",
        "outer1",
        "app2",
        "app1",
        "save",
        ("finished", b"view"),
    ]


def test_c28_each_gets_what_the_one_before_returned(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    def append(what: str) -> t.Callable[[t.Any], t.Any]:
        return lambda response: fw.Response(response.get_data() + what.encode(), 201)

    @app.route("/")
    def index() -> str:
        fw.after_this_request(append(" this"))
        return "view"

    app.after_request(append(" first"))
    app.after_request(append(" second"))

    def finished(sender: t.Any, response: t.Any, **kwargs: t.Any) -> None:
        trace.append(response.get_data())

    with listen(fw.signals.request_finished, app, finished):
        answer = call(app)

    assert (answer.status, answer.text) == (201, "view this second first")
    assert trace == [b"view this second first"]


def test_c28_an_after_this_request_added_while_they_run(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    @app.route("/")
    def index() -> str:
        @fw.after_this_request
        def one(response: t.Any) -> t.Any:
            trace.append("one")
            fw.after_this_request(note_after(trace, "two"))
            return response

        return "view"

    app.after_request(note_after(trace, "after"))
    call(app)
    assert trace == ["one", "two", "after"]
    trace.clear()
    app.view_functions["index"] = lambda: "plain"
    call(app)
    assert trace == ["after"], "for this request only"


def test_c28_the_session_is_saved_after_the_hooks(fw: Framework, app: t.Any) -> None:
    app.secret_key = "key"
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    app.add_url_rule(
        "/read", endpoint="r", view_func=lambda: fw.session.get("late", "nothing")
    )

    @app.after_request
    def after(response: t.Any) -> t.Any:
        fw.session["late"] = "written by the hook"
        return response

    client = app.test_client()
    assert client.get("/read").text == "nothing"
    assert client.get("/read").text == "written by the hook"


def test_c28_a_null_session_is_not_saved(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    class Interface(fw.sessions.SecureCookieSessionInterface):  # type: ignore[name-defined,misc]
        def save_session(self, *args: t.Any) -> None:
            trace.append("save")

    app.session_interface = Interface()
    app.add_url_rule("/", endpoint="i", view_func=lambda: str(fw.session.get("a")))
    assert call(app).text == "None"
    assert trace == []


@pytest.mark.parametrize("value", [None, "a string", 1])
def test_c28_an_after_request_that_returns_no_response(
    fw: Framework, app: t.Any, value: t.Any
) -> None:
    def forgetful(response: t.Any) -> t.Any:
        return value

    app.testing = True
    app.secret_key = "key"
    app.after_request(forgetful)
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")

    if fw.native:
        with pytest.raises(TypeError, match="forgetful"):
            call(app)

        app.testing = False
        assert call(app).status == 500
    else:
        with pytest.raises((TypeError, AttributeError)):
            call(app)


def test_c28_an_after_this_request_that_returns_no_response(
    native: Framework,
) -> None:
    app = native.App("conformance")
    app.testing = True

    @app.route("/")
    def index() -> str:
        @native.after_this_request
        def forgetful(response: t.Any) -> None:
            pass

        return "view"

    with pytest.raises(TypeError, match="forgetful"):
        call(app)


def test_c28_an_after_request_may_return_any_werkzeug_response(
    fw: Framework, app: t.Any
) -> None:
    from werkzeug.wrappers import Response

    app.after_request(lambda response: Response("plain werkzeug", 202))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    answer = call(app)
    assert (answer.status, answer.text) == (202, "plain werkzeug")


# --- Rule 29


def _after_failing(
    fw: Framework, app: t.Any, trace: list[t.Any], times: int
) -> Exception:
    error = LookupError("in after_request")

    @app.after_request
    def last(response: t.Any) -> t.Any:
        trace.append(("last", response.status_code))
        response.headers["X-Last"] = "ran"
        return response

    @app.after_request
    def failing(response: t.Any) -> t.Any:
        trace.append(("failing", response.status_code))

        if sum(event[0] == "failing" for event in trace) <= times:
            raise error

        return response

    @app.after_request
    def earlier(response: t.Any) -> t.Any:
        trace.append(("earlier", response.status_code))
        return response

    app.errorhandler(LookupError)(lambda e: ("never asked", 200))
    app.errorhandler(Exception)(lambda e: ("500 by class", 500))
    app.teardown_request(note_exc(trace, "teardown"))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    return error


def test_c29_an_error_in_after_request_is_a_500_and_the_chain_runs_again(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    error = _after_failing(fw, app, trace, times=1)

    def signalled(sender: t.Any, exception: BaseException, **kwargs: t.Any) -> None:
        trace.append(("signal", exception))

    with listen(fw.signals.got_request_exception, app, signalled):
        answer = call(app)

    assert (answer.status, answer.text) == (500, "500 by class")
    assert answer.headers["X-Last"] == "ran"
    assert trace == [
        ("earlier", 200),
        ("failing", 200),
        ("signal", error),
        ("earlier", 500),
        ("failing", 500),
        ("last", 500),
        ("teardown", error),
    ]


def test_c29_a_second_failure_is_logged(
    fw: Framework,
    app: t.Any,
    trace: list[t.Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = _after_failing(fw, app, trace, times=2)
    answer = call(app)
    assert (answer.status, answer.text) == (500, "500 by class")
    assert "X-Last" not in answer.headers, "the unfinished response"
    assert trace == [
        ("earlier", 200),
        ("failing", 200),
        ("earlier", 500),
        ("failing", 500),
        ("teardown", error),
    ]
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [
        "Exception on / [GET]",
        "Request finalizing failed with an error while handling an error",
    ]
    assert all(record.exc_info for record in caplog.records)


def test_c29_the_500_handler_is_asked(fw: Framework, app: t.Any) -> None:
    failures = [ZeroDivisionError("after")]

    @app.after_request
    def after(response: t.Any) -> t.Any:
        if failures:
            raise failures.pop()

        return response

    @app.errorhandler(500)
    def internal(e: InternalServerError) -> tuple[str, int]:
        return f"500 for {e.original_exception!r}", 500

    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    assert call(app).text == "500 for ZeroDivisionError('after')"


@pytest.mark.parametrize("error", [OSError("disk"), Forbidden()])
def test_c29_an_error_in_the_save(
    fw: Framework, app: t.Any, trace: list[t.Any], error: Exception
) -> None:
    class Interface(fw.sessions.SecureCookieSessionInterface):  # type: ignore[name-defined,misc]
        def save_session(self, app: t.Any, session: t.Any, response: t.Any) -> None:
            trace.append(("save", response.status_code))
            raise error

    app.secret_key = "key"
    app.session_interface = Interface()
    app.errorhandler(OSError)(lambda e: ("never asked", 200))
    app.errorhandler(403)(lambda e: ("never asked", 200))
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "teardown"))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    assert call(app).status == 500
    assert trace == [
        "after",
        ("save", 200),
        "after",
        ("save", 500),
        ("teardown", error),
    ]


def test_c29_an_error_in_request_finished(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "teardown"))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    error = LookupError("receiver")

    with listen(fw.signals.request_finished, app, fails(error)):
        assert call(app).status == 500

    assert trace == ["after", "after", ("teardown", error)]


def test_c29_after_an_error_handler_too(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    failures = [ZeroDivisionError("after")]
    app.errorhandler(404)(lambda e: ("mine", 404))

    @app.after_request
    def after(response: t.Any) -> t.Any:
        trace.append(response.status_code)

        if failures:
            raise failures.pop()

        return response

    assert call(app, "/nowhere").status == 500
    assert trace == [404, 500]


# --- Rule 30


@pytest.mark.parametrize("value", [None, 1, ("a", 1, {}, 2)])
def test_c30_a_bad_return_value_of_the_view_is_no_handler_s(
    fw: Framework, app: t.Any, trace: list[t.Any], value: t.Any
) -> None:
    app.errorhandler(TypeError)(lambda e: ("never asked", 200))
    app.after_request(note_after(trace, "after"))
    app.teardown_request(lambda exc: trace.append(type(exc)))
    app.add_url_rule("/", endpoint="i", view_func=lambda: value)
    assert call(app).status == 500
    assert trace == ["after", TypeError], "after_request runs for the 500 only"


def test_c30_a_bad_return_value_of_the_500_handler_escapes(
    fw: Framework, app: t.Any, trace: list[t.Any], caplog: pytest.LogCaptureFixture
) -> None:
    error = ZeroDivisionError()
    app.errorhandler(500)(lambda e: None)
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "teardown"))
    app.add_url_rule("/", endpoint="i", view_func=fails(error))

    with pytest.raises(TypeError, match="did not return a valid response"):
        call(app)

    assert trace == [("teardown", error)]
    assert "Request finalizing failed" not in caplog.text


def test_c30_a_bad_return_value_of_an_error_handler(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.errorhandler(404)(lambda e: None)
    app.errorhandler(TypeError)(lambda e: ("never asked", 200))
    app.teardown_request(lambda exc: trace.append(type(exc)))
    assert call(app, "/nowhere").status == 500
    assert trace == [TypeError]


# --- Rule 31


class _Exit(BaseException):
    pass


@pytest.mark.parametrize("cls", [SystemExit, KeyboardInterrupt, _Exit])
@pytest.mark.parametrize("where", ["started", "before", "view", "handler", "after"])
def test_c31_base_exceptions_pass_through(
    fw: Framework, app: t.Any, trace: list[t.Any], cls: type[BaseException], where: str
) -> None:
    error = cls()
    boom = fails(error)
    other = {"view": boom, "handler": fails(ValueError())}.get(where, lambda: "view")
    app.add_url_rule("/", endpoint="i", view_func=other)
    app.teardown_request(note_exc(trace, "request"))
    app.teardown_appcontext(note_exc(trace, "appcontext"))
    app.errorhandler(500)(note_exc(trace, "500"))
    app.after_request(note_after(trace, "after"))

    if where == "before":
        app.before_request(boom)
    elif where == "handler":
        app.errorhandler(ValueError)(boom)
    elif where == "after":
        app.after_request(boom)

    receiver = boom if where == "started" else lambda sender, **kwargs: None

    with (
        listen(fw.signals.request_started, app, receiver),
        listen(
            fw.signals.got_request_exception, app, lambda *a, **k: trace.append("s")
        ),
        pytest.raises(cls) as info,
    ):
        call(app)

    assert info.value is error
    assert trace == [("request", error), ("appcontext", error)]


def test_c31_greenlet_exit(fw: Framework, app: t.Any, trace: list[t.Any]) -> None:
    greenlet = pytest.importorskip("greenlet")
    error = greenlet.GreenletExit()
    app.add_url_rule("/", endpoint="i", view_func=fails(error))
    app.teardown_request(note_exc(trace, "teardown"))

    with pytest.raises(greenlet.GreenletExit):
        call(app)

    assert trace == [("teardown", error)]


# --- Rule 32


def _handlers(
    fw: Framework, raised: t.Any, table: list[tuple[str, t.Any]]
) -> tuple[str, int]:
    """Which handler of `table` (scope, key) answers what an inner view raises."""
    app, outer, inner = nested(fw)
    scopes = {"app": app, "outer": outer, "inner": inner}

    for scope, key in table:
        label = f"{scope} {getattr(key, '__name__', key)}"
        scopes[scope].register_error_handler(key, lambda e, label=label: label)

    inner.add_url_rule("/", endpoint="v", view_func=fails(raised))
    mount(app, outer, inner)
    answer = call(app, "/outer/inner/")
    return answer.text, answer.status


class _Base(Exception):
    pass


class _Child(_Base):
    pass


class _Teapot(Forbidden):
    """Forbidden's code, a class of its own."""


@pytest.mark.parametrize(
    ("raised", "table", "expected"),
    [
        # By code: inner to outer, then the app.
        (Forbidden(), [("app", 403), ("outer", 403), ("inner", 403)], "inner 403"),
        (Forbidden(), [("app", 403), ("outer", 403)], "outer 403"),
        (Forbidden(), [("app", 403)], "app 403"),
        # A code anywhere before a class anywhere.
        (Forbidden(), [("app", 403), ("inner", HTTPException)], "app 403"),
        (Forbidden(), [("app", 403), ("inner", Exception)], "app 403"),
        (Forbidden(), [("app", Forbidden), ("inner", HTTPException)], "app Forbidden"),
        # By class: inner to outer, then the app, however near the class.
        (_Child(), [("app", _Child), ("inner", Exception)], "inner Exception"),
        (_Child(), [("app", _Child), ("outer", _Base)], "outer _Base"),
        (
            Forbidden(),
            [("app", HTTPException), ("inner", Exception)],
            "inner Exception",
        ),
        # Within one map, the MRO.
        (_Child(), [("app", Exception), ("app", _Child), ("app", _Base)], "app _Child"),
        (_Child(), [("app", Exception), ("app", _Base)], "app _Base"),
        (_Child(), [("app", Exception)], "app Exception"),
        (
            Forbidden(),
            [("app", Exception), ("app", HTTPException)],
            "app HTTPException",
        ),
        # A subclass of an HTTP exception is found by its code, its own class first.
        (_Teapot(), [("app", 403)], "app 403"),
        (_Teapot(), [("app", Forbidden), ("app", _Teapot)], "app _Teapot"),
        (_Teapot(), [("inner", Forbidden), ("app", _Teapot)], "inner Forbidden"),
        # Another code does not answer.
        (Forbidden(), [("app", 404), ("app", 500)], None),
        (NotFound(), [("app", Forbidden), ("app", _Base)], None),
    ],
)
def test_c32_which_handler_answers(
    fw: Framework, raised: t.Any, table: t.Any, expected: str | None
) -> None:
    text, status = _handlers(fw, raised, table)

    if expected is None:
        assert status == raised.code
    else:
        assert (text, status) == (expected, 200)


def test_c32_a_handler_that_is_registered_twice_is_replaced(
    fw: Framework, app: t.Any
) -> None:
    app.register_error_handler(404, lambda e: "one")
    app.register_error_handler(NotFound, lambda e: "two")
    assert call(app, "/nowhere").text == "two"


def test_c32_app_errorhandler_on_a_blueprint(fw: Framework) -> None:
    app, outer, inner = nested(fw)
    inner.app_errorhandler(404)(lambda e: "app-wide")
    mount(app, outer, inner)
    assert call(app, "/nowhere").text == "app-wide"


@pytest.mark.parametrize("key", [BadRequestKeyError, 600, "404", ValueError("x"), int])
def test_c32_what_may_be_registered(fw: Framework, app: t.Any, key: t.Any) -> None:
    if key is BadRequestKeyError:
        app.register_error_handler(key, lambda e: f"bad {e.args}")
        app.add_url_rule("/", endpoint="i", view_func=lambda: fw.request.args["a"])
        assert call(app).text.startswith("bad")
    else:
        with pytest.raises((ValueError, TypeError)):
            app.register_error_handler(key, lambda e: "")


# --- Rule 33


@pytest.mark.parametrize(
    ("raised", "handled"),
    [(NotFound(), None), (NotFound(), 404), (_Child(), _Base), (_Child(), Exception)],
)
def test_c33_a_handled_error_is_no_error(
    fw: Framework, app: t.Any, trace: list[t.Any], raised: Exception, handled: t.Any
) -> None:
    if handled is not None:
        app.register_error_handler(handled, lambda e: ("handled", 404))

    app.testing = True
    app.add_url_rule("/", endpoint="i", view_func=fails(raised))
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "request"))
    app.teardown_appcontext(note_exc(trace, "appcontext"))

    with listen(
        fw.signals.got_request_exception, app, lambda *a, **k: trace.append("signal")
    ):
        assert call(app).status == 404

    assert trace == ["after", ("request", None), ("appcontext", None)]


# --- Rule 34


def test_c34_an_unhandled_error_step_by_step(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    error = ZeroDivisionError("in the view")

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert record.exc_info is not None and record.exc_info[1] is error
            trace.append(("log", record.levelname, record.getMessage()))

    @app.errorhandler(500)
    def internal(e: InternalServerError) -> tuple[str, int]:
        assert type(e) is InternalServerError
        trace.append(("handler", e.original_exception))
        return "sorry", 500

    def signalled(sender: t.Any, exception: BaseException, **kwargs: t.Any) -> None:
        assert sender is app
        trace.append(("signal", exception))

    app.add_url_rule("/x", endpoint="i", view_func=fails(error))
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "request"))
    app.teardown_appcontext(note_exc(trace, "appcontext"))
    handler = Handler()
    app.logger.addHandler(handler)

    try:
        with listen(fw.signals.got_request_exception, app, signalled):
            answer = call(app, "/x")
    finally:
        app.logger.removeHandler(handler)

    assert (answer.status, answer.text) == (500, "sorry")
    assert trace == [
        ("signal", error),
        ("log", "ERROR", "Exception on /x [GET]"),
        ("handler", error),
        "after",
        ("request", error),
        ("appcontext", error),
    ]


def test_c34_without_a_handler_the_stock_500(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.add_url_rule("/", endpoint="i", view_func=lambda: 1 // 0)
    app.after_request(note_after(trace, "after"))
    answer = call(app)
    assert answer.status_line == "500 INTERNAL SERVER ERROR"
    assert "Internal Server Error" in answer.text
    assert "ZeroDivision" not in answer.text
    assert trace == ["after"]


@pytest.mark.parametrize("key", [500, InternalServerError, HTTPException, Exception])
def test_c34_which_handlers_take_the_500(fw: Framework, app: t.Any, key: t.Any) -> None:
    seen = []

    @app.errorhandler(key)
    def handler(e: t.Any) -> tuple[str, int]:
        seen.append(e)
        return "handled", 500

    error = ZeroDivisionError()
    app.add_url_rule("/", endpoint="i", view_func=fails(error))
    assert call(app).text == "handled"
    (e,) = seen

    if key is Exception:
        assert e is error, "a handler for Exception takes the error itself"
    else:
        assert isinstance(e, InternalServerError)
        assert e.original_exception is error


def test_c34_the_blueprint_s_500_handler(fw: Framework) -> None:
    app, outer, inner = nested(fw)
    app.errorhandler(500)(lambda e: "app")
    outer.errorhandler(500)(lambda e: "outer")
    inner.add_url_rule("/", endpoint="v", view_func=lambda: 1 // 0)
    mount(app, outer, inner)
    assert call(app, "/outer/inner/").text == "outer"


def test_c34_an_aborted_500_has_no_original(fw: Framework, app: t.Any) -> None:
    app.errorhandler(500)(lambda e: f"{e.original_exception}")
    app.add_url_rule("/", endpoint="i", view_func=lambda: fw.abort(500))
    assert call(app).text == "None"


@pytest.mark.parametrize("with_handler", [False, True])
def test_c34_after_request_on_error_switched_off(
    native: Framework, trace: list[t.Any], with_handler: bool
) -> None:
    app = native.App("conformance")
    app.config["AFTER_REQUEST_ON_ERROR"] = False
    error = ZeroDivisionError()

    if with_handler:
        app.errorhandler(500)(lambda e: ("mine", 500))

    app.errorhandler(LookupError)(lambda e: "handled")
    app.add_url_rule("/", endpoint="i", view_func=lambda: "fine")
    app.add_url_rule("/fails", endpoint="f", view_func=fails(error))
    app.add_url_rule("/handled", endpoint="h", view_func=fails(LookupError()))
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "teardown"))
    assert call(app, "/fails").status == 500
    assert trace == [("teardown", error)]

    for path in ("/", "/handled", "/nowhere"):
        trace.clear()
        call(app, path)
        assert trace == ["after", ("teardown", None)]


def test_c34_after_request_on_error_is_on_by_default(native: Framework) -> None:
    assert native.App("conformance").config["AFTER_REQUEST_ON_ERROR"] is True


# --- Rule 35


@pytest.mark.parametrize("raised", [NotFound(), _Child()])
def test_c35_a_handler_that_raises(
    fw: Framework, app: t.Any, trace: list[t.Any], raised: Exception
) -> None:
    error = LookupError("in the handler")
    app.register_error_handler(type(raised), fails(error))
    app.errorhandler(LookupError)(lambda e: ("never asked", 200))
    app.errorhandler(500)(lambda e: (f"500 for {e.original_exception}", 500))
    app.add_url_rule("/", endpoint="i", view_func=fails(raised))
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "teardown"))

    def signalled(sender: t.Any, exception: BaseException, **kwargs: t.Any) -> None:
        trace.append(("signal", exception))

    with listen(fw.signals.got_request_exception, app, signalled):
        answer = call(app)

    assert (answer.status, answer.text) == (500, "500 for in the handler")
    assert trace == [("signal", error), "after", ("teardown", error)]
    assert error.__context__ is raised


def test_c35_a_handler_may_abort(fw: Framework, app: t.Any) -> None:
    app.errorhandler(_Child)(lambda e: fw.abort(403))
    app.errorhandler(403)(lambda e: ("never asked", 403))
    app.add_url_rule("/", endpoint="i", view_func=fails(_Child()))
    assert call(app).status == 500


def test_c35_the_500_handler_that_raises(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    error = ZeroDivisionError()
    app.errorhandler(500)(fails(LookupError("in the 500 handler")))
    app.add_url_rule("/", endpoint="i", view_func=fails(error))
    app.teardown_request(note_exc(trace, "teardown"))

    with pytest.raises(LookupError, match="in the 500 handler"):
        call(app)

    assert trace == [("teardown", error)]


# --- Rule 36


@pytest.mark.parametrize("explicit", [None, True, False])
@pytest.mark.parametrize("testing", [False, True])
@pytest.mark.parametrize("debug", [False, True])
def test_c36_when_errors_propagate(
    fw: Framework,
    app: t.Any,
    trace: list[t.Any],
    caplog: pytest.LogCaptureFixture,
    explicit: bool | None,
    testing: bool,
    debug: bool,
) -> None:
    error = ZeroDivisionError()
    app.config["PROPAGATE_EXCEPTIONS"] = explicit
    app.testing = testing
    app.debug = debug
    app.add_url_rule("/", endpoint="i", view_func=fails(error))
    app.errorhandler(500)(lambda e: ("sorry", 500))
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "teardown"))
    propagates = explicit if explicit is not None else testing or debug

    with listen(
        fw.signals.got_request_exception, app, lambda *a, **k: trace.append("signal")
    ):
        if propagates:
            with pytest.raises(ZeroDivisionError) as info:
                call(app)

            assert info.value is error
            assert trace == ["signal", ("teardown", error)]
            assert caplog.records == []
        else:
            assert call(app).text == "sorry"
            assert trace == ["signal", "after", ("teardown", error)]
            assert len(caplog.records) == 1


def test_c36_the_default_is_none(fw: Framework, app: t.Any) -> None:
    assert app.config["PROPAGATE_EXCEPTIONS"] is None


def test_c36_a_handler_still_answers(fw: Framework, app: t.Any) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.errorhandler(ZeroDivisionError)(lambda e: "handled")
    app.add_url_rule("/", endpoint="i", view_func=lambda: 1 // 0)
    assert call(app).text == "handled"


# --- Rule 37


def test_c37_trap_http_exceptions_traps_all(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    app.testing = True
    app.config["TRAP_HTTP_EXCEPTIONS"] = True
    app.add_url_rule("/", endpoint="i", view_func=lambda: fw.abort(403))
    app.add_url_rule("/foo/", endpoint="f", view_func=lambda: "foo")
    app.teardown_request(lambda exc: trace.append(type(exc)))

    with pytest.raises(Forbidden):
        call(app)

    with pytest.raises(NotFound):
        call(app, "/nowhere")

    with pytest.raises(RequestRedirect):
        call(app, "/foo")

    assert trace == [Forbidden, NotFound, RequestRedirect]
    app.testing = False
    assert call(app).status == 500


def test_c37_a_trapped_exception_still_has_its_handler(
    fw: Framework, app: t.Any
) -> None:
    app.config["TRAP_HTTP_EXCEPTIONS"] = True
    app.errorhandler(403)(lambda e: "handled")
    app.add_url_rule("/", endpoint="i", view_func=lambda: fw.abort(403))
    assert call(app).text == "handled"


@pytest.mark.parametrize(
    ("trap", "debug", "key_error", "bad_request"),
    [
        (None, False, False, False),
        (None, True, True, False),
        (True, False, True, True),
        (True, True, True, True),
        (False, True, False, False),
        (False, False, False, False),
    ],
)
def test_c37_trap_bad_request_errors(
    fw: Framework,
    app: t.Any,
    trap: bool | None,
    debug: bool,
    key_error: bool,
    bad_request: bool,
) -> None:
    app.testing = True
    app.debug = debug
    app.config["TRAP_BAD_REQUEST_ERRORS"] = trap
    app.add_url_rule("/key", endpoint="k", view_func=lambda: fw.request.form["missing"])
    app.add_url_rule("/bad", endpoint="b", view_func=lambda: fw.abort(400))
    app.add_url_rule("/no", endpoint="n", view_func=lambda: fw.abort(403))
    assert call(app, "/no").status == 403

    if key_error:
        with pytest.raises(KeyError) as info:
            call(app, "/key")

        assert isinstance(info.value, BadRequestKeyError)
        assert "missing" in info.value.get_description()
    else:
        answer = call(app, "/key")
        assert answer.status == 400
        assert ("missing" in answer.text) is debug

    if bad_request:
        with pytest.raises(BadRequest):
            call(app, "/bad")
    else:
        assert call(app, "/bad").status == 400


# --- Rule 38


def test_c38_an_error_in_the_response_s_call(fw: Framework, trace: list[t.Any]) -> None:
    error = ZeroDivisionError("in __call__")

    class Response(fw.Response):  # type: ignore[name-defined,misc]
        def __call__(self, environ: t.Any, start_response: t.Any) -> t.Any:
            raise error

    class App(fw.App):  # type: ignore[name-defined,misc]
        response_class = Response

    app = App("conformance")
    app.errorhandler(500)(lambda e: ("never asked", 500))
    app.errorhandler(ZeroDivisionError)(lambda e: ("never asked", 500))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    app.after_request(note_after(trace, "after"))
    app.teardown_request(note_exc(trace, "request"))
    app.teardown_appcontext(note_exc(trace, "appcontext"))

    with pytest.raises(ZeroDivisionError) as info:
        call(app)

    assert info.value is error
    given = error if fw.native else None
    assert trace == ["after", ("request", given), ("appcontext", given)]


def test_c38_an_error_in_start_response(
    fw: Framework, app: t.Any, trace: list[t.Any]
) -> None:
    error = OSError("the client is gone")
    app.add_url_rule("/", endpoint="i", view_func=lambda: "view")
    app.teardown_request(note_exc(trace, "request"))
    app.teardown_appcontext(note_exc(trace, "appcontext"))

    with pytest.raises(OSError, match="the client is gone"):
        app(environ(), fails(error))

    given = error if fw.native else None
    assert trace == [("request", given), ("appcontext", given)]


# --- Rule 39


def test_c39_the_error_log_quotes_the_path(
    fw: Framework, app: t.Any, caplog: pytest.LogCaptureFixture
) -> None:
    app.before_request(fails(ZeroDivisionError()))
    assert call(app, "/x%0aFAKE%0d%1b[31m").status == 500
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith("Exception on /x")
    assert message.endswith("[GET]")
    assert "FAKE" in message
    forged = any(not char.isprintable() for char in message)
    assert forged is not fw.native

    if fw.native:
        assert len(message.splitlines()) == 1
    else:
        assert message == "Exception on /x\nFAKE\r\x1b[31m [GET]"


def test_c39_an_ordinary_path_as_it_is(
    fw: Framework, app: t.Any, caplog: pytest.LogCaptureFixture
) -> None:
    app.add_url_rule("/<path:p>", endpoint="i", view_func=lambda p: 1 // 0)
    call(app, "/caf%C3%A9/%25/a%20b", method="GET")
    (record,) = caplog.records
    assert record.getMessage() == "Exception on /café/%/a b [GET]"
    assert record.levelno == logging.ERROR
    assert record.name == "conformance"


def test_c39_the_method_is_quoted_too(
    native: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    app = native.App("conformance")
    app.before_request(fails(ZeroDivisionError()))
    env = environ()
    env["REQUEST_METHOD"] = "GET\nFAKE"
    call(app, env=env)

    for record in caplog.records:
        assert len(record.getMessage().splitlines()) == 1


def test_c39_log_exception_may_be_overridden(fw: Framework, trace: list[t.Any]) -> None:
    error = ZeroDivisionError()

    class App(fw.App):  # type: ignore[name-defined,misc]
        # Flask 3.2 gives the context as well, where the first is called ctx.
        def log_exception(self, *ctx) -> None:
            (_, error, _) = ctx[-1]
            trace.append(error)

    app = App("conformance")
    app.add_url_rule("/", endpoint="i", view_func=fails(error))
    assert call(app).status == 500
    assert trace == [error]


@pytest.mark.parametrize("extra", [0, 1, 7, 8, 20])
def test_a_view_gets_the_arguments_it_was_left(fw: Framework, extra: int) -> None:
    app = fw.App("conformance")

    @app.url_value_preprocessor  # type: ignore[untyped-decorator]
    def add(endpoint: str | None, values: dict[str, t.Any]) -> None:
        values.update({f"a{n}": n for n in range(extra)})

    @app.get("/<int:id>")  # type: ignore[untyped-decorator]
    def view(id: int, **values: t.Any) -> list[t.Any]:
        kept = list(values.items())
        fw.request.view_args.clear()
        return [id, kept, fw.request.view_args]

    assert call(app, "/5").json == [5, [[f"a{n}", n] for n in range(extra)], {}]


@pytest.mark.parametrize("key", ["unexpected", "number", "name"])
def test_a_view_is_not_called_with_arguments_it_cannot_take(
    fw: Framework, key: str
) -> None:
    class Name(str):
        pass

    app = fw.App("conformance")
    app.testing = True

    @app.url_value_preprocessor  # type: ignore[untyped-decorator]
    def add(endpoint: str | None, values: dict[t.Any, t.Any]) -> None:
        values[{"unexpected": "other", "number": 1, "name": Name("name")}[key]] = 7

    @app.get("/<int:id>")  # type: ignore[untyped-decorator]
    def view(id: int, name: int = 0) -> str:
        return f"{id} {name}"

    if key == "name":
        assert call(app, "/5").text == "5 7"
    else:
        with pytest.raises(TypeError, match="unexpected|keywords must be strings"):
            call(app, "/5")


@pytest.mark.parametrize("bad", ["404", None, [404], 404.0, lambda e: "x"], ids=repr)
def test_what_is_neither_class_nor_code_has_no_handler(
    fw: Framework, bad: t.Any
) -> None:
    app = fw.App("conformance")
    with pytest.raises(TypeError, match="class"):
        app.errorhandler(bad)(lambda e: "handled")


@pytest.mark.parametrize("slots", [False, True])
def test_a_session_interface_of_any_class(fw: Framework, slots: bool) -> None:
    class Interface:
        if slots:
            __slots__ = ()

        def open_session(self, app: t.Any, request: t.Any) -> dict[str, t.Any]:
            return {"path": request.path}

        def is_null_session(self, session: t.Any) -> bool:
            return False

        def save_session(self, app: t.Any, session: t.Any, response: t.Any) -> None:
            response.headers["X-Session"] = session["path"]

    app = fw.App("conformance")
    app.session_interface = Interface()
    app.add_url_rule("/", "index", lambda: "index")

    for path, status in (("/", 200), ("/nowhere", 404), ("/", 200)):
        answer = call(app, path)
        assert (answer.status, answer.headers["X-Session"]) == (status, path)


def test_c46_async_functions_run_once_each(
    native: Framework, trace: list[t.Any]
) -> None:
    app = native.App("conformance")

    @app.before_request
    async def before() -> None:
        trace.append("before")

    @app.after_request
    async def after(response: t.Any) -> t.Any:
        trace.append("after")
        return response

    @app.teardown_request
    async def teardown(exc: t.Any) -> None:
        trace.append("teardown")

    @app.teardown_appcontext
    async def teardown_app(exc: t.Any) -> None:
        trace.append("teardown app")

    @app.get("/<name>")
    async def view(name: str) -> str:
        trace.append(name)
        return name

    for _ in range(2):
        trace.clear()
        assert call(app, "/a").text == "a"
        assert trace == ["before", "a", "after", "teardown", "teardown app"]


def test_c46_a_coroutine_that_a_plain_function_returns_is_no_response(
    native: Framework,
) -> None:
    app = native.App("conformance")
    app.testing = True
    made = []

    async def coroutine() -> str:
        return "never"

    def view() -> t.Any:
        made.append(coroutine())
        return made[0]

    app.add_url_rule("/", endpoint="i", view_func=view)
    with pytest.raises(TypeError, match="coroutine"):
        call(app)
    made[0].close()


def test_c24_a_rule_that_a_hook_gives_to_a_404_has_no_arguments(
    fw: Framework, app: t.Any
) -> None:
    """``view_args`` is None there, of which no view takes its arguments."""
    app.testing = True
    app.add_url_rule("/", "index", lambda: "index")
    (rule,) = app.url_map.iter_rules("index")

    @app.before_request  # type: ignore[untyped-decorator]
    def change() -> None:
        if fw.request.url_rule is None:
            fw.request.url_rule = rule
            fw.request.routing_exception = None

    for _ in range(3):
        assert call(app).text == "index"

        with pytest.raises(TypeError, match=r"after \*\* must be a mapping"):
            call(app, "/nowhere")


def test_c51_a_refused_host_is_refused_once(fw: Framework, app: t.Any) -> None:
    """Whoever asks for the URL adapter later does not get the 400 back."""
    app.config["TRUSTED_HOSTS"] = ["localhost"]

    @app.before_request  # type: ignore[untyped-decorator]
    def change() -> None:
        fw.request.routing_exception = NotFound()
        assert fw.request_ctx.url_adapter is None

    for _ in range(2):
        assert call(app, headers={"Host": "elsewhere.test"}).status == 404
