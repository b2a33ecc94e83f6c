"""The build: what is compiled, the switches, and the two builds side by side."""

from __future__ import annotations

import ast
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastdispatch
from fastdispatch import _build
from fastdispatch import engine

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(fastdispatch.__file__).resolve().parent
ENGINE = PACKAGE / "engine"
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX") or ".so"


def listed() -> set[str]:
    """The modules that setup.py compiles."""
    tree = ast.parse((ROOT / "setup.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == "COMPILED":
                return set(ast.literal_eval(node.value))
    raise AssertionError("setup.py has no list called COMPILED")


def stems(pattern: str) -> set[str]:
    return {path.stem for path in ENGINE.glob(pattern)} - {"__init__"}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Level (0: absolute) and dotted name of each module that *path* imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.module is None:
                for alias in node.names:
                    yield node.level, alias.name
            else:
                yield node.level, node.module


# What is compiled


def test_the_list_the_sources_and_the_types_agree() -> None:
    assert stems("*.py") == listed() | engine.UNCOMPILED
    assert stems("*.pxd") == (listed() | engine.UNCOMPILED) - {"classes"}


def test_every_listed_module_is_loaded_from_the_build_that_runs() -> None:
    files = _build.engine_files()
    assert set(files) == listed() | engine.UNCOMPILED
    for name, file in files.items():
        from_extension = _build.is_extension_file(file)
        wanted = engine.compiled and name not in engine.UNCOMPILED
        assert from_extension == wanted, (name, file)
    assert fastdispatch.compiled is engine.compiled


def test_no_source_imports_cython() -> None:
    sources = list(PACKAGE.rglob("*.py"))
    assert len(sources) > len(listed())
    for path in sources:
        for _, name in imports(path):
            assert name.partition(".")[0].lower() != "cython", path


def test_the_engine_imports_nothing_of_ours_from_outside_itself() -> None:
    for path in ENGINE.glob("*.py"):
        for level, name in imports(path):
            assert level <= 1, f"{path.name}: {'.' * level}{name}"
            assert name.partition(".")[0] != "fastdispatch", f"{path.name}: {name}"


def test_imports_inside_the_package_are_relative() -> None:
    for path in PACKAGE.rglob("*.py"):
        for level, name in imports(path):
            assert level or name.partition(".")[0] != "fastdispatch", (path, name)


def test_compiled_modules_hold_no_async_code_closures_or_generators() -> None:
    for name in listed():
        tree = ast.parse((ENGINE / f"{name}.py").read_text("utf-8"))
        for node in ast.walk(tree):
            where = f"{name}.py:{getattr(node, 'lineno', 0)}"
            assert not isinstance(
                node,
                ast.AsyncFunctionDef | ast.Await | ast.Yield | ast.YieldFrom,
            ), where
            assert not isinstance(node, ast.Lambda | ast.GeneratorExp), where
            if isinstance(node, ast.FunctionDef):
                inner = [
                    child
                    for statement in node.body
                    for child in ast.walk(statement)
                    if isinstance(child, ast.FunctionDef | ast.ClassDef)
                ]
                assert not inner, where


@pytest.mark.parametrize("name", sorted(engine.UNCOMPILED - {"classes"}))
def test_every_c_helper_stands_beside_its_python_equivalent(name: str) -> None:
    # One that is missing in the .pxd is not missed: the Python one would run instead.
    tree = ast.parse((ENGINE / f"{name}.py").read_text("utf-8"))
    python = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    assigned = [t for n in tree.body if isinstance(n, ast.Assign) for t in n.targets]
    names = {t.id for t in assigned if isinstance(t, ast.Name)}
    python |= {name for name in names if name.islower() and name[0] != "_"}
    declarations = (ENGINE / f"{name}.pxd").read_text("utf-8")
    inline = re.findall(r"^cdef inline .*?(\w+)\(", declarations, re.M)
    assert python
    assert python - set(inline) == set()


# The switch at run time


def run_python(
    code: str, *, path: Path | None = None, fails: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("FASTDISPATCH_")}
    env["PYTHONPATH"] = str(path if path is not None else PACKAGE.parent)
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=env | environment,
        check=False,
        timeout=120,
    )
    assert (result.returncode != 0) == fails, result.stderr
    return result


WHICH = "import fastdispatch as f; print(f.compiled, f.engine.context.__file__)"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sources of the package, to be broken by the test."""
    shutil.copytree(
        PACKAGE,
        tmp_path / "fastdispatch",
        ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"),
    )
    return tmp_path


def test_pure_1_runs_the_sources() -> None:
    result = run_python(WHICH, FASTDISPATCH_PURE="1")
    compiled, file = result.stdout.split()
    assert compiled == "False"
    assert file.endswith("context.py")


def test_pure_0_runs_the_extensions() -> None:
    if not engine.find_extensions(engine.__path__)["context"]:
        pytest.skip("this installation has no extensions")
    result = run_python(WHICH, FASTDISPATCH_PURE="0", PYTHON_GIL="1")
    compiled, file = result.stdout.split()
    assert compiled == "True"
    assert file.endswith(SUFFIX)


def test_pure_0_without_extensions_is_an_import_error(copy: Path) -> None:
    result = run_python(
        "import fastdispatch", fails=True, path=copy, FASTDISPATCH_PURE="0"
    )
    assert "ImportError: FASTDISPATCH_PURE=0 asks for the compiled" in result.stderr


def test_without_extensions_the_sources_run(copy: Path) -> None:
    result = run_python(WHICH, path=copy)
    assert result.stdout.split() == [
        "False",
        str(copy / "fastdispatch" / "engine" / "context.py"),
    ]


def test_another_value_is_an_import_error() -> None:
    result = run_python("import fastdispatch", fails=True, FASTDISPATCH_PURE="yes")
    assert "FASTDISPATCH_PURE='yes': must be 0, 1 or unset" in result.stderr


def test_a_partly_compiled_engine_is_an_import_error(copy: Path) -> None:
    stale = copy / "fastdispatch" / "engine" / f"hooks{SUFFIX}"
    stale.write_bytes(b"")
    result = run_python("import fastdispatch", path=copy, fails=True)
    assert "fastdispatch.engine is only partly compiled" in result.stderr
    assert "no extension for context, " in result.stderr
    assert str(stale) in result.stderr
    run_python(WHICH, path=copy, FASTDISPATCH_PURE="1")


def test_where_the_gil_is_off_the_sources_run(monkeypatch: pytest.MonkeyPatch) -> None:
    if not engine.find_extensions(engine.__path__)["context"]:
        pytest.skip("this installation has no extensions")
    loaded: list[str] = []
    monkeypatch.setattr(engine, "is_source_only", lambda package: False)
    monkeypatch.setattr(engine, "load_from_source", loaded.append)
    monkeypatch.delenv("FASTDISPATCH_PURE", raising=False)
    monkeypatch.setattr(engine, "is_without_gil", lambda: False)
    assert engine._choose() is True and loaded == []
    monkeypatch.setattr(engine, "is_without_gil", lambda: True)
    assert engine._choose() is False and loaded == ["fastdispatch.engine"]
    monkeypatch.setenv("FASTDISPATCH_PURE", "0")
    with pytest.raises(ImportError, match="relies on the global interpreter lock"):
        engine._choose()


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"),
    reason="this interpreter always has a GIL",
)
def test_a_free_threaded_interpreter_has_a_gil_for_the_extensions_alone() -> None:
    built = bool(engine.find_extensions(engine.__path__)["context"])
    code = "import fastdispatch as f, sys; print(f.compiled, sys._is_gil_enabled())"
    off = run_python(code, PYTHON_GIL="0")
    assert (off.stdout, off.stderr) == ("False False\n", "")
    on = run_python(code, PYTHON_GIL="1")
    assert (on.stdout, on.stderr) == (f"{built} True\n", "")
    unset = run_python(code, PYTHON_GIL="")
    assert unset.stdout == f"{built} {built}\n"
    assert ("RuntimeWarning: The global interpreter" in unset.stderr) == built
    pure = run_python(code, PYTHON_GIL="", FASTDISPATCH_PURE="1")
    assert (pure.stdout, pure.stderr) == ("False False\n", "")


def test_it_works_under_another_package_name(copy: Path) -> None:
    shutil.move(copy / "fastdispatch", copy / "vendored")
    (copy / "vendored" / "engine" / f"hooks{SUFFIX}").write_bytes(b"")
    code = "import vendored as v; print(v.compiled, v.engine.hooks.__name__)"
    result = run_python(code, path=copy, FASTDISPATCH_PURE="1")
    assert result.stdout.split() == ["False", "vendored.engine.hooks"]


# Both builds in one process


def test_load_pure_is_a_second_copy_that_shares_nothing() -> None:
    pure = _build.load_pure()
    assert pure is _build.load_pure()
    assert pure.__name__ == "fastdispatch_pure"
    assert pure.compiled is False
    ours = {n for n in sys.modules if n.partition(".")[0] == "fastdispatch"}
    for name in ours:
        other = sys.modules.get(name.replace("fastdispatch", "fastdispatch_pure", 1))
        assert other is not sys.modules[name]
        for key, value in vars(other).items() if other else ():
            module = getattr(value, "__module__", None) or ""
            if isinstance(module, str) and isinstance(value, type):
                assert module.partition(".")[0] != "fastdispatch", (name, key)
    for name, module in list(sys.modules.items()):
        if name.startswith("fastdispatch_pure.engine."):
            assert (module.__file__ or "").endswith(".py"), name


def test_load_pure_serves_a_request_beside_the_other_build() -> None:
    for package in (fastdispatch, _build.load_pure()):
        app = package.App(__name__)
        app.add_url_rule("/", view_func=lambda: "hello")
        assert app.test_client().get("/").get_data() == b"hello"


def test_load_pure_works_where_extensions_are_required() -> None:
    if not engine.find_extensions(engine.__path__)["context"]:
        pytest.skip("this installation has no extensions")
    code = (
        "import fastdispatch as f; from fastdispatch import _build; "
        "print(f.compiled, _build.load_pure().compiled)"
    )
    result = run_python(code, FASTDISPATCH_PURE="0", PYTHON_GIL="1")
    assert result.stdout.split() == ["True", "False"]


# The switch at build time

cpython_only = pytest.mark.skipif(
    platform.python_implementation() != "CPython",
    reason="only CPython is compiled for by default",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that our setup.py builds: one small module for an engine."""
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools")
    for name in ("pyproject.toml", "MANIFEST.in"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("LICENSE", "README.md"):
        (tmp_path / name).touch()
    setup = (ROOT / "setup.py").read_text("utf-8")
    setup, count = re.subn(
        r"^COMPILED = \([^)]*\)", 'COMPILED = ("toy",)', setup, flags=re.M
    )
    assert count == 1
    (tmp_path / "setup.py").write_text(setup, "utf-8")
    package = tmp_path / "src" / "fastdispatch"
    (package / "engine").mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "1.0"\n', "utf-8")
    (package / "__init__.pxd").touch()
    for name in ("__init__.py", "__init__.pxd", "toy.py", "toy.pxd"):
        (package / "engine" / name).touch()
    return tmp_path


def build_wheel(
    project: Path, **environment: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("FASTDISPATCH_")}
    result = subprocess.run(
        [sys.executable, "setup.py", "-q", "bdist_wheel"],
        cwd=project,
        capture_output=True,
        text=True,
        env=env | environment,
        check=False,
        timeout=600,
    )
    return result, [wheel.name for wheel in project.glob("dist/*.whl")]


BROKEN = {"CC": "/bin/false", "LDSHARED": "/bin/false"}
posix_only = pytest.mark.skipif(os.name != "posix", reason="breaks CC, as POSIX has it")


@cpython_only
def test_require_builds_extensions_and_ships_no_generated_code(project: Path) -> None:
    result, wheels = build_wheel(project, FASTDISPATCH_BUILD="require")
    assert result.returncode == 0, result.stderr
    assert len(wheels) == 1
    assert not wheels[0].endswith("-any.whl")
    with zipfile.ZipFile(project / "dist" / wheels[0]) as wheel:
        names = {n for n in wheel.namelist() if "/engine/" in n}
    assert names == {
        f"fastdispatch/engine/{name}"
        for name in ("__init__.py", "__init__.pxd", "toy.py", "toy.pxd", f"toy{SUFFIX}")
    }


@cpython_only
@posix_only
def test_require_fails_without_a_compiler(project: Path) -> None:
    result, wheels = build_wheel(project, FASTDISPATCH_BUILD="require", **BROKEN)
    assert result.returncode != 0
    assert "FASTDISPATCH_BUILD=require, and it does not compile" in result.stderr
    assert wheels == []


@cpython_only
@posix_only
def test_auto_warns_without_a_compiler_and_builds_pure(project: Path) -> None:
    result, wheels = build_wheel(project, **BROKEN)
    assert result.returncode == 0, result.stderr
    assert "WARNING: fastdispatch could not be compiled" in result.stderr
    assert "/bin/false" in result.stderr
    assert len(wheels) == 1
    assert wheels[0].endswith("-py3-none-any.whl")


def test_pure_builds_a_wheel_for_any_platform(project: Path) -> None:
    result, wheels = build_wheel(project, FASTDISPATCH_BUILD="pure", **BROKEN)
    assert result.returncode == 0, result.stderr
    assert "WARNING: fastdispatch" not in result.stderr
    assert len(wheels) == 1
    assert wheels[0].endswith("-py3-none-any.whl")


def test_another_build_mode_is_an_error(project: Path) -> None:
    result, wheels = build_wheel(project, FASTDISPATCH_BUILD="yes")
    assert result.returncode != 0
    message = "FASTDISPATCH_BUILD='yes': must be one of auto, require, pure"
    assert message in result.stderr
    assert wheels == []
