"""The workloads as a Flask program; fastdispatch runs the same one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from ..workloads import BIG
from ..workloads import CHUNKS
from ..workloads import HELLO
from ..workloads import hits
from ..workloads import ROUTES
from ..workloads import SECRET
from ..workloads import TEXT
from ..workloads import USER
from ..workloads import WSGIApp


def add_hooks(target: Any, first: int, levels: int) -> None:
    """One before, one after, one teardown hook that count at *first*, + *levels*, …."""

    @target.before_request
    def before() -> None:
        hits[first] += 1

    @target.after_request
    def after(response: Any) -> Any:
        hits[first + levels] += 1
        return response

    @target.teardown_request
    def teardown(error: BaseException | None) -> None:
        hits[first + 2 * levels] += 1


def program(api: Any, workload: str) -> Any:
    """Build the application of *workload* from *api*, which is Flask-shaped."""
    app = api.Flask("bench.apps", static_folder=None)
    request = api.request
    session = api.session

    if workload in {"W1", "W3", "W8"}:

        @app.route("/")
        def hello() -> str:
            return HELLO

    if workload == "W2":

        @app.route("/users/<int:id>")
        def user(id: int) -> Any:
            return api.jsonify(USER | {"id": id})

    elif workload == "W3":
        for n in range(3):
            add_hooks(app, n, 3)

    elif workload == "W4":

        @app.route("/search")
        def search() -> str:
            return (
                f"{request.args['q']}|{request.headers['Accept-Language']}"
                f"|{request.cookies['theme']}"
            )

    elif workload == "W5":

        @app.route("/echo", methods=["POST"])
        def echo() -> Any:
            return api.jsonify(request.get_json())

    elif workload == "W6":

        @app.route("/form", methods=["POST"])
        def form() -> str:
            got = request.form
            return f"{got['name']}|{got['email']}|{got['message']}"

    elif workload == "W7":
        app.secret_key = SECRET

        @app.route("/count")
        def count() -> str:
            session["n"] = session.get("n", 0) + 1
            return str(session["n"])

    elif workload == "W9":
        app.logger.disabled = True
        logging.getLogger("bench.apps").disabled = True

        @app.route("/error")
        def error() -> str:
            raise ValueError("no")

    elif workload == "W10":

        def listing() -> str:
            return "list"

        def item(id: int) -> str:
            return str(id)

        for n in range(ROUTES):
            if n % 2:
                app.add_url_rule(f"/section{n}/item/<int:id>", f"i{n}", item)
            else:
                app.add_url_rule(f"/section{n}/list", f"l{n}", listing)

    elif workload == "W11":

        @app.route("/big")
        def big() -> Any:
            return app.response_class(BIG, mimetype="application/octet-stream")

    elif workload == "W12":

        def chunks() -> Iterator[bytes]:
            yield from CHUNKS

        @app.route("/stream")
        def stream() -> Any:
            return app.response_class(chunks(), content_type=TEXT)

    elif workload == "W13":
        a, b, c = (api.Blueprint(x, "bench.apps", url_prefix=f"/{x}") for x in "abc")
        for n, target in enumerate((app, a, b, c)):
            add_hooks(target, n, 4)

        @c.route("/hello")
        def nested_hello() -> str:
            return HELLO

        b.register_blueprint(c)
        a.register_blueprint(b)
        app.register_blueprint(a)

    return app


def make(workload: str) -> WSGIApp:
    """The program of that workload on Flask."""
    import flask

    app: WSGIApp = program(flask, workload)
    return app


def make_accelerated(workload: str) -> WSGIApp:
    """The same program, accelerated."""
    import fastdispatch

    app: WSGIApp = fastdispatch.accelerate(make(workload))  # type: ignore[type-var]
    return app
