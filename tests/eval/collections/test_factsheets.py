"""Pages become a collection in which their own titles find them, and stand in no text."""

from pathlib import Path

from pes_search.eval.collections.beir import read_beir
from pes_search.eval.collections.factsheets import write_factsheet_sets

PAGE = """<html lang="en"><head><title>{title} | Site</title></head><body><main>
<h1>{title}</h1>{native}
<p>{text}</p><p>More of {title} can be read elsewhere, and what it is called in the country does not matter here.</p>
</main></body></html>"""


def page(folder: Path, name: str, title: str, native: str, text: str) -> None:
    heading = f"<h2>{native}</h2>" if native else ""
    (folder / name).write_text(PAGE.format(title=title, native=heading, text=text), encoding="utf-8")


def test_a_page_is_asked_for_by_each_of_its_titles(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    about = (
        "Firms that hire somebody who was out of work get half of the wage for a year from the employment service of the place."
    )
    page(pages, "a.html", "Wage subsidy", "Lohnzuschuss", about)
    page(pages, "b.html", "Wage subsidy", "Palgatoetus", about.replace("half", "a third"))
    page(
        pages,
        "c.html",
        "Job rotation",
        "",
        "Employees learn while jobseekers stand in for them, for up to a year in all firms.",
    )
    sets = {kind: read_beir(folder) for kind, folder in write_factsheet_sets(pages, tmp_path / "sets").items()}
    assert sorted(sets["title"].queries.values()) == ["Job rotation", "Wage subsidy", "Wage subsidy"]
    assert sorted(sets["native"].queries.values()) == ["Lohnzuschuss", "Palgatoetus"]
    assert len(sets["native"].documents) == 3
    # Two pages of the same title are both right.
    assert sorted(len(grades) for grades in sets["title"].qrels.values()) == [1, 2, 2]
    assert sorted(len(grades) for grades in sets["native"].qrels.values()) == [1, 1]
    texts = " ".join(block.text for _, blocks in sets["title"].documents for block in blocks)
    assert "a third of the wage" in texts
    for title in ("Wage subsidy", "Lohnzuschuss", "Palgatoetus", "Job rotation"):
        assert title.casefold() not in texts.casefold()
