"""Rule 56: the Matcher answers as Werkzeug's Map does, or not at all."""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import Any

import flask
import pytest
from hypothesis import example
from hypothesis import given
from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter
from werkzeug.routing import BuildError
from werkzeug.routing import IntegerConverter
from werkzeug.routing import Map
from werkzeug.routing import RequestRedirect
from werkzeug.routing import Rule
from werkzeug.routing import ValidationError
from werkzeug.routing import WebsocketMismatch

from fastdispatch import App
from fastdispatch.engine.plan import is_plain_host
from fastdispatch.engine.routing import MATCHED
from fastdispatch.engine.routing import Matcher
from fastdispatch.engine.routing import NOT_ALLOWED
from fastdispatch.engine.routing import NOT_FOUND
from fastdispatch.engine.routing import Routed
from fastdispatch.engine.routing import UNSURE

HOST_PIECES = (
    *("a", "B1", "xn--", "-", "--", ".", ":", "80", "0", "65535", "70000", "_", "\xe9"),
    *("a" * 63, "a" * 64, "[::1]", " ", "@", "/", "\u0661", "example.com"),
)


@given(st.lists(st.sampled_from(HOST_PIECES), max_size=6).map("".join))
@example("localhost")
@example("127.0.0.1:8000")
@example("A-b.example.com:80")
def test_a_plain_host_is_one_that_is_taken_as_it_is(host: str) -> None:
    if not is_plain_host(host):
        return
    environ = {
        "REQUEST_METHOD": "GET",
        "HTTP_HOST": host,
        "SERVER_NAME": "server",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    for app in (flask.Flask("hosts"), App("hosts")):
        adapter = app.create_url_adapter(app.request_class(dict(environ)))
        assert adapter is not None
        assert adapter.server_name == host.lower().removesuffix(":80")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "A-b.example.com:80"])
def test_usual_hosts_are_plain(host: str) -> None:
    assert is_plain_host(host)


class RegexConverter(BaseConverter):
    """The converter every second Flask program has."""

    def __init__(self, map: Map, regex: str) -> None:
        super().__init__(map)
        self.regex = regex


class ListConverter(BaseConverter):
    def to_python(self, value: str) -> list[str]:
        return value.split("+")


class EvenConverter(IntegerConverter):
    def to_python(self, value: str) -> Any:
        number = super().to_python(value)
        if number % 2:
            raise ValidationError
        return number


class TwoSegmentsConverter(BaseConverter):
    regex = r"[^/]+/[^/]+"
    part_isolating = False


class HeavyConverter(BaseConverter):
    regex = "[a-z]{2}"
    weight = 100


class LateConverter(IntegerConverter):
    weight = 150


class ShoutingRule(Rule):
    """Does not change how it matches."""

    def __repr__(self) -> str:
        return super().__repr__().upper()


class NeverSuitableRule(Rule):
    """Changes how defaults redirect."""

    def suitable_for(self, values: Any, method: str | None = None) -> bool:
        return False


CONVERTERS = {
    "re": RegexConverter,
    "list": ListConverter,
    "even": EvenConverter,
    "two": TwoSegmentsConverter,
    "heavy": HeavyConverter,
    "late": LateConverter,
}
UUID_TEXT = "12345678-ABCD-ef01-2345-6789abcdef01"
STATICS = ["a", "b", "ab", "1", "a.b", "x-", "é", "a b", "+", "%", "()", "12", "v"]
STOCK = [
    "{}",
    "string:{}",
    "default:{}",
    "string(length=2):{}",
    "string(minlength=2):{}",
    "string(maxlength=1):{}",
    "string(minlength=0):{}",
    "string(minlength=1,maxlength=3):{}",
    "int:{}",
    "int(fixed_digits=2):{}",
    "int(min=2):{}",
    "int(max=11):{}",
    "int(min=1,max=5,signed=True):{}",
    "int(signed=True):{}",
    "int(min=1.5):{}",
    "float:{}",
    "float(min=1.0,max=2.0):{}",
    "float(signed=True):{}",
    "any(a,b,ab):{}",
    'any("a.b","1",é):{}',
    "uuid:{}",
    "path:{}",
]
CUSTOM = [
    're("[ab]+"):{}',
    're("[^/]+"):{}',
    're("a|(b)"):{}',
    're("(?P<inner>a)b?"):{}',
    're("(?i:A)"):{}',
    're("(a"):{}',
    're(".*"):{}',
    're("a/b"):{}',
    "list:{}",
    "even:{}",
    "two:{}",
    "heavy:{}",
    "late:{}",
    "string(minlength=3,maxlength=2):{}",
]
SEGMENTS = [
    *STATICS,
    "",
    "2",
    "3",
    "-1",
    "-",
    "--1",
    "007",
    "1.5",
    "-2.5",
    "1.",
    ".5",
    "nan",
    "inf",
    "1e3",
    "1_0",
    " 1",
    "\u0663",
    "\u00b2",
    "\u0661\u0662",
    "1\u0663.\u0661",
    "\u65e5\u672c",
    "\n",
    "a\n",
    "1\n",
    "x\ny",
    "\x00",
    "\x85",
    "%2F",
    "a+b",
    "A",
    "va",
    "v12",
    "x-a",
    "a.b.a",
    "..",
    ".",
    UUID_TEXT,
    UUID_TEXT.lower(),
    UUID_TEXT[:-1],
    "9" * 5000,
    "9" * 30,
    "login",
]
METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "get", "pOsT", "BREW", "", "--"]


