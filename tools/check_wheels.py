"""Build the sdist, from it the compiled and the pure wheel, and test each installed.

    python tools/check_wheels.py [pytest's arguments]

The files are left in dist/. Each wheel is installed into a new virtual environment,
and the sdist's own tests are run there, in a folder that holds no other copy of the
package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

from project import ROOT
from project import setup_constant

DIST = ROOT / "dist"
GENERATED = (".c", ".so", ".pyd", ".pyc", ".html")
EXTENSION = (".so", ".pyd")


def say(line: str) -> None:
    print(f"== {line}", flush=True)


def run(
    *command: str | Path, cwd: Path = ROOT, switches: dict[str, str] | None = None
) -> None:
    hidden = ("FASTDISPATCH_", "PYTHONPATH", "VIRTUAL_ENV")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    subprocess.run(command, cwd=cwd, env=kept | (switches or {}), check=True)


def build(source: Path, kind: str, out: Path, mode: str = "require") -> Path:
    command = (sys.executable, "-m", "build", f"--{kind}", "--outdir", out, source)
    run(*command, switches={"FASTDISPATCH_BUILD": mode})
    (made,) = out.iterdir()
    shutil.copy(made, DIST / made.name)
    return made


def sources() -> set[str]:
    """The package's files."""
    package = ROOT / "src" / "fastdispatch"
    kinds = (".py", ".pxd", ".typed")
    files = {p for p in package.rglob("*") if p.suffix in kinds}
    return {p.relative_to(ROOT / "src").as_posix() for p in files}


def test_sources() -> list[str]:
    """The tests, and what they read of the project beside themselves."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    names: list[str] = configuration["tool"]["cibuildwheel"]["test-sources"]
    return names


def check(problems: list[str], what: str) -> None:
    if problems:
        raise SystemExit(f"{what}: " + "; ".join(problems))


def check_sdist(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    wanted = {f"src/{name}" for name in sources()}
    wanted |= {"setup.py", "pyproject.toml", "LICENSE", "README.md", "CHANGES.rst"}
    wanted |= {"tests/conftest.py", "tests/test_build.py", "Makefile"}
    problems = [f"{name} is missing" for name in sorted(wanted - names)]
    problems += [f"{n} does not belong" for n in sorted(names) if n.endswith(GENERATED)]
    check(problems, sdist.name)


def check_wheel(wheel: Path, build: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if n.startswith("fastdispatch/")}
    extensions = {n for n in names if n.endswith(EXTENSION)}
    modules = {Path(n).name.partition(".")[0] for n in extensions}
    wanted = set(setup_constant("COMPILED")) if build == "compiled" else set()
    problems = [f"{name} is missing" for name in sorted(sources() - names)]
    problems += [f"{n} does not belong" for n in names - extensions - sources()]
    problems += [f"no extension for {name}" for name in sorted(wanted - modules)]
    problems += [f"an extension for {name}" for name in sorted(modules - wanted)]
    if (build == "pure") != wheel.name.endswith("-py3-none-any.whl"):
        problems.append(f"has the wrong tag for the {build} build")
    check(problems, wheel.name)


def check_installed(
    wheel: Path, build: str, project: Path, folder: Path, arguments: list[str]
) -> None:
    say(f"{wheel.name}: install it into a new environment, and test it there")
    run(sys.executable, "-m", "venv", folder / "venv")
    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    run(python, "-m", "pip", "install", "--quiet", "--upgrade", "pip>=25.1")
    run(python, "-m", "pip", "install", "--quiet", wheel)
    run(python, "-m", "pip", "check")
    run(python, "-m", "pip", "install", "--quiet", "--group", "test-all", cwd=project)
    tests = folder / "tests"
    tests.mkdir()
    for name in test_sources():
        copy = shutil.copytree if (project / name).is_dir() else shutil.copy
        copy(project / name, tests / name)
    switches = {
        "FASTDISPATCH_EXPECT": build,
        "FASTDISPATCH_EXPECT_INSTALLED": "1",
        "FASTDISPATCH_PURE": "0" if build == "compiled" else "",
    }
    run(python, "-m", "fastdispatch", cwd=tests, switches=switches)
    run(python, "-m", "pytest", *arguments, cwd=tests, switches=switches)


def main() -> None:
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("sdist", "compiled", "pure"):
            (folder / name / "out").mkdir(parents=True)

        say("sdist")
        sdist = build(ROOT, "sdist", folder / "sdist" / "out")
        check_sdist(sdist)
        with tarfile.open(sdist) as archive:
            archive.extractall(folder / "sdist", filter="data")
        project = folder / "sdist" / sdist.name.removesuffix(".tar.gz")

        wheels = {}
        for name, mode in (("compiled", "require"), ("pure", "pure")):
            say(f"{name} wheel, from the sdist")
            wheels[name] = build(project, "wheel", folder / name / "out", mode)
            check_wheel(wheels[name], name)
        for name, wheel in wheels.items():
            check_installed(wheel, name, project, folder / name, sys.argv[1:])

    say("what was built and tested")
    for path in sorted(DIST.iterdir()):
        print(f"{path.stat().st_size:>9} {path.name}")


if __name__ == "__main__":
    main()
