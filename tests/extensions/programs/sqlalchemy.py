"""Flask-SQLAlchemy: sessions scoped by the application context, removed with it."""

from __future__ import annotations

import typing as t

import flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.record_queries import get_recorded_queries
from sqlalchemy import event
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column
from tests.extensions.support import Log
from tests.extensions.support import Subject


def program(subject: Subject, log: Log) -> None:
    app = flask.Flask(__name__)
    subject.made(app)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    app.config["SQLALCHEMY_RECORD_QUERIES"] = True

    class Base(DeclarativeBase):
        pass

    db = SQLAlchemy(model_class=Base)
    db.init_app(app)

    class User(db.Model):  # type: ignore[name-defined, misc]
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(20), unique=True)

    sessions: list[t.Any] = []

    @app.post("/users/<name>")
    def create(name: str) -> dict[str, t.Any]:
        user = User(name=name)
        db.session.add(user)
        db.session.commit()
        return {"id": user.id, "queries": len(get_recorded_queries())}

    @app.post("/unsaved/<name>")
    def unsaved(name: str) -> str:
        db.session.add(User(name=name))
        db.session.flush()
        return "flushed, not committed"

    @app.post("/twice/<name>")
    def twice(name: str) -> str:
        db.session.add_all([User(name=name), User(name=name)])
        db.session.commit()
        return "never"

    @app.get("/users/<int:id>")
    def one(id: int) -> dict[str, t.Any]:
        return {"name": db.get_or_404(User, id).name}

    @app.get("/users")
    def users() -> dict[str, t.Any]:
        page = db.paginate(db.select(User).order_by(User.id), per_page=2)
        sessions.append(db.session())
        return {
            "names": [user.name for user in page],
            "pages": page.pages,
            "same": db.session() is db.session(),
        }

    @app.get("/nested")
    def nested() -> dict[str, bool]:
        outer = db.session()
        with app.app_context():
            return {"own session in a pushed context": db.session() is not outer}

    subject.ready(app)
    with app.app_context():
        db.create_all()

        @event.listens_for(db.engine, "checkin")
        def checked_in(*_: object) -> None:
            log.append("connection returned")

    client = app.test_client()
    for name in ("anna", "bert", "carl"):
        log.open(client, f"/users/{name}", "POST")
    log.open(client, "/users/anna", "POST")  # IntegrityError: 500
    log.open(client, "/unsaved/dora", "POST")
    log.open(client, "/twice/emil", "POST")
    log.open(client, "/users?page=1")
    log.open(client, "/users?page=2")
    log.open(client, "/users?page=9")
    log.append(["a session for each request", sessions[0] is not sessions[1]])
    log.open(client, "/users/1")
    log.open(client, "/users/77")
    log.open(client, "/nested")
    # An application context around requests is shared with them: rule 2.
    with app.app_context():
        outer = db.session()
        log.open(client, "/users?page=1")
        log.append(["shared with the context around it", sessions[-1] is outer])
    with client:
        log.open(client, "/users?page=1")
        log.append(["kept by the client", sessions[-1] is db.session()])
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
