"""Who takes part: the programs that are measured, and how they are called in print."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from importlib import metadata
from typing import Any
from typing import cast

import fastdispatch

from .workloads import Application
from .workloads import Unsupported


class NotInstalled(Unsupported):
    """The framework is not there."""


@dataclass(frozen=True)
class Candidate:
    """A program in ``bench.apps``.

    ``module`` and ``maker`` make it; ``distribution`` is the package whose version is
    shown, and without which it is not measured; ``kind`` (raw, ours, fast, pure, peer,
    asgi) gives it its colour. ``telling``: it is in README's picture, which would be
    too tall with all.
    """

    label: str
    kind: str
    module: str
    maker: str = "make"
    distribution: str = ""
    telling: bool = False

    @property
    def ours(self) -> bool:
        """Whether it is fastdispatch that runs it."""
        return self.kind in {"ours", "fast", "pure"}

    @property
    def asgi(self) -> bool:
        """Whether it is called on an event loop, by ``bench.asgi``."""
        return self.kind == "asgi"


CANDIDATES = {
    "raw": Candidate("no framework", "raw", "raw_app", telling=True),
    "fastdispatch": Candidate("fastdispatch", "ours", "fastdispatch_app", telling=True),
    "accelerated": Candidate(
        "Flask, accelerated", "fast", "flask_app", "make_accelerated", telling=True
    ),
    "fastdispatch-pure": Candidate(
        "fastdispatch, pure", "pure", "fastdispatch_app", "make_pure", telling=True
    ),
    "wheezy": Candidate(
        "wheezy.web", "peer", "wheezy_app", distribution="wheezy.web", telling=True
    ),
    "falcon": Candidate(
        "Falcon", "peer", "falcon_app", distribution="falcon", telling=True
    ),
    "bottle": Candidate("Bottle", "peer", "bottle_app", distribution="bottle"),
    "werkzeug": Candidate("Werkzeug", "peer", "werkzeug_app", distribution="werkzeug"),
    "pyramid": Candidate("Pyramid", "peer", "pyramid_app", distribution="pyramid"),
    "django": Candidate(
        "Django", "peer", "django_app", distribution="django", telling=True
    ),
    "blacksheep": Candidate(
        "BlackSheep (ASGI)",
        "asgi",
        "blacksheep_app",
        distribution="blacksheep",
        telling=True,
    ),
    "starlette": Candidate(
        "Starlette (ASGI)", "asgi", "starlette_app", distribution="starlette"
    ),
    "quart": Candidate("Quart (ASGI)", "asgi", "quart_app", distribution="quart"),
    "flask": Candidate(
        "Flask", "peer", "flask_app", distribution="flask", telling=True
    ),
}
OURS = [name for name, candidate in CANDIDATES.items() if candidate.ours]


def load(candidate: str, workload: str) -> Application:
    """Make the application; ``Unsupported`` where there is none."""
    known = CANDIDATES[candidate]
    try:
        metadata.version(known.distribution or "werkzeug")
    except metadata.PackageNotFoundError as e:
        raise NotInstalled(f"{known.distribution} is not installed") from e
    module = import_module(f"bench.apps.{known.module}")
    return cast(Application, getattr(module, known.maker)(workload))


def about(candidates: Iterable[str]) -> dict[str, Any]:
    """Of a run with these: the date, the kind of machine, and all versions."""
    versions = {
        "python": f"{platform.python_implementation()} {sys.version.split()[0]}",
        "fastdispatch build": "compiled" if fastdispatch.compiled else "pure",
        "fastdispatch": fastdispatch.__version__,
        "werkzeug": metadata.version("werkzeug"),
    }
    for name in candidates:
        if distribution := CANDIDATES[name].distribution:
            try:
                versions[distribution] = metadata.version(distribution)
            except metadata.PackageNotFoundError:
                versions[distribution] = "not installed"
    return {
        "versions": versions,
        "platform": f"{platform.system()} {platform.machine()}",
        "date": date.today().isoformat(),
    }
