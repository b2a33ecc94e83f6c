"""What App refuses, and says, beyond the numbered rules."""

from __future__ import annotations

import importlib
import sys

import pytest

from fastdispatch import App
from fastdispatch import make_response
from fastdispatch import session


def test_make_response_without_a_request() -> None:
    app = App("app")
    assert app.make_response("x").data == b"x"

    with app.app_context():
        assert make_response("x", 201).status_code == 201

        with pytest.raises(TypeError, match="did not return a valid response"):
            app.make_response(None)


@pytest.mark.parametrize(
    "name", ["cli", "cli_group", "jinja_env", "jinja_options", "test_cli_runner_class"]
)
def test_names_out_of_scope_can_be_neither_read_nor_set(name: str) -> None:
    app = App("app")
    assert not hasattr(app, name)

    with pytest.raises(AttributeError, match="out of scope"):
        setattr(app, name, None)


@pytest.mark.parametrize("name", ["cli", "templating"])
def test_modules_out_of_scope_say_so(name: str) -> None:
    with pytest.raises(ImportError, match="out of scope"):
        importlib.import_module(f"fastdispatch.{name}")

    assert f"fastdispatch.{name}" not in sys.modules


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"SECRET_KEY": 12345678}, "SECRET_KEY must be str or bytes, not int"),
        ({"SECRET_KEY": "new", "SECRET_KEY_FALLBACKS": "old"}, "a list of keys"),
    ],
)
def test_secret_keys_of_the_wrong_type(config: dict[str, object], message: str) -> None:
    app = App("app")
    app.config.update(config, TESTING=True)

    @app.get("/")
    def index() -> str:
        session["a"] = 1
        return ""

    with pytest.raises(TypeError, match=message):
        app.test_client().get("/")
