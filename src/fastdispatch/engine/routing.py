# cython: auto_pickle=False, binding=False, embedsignature=True
# cython: embedsignature.format=clinic
"""The sure answers of a Werkzeug URL map (rule 56).

A `Matcher` reads the state machine that Werkzeug has compiled its rules into and
walks it in Werkzeug's own order. It answers ``MATCHED``, ``NOT_FOUND`` or
``NOT_ALLOWED`` only where `werkzeug.routing.MapAdapter.match` is certain to give the
same answer; everywhere else (redirects, merged slashes, custom ``to_python`` code,
websocket rules, whatever it does not recognise) it answers ``UNSURE`` and the caller
asks Werkzeug. It is never wrong, and slower only where it is unsure.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any
from typing import TYPE_CHECKING
from uuid import UUID

from werkzeug.routing import BaseConverter
from werkzeug.routing import FloatConverter
from werkzeug.routing import IntegerConverter
from werkzeug.routing import Map
from werkzeug.routing import Rule
from werkzeug.routing import UUIDConverter
from werkzeug.routing.converters import NumberConverter
from werkzeug.routing.matcher import State
from werkzeug.routing.matcher import StateMachineMatcher
from werkzeug.routing.rules import RulePart

from . import compiled
from .plan import comparer
from .plan import never

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts
    from . import ctext

#: Ask `werkzeug.routing.MapAdapter.match`.
UNSURE = 0
#: ``out.route`` and ``out.args`` are set.
MATCHED = 1
#: A 404.
NOT_FOUND = 2
#: A 405; ``out.allowed`` holds the valid methods.
NOT_ALLOWED = 3

# The same numbers again as C globals in the compiled build.
_UNSURE = UNSURE
_MATCHED = MATCHED
_NOT_FOUND = NOT_FOUND
_NOT_ALLOWED = NOT_ALLOWED
_NEXT = 4  # inside a walk: nothing here, go on

# What a segment has to look like: the kinds of _Edge.
_TEXT = 0
_DIGITS = 1
_DECIMAL = 2
_CHOICE = 3
_PATH = 4
_PATTERN = 5
_OPAQUE = 6

# How a value is made from a segment: the kinds of _Conversion.
_INT = 0
_FLOAT = 1
_UUID = 2

_INVALID = object()
_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT")
)

# Deeper maps than this are left to Werkzeug.
_MAX_DEPTH = 200

_GROUP = "__werkzeug_"
_SINGLE = (f"(?P<{_GROUP}0>", r")\Z")
_LENGTHS = r"\[\^/\]\{([0-9]{1,6})(?:(,)([0-9]{0,6}))?\}"

# What a match looks at on a rule, a map and a converter. A subclass that defines one
# of these names itself may answer differently from the stock class.
_RULE_NAMES = frozenset(
    (
        "__getattribute__",
        "__getattr__",
        "__eq__",
        "_converters",
        "_trace",
        "alias",
        "arguments",
        "build_only",
        "defaults",
        "endpoint",
        "map",
        "merge_slashes",
        "methods",
        "provides_defaults_for",
        "redirect_to",
        "strict_slashes",
        "suitable_for",
        "websocket",
    )
)
_MAP_NAMES = frozenset(
    (
        "__getattribute__",
        "__getattr__",
        "_matcher",
        "_remap",
        "_rules_by_endpoint",
        "bind",
        "bind_to_environ",
        "default_subdomain",
        "host_matching",
        "redirect_defaults",
        "update",
    )
)
_WATCHED = (
    "_remap",
    "_matcher",
    "host_matching",
    "redirect_defaults",
    "default_subdomain",
)
_REGEX_ERRORS = (re.error, ValueError, OverflowError, RecursionError, Warning)
_PLAIN_TYPES = frozenset((str, int, float, bool, UUID, type(None)))
# What Werkzeug 3.1 compiles a map to. Another layout may mean another algorithm.
_LAYOUT_IS_KNOWN = [f.name for f in dataclasses.fields(State)] == [
    "dynamic",
    "rules",
    "static",
] and [f.name for f in dataclasses.fields(RulePart)] == [
    "content",
    "final",
    "static",
    "suffixed",
    "weight",
]
_KEEP_TEXT = BaseConverter.to_python
_MAKE_NUMBER = NumberConverter.to_python
_MAKE_UUID = UUIDConverter.to_python


class _Unreadable(Exception):
    """The map is built in a way this module does not know."""


class _ReadMark(tuple[()]):
    """Left in ``Map._remap``: the map is up to date, and somebody has read it so.

    False, so that `Map.update` takes it for ``False``; a change to the map replaces it
    with ``True``. A tuple, because an empty tuple is false without a call.
    """

    __slots__ = ()


class Routed:
    """What a match found. The base of the request context, so that a match allocates
    nothing; a subclass that does not call ``super().__init__()`` sets the three itself.

    :ivar route: the matched route; None until there is one.
    :ivar args: the arguments for the view, a fresh dict; None if there are none.
    :ivar allowed: after ``NOT_ALLOWED``, the methods that would have matched
        (``valid_methods`` of `werkzeug.exceptions.MethodNotAllowed`). Undefined
        after any other answer.
    """

    def __init__(self) -> None:
        self.route: Route | None = None
        self.args: dict[str, Any] | None = None
        self.allowed: set[str] | None = None


class Route:
    """A `werkzeug.routing.Rule` and what is known about it beforehand.

    :ivar rule: the rule itself.
    :ivar endpoint: ``rule.endpoint``.
    :ivar blueprints: names of the blueprints the endpoint belongs to, inner to outer.
    :ivar scopes: whose hooks run: those names, then None for the application.
    :ivar has_args: whether a match gives arguments.
    :ivar methods: the rule's own set of methods; None for any method.
    """

    __slots__ = (
        "blueprints",
        "conversions",
        "converts",
        "defaults",
        "endpoint",
        "has_args",
        "methods",
        "name",
        "names",
        "redirecting",
        "rule",
        "scopes",
        "strict",
        "sure",
    )

    def __init__(self, rule: Rule, redirect_defaults: bool) -> None:
        self.rule = rule
        self.endpoint: Any = rule.endpoint
        self.blueprints: list[str] = blueprint_names(self.endpoint)
        self.scopes: tuple[Any, ...] = (*self.blueprints, None)
        self.strict = bool(rule.strict_slashes)
        self.sure = True
        self.methods: set[str] | None = None
        self.names: tuple[str, ...] = ()
        self.conversions: tuple[_Conversion | None, ...] = ()
        self.defaults: dict[str, Any] | None = None
        # Rules whose defaults may make this one redirect to them.
        self.redirecting: tuple[Rule, ...] = ()
        # If its arguments are one value from the path and nothing else: its name, and
        # whether it is converted.
        self.name = ""
        self.converts = False
        self._read(rule, redirect_defaults)
        self.has_args = bool(self.names or self.defaults)

    def _read(self, rule: Rule, redirect_defaults: bool) -> None:
        methods = rule.methods
        defaults = rule.defaults
        converters = rule._converters
        if (
            _overrides(rule, Rule, _RULE_NAMES)
            or rule.websocket
            or rule.redirect_to is not None
            or (rule.alias and redirect_defaults)
            or not (methods is None or _plain_methods(methods))
            or not (defaults is None or type(defaults) is dict)
            or type(converters) is not dict
        ):
            self.sure = False
            return
        self.methods = methods
        self.defaults = defaults or None
        self.names = tuple([str(name) for name in converters])
        conversions = []
        for converter in converters.values():
            known, conversion = _conversion(converter)
            if not known:
                self.sure = False
            conversions.append(conversion)
        self.conversions = tuple(conversions)

    def __repr__(self) -> str:
        return f"<Route {self.rule.rule!r} -> {self.endpoint!r}>"


class _Conversion:
    """What a stock converter's ``to_python`` does with a value its regex accepted."""

    __slots__ = ("digits", "high", "kind", "low", "plain_int")

    def __init__(self, kind: int, digits: int, low: Any, high: Any) -> None:
        self.kind = kind
        self.digits = digits
        self.low = low
        self.high = high
        self.plain_int = kind == _INT and not digits and low is None and high is None

    def convert(self, text: str) -> Any:
        """The value, or ``_INVALID`` where Werkzeug raises ValidationError."""
        if self.kind == _UUID:
            return UUID(text)
        if self.digits and len(text) != self.digits:
            return _INVALID
        value: int | float
        try:
            if self.kind == _INT:
                value = int(text)
            else:
                value = float(text)
        except ValueError:  # more digits than sys.get_int_max_str_digits()
            return _INVALID
        if (self.low is not None and value < self.low) or (
            self.high is not None and value > self.high
        ):
            return _INVALID
        return value


