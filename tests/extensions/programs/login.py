"""Flask-Login: the user in g, the session, a remember-me cookie, fresh logins."""

from __future__ import annotations

import typing as t

import flask
from flask_login import confirm_login
from flask_login import current_user
from flask_login import FlaskLoginClient
from flask_login import fresh_login_required
from flask_login import login_required
from flask_login import login_user
from flask_login import LoginManager
from flask_login import logout_user
from flask_login import user_loaded_from_cookie
from flask_login import user_unauthorized
from flask_login import UserMixin
from tests.extensions.support import Log
from tests.extensions.support import Subject


class User(UserMixin):
    def __init__(self, id: str) -> None:
        self.id = id


def program(subject: Subject, log: Log) -> None:
    app = flask.Flask(__name__)
    subject.made(app)
    manager = LoginManager(app)
    manager.login_view = "login"
    manager.session_protection = "strong"
    manager.user_loader(lambda id: User(id) if id in ("anna", "bert") else None)

    @manager.request_loader
    def from_header(request: flask.Request) -> User | None:
        name = request.headers.get("X-User")
        return User(name) if name else None

    @app.route("/login")
    def login() -> str:
        remember = "remember" in flask.request.args
        login_user(User(flask.request.args["name"]), remember=remember)
        return f"logged in {current_user.id}"

    @app.route("/logout")
    def logout() -> str:
        return str(logout_user())

    @app.route("/private")
    @login_required
    def private() -> dict[str, t.Any]:
        return {"user": current_user.id, "session": sorted(flask.session)}

    @app.route("/fresh")
    @fresh_login_required
    def fresh() -> str:
        return "fresh"

    @app.route("/confirm")
    def confirm() -> str:
        confirm_login()
        return "confirmed"

    @app.route("/public")
    def public() -> str:
        return flask.render_template_string("{{ current_user.is_authenticated }}")

    subject.ready(app)

    def loaded(sender: flask.Flask, user: User) -> None:
        log.append(["loaded from cookie", user.id])

    def unauthorized(sender: flask.Flask) -> None:
        log.append(["unauthorized", flask.request.path])

    with (
        user_loaded_from_cookie.connected_to(loaded, app),
        user_unauthorized.connected_to(unauthorized, app),
    ):
        client = app.test_client()
        log.open(client, "/private?a=1")
        log.open(client, "/public")
        log.open(client, "/login?name=anna")
        log.open(client, "/private")
        log.open(client, "/private", headers={"User-Agent": "another"})
        log.open(client, "/private")
        log.open(client, "/login?name=bert&remember=1")
        log.open(client, "/fresh")
        client.delete_cookie("session")
        log.open(client, "/private")
        log.open(client, "/fresh")
        log.open(client, "/confirm")
        log.open(client, "/fresh")
        log.open(client, "/logout")
        log.open(client, "/private")
        header = {"X-User": "carl"}
        log.open(client, "/private", headers=header)
        log.open(app.test_client(use_cookies=False), "/private", headers=header)
        log.open(client, "/public")
        with client.session_transaction() as session:
            session["_user_id"] = "nobody"
        log.open(client, "/private")
        app.test_client_class = FlaskLoginClient
        log.open(app.test_client(user=User("anna")), "/private")
