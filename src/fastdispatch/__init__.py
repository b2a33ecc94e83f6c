"""Flask's request lifecycle as a small compiled engine on Werkzeug."""

import sys
from typing import TYPE_CHECKING

from .app import App as App
from .config import Config as Config
from .engine import compiled as compiled
from .wrappers import Response as Response

if TYPE_CHECKING:
    from . import json as json
    from ._accelerate import accelerate as accelerate
    from ._accelerate import explain as explain
    from ._accelerate import restore as restore
    from .blueprints import Blueprint as Blueprint
    from .globals import current_app as current_app
    from .globals import g as g
    from .globals import request as request
    from .globals import session as session
    from .helpers import abort as abort
    from .helpers import after_this_request as after_this_request
    from .helpers import copy_current_request_context as copy_current_request_context
    from .helpers import flash as flash
    from .helpers import get_flashed_messages as get_flashed_messages
    from .helpers import has_app_context as has_app_context
    from .helpers import has_request_context as has_request_context
    from .helpers import make_response as make_response
    from .helpers import redirect as redirect
    from .helpers import send_file as send_file
    from .helpers import send_from_directory as send_from_directory
    from .helpers import stream_with_context as stream_with_context
    from .helpers import url_for as url_for
    from .json import jsonify as jsonify
    from .signals import appcontext_popped as appcontext_popped
    from .signals import appcontext_pushed as appcontext_pushed
    from .signals import appcontext_tearing_down as appcontext_tearing_down
    from .signals import got_request_exception as got_request_exception
    from .signals import message_flashed as message_flashed
    from .signals import request_finished as request_finished
    from .signals import request_started as request_started
    from .signals import request_tearing_down as request_tearing_down
    from .wrappers import Request as Request

__version__ = "0.1.0"

# PERF: not every program uses them, and importing them takes as long as half of what
# is imported at once.
_LATER = {
    "_accelerate": ("accelerate", "explain", "restore"),
    "blueprints": ("Blueprint", "blueprints"),
    "errors": ("errors",),
    "globals": ("current_app", "g", "globals", "request", "session"),
    "helpers": (
        "abort",
        "after_this_request",
        "copy_current_request_context",
        "flash",
        "get_flashed_messages",
        "has_app_context",
        "has_request_context",
        "helpers",
        "make_response",
        "redirect",
        "send_file",
        "send_from_directory",
        "stream_with_context",
        "url_for",
    ),
    "json": ("json", "jsonify"),
    "logging": ("logging",),
    "signals": (
        "appcontext_popped",
        "appcontext_pushed",
        "appcontext_tearing_down",
        "got_request_exception",
        "message_flashed",
        "request_finished",
        "request_started",
        "request_tearing_down",
        "signals",
    ),
    "sessions": ("sessions",),
    "tag": ("tag",),
    "wrappers": ("Request",),
}
_TEMPLATES = (
    "render_template",
    "render_template_string",
    "stream_template",
    "stream_template_string",
    "template_rendered",
    "before_render_template",
    "get_template_attribute",
)

if not TYPE_CHECKING:

    def __getattr__(name):
        from importlib import import_module

        for module, names in _LATER.items():
            if name in names:
                value = import_module(f"{__name__}.{module}")
                if name != module:
                    value = getattr(value, name)
                setattr(sys.modules[__name__], name, value)
                return value
        if name == "__all__":
            return [public for public in __dir__() if public[0] != "_"]
        from .errors import CLI
        from .errors import module_getattr
        from .errors import TEMPLATES

        missing = {**dict.fromkeys(_TEMPLATES, TEMPLATES), "cli": CLI}
        return module_getattr(__name__, missing)(name)

    def __dir__():
        later = (name for names in _LATER.values() for name in names)
        return sorted({*vars(sys.modules[__name__]), *later})
