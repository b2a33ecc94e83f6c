"""Write Cython's annotated HTML of each compiled module: ``annotate.py FOLDER``.

The yellower a line, the more of it goes through Python's C API.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from project import ROOT
from project import setup_constant
from setuptools import Extension


def main(folder: Path) -> None:
    os.chdir(ROOT)
    modules = setup_constant("COMPILED")
    cythonize(  # type: ignore[no-untyped-call]
        [
            Extension(
                f"fastdispatch.engine.{name}", [f"src/fastdispatch/engine/{name}.py"]
            )
            for name in modules
        ],
        annotate=True,
        build_dir=str(folder),
        compiler_directives=setup_constant("DIRECTIVES"),
        force=True,
        quiet=True,
    )
    for name in modules:
        print(folder / "src" / "fastdispatch" / "engine" / f"{name}.html")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
