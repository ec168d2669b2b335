"""The pages in a real browser, as staff and editors use them: with a mouse, by keyboard, on a phone, without a script."""

import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr
from scripted_model import ScriptedModel

from pes_search.index.build import BuildReport
from pes_search.service.answers.config import AnswerConfig
from pes_search.service.settings import DeskConfig

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 812}
GERMAN = "Wie lange war die durchschnittliche Pause der Frauen bei power_m?"
STATED = "In 2019 the average break of the women in power_m was given as 7 years, and about 70 % of them were graduates."
ATOM = "{http://www.w3.org/2005/Atom}"
LARGEST_PAGE = 100_000  # bytes over the wire, before results

Open = Callable[..., Page]


def is_in_view(page: Page, selector: str) -> bool:
    """Tell whether an element stands wholly inside the window."""
    return bool(
        page.locator(selector).first.evaluate(
            "e => { const b = e.getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight && b.width > 0; }"
        )
    )


def titles(page: Page) -> list[str]:
    return page.locator(".hit h3").all_inner_texts()


# ── Staff: a question, its answer, the place ────────────────────────────────────────────────────────────────────────


def test_a_german_question_leads_to_a_cited_answer_and_its_marked_place(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site, language="de-DE")
    assert page.locator("html").get_attribute("lang") == "de"
    page.get_by_role("searchbox").fill(GERMAN)
    page.keyboard.press("Enter")
    answer = page.locator(".answer")
    expect(answer).to_contain_text(STATED)
    sentence = answer.locator(".sentences > li", has_text=STATED)
    assert sentence.get_attribute("lang") == "en"  # a screen reader reads it in its own language
    sentence.locator(".reference").first.click()
    page.wait_for_url(re.compile(r"/documents/de-power-m\?"))
    assert "".join(page.locator("mark").all_inner_texts()) == STATED
    page.wait_for_function("scrollY > 0")
    assert is_in_view(page, "mark")
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.locator(".text").get_attribute("lang") == "en"


