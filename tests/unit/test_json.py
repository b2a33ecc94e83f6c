"""The JSON providers write what Flask's write, byte for byte."""

from __future__ import annotations

import builtins
import dataclasses
import datetime
import decimal
import enum
import gc
import io
import json as stdlib_json
import uuid
import weakref
from collections import OrderedDict
from typing import Any

import flask
import flask.json.provider
import hypothesis.strategies as st
import pytest
from hypothesis import given
from markupsafe import Markup

from fastdispatch import json
from fastdispatch.wrappers import Response

flask_app = flask.Flask("oracle")


class OurApp:
    debug = False
    response_class = Response


our_app = OurApp()


class Text(str):
    pass


class Number(int):
    def __repr__(self) -> str:
        return "not asked"


class Colour(enum.IntEnum):
    RED = 1


@dataclasses.dataclass
class Point:
    x: int
    y: Any


class Html:
    def __html__(self) -> str:
        return "<b>&</b>"


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.text().map(Text),
    st.integers().map(Number),
    st.dates(),
    st.datetimes(),
    st.decimals(),
    st.uuids(),
    st.sampled_from([Colour.RED, Html(), Markup("<i>"), Point(1, [2]), object(), b""]),
)
keys = st.one_of(
    st.text(max_size=5),
    st.text(max_size=5),
    st.text(max_size=5).map(Text),
    st.integers(),
    st.floats(),
    st.sampled_from([None, True, Colour.RED, (1, 2)]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=5), inner, max_size=4),
        st.dictionaries(keys, inner, max_size=3),
        st.dictionaries(st.text(max_size=5), inner, max_size=3).map(OrderedDict),
        inner.map(lambda value: Point(0, value)),
    ),
    max_leaves=12,
)


