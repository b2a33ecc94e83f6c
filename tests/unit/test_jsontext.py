"""The JSON writer against json.dumps, and when it leaves a response to the provider."""

from __future__ import annotations

import enum
import json
import random
from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdispatch import App
from fastdispatch import compiled
from fastdispatch import jsonify
from fastdispatch.engine.jsontext import write_json
from fastdispatch.json import DefaultJSONProvider

AWKWARD = (
    'ab"\\/<\n\r\t\b\f\x00\x1f\x7f\x80\xe9\u2028\ud7ff\ue000\uffff\U00010000\U0010ffff'
)

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text()
    | st.text(alphabet=AWKWARD),
    lambda values: (
        st.lists(values)
        | st.lists(values).map(tuple)
        | st.dictionaries(st.text(), values, max_size=40)
    ),
    max_leaves=30,
)


def dumped(obj: Any, sort_keys: bool, ensure_ascii: bool, spaced: bool) -> bytes:
    return json.dumps(
        obj,
        sort_keys=sort_keys,
        ensure_ascii=ensure_ascii,
        separators=(", ", ": ") if spaced else (",", ":"),
    ).encode()


@given(plain, st.booleans(), st.booleans(), st.booleans())
def test_text_is_that_of_json_dumps(
    obj: Any, sort_keys: bool, ensure_ascii: bool, spaced: bool
) -> None:
    text = write_json(obj, sort_keys, ensure_ascii, spaced)
    if compiled and (ensure_ascii or text is not None):
        assert text == dumped(obj, sort_keys, ensure_ascii, spaced)
    elif not compiled:
        assert text is None


@pytest.mark.skipif(not compiled, reason="the pure build leaves all of it to json")
def test_large_values() -> None:
    shuffled = random.Random(4)
    keys = [f"{n}\xe9" for n in range(5000)]
    shuffled.shuffle(keys)
    big = {key: ["x" * 3000, n, n / 7] for n, key in enumerate(keys)}
    for sort_keys in (True, False):
        assert write_json(big, sort_keys, True) == dumped(big, sort_keys, True, False)
    assert write_json("\n" * 100_000, True, True, False, True) == (
        b'"' + b"\\n" * 100_000 + b'"\n'
    )


class Text(str):
    """Its JSON is that of a str, but who knows."""


