"""What a person does with the notes example, over any `httpx.Client`."""

from __future__ import annotations

import csv
import io
import re
import typing as t
from html import unescape

import httpx

LIMIT = 1024 * 1024

# What differs from run to run, or is the server's own business.
_VARYING_HEADERS = {"connection", "date", "keep-alive", "server", "transfer-encoding"}
_VARYING_TEXT = [
    (re.compile(r'(name="csrf_token" value=)"[^"]+"'), r'\1"TOKEN"'),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b"), "TIME"),
    (re.compile(r"(session=)[^;]+"), r"\1VALUE"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "DATE"),
]


class Person:
    """Somebody at a browser: follows no redirect, keeps cookies, posts forms.

    `transcript` is all that was answered, without what varies between two runs.
    """

    def __init__(
        self, client: httpx.Client, transcript: list[tuple[t.Any, ...]] | None = None
    ) -> None:
        self.client = client
        self.transcript = [] if transcript is None else transcript

    def _record(self, response: httpx.Response) -> httpx.Response:
        headers = sorted(
            (name, _normalise(value))
            for name, value in response.headers.multi_items()
            if name not in _VARYING_HEADERS
        )
        asked = f"{response.request.method} {response.request.url.raw_path.decode()}"
        body = _normalise(response.text)
        self.transcript.append((asked, response.status_code, headers, body))
        return response

    def get(self, path: str, status: int = 200) -> httpx.Response:
        try:
            answer = self.client.get(path)
        except httpx.RemoteProtocolError:
            # As browsers do: gunicorn drops a connection on which it was sent a
            # larger body than the application would read.
            answer = self.client.get(path)
        response = self._record(answer)
        assert response.status_code == status, response.text
        return response

    def post(
        self, path: str, status: int, form: str | None = None, **fields: t.Any
    ) -> httpx.Response:
        """Post the form that is on page `form` (by default on `path` itself)."""
        files = {
            name: fields.pop(name)
            for name in list(fields)
            if isinstance(fields[name], tuple)
        }
        data = {**self.token(form or path), **fields}
        response = self._record(self.client.post(path, data=data, files=files or None))
        assert response.status_code == status, response.text
        return response

    def token(self, path: str) -> dict[str, str]:
        """Return the hidden field of the form on page `path`."""
        page = self.client.get(path).text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, page
        return {"csrf_token": found[1]}

    def moved(self, response: httpx.Response) -> httpx.Response:
        """Go where the answer sends us."""
        assert response.status_code == 302
        return self.get(response.headers["location"])


def _normalise(text: str) -> str:
    for pattern, replacement in _VARYING_TEXT:
        text = pattern.sub(replacement, text)
    return text


def use_the_notes(client: httpx.Client) -> list[tuple[t.Any, ...]]:
    """Do everything the example can; return the transcript."""
    ann = Person(client)
    sign_up(ann, "Ann")
    write_and_read(ann)
    export_all(ann)
    attach_files(ann)
    meet_errors(ann)
    change_and_delete(ann)
    log_out_and_in(ann)
    return ann.transcript


def sign_up(person: Person, name: str) -> None:
    turned_away = person.get("/notes/?q=a", 302)
    log_in = turned_away.headers["location"]
    assert log_in.endswith("/accounts/log-in?next=/notes/?q%3Da")
    person.post("/accounts/sign-up", 422, name=name, password="short")
    person.post("/accounts/sign-up", 422, name=" ", password="long enough")
    welcome = person.moved(
        person.post("/accounts/sign-up", 302, name=name, password="long enough")
    )
    assert f"Welcome, {name}." in welcome.text
    assert "Nothing yet" in welcome.text
    assert "Welcome" not in person.get("/notes/").text
    assert "cookie" in welcome.headers["vary"].lower()
    person.post("/accounts/sign-up", 409, name=name.upper(), password="long enough")


def write_and_read(person: Person) -> None:
    body = "Two lines:\n<script>alert('no')</script> & “quotes”"
    saved = person.moved(
        person.post("/notes/", 302, title="Milk & <b>eggs</b>", body=body)
    )
    assert "Saved." in saved.text
    assert "<h1>Milk &amp; &lt;b&gt;eggs&lt;/b&gt;</h1>" in saved.text
    assert body in unescape(saved.text)
    assert "<script>" not in saved.text
    assert "<b>" not in person.get("/notes/").text
    assert "Nothing found" in person.get("/notes/?q=juice").text
    assert "/notes/1" in person.get("/notes/?q=QUOTES").text
    statistics = person.get("/notes/statistics")
    assert "Ann has 1 notes and 0 attached files." in statistics.text


