"""Random programs: the same trace of events and the same answers as on Flask.

A program is plain data. It is built on Flask and on the native App, the same requests
are sent to both, and what they did is compared. Where the App means to differ, the
model knows it by the rule's number (``test_c42_…`` and its neighbours say it in full):

rule 42  a teardown hook that raises: Flask is given hooks that only leave their trace,
         and the App has to do what Flask does then, plus raise what was raised where
         errors propagate.

Accelerated Flask means to differ nowhere.
"""

from __future__ import annotations

import contextvars
import dataclasses
import logging
import re
import typing as t
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import note
from hypothesis import strategies as st
from tests.conformance.subjects import ACCELERATED
from tests.conformance.subjects import FLASK
from tests.conformance.subjects import Framework
from tests.conformance.subjects import NATIVE
from tests.conformance.support import Answer
from tests.conformance.support import call
from werkzeug.exceptions import BadRequestKeyError
from werkzeug.exceptions import Forbidden
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError
from werkzeug.exceptions import NotFound


class Base(Exception):
    pass


class Child(Base):
    pass


class Leave(BaseException):
    pass


class NoCode(HTTPException):
    description = "no code"


ERRORS: dict[str, Callable[[Framework], BaseException]] = {
    "value": lambda fw: ValueError("value"),
    "key": lambda fw: KeyError("key"),
    "base": lambda fw: Base("base"),
    "child": lambda fw: Child("child"),
    "forbidden": lambda fw: Forbidden("forbidden"),
    "notfound": lambda fw: NotFound(),
    "badkey": lambda fw: BadRequestKeyError({}, "missing"),
    "500": lambda fw: InternalServerError("own"),
    "response": lambda fw: HTTPException(response=fw.Response("no code", 299)),
    "forbidden response": lambda fw: Forbidden(response=fw.Response("own", 403)),
    "leave": lambda fw: Leave("leave"),
}

VALUES: dict[str, Callable[[Framework], t.Any]] = {
    "text": lambda fw: "text",
    "empty": lambda fw: "",
    "bytes": lambda fw: b"bytes",
    "status": lambda fw: ("text", 201),
    "all": lambda fw: ("text", 202, {"X-Value": "1"}),
    "dict": lambda fw: {"a": [1, None]},
    "list": lambda fw: [1, "é"],
    "stream": lambda fw: iter(["a", "b"]),
    "response": lambda fw: fw.Response("response", 203, {"X-Value": "2"}),
    "redirect": lambda fw: fw.redirect("/there", 302),
    "204": lambda fw: ("", 204),
    "none": lambda fw: None,
    "number": lambda fw: 5,
    "tuple": lambda fw: ("a", 1, {}, 2),
}

KEYS: dict[str, t.Any] = {
    "403": 403,
    "404": 404,
    "405": 405,
    "500": 500,
    "HTTPException": HTTPException,
    "Exception": Exception,
    "ValueError": ValueError,
    "LookupError": LookupError,
    "Base": Base,
    "Child": Child,
    "Forbidden": Forbidden,
    "BadRequestKeyError": BadRequestKeyError,
}

SCOPES = ["app", "outer", "inner", "side"]

SIGNALS = [
    "appcontext_pushed",
    "request_started",
    "request_finished",
    "got_request_exception",
    "request_tearing_down",
    "appcontext_tearing_down",
    "appcontext_popped",
]

RAISING_SIGNALS = ["request_started", "request_finished"]


@dataclasses.dataclass(frozen=True)
class Func:
    """What a hook, handler or view does: leave its trace, do `does`, then `ends`."""

    scope: str
    does: tuple[str, ...]
    ends: tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Program:
    config: dict[str, t.Any]
    preprocessors: list[Func]
    before: list[Func]
    after: list[Func]
    teardown: list[Func]
    teardown_appcontext: list[Func]
    handlers: list[tuple[str, Func]]
    views: dict[str, Func]
    signals: dict[str, str]
    steps: list[tuple[str, t.Any]]


Events = list[t.Any]

does = st.lists(
    st.sampled_from(["read session", "write session", "g", "this", "this raises"]),
    max_size=2,
    unique=True,
).map(tuple)


def ends(*kinds: str) -> st.SearchStrategy[tuple[str, str]]:
    choices: list[st.SearchStrategy[tuple[str, str]]] = []

    for kind in kinds:
        if kind == "raise":
            choices.append(st.tuples(st.just("raise"), st.sampled_from(list(ERRORS))))
        elif kind == "value":
            choices.append(st.tuples(st.just("value"), st.sampled_from(list(VALUES))))
        else:
            choices.append(st.just((kind, "")))

    return st.one_of(choices)


