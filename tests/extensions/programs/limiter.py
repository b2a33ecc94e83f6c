"""Flask-Limiter in memory: before_request, after_request, 429, exemptions, headers."""

from __future__ import annotations

import flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from tests.extensions.support import Log
from tests.extensions.support import Subject


def program(subject: Subject, log: Log) -> None:
    app = flask.Flask(__name__)
    subject.made(app)
    limiter = Limiter(
        get_remote_address,
        app=app,
        default_limits=["4 per day"],
        storage_uri="memory://",
        headers_enabled=True,
        header_name_mapping={},
    )
    # Hours that are left until the limit is reset are not the program's doing.
    app.config["RATELIMIT_HEADER_RETRY_AFTER"] = "X-Dropped"
    blueprint = flask.Blueprint("shop", __name__, url_prefix="/shop")
    limiter.limit("1 per day")(blueprint)

    @app.route("/default")
    def default() -> str:
        limit = limiter.current_limit
        return f"default {limit and limit.remaining}"

    @app.route("/strict")
    @limiter.limit("2 per day", key_func=lambda: flask.request.headers["X-Key"])
    def strict() -> str:
        return "strict"

    @app.route("/failing")
    @limiter.limit("1/day", deduct_when=lambda response: response.status_code == 400)
    def failing() -> tuple[str, int]:
        return "failing", int(flask.request.args["status"])

    @app.route("/exempt")
    @limiter.exempt
    def exempt() -> str:
        return "exempt"

    @app.route("/cost")
    @limiter.limit("3/day", cost=lambda: int(flask.request.args["cost"]))
    def cost() -> str:
        return "cost"

    @blueprint.route("/cart")
    def cart() -> str:
        return "cart"

    @app.errorhandler(429)
    def too_many(error: Exception) -> tuple[dict[str, str], int]:
        return {"limit": str(error)}, 429

    app.register_blueprint(blueprint)
    subject.ready(app)
    client = app.test_client()

    def open(path: str, **options: object) -> None:
        log.open(client, path, **options)
        headers = log[-1][3]
        log[-1][3] = [h for h in headers if h[0] not in ("X-RateLimit-Reset",)]
        log[-1][3] = [h if h[0] != "Retry-After" else h[:1] for h in log[-1][3]]

    for _ in range(6):
        open("/default")
        open("/exempt")
        open("/no-such-page")
    for key in ("a", "b", "a", "a", "b", "b"):
        open("/strict", headers={"X-Key": key})
    for status in (200, 400, 200, 400):
        open(f"/failing?status={status}")
    for spent in (1, 1, 2, 1, 1):
        open(f"/cost?cost={spent}")
    open("/shop/cart")
    open("/shop/cart")
    open("/default", environ_base={"REMOTE_ADDR": "127.0.0.9"})
