"""What App refuses, and says, beyond the numbered rules."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from fastdispatch import App
from fastdispatch import make_response
from fastdispatch import request
from fastdispatch import session
from fastdispatch.engine import context
from fastdispatch.engine.context import Context


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


def test_attributes_may_be_set_before_init() -> None:
    class Early(App):
        def __init__(self) -> None:
            self.subdomain_matching = True
            super().__init__("early", subdomain_matching=True)

    assert Early().test_client().get("/").status_code == 404


class _Looks(dict[str, object]):
    """A mapping that looks up in its own way, as some configuration libraries do."""

    def __getitem__(self, key: str) -> object:
        return ["trusted.test"] if key == "TRUSTED_HOSTS" else super().__getitem__(key)


def test_a_config_that_looks_up_in_its_own_way_is_asked() -> None:
    app = App("app")
    app.config = _Looks(app.config)  # type: ignore[assignment]
    app.add_url_rule("/", view_func=lambda: "", endpoint="index")
    client = app.test_client()
    assert client.get("/", headers={"Host": "trusted.test"}).status_code == 200
    assert client.get("/", headers={"Host": "evil.test"}).status_code == 400
    assert client.get("/", headers={"Host": "evil.test"}).status_code == 400


@pytest.mark.parametrize("what", ["none", "app context", "uninitialised"])
def test_request_context_must_return_the_context_of_a_request(what: str) -> None:
    class Custom(App):
        def request_context(self, environ: Any) -> Any:
            if what == "none":
                return None
            if what == "app context":
                return self.app_context()
            return Context.__new__(Context)

    app = Custom("app")
    with pytest.raises((TypeError, AttributeError)):
        app.test_client().get("/")

    assert context.current() is None


def test_a_context_left_behind_is_taken_away(caplog: pytest.LogCaptureFixture) -> None:
    app = App("app")
    trace: list[str] = []
    app.teardown_request(lambda exc: trace.append(request.path))

    @app.get("/")
    def index() -> str:
        app.app_context().push()
        return "answered"

    assert app.test_client().get("/").text == "answered"
    assert trace == ["/"]
    assert "was pushed in this request and not popped" in caplog.text
    assert context.current() is None
    app.testing = True

    with pytest.raises(RuntimeError, match="not popped"):
        app.test_client().get("/")

    assert trace == ["/", "/"]
    assert context.current() is None


def test_a_change_while_the_plan_is_drawn_is_seen() -> None:
    class Slow(App):
        @property
        def url_value_preprocessors(self) -> Any:
            if not self.changed:
                self.changed = True
                # As if by another thread.
                self.full_dispatch_request = lambda: self.make_response("changed")
            return self.__dict__["preprocessors"]

        @url_value_preprocessors.setter
        def url_value_preprocessors(self, value: Any) -> None:
            self.__dict__["preprocessors"] = value

        changed = True

    app = Slow("app")
    app.changed = False
    client = app.test_client()
    client.get("/")
    assert client.get("/").text == "changed"
