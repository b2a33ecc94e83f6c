"""What App and Blueprint share: registration of routes, hooks and error handlers.

And where they live on disk.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import cast
from typing import TYPE_CHECKING

from werkzeug.exceptions import default_exceptions
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from typing import IO
    from typing import NoReturn
    from typing import TypeVar

    from .wrappers import Response

    F = TypeVar("F", bound=Callable[..., Any])


class Later:
    """A class attribute that is imported when somebody first asks for it.

    PERF: what few programs use takes no part of the time that all of them take to
    import this package.
    """

    def __init__(self, module: str, name: str | None = None) -> None:
        """Stand for *name* of *module*, a submodule of this package, or for itself."""
        self._module = f"{__package__}.{module}"
        self._name = name

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner
        self._own_name = name

    def __get__(self, obj: object, owner: type | None = None) -> Any:
        value: Any = import_module(self._module)
        if self._name is not None:
            value = getattr(value, self._name)
        if static_attribute(self._owner, self._own_name) is self:
            setattr(self._owner, self._own_name, value)
        return value


def static_attribute(cls: type, name: str) -> Any:
    """What a class or a base of it has under *name*, without asking a descriptor."""
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    raise AttributeError(name)


class _OutOfScope:
    """A name of Flask's for what this package leaves out: using it says so."""

    def __init__(self, topic: str) -> None:
        """*topic*: the name that the feature has in :mod:`fastdispatch.errors`."""
        self.topic = topic

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, obj: object, owner: type | None = None) -> NoReturn:
        self._refuse()

    def __set__(self, obj: object, value: object) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        from . import errors

        raise errors.OutOfScopeAttribute(self.name, getattr(errors, self.topic))


def setupmethod(func: F) -> F:
    """Refuse the call once set-up is over. Rules 19 and 54."""
    name = func.__name__

    def checked(self: Scaffold, *args: Any, **kwargs: Any) -> Any:
        self._check_setup_finished(name)
        return func(self, *args, **kwargs)

    # PERF: functools.wraps takes four times as long, for each of twenty methods.
    checked.__name__ = name
    checked.__qualname__ = func.__qualname__
    checked.__module__ = func.__module__
    checked.__doc__ = func.__doc__
    checked.__annotations__ = func.__annotations__
    checked.__wrapped__ = func  # type: ignore[attr-defined]
    return cast("F", checked)


def endpoint_of(view_func: Callable[..., Any] | None) -> str:
    """The endpoint that a view function has when none is given: its name."""
    if view_func is None:
        raise AssertionError("expected view func if endpoint is not provided.")
    return view_func.__name__


