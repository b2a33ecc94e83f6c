"""Accelerated programs on real servers: nothing is mixed, nothing is left behind."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.servers.conftest import Server
from tests.servers.conftest import serving

HERE = Path(__file__).parent
# One of them with plain Flask, for what is expected.
SERVERS = [(name, True) for name in ("gevent", "gthread", "waitress", "granian")]
SERVERS += [("gthread", False)]
USERS = 200  # clients at the same time
# Requests that are inside the program at the same time: serving() has eight threads.
AT_ONCE = {"gevent": 150, "gthread": 8, "waitress": 8, "granian": 8}
STREAMS = 12
TEARDOWNS = 2  # of a streamed request in Flask 3.1: at the response, at the end
PATIENCE = 30.0  # seconds until a server has noticed that its clients are gone


def use(server: Server, user: int) -> list[t.Any]:
    """Make three requests with one cookie jar; return what they say."""
    query = {"user": f"u{user}", "others": AT_ONCE[server.name]}
    said = []
    with server.client() as client:
        for _ in range(3):
            response = client.get("/mix", params=query)
            assert response.status_code == 200
            said.append([response.headers["X-User"], response.json()])
    return said


def abandon(server: Server, user: int) -> None:
    """Read the beginning of a stream and go away."""
    with server.connect() as connection:
        request = f"GET /stream?user=u{user} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        connection.sendall(request.encode())
        received = 0
        while received < 200_000:
            data = connection.recv(65536)
            assert data
            received += len(data)


def counts(server: Server) -> dict[str, int]:
    with server.client() as client:
        counted: dict[str, int] = client.get("/counts").json()
        return counted


@pytest.mark.parametrize(("name", "accelerated"), SERVERS)
def test_nothing_is_mixed_and_nothing_is_left(
    name: str, accelerated: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE", str(int(accelerated)))
    with serving(name, "served:app", HERE, tmp_path) as server:
        with ThreadPoolExecutor(USERS) as pool:
            said = list(pool.map(lambda user: use(server, user), range(USERS)))
        for user in range(USERS):
            assert said[user] == [
                [f"u{user}", {"seen": [f"u{user}"], "count": n}] for n in (1, 2, 3)
            ]
        assert counts(server)["most"] >= AT_ONCE[name]

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda user: abandon(server, user), range(STREAMS)))
        end = time.monotonic() + PATIENCE
        while counts(server)["closed"] < STREAMS and time.monotonic() < end:
            time.sleep(0.1)
        # Whoever comes to the threads that streamed finds nothing.
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda user: use(server, user), range(32)))
        found = counts(server)
        assert found["streams"] == found["closed"] == STREAMS
        assert found["teardowns"] == STREAMS * TEARDOWNS
        assert found["app_teardowns"] == STREAMS * TEARDOWNS
        assert found["left"] == 0
        assert found["mixed"] == 0
