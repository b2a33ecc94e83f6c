"""Whether anything grows over a million requests: a mix of several kinds."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..candidates import load
from ..timing import drive
from ..workloads import WORKLOADS

#: hello, a session, 404, 500, a stream.
MIX = ("W1", "W7", "W8", "W9", "W12")
TURN = 100  # requests of one kind before the next
WARM_UP = 5_000  # requests until caches are full and the heap has its shape


@dataclass(frozen=True)
class State:
    """Blocks of memory and objects of the collector that are in use; bytes resident."""

    blocks: int
    objects: int
    resident: int

    @classmethod
    def now(cls) -> State:
        """The state of this process, garbage collected."""
        for _ in range(3):
            gc.collect()
        return cls(sys.getallocatedblocks(), len(gc.get_objects()), memory()["Rss"])


def memory() -> dict[str, int]:
    """Bytes of this process: ``Rss``, ``Pss`` and others of Linux; 0 elsewhere."""
    path = Path("/proc/self/smaps_rollup")
    if not path.exists():
        return dict.fromkeys(("Rss", "Pss"), 0)
    lines = path.read_text().splitlines()[1:]
    fields = (line.split() for line in lines)
    return {name.rstrip(":"): int(size) * 1024 for name, size, _ in fields}


def mix(candidate: str) -> Callable[[int], None]:
    """The applications, checked; what is returned sends so many requests, and more.

    It stops after the first full turn of all kinds with which the number is reached.
    """
    ready = []
    for name in MIX:
        workload = WORKLOADS[name]
        app = load(candidate, name)
        ready.append((app, workload.prepare(app), workload.payload))

    def send(count: int) -> None:
        for _ in range(-(-count // (TURN * len(MIX)))):
            for app, environ, payload in ready:
                drive(app, environ, payload, TURN)

    return send


def growth(candidate: str, requests: int) -> tuple[State, State]:
    """The states after the warm-up and *requests* requests later."""
    send = mix(candidate)
    send(WARM_UP)
    before = State.now()
    send(requests)
    return before, State.now()