@st.composite
def rule_strings(draw: st.DrawFn, converters: list[str]) -> str:
    names = iter("pqrstuvwxyz")
    parts = []
    for _ in range(draw(st.integers(0, 4))):
        part = ""
        for _ in range(draw(st.sampled_from([1, 1, 1, 1, 2, 3]))):
            if draw(st.booleans()):
                part += draw(st.sampled_from(STATICS))
            else:
                name = next(names)
                part += f"<{draw(st.sampled_from(converters)).format(name)}>"
        parts.append(part)
    string = "/" + "/".join(parts)
    if parts and draw(st.sampled_from([False, False, True])):
        string += "/"
    return string


@st.composite
def simple_rules(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "string": draw(rule_strings(STOCK)),
        "endpoint": draw(st.sampled_from(["e", "bp.e", "a.b.e", "f"])),
        "methods": draw(
            st.sampled_from([None, None, ["GET"], ["POST"], ["GET", "POST"], ["put"]])
        ),
        "strict_slashes": draw(st.sampled_from([None, True, False])),
    }


@st.composite
def rich_rules(draw: st.DrawFn) -> dict[str, Any]:
    options = draw(simple_rules())
    options["string"] = draw(rule_strings(STOCK + CUSTOM))
    rarely = st.sampled_from([False] * 7 + [True])
    if draw(rarely):
        options["string"] = draw(
            st.sampled_from(["//a", "/<p>//<q>", "/a//b", "/<int:p>//", "/a//"])
        )
        options["merge_slashes"] = draw(st.sampled_from([None, False]))
    if draw(rarely):
        options["methods"] = []
    if draw(rarely):
        names = st.sampled_from(["p", "q", "page"])
        options["defaults"] = draw(
            st.dictionaries(names, st.sampled_from([1, "a", None]), max_size=2)
        )
    if draw(rarely):
        options["subdomain"] = draw(st.sampled_from(["", "www", "api", "<sub>"]))
    if draw(rarely):
        options["redirect_to"] = draw(st.sampled_from(["/a", _redirect]))
    if draw(rarely):
        options["alias"] = True
    if draw(rarely):
        options["build_only"] = True
    if draw(rarely):
        options["websocket"] = True
        options["methods"] = draw(st.sampled_from([None, ["GET"]]))
    if draw(rarely):
        options["class"] = draw(st.sampled_from([ShoutingRule, NeverSuitableRule]))
    return options


def _redirect(adapter: Any, **values: Any) -> str:
    return "/elsewhere"


def make_map(rules: list[dict[str, Any]], **options: Any) -> Map:
    url_map = Map(converters=CONVERTERS, **options)
    for rule in rules:
        rule = dict(rule)
        try:
            url_map.add(rule.pop("class", Rule)(**rule))
        except (TypeError, ValueError):  # its defaults do not fit its converters
            continue
    return url_map


