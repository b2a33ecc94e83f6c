"""What only a real server shows: disconnects, keep-alive, many requests at once."""

from __future__ import annotations

import http.client
import time
import typing as t
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from .conftest import Server
from .conftest import serving

HERE = Path(__file__).parent
# After what a server ends the connection of its own accord: an answer without a
# length, a body that nobody read.
MAY_END = {"waitress": ("/empty", "/short-stream"), "granian": ("/ignore-body",)}
CLIENTS = 32
REQUESTS = 32  # of each client: 1,024 in all


def wait_for(server: Server, event: str, path: str | None = None) -> None:
    """Wait until the probe has recorded `event`."""
    end = time.monotonic() + 30
    while not any(
        e["event"] == event and e.get("path", path) == path for e in server.events()
    ):
        assert time.monotonic() < end, f"no {event}: {server.events()}"
        time.sleep(0.02)


def test_client_that_disconnects_in_the_middle_of_a_stream(
    server_name: str, tmp_path: Path
) -> None:
    # One thread: the next request meets whatever the abandoned stream has left there.
    with serving(server_name, "probe:app", HERE, tmp_path, threads=1) as server:
        with server.connect() as connection:
            connection.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            connection.recv(65536)
        wait_for(server, "teardown_request", "/stream")
        with server.client() as client:
            for _ in range(3):
                assert client.get("/hello").text == "hello"
        events = server.events()

    closed = [e for e in events if e["event"] == "stream_closed"]
    assert len(closed) == 1
    assert closed[0]["g"] == "/stream"
    assert closed[0]["sent"] < 4000, "the stream ran to its end: nothing was abandoned"
    of_stream = Counter(
        e["event"] for e in events if "/stream" in (e.get("path"), e.get("g"))
    )
    assert of_stream == {
        "arrived": 1,
        "before": 1,
        "stream_closed": 1,
        "teardown_request": 1,
        "teardown_appcontext": 1,
    }
    names = [e["event"] for e in events if e.get("path") == "/stream"]
    assert names.index("stream_closed") < names.index("teardown_request")
    assert_clean(events)


def assert_clean(events: list[dict[str, t.Any]]) -> None:
    """No request found a context, or a value in ``g``, that another had left."""
    assert not [e for e in events if e["event"] == "arrived" and e["context_left"]]
    assert not [e for e in events if e["event"] == "before" and e["g"]]


def test_several_requests_over_one_connection(server_name: str, tmp_path: Path) -> None:
    exchanges: list[tuple[str, str, bytes | None, int, bytes | None]] = [
        ("GET", "/hello", None, 200, b"hello"),
        ("HEAD", "/hello", None, 200, b""),
        ("POST", "/length", b"x" * 100_000, 200, b'{"length":100000}\n'),
        ("GET", "/nowhere", None, 404, None),
        ("POST", "/hello", b"", 405, None),
        ("GET", "/fail", None, 500, None),
        ("GET", "/hello", None, 200, b"hello"),
        ("POST", "/ignore-body", b"y" * 1000, 200, b"ignored"),
        ("GET", "/empty", None, 204, b""),
        ("GET", "/short-stream", None, 200, b"abc"),
        ("GET", "/hello", None, 200, b"hello"),
    ]
    with (
        serving(server_name, "probe:app", HERE, tmp_path) as server,
        closing(
            http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        ) as connection,
    ):
        connection.connect()
        used = connection.sock
        for method, path, body, status, expected in exchanges:
            connection.request(method, path, body)
            response = connection.getresponse()
            content = response.read()
            assert response.status == status, (path, content)
            assert expected is None or content == expected, path
            if path in MAY_END.get(server_name, ()):
                connection.close()
                connection.connect()
                used = connection.sock
            assert connection.sock is used, f"{method} {path} ended the connection"
        events = server.events()

    paths = [path for _, path, *_ in exchanges]
    for event in ("before", "teardown_request"):
        seen = [e["path"] for e in events if e["event"] == event]
        assert seen[-len(paths) :] == paths
    errors = {e["path"]: e["error"] for e in events if e["event"] == "teardown_request"}
    assert errors.pop("/fail") == "ValueError('on purpose')"
    assert set(errors.values()) == {"None"}
    assert_clean(events)


def test_concurrent_requests_never_mix(server_name: str, tmp_path: Path) -> None:
    def visit(number: int) -> list[dict[str, t.Any]]:
        with server.client() as client:
            assert client.get(f"/name/{number}").text == "named"
            return [
                client.get(
                    f"/who{'-async' if n % 2 else ''}/{number}",
                    params={"number": number},
                    headers={"X-Number": str(number)},
                ).json()
                for n in range(REQUESTS)
            ]

    with serving(server_name, "probe:app", HERE, tmp_path) as server:
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(visit, range(CLIENTS)))
        events = server.events()

    for number, given in enumerate(answers):
        most = [answer.pop("most_in_flight") for answer in given]
        who = dict.fromkeys(("argument", "g", "header", "query", "session"), number)
        assert given == [{**who, "seen": n} for n in range(1, REQUESTS + 1)]
    assert max(most) > 1, "no two requests were served at the same time"
    counts = Counter(e["event"] for e in events)
    assert counts["teardown_request"] == counts["before"] == counts["arrived"]
    assert counts["arrived"] >= CLIENTS * (REQUESTS + 1)
    assert_clean(events)