class _State:
    """A state of Werkzeug's matcher."""

    __slots__ = ("edges", "leaves", "routes", "static", "trailing")

    def __init__(self) -> None:
        self.static: dict[str, _State] = {}
        self.edges: list[_Edge] = []
        # The first of the edges, as far as they are leaves.
        self.leaves: list[_Edge] = []
        # Routes that end here, and those that end here with one more slash.
        self.routes: list[Route] = []
        self.trailing: list[Route] = []


class _Edge:
    """A dynamic transition: one segment, or everything that is left, to a state."""

    __slots__ = (
        "choices",
        "final",
        "groups",
        "high",
        "kind",
        "low",
        "match",
        "minus",
        "state",
        "suffix",
    )

    def __init__(self, part: Any, state: _State) -> None:
        self.state = state
        self.kind = _OPAQUE
        self.final = bool(part.final)
        # Lengths of _TEXT, -1 for any.
        self.low = 0
        self.high = -1
        # For _DIGITS and _DECIMAL: whether a minus may precede.
        self.minus = False
        self.choices: frozenset[str] | None = None
        # For _PATTERN: the regex's match method, the groups that are values, and the
        # group that holds the slash that a suffixed part takes off (-1: none).
        self.match: Any = None
        self.groups: tuple[int, ...] = ()
        self.suffix = -1
        if part.suffixed or not self._read(part.content):
            self._read_pattern(part.content, bool(part.suffixed))

    def _read(self, content: str) -> bool:
        """Whether *content* is a converter's regex that needs no regex."""
        before, after = _SINGLE
        if not (content.startswith(before) and content.endswith(after)):
            return False
        regex = content[len(before) : -len(after)]
        if self.final:
            if regex != "[^/].*?":
                return False
            self.kind = _PATH
            return True
        if regex.startswith("-?"):
            self.minus = True
            regex = regex[2:]
        if regex == r"\d+":
            self.kind = _DIGITS
            return True
        if regex == r"\d+\.\d+":
            self.kind = _DECIMAL
            return True
        if self.minus:
            return False
        if regex.startswith("(?:") and regex.endswith(")"):
            return self._read_choices(regex[3:-1])
        return self._read_lengths(regex)

    def _read_choices(self, regex: str) -> bool:
        choices = []
        for choice in re.split(r"(?<!\\)\|", regex):
            text = re.sub(r"\\(.)", r"\1", choice, flags=re.DOTALL)
            if re.escape(text) != choice:
                return False
            choices.append(text)
        self.choices = frozenset(choices)
        self.kind = _CHOICE
        return True

    def _read_lengths(self, regex: str) -> bool:
        if regex == "[^/]+":
            self.low = 1
            self.kind = _TEXT
            return True
        # PERF: compiled for who has such a rule: it took a fiftieth of the import.
        text = re.fullmatch(_LENGTHS, regex)
        if text is None:
            return False
        low, comma, high = text.groups()
        self.low = int(low)
        if comma is None:
            self.high = self.low
        elif high:
            self.high = int(high)
        if self.high >= 0 and self.low > self.high:
            return False
        self.kind = _TEXT
        return True

    def _read_pattern(self, content: str, suffixed: bool) -> None:
        try:
            pattern = re.compile(content)
            groups = [
                (int(name[len(_GROUP) :]), index)
                for name, index in pattern.groupindex.items()
                if name.startswith(_GROUP)
            ]
        except _REGEX_ERRORS:
            # Werkzeug raises it too, but only when a match gets here.
            return
        self.match = pattern.match
        groups.sort()
        self.groups = tuple([index for _, index in groups])
        if suffixed:
            self.suffix = pattern.groups
        self.kind = _PATTERN

    def is_leaf(self) -> bool:
        """Whether what it accepts at the end of a path is all that a route there needs:
        that route's only value, made without a converter's code."""
        if (
            self.kind not in (_TEXT, _DIGITS, _PATH)
            or self.minus
            or self.state.trailing
        ):
            return False
        for route in self.state.routes:
            if not route.sure or not route.name:
                return False
            conversion = route.conversions[0]
            if conversion is not None and not (
                conversion.plain_int and self.kind == _DIGITS
            ):
                return False
        return True

    def accept(self, path: str, start: int, stop: int) -> bool:
        """Whether ``path[start:stop]`` is a value of a kind that needs no regex."""
        kind = self.kind
        if kind == _TEXT:
            size = stop - start
            return size >= self.low and (self.high < 0 or size <= self.high)
        if start == stop:
            return kind == _CHOICE and self.choices is not None and "" in self.choices
        if kind == _PATH:
            return path[start] != "/" and (
                ctext.find_char(path, "\n", start + 1, stop) < 0
            )
        if kind == _CHOICE:
            return self.choices is not None and path[start:stop] in self.choices
        if self.minus and path[start] == "-":
            start += 1
        if kind == _DECIMAL:
            point = ctext.find_char(path, ".", start, stop)
            if point < 0 or not ctext.is_decimal(path, start, point):
                return False
            start = point + 1
        if not capi.COMPILED:
            return path[start:stop].isdecimal()
        return ctext.is_decimal(path, start, stop)


