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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from project import ROOT
from project import setup_constant

DIST = ROOT / "dist"
GENERATED = (".c", ".so", ".pyd", ".pyc", ".html")
EXTENSION = (".so", ".pyd")


def say(line: str) -> None:
    print(f"== {line}", flush=True)


def run(
    *command: str | Path,
    cwd: Path = ROOT,
    switches: dict[str, str] | None = None,
    log: IO[str] | None = None,
) -> None:
    hidden = ("FASTDISPATCH_", "PYTHONPATH", "VIRTUAL_ENV")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    subprocess.run(
        command,
        cwd=cwd,
        env=kept | (switches or {}),
        check=True,
        stdout=log,
        stderr=subprocess.STDOUT if log else None,
    )


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
    wheel: Path, build: str, project: Path, folder: Path, log: IO[str]
) -> None:
    run(sys.executable, "-m", "venv", folder / "venv", log=log)
    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    pip = (python, "-m", "pip")
    install = (*pip, "install", "--quiet")
    run(*install, "--upgrade", "pip>=25.1", log=log)
    run(*install, wheel, log=log)
    run(*pip, "check", log=log)
    run(*install, "--group", "test-all", cwd=project, log=log)
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
    for command in (("fastdispatch",), ("pytest", *sys.argv[1:])):
        run(python, "-m", *command, cwd=tests, switches=switches, log=log)


def check_all_installed(
    wheels: dict[str, Path], project: Path, folder: Path
) -> list[str]:
    """Check the wheels at the same time; the builds that failed."""
    failed = []
    with ThreadPoolExecutor() as pool:
        checks = {}
        for build, wheel in wheels.items():
            log = (folder / build / "log").open("w", encoding="utf-8")
            checks[build] = (
                log,
                pool.submit(
                    check_installed, wheel, build, project, folder / build, log
                ),
            )
        for build, (log, check) in checks.items():
            error = check.exception()
            log.close()
            say(f"{wheels[build].name}: installed into a new environment, tested there")
            print(Path(log.name).read_text("utf-8"), flush=True)
            if error is not None:
                print(error, flush=True)
                failed.append(build)
    return failed


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
        failed = check_all_installed(wheels, project, folder)

    say("what was built and tested")
    for path in sorted(DIST.iterdir()):
        print(f"{path.stat().st_size:>9} {path.name}")
    if failed:
        raise SystemExit(f"failed: the {' and the '.join(failed)} build")


if __name__ == "__main__":
    main()