def outcome(func: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        result = func(*args, **kwargs)
    except Exception as error:
        return type(error), str(error)
    if hasattr(result, "get_data"):
        return result.get_data(), list(result.headers), result.status
    return result


def needs(library: str) -> Any:
    """The optional *library*, which the group test-all installs."""
    return pytest.importorskip(library)


def providers() -> tuple[Any, Any]:
    return (
        json.DefaultJSONProvider(our_app),
        flask.json.provider.DefaultJSONProvider(flask_app),
    )


@given(
    value=values,
    ensure_ascii=st.booleans(),
    sort_keys=st.booleans(),
    compact=st.sampled_from([None, True, False]),
    debug=st.booleans(),
)
def test_output_is_flasks(
    value: Any, ensure_ascii: bool, sort_keys: bool, compact: Any, debug: bool
) -> None:
    ours, theirs = providers()
    our_app.debug = flask_app.debug = debug
    for provider in (ours, theirs):
        provider.ensure_ascii = ensure_ascii
        provider.sort_keys = sort_keys
        provider.compact = compact
    assert outcome(ours.response, value) == outcome(theirs.response, value)
    assert outcome(ours.dumps, value) == outcome(theirs.dumps, value)
    assert outcome(ours.dumps, value, indent=1) == outcome(
        theirs.dumps, value, indent=1
    )


def test_settings_are_read_at_each_response() -> None:
    ours, theirs = providers()
    our_app.debug = flask_app.debug = False
    value = {"b": "ä", "a": 1}
    for name, setting in [
        ("sort_keys", False),
        ("ensure_ascii", False),
        ("mimetype", "application/x+json"),
        ("default", repr),
        ("default", lambda o: [1]),
        ("compact", False),
        ("compact", True),
        ("ensure_ascii", True),
    ]:
        for provider in (ours, theirs):
            setattr(provider, name, setting)
        assert outcome(ours.response, value) == outcome(theirs.response, value)
        html = [Html()]
        assert outcome(ours.response, html) == outcome(theirs.response, html)


@pytest.mark.parametrize("depth", [1, 100, 100_000])
def test_deep_and_circular_values_fail_as_json_does(depth: int) -> None:
    ours, theirs = providers()
    our_app.debug = flask_app.debug = False
    deep: list[Any] = []
    circular: dict[str, Any] = {"list": []}
    circular["list"].append(circular)
    for _ in range(depth):
        deep = [deep]
    assert outcome(ours.response, deep) == outcome(theirs.response, deep)
    assert outcome(ours.response, circular) == outcome(theirs.response, circular)
    assert outcome(ours.response, circular)[0] is ValueError


class OurUpper(json.DefaultJSONProvider):
    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return super().dumps(obj, **kwargs).upper()


class FlaskUpper(flask.json.provider.DefaultJSONProvider):
    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return super().dumps(obj, **kwargs).upper()


class OurMethod(json.DefaultJSONProvider):
    def default(self, o: Any) -> Any:  # type: ignore[override]
        return type(self).__mro__[1].__name__


class FlaskMethod(flask.json.provider.DefaultJSONProvider):
    def default(self, o: Any) -> Any:  # type: ignore[override]
        return type(self).__mro__[1].__name__


@pytest.mark.parametrize(
    ("ours", "theirs"), [(OurUpper, FlaskUpper), (OurMethod, FlaskMethod)]
)
def test_overridden_methods_are_called(ours: Any, theirs: Any) -> None:
    value = {"a": object()} if ours is OurMethod else {"a": 1}
    assert outcome(ours(our_app).response, value) == outcome(
        theirs(flask_app).response, value
    )


def test_dumps_set_on_the_instance_is_called() -> None:
    ours, _ = providers()
    ours.dumps = lambda obj, **kwargs: "mine"
    assert ours.response(1).get_data() == b"mine\n"


def test_patched_json_dumps_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = providers()
    our_app.debug = flask_app.debug = False
    monkeypatch.setattr(stdlib_json, "dumps", lambda obj, **kwargs: str(sorted(kwargs)))
    assert ours.response(1).get_data() == theirs.response(1).get_data() != b"1\n"


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((None,), {}),
        (([],), {}),
        ((1, 2), {}),
        ((), {"b": 1, "a": 2}),
        ((1,), {"a": 1}),
        (({},), {}),
    ],
)
@pytest.mark.parametrize("base", [False, True])
def test_arguments_of_response(args: Any, kwargs: Any, base: bool) -> None:
    ours, theirs = providers()
    if base:
        # The bases' own response(), with the default provider's dumps.
        assert outcome(json.JSONProvider.response, ours, *args, **kwargs) == outcome(
            flask.json.provider.JSONProvider.response, theirs, *args, **kwargs
        )
    assert outcome(ours.response, *args, **kwargs) == outcome(
        theirs.response, *args, **kwargs
    )


def test_files() -> None:
    ours, theirs = providers()
    mine, other = io.StringIO(), io.StringIO()
    ours.dump({"b": 1, "a": "ä"}, mine, indent=2)
    theirs.dump({"b": 1, "a": "ä"}, other, indent=2)
    assert mine.getvalue() == other.getvalue()
    assert ours.load(io.BytesIO(b'{"a": [1]}')) == {"a": [1]}
    assert ours.loads("[1.5]", parse_float=str) == ["1.5"]


def test_base_provider_asks_for_dumps_and_loads() -> None:
    provider = json.JSONProvider(our_app)
    with pytest.raises(NotImplementedError):
        provider.dumps(1)
    with pytest.raises(NotImplementedError):
        provider.loads("1")


@pytest.mark.parametrize(
    "cls", [json.DefaultJSONProvider, OurMethod, json.ORJSONProvider]
)
def test_app_is_freed_with_its_last_reference(cls: Any) -> None:
    if cls is json.ORJSONProvider:
        needs("orjson")
    app = OurApp()
    app.json = cls(app)  # type: ignore[attr-defined]
    app.json.response([1])  # type: ignore[attr-defined]
    dead = weakref.ref(app)
    gc.disable()
    try:
        del app
        assert dead() is None
    finally:
        gc.enable()


