"""Flask-Cors: an after_request hook, automatic and intercepted OPTIONS, errors."""

from __future__ import annotations

import flask
from flask_cors import CORS
from flask_cors import cross_origin
from tests.extensions.support import Log
from tests.extensions.support import Subject


def program(subject: Subject, log: Log) -> None:
    app = flask.Flask(__name__)
    subject.made(app)
    blueprint = flask.Blueprint("shop", __name__, url_prefix="/shop")
    CORS(blueprint, origins=["http://shop.example"])
    CORS(
        app,
        resources={r"/api/*": {"origins": ["http://a.example", r"http://.*\.b\.org"]}},
        supports_credentials=True,
        expose_headers=["X-Total"],
        max_age=600,
    )

    @app.route("/api/items", methods=["GET", "POST", "PUT"])
    def items() -> dict[str, int]:
        return {"items": 3}

    @app.route("/api/broken")
    def broken() -> str:
        raise ValueError("broken")

    @app.route("/api/teapot")
    def teapot() -> str:
        flask.abort(418)

    @app.route("/plain")
    def plain() -> str:
        return "plain"

    @app.route("/one", methods=["POST"])
    @cross_origin(origins="*", methods=["POST"], send_wildcard=True)
    def one() -> str:
        return "one"

    @blueprint.route("/cart")
    def cart() -> str:
        return "cart"

    app.register_blueprint(blueprint)
    subject.ready(app)
    client = app.test_client()
    preflight = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "X-A, X-B",
    }
    paths = ["/api/items", "/api/broken", "/api/teapot", "/api/none"]
    for path in [*paths, "/plain", "/one", "/shop/cart"]:
        for origin in ("http://a.example", "http://x.b.org", "http://shop.example", ""):
            headers = {"Origin": origin} if origin else {}
            log.open(client, path, headers=headers)
            log.open(client, path, "OPTIONS", headers=headers | preflight)
            log.open(client, path, "POST", headers=headers)
            log.open(client, path, "HEAD", headers=headers)
