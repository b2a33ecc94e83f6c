"""What config, URL map and status table say is what they say now, however changed."""

from __future__ import annotations

import collections
import contextlib
import contextvars
import typing as t

import pytest
from tests.conformance.subjects import Framework
from tests.conformance.support import call
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.local import LocalProxy
from werkzeug.routing import Rule

Config = dict[str, t.Any]


def in_place(config: Config, key: str, value: t.Any) -> None:
    config |= {key: value}


def anew(config: Config, key: str, value: t.Any) -> None:
    others = dict(config)
    config.clear()
    config.update(others)
    config[key] = value


def added(config: Config, key: str, value: t.Any) -> None:
    del config[key]
    config.setdefault(key, value)


WAYS: dict[str, t.Callable[[Config, str, t.Any], object]] = {
    "item": lambda config, key, value: config.__setitem__(key, value),
    "update": lambda config, key, value: config.update({key: value}),
    "from_mapping": lambda config, key, value: config.from_mapping(  # type: ignore[attr-defined]
        {key: value}
    ),
    "dict's own": lambda config, key, value: dict.__setitem__(config, key, value),
    "in place": in_place,
    "added": added,
    "anew": anew,
}


@pytest.fixture(params=WAYS.values(), ids=list(WAYS))
def change(request: pytest.FixtureRequest) -> t.Any:
    return request.param


def program(fw: Framework, **attributes: t.Any) -> t.Any:
    app = type("App", (fw.App,), attributes)("conformance")
    app.secret_key = "key"
    app.add_url_rule("/", "index", lambda: "index")
    return app


def host_status(app: t.Any) -> int:
    return call(app, headers={"Host": "elsewhere.test"}).status


def test_trusted_hosts(fw: Framework, change: t.Any) -> None:
    app = program(fw)

    for _ in range(3):
        assert host_status(app) == 200
        change(app.config, "TRUSTED_HOSTS", ["localhost"])
        assert host_status(app) == 400
        assert host_status(app) == 400
        change(app.config, "TRUSTED_HOSTS", None)
        assert host_status(app) == 200