class Colour(enum.IntEnum):
    RED = 1


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        {1: 2},
        {"a": {None: 1}},
        {Text("a"): 1},
        Text("a"),
        Colour.RED,
        OrderedDict(a=1),
        2**63,
        object(),
        {"a": {1, 2}},
        nested(5000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_unsure(value: Any) -> None:
    assert write_json(value, True, True) is None


def test_lone_surrogate() -> None:
    assert write_json("\ud800", True, False) is None
    if compiled:
        assert write_json("\ud800", True, True) == b'"\\ud800"'


def test_circular_value_raises_what_json_raises() -> None:
    app = App("circular", static_folder=None)
    value: dict[str, Any] = {}
    value["a"] = value
    with app.app_context(), pytest.raises(ValueError, match="Circular"):
        jsonify(value)


class Provider(DefaultJSONProvider):
    """One that overrides a step."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return "overridden"


def body(app: App, value: Any) -> tuple[bytes, str]:
    with app.test_request_context():
        made = jsonify(value)
    rv = app.test_client().get("/")
    assert (made.data, made.content_type) == (rv.data, rv.content_type)
    return rv.data, str(rv.content_type)


@pytest.fixture
def app() -> App:
    app = App("json", static_folder=None)
    app.add_url_rule("/", endpoint="index", view_func=lambda: {"b": 1, "a": "\xe9"})
    return app


def test_settings_are_read_each_time(app: App) -> None:
    value = {"b": 1, "a": "\xe9"}
    provider = app.json
    assert isinstance(provider, DefaultJSONProvider)
    assert body(app, value) == (b'{"a":"\\u00e9","b":1}\n', "application/json")
    provider.sort_keys = False
    assert body(app, value)[0] == b'{"b":1,"a":"\\u00e9"}\n'
    provider.ensure_ascii = False
    assert body(app, value)[0] == '{"b":1,"a":"\xe9"}\n'.encode()
    provider.compact = False
    assert body(app, value)[0] == '{\n  "b": 1,\n  "a": "\xe9"\n}\n'.encode()
    provider.compact = True
    provider.mimetype = "application/vnd.api+json"
    assert body(app, value)[1] == "application/vnd.api+json"
    del provider.sort_keys, provider.ensure_ascii
    assert body(app, value)[0] == b'{"a":"\\u00e9","b":1}\n'


def test_debug_mode_indents(app: App) -> None:
    assert b"\n  " not in body(app, {"b": 1, "a": "\xe9"})[0]
    app.debug = True
    assert b"\n  " in body(app, {"b": 1, "a": "\xe9"})[0]


def test_overridden_replaced_and_patched(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = {"b": 1, "a": "\xe9"}
    stock = body(app, value)
    with monkeypatch.context() as patched:
        patched.setattr(DefaultJSONProvider, "sort_keys", False)
        assert body(app, value)[0].startswith(b'{"b"')
    with monkeypatch.context() as patched:
        patched.setattr(DefaultJSONProvider, "dumps", lambda *a, **k: "patched")
        assert body(app, value)[0] == b"patched\n"
    with monkeypatch.context() as patched:
        patched.setattr(json, "dumps", lambda *a, **k: "replaced")
        assert body(app, value)[0] == b"replaced\n"
    assert body(app, value) == stock
    app.json.dumps = lambda *a, **k: "own"  # type: ignore[method-assign]
    assert body(app, value)[0] == b"own\n"
    app.json = Provider(app)
    assert body(app, value)[0] == b"overridden\n"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("compact", False, b'{\n  "a": "\\u00e9",\n  "b": 1\n}\n'),
        ("sort_keys", False, b'{"b":1,"a":"\\u00e9"}\n'),
        ("ensure_ascii", False, '{"a":"\xe9","b":1}\n'.encode()),
    ],
)
def test_setting_that_is_a_property(
    app: App, monkeypatch: pytest.MonkeyPatch, name: str, value: Any, text: bytes
) -> None:
    monkeypatch.setattr(DefaultJSONProvider, name, property(lambda self: value))
    assert body(app, {"b": 1, "a": "\xe9"})[0] == text


def patched_encode(self: Any, o: Any) -> str:
    return '"patched"'


def patched_iterencode(self: Any, o: Any, _one_shot: bool = False) -> list[str]:
    return ['"patched"']


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (json.JSONEncoder, "encode", patched_encode),
        (json.JSONEncoder, "iterencode", patched_iterencode),
        (
            json,
            "JSONEncoder",
            type("E", (json.JSONEncoder,), {"encode": patched_encode}),
        ),
    ],
    ids=["encode", "iterencode", "class"],
)
def test_patched_encoder(
    app: App, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, value: Any
) -> None:
    stock = body(app, {"b": 1, "a": "\xe9"})
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, value)
        assert body(app, {"b": 1, "a": "\xe9"})[0] == b'"patched"\n'
    with monkeypatch.context() as patched:
        patched.setattr(json.encoder, "encode_basestring_ascii", lambda text: '"~"')
        assert body(app, {"b": 1, "a": "\xe9"})[0] == b'{"~":"~","~":1}\n'
    assert body(app, {"b": 1, "a": "\xe9"}) == stock


def test_response_class_of_the_app(app: App) -> None:
    class Own(app.response_class):  # type: ignore[name-defined,misc]
        default_status = 201

    app.response_class = Own
    rv = app.test_client().get("/")
    assert (rv.status_code, rv.data) == (201, b'{"a":"\\u00e9","b":1}\n')
    with app.app_context():
        assert type(jsonify(1)) is Own


def test_jsonify_in_vain(app: App) -> None:
    @app.route("/vain")
    def vain() -> str:
        jsonify(1)
        return "text"

    assert app.test_client().get("/vain").content_type == "text/html; charset=utf-8"


def test_jsonify_outside_of_a_context() -> None:
    with pytest.raises(RuntimeError, match="application context"):
        jsonify(1)


def test_jsonify_arguments(app: App) -> None:
    with app.app_context():
        assert jsonify().data == b"null\n"
        assert jsonify(None).data == b"null\n"
        assert jsonify(1, 2).data == b"[1,2]\n"
        assert jsonify(b=1, a=2).data == b'{"a":2,"b":1}\n'
        with pytest.raises(TypeError, match="not both"):
            jsonify(1, a=2)


def test_head_and_default_status_without_a_body(app: App) -> None:
    rv = app.test_client().head("/")
    assert (rv.data, rv.headers["Content-Length"]) == (b"", "21")

    class Empty(app.response_class):  # type: ignore[name-defined,misc]
        default_status = 204

    app.response_class = Empty
    rv = app.test_client().get("/")
    assert (rv.status_code, rv.data) == (204, b"")
