"""Sign up, log in, log out."""

import re
import sqlite3
from typing import Any

from werkzeug.security import check_password_hash
from werkzeug.security import generate_password_hash

from fastdispatch import Blueprint
from fastdispatch import flash
from fastdispatch import g
from fastdispatch import redirect
from fastdispatch import request
from fastdispatch import session
from fastdispatch import url_for

from . import html

blueprint = Blueprint("accounts", __name__, url_prefix="/accounts")

SHORTEST_PASSWORD = 8
# Checked when there is no such name, so that the time taken does not tell.
NOBODYS_PASSWORD = generate_password_hash("nobody")


def load_user() -> None:
    """Before each request: put who is logged in, or None, in ``g.user``."""
    g.user = None
    if request.endpoint != "static" and "user_id" in session:
        query = "SELECT id, name FROM user WHERE id = ?"
        g.user = g.db.execute(query, (session["user_id"],)).fetchone()


@blueprint.get("/sign-up")
def sign_up() -> str:
    return _sign_up_page()


@blueprint.post("/sign-up")
def create_account() -> Any:
    name = request.form.get("name", "").strip()
    password = request.form.get("password", "")
    if not name or len(name) > 40:
        return _sign_up_page(name, "A name has 1 to 40 characters."), 422
    if len(password) < SHORTEST_PASSWORD:
        return _sign_up_page(name, "That password is too short."), 422
    try:
        with g.db:
            cursor = g.db.execute(
                "INSERT INTO user (name, password) VALUES (?, ?)",
                (name, generate_password_hash(password)),
            )
    except sqlite3.IntegrityError:
        return _sign_up_page(name, "That name is taken."), 409
    _begin_session(cursor.lastrowid)
    flash(f"Welcome, {name}.")
    return redirect(url_for("notes.index"))


@blueprint.get("/log-in")
def log_in() -> str:
    return _log_in_page()


@blueprint.post("/log-in")
def check_password() -> Any:
    name = request.form.get("name", "").strip()
    query = "SELECT id, password FROM user WHERE name = ?"
    user = g.db.execute(query, (name,)).fetchone()
    stored = NOBODYS_PASSWORD if user is None else user["password"]
    right = check_password_hash(stored, request.form.get("password", ""))
    if user is None or not right:
        return _log_in_page(name, "Name or password is wrong."), 401
    _begin_session(user["id"])
    return redirect(_safe_target(request.args.get("next", "")))


@blueprint.post("/log-out")
def log_out() -> Any:
    session.clear()
    flash("You are logged out.")
    return redirect(url_for("accounts.log_in"))


def _begin_session(user_id: int | None) -> None:
    session.clear()
    session["user_id"] = user_id


def _safe_target(url: str) -> str:
    """Only a path of this site: ``//host`` and ``/\\host`` lead elsewhere."""
    if re.fullmatch(r"/(?![/\\])[!-~]*", url):
        return url
    return url_for("notes.index")


def _sign_up_page(name: str = "", problem: str = "") -> str:
    return html.page(
        "Sign up",
        _problem(problem),
        html.form(
            url_for("accounts.create_account"),
            html.text_field("Name", "name", name, autocomplete="username"),
            html.text_field(
                "Password",
                "password",
                type_="password",
                autocomplete="new-password",
                hint=f"At least {SHORTEST_PASSWORD} characters.",
            ),
            html.element("button", "Sign up"),
        ),
    )


def _log_in_page(name: str = "", problem: str = "") -> str:
    return html.page(
        "Log in",
        _problem(problem),
        html.form(
            url_for("accounts.check_password", next=request.args.get("next")),
            html.text_field("Name", "name", name, autocomplete="username"),
            html.text_field(
                "Password",
                "password",
                type_="password",
                autocomplete="current-password",
            ),
            html.element("button", "Log in"),
        ),
    )


def _problem(text: str) -> str:
    return html.element("p", text, role="alert") if text else ""
