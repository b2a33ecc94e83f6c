"""Blueprint: routes and hooks that are recorded first and registered later."""

from __future__ import annotations

from collections import defaultdict
from functools import update_wrapper
from typing import Any
from typing import TYPE_CHECKING

from .errors import CLI
from .errors import OutOfScopeError
from .scaffold import endpoint_of
from .scaffold import Scaffold
from .scaffold import setupmethod

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from .app import App
    from .scaffold import F

_UNSET: Any = object()


def _dotted(*names: Any) -> str:
    """*names* of blueprints, outer to inner; as Flask does, whatever they are."""
    return ".".join(map(str, names)).lstrip(".")


def _scope_of(name: str, scope: str | None) -> str:
    """Where the blueprint *name*'s own table for *scope* goes in the app's."""
    return name if scope is None else f"{name}.{scope}"


class BlueprintSetupState:
    """What a recorded function gets when its blueprint is registered."""

    def __init__(
        self,
        blueprint: Blueprint,
        app: App,
        options: dict[str, Any],
        first_registration: bool,
    ) -> None:
        self.app = app
        self.blueprint = blueprint
        self.options = options
        self.first_registration = first_registration
        subdomain = options.get("subdomain")
        self.subdomain = blueprint.subdomain if subdomain is None else subdomain
        url_prefix = options.get("url_prefix")
        self.url_prefix = blueprint.url_prefix if url_prefix is None else url_prefix
        self.name = options.get("name", blueprint.name)
        self.name_prefix = options.get("name_prefix", "")
        self.url_defaults = {
            **blueprint.url_values_defaults,
            **dict(options.get("url_defaults", ())),
        }

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        **options: Any,
    ) -> None:
        """Register a rule on the app: prefix, subdomain, name and defaults applied."""
        if self.url_prefix is not None:
            if rule:
                rule = f"{self.url_prefix.rstrip('/')}/{rule.lstrip('/')}"
            else:
                rule = self.url_prefix
        options.setdefault("subdomain", self.subdomain)
        if endpoint is None:
            endpoint = endpoint_of(view_func)
        defaults = self.url_defaults
        if "defaults" in options:
            defaults = {**defaults, **options.pop("defaults")}
        self.app.add_url_rule(
            rule,
            _dotted(self.name_prefix, self.name, endpoint),
            view_func,
            defaults=defaults,
            **options,
        )


