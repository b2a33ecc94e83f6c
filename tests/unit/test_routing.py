"""The Matcher's interface, and each thing it leaves to Werkzeug."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from werkzeug.routing import BaseConverter
from werkzeug.routing import Map
from werkzeug.routing import Rule
from werkzeug.routing import Subdomain
from werkzeug.routing import Submount

from fastdispatch.engine.routing import blueprint_names
from fastdispatch.engine.routing import MATCHED
from fastdispatch.engine.routing import Matcher
from fastdispatch.engine.routing import NOT_ALLOWED
from fastdispatch.engine.routing import NOT_FOUND
from fastdispatch.engine.routing import Routed
from fastdispatch.engine.routing import UNSURE


def match(url_map: Map, path: str, method: str = "GET") -> tuple[Any, ...]:
    out = Routed()
    answer = Matcher(url_map).match(out, path, method)
    if answer == MATCHED:
        assert out.route is not None
        return MATCHED, out.route.endpoint, out.args
    return (answer, out.allowed) if answer == NOT_ALLOWED else (answer,)


def rules(*strings: str, **options: Any) -> Map:
    return Map([Rule(string, endpoint=string, **options) for string in strings])


def test_static_match_has_no_args() -> None:
    assert match(rules("/", "/a/b"), "/a/b") == (MATCHED, "/a/b", None)


def test_static_beats_dynamic_and_backs_out_of_a_dead_end() -> None:
    url_map = rules("/<x>/c", "/a/b")
    assert match(url_map, "/a/b") == (MATCHED, "/a/b", None)
    assert match(url_map, "/a/c") == (MATCHED, "/<x>/c", {"x": "a"})


@pytest.mark.parametrize(
    ("converter", "text", "value"),
    [
        ("string", "x", "x"),
        ("int", "007", 7),
        ("int(signed=True)", "-7", -7),
        ("int(signed=True)", "-" + "9" * 17, -99999999999999999),
        ("int", "9" * 18, 999999999999999999),
        ("int", "9" * 19, 9999999999999999999),
        ("int", "Ù£4", 34),
        ("int(min=1)", "4", 4),
        ("float", "1.50", 1.5),
        ("float(signed=True)", "-1.5", -1.5),
        ('any(a,"b|c",d.)', "b|c", "b|c"),
        ('any(a,"b|c",d.)', "d.", "d."),
        ("path", "a/b", "a/b"),
        (
            "uuid",
            "12345678-1234-5678-1234-567812345678",
            UUID("12345678-1234-5678-1234-567812345678"),
        ),
    ],
)
def test_stock_converters(converter: str, text: str, value: Any) -> None:
    url_map = Map([Rule(f"/x/<{converter}:v>", endpoint="e")])
    answer, _, args = match(url_map, f"/x/{text}")
    assert answer == MATCHED
    assert args == {"v": value}
    assert type(args["v"]) is type(value)


@pytest.mark.parametrize(
    ("converter", "text"),
    [
        ("string(length=2)", "a"),
        ("string(maxlength=2)", "abc"),
        ("int", ""),
        ("int", "-1"),
        ("int", "1.0"),
        ("int", "9" * 5000),
        ("int(signed=True)", "-"),
        ("int(fixed_digits=2)", "1"),
        ("float", "1"),
        ("float", ".5"),
        ("float", "1.2.3"),
        ("float", "-1.5"),
        ("float", "nan"),
        ("any(a,b)", "ab"),
        ('any("b|c")', "b"),
        ("path", ""),
        ("path", "a\nb"),
        ("uuid", "12345678"),
    ],
)
def test_stock_converters_refuse(converter: str, text: str) -> None:
    url_map = Map([Rule(f"/x/<{converter}:v>", endpoint="e")])
    assert match(url_map, f"/x/{text}") == (NOT_FOUND,)


def test_path_info_is_latin_1_of_utf_8() -> None:
    url_map = rules("/é", "/u/<name>")
    assert match(url_map, "/Ã©") == (MATCHED, "/é", None)
    assert match(url_map, "/é") == (NOT_FOUND,)
    assert match(url_map, "/u/Ã©") == (MATCHED, "/u/<name>", {"name": "é"})
    assert match(url_map, "/u/\xff") == (MATCHED, "/u/<name>", {"name": "\ufffd"})
    assert match(url_map, "/u/\u65e5") == (UNSURE,)


def test_methods() -> None:
    url_map = Map(
        [
            Rule("/a", endpoint="get", methods=["GET"]),
            Rule("/a", endpoint="post", methods=["POST"]),
            Rule("/<x>", endpoint="put", methods=["PUT"]),
        ]
    )
    assert match(url_map, "/a", "HEAD") == (MATCHED, "get", None)
    assert match(url_map, "/a", "post") == (MATCHED, "post", None)
    assert match(url_map, "/a", "PUT") == (MATCHED, "put", {"x": "a"})
    assert match(url_map, "/a", "BREW") == (
        NOT_ALLOWED,
        {"GET", "HEAD", "POST", "PUT"},
    )
    assert match(url_map, "/b", "BREW") == (NOT_ALLOWED, {"PUT"})


@pytest.mark.parametrize(
    ("rule", "path", "args"),
    [
        ("/a", "/a", None),
        ("/<x>", "/a", {"x": "a"}),
        ("/a/<int:x>", "/a/1", {"x": 1}),
    ],
)
def test_a_method_in_lower_case_does_not_fall_through_to_the_next_rule(
    rule: str, path: str, args: Any
) -> None:
    url_map = Map(
        [
            Rule(rule, endpoint="post", methods=["POST"]),
            Rule(rule, endpoint="any"),
        ]
    )
    assert match(url_map, path, "post") == (MATCHED, "post", args)
    assert match(url_map, path, "get") == (MATCHED, "any", args)


def test_what_is_before_a_value_is_no_match_where_the_value_is_none() -> None:
    url_map = rules("/users", "/users/<int:id>", "/tags", "/tags/<string(length=2):t>")
    assert match(url_map, "/users/5") == (MATCHED, "/users/<int:id>", {"id": 5})
    assert match(url_map, "/users/abc") == (NOT_FOUND,)
    assert match(url_map, "/users/") == (NOT_FOUND,)
    assert match(url_map, "/users/5", "BREW") == (MATCHED, "/users/<int:id>", {"id": 5})
    assert match(url_map, "/tags/abc") == (NOT_FOUND,)


def test_methods_added_in_place_are_seen() -> None:
    url_map = Map([Rule("/a", endpoint="e", methods=["GET"])])
    matcher = Matcher(url_map)
    rule = next(url_map.iter_rules())
    assert matcher.match(Routed(), "/a", "PUT") == NOT_ALLOWED
    assert rule.methods is not None
    rule.methods.add("PUT")
    assert matcher.match(Routed(), "/a", "PUT") == MATCHED


def test_a_value_out_of_range_ends_the_search_as_in_werkzeug() -> None:
    url_map = rules("/<int(max=5):n>", "/<other>")
    assert match(url_map, "/5")[0] == MATCHED
    assert match(url_map, "/6") == (NOT_FOUND,)


def test_strict_slashes() -> None:
    strict = rules("/a/", "/b", "/p/<path:x>/")
    assert match(strict, "/a/")[0] == MATCHED
    assert match(strict, "/b") == (MATCHED, "/b", None)
    assert match(strict, "/b/") == (NOT_FOUND,)
    assert match(strict, "/a") == (UNSURE,)
    assert match(strict, "/p/x/y/") == (MATCHED, "/p/<path:x>/", {"x": "x/y"})
    assert match(strict, "/p/x") == (UNSURE,)
    loose = rules("/a/", "/b", strict_slashes=False)
    assert match(loose, "/a") == (MATCHED, "/a/", None)
    assert match(loose, "/b/") == (MATCHED, "/b", None)


@pytest.mark.parametrize("path", ["", "//", "//a", "/a//b", "a", "*"])
def test_left_to_werkzeug_paths(path: str) -> None:
    assert match(rules("/", "/a", "/<path:p>"), path) == (UNSURE,)


def test_defaults() -> None:
    url_map = Map(
        [
            Rule("/", endpoint="page", defaults={"n": 1}),
            Rule("/<int:n>", endpoint="page"),
        ]
    )
    assert match(url_map, "/") == (MATCHED, "page", {"n": 1})
    assert match(url_map, "/2") == (MATCHED, "page", {"n": 2})
    assert match(url_map, "/1") == (UNSURE,)
    url_map.redirect_defaults = False
    assert match(url_map, "/1") == (MATCHED, "page", {"n": 1})


def test_args_are_fresh() -> None:
    url_map = Map([Rule("/", endpoint="e", defaults={"n": 1})])
    matcher = Matcher(url_map)
    first, second = Routed(), Routed()
    matcher.match(first, "/", "GET")
    matcher.match(second, "/", "GET")
    assert first.args == second.args == {"n": 1}
    assert first.args is not second.args


class Reversed(BaseConverter):
    def to_python(self, value: str) -> str:
        return value[::-1]


class Word(BaseConverter):
    regex = r"\w+"


@pytest.mark.parametrize(
    "rule",
    [
        Rule("/x/<reversed:y>", endpoint="e"),
        Rule("/x/y", endpoint="e", redirect_to="/z"),
        Rule("/x/y", endpoint="e", alias=True),
        Rule("/x/y", endpoint="e", websocket=True),
    ],
)
def test_left_to_werkzeug_rules(rule: Rule) -> None:
    url_map = Map(
        [rule, Rule("/x/<path:p>", endpoint="p"), Rule("/a", endpoint="a")],
        converters={"reversed": Reversed},
    )
    assert match(url_map, "/x/y") == (UNSURE,)
    assert match(url_map, "/a") == (MATCHED, "a", None)
    assert match(url_map, "/b") == (NOT_FOUND,)


def test_a_converter_with_only_a_regex_of_its_own_is_sure() -> None:
    url_map = Map([Rule("/<word:w>", endpoint="e")], converters={"word": Word})
    assert match(url_map, "/ab") == (MATCHED, "e", {"w": "ab"})
    assert match(url_map, "/a-b") == (NOT_FOUND,)


def test_a_rule_class_that_matches_differently_is_left_to_werkzeug() -> None:
    class Anything(Rule):
        @property
        def methods(self) -> set[str] | None:
            return None

        @methods.setter
        def methods(self, value: Any) -> None:
            pass

    assert match(Map([Anything("/a", endpoint="e")]), "/a") == (UNSURE,)


def test_a_map_class_that_binds_differently_is_left_to_werkzeug() -> None:
    class Bound(Map):
        def bind(self, *args: Any, **kwargs: Any) -> Any:
            raise AssertionError

    matcher = Matcher(Bound([Rule("/a", endpoint="e")]))
    assert not matcher.sure
    assert matcher.match(Routed(), "/a", "GET") == UNSURE


def test_only_the_default_subdomain() -> None:
    factory = Subdomain("api", [Rule("/b", endpoint="b")])
    url_map = Map([Rule("/a", endpoint="a"), factory], default_subdomain="www")
    assert match(url_map, "/a") == (MATCHED, "a", None)
    assert match(url_map, "/b") == (NOT_FOUND,)
    anybody = Subdomain("<user>", [Rule("/c", endpoint="c")])
    url_map = Map([Rule("/a", endpoint="a"), anybody], default_subdomain="www")
    assert not Matcher(url_map).sure
    assert Matcher(Map([Rule("/a", endpoint="a"), anybody])).sure


def test_host_matching_is_left_to_werkzeug() -> None:
    url_map = Map([Rule("/a", endpoint="a", host="h")], host_matching=True)
    assert not Matcher(url_map).sure
    assert match(url_map, "/a") == (UNSURE,)


def test_fresh_until_the_map_changes() -> None:
    url_map = rules("/a")
    matcher = Matcher(url_map)
    assert matcher.fresh()
    url_map.update()
    url_map.bind("h").match("/a")
    assert matcher.fresh()
    url_map.add(Submount("/b", [Rule("/c", endpoint="c")]))
    assert not matcher.fresh()
    assert match(url_map, "/b/c")[0] == MATCHED
    url_map.update()
    assert not matcher.fresh()


def test_not_fresh_after_a_change_of_where_the_attributes_are() -> None:
    url_map = Map([Rule("/a", endpoint="a")])
    matcher = Matcher(url_map)
    assert matcher.match(Routed(), "/a", "GET") == MATCHED
    assert matcher.fresh()
    url_map.__dict__ = dict(url_map.__dict__)
    url_map.add(Rule("/b", endpoint="b"))
    url_map.update()
    assert not matcher.fresh()
    matcher = Matcher(url_map)
    assert matcher.fresh()
    assert matcher.match(Routed(), "/b", "GET") == MATCHED


def test_two_matchers_of_a_map_are_fresh() -> None:
    url_map = rules("/a")
    first, second = Matcher(url_map), Matcher(url_map)
    assert first.fresh()
    assert second.fresh()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host_matching", True),
        ("redirect_defaults", False),
        ("default_subdomain", "www"),
    ],
)
def test_not_fresh_after_a_change_of_options(name: str, value: Any) -> None:
    url_map = rules("/a")
    matcher = Matcher(url_map)
    setattr(url_map, name, value)
    assert not matcher.fresh()
    assert Matcher(url_map).fresh()


def test_a_rule_that_werkzeug_has_not_sorted_in_yet_is_noticed() -> None:
    url_map = rules("/<path:p>")
    Matcher(url_map)
    mark = url_map._remap
    url_map.add(Rule("/<int:n>", endpoint="n"))
    url_map._remap = mark  # as if lost between two threads
    late = Matcher(url_map)
    assert not late.sure
    assert not late.fresh()
    assert match(url_map, "/1") == (MATCHED, "n", {"n": 1})


def test_very_deep_maps_are_left_to_werkzeug() -> None:
    url_map = rules("/a" * 250)
    assert not Matcher(url_map).sure
    assert Matcher(url_map).fresh()


def test_empty_map() -> None:
    assert match(Map(), "/") == (NOT_FOUND,)


def test_values_that_are_no_exact_str_are_left_to_werkzeug() -> None:
    class Text(str):
        pass

    assert match(rules("/a"), Text("/a")) == (UNSURE,)
    assert match(rules("/a"), "/a", Text("GET")) == (UNSURE,)


@pytest.mark.parametrize(
    ("endpoint", "names"),
    [
        ("view", []),
        ("a.view", ["a"]),
        ("a.b.view", ["a.b", "a"]),
        (None, []),
        (object(), []),
    ],
)
def test_blueprint_names(endpoint: Any, names: list[str]) -> None:
    assert blueprint_names(endpoint) == names


def test_threads_share_a_matcher() -> None:
    url_map = rules("/a/<int:n>/<path:p>")
    matcher = Matcher(url_map)
    wrong: list[Any] = []

    def work(number: int) -> None:
        out = Routed()
        for _ in range(2000):
            matcher.match(out, f"/a/{number}/x/{number}", "GET")
            if out.args != {"n": number, "p": f"x/{number}"}:
                wrong.append(out.args)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
