"""A person's notes: list, write, read, edit, delete, count, export."""

import asyncio
import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from markupsafe import Markup

from fastdispatch import abort
from fastdispatch import Blueprint
from fastdispatch import current_app
from fastdispatch import flash
from fastdispatch import g
from fastdispatch import redirect
from fastdispatch import request
from fastdispatch import Response
from fastdispatch import stream_with_context
from fastdispatch import url_for

from . import database
from . import html
from .database import ROW

blueprint = Blueprint("notes", __name__, url_prefix="/notes")


@blueprint.before_request
def require_log_in() -> Any:
    """Here and in nested blueprints: who is not logged in is asked to."""
    if g.user is None:
        target = request.full_path if request.query_string else request.path
        return redirect(url_for("accounts.log_in", next=target))
    return None


@blueprint.get("/")
def index() -> str:
    wanted = request.args.get("q", "").strip()
    notes = g.db.execute(
        "SELECT id, title, written FROM note WHERE user_id = ?"
        " AND (instr(lower(title), lower(?)) OR instr(lower(body), lower(?)))"
        " ORDER BY id DESC",
        (g.user["id"], wanted, wanted),
    ).fetchall()
    items = [
        html.element(
            "li",
            html.link(note["title"], url_for("notes.show", note_id=note["id"])),
            html.element("time", note["written"]),
        )
        for note in notes
    ]
    nothing = "Nothing found." if wanted else "Nothing yet: write your first note."
    return html.page(
        "Your notes",
        html.element(
            "form",
            html.element("label", "Search", for_="q"),
            Markup('<input id="q" name="q" type="search" value="{}">').format(wanted),
            html.element("button", "Search", class_="quiet"),
            role="search",
            class_="row",
        ),
        html.element("ul", *items, class_="notes")
        if items
        else html.element("p", nothing),
        html.element("h2", "Write a note"),
        _note_form(url_for("notes.create")),
    )


@blueprint.post("/")
def create() -> Any:
    title, body = _posted_note()
    with g.db:
        cursor = g.db.execute(
            "INSERT INTO note (user_id, title, body) VALUES (?, ?, ?)",
            (g.user["id"], title, body),
        )
    flash("Saved.")
    return redirect(url_for("notes.show", note_id=cursor.lastrowid))


@blueprint.get(f"/<{ROW}:note_id>")
def show(note_id: int) -> str:
    note = find_note(note_id)
    query = "SELECT id, name, length(content) AS size FROM file WHERE note_id = ?"
    files = [
        html.element(
            "li",
            html.link(
                file["name"],
                url_for("notes.files.download", note_id=note_id, file_id=file["id"]),
            ),
            html.element("small", f"{file['size']:,} bytes"),
        )
        for file in g.db.execute(query, (note_id,))
    ]
    limit = current_app.config["MAX_CONTENT_LENGTH"]
    return html.page(
        note["title"],
        html.element("p", html.element("time", note["written"])),
        html.element("div", note["body"], class_="body"),
        html.element(
            "div",
            html.link("Edit", url_for("notes.edit", note_id=note_id)),
            html.form(
                url_for("notes.delete", note_id=note_id),
                html.element("button", "Delete", class_="quiet"),
            ),
            class_="row",
        ),
        html.element("h2", "Files"),
        html.element("ul", *files, class_="notes")
        if files
        else html.element("p", "None."),
        html.form(
            url_for("notes.files.upload", note_id=note_id),
            html.element("label", "Attach a file", for_="file"),
            Markup('<input id="file" name="file" type="file" required>'),
            html.element("button", "Upload"),
            html.element("small", f"At most {limit / 1024:,.0f} KiB."),
            enctype="multipart/form-data",
        ),
    )


@blueprint.get(f"/<{ROW}:note_id>/edit")
def edit(note_id: int) -> str:
    note = find_note(note_id)
    return html.page(
        "Edit note",
        _note_form(
            url_for("notes.update", note_id=note_id), note["title"], note["body"]
        ),
    )


@blueprint.post(f"/<{ROW}:note_id>/edit")
def update(note_id: int) -> Any:
    find_note(note_id)
    title, body = _posted_note()
    with g.db:
        g.db.execute(
            "UPDATE note SET title = ?, body = ? WHERE id = ?", (title, body, note_id)
        )
    flash("Saved.")
    return redirect(url_for("notes.show", note_id=note_id))


@blueprint.post(f"/<{ROW}:note_id>/delete")
def delete(note_id: int) -> Any:
    find_note(note_id)
    with g.db:
        g.db.execute("DELETE FROM note WHERE id = ?", (note_id,))
    flash("Deleted.")
    return redirect(url_for("notes.index"))


@blueprint.get("/statistics")
async def statistics() -> str:
    """Ask two questions at once, each in a thread with a connection of its own."""
    notes, files = await asyncio.gather(
        asyncio.to_thread(_count, "SELECT count(*) FROM note WHERE user_id = ?"),
        asyncio.to_thread(
            _count,
            "SELECT count(*) FROM file JOIN note ON note.id = note_id"
            " WHERE user_id = ?",
        ),
    )
    return html.page(
        "Statistics",
        html.element(
            "p", f"{g.user['name']} has {notes} notes and {files} attached files."
        ),
    )


@blueprint.get("/export.csv")
def export() -> Response:
    """Stream all notes: the connection stays open until the last line is sent."""
    return Response(
        stream_with_context(_csv_lines()),
        mimetype="text/csv",
        headers={"Content-Disposition": "attachment; filename=notes.csv"},
    )


def find_note(note_id: int) -> sqlite3.Row:
    """Return one of the user's own notes; for any other: 404."""
    query = "SELECT * FROM note WHERE id = ? AND user_id = ?"
    note: sqlite3.Row | None = g.db.execute(query, (note_id, g.user["id"])).fetchone()
    if note is None:
        abort(404, "There is no such note.")
    return note


def _posted_note() -> tuple[str, str]:
    title = request.form.get("title", "").strip()
    if not title:
        abort(400, "A note needs a title.")
    # Browsers send line ends as CRLF.
    return title, request.form.get("body", "").replace("\r\n", "\n")


def _note_form(action: str, title: str = "", body: str = "") -> str:
    return html.form(
        action,
        html.text_field("Title", "title", title),
        html.text_area("Text", "body", body),
        html.element("button", "Save"),
    )


def _count(query: str) -> int:
    with closing(database.connect(current_app.config["DATABASE"])) as db:
        return int(db.execute(query, (g.user["id"],)).fetchone()[0])


def _csv_lines() -> Iterator[str]:
    line = io.StringIO()
    write = csv.writer(line).writerow
    write(["written", "title", "body"])
    last = 0
    # A batch at a time, so that a slow reader locks nobody out of the database.
    query = "SELECT * FROM note WHERE user_id = ? AND id > ? ORDER BY id LIMIT 100"
    while notes := g.db.execute(query, (g.user["id"], last)).fetchall():
        for note in notes:
            write([note["written"], note["title"], note["body"]])
        yield line.getvalue()
        line.seek(0)
        line.truncate()
        last = notes[-1]["id"]
    yield line.getvalue()