@st.composite
def paths(draw: st.DrawFn, strings: list[str]) -> str:
    """A path that has something to do with one of *strings*, mutated, as in environ."""
    segment = st.one_of(st.sampled_from(SEGMENTS), st.text(max_size=3))
    if draw(st.sampled_from([True, True, True, False])):
        parts = draw(st.sampled_from(strings)).split("/")
        for index, part in enumerate(parts):
            if "<" in part or draw(st.sampled_from([False] * 9 + [True])):
                parts[index] = draw(segment)
    else:
        parts = ["", *draw(st.lists(segment, max_size=4))]
    path = "/".join(parts)
    change = draw(st.integers(0, 15))
    if change == 0:
        path = path.removesuffix("/") if path.endswith("/") else path + "/"
    elif change == 1:
        path = path[1:]
    elif change == 2:
        path = path.replace("/", "//", 1)
    elif change == 3:
        path = path + "//"
    elif change == 4:
        path = draw(st.sampled_from(["", "/", "//", "*", "/%", "/\udcff", "\u65e5"]))
        return path
    elif change == 5:
        return path + draw(st.sampled_from(["\xff", "\xe9/", "\xc3", "\xe2\x82"]))
    return path.encode("utf-8", "replace").decode("latin-1")


def oracle(url_map: Map, path_info: str, method: str) -> tuple[Any, ...]:
    """What Werkzeug answers to a plain http request."""
    environ = {
        "HTTP_HOST": "example.com",
        "PATH_INFO": path_info,
        "QUERY_STRING": "",
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "wsgi.url_scheme": "http",
    }
    try:
        rule, args = url_map.bind_to_environ(
            environ, subdomain=url_map.default_subdomain or ""
        ).match(return_rule=True)
    except RequestRedirect as error:
        return "redirect", error.new_url
    except MethodNotAllowed as error:
        return NOT_ALLOWED, set(error.valid_methods or ())
    except NotFound:
        return (NOT_FOUND,)
    except WebsocketMismatch:
        return ("websocket",)
    except (re.error, AssertionError, BuildError, ValueError) as error:
        # A regex that does not compile, an alias of nothing, a path not latin-1.
        return "error", type(error)
    return MATCHED, rule, args


def ours(matcher: Matcher, path_info: str, method: str) -> tuple[Any, ...]:
    out = Routed()
    answer = matcher.match(out, path_info, method)
    if answer == MATCHED:
        assert out.route is not None
        assert out.args is None or out.args
        return MATCHED, out.route.rule, out.args or {}
    if answer == NOT_ALLOWED:
        return NOT_ALLOWED, out.allowed
    return (answer,)


def same(expected: tuple[Any, ...], got: tuple[Any, ...]) -> bool:
    if expected[0] != MATCHED or got[0] != MATCHED:
        return expected == got
    return (
        expected[1] is got[1]
        and list(expected[2].items()) == list(got[2].items())
        and [type(v) for v in expected[2].values()]
        == [type(v) for v in got[2].values()]
    )


def compare(url_map: Map, matcher: Matcher, path_info: str, method: str) -> int:
    """Check an answer that is sure; return which it is."""
    got = ours(matcher, path_info, method)
    if got[0] != UNSURE:
        expected = oracle(url_map, path_info, method)
        assert same(expected, got), (path_info, method, expected, got)
    return int(got[0])


def takes_forever(rules: list[dict[str, Any]], path_info: str) -> bool:
    """Whether a regex of several values may try each of their lengths in thousands of
    digits."""
    return len(path_info) > 1000 and any(
        part.count("<") > 1 for rule in rules for part in rule["string"].split("/")
    )


def check_counts(seen: Counter[int]) -> None:
    """Check that every kind of answer came up often."""
    assert seen[MATCHED] > 300
    assert seen[NOT_FOUND] > 10
    assert seen[NOT_ALLOWED] > 10


many = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@many
@given(data=st.data())
def test_c56_never_differs_from_werkzeug(data: st.DataObject) -> None:
    rules = data.draw(st.lists(rich_rules(), min_size=1, max_size=7))
    url_map = make_map(
        rules,
        strict_slashes=data.draw(st.booleans()),
        merge_slashes=data.draw(st.sampled_from([True, True, False])),
        redirect_defaults=data.draw(st.sampled_from([True, True, False])),
        default_subdomain=data.draw(st.sampled_from(["", "", "", "www"])),
    )
    matcher = Matcher(url_map)
    for path_info in data.draw(
        st.lists(paths([r["string"] for r in rules]), min_size=8, max_size=8)
    ):
        if takes_forever(rules, path_info):
            continue
        method = data.draw(st.sampled_from(METHODS))
        compare(url_map, matcher, path_info, method)
    assert matcher.fresh()


