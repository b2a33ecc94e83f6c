"""Config: the same tests on ours and on Flask's."""

from __future__ import annotations

import functools
import json
import os
import re
import tomllib
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flask.config
import pytest

import fastdispatch.config

MODULES = [fastdispatch.config, flask.config]


@pytest.fixture(params=MODULES, ids=["fastdispatch", "flask"])
def module(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def config(module: Any, tmp_path: Path) -> Any:
    return module.Config(tmp_path, {"DEBUG": False})


def test_is_a_dict_with_defaults(config: Any) -> None:
    assert isinstance(config, dict)
    assert dict(config) == {"DEBUG": False}
    assert repr(config) == "<Config {'DEBUG': False}>"


def test_pyfile_loads_upper_case_names_only(config: Any, tmp_path: Path) -> None:
    (tmp_path / "c.py").write_text("KEY = 1\nlower = 2\nFILE = __file__\n")
    assert config.from_pyfile("c.py") is True
    assert config == {"DEBUG": False, "KEY": 1, "FILE": str(tmp_path / "c.py")}


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-15"])
def test_pyfile_obeys_its_coding_line(
    config: Any, tmp_path: Path, encoding: str
) -> None:
    text = f"# -*- coding: {encoding} -*-\nKEY = 'föö'\n"
    (tmp_path / "c.py").write_text(text, encoding=encoding)
    config.from_pyfile(tmp_path / "c.py")
    assert config["KEY"] == "föö"


@pytest.mark.parametrize("name", ["missing.py", ".", "c.py/under-a-file"])
def test_pyfile_that_cannot_be_read(config: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / "c.py").write_text("")
    with pytest.raises(OSError, match=r"Unable to load configuration file \(.+\): "):
        config.from_pyfile(name)
    assert config.from_pyfile(name, silent=True) is False
    assert config == {"DEBUG": False}


def test_envvar(config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_SETTINGS", raising=False)
    with pytest.raises(RuntimeError, match="'APP_SETTINGS' is not set"):
        config.from_envvar("APP_SETTINGS")
    assert config.from_envvar("APP_SETTINGS", silent=True) is False
    monkeypatch.setenv("APP_SETTINGS", str(tmp_path / "missing.py"))
    with pytest.raises(FileNotFoundError):
        config.from_envvar("APP_SETTINGS")
    assert config.from_envvar("APP_SETTINGS", silent=True) is False
    (tmp_path / "c.py").write_text("KEY = 1")
    monkeypatch.setenv("APP_SETTINGS", "c.py")
    assert config.from_envvar("APP_SETTINGS") is True
    assert config["KEY"] == 1


def test_object_or_its_import_name(config: Any) -> None:
    class Base:
        KEY = "base"
        OTHER = 1

    class Derived(Base):
        KEY = "derived"
        lower = 3

    config.from_object(Derived)
    assert config == {"DEBUG": False, "KEY": "derived", "OTHER": 1}
    config.from_object("errno")
    assert config["ENOENT"] == 2
    with pytest.raises(ImportError):
        config.from_object("no.such.module")


@pytest.mark.parametrize(
    ("text", "load", "is_text"),
    [
        ('{"KEY": [1], "lower": 2}', json.load, True),
        ("KEY = [1]\nlower = 2\n", tomllib.load, False),
    ],
)
def test_file(config: Any, tmp_path: Path, text: str, load: Any, is_text: bool) -> None:
    (tmp_path / "c").write_text(text)
    assert config.from_file("c", load, text=is_text) is True
    assert config == {"DEBUG": False, "KEY": [1]}


def test_file_that_cannot_be_read(config: Any) -> None:
    for name in ("missing.json", "."):
        with pytest.raises(OSError, match="Unable to load configuration file"):
            config.from_file(name, json.load)
        assert config.from_file(name, json.load, silent=True) is False


def test_file_that_is_empty_for_its_loader(config: Any, tmp_path: Path) -> None:
    (tmp_path / "c").write_text("")
    assert config.from_file("c", lambda file: None) is True


def test_mapping(config: Any) -> None:
    assert config.from_mapping({"A": 1, "b": 2}, C=3, d=4) is True
    assert config.from_mapping([("E", 5)]) is True
    assert config.from_mapping() is True
    assert config == {"DEBUG": False, "A": 1, "C": 3, "E": 5}
    with pytest.raises(TypeError):
        config.from_mapping({}, {})


def test_prefixed_env(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    for key, value in {
        "FLASK_TEXT": "value",
        "FLASK_TRUE": "true",
        "FLASK_LIST": "[1, 2.5]",
        "FLASK_DB__HOST": "here",
        "FLASK_DB__PORTS__READ": "5432",
        "FLASK_KNOWN__new": "1",
        "NOT_FLASK_A": "other",
        "FLASKY": "other",
    }.items():
        os.environ[key] = value
    config["KNOWN"] = {"old": 0}
    assert config.from_prefixed_env() is True
    assert config == {
        "DEBUG": False,
        "TEXT": "value",
        "TRUE": True,
        "LIST": [1, 2.5],
        "DB": {"HOST": "here", "PORTS": {"READ": 5432}},
        "KNOWN": {"old": 0, "new": 1},
    }
    config.from_prefixed_env("NOT_FLASK", loads=str.upper)
    assert config["A"] == "OTHER"


def test_prefixed_env_into_what_is_no_dict(
    config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"FLASK_DEBUG__X": "1"})
    with pytest.raises(TypeError) as e:
        config.from_prefixed_env()
    if isinstance(config, fastdispatch.config.Config):
        assert "'FLASK_DEBUG__X'" in str(e.value)


def test_namespace(config: Any) -> None:
    config.update({"IMAGE_TYPE": "fs", "IMAGE_PATH": "/x", "OTHER": 1})
    namespace = config.get_namespace
    assert namespace("IMAGE_") == {"type": "fs", "path": "/x"}
    assert namespace("IMAGE_", lowercase=False) == {"TYPE": "fs", "PATH": "/x"}
    assert namespace("IMAGE_", trim_namespace=False) == {
        "image_type": "fs",
        "image_path": "/x",
    }
    assert namespace("NONE_") == {}


def test_attribute_forwards_to_the_config(module: Any) -> None:
    def to_timedelta(value: Any) -> timedelta:
        return value if isinstance(value, timedelta) else timedelta(seconds=value)

    class App(SimpleNamespace):
        testing = module.ConfigAttribute("TESTING")
        lifetime = module.ConfigAttribute("LIFETIME", to_timedelta)

    app = App(config={"TESTING": False, "LIFETIME": 42})
    assert app.testing is False
    assert app.lifetime == timedelta(seconds=42)
    app.testing = True
    app.lifetime = timedelta(1)
    assert app.config == {"TESTING": True, "LIFETIME": timedelta(1)}
    assert isinstance(App.testing, module.ConfigAttribute)
    assert App.testing.__name__ == "TESTING"


# Values of a wrong type: what Flask raises is raised, and says which setting it is.


def settings_program() -> Any:
    app = fastdispatch.App("settings")
    app.secret_key = "key"

    @app.route("/session")
    def session() -> str:
        fastdispatch.session["a"] = 1
        fastdispatch.session.permanent = True
        return "kept"

    @app.route("/file")
    def file() -> Any:
        return fastdispatch.send_file(BytesIO(b"x"), mimetype="text/plain")

    app.add_url_rule("/", "index", lambda: "index")
    app.add_url_rule(
        "/form", "form", lambda: fastdispatch.request.form["a"], methods=["POST"]
    )
    return app


@pytest.mark.parametrize(
    "key, value, path",
    [
        ("MAX_CONTENT_LENGTH", "10", "/form"),
        ("MAX_FORM_MEMORY_SIZE", "10", "/form"),
        ("MAX_FORM_PARTS", "10", "/form"),
        ("MAX_COOKIE_SIZE", "10", "/session"),
        ("PERMANENT_SESSION_LIFETIME", "10", "/session"),
        ("SEND_FILE_MAX_AGE_DEFAULT", "10", "/file"),
        ("SESSION_COOKIE_NAME", 5, "/session"),
        ("SESSION_COOKIE_DOMAIN", 5, "/session"),
        ("SESSION_COOKIE_PATH", 5, "/session"),
        ("SESSION_COOKIE_SAMESITE", 5, "/session"),
        ("SERVER_NAME", 5, "/"),
        ("TRUSTED_HOSTS", 5, "/"),
    ],
)
def test_a_setting_of_a_wrong_type_is_named(
    key: str, value: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = settings_program()
    app.config[key] = value
    client = app.test_client()
    options: Any = {"base_url": "http://localhost/"}
    if path == "/form":
        options |= {"method": "POST", "data": {"a": "b", "file": (BytesIO(b"x"), "x")}}
    with client.open(path, **options) as response:
        assert response.status_code == 500
    said = f"{key} in the config must be .+, not {value!r}, which is of type"
    assert re.search(said, caplog.text)


def test_a_setting_of_a_wrong_type_is_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = settings_program()
    error = TypeError("the same each time")
    app.before_request(functools.partial(throw, error))
    app.config["MAX_FORM_PARTS"] = "10"
    for _ in range(2):
        assert app.test_client().get("/").status_code == 500
    assert len(error.__notes__) == 1


def throw(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("key", ["SERVER_NAME", "APPLICATION_ROOT"])
def test_a_wrong_server_name_is_refused_outside_of_requests(key: str) -> None:
    app = settings_program()
    app.config["SERVER_NAME"] = "localhost"
    app.config[key] = 5
    with pytest.raises(TypeError, match=f"{key} in the config must be"):
        app.test_client().get("/")
    with app.app_context(), pytest.raises(TypeError, match=f"{key} in the config must"):
        fastdispatch.url_for("index")


def test_the_defaults_are_of_the_right_types() -> None:
    assert list(fastdispatch.config.complaints(settings_program().config)) == []
