"""Flask-DebugToolbar: sets dispatch_request on the application, rewrites responses."""

from __future__ import annotations

import re

import flask
from flask_debugtoolbar import DebugToolbarExtension
from tests.extensions.support import Log
from tests.extensions.support import scrub
from tests.extensions.support import Subject


def program(subject: Subject, log: Log) -> None:
    app = flask.Flask(__name__)
    subject.made(app)
    app.debug = True
    app.config["DEBUG_TB_PROFILER_ENABLED"] = True
    DebugToolbarExtension(app)
    page = "<html><head></head><body>{{ name }} {{ g.there }}</body></html>"

    @app.before_request
    def before() -> None:
        flask.g.there = "in g"

    @app.route("/page/<name>")
    def html(name: str) -> str:
        app.logger.warning("a warning of %s", name)
        flask.session["name"] = name
        return flask.render_template_string(page, name=name)

    @app.route("/json")
    def json() -> dict[str, int]:
        return {"a": 1}

    @app.route("/away")
    def away() -> flask.typing.ResponseReturnValue:
        return flask.redirect("/json")

    @app.route("/broken")
    def broken() -> str:
        raise LookupError("broken")

    app.errorhandler(LookupError)(lambda error: (f"<body>{error!r}</body>", 500))
    subject.ready(app)
    client = app.test_client()
    for path in ("/page/anna", "/json", "/away", "/broken", "/no-such-page"):
        body = client.get(path).text
        response = client.get(path)
        log.append(
            [
                path,
                response.status,
                [h for h, _ in response.headers],
                sorted(set(re.findall(r'id="(flDebug\w*)"', body))),
                re.findall(r"<h[1-4]>(.*?)</h[1-4]>", scrub(body)),
                "a warning of anna" in body,
                "in g" in body,
                "there" in body,
                body.partition('<link rel="stylesheet"')[0][:200],
            ]
        )
    log.open(client, "/_debug_toolbar/static/css/toolbar.css", "HEAD")
    log[-1][3] = [name for name, _ in log[-1][3]]