def export_all(person: Person) -> None:
    # More than the hundred that the example reads at a time.
    token = person.token("/notes/")
    for number in range(2, 104):
        note = {**token, "title": f"Note {number}", "body": "é"}
        assert person.client.post("/notes/", data=note).status_code == 302
    export = person.get("/notes/export.csv")
    assert export.headers["content-type"] == "text/csv; charset=utf-8"
    assert export.headers["content-disposition"] == "attachment; filename=notes.csv"
    assert "content-length" not in export.headers
    rows = list(csv.reader(io.StringIO(export.text)))
    assert rows[0] == ["written", "title", "body"]
    assert [row[1] for row in rows[1:4]] == ["Milk & <b>eggs</b>", "Note 2", "Note 3"]
    assert len(rows) == 104


def attach_files(person: Person) -> None:
    content = bytes(range(256)) * 64
    attached = person.moved(
        person.post(
            "/notes/1/files/",
            302,
            form="/notes/1",
            file=("../odd näme.bin", content, "application/octet-stream"),
        )
    )
    assert "Attached odd_name.bin." in attached.text
    assert "16,384 bytes" in attached.text
    download = person.get("/notes/1/files/1")
    assert download.content == content
    assert download.headers["content-length"] == "16384"
    disposition = download.headers["content-disposition"]
    assert disposition == "attachment; filename=odd_name.bin"
    person.post("/notes/1/files/", 400, form="/notes/1", file=("", b"", "text/plain"))
    too_large = person.post(
        "/notes/1/files/",
        413,
        form="/notes/1",
        file=("large.bin", b"x" * (LIMIT + 1), "application/octet-stream"),
    )
    assert "<h1>Request Entity Too Large</h1>" in too_large.text
    assert "large.bin" not in person.get("/notes/1").text
    person.get("/notes/1/files/2", 404)
    assert "1 attached files" in person.get("/notes/statistics").text


def meet_errors(person: Person) -> None:
    missing = person.get("/no/such/<page>", 404)
    assert "<h1>Not Found</h1>" in missing.text
    assert missing.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is no such note." in person.get("/notes/9999", 404).text
    person.get(f"/notes/{2**63}", 404)
    refused = person.get("/accounts/log-out", 405)
    assert set(refused.headers["allow"].split(", ")) == {"OPTIONS", "POST"}
    assert "<h1>Method Not Allowed</h1>" in refused.text
    forged = person._record(person.client.post("/notes/", data={"title": "Forged"}))
    assert forged.status_code == 403
    assert "This form is out of date." in forged.text
    assert "Forged" not in person.get("/notes/").text
    person.post("/notes/", 400, title="  ", body="no title")
    moved = person.get("/notes", 308)
    assert moved.headers["location"].endswith("/notes/")
    head = person._record(person.client.head("/notes/1"))
    assert (head.status_code, head.content) == (200, b"")
    options = person._record(person.client.options("/notes/"))
    assert set(options.headers["allow"].split(", ")) == {
        "GET",
        "HEAD",
        "OPTIONS",
        "POST",
    }
    style = person.get("/static/style.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    person.get("/static/%2e%2e/wsgi.py", 404)


def change_and_delete(person: Person) -> None:
    changed = person.moved(
        person.post("/notes/2/edit", 302, title="Changed", body="\nfirst line empty")
    )
    assert "<h1>Changed</h1>" in changed.text
    assert "Changed" in person.get("/notes/2/edit").text
    deleted = person.moved(person.post("/notes/2/delete", 302, form="/notes/2"))
    assert "Deleted." in deleted.text
    person.get("/notes/2", 404)


def log_out_and_in(person: Person) -> None:
    out = person.moved(person.post("/accounts/log-out", 302, form="/notes/1"))
    assert "You are logged out." in out.text
    person.get("/notes/1", 302)
    wrong = person.post("/accounts/log-in", 401, name="Ann", password="wrong")
    assert "Name or password is wrong." in wrong.text
    person.post("/accounts/log-in", 401, name="Nobody", password="wrong")
    for elsewhere in ("//evil.example", "/\\evil.example", "https://evil.example"):
        path = f"/accounts/log-in?{httpx.QueryParams(next=elsewhere)}"
        home = person.post(path, 302, name="Ann", password="long enough")
        assert home.headers["location"].endswith("/notes/")
    back = person.post(
        "/accounts/log-in?next=/notes/1", 302, name="ann", password="long enough"
    )
    assert "Milk" in person.moved(back).text
    person.post("/accounts/log-out", 302, form="/notes/1")
    bob = Person(person.client, person.transcript)
    bob.post("/accounts/sign-up", 302, name="Bob", password="long enough")
    bob.get("/notes/1", 404)
    bob.get("/notes/1/files/1", 404)
    assert len(bob.get("/notes/export.csv").text.splitlines()) == 1
