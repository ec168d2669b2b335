"""What a build would make of files, told before it."""

from pathlib import Path

from pes_search.ingest.config import IN_THIS_PROCESS, PassageConfig
from pes_search.ingest.preview import Preview, previews
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.taxonomy import Taxonomy

TAXONOMY = Taxonomy.from_values({"target-groups": [{"id": "young", "terms": {"en": ["young people"]}}]})
PAGE = """<html><body><nav><a href="/">Home</a> <a href="/all">All measures of the ministry</a></nav><main><h1>Bus to work</h1>
<h2>Der Bus zur Lehrstelle</h2><p>Country: Austria</p><p>Target group: young people in villages</p><p>Period: 2019-2021</p>
<h2>What it does</h2><p>A minibus takes apprentices from the villages to their workplace, every morning and every evening.</p>
<h2>What it cost</h2><p>The region paid for the drivers, and the firms for the fuel, in each of the years that the bus ran.</p>
</main></body></html>"""


def shown(folder: Path, name: str, content: str) -> Preview:
    (folder / name).write_text(content, encoding="utf-8")
    file = SourceFile(folder / name, name)

    def starts(text: str) -> list[int]:
        return [place for place, sign in enumerate(text) if not sign.isspace() and (not place or text[place - 1].isspace())]

    (preview,) = previews([file], starts, PassageConfig(), IN_THIS_PROCESS, TAXONOMY)
    return preview


def test_fields_passages_and_what_is_left_out_are_shown(tmp_path: Path) -> None:
    values = shown(tmp_path, "bus.html", PAGE).values()
    assert list(values) == [
        "file", "reader", "reason", "visibility", "title", "native_title", "kind", "language", "date", "year", "end_year",
        "countries", "organisation", "url", "target_groups", "measure_types", "inferred", "warnings", "left_out", "pages",
        "passages", "seconds",
    ]  # fmt: skip
    assert (values["file"], values["reader"], values["reason"]) == (str(tmp_path / "bus.html"), "html", None)
    assert (values["title"], values["native_title"]) == ("Bus to work", "Der Bus zur Lehrstelle")
    assert (values["countries"], values["year"], values["end_year"]) == (("AT",), 2019, 2021)
    assert values["target_groups"] == ("young",)
    assert sum(left["characters"] for left in values["left_out"]) >= len("Home All measures of the ministry") - 1
    (page,) = values["pages"]
    (passage,) = values["passages"]  # the sections are short
    assert passage["text"] in page["text"]
    assert passage["headings"][-2:] == ["What it does", "What it cost"]


def test_what_nothing_states_is_marked(tmp_path: Path) -> None:
    assert set(shown(tmp_path, "bus.html", PAGE).inferred) == {"native_title", "kind", "language", "target_groups"}
    front_matter = "---\ntitle: A bus to work, Lithuania\nlanguage: en\nkind: practice\ndate: 2020-05-01\n---\nIt goes to work."
    assert list(shown(tmp_path, "bus.md", front_matter).inferred) == ["countries"]


def test_a_file_that_would_not_be_indexed_is_shown_with_the_reason(tmp_path: Path) -> None:
    values = shown(tmp_path, "bus.xyz", "words").values()
    assert (values["reader"], values["reason"], values["title"]) == (None, "no reader for .xyz", None)
    assert values["passages"] == values["pages"] == values["left_out"] == []
