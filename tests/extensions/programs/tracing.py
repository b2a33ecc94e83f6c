"""A program for tracers to look at: views, hooks, errors, streams, a template."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import flask
from flask.views import MethodView
from tests.extensions.support import Log

PATHS = (
    ("GET", "/hello/anna?a=1"),
    ("HEAD", "/hello/anna"),
    ("GET", "/shop/cart"),
    ("POST", "/form"),
    ("GET", "/class"),
    ("GET", "/template"),
    ("GET", "/stream"),
    ("GET", "/away"),
    ("GET", "/handled"),
    ("GET", "/teapot"),
    ("GET", "/broken"),
    ("GET", "/stopped"),
    ("GET", "/no-such-page"),
    ("PUT", "/hello/anna"),
    ("OPTIONS", "/hello/anna"),
)


class Problem(Exception):
    pass


def set_up(app: flask.Flask) -> None:
    """Register views, hooks and error handlers."""
    blueprint = flask.Blueprint("shop", __name__, url_prefix="/shop")

    @app.before_request
    def before() -> str | None:
        flask.g.user = "anna"
        return "stopped" if flask.request.path == "/stopped" else None

    @app.after_request
    def after(response: flask.Response) -> flask.Response:
        response.headers["X-User"] = flask.g.get("user", "nobody")
        return response

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        flask.g.ended = repr(error)

    @blueprint.before_request
    def blueprint_before() -> None:
        flask.g.user = "shopper"

    @app.route("/hello/<name>")
    def hello(name: str) -> str:
        return f"hello {name} {flask.request.args.get('a')}"

    @app.post("/form")
    def form() -> dict[str, t.Any]:
        flask.session["form"] = True
        return flask.request.form.to_dict()

    class View(MethodView):
        def get(self) -> flask.Response:
            return flask.jsonify(method="get")

    app.add_url_rule("/class", view_func=View.as_view("class"))

    @app.route("/template")
    def template() -> str:
        return flask.render_template_string("{{ g.user }}")

    @app.route("/stream")
    def stream() -> Iterator[str]:
        def generate() -> Iterator[str]:
            yield flask.g.user
            yield flask.request.path

        return flask.stream_with_context(generate())

    @app.route("/away")
    def away() -> flask.typing.ResponseReturnValue:
        return flask.redirect(flask.url_for("hello", name="b"))

    @app.route("/handled")
    def handled() -> str:
        raise Problem

    @app.errorhandler(Problem)
    def problem(error: Problem) -> tuple[str, int]:
        return "a problem", 409

    @app.route("/teapot")
    def teapot() -> str:
        flask.abort(418)

    @app.route("/broken")
    def broken() -> str:
        raise ZeroDivisionError("broken")

    @blueprint.route("/cart")
    def cart() -> str:
        return f"cart of {flask.g.user}"

    app.register_blueprint(blueprint)


def drive(app: flask.Flask, log: Log, then: t.Callable[[], t.Any]) -> None:
    """Request every path; after each, note what *then* returns."""
    client = app.test_client()
    seen = []
    for method, path in PATHS:
        log.open(client, path, method, data={"a": "1"} if method == "POST" else None)
        seen.append(then())
        log.append(seen[-1])
    assert any(seen), "the tracer has seen nothing"