class Blueprint(Scaffold):
    """A set of routes, hooks and handlers for an app to register. Rule 54.

    :param name: its part of the endpoint names; no dots.
    :param import_name: the module it is in, usually ``__name__``.
    :param url_prefix: put before each of its rules.
    :param subdomain: that its rules match in.
    :param url_defaults: default values of its rules.
    :raises ValueError: for an empty name or one with a dot.
    """

    _got_registered_once = False

    def __init__(
        self,
        name: str,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: None = None,
        url_prefix: str | None = None,
        subdomain: str | None = None,
        url_defaults: dict[str, Any] | None = None,
        root_path: str | None = None,
        cli_group: Any = _UNSET,
    ) -> None:
        super().__init__(
            import_name, static_folder, static_url_path, template_folder, root_path
        )
        if cli_group is not _UNSET:
            raise OutOfScopeError("cli_group", CLI)
        if not name:
            raise ValueError("'name' may not be empty.")
        if "." in name:
            raise ValueError("'name' may not contain a dot '.' character.")
        self.name = name
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.deferred_functions: list[Callable[[BlueprintSetupState], None]] = []
        self.url_values_defaults = {} if url_defaults is None else url_defaults
        self._blueprints: list[tuple[Blueprint, dict[str, Any]]] = []

    def _check_setup_finished(self, name: str) -> None:
        if self._got_registered_once:
            raise AssertionError(
                f"The setup method {name!r} can no longer be called on the blueprint"
                f" {self.name!r}. It has already been registered at least once, any"
                " changes will not be applied consistently.\n"
                "Make sure all imports, decorators, functions, etc. needed to set up"
                " the blueprint are done before registering it."
            )

    @setupmethod
    def record(self, func: Callable[[BlueprintSetupState], None]) -> None:
        """Call *func* with the set-up state at each registration."""
        self.deferred_functions.append(func)

    @setupmethod
    def record_once(self, func: Callable[[BlueprintSetupState], None]) -> None:
        """Call *func* with the set-up state at the first registration only."""

        def once(state: BlueprintSetupState) -> None:
            if state.first_registration:
                func(state)

        self.record(update_wrapper(once, func))

    def make_setup_state(
        self, app: App, options: dict[str, Any], first_registration: bool = False
    ) -> BlueprintSetupState:
        """Make the state that the recorded functions get."""
        return BlueprintSetupState(self, app, options, first_registration)

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Nest *blueprint* in this one; *options* override its own.

        :raises ValueError: if it is this very blueprint.
        """
        if blueprint is self:
            raise ValueError("Cannot register a blueprint on itself")
        self._blueprints.append((blueprint, options))

    def register(self, app: App, options: dict[str, Any]) -> None:
        """Register everything recorded on *app*; the app calls it. Rule 54.

        :raises ValueError: if the (dotted) name is taken.
        """
        own_name = options.get("name", self.name)
        name = _dotted(options.get("name_prefix", ""), own_name)
        if name in app.blueprints:
            whose = "this" if app.blueprints[name] is self else "a different"
            existing_at = f" {name!r}" if own_name != name else ""
            raise ValueError(
                f"The name '{own_name}' is already registered for {whose}"
                f" blueprint{existing_at}. Use 'name=' to provide a unique name."
            )
        first = all(bp is not self for bp in app.blueprints.values())
        app.blueprints[name] = self
        self._got_registered_once = True
        state = self.make_setup_state(app, options, first)
        if self.has_static_folder:
            state.add_url_rule(
                f"{self.static_url_path}/<path:filename>",
                view_func=self.send_static_file,
                endpoint="static",
            )
        self._merge_into(app, name)
        for deferred in self.deferred_functions:
            deferred(state)
        for blueprint, nested_options in self._blueprints:
            blueprint.register(
                app, self._nested(state, blueprint, nested_options, name)
            )

    @staticmethod
    def _nested(
        state: BlueprintSetupState,
        blueprint: Blueprint,
        options: dict[str, Any],
        name: str,
    ) -> dict[str, Any]:
        """The options that a blueprint nested at *name* is registered with."""
        options = {**options, "name_prefix": name}
        inner = options.get("subdomain")
        if inner is None:
            inner = blueprint.subdomain
        parts = [part for part in (inner, state.subdomain) if part is not None]
        if parts:
            options["subdomain"] = ".".join(parts)
        inner = options.get("url_prefix")
        if inner is None:
            inner = blueprint.url_prefix
        if inner is not None and state.url_prefix is not None:
            options["url_prefix"] = (
                f"{state.url_prefix.rstrip('/')}/{inner.lstrip('/')}"
            )
        elif inner is not None or state.url_prefix is not None:
            options["url_prefix"] = state.url_prefix if inner is None else inner
        return options

    def _merge_into(self, app: App, name: str) -> None:
        """Copy hooks and error handlers into the app's tables under *name*."""
        for scope, handlers in self.error_handler_spec.items():
            app.error_handler_spec[_scope_of(name, scope)] = defaultdict(
                dict, {code: dict(by_class) for code, by_class in handlers.items()}
            )
        app.view_functions.update(self.view_functions)
        for table in (
            "before_request_funcs",
            "after_request_funcs",
            "teardown_request_funcs",
            "url_default_functions",
            "url_value_preprocessors",
        ):
            target = getattr(app, table)
            for scope, funcs in getattr(self, table).items():
                target.setdefault(_scope_of(name, scope), []).extend(funcs)

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Record a rule for registration; arguments as :meth:`App.add_url_rule`.

        :raises ValueError: for a dot in the endpoint or in the view function's name.
        """
        if endpoint and "." in endpoint:
            raise ValueError("'endpoint' may not contain a dot '.' character.")
        if view_func is not None and "." in getattr(view_func, "__name__", ""):
            raise ValueError("'view_func' name may not contain a dot '.' character.")

        def add(state: BlueprintSetupState) -> None:
            # The state takes options apart, and a blueprint may register twice.
            state.add_url_rule(
                rule,
                endpoint,
                view_func,
                provide_automatic_options=provide_automatic_options,
                **options,
            )

        self.record(add)

    def _record_hook(self, table: str, f: F) -> F:
        def add(state: BlueprintSetupState) -> None:
            getattr(state.app, table).setdefault(None, []).append(f)

        self.record_once(add)
        return f

    @setupmethod
    def before_app_request(self, f: F) -> F:
        """:meth:`before_request` for the whole app."""
        return self._record_hook("before_request_funcs", f)

    @setupmethod
    def before_app_first_request(self, f: F) -> F:
        """:meth:`App.before_first_request`. Rule 20."""

        def add(state: BlueprintSetupState) -> None:
            state.app.before_first_request_funcs.append(f)

        self.record_once(add)
        return f

    @setupmethod
    def after_app_request(self, f: F) -> F:
        """:meth:`after_request` for the whole app."""
        return self._record_hook("after_request_funcs", f)

    @setupmethod
    def teardown_app_request(self, f: F) -> F:
        """:meth:`teardown_request` for the whole app."""
        return self._record_hook("teardown_request_funcs", f)

    @setupmethod
    def app_url_value_preprocessor(self, f: F) -> F:
        """:meth:`url_value_preprocessor` for the whole app."""
        return self._record_hook("url_value_preprocessors", f)

    @setupmethod
    def app_url_defaults(self, f: F) -> F:
        """:meth:`url_defaults` for the whole app."""
        return self._record_hook("url_default_functions", f)

    @setupmethod
    def app_errorhandler(
        self, code_or_exception: type[Exception] | int
    ) -> Callable[[F], F]:
        """:meth:`errorhandler` for the whole app."""

        def decorator(f: F) -> F:
            def add(state: BlueprintSetupState) -> None:
                state.app.errorhandler(code_or_exception)(f)

            self.record_once(add)
            return f

        return decorator
