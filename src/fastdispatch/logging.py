"""The application's logger."""

from __future__ import annotations

import logging
import sys
from typing import Any
from typing import cast
from typing import TextIO
from typing import TYPE_CHECKING

from .engine import context

if TYPE_CHECKING:
    from .app import App


class _ErrorsStream:
    # PERF: importing werkzeug.local, for a LocalProxy, takes as long as all of blinker.

    def _get_current_object(self) -> TextIO:
        ctx: Any = context.current()
        if ctx is not None and ctx.has_request:
            return cast(TextIO, ctx.environ["wsgi.errors"])
        return sys.stderr

    def __getattr__(self, name: str) -> Any:
        return getattr(self._get_current_object(), name)


wsgi_errors_stream = _ErrorsStream()
"""``wsgi.errors`` (PEP 3333) of the current request; ``sys.stderr`` outside of one.

A logging configuration may name it as ``ext://fastdispatch.logging.wsgi_errors_stream``.
"""

default_handler = logging.StreamHandler(cast(TextIO, wsgi_errors_stream))
"""The handler of an application whose logging nobody has configured."""
default_handler.setFormatter(
    logging.Formatter("[%(asctime)s] %(levelname)s in %(module)s: %(message)s")
)


def has_level_handler(logger: logging.Logger) -> bool:
    """Whether a handler of *logger*, or one it propagates to, takes its level."""
    level = logger.getEffectiveLevel()
    current: logging.Logger | None = logger
    while current is not None:
        if any(handler.level <= level for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


def create_logger(app: App) -> logging.Logger:
    """The logger named ``app.name``, ready for use.

    In debug mode a logger without a level of its own gets DEBUG; one whose messages
    no handler would take gets :data:`default_handler`.
    """
    logger = logging.getLogger(app.name)
    if app.debug and not logger.level:
        logger.setLevel(logging.DEBUG)
    if not has_level_handler(logger):
        logger.addHandler(default_handler)
    return logger
