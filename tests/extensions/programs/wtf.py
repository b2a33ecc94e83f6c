"""Flask-WTF: forms with CSRF tokens kept in g and the session, uploads, CSRFProtect."""

from __future__ import annotations

import io
import re
import typing as t

import flask
from flask_wtf import CSRFProtect
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from tests.extensions.support import Log
from tests.extensions.support import Subject
from wtforms import StringField
from wtforms.validators import DataRequired


class Form(FlaskForm):
    name = StringField(validators=[DataRequired()])
    file = FileField()


def program(subject: Subject, log: Log) -> None:
    app = flask.Flask(__name__)
    subject.made(app)
    protect = CSRFProtect(app)

    @app.route("/form", methods=["GET", "POST"])
    def form() -> t.Any:
        form = Form()
        if form.validate_on_submit():
            data = form.file.data
            return {"name": form.name.data, "file": data and data.read().decode()}
        return flask.render_template_string(
            "{{ form.csrf_token }}|{{ form.name }}|{{ form.errors }}", form=form
        )

    @app.post("/api")
    def api() -> dict[str, t.Any]:
        return {"json": flask.request.json, "valid": flask.g.csrf_valid}

    @app.post("/open")
    @protect.exempt
    def exempt() -> str:
        return f"valid={flask.g.get('csrf_valid')} {flask.request.form['a']}"

    @app.route("/token")
    def token() -> str:
        return flask.render_template_string("{{ csrf_token() }}")

    subject.ready(app)
    client = app.test_client()

    def token_of(body: str) -> str:
        found = re.search(r'value="([^"]+)"', body)
        assert found
        return found[1]

    token_ = token_of(log.open(client, "/form"))
    log.open(client, "/form", "POST", data={"name": "anna"})  # 400: no token
    log.open(client, "/form", "POST", data={"name": "anna", "csrf_token": "wrong"})
    log.open(client, "/form", "POST", data={"name": "anna", "csrf_token": token_})
    log.open(client, "/form", "POST", data={"csrf_token": token_})
    upload = {"name": "b", "csrf_token": token_, "file": (io.BytesIO(b"text"), "a.txt")}
    log.open(client, "/form", "POST", data=upload)
    log.open(client, "/api", "POST", json={"a": 1})
    header = {"X-CSRFToken": client.get("/token").text}
    log.open(client, "/api", "POST", json={"a": 1}, headers=header)
    log.open(client, "/open", "POST", data={"a": "1"})
    https: dict[str, t.Any] = {"base_url": "https://localhost", "headers": header}
    log.open(client, "/api", "POST", json={"a": 1}, **https)
    https["headers"] = header | {"Referer": "https://localhost/form"}
    log.open(client, "/api", "POST", json={"a": 1}, **https)
    stranger = app.test_client()
    log.open(stranger, "/api", "POST", json={"a": 1}, headers=header)
    log.open(client, "/no-such-page", "POST")
    log.open(client, "/api", "PUT")