def test_a_refusal_says_so_and_shows_what_is_near(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/?q=What+did+the+2031+evaluation+of+Ohjaamo+conclude%3F")
    expect(page.locator(".answer.refused h2")).to_have_text("The collection does not answer this")
    assert page.locator(".answer .sentences").count() == 0
    assert any("Ohjaamo" in title for title in titles(page))


def expect_left(page: Page, count: int) -> None:
    """Wait until the list tells of so many documents, those that match and those that come further."""
    page.wait_for_function(
        """count => {
          const told = document.querySelector("#status").textContent.matchAll(/of ([0-9]+) document|([0-9]+) further/g);
          return [...told].reduce((sum, one) => sum + Number(one[1] || one[2]), 0) === count;
        }""",
        arg=count,
    )


def test_filters_apply_at_once_with_their_counts_and_stay_in_the_address(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/?q=vouchers")
    page.evaluate("window.isSamePage = true")
    page.locator("[data-facet=country] summary").click()
    option = page.locator("[data-facet=country] label", has_text="Croatia")
    count = int(option.locator(".count").inner_text())
    option.locator("input").check()
    expect_left(page, count)
    assert page.url.endswith("/?q=vouchers&country=HR")
    expect(page.locator(".chips")).to_contain_text("Croatia")
    expect(page.locator("[data-facet=country]")).to_have_attribute("open", "")  # one goes on choosing
    more = page.locator("[data-facet=country] label", has_text="Greece")
    both = count + int(more.locator(".count").inner_text())
    more.locator("input").check()
    expect_left(page, both)
    assert page.url.endswith("/?q=vouchers&country=HR&country=GR")
    assert page.evaluate("window.isSamePage")
    # Shared, the address shows the same; and every value taken away leaves the others.
    shared = open_page(page.url)
    assert titles(shared) == titles(page)
    shared.locator(".chips a", has_text="Croatia").click()
    shared.wait_for_url("**/?q=vouchers&country=GR")
    page.go_back()
    expect_left(page, count)


def test_a_long_list_of_values_can_be_narrowed_by_typing(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/?q=training")
    page.locator("[data-facet=country] summary").click()
    page.locator("[data-facet=country] .narrow").fill("lithu")
    visible = page.locator("[data-facet=country] label:visible")
    expect(visible).to_have_count(1)
    expect(visible).to_contain_text("Lithuania")


def test_a_failing_service_is_told_and_nothing_is_lost(corpus_site: str, open_page: Open, browser: object) -> None:
    page = open_page(corpus_site + "/?q=vouchers")
    before = titles(page)
    # A page gets no answer at all; the browser's own complaint about that is no fault of the page.
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('no connection')); }")
    page.locator("[data-facet=kind] summary").click()
    page.locator("[data-facet=kind] label", has_text="News").locator("input").check()
    expect(page.locator("#status")).to_have_text("The service did not answer. Check the connection and try again.")
    assert titles(page) == before


def test_a_mistyped_word_and_an_acronym_get_a_hint(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/?q=traning+for+NEET")
    page.get_by_role("link", name="training for NEET").click()
    page.wait_for_url("**/?q=training+for+NEET")
    assert "NEET as “not in employment, education or training”" in page.locator("p.hint").first.inner_text()


def test_an_answer_of_a_language_model_comes_as_it_is_written(
    open_page: Open, serve: Callable[..., str], corpus_folder: Path
) -> None:
    model = ScriptedModel()
    threading.Thread(target=model.server.serve_forever, daemon=True).start()
    true, false = (
        "The Recovery and Resilience Facility (RRF) pays for the vouchers [{n}]. ",
        "The vouchers cost EUR 45 million [{n}]. ",
    )
    model.reply = model.text(true + false * 3, pieces=4, pause=0.05)
    site = serve(corpus_folder, answer=AnswerConfig(writer="llm", base_url=model.url, model="scripted", threshold=0.0))
    page = open_page(site + "/?q=Who+pays+for+the+Croatian+adult-education+vouchers%3F")
    box = page.locator(".answer")
    assert titles(page)[0].startswith("Adult-education vouchers")  # while the model still writes
    expect(box.locator(".sentences li")).to_contain_text("The Recovery and Resilience Facility (RRF) pays for the vouchers.")
    assert box.get_attribute("aria-busy") == "true"
    expect(box).to_have_attribute("aria-busy", "false")
    assert "45 million" not in box.inner_text()
    expect(box).to_contain_text("sentences of the language model were left out")
    expect(box.locator(".sources")).to_contain_text("Adult-education vouchers")
    # Without a script the quotations are one click away.
    plain = open_page(page.url, java_script_enabled=False)
    plain.get_by_role("link", name="Show quotations only, at once").click()
    expect(plain.locator(".answer h2")).to_have_text("Answer, quoted from the documents")
    model.server.shutdown()
    model.server.server_close()


# ── Keyboard, no script, phone, paper ───────────────────────────────────────────────────────────────────────────────


def test_everything_is_reached_by_keyboard(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/map")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.goto(corpus_site + "/?q=x")
    page.get_by_role("searchbox", name="A question or a few words").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("women after career breaks")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Results for “women after career breaks”")
    summary = page.locator("[data-facet=country] summary")
    for _ in range(3):
        page.keyboard.press("Tab")
        if summary.evaluate("e => e === document.activeElement"):
            break
    expect(summary).to_be_focused()
    assert summary.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"  # one sees where one is
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # the box that narrows
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator(".chips li").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-facet=country] summary")).to_be_focused()
    expect(page.locator("[data-facet=country][open]")).to_have_count(0)
    link = page.locator(".hit h3 a").first
    for _ in range(60):
        page.keyboard.press("Tab")
        if link.evaluate("e => e === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents/**")


def test_without_a_script_everything_works(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site, java_script_enabled=False, language="fr-FR")
    page.locator("#q").fill("bons de formation")
    page.locator(".query button").click()
    assert len(titles(page)) == 10
    page.locator("[data-facet=country] summary").click()
    page.locator("[data-facet=country] label", has_text="Croatie").locator("input").check()
    page.locator("[data-facet=country] .apply").click()
    page.wait_for_url("**country=HR**")
    assert "Croatie" in page.locator(".chips").inner_text()
    page.locator(".hit .choose input").nth(0).check()
    page.locator(".hit .choose input").nth(1).check()
    page.locator("[data-compare]").click()
    assert page.locator("table.comparison thead th").count() == 2
    page.go_back()
    page.locator(".hit .feedback button").first.click()
    page.wait_for_url("**/feedback")
    page.locator("textarea").fill("Il manque les coûts")
    page.locator(".thanks button").click()
    page.locator("main a").last.click()
    page.wait_for_url("**country=HR**")
    page.locator("#language").select_option("pl")
    page.locator(".languages button").click()
    assert page.locator("html").get_attribute("lang") == "pl"
    assert "country=HR" in page.url


ADDRESSES = {
    "start": "/",
    "answer": "/?q=Who+pays+for+power_m%3F",
    "refusal": "/?q=What+did+the+2031+evaluation+of+Ohjaamo+conclude%3F",
    "nothing passes": "/?q=mothers&country=IS&target_group=roma",
    "list": "/?country=DE&kind=practice",
    "hint": "/?q=traning+vouchers&country=HR&country=GR",
    "document": "/documents/de-power-m?passage=de-power-m~2160-2450#de-power-m~2160-2450",
    "comparison": "/compare?ids=hr-vouchers&ids=de-power-m&ids=fr-cej&ids=gr-digital-vouchers&country=PL",
    "choice": "/compare",
    "map": "/map",
    "saved": "/saved",
    "about": "/about",
    "error": "/documents/nothing",
    "desk": "/desk",
    "duplicates": "/desk/duplicates",
    "gaps": "/desk/gaps",
    "questions": "/desk/questions",
    "judging": "/desk/judge?q=vouchers",
    "feedback": "/desk/feedback?show=all",
    "upload": "/desk/upload",
    "sign-in": "/sign-in",
}


@pytest.mark.parametrize("size", [PHONE, {"width": 320, "height": 640}], ids=["375", "320"])
def test_no_page_is_wider_than_a_phone(corpus_site: str, open_page: Open, size: dict[str, int]) -> None:
    # 320 pixels are what WCAG 1.4.10 asks for; charts and tables may scroll in a box of their own.
    page = open_page(corpus_site + "/about", size=size)
    wider = {}
    for name, address in ADDRESSES.items():
        if name != "error":  # the browser complains about the status
            page.goto(corpus_site + address)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > page.evaluate("document.documentElement.clientWidth"):
                wider[name] = width
    assert wider == {}


def test_a_phone_shows_answer_and_filters(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/?q=Who+pays+for+power_m%3F", size=PHONE)
    assert is_in_view(page, ".answer h2")
    page.locator("[data-facet=country] summary").click()
    page.locator("[data-facet=country] label", has_text="Germany").locator("input").check()
    page.wait_for_url("**country=DE**")
    page.locator("[data-facet=country] summary").click()
    assert is_in_view(page, ".chips")


def test_on_paper_only_the_results_are_left(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/?q=Who+pays+for+power_m%3F")
    page.emulate_media(media="print")
    for selector in (".top", ".search", ".tools", ".feedback", "footer"):
        expect(page.locator(selector).first).to_be_hidden()
    expect(page.locator(".answer .sentences")).to_be_visible()
    assert page.pdf()[:5] == b"%PDF-"


def test_pages_are_light_and_do_not_jump(corpus_site: str, open_page: Open) -> None:
    page = open_page("about:blank")
    sizes: list[int] = []
    page.on(
        "requestfinished",
        lambda request: sizes.append(sum(request.sizes()[key] for key in ("responseBodySize", "responseHeadersSize"))),
    )
    page.goto(corpus_site, wait_until="networkidle")
    assert 0 < sum(sizes) < LARGEST_PAGE
    page.goto(corpus_site + "/?q=Who+pays+for+power_m%3F", wait_until="networkidle")
    shift = page.evaluate(
        """() => new Promise(done => {
            let sum = 0;
            new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value; })
              .observe({type: 'layout-shift', buffered: true});
            setTimeout(() => done(sum), 200);
        })"""
    )
    assert shift == 0


# ── What readers leave ──────────────────────────────────────────────────────────────────────────────────────────────


def test_feedback_is_given_in_place_and_reaches_the_desk(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/?q=evening+courses+for+carpenters")
    page.locator(".hit .feedback").first.get_by_role("button", name="Not useful").click()
    thanks = page.locator(".thanks")
    expect(thanks).to_be_focused()
    thanks.get_by_role("textbox").fill("<b>No</b> carpenters in it")
    thanks.get_by_role("button", name="Send").click()
    expect(page.locator(".thanks")).to_have_text("Thank you. An editor will read it.")
    page.goto(corpus_site + "/desk/feedback")
    row = page.locator("tr", has_text="carpenters in it")
    expect(row).to_contain_text("<b>No</b> carpenters in it")
    expect(row).to_contain_text("not useful")
    row.get_by_role("button", name="Done").click()
    expect(page.locator("tr", has_text="carpenters in it")).to_have_count(0)
    page.goto(corpus_site + "/desk/feedback?show=done")
    expect(page.locator("tr", has_text="carpenters in it")).to_have_count(1)


def test_a_saved_search_has_a_feed(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/?q=vouchers&country=HR")
    page.get_by_role("button", name="Save this search").click()
    page.wait_for_url("**/saved")
    expect(page.locator(".hit")).to_contain_text("vouchers")
    expect(page.locator(".hit")).to_contain_text("Croatia")
    feed = page.request.get(corpus_site + str(page.get_by_role("link", name="Feed (Atom)").get_attribute("href")))
    assert feed.headers["content-type"].startswith("application/atom+xml")
    root = ET.fromstring(feed.text())
    found = [entry.findtext(f"{ATOM}title") for entry in root.iter(f"{ATOM}entry")]
    assert "Adult-education vouchers for green and digital skills" in found
    for entry in root.iter(f"{ATOM}entry"):
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert page.request.get(str(link.get("href"))).ok
    page.get_by_role("button", name="Forget").click()
    expect(page.locator(".hit")).to_have_count(0)
    other = open_page(corpus_site + "/saved")  # another browser sees nothing of it
    expect(other.locator(".hit")).to_have_count(0)


def test_an_unanswered_question_shows_on_the_desk(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/?q=vouchers")
    page.get_by_role("searchbox").fill("How deep is the Mariana trench?")
    page.keyboard.press("Enter")  # the script asks, and it counts
    expect(page.locator(".answer.refused")).to_be_visible()
    row = page.locator("tr", has_text="How deep is the Mariana trench?")
    for _ in range(20):  # it is written down after the answer has been shown
        page.goto(corpus_site + "/desk/questions")
        if row.count():
            break
        page.wait_for_timeout(250)
    expect(row).to_contain_text("near")


# ── Editors ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_judgments_are_kept_and_exported_as_qrels(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/desk/judge?q=training+vouchers")
    item = page.locator(".hit", has=page.locator("a", has_text="Computer-skills training vouchers"))
    item.get_by_role("radio", name="3").check()
    page.get_by_role("button", name="Save the grades").click()
    item = page.locator(".hit", has=page.locator("a", has_text="Computer-skills training vouchers"))
    expect(item.get_by_role("radio", name="3")).to_be_checked()
    lines = page.request.get(corpus_site + "/desk/qrels.txt").text().splitlines()
    assert [line.split()[1:] for line in lines] == [["0", "gr-digital-vouchers", "3"]]


def test_an_upload_is_looked_at_before_it_is_kept(corpus_site: str, open_page: Open, tmp_path: Path) -> None:
    file = tmp_path / "night-bus.md"
    file.write_text(
        "---\nid: night-bus\ncountries: [SI]\n---\n# Night bus\n\nA bus brings shift workers to their jobs at night.", "utf-8"
    )
    page = open_page(corpus_site + "/desk/upload")
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("main")).to_contain_text("A bus brings shift workers to their jobs at night.")
    expect(page.locator("main")).to_contain_text("Slovenia")
    page.get_by_role("button", name="Keep for the next build").click()
    page.wait_for_url("**/desk/upload")
    expect(page.locator("main")).to_contain_text("night-bus.md")


def test_the_desk_opens_with_the_editors_key_only(
    serve: Callable[..., str], corpus_folder: Path, open_page: Open, tmp_path: Path
) -> None:
    site = serve(corpus_folder, desk=DeskConfig(key=SecretStr("open sesame, please"), uploads=tmp_path))
    page = open_page(site + "/desk/gaps")
    page.wait_for_url("**/sign-in?next=%2Fdesk%2Fgaps")
    page.locator("#key").fill("open sesame, please")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/desk/gaps")
    expect(page.locator("h1")).to_have_text("Gaps in documents")
    page.get_by_role("button", name="Sign out").click()
    page.goto(site + "/desk")
    page.wait_for_url("**/sign-in**")


def test_every_number_of_the_map_leads_to_so_many_practices(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site + "/map")
    cells = page.locator(".heat-map a")
    assert cells.count() > 200
    for number in (0, 57, 123):
        cell = cells.nth(number)
        count, address = int(cell.locator("text").text_content() or ""), cell.get_attribute("href")
        other = open_page(corpus_site + str(address))
        expect(other.locator("#status")).to_contain_text(f"of {count} document")


# ── Markup from outside ─────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = """---
id: hostile
title: '<script>alert("title")</script>'
native_title: '<img src=x onerror=alert(1)>'
organisation: '"><script>alert("organisation")</script>'
region: '<svg onload=alert(1)>'
kind: practice
language: en
countries: [DE]
target_groups: ['"><script>alert("group")</script>']
measure_types: ["'><svg onload=alert(1)>"]
url: 'https://example.org/"><script>alert("url")</script>'
---

# &lt;script>alert("title")&lt;/script>

## &lt;/title>&lt;script>alert("heading")&lt;/script>

Training for bakers reached 120 people &lt;/blockquote>&lt;/section>&lt;script>alert("text")&lt;/script>&lt;iframe src="https://example.org">
and javascript:alert(1) and &lt;a href="javascript:alert(1)">a link&lt;/a>,
&lt;script&gt;alert("entity")&lt;/script&gt; {{ 7 * 7 }}.
"""


@pytest.fixture(scope="module")
def hostile_site(serve: Callable[..., str], build: Callable[..., BuildReport], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "sources").mkdir()
    (folder / "sources" / "hostile.md").write_text(HOSTILE, encoding="utf-8")
    (folder / "sources" / "plain.md").write_text(
        "---\nid: plain\nkind: practice\n---\n# Bread\n\nTraining for bakers.", encoding="utf-8"
    )
    build([folder / "sources"], folder / "index")
    return serve(folder / "index")


@pytest.mark.parametrize(
    "address",
    [
        "/", "/?q=training+for+bakers", "/?kind=practice", '/?q=<script>alert("q")</script>', "/documents/hostile",
        "/compare?ids=hostile&ids=plain&country=<script>alert(1)</script>", "/compare", "/map", "/map?detailed=true",
        "/desk/gaps", "/desk/duplicates", "/desk/judge?q=<svg+onload=alert(1)>",
    ],
)  # fmt: skip
def test_markup_from_outside_is_text(hostile_site: str, open_page: Open, address: str) -> None:
    page = open_page(hostile_site + address)  # a dialog, or a script that the policy stops, fails the test
    assert page.evaluate("[...document.scripts].map(own => own.getAttribute('src').split('?')[0])") == ["/static/page.js"]
    assert page.locator("iframe, img, object, embed, [onerror], [onload], [onclick], [style]").count() == 0
    assert page.evaluate("[...document.links].filter(own => !/^https?:$/.test(own.protocol)).length") == 0
    if address not in {"/", "/desk/duplicates"}:  # which show nothing of these two documents
        assert "<s" in page.locator("body").text_content() or "<s" in page.locator("#q, #judged").first.input_value()


def test_the_text_of_a_hostile_document_is_whole(hostile_site: str, open_page: Open) -> None:
    text = open_page(hostile_site + "/documents/hostile").locator("main").inner_text()
    for part in (
        '</title><script>alert("heading")</script>',
        '</blockquote></section><script>alert("text")</script><iframe src="https://example.org">',
        "{{ 7 * 7 }}",
        "<img src=x onerror=alert(1)>",
    ):
        assert part in text