def funcs(
    *kinds: str, scopes: t.Sequence[str] = SCOPES, max_size: int = 3
) -> st.SearchStrategy[list[Func]]:
    func = st.builds(Func, st.sampled_from(scopes), does, ends(*kinds))
    return st.lists(func, max_size=max_size)


PATHS = ["/", "/outer/", "/outer/inner/", "/side/", "/outer", "/nowhere", "/only-post"]
METHODS = ["GET", "GET", "POST", "HEAD", "OPTIONS"]

requests = st.tuples(
    st.just("request"), st.tuples(st.sampled_from(PATHS), st.sampled_from(METHODS))
)

changes = st.one_of(
    st.tuples(st.just("before"), funcs("pass", "raise", "value", max_size=1)),
    st.tuples(st.just("after"), funcs("pass", "header", max_size=1)),
    st.tuples(st.just("view"), st.sampled_from(SCOPES)),
    st.tuples(st.just("signal"), st.sampled_from(SIGNALS)),
    st.tuples(st.just("testing"), st.booleans()),
    st.tuples(st.just("drop"), st.sampled_from(["before", "after", "teardown"])),
)

programs = st.builds(
    Program,
    config=st.fixed_dictionaries(
        {},
        optional={
            "TESTING": st.booleans(),
            "DEBUG": st.booleans(),
            "PROPAGATE_EXCEPTIONS": st.sampled_from([None, True, False]),
            "TRAP_HTTP_EXCEPTIONS": st.booleans(),
            "TRAP_BAD_REQUEST_ERRORS": st.sampled_from([None, True, False]),
            "SECRET_KEY": st.sampled_from([None, "key", "key", "key"]),
        },
    ),
    preprocessors=funcs("pass", "pass", "raise"),
    before=funcs("pass", "pass", "raise", "value"),
    after=funcs("pass", "header", "replace", "raise"),
    teardown=funcs("pass", "return", "raise"),
    teardown_appcontext=funcs("pass", "raise", scopes=["app"], max_size=2),
    handlers=st.lists(
        st.tuples(
            st.sampled_from(list(KEYS)),
            st.builds(
                Func,
                st.sampled_from(SCOPES),
                does,
                ends("value", "raise", "itself", "again"),
            ),
        ),
        max_size=4,
    ),
    views=st.fixed_dictionaries(
        {
            scope: st.builds(
                Func, st.just(scope), does, ends("value", "raise", "raise")
            )
            for scope in SCOPES
        }
    ),
    signals=st.dictionaries(
        st.sampled_from(SIGNALS), st.sampled_from(["pass", "raise"]), max_size=3
    ),
    steps=st.lists(st.one_of(requests, requests, changes), min_size=1, max_size=5),
)


