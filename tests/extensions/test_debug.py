"""``app.run(debug=True)``: the interactive debugger and the reloader."""

from __future__ import annotations

import contextlib
import html
import os
import re
import subprocess
import sys
import threading
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import httpx
from tests.servers import conftest as servers

PROGRAM = """
import os
import sys

import flask

import fastdispatch

app = flask.Flask(__name__)
app.secret_key = "a key"
events = []
if os.environ["ACCELERATE"] == "1":
    fastdispatch.accelerate(app)


@app.before_request
def before():
    events.append(f"before {flask.request.path} {sorted(flask.g)}")
    flask.g.value = "in g"


@app.teardown_request
def teardown(error):
    events.append(f"teardown {flask.request.path} {flask.g.value} {error!r}")


@app.teardown_appcontext
def teardown_app(error):
    events.append(f"app teardown {flask.g.value} {error!r}")


@app.route("/hello")
def hello():
    return "VERSION"


@app.route("/broken/<int:number>")
def broken(number):
    flask.session["there"] = number
    local = "a local"
    raise LookupError(f"broken {number}")


@app.route("/events")
def show():
    return [type(app.wsgi_app).__name__, *events]


if __name__ == "__main__":
    app.run(debug=True, port=int(sys.argv[1]), threaded=True)
"""
TO_EVALUATE = (
    "local",
    "number",
    "flask.request.path",
    "flask.request.args['a']",
    "flask.g.value",
    "flask.session['there']",
    "flask.current_app.name",
    "flask.url_for('hello')",
    "flask.has_request_context()",
)


@contextlib.contextmanager
def running(directory: Path, accelerated: bool) -> Iterator[httpx.Client]:
    """Run the program until the block ends, or for a bounded time."""
    (directory / "program.py").write_text(PROGRAM.replace("VERSION", "one"))
    port = servers._free_port()
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "program.py", str(port)],
            cwd=directory,
            env=os.environ
            | {
                "ACCELERATE": str(int(accelerated)),
                "PYTHONPATH": servers.absolute(os.environ.get("PYTHONPATH", "")),
                "WERKZEUG_DEBUG_PIN": "off",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    watchdog = threading.Timer(servers.LIFETIME, servers._end, (process, True))
    watchdog.start()
    try:
        servers._wait_for_answer(process, port)
        base = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=base, timeout=20, trust_env=False) as client:
            yield client
    except BaseException as error:
        error.add_note(f"log:\n{log.read_text(errors='replace')[-8000:]}")
        raise
    finally:
        watchdog.cancel()
        servers._end(process, True)
        process.wait(10)


def evaluated(client: httpx.Client, path: str) -> list[t.Any]:
    """Fail in a view and look around in its frame, as a person in a browser."""
    response = client.get(path)
    secret = re.search(r'SECRET = "(\w+)"', response.text)
    frames = re.findall(r'id="frame-(\d+)"', response.text)
    assert secret and frames
    shown: list[t.Any] = [response.status_code, "LookupError: broken" in response.text]
    for command in TO_EVALUATE:
        query = {"__debugger__": "yes", "cmd": command, "frm": frames[-1]}
        answer = client.get("/hello", params=query | {"s": secret[1]}).text
        shown.append([command, html.unescape(re.sub(r"<[^>]+>", "", answer)).strip()])
    return shown


def reloaded(client: httpx.Client, directory: Path) -> str:
    """Edit the program and wait for what it says then."""
    (directory / "program.py").write_text(PROGRAM.replace("VERSION", "number two"))
    end = time.monotonic() + servers.STARTING
    said = "nothing"
    while said != "number two" and time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            said = client.get("/hello").text
        time.sleep(0.2)
    return said


def test_debugger_and_reloader(tmp_path: Path) -> None:
    shown = {}
    for accelerated in (False, True):
        directory = tmp_path / str(accelerated)
        directory.mkdir()
        with running(directory, accelerated) as client:
            first = evaluated(client, "/broken/1?a=b")
            second = evaluated(client, "/broken/2?a=c")
            engine, *events = client.get("/events").json()
            shown[accelerated] = [first, second, events]
            assert engine == ("Engine" if accelerated else "method")
            assert reloaded(client, directory) == "number two"
            assert client.get("/events").json()[0] == engine
    values = dict(shown[True][0][2:])
    assert "'/broken/1'" in values["flask.request.path"]
    assert "'in g'" in values["flask.g.value"]
    assert "'a local'" in values["local"]
    assert shown[True] == shown[False]
