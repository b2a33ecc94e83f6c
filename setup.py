"""The list of compiled modules and the build switch; metadata is in pyproject.toml.

``FASTDISPATCH_BUILD`` says what to build:

``auto``     compile; where that fails, warn loudly and build pure Python (default;
             on anything but CPython, pure Python at once)
``require``  compile, or fail
``pure``     pure Python: no extension modules, a ``py3-none-any`` wheel
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from setuptools import Extension
from setuptools import setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError
from setuptools.errors import CCompilerError

# Each is src/fastdispatch/engine/NAME.py with its C types in NAME.pxd beside it.
COMPILED = (
    "context",
    "failures",
    "hooks",
    "hosted",
    "jsontext",
    "lifecycle",
    "merged",
    "plain",
    "plan",
    "request",
    "response",
    "routing",
    "signing",
    "split",
)

DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,
    "binding": True,
    # A host may hand us None where a context is due: AttributeError, not a crash.
    "nonecheck": True,
}

TRANSLATED = os.path.join("build", "cython")

MODES = ("auto", "require", "pure")


class CannotCompile(Exception):
    """The extension modules could not be built."""


class BuildExtensions(build_ext):
    """Translate with Cython, then compile; any failure is a ``CannotCompile``."""

    def run(self) -> None:
        try:
            self._translate()
            super().run()
        except (BaseError, CCompilerError, OSError) as error:
            raise CannotCompile(f"{type(error).__name__}: {error}") from error

    def build_extensions(self) -> None:
        flags: list[str] = []
        if self.compiler.compiler_type == "unix":
            # Debugging information is most of an extension's size. CFLAGS cannot say
            # so: they take the place of all that Python was compiled with, -O3 too.
            if "CFLAGS" not in os.environ:
                flags.append("-g0")
            # GCC 14 refuses such pointers: so does whatever compiler builds our tests.
            if build_mode() == "require":
                flags.append("-Werror=incompatible-pointer-types")
        for extension in self.extensions:
            extension.extra_compile_args.extend(flags)
        super().build_extensions()

    def _translate(self) -> None:
        try:
            from Cython.Build import cythonize
            from Cython.Compiler.Errors import CompileError
        except ImportError as error:
            raise CannotCompile(f"Cython cannot be imported: {error}") from error
        # Done here and not in setup()'s arguments, so that an sdist names the .py
        # files as its sources and never the C made from them.
        try:
            translated = cythonize(  # type: ignore[no-untyped-call]
                self.extensions,
                build_dir=TRANSLATED,
                compiler_directives=DIRECTIVES,
                force=declarations_changed(),
            )
        except CompileError as error:
            raise CannotCompile(f"Cython: {error}") from error
        sources = {extension.name: extension.sources for extension in translated}
        for extension in self.extensions:
            extension.sources = sources[extension._full_name]


def declarations_changed() -> bool:
    """Whether a .pxd is newer than C made before.

    Cython itself does not notice: ``from . cimport capi`` is no dependency to it.
    """
    made = [path.stat().st_mtime for path in Path(TRANSLATED).rglob("*.c")]
    declared = [path.stat().st_mtime for path in Path("src").rglob("*.pxd")]
    return bool(made) and max(declared) > min(made)


def build_mode() -> str:
    mode = os.environ.get("FASTDISPATCH_BUILD") or "auto"
    if mode not in MODES:
        sys.exit(f"FASTDISPATCH_BUILD={mode!r}: must be one of {', '.join(MODES)}")
    if mode == "auto" and platform.python_implementation() != "CPython":
        return "pure"
    return mode


def run_setup(names: tuple[str, ...]) -> None:
    setup(
        ext_modules=[
            Extension(
                f"fastdispatch.engine.{name}",
                [f"src/fastdispatch/engine/{name}.py"],
                # PERF: unpacking them was a fourteenth of what importing them takes.
                define_macros=[("CYTHON_COMPRESS_STRINGS", "0")],
            )
            for name in names
        ],
        cmdclass={"build_ext": BuildExtensions},
    )


def main() -> None:
    mode = build_mode()
    if mode == "pure":
        run_setup(())
        return
    try:
        run_setup(COMPILED)
    except CannotCompile as error:
        if mode == "require":
            sys.exit(f"FASTDISPATCH_BUILD=require, and it does not compile: {error}")
        line = "*" * 79
        print(
            f"{line}\n"
            "WARNING: fastdispatch could not be compiled, and is being built as PURE\n"
            "PYTHON: the same behaviour, several times slower. The reason:\n\n"
            f"    {error}\n\n"
            "With a C compiler and Python's headers installed, build it again;\n"
            "FASTDISPATCH_BUILD=require makes this an error, =pure asks for it.\n"
            f"{line}",
            file=sys.stderr,
            flush=True,
        )
        run_setup(())


main()
