"""Start a server on one core, see that it answers, and leave nothing running."""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from typing import IO

from ..workloads import Environ

ROOT = Path(__file__).parents[2]
TARGET = "bench.servers.program:app"
STARTING = 20.0  # seconds a server has until its first answer
ENDING = 3.0  # seconds it has to end by itself


class ServerError(Exception):
    """A server that did not start, or ended; the message has the end of its log."""


@dataclass(frozen=True)
class Kind:
    """A server: its name in print, its distribution, how it is started.

    *command* follows the interpreter, or is a script of the environment if *script*.
    """

    title: str
    distribution: str
    command: str
    script: bool = False

    def version(self) -> str | None:
        """The installed version; None where there is none."""
        try:
            return metadata.version(self.distribution)
        except metadata.PackageNotFoundError:
            return None

    def argv(self, port: int) -> list[str]:
        """The command line that serves ``TARGET`` on *port* of the loopback."""
        words = shlex.split(self.command)
        words = [w.format(port=port, target=TARGET, home=sys.prefix) for w in words]
        if self.script:
            return [str(Path(sysconfig.get_path("scripts")) / words[0]), *words[1:]]
        return [sys.executable, *words]


# One process, since there is one core. Threads where the server needs them: one in
# granian, whose connections are handled in Rust, four in those written in Python.
SERVERS = {
    "bjoern": Kind(
        "bjoern",
        "bjoern",
        "-c 'import bjoern; from bench.servers.program import app;"
        ' bjoern.run(app, "127.0.0.1", {port})\'',
    ),
    "granian": Kind(
        "granian",
        "granian",
        "-m granian --interface wsgi --host 127.0.0.1 --port {port} --workers 1"
        " --runtime-mode st --blocking-threads 1 --log-level warning {target}",
    ),
    # It closes each connection without saying so, unless told to say so.
    "uwsgi": Kind(
        "uWSGI, http-socket",
        "uwsgi",
        "uwsgi --http-socket 127.0.0.1:{port} --home {home} --module {target}"
        " --need-app --die-on-term --disable-logging"
        " --add-header 'Connection: close'",
        script=True,
    ),
    "waitress": Kind(
        "waitress",
        "waitress",
        "-m waitress --listen 127.0.0.1:{port} --threads 4 {target}",
    ),
    "gthread": Kind(
        "gunicorn, gthread",
        "gunicorn",
        "-m gunicorn --bind 127.0.0.1:{port} --workers 1 --worker-class gthread"
        " --threads 4 --no-control-socket --log-level warning {target}",
    ),
    "sync": Kind(
        "gunicorn, sync",
        "gunicorn",
        "-m gunicorn --bind 127.0.0.1:{port} --workers 1 --worker-class sync"
        " --no-control-socket --log-level warning {target}",
    ),
    "cheroot": Kind(
        "cheroot",
        "cheroot",
        "-m cheroot --bind 127.0.0.1:{port} --threads 4 {target}",
    ),
}


@contextlib.contextmanager
def pinned(cpu: int) -> Iterator[None]:
    """What is started in here runs on that core alone, with all that it starts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    """A server that is up; *name* is for messages."""

    def __init__(
        self, name: str, port: int, process: subprocess.Popen[bytes], log: IO[bytes]
    ) -> None:
        self.name = name
        self.port = port
        self.process = process
        self._log = log

    def failure(self, what: str) -> ServerError:
        """An error that says *what* the server did, with the end of its log."""
        self._log.seek(0)
        text = self._log.read().decode("utf-8", "replace").strip()
        return ServerError(f"{self.name} {what}; its log ends:\n{text[-2000:]}")

    def alive(self) -> None:
        """Raise ``ServerError`` if it has ended."""
        if (code := self.process.poll()) is not None:
            raise self.failure(f"ended by itself with code {code}")

    def cpu_seconds(self) -> float:
        """Processor time that its processes have used so far."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # one that has just ended
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid:  # its session
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def keeps_alive(self) -> bool:
        """Whether a connection is good for a second request."""
        connection = self._connect()
        with contextlib.closing(connection):
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            return not answer.will_close

    def forward(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """A WSGI application that asks the server: path only, no body."""
        connection = self._connect()
        with contextlib.closing(connection):
            connection.request(environ["REQUEST_METHOD"], environ["PATH_INFO"])
            answer = connection.getresponse()
            start_response(f"{answer.status} {answer.reason}", answer.getheaders())
            return [answer.read()]

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(
    kind: Kind, candidate: str, cpu: int, starting: float = STARTING
) -> Iterator[Server]:
    """Run *candidate* on that server and core until the block ends.

    Raises ``ServerError`` where it does not answer within *starting* seconds. However
    the block ends, every process of the server is gone afterwards.
    """
    port = free_port()
    search = [str(ROOT), *(os.path.abspath(p) for p in sys.path if p)]
    environ = {
        **os.environ,
        "BENCH_CANDIDATE": candidate,
        "PYTHONPATH": os.pathsep.join(search),
    }
    with tempfile.TemporaryFile() as log:
        with pinned(cpu):
            process = subprocess.Popen(
                kind.argv(port),
                cwd=ROOT,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        server = Server(f"{kind.title} with {candidate}", port, process, log)
        try:
            _wait_for_answer(server, starting)
            yield server
        finally:
            _end(process)


def _wait_for_answer(server: Server, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        server.alive()
        try:
            server.keeps_alive()
            return
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() > end:
                raise server.failure(
                    f"did not answer within {seconds:.0f} s ({error})"
                ) from None
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; kill whatever is left of its process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ENDING)
