"""Flask's request lifecycle as a small compiled engine on Werkzeug."""

from . import json as json
from ._accelerate import accelerate as accelerate
from ._accelerate import explain as explain
from ._accelerate import restore as restore
from .app import App as App
from .blueprints import Blueprint as Blueprint
from .config import Config as Config
from .engine import compiled as compiled
from .errors import CLI
from .errors import module_getattr
from .errors import TEMPLATES
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
from .wrappers import Response as Response

__version__ = "0.1.0"

__getattr__ = module_getattr(
    __name__,
    {
        "render_template": TEMPLATES,
        "render_template_string": TEMPLATES,
        "stream_template": TEMPLATES,
        "stream_template_string": TEMPLATES,
        "template_rendered": TEMPLATES,
        "before_render_template": TEMPLATES,
        "get_template_attribute": TEMPLATES,
        "cli": CLI,
    },
)