class Matcher:
    """The sure answers of *url_map*, for http requests to its default subdomain.

    Built once and never changed, so threads may share it; once `fresh` says False,
    build another.

    What it saw of a rule when it was built stays: as with Werkzeug's own compiled
    parts, changing a bound rule's attributes afterwards is seen only when the map says
    that it changed (``Map.add``). Methods added to or taken from ``rule.methods`` in
    place are seen.

    :ivar sure: False if the map as a whole is beyond it: every answer is ``UNSURE``.
    """

    __slots__ = (
        "_attributes",
        "_decoded",
        "_exact",
        "_host_matching",
        "_lengths",
        "_matcher",
        "_places",
        "_prefixes",
        "_redirect_defaults",
        "_seen",
        "_subdomain",
        "_values",
        "_watched",
        "same",
        "sure",
        "url_map",
    )

    def __init__(self, url_map: Map) -> None:
        self.url_map = url_map
        self.sure = False
        # Every static path with a rule at it or one slash behind it: those that are as
        # in the environ, being ASCII, and the others.
        self._exact: dict[str, _State] = {}
        self._decoded: dict[str, _State] = {}
        # Static paths, each with its last slash, that have something dynamic behind
        # them; and for each length of a path whether there is one that long.
        self._prefixes: dict[str, _State] = {}
        self._lengths = b""
        # What `fresh` compares: the map's own attributes, and how they were.
        attributes: Any = capi.instance_dict(url_map)
        self._attributes: dict[str, Any] = attributes
        self._values: tuple[Any, ...] = ()
        self._matcher: Any = self._attributes.get("_matcher")
        self._host_matching: Any = self._attributes.get("host_matching")
        self._redirect_defaults: Any = self._attributes.get("redirect_defaults")
        self._subdomain: Any = self._attributes.get("default_subdomain")
        self._keep(self._attributes.get("_remap"))
        self._watched = cdicts.watch(self._attributes)
        # The count of changes when that was compared last.
        self._seen = 0
        names = list(self._attributes)
        # Where each is in the dict, probably.
        self._places = bytes(
            [min(names.index(name), 127) if name in names else 0 for name in _WATCHED]
        )
        try:
            self._read()
            self.sure = True
        except _Unreadable:
            self._exact = {}
            self._decoded = {}
            self._prefixes = {}

    def _keep(self, mark: Any) -> None:
        """Keep what `fresh` compares, in the order of ``_WATCHED``."""
        self._values = (
            mark,
            self._matcher,
            self._host_matching,
            self._redirect_defaults,
            self._subdomain,
        )
        if not capi.COMPILED:
            known = all([name in self._attributes for name in _WATCHED])
            self.same = comparer(_WATCHED, self._values) if known else never

    def fresh(self) -> bool:
        """Whether the map is still as it was when this was built from it."""
        if not capi.COMPILED:
            return self.same(self.url_map)
        if capi.dict_address(self.url_map) != capi.address(self._attributes):
            return False
        # PERF: 30 instructions instead of 370, of 13,800 that hello world took.
        changes = cdicts.watched_changes()
        if changes != 0 and changes == self._seen:
            return True
        same = cdicts.holds(self._attributes, self._places, _WATCHED, self._values)
        if same and self._watched:
            self._seen = changes
        return same

    def match(self, out: Routed, path_info: str, method: str) -> int:
        """Match as `werkzeug.routing.MapAdapter.match` would (rule 56).

        :param out: where ``route``, ``args`` and ``allowed`` go.
        :param path_info: ``PATH_INFO`` as it is in the environ: bytes as latin-1. Where
            the environ has none, Werkzeug takes it for ``"/"``.
        :param method: ``REQUEST_METHOD``.
        :return: ``UNSURE``, ``MATCHED``, ``NOT_FOUND`` or ``NOT_ALLOWED``.
        """
        if type(path_info) is not str or type(method) is not str:
            return _UNSURE
        path = path_info
        state = self._exact.get(path)
        if state is None and not ctext.is_ascii(path):
            try:
                path = path.encode("latin-1").decode("utf-8", "replace")
            except UnicodeEncodeError:
                return _UNSURE
            state = self._decoded.get(path)
        if state is not None:
            for route in state.routes:
                if not route.sure:
                    return _UNSURE
                if route.methods is None or method in route.methods:
                    if route.has_args:
                        return self._finish(out, route, None, method.upper())
                    out.route = route
                    out.args = None
                    return _MATCHED
                if method not in _METHODS:  # perhaps only not in upper case
                    break
        return self._search(out, state, path, method)

    def _search(self, out: Routed, leaf: _State | None, path: str, method: str) -> int:
        """Go through the states of *path*'s static beginnings, longest first.

        Werkzeug tries static transitions before dynamic ones, so it too arrives at the
        longest static beginning first and backs out from there.
        """
        if not self.sure or not path or path[0] != "/" or ctext.has_double_slash(path):
            return _UNSURE
        if method not in _METHODS:
            method = method.upper()
        out.allowed = None
        if leaf is not None:
            answer = self._arrive(out, leaf, None, method)
            if answer != _NEXT:
                return answer
        lengths = self._lengths
        known = len(lengths)
        start = last = ctext.rfind_char(path, "/", 0, len(path)) + 1
        while start:
            if start < known and lengths[start]:
                state = self._prefixes.get(path[:start])
                if state is not None:
                    if self._take(out, state, path, start, start == last, method):
                        return _MATCHED
                    answer = self._branch(out, state, None, path, start, method)
                    if answer != _NEXT:
                        return answer
            start = ctext.rfind_char(path, "/", 0, start - 1) + 1
        return _NOT_ALLOWED if out.allowed else _NOT_FOUND

    def _take(
        self,
        out: Routed,
        state: _State,
        path: str,
        start: int,
        is_segment: bool,
        method: str,
    ) -> bool:
        """Whether ``path[start:]`` is surely the only value of a route from *state* on.

        PERF: most routes with arguments have one, at the end. No list for it, and no
        str where an int is wanted: 319 -> 151 ns for ``/users/<int:id>``; in Python,
        where it is a call instead of three, 1.2 -> 0.85 us.

        :param is_segment: whether there is no slash in ``path[start:]``.
        """
        end = len(path)
        value: Any = None if capi.COMPILED else path[start:]
        for edge in state.leaves:
            if edge.final:
                if not edge.accept(path, start, end):
                    continue
            elif not is_segment:
                return False
            elif edge.kind == _DIGITS:
                # PERF: this and what follows is accept, without 0.1 us for the call in
                # Python.
                if not (
                    ctext.is_decimal(path, start, end)
                    if capi.COMPILED
                    else value.isdecimal()
                ):
                    continue
                if end - start > ctext.MAX_TO_INT:
                    return False
            elif end - start < edge.low or 0 <= edge.high < end - start:
                continue
            for route in edge.state.routes:
                if route.methods is None or method in route.methods:
                    if not capi.COMPILED:
                        if route.converts:
                            value = int(value)
                    elif route.converts:
                        value = ctext.to_int(path, start)
                    else:
                        value = path[start:]
                    out.route = route
                    out.args = {route.name: value}
                    return True
            return False
        return False

    def _follow(
        self,
        out: Routed,
        state: _State,
        values: list[Any],
        path: str,
        start: int,
        method: str,
    ) -> int:
        """Match ``path[start:]`` from *state* on; past the end, nothing is left."""
        end = len(path)
        if start > end:
            return self._arrive(out, state, values, method)
        if state.static:
            stop = ctext.find_char(path, "/", start, end)
            if stop < 0:
                stop = end
            child = state.static.get(path[start:stop])
            if child is not None:
                answer = self._follow(out, child, values, path, stop + 1, method)
                if answer != _NEXT:
                    return answer
        return self._branch(out, state, values, path, start, method)

    def _branch(
        self,
        out: Routed,
        state: _State,
        values: list[Any] | None,
        path: str,
        start: int,
        method: str,
    ) -> int:
        """Match ``path[start:]`` from *state* on, its static transitions aside."""
        end = len(path)
        if state.edges:
            segment_stop = ctext.find_char(path, "/", start, end)
            if segment_stop < 0:
                segment_stop = end
            for edge in state.edges:
                stop = end if edge.final else segment_stop
                after = stop + 1
                size = 0 if values is None else len(values)
                if edge.kind == _PATTERN:
                    found = edge.match(path[start:stop])
                    if found is None:
                        continue
                    if values is None:
                        values = []
                    for group in edge.groups:
                        values.append(found[group])
                    if edge.suffix >= 0 and found[edge.suffix] == "/":
                        after = end
                elif edge.kind == _OPAQUE:
                    return _UNSURE
                elif not edge.accept(path, start, stop):
                    continue
                else:
                    if values is None:
                        values = []
                    values.append(path[start:stop])
                answer = self._follow(out, edge.state, values, path, after, method)
                if answer != _NEXT:
                    return answer
                del values[size:]
        if start == end:
            for route in state.routes:
                if not route.sure:
                    return _UNSURE
                if route.strict:
                    continue
                if route.methods is None or method in route.methods:
                    return self._finish(out, route, values, method)
                self._disallow(out, route)
        return _NEXT

    def _arrive(
        self, out: Routed, state: _State, values: list[Any] | None, method: str
    ) -> int:
        """Nothing of the path is left: choose among the routes that end here."""
        for route in state.routes:
            if not route.sure:
                return _UNSURE
            if route.methods is None or method in route.methods:
                return self._finish(out, route, values, method)
            self._disallow(out, route)
        for route in state.trailing:
            if not route.sure:
                return _UNSURE
            if route.methods is None or method in route.methods:
                if route.strict:
                    return _UNSURE
                return self._finish(out, route, values, method)
        return _NEXT

    def _disallow(self, out: Routed, route: Route) -> None:
        if out.allowed is None:
            out.allowed = set()
        if route.methods is not None:
            out.allowed.update(route.methods)

    def _finish(
        self, out: Routed, route: Route, values: list[Any] | None, method: str
    ) -> int:
        """*route* it is: convert its *values*. A value that does not convert is no
        match, and Werkzeug asks no other rule then."""
        if not route.has_args:
            out.route = route
            out.args = None
            return _MATCHED
        args: dict[str, Any] = {}
        if values is not None:
            for index in range(len(route.names)):
                value = values[index]
                conversion = route.conversions[index]
                if conversion is not None:
                    value = conversion.convert(value)
                    if value is _INVALID:
                        return _NOT_ALLOWED if out.allowed else _NOT_FOUND
                args[route.names[index]] = value
        if route.defaults is not None:
            args.update(route.defaults)
        for rule in route.redirecting:
            if rule.suitable_for(args, method):
                return _UNSURE
        out.route = route
        out.args = args
        return _MATCHED

    def _read(self) -> None:
        """Take over the map's states, and leave a mark in it that a change removes."""
        url_map = self.url_map
        matcher = self._matcher
        if (
            _overrides(url_map, Map, _MAP_NAMES)
            or type(matcher) is not StateMachineMatcher
            or not _LAYOUT_IS_KNOWN
            or self._host_matching
        ):
            raise _Unreadable
        try:
            url_map.update()
        except (RecursionError, TypeError) as error:  # Werkzeug will raise it again
            raise _Unreadable from error
        with url_map._remap_lock:
            mark: Any = url_map._remap
            if mark is False:
                mark = url_map._remap = _ReadMark()  # type: ignore[assignment]
        self._keep(mark)
        if mark:  # a rule has been added meanwhile
            raise _Unreadable
        subdomain = self._subdomain or ""
        for part, _ in matcher._root.dynamic:
            try:
                pattern = re.compile(part.content)
            except _REGEX_ERRORS as error:
                raise _Unreadable from error
            if part.final or pattern.match(subdomain):
                raise _Unreadable
        domain = matcher._root.static.get(subdomain)
        lengths: set[int] = set()
        if domain is not None:
            if domain.dynamic:
                raise _Unreadable
            root = domain.static.get("")
            if root is not None:
                self._read_state(root, "/", {}, self._redirecting(), 0, lengths)
        if lengths:
            known = bytearray(max(lengths) + 1)
            for size in lengths:
                known[size] = 1
            self._lengths = bytes(known)

    def _redirecting(self) -> dict[int, tuple[Rule, ...]]:
        """By a rule's id, the rules that `MapAdapter.get_default_redirect` would ask
        whether to redirect to."""
        found: dict[int, tuple[Rule, ...]] = {}
        if not self._redirect_defaults:
            return found
        for rules in list(self.url_map._rules_by_endpoint.values()):
            before: list[Rule] = []
            for rule in list(rules):
                others = tuple([r for r in before if r.provides_defaults_for(rule)])
                if others:
                    found[id(rule)] = others
                if rule.defaults:
                    before.append(rule)
        return found

    def _read_state(
        self,
        source: Any,
        prefix: str,
        routes: dict[int, Route],
        redirecting: dict[int, tuple[Rule, ...]],
        depth: int,
        lengths: set[int],
    ) -> _State:
        """Copy the state *source*. *prefix* is the path up to it if it is static, with
        its last slash; otherwise empty."""
        if depth > _MAX_DEPTH:
            raise _Unreadable
        state = _State()
        state.routes = [
            self._read_rule(rule, routes, redirecting) for rule in list(source.rules)
        ]
        for content, target in list(source.static.items()):
            static = ""
            if prefix and prefix[-2:] != "//" and "/" not in content:
                static = f"{prefix}{content}/"
            child = self._read_state(
                target, static, routes, redirecting, depth + 1, lengths
            )
            if "/" in content:  # no segment of a path is ever that
                continue
            state.static[content] = child
            if not content:
                state.trailing = child.routes
            if static and (child.routes or "" in child.static):
                paths = self._exact if static.isascii() else self._decoded
                paths[static[:-1]] = child
        weight: Any = None
        for part, target in list(source.dynamic):
            if weight is not None and part.weight < weight:
                # A rule came in while the map was marked as read: Map.update sorts.
                self.url_map._remap = True
                raise _Unreadable
            weight = part.weight
            child = self._read_state(
                target, "", routes, redirecting, depth + 1, lengths
            )
            state.edges.append(_Edge(part, child))
        if prefix and (state.edges or state.routes):
            for edge in state.edges:
                if not edge.is_leaf():
                    break
                state.leaves.append(edge)
            self._prefixes[prefix] = state
            lengths.add(len(prefix))
        return state

    def _read_rule(
        self,
        rule: Rule,
        routes: dict[int, Route],
        redirecting: dict[int, tuple[Rule, ...]],
    ) -> Route:
        route = routes.get(id(rule))
        if route is None:
            route = Route(rule, bool(self._redirect_defaults))
            if rule.map is not self.url_map:
                route.sure = False
            others = redirecting.get(id(rule), ())
            for other in others:
                if _overrides(other, Rule, _RULE_NAMES):
                    route.sure = False
                for value in (other.defaults or {}).values():
                    if type(value) not in _PLAIN_TYPES:
                        route.sure = False
            route.redirecting = others
            if len(route.names) == 1 and route.defaults is None and not others:
                route.name = route.names[0]
                route.converts = route.conversions[0] is not None
            routes[id(rule)] = route
        return route