class Run:
    """A program on one framework."""

    def __init__(self, fw: Framework, program: Program, mute: bool) -> None:
        self.fw = fw
        self.program = program
        self.mute = mute
        self.events: Events = []
        self.torn: list[BaseException] = []
        self.connected: list[tuple[t.Any, t.Any]] = []
        self.app = fw.App("conformance", static_folder=None)
        self.scopes = {
            "app": self.app,
            "outer": fw.Blueprint("outer", "conformance", url_prefix="/outer"),
            "inner": fw.Blueprint("inner", "conformance", url_prefix="/inner"),
            "side": fw.Blueprint("side", "conformance", url_prefix="/side"),
        }
        self.build()

    def build(self) -> None:
        program, app = self.program, self.app
        app.config.update(program.config)

        for n, func in enumerate(program.preprocessors):
            self.scopes[func.scope].url_value_preprocessor(
                self.make(f"preprocessor {n}", func)
            )

        for n, func in enumerate(program.before):
            self.scopes[func.scope].before_request(self.make(f"before {n}", func))

        for n, func in enumerate(program.after):
            self.scopes[func.scope].after_request(self.make(f"after {n}", func))

        for n, func in enumerate(program.teardown):
            self.scopes[func.scope].teardown_request(self.make(f"teardown {n}", func))

        for n, func in enumerate(program.teardown_appcontext):
            app.teardown_appcontext(self.make(f"teardown app {n}", func))

        for n, (key, func) in enumerate(program.handlers):
            self.scopes[func.scope].register_error_handler(
                KEYS[key], self.make(f"handler {n} {key}", func)
            )

        for scope, func in program.views.items():
            self.scopes[scope].add_url_rule(
                "/",
                endpoint="view",
                view_func=self.make(f"view {scope}", func),
                methods=["GET", "POST"],
            )

        app.add_url_rule(
            "/only-post", endpoint="p", view_func=lambda: "posted", methods=["POST"]
        )
        self.scopes["outer"].register_blueprint(self.scopes["inner"])
        app.register_blueprint(self.scopes["outer"])
        app.register_blueprint(self.scopes["side"])

        for name, how in program.signals.items():
            self.connect(name, how if name in RAISING_SIGNALS else "pass")

    def connect(self, name: str, how: str) -> None:
        def receiver(sender: t.Any, **kwargs: t.Any) -> None:
            error = kwargs.get("exception") or kwargs.get("exc")
            self.events.append(("signal", name, type(error).__name__))

            if how == "raise":
                raise KeyError(name)

        signal = getattr(self.fw.signals, name)
        signal.connect(receiver, self.app, weak=False)
        self.connected.append((signal, receiver))

    def make(self, name: str, func: Func) -> Callable[..., t.Any]:
        """The function `func` stands for: it tells what it was given and saw."""
        fw = self.fw

        def run(*args: t.Any) -> t.Any:
            if name.startswith("teardown app"):
                self.events.append((name, self.describe(args), fw.current_app.name))
            else:
                request = fw.request
                self.events.append(
                    (
                        name,
                        self.describe(args),
                        request.path,
                        request.method,
                        request.endpoint,
                        tuple(request.blueprints),
                        type(request.routing_exception).__name__,
                        sorted(fw.g),
                    )
                )

                for what in func.does:
                    # In teardown, `ends` alone raises: it is what rule 42 models.
                    if not (name.startswith("teardown") and what == "write session"):
                        self.do(what, name)

            return self.end(func.ends, name, args)

        run.__name__ = name.replace(" ", "_")
        return run

    def describe(self, args: tuple[t.Any, ...]) -> tuple[str, ...]:
        out = []

        for arg in args:
            if isinstance(arg, BaseException):
                original = getattr(arg, "original_exception", None)
                out.append(f"{_text(arg)} of {_text(original)}")
            elif hasattr(arg, "status_code"):
                out.append(f"{type(arg).__name__} {arg.status} {arg.content_type}")
            else:
                out.append(repr(arg))

        return tuple(out)

    def do(self, what: str, name: str) -> None:
        fw = self.fw

        if what == "read session":
            self.events.append(("session", sorted(fw.session.items())))
        elif what == "write session":
            fw.session["by"] = name
        elif what == "g":
            setattr(fw.g, re.sub(r"\W", "_", name), 1)
        elif what.startswith("this"):

            @fw.after_this_request
            def this(response: t.Any) -> t.Any:
                self.events.append(("this", name, response.status))

                if what == "this raises":
                    raise Base("after this request")

                response.headers.add("X-This", name)
                return response

    def end(self, how: tuple[str, str], name: str, args: tuple[t.Any, ...]) -> t.Any:
        kind, which = how

        if kind == "raise":
            error = ERRORS[which](self.fw)

            if name.startswith("teardown"):
                if not isinstance(error, Exception):
                    error = ValueError("instead of leaving")

                self.torn.append(error)

                if self.mute:
                    return None

            raise error

        if kind == "value":
            return VALUES[which](self.fw)

        if kind == "again":
            raise args[0]

        if kind == "itself":
            return args[0]

        if kind == "return":
            return "ignored"

        if name.startswith("after"):
            (response,) = args

            if kind == "replace":
                return self.fw.Response("replaced", 207, {"X-By": name})

            if kind == "header":
                response.headers.add("X-After", name)

            return response

        return None

    def step(self, step: tuple[str, t.Any]) -> t.Any:
        kind, what = step
        app = self.app

        if kind == "request":
            path, method = what
            return self.request(path, method)

        if kind in {"before", "after"}:
            table = getattr(app, f"{kind}_request_funcs")

            for func in what:
                key = {"app": None, "inner": "outer.inner"}.get(func.scope, func.scope)
                table.setdefault(key, []).append(self.make(f"{kind} late", func))
        elif kind == "view":
            endpoint = {"app": "view", "inner": "outer.inner.view"}.get(
                what, f"{what}.view"
            )
            app.view_functions[endpoint] = lambda: f"another {what}"
        elif kind == "signal":
            self.connect(what, "pass")
        elif kind == "testing":
            app.testing = what
        elif kind == "drop":
            for table in getattr(app, f"{what}_request_funcs").values():
                del table[:1]

        return None

    def request(self, path: str, method: str) -> t.Any:
        """The answer, or the error that came out; and what tore."""
        try:
            answer = call(self.app, path, method)
        except (Exception, Leave) as e:
            return ("raised", e)

        return ("answered", *_normal(answer))

    def close(self) -> None:
        for signal, receiver in self.connected:
            signal.disconnect(receiver, self.app)


