"""``jsonify``, ``app.json`` and ``get_json``: those of plain Flask, to the byte."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import decimal
import enum
import json
import typing as t
import uuid
from collections import OrderedDict
from collections.abc import Callable

import flask
import pytest
from flask.json.provider import DefaultJSONProvider
from flask.json.provider import JSONProvider
from markupsafe import Markup
from tests.accelerate.conftest import ACCELERATED
from tests.accelerate.conftest import Host
from tests.accelerate.conftest import PLAIN
from tests.conformance.support import call

import fastdispatch

Prepare = Callable[[flask.Flask], object]


@dataclasses.dataclass
class Point:
    x: int
    when: datetime.date


class Colour(enum.IntEnum):
    RED = 1


class Text(str):
    pass


class Html:
    def __html__(self) -> str:
        return "<b>"


class Odd:
    pass


def circle() -> list[t.Any]:
    made: list[t.Any] = []
    made.append(made)
    return made


def deep(levels: int) -> list[t.Any]:
    made: list[t.Any] = []
    for _ in range(levels):
        made = [made]
    return made


VALUES: dict[str, t.Any] = {
    "dict": {"b": 1, "a": [True, None, 1.5, -0.0, 10**30]},
    "nested": {"z": {"b": {}, "a": []}, "y": ()},
    "text": 'quote " \\ / \n\t\x00\x7f\u2028 ü 😀',
    "surrogate": "\ud800",
    "floats": [float("inf"), float("-inf"), float("nan"), 1e300, 5e-324],
    "number": 3,
    "none": None,
    "list": [1, "a"],
    "int keys": {2: "b", 1: "a"},
    "mixed keys": {1: "a", "b": 2},
    "odd keys": {(1, 2): "a"},
    "None key": {None: 1},
    "bool keys": {True: 1, False: 0},
    "float keys": {1.5: 1},
    "subclassed": {Text("b"): Text("x"), "a": Colour.RED},
    "OrderedDict": OrderedDict([("b", 1), ("a", 2)]),
    "Decimal": decimal.Decimal("1.10"),
    "date": datetime.date(2026, 11, 21),
    "datetime": [datetime.datetime(2026, 11, 21, 1, 2, 3)],
    "UUID": {"id": uuid.UUID(int=3)},
    "Markup": Markup("<b>"),
    "html": Html(),
    "dataclass": Point(1, datetime.date(2026, 1, 1)),
    "set": {1},
    "bytes": b"x",
    "odd": [Odd()],
    "circle": circle(),
    "deep": deep(150),
}


def outcome(
    host: Host,
    view: Callable[[], t.Any],
    prepare: Prepare = lambda app: None,
    **kwargs: t.Any,
) -> list[t.Any]:
    app = flask.Flask("json", static_folder=None)
    app.logger.disabled = True
    app.add_url_rule("/", view_func=view, methods=["GET", "POST"])
    errors: list[str] = []
    app.teardown_request(lambda e: errors.append(f"{type(e).__name__}: {e}"[:300]))
    prepare(app)
    host(app)
    seen: list[t.Any] = []
    for _ in range(2):
        try:
            answer = call(app, "/", **kwargs)
            seen.append((answer.status_line, list(answer.headers), answer.body))
        except Exception as e:
            seen.append(type(e))
    return seen + errors


def same(view: Callable[[], t.Any], *args: t.Any, **kwargs: t.Any) -> list[t.Any]:
    plain = outcome(PLAIN, view, *args, **kwargs)
    assert outcome(ACCELERATED, view, *args, **kwargs) == plain
    return plain


def debug(app: flask.Flask) -> None:
    app.debug = True
    app.config["PROPAGATE_EXCEPTIONS"] = False


def attribute(name: str, value: t.Any) -> Prepare:
    return lambda app: setattr(app.json, name, value)


class Own(DefaultJSONProvider):
    sort_keys = False

    def dumps(self, obj: t.Any, **kwargs: t.Any) -> str:
        return "own " + super().dumps(obj, **kwargs)


class Bare(JSONProvider):
    def dumps(self, obj: t.Any, **kwargs: t.Any) -> str:
        return f"bare {json.dumps(obj, default=repr)}"

    def loads(self, s: t.Any, **kwargs: t.Any) -> t.Any:
        return {"bare": json.loads(s)}


class Loud(flask.Response):
    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        kwargs["headers"] = {"X-Given": repr((args, sorted(kwargs)))}
        super().__init__(*args, **kwargs)


PREPARATIONS: dict[str, Prepare] = {
    "stock": lambda app: None,
    "debug": debug,
    "compact": lambda app: (debug(app), attribute("compact", True)(app)),
    "not compact": attribute("compact", False),
    "odd compact": attribute("compact", 0),
    "not sorted": attribute("sort_keys", False),
    "not ascii": attribute("ensure_ascii", False),
    "mimetype": attribute("mimetype", "application/vnd.x+json"),
    "text mimetype": attribute("mimetype", "text/json"),
    "newline mimetype": attribute("mimetype", "a\nb"),
    "default": attribute("default", lambda o: f"default {type(o).__name__}"),
    "own dumps": attribute("dumps", lambda obj, **kwargs: f"dumps {sorted(kwargs)}"),
    "own response": attribute(
        "response", lambda *args, **kwargs: flask.Response("response")
    ),
    "own preparation": attribute(
        "_prepare_response_obj", lambda args, kwargs: ["prepared"]
    ),
    "Own": lambda app: setattr(app, "json", Own(app)),
    "Bare": lambda app: setattr(app, "json", Bare(app)),
    "another": lambda app: setattr(app, "json", DefaultJSONProvider(app)),
    "Loud": lambda app: setattr(app, "response_class", Loud),
}


@pytest.mark.parametrize("prepare", PREPARATIONS)
@pytest.mark.parametrize("name", VALUES)
def test_jsonify_writes_what_flask_writes(name: str, prepare: str) -> None:
    same(lambda: flask.jsonify(VALUES[name]), PREPARATIONS[prepare])


@pytest.mark.parametrize("prepare", PREPARATIONS)
@pytest.mark.parametrize("name", ["dict", "list", "mixed keys", "UUID", "circle"])
def test_a_view_that_returns_a_value_writes_the_same(name: str, prepare: str) -> None:
    same(lambda: VALUES[name], PREPARATIONS[prepare])
    same(lambda: (VALUES[name], 201, {"X-A": "1"}), PREPARATIONS[prepare])


def test_jsonify_in_vain() -> None:
    def view() -> str:
        flask.jsonify({"a": 1})
        return "text"

    assert "text/html" in repr(same(view))


def test_arguments_of_jsonify() -> None:
    same(lambda: flask.jsonify())
    same(lambda: flask.jsonify(1, 2))
    same(lambda: flask.jsonify(None))
    same(lambda: flask.jsonify(*[]))
    same(lambda: flask.jsonify(b=1, a=2))
    assert "TypeError" in repr(same(lambda: flask.jsonify(1, a=2)))


@pytest.mark.parametrize("name", VALUES)
def test_dumps_is_flasks(name: str) -> None:
    same(lambda: flask.json.dumps(VALUES[name]))
    same(lambda: flask.json.dumps(VALUES[name], indent=1, sort_keys=False))


BODIES = [
    b'{"a": [1, 2.5, "\\u00fc", null, true]}',
    b' {"a": 1} ',
    b"[1, 2]\n",
    b'"text"',
    '{"ü": 1}'.encode(),
    "\ufeff{}".encode(),
    "{}".encode("utf-16"),
    "[1]".encode("utf-32"),
    b"[\xff]",
    b"{",
    b"",
    b"[1] 2",
    b"NaN",
    b"[1,]",
    b'{"a": 1, "a": 2}',
]


@pytest.mark.parametrize("prepare", ["stock", "debug", "Own", "Bare", "another"])
@pytest.mark.parametrize("body", BODIES)
def test_a_body_is_read_as_flask_reads_it(body: bytes, prepare: str) -> None:
    def view() -> str:
        return repr((flask.request.get_json(), flask.request.json))

    def loads() -> str:
        return repr(flask.json.loads(flask.request.get_data()))

    for read in (view, loads):
        same(
            read,
            PREPARATIONS[prepare],
            method="POST",
            data=body,
            content_type="application/json",
        )


def test_loads_takes_arguments() -> None:
    same(lambda: repr(flask.json.loads("1.5", parse_float=str)))
    same(lambda: repr(flask.json.loads(bytearray(b"[1]"))))
    same(lambda: repr(flask.json.loads(3)))  # type: ignore[arg-type]


CHANGES: dict[str, Prepare] = {
    **{name: PREPARATIONS[name] for name in PREPARATIONS if name != "Loud"},
    "debug off": lambda app: setattr(app, "debug", False),
    "config": lambda app: app.config.update(DEBUG=True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_between_two_requests_counts(change: str) -> None:
    def requests(host: Host) -> list[t.Any]:
        app = flask.Flask("changed", static_folder=None)
        app.add_url_rule("/", "dict", lambda: {"b": 1, "a": "ü"})
        app.add_url_rule("/json", "json", lambda: flask.jsonify(b=1, a="ü"))
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.logger.disabled = True
        host(app)
        seen = []
        for _ in range(2):
            for path in ("/", "/json"):
                answer = call(app, path)
                seen.append((answer.status_line, list(answer.headers), answer.body))
            CHANGES[change](app)
        return seen

    assert requests(PLAIN) == requests(ACCELERATED)


DECODER: t.Any = vars(json)["_default_decoder"]
PATCHES: dict[str, tuple[t.Any, str, t.Any]] = {
    "response": (
        DefaultJSONProvider,
        "response",
        lambda self, *args, **kwargs: flask.Response("patched"),
    ),
    "dumps": (DefaultJSONProvider, "dumps", lambda self, obj, **kwargs: "patched"),
    "loads": (DefaultJSONProvider, "loads", lambda self, s, **kwargs: "patched"),
    "preparation": (
        JSONProvider,
        "_prepare_response_obj",
        lambda self, args, kwargs: "patched",
    ),
    "sort_keys": (DefaultJSONProvider, "sort_keys", False),
    "compact": (DefaultJSONProvider, "compact", False),
    "mimetype": (DefaultJSONProvider, "mimetype", "text/patched"),
    "json.dumps": (json, "dumps", lambda obj, **kwargs: "patched"),
    "json.loads": (json, "loads", lambda obj, **kwargs: "patched"),
    "decode": (json.JSONDecoder, "decode", lambda self, s: "patched"),
    "raw_decode": (json.JSONDecoder, "raw_decode", lambda self, s, idx: ("p", 3)),
    "decoder": (json, "_default_decoder", json.JSONDecoder(parse_int=str)),
    "scanner": (DECODER, "scan_once", lambda s, index: ("patched", 3)),
    "debug": (flask.Flask, "debug", property(lambda self: True)),
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_is_honoured_at_once(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, attribute, value = PATCHES[name]

    def scenario(host: Host) -> list[t.Any]:
        app = flask.Flask("patched", static_folder=None)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.add_url_rule("/", "dict", lambda: {"b": 1, "a": "ü"})
        app.add_url_rule("/json", "json", lambda: flask.jsonify(b=1, a="ü"))
        app.add_url_rule("/loads", "loads", lambda: [flask.json.loads("[1]")])

        @app.route("/during")
        def during() -> t.Any:
            monkeypatch.setattr(target, attribute, value)
            return flask.jsonify(b=flask.json.loads("[1]"), a="ü")

        host(app)
        seen: list[t.Any] = []

        def get(*paths: str) -> None:
            for path in paths:
                answer = call(app, path)
                seen.append((answer.status_line, list(answer.headers), answer.body))

        get("/", "/json", "/loads")
        get("/during", "/", "/json", "/loads")
        with app.app_context():
            seen.append(flask.jsonify(b=1).get_data())
        monkeypatch.undo()
        get("/", "/json", "/loads")
        monkeypatch.setattr(target, attribute, value)
        get("/", "/json", "/loads")
        monkeypatch.undo()
        return seen

    plain = scenario(PLAIN)
    assert scenario(ACCELERATED) == plain
    assert plain[:3] != plain[4:7]


def test_in_an_application_context(host: Host) -> None:
    app = flask.Flask("context", static_folder=None)
    host(app)
    with app.app_context():
        response = flask.jsonify(b=1, a=2)
    assert type(response) is flask.Response
    assert response.get_data() == b'{"a":2,"b":1}\n'
    assert response.get_json() == {"a": 2, "b": 1}


def test_the_provider_is_the_applications(host: Host) -> None:
    app = flask.Flask("provider", static_folder=None)
    before = app.json
    before.sort_keys = False  # type: ignore[attr-defined]
    host(app)
    assert app.json is before
    assert isinstance(app.json, DefaultJSONProvider)
    assert type(app.json).__name__ == "DefaultJSONProvider"
    assert set(vars(app.json)) == {"_app", "sort_keys"}
    again = copy.copy(app.json)
    again.sort_keys = True  # type: ignore[attr-defined]
    with app.app_context():
        assert again.response({"b": 1, "a": 2}).data == b'{"a":2,"b":1}\n'
        assert app.json.response({"b": 1, "a": 2}).data == b'{"b":1,"a":2}\n'


def test_restore_gives_the_provider_back() -> None:
    app = fastdispatch.accelerate(flask.Flask("restored", static_folder=None))
    fastdispatch.restore(app)
    assert type(app.json) is DefaultJSONProvider


def test_explain_tells_of_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    app = fastdispatch.accelerate(flask.Flask("explained", static_folder=None))

    def row() -> tuple[bool, str]:
        rows = {row.step: row for row in fastdispatch.explain(app)}
        return rows["json"].engine, rows["json"].why

    if fastdispatch.compiled:
        stock = (True, "DefaultJSONProvider")
    else:
        stock = (False, "DefaultJSONProvider, whose text the pure build leaves to it")
    assert row() == stock
    name = "flask.json.provider.DefaultJSONProvider.dumps"
    monkeypatch.setattr(DefaultJSONProvider, "dumps", lambda self, obj: "")
    assert row() == (False, f"DefaultJSONProvider, {name} is patched")
    monkeypatch.undo()
    assert row() == stock
    monkeypatch.setattr(json, "dumps", lambda obj, **kwargs: "")
    assert row() == (False, "DefaultJSONProvider, json.dumps is patched")
    monkeypatch.undo()
    app.debug = True
    assert row() == (False, "DefaultJSONProvider, which indents")
    app.debug = False
    app.json.dumps = lambda obj, **kwargs: ""  # type: ignore[method-assign]
    assert row() == (False, "DefaultJSONProvider, dumps is set on it")
    app.json = Own(app)
    assert row() == (False, "Own")
