"""The signals an application sends while it works: blinker's, with Flask's names.

Receivers are called with the application as their sender (rule 47).
"""

from __future__ import annotations

from blinker import Namespace

from . import errors

_signals = Namespace()

request_started = _signals.signal("request-started")
"""The context is set up; ``before_request`` has not run."""
request_finished = _signals.signal("request-finished")
"""``response`` is about to be sent; the session is saved."""
got_request_exception = _signals.signal("got-request-exception")
"""A request ends with an ``exception`` that nothing has handled."""
request_tearing_down = _signals.signal("request-tearing-down")
"""A request is torn down; ``exc`` is the error that ended it, or None."""
appcontext_pushed = _signals.signal("appcontext-pushed")
"""A context has become current."""
appcontext_tearing_down = _signals.signal("appcontext-tearing-down")
"""A context is torn down; ``exc`` is the error that ended it, or None."""
appcontext_popped = _signals.signal("appcontext-popped")
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