def _text(error: BaseException | None) -> str:
    """Type and message; of errors the framework words itself, the type alone."""
    if error is None:
        return "None"

    if isinstance(error, BaseExceptionGroup):
        return f"{error.message}: {[_text(inner) for inner in error.exceptions]}"

    own = isinstance(error, (ValueError, KeyError, Base, Leave, HTTPException))
    return f"{type(error).__name__}({error})" if own else type(error).__name__


def _normal(answer: Answer) -> tuple[t.Any, ...]:
    """Without the time in a session's signature, which is not the framework's."""
    headers = []

    for name, value in answer.headers:
        if name == "Set-Cookie":
            value = re.sub(r"^(session=\.?[^.;]*)\.[^;]*", r"\1", value)

        headers.append((name, value))

    return answer.status_line, sorted(headers), answer.body


class Log(logging.Handler):
    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()

        if self.run.torn and "teardown" in message:
            return  # Rule 42: the App logs what Flask raises.

        error = record.exc_info[1] if record.exc_info else None
        self.run.events.append(("log", record.levelname, message, _text(error)))


def _execute(fw: Framework, program: Program, mute: bool) -> list[t.Any]:
    run = Run(fw, program, mute)
    out: list[t.Any] = []
    handler = Log(run)
    logger = run.app.logger
    logger.addHandler(handler)
    logger.propagate = False

    try:
        for step in program.steps:
            run.events.clear()
            run.torn.clear()
            result = run.step(step)
            propagate = run.app.config["PROPAGATE_EXCEPTIONS"]

            if propagate is None:
                propagate = run.app.testing or run.app.debug

            assert not fw.has_app_context() and not fw.has_request_context()
            out.append((list(run.events), result, list(run.torn), propagate))
    finally:
        logger.propagate = True
        logger.removeHandler(handler)
        run.close()

    return out


def _raised(result: t.Any) -> t.Any:
    """A result as it compares: errors by type and text."""
    if result is not None and result[0] == "raised":
        return ("raised", _text(result[1]))

    return result


def _agree(fw: Framework, program: Program) -> None:
    ours = contextvars.copy_context().run(_execute, fw, program, False)
    theirs = contextvars.copy_context().run(_execute, FLASK, program, True)

    for n, (mine, flask) in enumerate(zip(ours, theirs, strict=True)):
        events, result, torn, propagates = mine
        flask_events, flask_result, flask_torn, _ = flask
        note(f"step {n}: {program.steps[n]}")
        note(f"flask: {flask_events} {flask_result}")
        note(f"ours:  {events} {result}")
        assert events == flask_events
        assert [_text(e) for e in torn] == [_text(e) for e in flask_torn]

        if not torn or not propagates:
            assert _raised(result) == _raised(flask_result)
            continue

        # Rule 42: raised where errors propagate, one as it is, several as a group.
        assert result[0] == "raised"

        if flask_result[0] == "answered":
            error = result[1]
            group = isinstance(error, ExceptionGroup)
            assert list(error.exceptions if group else [error]) == torn
            assert group is (len(torn) > 1)


@pytest.mark.parametrize("fw", NATIVE, ids=str)
@given(program=programs)
def test_the_same_trace_and_the_same_answers(fw: Framework, program: Program) -> None:
    _agree(fw, program)


@given(program=programs)
def test_accelerated_flask_is_flask(program: Program) -> None:
    ours = contextvars.copy_context().run(_execute, ACCELERATED, program, False)
    theirs = contextvars.copy_context().run(_execute, FLASK, program, False)

    for n, (mine, flask) in enumerate(zip(ours, theirs, strict=True)):
        events, result, torn, _ = mine
        flask_events, flask_result, flask_torn, _ = flask
        note(f"step {n}: {program.steps[n]}")
        note(f"flask: {flask_events} {flask_result}")
        note(f"ours:  {events} {result}")
        assert events == flask_events
        assert _raised(result) == _raised(flask_result)
        assert [_text(e) for e in torn] == [_text(e) for e in flask_torn]


def test_the_model_sees_a_difference() -> None:
    """The comparison can fail: a program is not the same as another."""
    func = Func("app", (), ("value", "text"))
    one = Program(
        config={},
        preprocessors=[],
        before=[Func("app", (), ("pass", ""))],
        after=[],
        teardown=[],
        teardown_appcontext=[],
        handlers=[],
        views=dict.fromkeys(SCOPES, func),
        signals={},
        steps=[("request", ("/", "GET"))],
    )
    two = dataclasses.replace(one, before=[Func("app", (), ("value", "bytes"))])
    ((events, result, _, _),) = _execute(FLASK, one, False)
    ((_, other, _, _),) = _execute(FLASK, two, False)
    assert [event[0] for event in events] == ["before 0", "view app"]
    assert result[1:2] == ("200 OK",) and result[3] == b"text"
    assert other[3] == b"bytes"
