"""A host that is a framework of its own: the watch over it, and its contexts.

The contexts here and in split.py and merged.py are kernels: the host's own classes come
behind them, and do what is not done here.
"""

from __future__ import annotations

from typing import Any
from typing import TYPE_CHECKING
from weakref import ref

from . import compiled
from . import failures
from . import lifecycle
from . import plain
from .context import Context
from .plan import Host
from .plan import Plan

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts
    from . import ctext
    from . import cvars
    from .classes import total_version

if TYPE_CHECKING:
    from collections.abc import Iterable


class Watcher(Host):
    """Keeps the plan of an application that does not tell when it changes.

    A subclass has ``_draw_plan(app)`` and ``_class_facts()``.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        late_names: tuple[str, ...],
        classes: tuple[Any, ...],
    ) -> None:
        """Say what a plan is drawn from.

        :param names: of attributes: the plan holds while each is the same object in
            the application's ``__dict__``, or still not there.
        :param late_names: those of them that the end of a request depends on and that
            may be replaced without a new attribute.
        :param classes: it holds while none of these is patched, as the values that
            ``_class_facts`` returns say.
        """
        super().__init__()
        self._names = names
        self._values: tuple[Any, ...] = ()
        self._classes = classes
        if not capi.COMPILED:
            self._total_version = total_version(classes)
        self._facts: tuple[Any, ...] = ()
        self._versions = 0
        self._tables: tuple[tuple[dict[str, Any], int, str, Any], ...] = ()
        self._settings: dict[str, Any] = {}
        self._settings_then: dict[str, Any] = {}
        self._late_names = late_names
        self._late_values: tuple[Any, ...] = ()
        self._own_size = 0
        # The application's class, the address of its ``__dict__`` and the count of
        # changes when all that was compared last; 0 where nobody counts.
        self._own_class: Any = None
        self._own_address = 0
        self._own_changes = 0

    def plan_now(self, app: Any) -> Plan:
        """The plan, drawn up again if *app* or what it is made of has changed."""
        plan = self._plan
        if plan is None:
            return self._draw_anew(app)
        if not _unchanged(self, app, plan):
            if self._changed(app, plan):
                return self._draw_anew(app)
            # The mark that a request has come may be gone.
            plan.begun = False
        return plan

    def plan_later(self, app: Any, plan: Plan) -> Plan:
        """The same in the midst of a request that began with *plan*.

        Where nobody counts, what was set on *app* since is seen if it has no attribute
        less.
        """
        # PERF: asked for up to four times a request, so it looks at little.
        own: dict[str, Any] = capi.instance_dict(app)  # type: ignore[assignment]
        if (
            plan is self._plan
            and self._own_changes == 0
            and not plan.stale(type(app))
            and len(own) == self._own_size
            and cdicts.same_items(own, self._late_names, self._late_values)
            and self._class_versions() == self._versions
        ):
            # Without versions, a patch of Flask's classes waits for the next request.
            return plan
        return self.plan_now(app)

    def _changed(self, app: Any, plan: Plan) -> bool:
        own: dict[str, Any] = capi.instance_dict(app)  # type: ignore[assignment]
        watched = (
            cdicts.watch(own) and cdicts.watch_type(type(app)) and self._watch_others()
        )
        changes = cdicts.watched_changes()
        if plan.stale(type(app)) or not cdicts.same_items(
            own, self._names, self._values
        ):
            return True
        self._own_size = len(own)
        if self._classes_changed() or self._tables_changed():
            return True
        self._own_class = type(app)
        self._own_address = capi.address(own)
        # Another thread may have drawn a plan meanwhile, perhaps of older things.
        self._own_changes = changes if watched and self._plan is plan else 0
        return False

    def _watch_others(self) -> bool:
        for cls in self._classes:
            if not cdicts.watch_type(cls):
                return False
        for table, _, _, _ in self._tables:
            if not cdicts.watch(table):
                return False
        return cdicts.watch(self._settings)

    def _classes_changed(self) -> bool:
        versions = self._class_versions()
        if versions == 0 or versions != self._versions:
            if not capi.identical(self._class_facts(), self._facts):
                return True
            # Not those of now: another thread may have patched a class meanwhile.
            self._versions = versions
        return False

    def _class_versions(self) -> int:
        # Versions only grow, so their sum stays the same only if each of them does.
        if not capi.COMPILED:
            return self._total_version()
        total = 0
        for cls in self._classes:
            version = capi.type_version(cls)
            if version == 0:
                return 0
            total += version
        return total

    def _tables_changed(self) -> bool:
        for table, size, name, value in self._tables:
            if len(table) != size or table.get(name) is not value:
                return True
        return bool(self._settings != self._settings_then)

    def _keep_tables(
        self, tables: tuple[dict[str, Any], ...], name: str, settings: dict[str, Any]
    ) -> None:
        """Say what else the plan is drawn from.

        :param tables: it holds while no key is added to one of these, and each has the
            same under *name*.
        :param settings: it holds while this has the same keys with equal values.
        """
        self._settings_then = settings.copy()
        self._settings = settings
        self._tables = tuple([(t, len(t), name, t.get(name)) for t in tables])

    def _draw_anew(self, app: Any) -> Plan:
        plan = self._draw(app)
        # Changes are counted from now on.
        self._changed(app, plan)
        return plan

    def _draw(self, app: Any) -> Plan:
        own: Any = capi.instance_dict(app)
        values = tuple([own.get(name) for name in self._names])
        versions = self._class_versions()
        facts = self._class_facts()
        plan: Plan = self._draw_plan(app)
        # The plan before what it was drawn from: to another thread it may look stale,
        # but not an older plan like this one.
        self._plan = plan
        self._values = values
        self._late_values = tuple([own.get(name) for name in self._late_names])
        self._own_size = len(own)
        self._own_changes = 0
        self._facts = facts
        self._versions = versions
        return plan

    def _class_facts(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def _draw_plan(self, app: Any) -> Plan:
        raise NotImplementedError


def _unchanged(host: Watcher, app: Any, plan: Any) -> bool:
    """Whether *app* and what else *plan* was drawn from are for sure as they were when
    *host* compared them last.

    PERF: a request's comparisons took a fifth of its instructions. The end of a dict
    counts as a change, so another one at its address is not taken for it.
    """
    return (
        host._own_changes != 0
        and cdicts.watched_changes() == host._own_changes
        and capi.dict_address(app) == host._own_address
        and type(app) is host._own_class
        and plan is host._plan
    )


def check_latin1(text: Any) -> None:
    """Raise UnicodeEncodeError for a str that holds more than latin-1 characters."""
    if type(text) is str and not ctext.is_ascii(text):
        text.encode("latin-1")


def new_context(app: Any, plan: Plan, environ: Any, host: Watcher) -> HostedContext:
    """Make the request context of one request."""
    # What is not latin-1 is an error before anything has begun. Rule 1.
    check_latin1(cdicts.table_get(environ, "PATH_INFO"))
    check_latin1(cdicts.table_get(environ, "QUERY_STRING"))
    check_latin1(cdicts.table_get(environ, "SCRIPT_NAME"))
    ctx: HostedContext = capi.new_instance(plan.context_class)
    ctx.start(app, plan, environ)
    ctx._host = host
    ctx._unbound = False
    ctx._unopened = False
    if not plan.lazy_app_context:
        ctx.prepare()
    return ctx


class HostedContext(Context):
    """What the contexts of requests have in common: see split.py and merged.py."""

    _host: Watcher | None
    _unopened: bool

    @property
    def _after_request_functions(self) -> Any:
        """The after_this_request functions."""
        if self._after_functions is None:
            self._after_functions = []
        return self._after_functions

    @_after_request_functions.setter
    def _after_request_functions(self, value: Any) -> None:
        self._after_functions = value

    def prepare(self) -> None:
        """Make now what is made on first use otherwise, in the host's order."""
        if not self.plan.own_create_url_adapter:
            self.bind()

    def bind(self) -> Any:
        """The URL adapter; None, once and for all, when there was none to be had."""
        adapter = Context.bind(self)
        self._unbound = adapter is None
        return adapter

    def open(self) -> None:
        """Open the session, match the URL. Rule 4."""
        plan = self.plan
        if not plan.lazy_session and self.opened is None:
            self.opened_session()
        self.match()

    def renew(self) -> Plan:
        """The plan as of now: hooks and views may change the application."""
        host = self._host
        if host is None or _unchanged(host, self.app, self.plan):
            return self.plan
        plan = self.plan
        now = host.plan_later(self.app, plan)
        if now is not plan:
            # What would have been made by now is made as it would have been.
            self.get_request()
            if not self._unopened:
                self.opened_session()
            self.plan = now
        return now

    def opened_session(self) -> Any:
        """The session, opened now if it was not. Rule 5.

        None where that has failed, or where it is being opened, in Flask 3.1: once is
        all it gets.
        """
        session = self.opened
        if session is None:
            if self._unopened and self.plan.request_var is not None:
                return None
            self._unopened = True
            session = self.open_cookie_session()
            if session is not None:
                return session
            app = self.app
            # The one that it would have been opened by when this was pushed.
            interface = self.plan.session_interface
            if interface is None:
                interface = app.session_interface
            session = interface.open_session(app, self.get_request())
            if session is None:
                session = interface.make_null_session(app)
            self.opened = session
        return session

    # What the lifecycle leaves to a host's own rules.

    def shown(self, response: Any) -> Any:
        """*response*, of the host's class and no stand-in for it."""
        return plain.shown(response)

    def send(self, response: Any, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Call *start_response*; return the body."""
        return plain.send(response, environ, start_response)

    def knows(self, step: str, own: bool) -> bool:
        """Whether *step*, of handling an error, can be run here; see failures.py."""
        return failures.knows(self, step, own)

    def handle_user_exception(self, error: Exception) -> Any:
        """The answer of a handler of *error*; *error* again if there is none."""
        return failures.handle_user_exception(self, error)

    def handle_exception(self, error: Exception) -> Any:
        """The answer to *error*, which nobody has handled."""
        return failures.handle_exception(self, error)

    def is_current(self) -> bool:
        """Whether the application of this context is the current one."""
        current = cvars.var_find(self.plan.app_var)
        return current is not None and (current is self or current.app is self.app)


class HostedApplication(Watcher):
    """The kernel of what stands before an application of another framework.

    It does not keep the application alive. A subclass has what a Watcher's has and
    ``_hand_back(app, environ, start_response)``, the host's own way of answering.
    """

    def __init__(
        self,
        app: Any,
        names: tuple[str, ...],
        late_names: tuple[str, ...],
        classes: tuple[Any, ...],
    ) -> None:
        """As a Watcher's, and *app*."""
        super().__init__(names, late_names, classes)
        self._app = ref(app)

    @property
    def app(self) -> Any:
        """The application, or None when it is no more."""
        return self._app()

    def next_plan(self, app: Any) -> Plan:
        """What a request would be answered by that came now."""
        return self.plan_now(app)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request."""
        app = self._app()
        if app is None:
            raise RuntimeError("The accelerated application is no more.")
        plan = self.plan_now(app)
        if not (plan.own_request_context and plan.own_wsgi_app):
            # Contexts of the application's own making, or code around all of it.
            return self._hand_back(app, environ, start_response)
        ctx = new_context(app, plan, environ, self)
        return lifecycle.run_in(ctx, app, plan, environ, start_response)

    def _hand_back(self, app: Any, environ: Any, start_response: Any) -> Any:
        raise NotImplementedError