def blueprint_names(endpoint: Any) -> list[str]:
    """Names of the blueprints that *endpoint* belongs to, inner to outer.

    ``"a.b.view"`` gives ``["a.b", "a"]``.
    """
    names: list[str] = []
    if isinstance(endpoint, str):
        name = endpoint
        while "." in name:
            name = name.rpartition(".")[0]
            names.append(name)
    return names


def _overrides(instance: Any, stock: type, names: frozenset[str]) -> bool:
    """Whether *instance*'s class, below *stock*, defines any of *names* itself, or the
    instance has a method of its own under one."""
    for cls in type(instance).__mro__:
        if cls is stock:
            break
        if not names.isdisjoint(cls.__dict__):
            return True
    else:
        return True
    for name in names.intersection(instance.__dict__):
        if callable(getattr(stock, name, None)):
            return True
    return False


def _plain_methods(methods: Any) -> bool:
    if type(methods) is not set:
        return False
    for method in methods:
        if type(method) is not str or method != method.upper():
            return False
    return True


def _conversion(converter: Any) -> tuple[bool, _Conversion | None]:
    """Whether it is known what *converter* does with a value, and what that is, None
    for nothing."""
    cls: Any = type(converter)
    to_python = cls.to_python
    if (
        cls.__getattribute__ is not object.__getattribute__
        or "to_python" in converter.__dict__
        or "num_convert" in converter.__dict__
    ):
        return False, None
    if to_python is _KEEP_TEXT:
        return True, None
    if cls is UUIDConverter and to_python is _MAKE_UUID:
        return True, _Conversion(_UUID, 0, None, None)
    if (
        (cls is IntegerConverter or cls is FloatConverter)
        and to_python is _MAKE_NUMBER
        and cls.num_convert is (int if cls is IntegerConverter else float)
        and type(converter.fixed_digits) is int
        and (converter.min is None or type(converter.min) in (int, float))
        and (converter.max is None or type(converter.max) in (int, float))
    ):
        kind = _INT if cls is IntegerConverter else _FLOAT
        return True, _Conversion(
            kind, converter.fixed_digits, converter.min, converter.max
        )
    return False, None
