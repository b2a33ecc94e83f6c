"""The signals an application sends while it works: blinker's, with Flask's names.

Receivers are called with the application as their sender (rule 47).
"""

from __future__ import annotations

from typing import Any

from blinker import NamedSignal
from blinker import Namespace

from . import errors
from .app import SIGNALS

_signals = Namespace()


def _sent_by_app(name: str) -> NamedSignal:
    signal = _signals.signal(name.replace("_", "-"))

    def send(*args: Any, **kwargs: Any) -> Any:
        return signal.send(*args, **kwargs)

    # Receivers that are added or removed are seen by every plan at once.
    signal.receivers = SIGNALS[name].receivers
    SIGNALS[name].send = send
    return signal


request_started = _sent_by_app("request_started")
"""The context is set up; ``before_request`` has not run."""
request_finished = _sent_by_app("request_finished")
"""``response`` is about to be sent; the session is saved."""
got_request_exception = _sent_by_app("got_request_exception")
"""A request ends with an ``exception`` that nothing has handled."""
request_tearing_down = _sent_by_app("request_tearing_down")
"""A request is torn down; ``exc`` is the error that ended it, or None."""
appcontext_pushed = _sent_by_app("appcontext_pushed")
"""A context has become current."""
appcontext_tearing_down = _sent_by_app("appcontext_tearing_down")
"""A context is torn down; ``exc`` is the error that ended it, or None."""
appcontext_popped = _sent_by_app("appcontext_popped")
"""A context is no longer current."""
message_flashed = _signals.signal("message-flashed")
"""``message`` was flashed in ``category``."""

__getattr__ = errors.module_getattr(
    __name__,
    {
        "before_render_template": errors.TEMPLATES,
        "template_rendered": errors.TEMPLATES,
    },
)