def test_a_config_that_comes_to_look_up_in_its_own_way(
    fw: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(fw.App.config_class):  # type: ignore[misc]
        pass

    def get(self: Config, key: str) -> t.Any:
        return ["localhost"] if key == "TRUSTED_HOSTS" else dict.__getitem__(self, key)

    app = program(fw, config_class=Own)
    assert [host_status(app) for _ in range(3)] == [200] * 3
    monkeypatch.setattr(Own, "__getitem__", get, raising=False)
    assert [host_status(app) for _ in range(3)] == [400] * 3
    monkeypatch.undo()
    assert [host_status(app) for _ in range(3)] == [200] * 3


def test_a_config_that_looks_up_in_its_own_way(fw: Framework) -> None:
    class Own(fw.App.config_class):  # type: ignore[misc]
        def __getitem__(self, key: str) -> t.Any:
            return dynamic[key] if key in dynamic else super().__getitem__(key)

    dynamic: Config = {"SESSION_REFRESH_EACH_REQUEST": False}
    app = program(fw, config_class=Own, session_object=fw.session)
    headers = {"Cookie": session_cookie(app)}

    for _ in range(3):
        assert [host_status(app) for _ in range(3)] == [200] * 3
        dynamic["TRUSTED_HOSTS"] = ["localhost"]
        assert [host_status(app) for _ in range(3)] == [400] * 3
        del dynamic["TRUSTED_HOSTS"]
        assert "Set-Cookie" not in call(app, headers=headers).headers
        dynamic["SESSION_REFRESH_EACH_REQUEST"] = True
        assert "Set-Cookie" in call(app, headers=headers).headers
        dynamic["SESSION_REFRESH_EACH_REQUEST"] = False


def test_another_config(fw: Framework) -> None:
    app = program(fw)
    assert host_status(app) == 200
    old = app.config
    app.config = type(old)(old.root_path, {**old, "TRUSTED_HOSTS": ["localhost"]})
    assert host_status(app) == 400
    old["TRUSTED_HOSTS"] = ["localhost"]
    app.config["TRUSTED_HOSTS"] = None
    assert host_status(app) == 200


def session_cookie(app: t.Any) -> str:
    @app.get("/login")  # type: ignore[untyped-decorator]
    def login() -> str:
        app.session_object["user"] = 1
        app.session_object.permanent = True
        return "in"

    answer = call(app, "/login")
    return answer.headers["Set-Cookie"].split(";")[0]


def test_whether_a_session_is_refreshed(fw: Framework, change: t.Any) -> None:
    app = program(fw, session_object=fw.session)
    headers = {"Cookie": f"theme=dark; {session_cookie(app)}"}

    for _ in range(3):
        assert "Set-Cookie" in call(app, headers=headers).headers
        change(app.config, "SESSION_REFRESH_EACH_REQUEST", False)
        assert "Set-Cookie" not in call(app, headers=headers).headers
        change(app.config, "SESSION_REFRESH_EACH_REQUEST", True)


def test_the_name_of_the_session_cookie(fw: Framework, change: t.Any) -> None:
    app = program(fw, session_object=fw.session)
    value = session_cookie(app).partition("=")[2]
    own = {"Cookie": f"own={value}"}
    stock = {"Cookie": f"session={value}"}

    for _ in range(3):
        assert "Set-Cookie" in call(app, headers=stock).headers
        assert "Set-Cookie" not in call(app, headers=own).headers
        change(app.config, "SESSION_COOKIE_NAME", "own")
        assert "Set-Cookie" not in call(app, headers=stock).headers
        assert "Set-Cookie" in call(app, headers=own).headers
        change(app.config, "SESSION_COOKIE_NAME", "session")


def test_a_hook_changes_the_config(fw: Framework) -> None:
    app = program(fw, session_object=fw.session)
    headers = {"Cookie": session_cookie(app)}
    assert "Set-Cookie" in call(app, headers=headers).headers
    assert "Set-Cookie" in call(app, headers=headers).headers

    def before() -> None:
        app.config["SESSION_REFRESH_EACH_REQUEST"] = False

    app.before_request_funcs.setdefault(None, []).append(before)
    assert "Set-Cookie" not in call(app, headers=headers).headers


def test_a_rule_added_to_the_map(fw: Framework) -> None:
    app = program(fw)

    for n in range(3):
        assert call(app, f"/new/{n}").status == 404
        app.view_functions[f"new{n}"] = lambda: "new"
        app.url_map.add(Rule(f"/new/{n}", endpoint=f"new{n}"))
        assert call(app, f"/new/{n}").text == "new"


def test_an_attribute_of_the_map_set_often(fw: Framework) -> None:
    app = program(fw)

    # Often enough for the interpreter to make the store a special one.
    for n in range(200):
        app.url_map.host_matching = n % 2 == 1
        assert call(app).status == (404 if n % 2 else 200)


def test_an_attribute_of_the_map_set_by_name(fw: Framework) -> None:
    app = program(fw)

    for n in range(20):
        vars(app.url_map)["host_matching"] = n % 2 == 1
        assert call(app).status == (404 if n % 2 else 200)


def test_the_reason_of_a_status(fw: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    app = program(fw)
    assert call(app).status_line == "200 OK"

    for reason in ("Fine", "Good"):
        monkeypatch.setitem(HTTP_STATUS_CODES, 200, reason)
        assert call(app).status_line == f"200 {reason.upper()}"
        assert call(app, "/nowhere").status_line == "404 NOT FOUND"

    monkeypatch.undo()
    assert call(app).status_line == "200 OK"


@pytest.mark.parametrize(
    ("kind", "ran"),
    [("before", [0, 1, 2]), ("after", [5, 4, 4, 2]), ("teardown", [5, 4, 4, 2])],
)
def test_a_hook_that_removes_hooks_of_its_chain(
    fw: Framework, kind: str, ran: list[int]
) -> None:
    """The chain is walked as a ``for`` loop walks a list that changes meanwhile."""
    app = program(fw)
    funcs = getattr(app, f"{kind}_request_funcs").setdefault(None, [])
    called: list[int] = []

    def hook(number: int) -> t.Callable[..., t.Any]:
        def func(*args: t.Any) -> t.Any:
            called.append(number)
            if number == 2:
                del funcs[:4]
            elif number == 4:
                del funcs[3]
            return args[0] if args else None

        return func

    funcs.extend(map(hook, range(6)))
    assert call(app).text == "index"
    assert called == ran


TABLES = [
    "url_value_preprocessors",
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "teardown_appcontext_funcs",
]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", [tuple, collections.deque, dict.fromkeys])
def test_a_chain_that_is_no_list(fw: Framework, table: str, kind: t.Any) -> None:
    """Whatever can be walked in its order, and back, will do."""
    app = program(fw)
    called: list[int] = []

    def hook(number: int) -> t.Callable[..., t.Any]:
        def func(*args: t.Any) -> t.Any:
            called.append(number)
            return args[0] if table.startswith("after") else None

        return func

    assert call(app).text == "index"
    chain = kind([hook(1), hook(2)])

    if table == "teardown_appcontext_funcs":
        app.teardown_appcontext_funcs = chain
    else:
        getattr(app, table)[None] = chain

    ran = [2, 1] if table.startswith(("after", "teardown")) else [1, 2]

    for _ in range(2):
        called.clear()
        assert call(app).text == "index"
        assert called == ran


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("value", [5, None, {1}, "abc", print], ids=repr)
def test_a_chain_that_is_no_chain(
    fw: Framework, caplog: pytest.LogCaptureFixture, table: str, value: t.Any
) -> None:
    """Whatever comes of it, nothing else of the teardown is lost."""
    app = program(fw)
    bp = fw.Blueprint("bp", "conformance")
    bp.add_url_rule("/", endpoint="v", view_func=lambda: "view")
    app.register_blueprint(bp, url_prefix="/bp")
    called: list[str] = []
    app.teardown_request(lambda error: called.append("request"))
    app.teardown_appcontext(lambda error: called.append("app"))
    rest = ["request", "app"]

    if table == "teardown_appcontext_funcs":
        app.teardown_appcontext_funcs = value
        rest = ["request"]
    else:
        getattr(app, table)["bp"] = value

    for _ in range(2):
        called.clear()

        with contextlib.suppress(TypeError):
            status = call(app, "/bp/").status
            assert status == 200 or not table.startswith("teardown")

        if table == "teardown_request_funcs" and not fw.native:
            # Flask leaves out the rest of the phase.
            assert called in (["app"], rest)
        else:
            assert called == rest


@pytest.mark.parametrize("value", [5, {None: 5}], ids=repr)
def test_a_table_of_teardown_functions_that_is_none(
    native: Framework, caplog: pytest.LogCaptureFixture, value: t.Any
) -> None:
    app = program(native)
    called: list[str] = []
    app.teardown_appcontext(lambda error: called.append("app"))
    app.teardown_request_funcs = value

    for _ in range(2):
        assert call(app).text == "index"

    assert called == ["app", "app"]
    assert len(caplog.records) == 2
    app.testing = True

    with pytest.raises((TypeError, AttributeError)):
        call(app)

    assert called == ["app", "app", "app"]


def test_a_teardown_function_that_cannot_be_named(
    native: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    """As a proxy that is not bound."""
    app = program(native)
    called: list[str] = []
    proxy = LocalProxy(contextvars.ContextVar("unbound"))
    app.teardown_appcontext(lambda error: called.append("app"))
    app.teardown_appcontext_funcs.append(proxy)
    assert call(app).text == "index"
    assert called == ["app"]
    assert "LocalProxy" in caplog.text


def test_another_class_of_the_session_interface(fw: Framework) -> None:
    """A request that uses its session is one of that class."""
    app = program(fw)
    called: list[str] = []

    class Interface(fw.sessions.SecureCookieSessionInterface):  # type: ignore[name-defined,misc]
        def open_session(self, app: t.Any, request: t.Any) -> t.Any:
            called.append("open")
            return super().open_session(app, request)

        def save_session(self, app: t.Any, session: t.Any, response: t.Any) -> None:
            called.append("save")
            super().save_session(app, session, response)

    app.session_interface = fw.sessions.SecureCookieSessionInterface()

    @app.get("/count")  # type: ignore[untyped-decorator]
    def count() -> str:
        fw.session["n"] = fw.session.get("n", 0) + 1
        return str(fw.session["n"])

    client = app.test_client()
    assert client.get("/count").text == "1"
    app.session_interface.__class__ = Interface
    assert client.get("/count").text == "2"
    assert called == ["open", "save"]
    assert client.get("/count").text == "3"
    app.session_interface.__class__ = fw.sessions.SecureCookieSessionInterface
    assert client.get("/count").text == "4"
    assert called == ["open", "save", "open", "save"]


def test_a_hook_that_adds_a_hook_to_its_chain(fw: Framework) -> None:
    app = program(fw)
    called: list[str] = []

    def first() -> None:
        called.append("first")
        if len(called) == 1:
            app.before_request_funcs[None].append(lambda: called.append("second"))

    app.before_request(first)
    assert call(app).text == "index"
    assert called == ["first", "second"]


@pytest.mark.parametrize("name", ["endpoint", "blueprint", "blueprints"])
def test_a_request_class_that_names_blueprints_itself(fw: Framework, name: str) -> None:
    own = {"endpoint": "side.view", "blueprint": "side", "blueprints": ["side"]}[name]

    class Request(fw.Request):  # type: ignore[misc,name-defined]
        pass

    setattr(Request, name, property(lambda self: own))
    app = program(fw, request_class=Request)
    app.add_url_rule("/b", "b.view", lambda: fw.request.path)
    called: list[str] = []

    for scope in ("b", "side"):
        for kind in ("before", "after", "teardown"):

            def hook(*args: t.Any, told: str = f"{kind} {scope}") -> t.Any:
                called.append(told)
                return args[0] if told.startswith("after") else None

            getattr(app, f"{kind}_request_funcs").setdefault(scope, []).append(hook)

    app.before_request_funcs.setdefault(None, []).append(
        lambda: fw.request.args.get("")
    )

    for _ in range(3):
        called.clear()
        assert call(app, "/b").text == "/b"
        assert called == ["before side", "after side", "teardown side"]


def test_an_endpoint_that_begins_with_a_dot(fw: Framework) -> None:
    app = program(fw)
    app.url_map.add(Rule("/dot", endpoint=".dot"))
    app.view_functions[".dot"] = lambda: repr(fw.request.blueprints)
    called: list[str] = []
    app.before_request_funcs.setdefault("", []).append(lambda: called.append("before"))

    for n in range(3):
        assert call(app, "/dot").text == "['']"
        assert len(called) == n + 1


def test_a_function_after_this_request_that_changes_the_rule(fw: Framework) -> None:
    app = program(fw)
    app.url_map.add(Rule("/other", endpoint="b.other"))
    (other,) = app.url_map.iter_rules("b.other")
    called: list[str] = []

    def change(response: t.Any) -> t.Any:
        fw.request.url_rule = other
        return response

    def after(response: t.Any) -> t.Any:
        called.append("after")
        return response

    def view() -> str:
        fw.after_this_request(change)
        return "changed"

    app.view_functions["index"] = view
    app.after_request_funcs["b"] = [after]

    for n in range(3):
        assert call(app).text == "changed"
        assert len(called) == n + 1


def test_a_table_assigned_after_this_request(fw: Framework) -> None:
    app = program(fw)
    called: list[str] = []

    def after(response: t.Any) -> t.Any:
        called.append("after")
        return response

    def assign(response: t.Any) -> t.Any:
        app.after_request_funcs = {None: [after]}
        return response

    def view() -> str:
        fw.after_this_request(assign)
        return "index"

    app.view_functions["index"] = view
    assert call(app).text == "index"

    if fw.native:
        # What is assigned during a request counts from the next one on.
        assert not called
        assert call(app).text == "index"

    assert called == ["after"]


def test_a_config_that_has_what_is_missing_from_elsewhere(fw: Framework) -> None:
    class Own(fw.App.config_class):  # type: ignore[misc]
        def __missing__(self, key: str) -> t.Any:
            return dynamic[key]

    dynamic: Config = {"TRUSTED_HOSTS": None}
    app = program(fw, config_class=Own)
    del app.config["TRUSTED_HOSTS"]

    for _ in range(3):
        assert [host_status(app) for _ in range(3)] == [200] * 3
        dynamic["TRUSTED_HOSTS"] = ["localhost"]
        assert [host_status(app) for _ in range(3)] == [400] * 3
        dynamic["TRUSTED_HOSTS"] = None