@many
@given(data=st.data())
def test_c56_sure_of_the_simple_things(data: st.DataObject) -> None:
    rules = data.draw(st.lists(simple_rules(), min_size=1, max_size=7))
    url_map = make_map(rules, strict_slashes=data.draw(st.booleans()))
    matcher = Matcher(url_map)
    assert matcher.sure
    for path_info in data.draw(
        st.lists(paths([r["string"] for r in rules]), min_size=8, max_size=8)
    ):
        if takes_forever(rules, path_info):
            continue
        method = data.draw(st.sampled_from(METHODS))
        expected = oracle(url_map, path_info, method)
        got = ours(matcher, path_info, method)
        if got[0] == UNSURE:
            assert (
                expected[0] in ("redirect", "error")
                or path_info[:1] != "/"
                or "//" in path_info
            ), (path_info, method, expected)
        else:
            assert same(expected, got), (path_info, method, expected, got)


@pytest.mark.parametrize("seed", range(4))
def test_c56_large_maps(seed: int) -> None:
    """Hypothesis makes small maps: here are some of a few hundred rules, and every
    kind of answer comes up often."""
    rng = random.Random(seed)
    rules: list[dict[str, Any]] = []
    for _ in range(300):
        parts = [
            rng.choice(STATICS)
            if rng.random() < 0.6
            else f"<{rng.choice(STOCK).format(name)}>"
            for name in "pqrst"[: rng.randint(0, 5)]
        ]
        rules.append(
            {
                "string": "/"
                + "/".join(parts)
                + rng.choice(["", "", "/" * bool(parts)]),
                "endpoint": f"e{rng.randrange(20)}",
                "methods": rng.choice([None, ["GET"], ["POST"], ["PUT", "GET"]]),
                "strict_slashes": rng.choice([None, True, False]),
            }
        )
    url_map = make_map(rules)
    matcher = Matcher(url_map)
    seen: Counter[int] = Counter()
    for _ in range(1500):
        parts = rng.choice(rules)["string"].split("/")
        path = "/".join(rng.choice(SEGMENTS) if "<" in part else part for part in parts)
        if rng.random() < 0.2:
            path += rng.choice(["/", "x", "/a", "/1/2"])
        path_info = path.encode("utf-8", "replace").decode("latin-1")
        method = rng.choice(["GET", "GET", "POST", "DELETE"])
        seen[compare(url_map, matcher, path_info, method)] += 1
    check_counts(seen)


LAST = [
    *("<x>", "<int:x>", "<int:x>", "<digits:x>", "<path:x>", "<path:x>", "a", "1", ""),
    *("<string(minlength=0):x>", "<string(length=2):x>", "<string(maxlength=1):x>"),
    *("<int(max=11):x>", "<int(signed=True):x>", "<heavy:x>", "<late:x>", "<list:x>"),
    *("<x>/", "<int:x>/", "<path:x>/", "<int:x>/a", "<path:x>/a", "<x>/<int:y>"),
    "a<x>",
]


class DigitsConverter(BaseConverter):
    """Takes the same transition as IntegerConverter, and gives something else."""

    regex = r"\d+"
    weight = IntegerConverter.weight


@pytest.mark.parametrize("seed", range(4))
def test_c56_paths_that_end_with_a_value(seed: int) -> None:
    """Many rules at one place: what is there, what takes it, for which methods."""
    rng = random.Random(seed)
    seen: Counter[int] = Counter()
    for _ in range(150):
        url_map = Map(converters={**CONVERTERS, "digits": DigitsConverter})
        for _ in range(rng.randint(1, 7)):
            rule = Rule(
                rng.choice(["/", "/a/", "/é/"]) + rng.choice(LAST),
                endpoint=rng.choice(["e", "f"]),
                methods=rng.choice([None, ["GET"], ["POST"], ["PUT"]]),
                strict_slashes=rng.choice([None, False]),
                defaults=rng.choice([None] * 9 + [{"x": 5}]),
            )
            url_map.add(rule)
        matcher = Matcher(url_map)
        for _ in range(20):
            path = rng.choice(["/", "/a/", "/é/"]) + rng.choice(SEGMENTS)
            if rng.random() < 0.3:
                path += "/" + rng.choice(SEGMENTS)
            path_info = path.encode("utf-8", "replace").decode("latin-1")
            method = rng.choice(["GET", "GET", "get", "POST", "PUT", "BREW"])
            seen[compare(url_map, matcher, path_info, method)] += 1
    check_counts(seen)