class Scaffold:
    """Registration, as App and Blueprint share it."""

    name: str
    _static_folder: str | None = None
    _static_url_path: str | None = None

    def __init__(
        self,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: None = None,
        root_path: str | None = None,
    ) -> None:
        if template_folder is not None:
            from .errors import OutOfScopeError
            from .errors import TEMPLATES

            raise OutOfScopeError("template_folder", TEMPLATES)
        self.import_name = import_name
        self.static_folder = static_folder
        self.static_url_path = static_url_path
        self.root_path = get_root_path(import_name) if root_path is None else root_path
        self.view_functions: dict[str, Callable[..., Any]] = {}
        self.error_handler_spec: dict[
            str | None, dict[int | None, dict[type[Exception], Callable[..., Any]]]
        ] = defaultdict(lambda: defaultdict(dict))
        self.before_request_funcs: dict[str | None, list[Callable[..., Any]]]
        self.before_request_funcs = defaultdict(list)
        self.after_request_funcs: dict[str | None, list[Callable[..., Any]]]
        self.after_request_funcs = defaultdict(list)
        self.teardown_request_funcs: dict[str | None, list[Callable[..., Any]]]
        self.teardown_request_funcs = defaultdict(list)
        self.url_value_preprocessors: dict[str | None, list[Callable[..., Any]]]
        self.url_value_preprocessors = defaultdict(list)
        self.url_default_functions: dict[str | None, list[Callable[..., Any]]]
        self.url_default_functions = defaultdict(list)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def _check_setup_finished(self, name: str) -> None:
        raise NotImplementedError

    # Templates and the command line.

    app_context_processor = _OutOfScope("TEMPLATES")
    app_template_filter = _OutOfScope("TEMPLATES")
    app_template_global = _OutOfScope("TEMPLATES")
    app_template_test = _OutOfScope("TEMPLATES")
    add_app_template_filter = _OutOfScope("TEMPLATES")
    add_app_template_global = _OutOfScope("TEMPLATES")
    add_app_template_test = _OutOfScope("TEMPLATES")
    add_template_filter = _OutOfScope("TEMPLATES")
    add_template_global = _OutOfScope("TEMPLATES")
    add_template_test = _OutOfScope("TEMPLATES")
    context_processor = _OutOfScope("TEMPLATES")
    create_global_jinja_loader = _OutOfScope("TEMPLATES")
    create_jinja_environment = _OutOfScope("TEMPLATES")
    jinja_env = _OutOfScope("TEMPLATES")
    jinja_environment = _OutOfScope("TEMPLATES")
    jinja_loader = _OutOfScope("TEMPLATES")
    jinja_options = _OutOfScope("TEMPLATES")
    select_jinja_autoescape = _OutOfScope("TEMPLATES")
    template_context_processors = _OutOfScope("TEMPLATES")
    template_filter = _OutOfScope("TEMPLATES")
    template_folder = _OutOfScope("TEMPLATES")
    template_global = _OutOfScope("TEMPLATES")
    template_test = _OutOfScope("TEMPLATES")
    update_template_context = _OutOfScope("TEMPLATES")
    cli = _OutOfScope("CLI")
    cli_group = _OutOfScope("CLI")
    make_shell_context = _OutOfScope("CLI")
    shell_context_processor = _OutOfScope("CLI")
    shell_context_processors = _OutOfScope("CLI")
    test_cli_runner = _OutOfScope("CLI")
    test_cli_runner_class = _OutOfScope("CLI")

    # Static files and resources.

    @property
    def static_folder(self) -> str | None:
        """The absolute path of the static folder, or None."""
        if self._static_folder is None:
            return None
        return os.path.join(self.root_path, self._static_folder)

    @static_folder.setter
    def static_folder(self, value: str | os.PathLike[str] | None) -> None:
        if value is not None:
            value = os.fspath(value).rstrip("\\/")
        self._static_folder = value

    @property
    def has_static_folder(self) -> bool:
        """Whether :attr:`static_folder` is set."""
        return self._static_folder is not None

    @property
    def static_url_path(self) -> str | None:
        """The URL prefix of static files: as given, else the folder's own name."""
        if self._static_url_path is not None:
            return self._static_url_path
        if self._static_folder is None:
            return None
        name = os.path.basename(os.path.join(self.root_path, self._static_folder))
        return f"/{name}".rstrip("/")

    @static_url_path.setter
    def static_url_path(self, value: str | None) -> None:
        self._static_url_path = None if value is None else value.rstrip("/")

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """How many seconds a client may cache *filename*; None: ask each time."""
        from .globals import current_app

        value = current_app.config["SEND_FILE_MAX_AGE_DEFAULT"]
        if isinstance(value, timedelta):
            return int(value.total_seconds())
        return cast("int | None", value)

    def send_static_file(self, filename: str) -> Response:
        """The view that serves :attr:`static_folder`.

        :raises RuntimeError: if there is no static folder.
        """
        folder = self.static_folder
        if folder is None:
            raise RuntimeError("'static_folder' must be set to serve static_files.")
        from .helpers import send_from_directory

        max_age = self.get_send_file_max_age(filename)
        return send_from_directory(folder, filename, max_age=max_age)

    def open_resource(
        self, resource: str, mode: str = "rb", encoding: str | None = "utf-8"
    ) -> IO[Any]:
        """Open a file below :attr:`root_path` for reading.

        :param mode: ``"rb"``, ``"r"`` or ``"rt"``.
        :param encoding: of a file read as text.
        :raises ValueError: for any other mode.
        """
        if mode not in {"r", "rt", "rb"}:
            raise ValueError("Resources can only be opened for reading.")
        path = os.path.join(self.root_path, resource)
        return open(path, mode, encoding=None if mode == "rb" else encoding)

    # Routes.

    def _method_route(
        self, method: str, rule: str, options: dict[str, Any]
    ) -> Callable[[F], F]:
        if "methods" in options:
            raise TypeError("Use the 'route' decorator to use the 'methods' argument.")
        return self.route(rule, methods=[method], **options)

    @setupmethod
    def get(self, rule: str, **options: Any) -> Callable[[F], F]:
        """:meth:`route` with ``methods=["GET"]``."""
        return self._method_route("GET", rule, options)

    @setupmethod
    def post(self, rule: str, **options: Any) -> Callable[[F], F]:
        """:meth:`route` with ``methods=["POST"]``."""
        return self._method_route("POST", rule, options)

    @setupmethod
    def put(self, rule: str, **options: Any) -> Callable[[F], F]:
        """:meth:`route` with ``methods=["PUT"]``."""
        return self._method_route("PUT", rule, options)

    @setupmethod
    def delete(self, rule: str, **options: Any) -> Callable[[F], F]:
        """:meth:`route` with ``methods=["DELETE"]``."""
        return self._method_route("DELETE", rule, options)

    @setupmethod
    def patch(self, rule: str, **options: Any) -> Callable[[F], F]:
        """:meth:`route` with ``methods=["PATCH"]``."""
        return self._method_route("PATCH", rule, options)

    @setupmethod
    def route(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Decorate a view function: :meth:`add_url_rule` with it.

        :param rule: the URL rule, in Werkzeug's syntax.
        :param options: ``endpoint``, ``methods`` and what Werkzeug's Rule takes.
        """

        def decorator(f: F) -> F:
            endpoint = options.pop("endpoint", None)
            self.add_url_rule(rule, endpoint, f, **options)
            return f

        return decorator

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a URL rule; see the subclasses."""
        raise NotImplementedError

    @setupmethod
    def endpoint(self, endpoint: str) -> Callable[[F], F]:
        """Decorate the view function of *endpoint*, whose rule is added elsewhere."""

        def decorator(f: F) -> F:
            self.view_functions[endpoint] = f
            return f

        return decorator

    # Hooks.

    @setupmethod
    def before_request(self, f: F) -> F:
        """Call *f* before each view. What it returns, if not None, is the response.

        Rule 23.
        """
        self.before_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def after_request(self, f: F) -> F:
        """Call *f* with each response; it returns that or another one. Rule 28."""
        self.after_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def teardown_request(self, f: F) -> F:
        """Call *f* when the request's context pops, whatever happened.

        Its argument is the error that ended the request, or None. Rules 40 to 44.
        """
        self.teardown_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def url_value_preprocessor(self, f: F) -> F:
        """Call *f* with endpoint and view arguments before the hooks. Rule 22."""
        self.url_value_preprocessors.setdefault(None, []).append(f)
        return f

    @setupmethod
    def url_defaults(self, f: F) -> F:
        """Call *f* with endpoint and values when a URL is built; it may add values."""
        self.url_default_functions.setdefault(None, []).append(f)
        return f

    # Error handlers.

    @setupmethod
    def errorhandler(
        self, code_or_exception: type[Exception] | int
    ) -> Callable[[F], F]:
        """Decorate the handler of a status code or an exception class. Rule 32."""

        def decorator(f: F) -> F:
            self.register_error_handler(code_or_exception, f)
            return f

        return decorator

    @setupmethod
    def register_error_handler(
        self, code_or_exception: type[Exception] | int, f: Callable[..., Any]
    ) -> None:
        """Handle a status code or an exception class with *f*.

        :raises ValueError: for an unknown code, or a class that is no Exception.
        :raises TypeError: for what is no class and no number.
        """
        exc_class, code = self._get_exc_class_and_code(code_or_exception)
        self.error_handler_spec[None][code][exc_class] = f

    @staticmethod
    def _get_exc_class_and_code(
        exc_class_or_code: type[Exception] | int,
    ) -> tuple[type[Exception], int | None]:
        """The exception class, and the status code if it is an HTTPException."""
        exc_class: Any
        if isinstance(exc_class_or_code, int):
            exc_class = default_exceptions.get(exc_class_or_code)
            if exc_class is None:
                raise ValueError(
                    f"{str(exc_class_or_code)!r} is not a recognized HTTP error code."
                    " Use a subclass of HTTPException with that code instead."
                )
        else:
            exc_class = exc_class_or_code
        if isinstance(exc_class, Exception):
            raise TypeError(
                f"{exc_class!r} is an instance, not a class. Handlers can only be"
                " registered for Exception classes or HTTP error codes."
            )
        if not isinstance(exc_class, type):
            raise TypeError(
                f"{exc_class!r} is not a class. Handlers can only be registered for"
                " Exception classes or HTTP error codes, which are numbers."
            )
        if not issubclass(exc_class, Exception):
            name = exc_class.__name__
            raise ValueError(
                f"{name!r} is not a subclass of Exception. Handlers can only be"
                " registered for Exception classes or HTTP error codes."
            )
        if issubclass(exc_class, HTTPException):
            return exc_class, exc_class.code
        return exc_class, None


# Where an application lives on disk.


def _package_path(import_name: str) -> str:
    """The folder that holds the top-level module or package of *import_name*."""
    root = import_name.partition(".")[0]
    try:
        spec = find_spec(root)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return os.getcwd()
    locations = spec.submodule_search_locations
    if locations is None:
        return os.path.dirname(spec.origin) if spec.origin else os.getcwd()
    if spec.origin not in {None, "namespace"}:
        return os.path.dirname(os.path.dirname(str(spec.origin)))
    # A namespace package has several folders: take the one that holds the module.
    inner = find_spec(import_name)
    if inner is not None and inner.submodule_search_locations:
        inner_path = os.path.commonpath(list(inner.submodule_search_locations))
        for location in locations:
            if _is_below(inner_path, location):
                return os.path.dirname(location)
    return os.path.dirname(next(iter(locations)))


def _is_below(path: str, folder: str) -> bool:
    """Whether *path* is *folder* or in it, going by their names alone."""
    inner, outer = (os.path.join(os.path.normcase(p), "") for p in (path, folder))
    return inner.startswith(outer)


def _prefix_of(path: str) -> str | None:
    """The prefix that *path* is installed below; None: it is not installed."""
    if _is_below(path, os.path.abspath(sys.prefix)):
        return os.path.abspath(sys.prefix)
    parent, folder = os.path.split(path)
    if folder.lower() != "site-packages":
        return None
    outer, name = os.path.split(parent)
    if name.lower() == "lib":
        return outer
    if os.path.basename(outer).lower() == "lib":
        return os.path.dirname(outer)
    return parent


def find_instance_path(import_name: str, name: str) -> str:
    """The instance folder of an app: ``instance`` beside its package.

    For an installed package it is ``var/NAME-instance`` below the prefix.
    """
    package_path = _package_path(import_name)
    prefix = _prefix_of(package_path)
    if prefix is None:
        return os.path.join(package_path, "instance")
    return os.path.join(prefix, "var", f"{name}-instance")


def get_root_path(import_name: str) -> str:
    """The folder of a module or package; the working directory if there is none.

    The module is not imported unless its loader does not tell the file.

    :raises RuntimeError: if it is a module without a file.
    """
    module = sys.modules.get(import_name)
    filename = getattr(module, "__file__", None)
    if filename is None:
        try:
            spec = find_spec(import_name)
        except (ImportError, ValueError):
            spec = None
        if spec is None or spec.loader is None:
            # __main__ of an interactive session, or a made-up name.
            return os.getcwd()
        if hasattr(spec.loader, "get_filename"):
            filename = cast("Any", spec.loader).get_filename(import_name)
        else:
            filename = getattr(import_module(import_name), "__file__", None)
    if filename is None:
        raise RuntimeError(
            f"No root path can be found for {import_name!r}: it is a namespace package,"
            " built in, or from an import hook that names no file. Give the root path"
            " explicitly, as 'root_path'."
        )
    return os.path.dirname(os.path.abspath(cast("str", filename)))
