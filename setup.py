"""The list of compiled modules and the build switch; metadata lives in pyproject.toml."""

from setuptools import Extension
from setuptools import setup

COMPILED = ("context", "hooks", "lifecycle", "request", "response", "routing")


def extensions() -> list[Extension]:
    from pathlib import Path

    from Cython.Build import cythonize

    return cythonize(
        [
            Extension(
                f"fastdispatch.engine.{name}", [f"src/fastdispatch/engine/{name}.py"]
            )
            for name in COMPILED
            if Path(f"src/fastdispatch/engine/{name}.pxd").exists()
        ],
        compiler_directives={
            "language_level": 3,
            "annotation_typing": False,
            "binding": True,
        },
    )


setup(ext_modules=extensions())
