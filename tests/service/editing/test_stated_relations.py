"""What documents say of each other is shown on both: by page, API and command; hits tell of a newer version."""

import pytest
from fastapi.testclient import TestClient
from kept import kept_in

from pes_search.index.encoders.base import Encoder
from pes_search.service.api.app import create_app
from pes_search.service.cli.commands import main
from pes_search.service.engine import Engine
from pes_search.service.settings import Settings

GUIDE = "Guide to Mobile Offices in Styria"
OLD, NEW = f"{GUIDE} 2019", f"{GUIDE} 2022"
SENTENCE = f"The advice is that of the “{OLD}”, page 3."
TEXTS = {
    "old": f"---\nid: old\n---\n# {OLD}\n\nA bus with two advisers stops at the market place of forty villages in a year.\n",
    "new": f"---\nid: new\n---\n# {NEW}\n\nSix buses with a driver and one adviser each stop at schools, halls and markets.\n",
    "news": f"---\nid: news\nrelated: [new]\n---\n# A village has a bus\n\nPeople need not come to town any more. {SENTENCE}\n",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, build: object) -> Settings:
    folder = tmp_path_factory.mktemp("stated")
    (folder / "sources").mkdir()
    for name, text in TEXTS.items():
        (folder / "sources" / f"{name}.md").write_text(text, encoding="utf-8")
    build([folder / "sources"], folder / "index")  # type: ignore[operator]
    return Settings(index_dir=folder / "index", **kept_in(folder))


@pytest.fixture(scope="module")
def client(settings: Settings, encoder: Encoder) -> TestClient:
    return TestClient(create_app(Engine(settings, settings.index_store(), encoder)))


def relations(client: TestClient, document_id: str) -> list[tuple[str, ...]]:
    stated = client.get(f"/api/v1/documents/{document_id}").json()["relations"]
    assert stated == client.get(f"/api/v1/documents/{document_id}/related").json()["relations"]
    return [tuple(one[key] for key in ("kind", "direction", "document_id", "title", "found_by", "sentence")) for one in stated]


def test_the_api_gives_the_relations_of_both_documents(client: TestClient) -> None:
    village = "A village has a bus"
    assert relations(client, "old") == [
        ("updates", "from", "new", NEW, "series", ""),
        ("cites", "from", "news", village, "title", SENTENCE),
    ]
    assert relations(client, "new") == [
        ("updates", "to", "old", OLD, "series", ""),
        ("see_also", "from", "news", village, "metadata", ""),
    ]
    assert relations(client, "news") == [
        ("cites", "to", "old", OLD, "title", SENTENCE),
        ("see_also", "to", "new", NEW, "metadata", ""),
    ]


def test_a_hit_and_a_document_say_that_there_is_a_newer_version(client: TestClient) -> None:
    hits = client.get("/api/v1/search", params={"q": "mobile offices"}).json()["hits"]
    newer = {"document_id": "new", "title": NEW}
    assert {hit["document_id"]: hit["newer"] for hit in hits} == {"old": newer, "new": None, "news": None}
    assert client.get("/api/v1/documents/old").json()["newer"] == newer
    assert client.get("/api/v1/documents/new").json()["newer"] is None
    assert "A newer version:" in client.get("/", params={"q": "mobile offices"}).text


@pytest.mark.parametrize(
    ("language", "headings"),
    [
        ("en", ("A newer version:", "Updated by", "Is cited by")),
        ("de", ("Eine neuere Fassung:", "Aktualisiert durch", "Wird zitiert von")),
        ("es", ("Una versión más reciente:", "Actualizado por", "Citado por")),
        ("fr", ("Une version plus récente :", "Mis à jour par", "Cité par")),
        ("it", ("Una versione più recente:", "Aggiornato da", "Citato da")),
        ("pl", ("Nowsza wersja:", "Zaktualizowany przez", "Cytowany przez")),
    ],
)
def test_the_page_has_them_under_headings(client: TestClient, language: str, headings: tuple[str, ...]) -> None:
    page = client.get("/documents/old", headers={"Accept-Language": language}).text
    assert [heading for heading in headings if heading in page] == list(headings)
    assert SENTENCE in page
    other = client.get("/documents/news", headers={"Accept-Language": "en"}).text
    assert ">Cites</h2>" in other
    assert ">See also</h2>" in other
    assert "A newer version:" not in other


def test_commands_print_them(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "old", "--index", str(settings.index_dir)]) == 0
    shown = capsys.readouterr().out
    assert (
        f"a newer version: {NEW}  new\nis updated by: {NEW}  new\nis cited by: A village has a bus  news\n  “{SENTENCE}”"
        in shown
    )
    assert main(["related", "news", "--index", str(settings.index_dir)]) == 0
    assert f"cites: {OLD}  old\n  “{SENTENCE}”\nsee also: {NEW}  new" in capsys.readouterr().out
