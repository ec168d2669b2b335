"""The package is what the folders hold: a module or a page that is not listed is missing only once it is installed."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
STAGES = ("ingest", "index", "service", "eval")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS: dict[str, Any] = PROJECT["tool"]["setuptools"]


def package_folder(package: str) -> Path:
    """Return where setuptools looks for a package: below the folder of its longest listed prefix."""
    parts = package.split(".")
    for length in range(len(parts), 0, -1):
        if base := SETUPTOOLS["package-dir"].get(".".join(parts[:length])):
            return ROOT.joinpath(base, *parts[length:])
    raise AssertionError(f"package-dir covers no prefix of {package}")


def python_folders() -> set[Path]:
    return {file.parent for stage in STAGES for file in (ROOT / stage).rglob("*.py")}


def stage_files() -> Iterator[Path]:
    """Yield the files that the stages need beside their code."""
    for stage in STAGES:
        for file in (ROOT / stage).rglob("*"):
            if file.is_file() and file.suffix not in {".py", ".pyc"}:
                yield file


def test_the_listed_packages_are_the_folders_with_code() -> None:
    listed = SETUPTOOLS["packages"]
    expected = [".".join(("pes_search", *folder.relative_to(ROOT).parts)) for folder in python_folders()]
    assert sorted(listed) == sorted(expected)  # each once


def test_every_package_is_found_in_its_folder() -> None:
    assert {package_folder(package) for package in SETUPTOOLS["packages"]} == python_folders()
    assert set(SETUPTOOLS["package-dir"].values()) == set(STAGES)


def test_every_file_beside_the_code_is_packaged() -> None:
    covered = {
        file
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for file in package_folder(package).glob(pattern)
    }
    files = set(stage_files())
    assert {file.suffix for file in files} >= {".html", ".css", ".svg"}
    assert sorted(files - covered) == []


def test_every_pattern_of_package_data_matches_something() -> None:
    for package, patterns in SETUPTOOLS["package-data"].items():
        for pattern in patterns:
            assert list(package_folder(package).glob(pattern)), f"{package}: {pattern}"


def bare_imports(code: str) -> list[str]:
    """Return the imports of a stage by its folder's name; they make a second copy of the module."""
    names = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module or "")
    return [name for name in names if name.partition(".")[0] in STAGES]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import ingest", ["ingest"]),
        ("import index.local as local", ["index.local"]),
        ("def f():\n    from service.api import create_app", ["service.api"]),
        ("import pes_search.ingest", []),
        ("from pes_search import index", []),
        ("from pes_search.service.api.app import create_app", []),
        ("import indexing", []),
    ],
)
def test_bare_imports_are_told_from_proper_ones(code: str, found: list[str]) -> None:
    assert bare_imports(code) == found


def test_no_stage_is_imported_by_its_bare_name() -> None:
    files = [file for folder in (*STAGES, "tests") for file in (ROOT / folder).rglob("*.py") if not file.is_symlink()]
    assert len(files) > 20
    found = {str(file.relative_to(ROOT)): names for file in files if (names := bare_imports(file.read_text(encoding="utf-8")))}
    assert found == {}


@pytest.mark.parametrize("stage", STAGES)
def test_the_type_checker_sees_the_stage_itself(stage: str) -> None:
    link = ROOT / "tests" / "typing" / "pes_search" / stage
    assert link.is_symlink()  # a copy would be checked in place of the code
    assert link.resolve() == (ROOT / stage).resolve()
    assert not link.readlink().is_absolute()  # or it would break in another clone


def test_nothing_else_is_linked_for_the_type_checker() -> None:
    assert sorted(path.name for path in (ROOT / "tests" / "typing" / "pes_search").iterdir()) == sorted(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_the_installed_package_is_this_one(stage: str) -> None:
    module = importlib.import_module(f"pes_search.{stage}")
    assert Path(str(module.__file__)).resolve() == (ROOT / stage / "__init__.py").resolve()
    assert module.__doc__


def test_the_command_is_a_function_that_exists() -> None:
    module, _, function = PROJECT["project"]["scripts"]["pes"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_every_dependency_is_locked() -> None:
    def normal(requirement: str) -> str:
        return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()

    extras = PROJECT["project"]["optional-dependencies"]
    wanted = {normal(each) for each in (*PROJECT["project"]["dependencies"], *extras["eval"], *extras["dev"])} - {"pes-search"}
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = {normal(line) for line in lines if "==" in line}
    assert sorted(wanted - locked) == []


def test_the_lint_rule_bans_every_stages_bare_name() -> None:
    banned = PROJECT["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    assert set(STAGES) <= set(banned)
