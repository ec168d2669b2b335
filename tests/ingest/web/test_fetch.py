"""A site becomes files, and a second visit asks for what has changed only."""

import errno
import gzip
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from web_site import Page, Site, a_page

from pes_search.ingest.documents import ReadDocument, read_documents
from pes_search.ingest.errors import FetchError, NotWrittenError
from pes_search.ingest.sources import find_files
from pes_search.ingest.sources.fetched import RECORD, FetchedFolder
from pes_search.ingest.web.client import Client
from pes_search.ingest.web.config import WebSource
from pes_search.ingest.web.fetch import FetchReport, _Run, fetch
from pes_search.ingest.web.presets import complete


def a_source(*urls: str, **more: Any) -> WebSource:
    return WebSource(name="site", urls=urls, **more)


def paths(site: Site, addresses: list[str]) -> list[str]:
    return sorted(address.removeprefix(site.address) for address in addresses)


def read(folder: Path) -> dict[str, ReadDocument]:
    """Return the documents of a folder by their addresses."""
    documents = [one for file in find_files([str(folder)]) for one in read_documents(file)]
    return {str(one.document.url): one for one in documents}


def test_one_page_becomes_one_document_that_knows_its_address(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/news/more-jobs"] = a_page("More jobs")
    report = fetch(a_source(f"{site.address}/news/more-jobs?utm_source=mail", kind="news", countries=("AT",)), tmp_path, client)
    assert paths(site, report.new) == ["/news/more-jobs"]
    ((address, one),) = read(tmp_path).items()
    assert address == f"{site.address}/news/more-jobs"
    assert (one.document.title, one.document.kind, one.document.countries) == ("More jobs", "news", ("AT",))
    assert (report.unfinished, report.failed) == ([], [])


def test_links_are_followed_as_far_as_told_and_on_the_own_host_only(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/"] = a_page("Start", links=("/a", "https://elsewhere.example/x", "mailto:a@b.c", "/a#part", "javascript:go()"))
    site.pages["/a"] = a_page("First", links=("/b", "/"))
    site.pages["/b"] = a_page("Second", links=("/c",))
    site.pages["/c"] = a_page("Third")
    report = fetch(a_source(f"{site.address}/", depth=2), tmp_path, client)
    assert paths(site, report.new) == ["/", "/a", "/b"]
    assert report.outside == 1
    assert sorted(site.asked) == ["/", "/a", "/b", "/robots.txt"]


def test_lists_are_followed_and_not_kept(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/news"] = a_page("News", links=("/news/1", "/news?page=2", "/about"))
    site.pages["/news?page=2"] = a_page("News", links=("/news/2", "/news"))
    for path in ("/news/1", "/news/2", "/about"):
        site.pages[path] = a_page(path, links=("/about",))
    source = a_source(f"{site.address}/news", depth=1, lists=("/news", "/news[?]page=*"), only=("/news/*",))
    report = fetch(source, tmp_path, client)
    assert paths(site, report.new) == ["/news/1", "/news/2"]
    assert "/about" not in site.asked


def test_a_sitemap_names_pages_and_other_sitemaps(site: Site, client: Client, tmp_path: Path) -> None:
    head = '<?xml version="1.0"?><!-- made by hand -->'
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    site.pages["/sitemap.xml"] = Page(
        f"{head}<sitemapindex {space}><sitemap><loc>{site.address}/part.xml.gz</loc></sitemap></sitemapindex>",
        "application/xml",
    )
    locations = "".join(f"<url><loc>{site.address}{path}</loc></url>" for path in ("/a", "/b?prefLang=de", "/c"))
    site.pages["/part.xml.gz"] = Page(
        gzip.compress(f"{head}<urlset {space}>{locations}</urlset>".encode()), "application/octet-stream"
    )
    for path in ("/a", "/b", "/c"):
        site.pages[path] = a_page(path)
    report = fetch(a_source(f"{site.address}/sitemap.xml", skip=("/c",)), tmp_path, client)
    assert paths(site, report.new) == ["/a", "/b"]


RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{items}</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>{items}</feed>"""


@pytest.mark.parametrize(
    ("feed", "item", "media_type"),
    [
        (
            RSS,
            "<item><title>x</title><link>{0}</link><pubDate>Thu, 27 Apr 2023 10:00:00 GMT</pubDate></item>",
            "application/rss+xml",
        ),
        (ATOM, '<entry><title>x</title><link href="{0}"/><updated>2023-04-27T10:00:00Z</updated></entry>', "text/xml"),
    ],
)
def test_a_feed_tells_pages_and_their_days(
    site: Site, client: Client, tmp_path: Path, feed: str, item: str, media_type: str
) -> None:
    site.pages["/feed"] = Page(feed.format(items=item.format(f"{site.address}/a?utm_medium=rss")), media_type)
    site.pages["/a"] = a_page("First")
    fetch(a_source(f"{site.address}/feed"), tmp_path, client)
    ((address, one),) = read(tmp_path).items()
    assert (address, one.document.date) == (f"{site.address}/a", "2023-04-27")


def test_lists_of_links_come_from_files_and_servers(site: Site, client: Client, tmp_path: Path) -> None:
    for path in ("/a", "/b"):
        site.pages[path] = a_page(path)
    site.pages["/links.txt"] = Page(f"# ours\n{site.address}/b\n", "text/plain")
    written = tmp_path / "links.txt"
    written.write_text(f"{site.address}/a # the first\n\n{site.address}/links.txt\n")
    assert paths(site, fetch(a_source(str(written)), tmp_path / "web", client).new) == ["/a", "/b"]
    (tmp_path / "prose.txt").write_text("Some words.\n")
    with pytest.raises(FetchError, match="no list of links"):
        fetch(a_source(str(tmp_path / "prose.txt")), tmp_path / "web", client)


RECORDS = """<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2024-01-0{day}T00:00:00Z</responseDate>
<ListRecords>{records}{token}</ListRecords></OAI-PMH>"""
RECORD_ELEMENT = """<record><header><identifier>oai:{0}</identifier></header><metadata>
<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>T {0}</dc:title><dc:identifier>{1}</dc:identifier><dc:date>2023-05-0{0}</dc:date><dc:publisher>AMS</dc:publisher>
</oai_dc:dc></metadata></record>"""
DELETED = '<record><header status="deleted"><identifier>oai:1</identifier></header></record>'


def test_an_oai_pmh_interface_is_harvested_part_by_part_and_what_is_new_later(
    site: Site, client: Client, tmp_path: Path
) -> None:
    def answer(records: str, token: str = "", day: int = 1) -> Page:
        return Page(RECORDS.format(records=records, token=token, day=day), "text/xml")

    site.pages["/oai"] = Page(
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><error code="badVerb"/></OAI-PMH>', "text/xml"
    )
    site.pages["/oai?verb=ListRecords&metadataPrefix=oai_dc"] = answer(
        RECORD_ELEMENT.format(1, f"{site.address}/1"), "<resumptionToken>next/2</resumptionToken>"
    )
    site.pages["/oai?verb=ListRecords&resumptionToken=next%2F2"] = answer(RECORD_ELEMENT.format(2, f"{site.address}/2"))
    site.pages["/1"], site.pages["/2"] = a_page("One"), a_page("Two")
    source = a_source(f"{site.address}/oai")
    assert paths(site, fetch(source, tmp_path, client).new) == ["/1", "/2"]
    one = read(tmp_path)[f"{site.address}/1"].document
    assert (one.title, one.date, one.organisation) == ("One", "2023-05-01", "AMS")

    site.pages["/oai?verb=ListRecords&metadataPrefix=oai_dc&from=2024-01-01"] = answer(DELETED, day=2)
    report = fetch(source, tmp_path, client)
    assert paths(site, report.removed) == ["/1"]
    assert list(read(tmp_path)) == [f"{site.address}/2"]


def test_a_second_visit_asks_for_what_has_changed(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/"] = a_page("Start", links=("/same", "/changes", "/goes", "/no-etag"))
    for name in ("same", "changes", "goes"):
        site.pages[f"/{name}"] = a_page(name)
    site.pages["/no-etag"] = a_page("No etag")
    site.pages["/no-etag"].has_etag = False
    source = a_source(f"{site.address}/", depth=1)
    assert len(fetch(source, tmp_path, client).new) == 5
    before = {file.path: file.path.read_bytes() for file in find_files([str(tmp_path)])}

    site.pages["/"] = a_page("Start", links=("/same", "/changes", "/new", "/no-etag"))
    site.pages["/changes"], site.pages["/new"] = a_page("Has changed"), a_page("New")
    del site.pages["/goes"]
    site.asked.clear()
    site.sent.clear()
    report = fetch(source, tmp_path, client)
    assert paths(site, report.new) == ["/new"]
    assert paths(site, report.changed) == ["/", "/changes"]
    assert paths(site, report.removed) == ["/goes"]
    assert report.unchanged == 2
    assert sorted(site.sent) == ["/", "/changes", "/new", "/no-etag"]
    assert report.requests == len(site.asked) == 6  # its robots.txt is known
    after = {file.path for file in find_files([str(tmp_path)])}
    assert len(after) == len(before) == 5


def test_what_a_feed_tells_anew_of_an_unchanged_page_counts(site: Site, client: Client, tmp_path: Path) -> None:
    item = "<item><link>{0}</link><pubDate>Thu, {1} Apr 2023 10:00:00 GMT</pubDate></item>"
    site.pages["/a"] = a_page("First")
    for day in ("13", "27"):
        site.pages["/feed"] = Page(RSS.format(items=item.format(f"{site.address}/a", day)), "application/rss+xml")
        fetch(a_source(f"{site.address}/feed"), tmp_path, client)
        ((_, one),) = read(tmp_path).items()
        assert one.document.date == f"2023-04-{day}"
    assert site.sent.count("/a") == 1


def test_a_page_that_fails_keeps_what_was_there(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/a"] = a_page("First")
    source = a_source(f"{site.address}/a")
    fetch(source, tmp_path, client)
    site.pages["/a"] = Page(status=500)
    report = fetch(source, tmp_path, client)
    assert [row.reason for row in report.failed] == ["the server answered 500"]
    assert list(read(tmp_path)) == [f"{site.address}/a"]


def test_a_file_that_somebody_removed_is_fetched_again(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/a"] = a_page("First")
    source = a_source(f"{site.address}/a")
    fetch(source, tmp_path, client)
    for file in find_files([str(tmp_path)]):
        file.path.unlink()
    fetch(source, tmp_path, client)
    assert len(read(tmp_path)) == 1


def test_a_run_that_is_stopped_goes_on_where_it_was(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/"] = a_page("Start", links=tuple(f"/{number}" for number in range(10)))
    for number in range(10):
        site.pages[f"/{number}"] = a_page(f"Page {number}")
    source = a_source(f"{site.address}/", depth=1)

    def stop(done: int, known: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(source, tmp_path, client, stop)
    assert len(read(tmp_path)) == 5
    report = fetch(source, tmp_path, client)
    assert report.went_on
    assert len(report.new) == 6
    assert len(site.sent) == 11  # each once
    assert len(read(tmp_path)) == 11


def test_a_host_that_asks_for_time_is_left_alone_and_asked_by_the_next_run(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/"] = a_page("Start", links=("/a", "/b"))
    site.pages["/a"] = Page(status=429, headers={"retry-after": "3600"})
    site.pages["/b"] = a_page("Second")
    source = a_source(f"{site.address}/", depth=1)
    report = fetch(source, tmp_path, client)
    assert "3600 s" in report.unfinished[0]
    site.pages["/a"] = a_page("First")
    report = fetch(source, tmp_path, client)
    assert (report.went_on, report.unfinished) == (False, [])
    assert paths(site, report.new) == ["/a", "/b"]


def test_one_page_under_two_addresses_is_kept_once(site: Site, client: Client, tmp_path: Path) -> None:
    item = a_page("Item", head='<link rel="canonical" href="/items/7">')
    site.pages["/"] = a_page("Start", links=("/print?item=7", "/items/7", "/old"))
    site.pages["/print?item=7"] = site.pages["/items/7"] = item
    site.redirect("/old", "/items/7", status=301)
    source = a_source(f"{site.address}/", depth=1)
    fetch(source, tmp_path, client)
    assert paths(site, list(read(tmp_path))) == ["/", "/items/7"]
    again = fetch(source, tmp_path, client)
    assert (again.new, again.changed, again.removed) == ([], [], [])
    assert len(read(tmp_path)) == 2


def test_pages_that_call_themselves_each_other_or_nothing_are_all_kept(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/"] = a_page("Start", links=("/a", "/b", "/c"))
    site.pages["/a"] = a_page("First", head='<link rel="canonical" href="/b">')
    site.pages["/b"] = a_page("Second", head='<link rel="canonical" href="/a">')
    site.pages["/c"] = a_page("Third", head='<link rel="canonical" href="/gone">')
    source = a_source(f"{site.address}/", depth=1)
    for _ in range(3):
        fetch(source, tmp_path, client)
        assert paths(site, list(read(tmp_path))) == ["/", "/a", "/b", "/c"]


def test_the_page_itself_is_kept_though_only_its_copy_is_linked(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/"] = a_page("Start", links=("/print",))
    site.pages["/print"] = a_page("For printing", head='<link rel="canonical" href="/article">')
    site.pages["/article"] = a_page("Article")
    fetch(a_source(f"{site.address}/", depth=1), tmp_path, client)
    assert paths(site, list(read(tmp_path))) == ["/", "/article"]


def test_the_commissions_old_site_has_an_item_once(site: Site, client: Client, tmp_path: Path) -> None:
    base = "/social/main.jsp"
    site.pages[f"{base}?catId=89&langId=en"] = a_page(
        "News", links=(f"{base}?catId=89&langId=en&newsId=5&furtherNews=yes", f"{base}?langId=en&catId=1163&newsId=5")
    )
    site.pages[f"{base}?langId=en&newsId=5"] = a_page("Item five")
    source = a_source(f"{site.address}{base}?catId=89&langId=en", preset="commission-news-old")
    report = fetch(complete(source), tmp_path, client)
    assert paths(site, report.new) == [f"{base}?langId=en&newsId=5"]


def test_files_of_all_kinds_are_kept_by_what_they_are(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/"] = a_page("Start", links=("/report", "/list.csv", "/picture", "/download?id=1", "/odd"))
    site.pages["/report"] = Page(b"%PDF-1.4 no real one", "text/html")
    site.pages["/list.csv"] = Page("a;b\n1;2\n", "text/plain")
    site.pages["/picture"] = Page(b"GIF89a", "image/gif")
    site.pages["/download?id=1"] = Page(
        "Words of a text.", "application/octet-stream", headers={"content-disposition": 'attachment; filename="notes.txt"'}
    )
    site.pages["/odd"] = Page("x", "application/x-odd")
    report = fetch(a_source(f"{site.address}/", depth=1), tmp_path, client)
    suffixes = sorted(file.path.suffix for file in find_files([str(tmp_path)]))
    assert suffixes == [".csv", ".html", ".pdf", ".txt"]
    assert {row.path.removeprefix(site.address): row.reason for row in report.skipped} == {
        "/picture": "no reader for image/gif",
        "/odd": "no reader for application/x-odd",
    }


def test_an_encoding_that_only_the_server_tells_is_kept(site: Site, client: Client, tmp_path: Path) -> None:
    text = "Службата по заетостта помага на хората да намерят работа близо до дома си."
    page = a_page("Заетост", text)
    site.pages["/a"] = Page(page.content.decode().encode("cp1251"), "text/html; charset=windows-1251")
    site.pages["/b"] = Page(page.content, "text/html; charset=iso-8859-1")  # which is wrong
    fetch(a_source(f"{site.address}/a", f"{site.address}/b"), tmp_path, client)
    assert [text in " ".join(block.text for block in one.blocks) for one in read(tmp_path).values()] == [True, True]


def test_pages_that_ask_not_to_be_kept_are_not(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/"] = a_page("Start", head='<meta name="robots" content="noindex, follow">', links=("/a", "/b"))
    site.pages["/a"] = a_page("First", head='<meta name="robots" content="nofollow">', links=("/c",))
    site.pages["/b"] = Page(a_page("Second").content, headers={"x-robots-tag": "noindex"})
    site.pages["/c"] = a_page("Third")
    report = fetch(a_source(f"{site.address}/", depth=2), tmp_path, client)
    assert paths(site, report.new) == ["/a"]
    assert "/c" not in site.asked
    assert len(report.skipped) == 2


def test_a_redirect_that_leaves_the_site_is_named(site: Site, client: Client, tmp_path: Path) -> None:
    site.redirect("/a", "https://elsewhere.example/a")
    report = fetch(a_source(f"{site.address}/a"), tmp_path, client)
    assert "leads to another host, elsewhere.example" in report.failed[0].reason
    assert report.is_empty


def test_no_more_than_told_is_fetched(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/"] = a_page("Start", links=tuple(f"/{number}" for number in range(10)))
    for number in range(10):
        site.pages[f"/{number}"] = a_page(f"Page {number}")
    report = fetch(a_source(f"{site.address}/", depth=1, most_pages=4), tmp_path, client)
    assert len(report.new) == 4
    assert "most_pages" in report.unfinished[0]


def test_an_endless_calendar_ends(site: Site, client: Client, tmp_path: Path) -> None:
    for month in range(100):
        site.pages[f"/calendar?month={month}"] = a_page(f"Month {month}", links=(f"/calendar?month={month + 1}",))
    report = fetch(a_source(f"{site.address}/calendar?month=0", depth=5), tmp_path, client)
    assert len(report.new) == 6


def test_a_damaged_record_is_said_so(site: Site, client: Client, tmp_path: Path) -> None:
    (tmp_path / RECORD).write_bytes(b"no database at all, but long enough to be looked at as one")
    with pytest.raises(FetchError, match="remove it"):
        fetch(a_source(f"{site.address}/a"), tmp_path, client)


def test_what_a_list_of_hosts_adds(site: Site, client: Client, tmp_path: Path) -> None:
    elsewhere = site.address.replace("127.0.0.1", "localhost")
    site.pages["/"] = a_page("Start", links=(f"{elsewhere}/a",))
    site.pages["/a"] = a_page("First")
    report = fetch(a_source(f"{site.address}/", depth=1, hosts=(elsewhere.removeprefix("http://"),)), tmp_path, client)
    assert "private address" in report.failed[0].reason  # it may be fetched, but this one is private


def report_of(site: Site, client: Client, folder: Path) -> FetchReport:
    site.pages["/a"] = a_page("First")
    return fetch(a_source(f"{site.address}/a"), folder, client)


def test_the_record_is_no_document_and_is_whole(site: Site, client: Client, tmp_path: Path) -> None:
    report = report_of(site, client, tmp_path)
    assert len(find_files([str(tmp_path)])) == 1
    assert report.bytes > 0
    with closing(sqlite3.connect(tmp_path / RECORD)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT COUNT(*) FROM queue").fetchone() == (0,)


# ── Nothing is lost ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_redirect_for_now_keeps_what_was_there_and_one_for_good_does_not(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/a"], site.pages["/b"] = a_page("First"), a_page("We are back soon")
    site.pages["/c"] = a_page("Third")
    source = a_source(f"{site.address}/a", f"{site.address}/c")
    fetch(source, tmp_path, client)
    site.redirect("/a", "/b", status=302)
    site.redirect("/c", "/d", status=301)
    site.pages["/d"] = a_page("Moved")
    report = fetch(source, tmp_path, client)
    assert "for now" in report.failed[0].reason
    assert sorted(one.document.title for one in read(tmp_path).values()) == ["First", "Moved"]
    site.pages["/a"] = a_page("First again")
    fetch(source, tmp_path, client)
    assert sorted(one.document.title for one in read(tmp_path).values()) == ["First again", "Moved"]


def test_a_page_that_comes_empty_keeps_what_was_there(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/a"] = a_page("First")
    source = a_source(f"{site.address}/a")
    fetch(source, tmp_path, client)
    site.pages["/a"] = Page("", has_etag=False)
    assert fetch(source, tmp_path, client).failed[0].reason == "the server sent nothing"
    assert len(read(tmp_path)) == 1


def test_a_page_that_asks_not_to_be_kept_any_more_goes(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/a"], site.pages["/b"] = a_page("First"), a_page("Second")
    source = a_source(f"{site.address}/a", f"{site.address}/b")
    fetch(source, tmp_path, client)
    site.pages["/a"] = a_page("First", head='<meta name="robots" content="noindex">')
    report = fetch(source, tmp_path, client)
    assert len(report.removed) == 1
    assert list(read(tmp_path)) == [f"{site.address}/b"]


def test_what_failed_is_asked_for_again_though_nothing_names_it_any_more(site: Site, client: Client, tmp_path: Path) -> None:
    item = "<item><link>{0}</link></item>"
    site.pages["/feed"] = Page(RSS.format(items=item.format(f"{site.address}/a")), "application/rss+xml")
    site.pages["/a"] = Page(status=500)
    source = a_source(f"{site.address}/feed")
    fetch(source, tmp_path, client)
    site.pages["/feed"], site.pages["/a"] = Page(RSS.format(items=""), "application/rss+xml"), a_page("First")
    assert paths(site, fetch(source, tmp_path, client).new) == ["/a"]


def test_a_host_that_is_dead_does_not_hold_the_others(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/a"] = a_page("First")
    source = a_source("http://127.0.0.1:1/x", f"{site.address}/a")
    report = fetch(source, tmp_path, client)
    assert paths(site, report.new) == ["/a"]
    assert "does not answer" in report.unfinished[0]
    site.pages["/a"] = a_page("First again")
    assert paths(site, fetch(source, tmp_path, client).changed) == ["/a"]


# ── Other definitions ───────────────────────────────────────────────────────────────────────────────────────────────


def test_parts_of_a_sitemap_are_read_whatever_pages_are_wanted(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/index.xml"] = Page(
        f"<sitemapindex><sitemap><loc>{site.address}/part.xml</loc></sitemap></sitemapindex>", "text/xml"
    )
    source = a_source(f"{site.address}/index.xml", only=("/news/*",))
    for number in range(3):
        locations = "".join(f"<url><loc>{site.address}/news/{one}</loc></url>" for one in range(number + 1))
        site.pages["/part.xml"] = Page(f"<urlset>{locations}</urlset>", "text/xml")
        site.pages[f"/news/{number}"] = a_page(f"News {number}")
        assert paths(site, fetch(source, tmp_path, client).new) == [f"/news/{number}"]


def test_another_definition_counts_at_once(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/"] = a_page("Start", links=("/a",))
    site.pages["/a"] = a_page("First", links=("/b",))
    site.pages["/b"] = a_page("Second")
    assert len(fetch(a_source(f"{site.address}/"), tmp_path, client).new) == 1
    assert paths(site, fetch(a_source(f"{site.address}/", depth=2), tmp_path, client).new) == ["/a", "/b"]
    for expected in (["/b"], [], []):
        report = fetch(a_source(f"{site.address}/", depth=2, skip=("/b",)), tmp_path, client)
        assert (paths(site, [one.split(" ")[0] for one in report.removed]), report.new) == (expected, [])
    assert paths(site, fetch(a_source(f"{site.address}/", depth=0), tmp_path, client).removed)[0].startswith("/a")
    assert len(read(tmp_path)) == 1


def test_a_redirect_to_what_is_left_out_is_left_out(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/"] = a_page("Start", links=("/z",))
    site.redirect("/z", "/a")
    site.pages["/a"] = a_page("First")
    source = a_source(f"{site.address}/", depth=1, skip=("/a",))
    for _ in range(3):
        fetch(source, tmp_path, client)
        assert len(read(tmp_path)) == 1


def test_a_file_and_a_subfolder_of_a_fetched_folder_know_where_they_are_from(
    site: Site, client: Client, tmp_path: Path
) -> None:
    site.pages["/a"] = a_page("First")
    fetch(a_source(f"{site.address}/a"), tmp_path / "web", client)
    (file,) = (tmp_path / "web").rglob("*.html")
    for source in (file, file.parent, tmp_path / "web" / "*" / "*.html", tmp_path):
        (found,) = find_files([str(source)])
        assert found.origin is not None
        assert found.origin.address == f"{site.address}/a"


def test_a_record_that_is_empty_is_none(tmp_path: Path) -> None:
    (tmp_path / RECORD).touch()
    (tmp_path / "a.txt").write_text("Words.")
    assert [file.origin for file in find_files([str(tmp_path)])] == [None]


def test_many_comments_before_a_page_take_no_time(site: Site, client: Client, tmp_path: Path) -> None:
    site.pages["/a"] = Page("<!---->" * 500 + a_page("First").content.decode())
    assert len(fetch(a_source(f"{site.address}/a"), tmp_path, client).new) == 1


def test_a_harvest_that_breaks_off_begins_anew(site: Site, client: Client, tmp_path: Path) -> None:
    first = "/oai?verb=ListRecords&metadataPrefix=oai_dc"
    token = "<resumptionToken>2</resumptionToken>"
    site.pages["/oai"] = Page(
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><error code="badVerb"/></OAI-PMH>', "text/xml"
    )
    site.pages[first] = Page(
        RECORDS.format(records=RECORD_ELEMENT.format(1, f"{site.address}/1"), token=token, day=1), "text/xml"
    )
    site.pages["/oai?resumptionToken=2&verb=ListRecords"] = Page(status=500)
    site.pages["/1"] = a_page("One")
    source = a_source(f"{site.address}/oai")
    assert len(fetch(source, tmp_path, client).failed) == 1
    site.pages[first] = Page(RECORDS.format(records=RECORD_ELEMENT.format(1, f"{site.address}/1"), token="", day=1), "text/xml")
    report = fetch(source, tmp_path, client)
    assert (report.failed, report.unchanged) == ([], 1)


def test_a_site_is_one_with_and_without_its_www(tmp_path: Path) -> None:
    run = _Run(a_source("https://example.org/a"), FetchedFolder(tmp_path), None)  # type: ignore[arg-type]
    run._check("https://www.example.org/a")
    with pytest.raises(FetchError, match=r"another host, news\.example\.org"):
        run._check("https://news.example.org/a")


# ── A full disk ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_full_disk_ends_the_run_with_the_folders_name_and_the_next_goes_on(
    site: Site, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        site.pages[f"/{name}"] = a_page(f"Page {name}")
    source = a_source(*(f"{site.address}/{name}" for name in "abc"))
    write = Path.write_bytes

    def write_once(path: Path, data: bytes) -> int:
        if any(tmp_path.rglob("*.html")):
            write(path, data[:10])  # as much as there was room for
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_once)
        with pytest.raises(NotWrittenError, match=rf"what is fetched in {tmp_path}: No space left on device .*fetch again"):
            fetch(source, tmp_path, client)
    assert not list(tmp_path.rglob("*.part"))
    assert len(read(tmp_path)) == 1
    report = fetch(source, tmp_path, client)
    assert (report.went_on, len(report.new), len(read(tmp_path))) == (True, 2, 3)


def test_a_record_that_cannot_be_written_is_not_to_be_removed(
    site: Site, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/a"] = a_page("First")
    fetch(a_source(f"{site.address}/a"), tmp_path, client)
    connect = sqlite3.connect

    def of_a_full_disk(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **named)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")  # no page more: SQLITE_FULL, as without room
        return connection

    monkeypatch.setattr("pes_search.ingest.sources.fetched.sqlite3.connect", of_a_full_disk)
    many = [f"{site.address}/{'x' * 200}{number}" for number in range(200)]
    with pytest.raises(NotWrittenError, match=rf"cannot write {tmp_path}/{RECORD}: database or disk is full; make room"):
        fetch(a_source(*many), tmp_path, client)
