"""Everything that is installed with the service says under which licence, and the page that lists them is current."""

import re
from pathlib import Path

import pytest
from folders import ROOT

from pes_search.eval.reports.licences import BUNDLED, REASONS, RUN_TIME, STATED, LicenceError, Licensed, licensed_packages, page

PAGE = (ROOT / "docs/licences.md").read_text(encoding="utf-8")
LOCKED = set(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE))
ROWS = set(re.findall(r"^\| ([\w.-]+) \| (\d[\w.]*) \|", PAGE, re.MULTILINE))


@pytest.fixture(scope="module")
def packages() -> list[Licensed]:
    return licensed_packages(ROOT / "pyproject.toml")


def test_what_asks_for_more_than_its_notice_is_named_with_a_reason(packages: list[Licensed]) -> None:
    assert len([package for package in packages if package.group == RUN_TIME]) > 80
    assert [
        f"{package.name}: {package.expression}" for package in packages if package.remarkable and package.name not in REASONS
    ] == []


def test_no_reason_and_no_correction_is_left_of_a_package_that_is_gone(packages: list[Licensed]) -> None:
    assert sorted({*REASONS, *STATED, *BUNDLED} - {name for name, _ in LOCKED}) == []
    assert sorted(set(REASONS) - {package.name for package in packages if package.remarkable} - {"axe-playwright-python"}) == []


def test_the_page_has_the_packages_and_versions_of_the_lock(packages: list[Licensed]) -> None:
    """After a change of the lock: `make licences`."""
    listed = {name for name, _ in ROWS}
    assert sorted(package.name for package in packages if package.group == RUN_TIME and package.name not in listed) == []
    assert sorted(ROWS - LOCKED) == []  # of some packages the lock has two versions, by Python's


@pytest.mark.parametrize(
    ("expression", "remarkable"),
    [
        ("MIT", []),
        ("(BSD-3-Clause OR Apache-2.0) AND Apache-2.0 WITH LLVM-exception", []),
        ("LGPL-3.0-or-later", ["LGPL-3.0-or-later"]),
        ("MIT AND MPL-2.0", ["MPL-2.0"]),
        ("Our own licence", ["Our", "own", "licence"]),  # what nobody knows has to be read first
    ],
)
def test_a_licence_that_asks_for_more_is_seen(expression: str, remarkable: list[str]) -> None:
    assert Licensed("x", "1", expression, RUN_TIME).remarkable == remarkable


def project_with(requirement: str, folder: Path) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(f'[project]\ndependencies = ["{requirement}"]\noptional-dependencies = {{}}\n', encoding="utf-8")
    return path


def test_a_package_without_a_licence_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    information = tmp_path / "nameless-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: nameless\nVersion: 1.0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(LicenceError, match="nameless names no licence"):
        licensed_packages(project_with("nameless>=1", tmp_path))


def test_a_dependency_that_is_not_installed_is_told(tmp_path: Path) -> None:
    with pytest.raises(LicenceError, match="not installed here: not-there-at-all"):
        licensed_packages(project_with("not-there-at-all>=1", tmp_path))


def test_a_page_names_group_version_licence_and_reason() -> None:
    text = page([Licensed("certifi", "2026.1", "MPL-2.0", RUN_TIME), Licensed("b", "2", "MIT", "oidc")])
    assert f"| certifi | 2026.1 | MPL-2.0 | {REASONS['certifi']} |" in text
    assert f"- certifi (MPL-2.0): {REASONS['certifi']}" in text
    assert "## Extra `oidc` (may be run with it)" in text
