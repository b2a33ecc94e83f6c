"""Notes: a small but complete program on fastdispatch.

Accounts, notes and attachments in SQLite; every page is made by plain functions
(`html.py`). In the directory that holds this one, start it with one of::

    python -m notes
    granian --interface wsgi notes.wsgi:app
    gunicorn --threads 8 notes.wsgi:app
    waitress-serve --listen 127.0.0.1:8000 notes.wsgi:app
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException

from fastdispatch import App
from fastdispatch import redirect
from fastdispatch import url_for

from . import accounts
from . import database
from . import files
from . import html
from . import notebook
from . import security

notebook.blueprint.register_blueprint(files.blueprint)


def create_app(config: Mapping[str, Any] | None = None) -> App:
    """Make the application.

    Settings come from the defaults below, then the environment (``NOTES_DATABASE``,
    ``NOTES_SECRET_KEY``, …), then `config`. The database is made on first start.
    """
    app = App(__name__)
    app.config.from_mapping(
        DATABASE=str(Path(app.instance_path, "notes.sqlite3")),
        MAX_CONTENT_LENGTH=1024 * 1024,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.config.from_prefixed_env("NOTES")
    if config is not None:
        app.config.from_mapping(config)
    secret_key = database.create(app.config["DATABASE"])
    if not app.config["SECRET_KEY"]:
        app.config["SECRET_KEY"] = secret_key

    app.before_request(database.open_connection)
    app.teardown_request(database.close_connection)
    app.before_request(accounts.load_user)
    app.before_request(security.check_csrf_token)
    app.after_request(security.set_headers)
    app.register_error_handler(HTTPException, show_error)
    app.register_blueprint(accounts.blueprint)
    app.register_blueprint(notebook.blueprint)
    app.add_url_rule("/", "index", index)
    return app


def index() -> Any:
    """Send people to their notes, who are asked to log in there if need be."""
    return redirect(url_for("notes.index"))


def show_error(error: HTTPException) -> Any:
    """Answer an error with a page, keeping its headers (405 has ``Allow``)."""
    page = html.page(error.name, html.element("p", error.description or ""))
    return page, error.code or 500, error.get_headers()
