"""Files attached to a note: a blueprint nested in that of the notes."""

import io
from typing import Any

from werkzeug.utils import secure_filename

from fastdispatch import abort
from fastdispatch import Blueprint
from fastdispatch import flash
from fastdispatch import g
from fastdispatch import redirect
from fastdispatch import request
from fastdispatch import Response
from fastdispatch import send_file
from fastdispatch import url_for

from .database import ROW
from .notebook import find_note

blueprint = Blueprint("files", __name__, url_prefix=f"/<{ROW}:note_id>/files")


@blueprint.post("/")
def upload(note_id: int) -> Any:
    """Keep a file; one over ``MAX_CONTENT_LENGTH`` was answered 413 before."""
    find_note(note_id)
    file = request.files.get("file")
    name = secure_filename(file.filename or "") if file else ""
    if file is None or not name:
        abort(400, "Choose a file first.")
    with g.db:
        g.db.execute(
            "INSERT INTO file (note_id, name, content) VALUES (?, ?, ?)",
            (note_id, name, file.read()),
        )
    flash(f"Attached {name}.")
    return redirect(url_for("notes.show", note_id=note_id))


@blueprint.get(f"/<{ROW}:file_id>")
def download(note_id: int, file_id: int) -> Response:
    find_note(note_id)
    query = "SELECT name, content FROM file WHERE id = ? AND note_id = ?"
    file = g.db.execute(query, (file_id, note_id)).fetchone()
    if file is None:
        abort(404, "There is no such file.")
    # Always to be saved, never shown: a stranger's page must not run on this site.
    return send_file(
        io.BytesIO(file["content"]), download_name=file["name"], as_attachment=True
    )
