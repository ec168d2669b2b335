"""`pes fetch`: from places on the web to documents that are found, with the addresses that they cite."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from web_site import Page, Site, a_page, a_site

from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import open_index
from pes_search.index.stores.files import FileStore
from pes_search.ingest.web.presets import presets
from pes_search.service.settings import SettingsError, read_settings

Pes = Callable[..., Any]  # gives status, out and err (see conftest)

SETTINGS = """
sources = ["documents"]
[fetch]
seconds_between = 0.0
private_hosts = ["127.0.0.1"]
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "fair.md").write_text("# Job fair\n\nEmployers meet jobseekers once a month.\n")
    (tmp_path / "pes.toml").write_text(SETTINGS)
    with a_site() as made:
        yield made


def test_a_page_is_fetched_built_found_and_cited(site: Site, pes: Pes, tmp_path: Path) -> None:
    site.pages["/news/buses"] = a_page("Buses", "Buses with advisers drive to villages where nobody comes to the office.")
    run = pes("fetch", f"{site.address}/news/buses?utm_source=mail")
    assert (run.status, run.err) == (0, "")
    assert "1 new, 0 changed" in run.out
    assert pes("build").status == 0
    hit = json.loads(pes("search", "advisers in villages", "--json").out)["hits"][0]
    assert (hit["title"], hit["url"]) == ("Buses", f"{site.address}/news/buses")


def test_the_entries_of_the_settings_are_fetched_with_their_layout(site: Site, pes: Pes, tmp_path: Path) -> None:
    (tmp_path / "pes.toml").write_text(
        SETTINGS
        + f"""
        [[source]]
        name = "agency"
        urls = ["{site.address}/feed"]
        kind = "practice"
        organisation = "The agency"
        [source.layout]
        title = ".headline"
        main = ".text"
        remove = ".advert"
        [source.layout.fields]
        country = ".facts .land"
        start = ".facts time"
        """
    )
    site.pages["/feed"] = Page(
        f"<rss><channel><item><link>{site.address}/a</link></item></channel></rss>", "application/rss+xml"
    )
    site.pages["/a"] = Page(
        "<html><body><div class='headline'>Buses</div><h1>The agency</h1><div class='facts'>"
        "<span class='land'>Österreich</span>"
        "<time datetime='2021-05-01'>in May</time></div><div class='text'><p>Buses drive to villages.</p><div class='advert'>"
        "Buy now.</div></div><p>Another text that belongs to the page's frame and to nothing that it tells.</p></body></html>"
    )
    run = pes("fetch", "--json")
    assert run.status == 0
    assert json.loads(run.out)[0]["new"] == [f"{site.address}/a"]
    assert pes("build").status == 0
    details = [json.loads(pes("show", "--json", one).out) for one in _ids(tmp_path)]
    buses = next(one for one in details if one["title"] == "Buses")
    assert (buses["kind"], buses["organisation"], buses["countries"], buses["year"]) == ("practice", "The agency", ["AT"], 2021)
    shown = pes("show", buses["id"]).out
    assert "Buses drive to villages." in shown
    assert "Buy now" not in shown
    assert "frame" not in shown


def _ids(folder: Path) -> list[str]:
    return [one.id for one in open_index(FileStore(folder / "var" / "index")).stored.documents(EVERYTHING)]


def test_a_page_that_is_gone_disappears_from_the_index(site: Site, pes: Pes, tmp_path: Path) -> None:
    site.pages["/sitemap.xml"] = Page(
        f"<urlset><url><loc>{site.address}/a</loc></url><url><loc>{site.address}/b</loc></url></urlset>", "text/xml"
    )
    site.pages["/a"], site.pages["/b"] = a_page("Buses"), a_page("Vouchers")
    pes("fetch", f"{site.address}/sitemap.xml")
    pes("build")
    assert len(_ids(tmp_path)) == 3
    del site.pages["/b"]
    assert "1 removed" in pes("fetch", f"{site.address}/sitemap.xml").out
    pes("build")
    assert len(_ids(tmp_path)) == 2


def test_files_go_where_they_are_told(site: Site, pes: Pes, tmp_path: Path) -> None:
    site.pages["/a"] = a_page("Buses")
    assert pes("fetch", f"{site.address}/a", "--into", tmp_path / "here").status == 0
    assert len(list((tmp_path / "here").rglob("*.html"))) == 1


def test_what_cannot_be_fetched_is_told_and_fails(site: Site, pes: Pes) -> None:
    run = pes("fetch", f"{site.address}/nothing")
    assert run.status == 1
    assert f"failed: {site.address}/nothing: the server answered 404" in run.err
    assert "0 new" in run.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to fetch"),
        (("--source", "agency"), "nothing to fetch"),
        (("--preset", "commision-news"), "there are commission-news"),
        (("ftp://example.org/",), "no address of a web page"),
        (("https://example.org/", "--depth", "-1"), "depth >= 0"),
        (("http://127.0.0.2:9/",), "private address"),
        (("http://localhost:9/",), "private_hosts"),
    ],
)
def test_what_does_not_fit_is_told_with_what_to_do(site: Site, pes: Pes, arguments: tuple[str, ...], message: str) -> None:
    run = pes("fetch", *arguments)
    assert run.status == 1
    assert message in run.err


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('urls = ["https://example.org"]', "needs a name"),
        ('name = "a/b"', "letters, digits"),
        ('name = "a"\npreset = "unknown"', "no preset 'unknown'"),
        ('name = "a"\nfolow = 2', "folow"),
        ('name = "a"\n[source.layout]\nmain = "a["', "no CSS selector"),
        ('name = "a"\n[source.layout.fields]\ncolour = "b"', "no field colour"),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pes.toml").write_text(f"[[source]]\n{entry}\n")
    with pytest.raises(SettingsError, match=message):
        read_settings()


def test_an_entry_takes_from_its_preset_what_it_does_not_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pes.toml").write_text('[[source]]\npreset = "commission-news"\nonly = ["/news/2024*"]\n')
    (source,) = read_settings().source
    known = presets()["commission-news"]
    assert (source.name, source.only, source.urls) == ("commission-news", ("/news/2024*",), known.urls)
    assert source.layout == known.layout


def test_a_watched_folder_is_built_after_every_change(site: Site, tmp_path: Path, cache_dir: Path) -> None:
    index = FileStore(tmp_path / "var" / "index")
    command = [sys.executable, "-m", "pes_search.service.cli.commands", "build", "--watch"]
    environment = {**os.environ, "PES_CACHE_DIR": str(cache_dir), "WATCHFILES_FORCE_POLLING": "true"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as watching:
        try:
            first = _next_build(index, None)
            (tmp_path / "documents" / "buses.md").write_text("# Buses\n\nBuses drive to villages.\n")
            second = _next_build(index, first)
            assert len(_ids(tmp_path)) == 2
            (tmp_path / "documents" / "buses.md").unlink()
            _next_build(index, second)
            assert len(_ids(tmp_path)) == 1
        finally:
            watching.terminate()  # an interrupt may be ignored by all that a background job starts


def _next_build(index: FileStore, before: str | None) -> str:
    """Wait for a generation after another."""
    for _ in range(600):
        if (name := index.current_name()) not in (None, before):
            return str(name)
        time.sleep(0.1)
    pytest.fail("no build came")