def test_functions_without_an_app_are_the_standard_ones() -> None:
    value = {"b": decimal.Decimal("1.10"), "a": datetime.date(2024, 1, 1)}
    assert json.dumps(value) == flask.json.dumps(value)
    mine, other = io.StringIO(), io.StringIO()
    json.dump(value, mine, indent=1)
    flask.json.dump(value, other, indent=1)
    assert mine.getvalue() == other.getvalue()
    assert json.loads(b"[1]") == json.load(io.StringIO("[1]")) == [1]


alike = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.text(st.characters(codec="ascii", exclude_characters="\x7f")),
        st.uuids(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("cls", "library"),
    [(json.ORJSONProvider, "orjson"), (json.MsgspecProvider, "msgspec")],
)
class TestFastProviders:
    """What the providers over other libraries have in common."""

    @given(value=alike)
    def test_plain_values_look_the_same(
        self, cls: Any, library: str, value: Any
    ) -> None:
        needs(library)
        default, _ = providers()
        our_app.debug = False
        provider = cls(our_app)
        assert outcome(provider.response, value) == outcome(default.response, value)
        assert provider.loads(provider.dumps(value)) == default.loads(
            default.dumps(value)
        )

    def test_html_and_dataclass(self, cls: Any, library: str) -> None:
        needs(library)
        provider = cls(our_app)
        assert provider.dumps([Html(), Point(1, 2)]) == '["<b>&</b>",{"x":1,"y":2}]'
        with pytest.raises(TypeError, match="is not JSON serializable"):
            provider.dumps(object())

    def test_default_and_mimetype_can_be_set(self, cls: Any, library: str) -> None:
        needs(library)
        provider = cls(our_app)
        provider.default = lambda o: "set"
        provider.mimetype = "application/x+json"
        response = provider.response(object())
        assert response.get_data() == b'"set"\n'
        assert response.mimetype == "application/x+json"
        assert provider.dumps(object(), default=lambda o: "given") == '"given"'

    def test_unknown_argument(self, cls: Any, library: str) -> None:
        needs(library)
        provider = cls(our_app)
        with pytest.raises(TypeError, match="does not know indent"):
            provider.dumps(1, indent=2)
        with pytest.raises(TypeError, match="does not know parse_float"):
            provider.loads("1", parse_float=str)
        with pytest.raises(ValueError, match="."):
            provider.loads("{")

    def test_missing_library_says_what_to_install(
        self, cls: Any, library: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = builtins.__import__

        def no_library(name: str, *args: Any) -> Any:
            if name == library:
                raise ImportError(name)
            return real(name, *args)

        monkeypatch.setattr(builtins, "__import__", no_library)
        with pytest.raises(ImportError, match=f"pip install {library}"):
            cls(our_app)


def test_orjson_writes_dates_as_the_default_does() -> None:
    needs("orjson")
    provider = json.ORJSONProvider(our_app)
    value = [datetime.datetime(2024, 1, 2, 3, 4), datetime.date(2024, 1, 2)]
    default, _ = providers()
    assert provider.loads(provider.dumps(value)) == default.loads(default.dumps(value))


def test_orjson_option() -> None:
    orjson = needs("orjson")
    provider = json.ORJSONProvider(our_app)
    assert provider.dumps({"b": 1, "a": 2}) == '{"a":2,"b":1}'
    provider.option = orjson.OPT_NON_STR_KEYS
    assert provider.dumps({"b": 1, 1: 2}) == '{"b":1,"1":2}'


def test_msgspec_sort_keys_and_type() -> None:
    needs("msgspec")
    provider = json.MsgspecProvider(our_app)
    assert provider.dumps({"b": 1, "a": 2}) == '{"a":2,"b":1}'
    assert provider.dumps({"b": 1, "a": 2}, sort_keys=False) == '{"b":1,"a":2}'
    assert provider.loads("[1]", type=list[int]) == [1]
    with pytest.raises(ValueError, match="Expected `str`"):
        provider.loads("[1]", type=list[str])


def test_uuid_key_is_refused_as_flask_refuses_it() -> None:
    ours, theirs = providers()
    value = {uuid.UUID(int=1): 1}
    assert outcome(ours.response, value) == outcome(theirs.response, value)
