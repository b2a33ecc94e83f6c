"""SQLite: the schema, and one connection per request."""

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from fastdispatch import current_app
from fastdispatch import g

# As URL converter: a larger number than SQLite's integers hold is no row's.
ROW = f"int(max={2**63 - 1})"

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS user (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS note (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user (id),
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    written TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M', 'now'))
);
CREATE INDEX IF NOT EXISTS note_of_user ON note (user_id, id);
CREATE TABLE IF NOT EXISTS file (
    id INTEGER PRIMARY KEY,
    note_id INTEGER NOT NULL REFERENCES note (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    content BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS file_of_note ON file (note_id);
"""


def create(path: str) -> str:
    """Make the tables that are missing; return the key to sign sessions with.

    The key is made on first start and kept in the database, so that all workers
    share it and people stay logged in over a restart. Several workers may start at
    once: each statement does nothing where another worker was first.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with closing(connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.execute(
            "INSERT INTO setting VALUES ('secret_key', ?) ON CONFLICT DO NOTHING",
            (secrets.token_hex(),),
        )
        query = "SELECT value FROM setting WHERE name = 'secret_key'"
        return str(db.execute(query).fetchone()["value"])


def connect(path: str) -> sqlite3.Connection:
    """Return a new connection; rows answer to column names."""
    db = sqlite3.connect(path, timeout=10)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    return db


def open_connection() -> None:
    """Before each request: a connection of its own, so that threads share none."""
    g.db = connect(current_app.config["DATABASE"])


def close_connection(error: BaseException | None) -> None:
    """After each request, whatever happened; a stream's only once it has ended."""
    db = g.pop("db", None)
    if db is not None:
        db.close()
