"""Real servers in subprocesses: on loopback, for a bounded time."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
STARTING = 30.0  # seconds a server has until its first answer
LIFETIME = 120.0  # seconds after which it is killed, whatever the test does

# How each server is told to serve `target` ("module:callable") with `threads`.
COMMANDS = {
    "granian": (
        "-m granian --interface wsgi --host 127.0.0.1 --port {port} --workers 1"
        " --blocking-threads {threads} {target}"
    ),
    "gthread": (
        "-m gunicorn --bind 127.0.0.1:{port} --workers 1 --worker-class gthread"
        " --threads {threads} --no-control-socket {target}"
    ),
    "gevent": (
        "-m gunicorn --bind 127.0.0.1:{port} --workers 1 --worker-class gevent"
        " --no-control-socket {target}"
    ),
    "waitress": "-m waitress --listen 127.0.0.1:{port} --threads {threads} {target}",
    "run": (
        "-c import\tpydoc,sys;module,_,name=sys.argv[1].partition(':');"
        "getattr(pydoc.locate(module),name).run(port={port}) {target}"
    ),
}


class Server:
    """A server that is up."""

    def __init__(self, name: str, port: int, events: Path) -> None:
        self.name = name
        self.port = port
        self._events = events

    def client(self) -> httpx.Client:
        """Return a new client: an empty cookie jar, and connections of its own."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False
        )

    def connect(self) -> socket.socket:
        """Return a raw connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def events(self) -> list[dict[str, t.Any]]:
        """Return what the probe has recorded so far."""
        if not self._events.exists():
            return []
        return [json.loads(line) for line in self._events.read_text().splitlines()]


@contextlib.contextmanager
def serving(
    name: str, target: str, cwd: Path, directory: Path, *, threads: int = 8
) -> Iterator[Server]:
    """Run server `name` until the block ends, or for `LIFETIME` seconds.

    The log is in `directory`; it is part of the error when the block fails.
    """
    port = _free_port()
    words = COMMANDS[name].format(port=port, threads=threads, target=target).split(" ")
    events = directory / "events"
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=cwd,
            env=os.environ
            | {
                "NOTES_DATABASE": str(directory / "notes.sqlite3"),
                "PROBE_EVENTS": str(events),
                "PYTHONPATH": absolute(os.environ.get("PYTHONPATH", "")),
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    watchdog = threading.Timer(LIFETIME, _end, (process, True))
    watchdog.start()
    try:
        _wait_for_answer(process, port)
        yield Server(name, port, events)
        if process.poll() is not None:
            pytest.fail(f"{name} ended by itself with code {process.returncode}")
    except BaseException as error:
        error.add_note(f"log of {name}:\n{log.read_text(errors='replace')[-8000:]}")
        raise
    finally:
        watchdog.cancel()
        _end(process)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        _end(process, True)
        process.wait(10)


def absolute(path: str) -> str:
    """Return a search path that means the same in another directory."""
    return os.pathsep.join(os.path.abspath(p) for p in path.split(os.pathsep) if p)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_answer(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + STARTING
    while True:
        if process.poll() is not None:
            pytest.fail(f"the server did not start: code {process.returncode}")
        try:
            httpx.get(f"http://127.0.0.1:{port}/hello", timeout=5, trust_env=False)
            return
        except httpx.TransportError:
            if time.monotonic() > end:
                raise
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes], at_once: bool = False) -> None:
    """End the server, and its whole process group: some have workers."""
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL if at_once else signal.SIGTERM)


def servers_here() -> list[str]:
    """Return the servers to test: all; where not all can be had, what there is."""
    if (
        sys.implementation.name == "cpython"
        and sys.platform != "win32"
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
    ):
        return list(COMMANDS)
    needed = {
        "granian": ["granian"],
        "gthread": ["gunicorn"],
        "gevent": ["gunicorn", "gevent"],
    }
    there = importlib.util.find_spec
    return [name for name in COMMANDS if all(map(there, needed.get(name, [])))]


@pytest.fixture(params=[name for name in servers_here() if name != "run"])
def server_name(request: pytest.FixtureRequest) -> str:
    """Each production server in turn."""
    name: str = request.param
    return name
