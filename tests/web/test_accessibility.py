"""Every page against axe-core's rules for WCAG 2.1, level AA, in light and dark, wide and narrow, with everything open."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from pes_search.service.web.languages import LANGUAGES

# The law for public bodies in the EU (EN 301 549) asks for WCAG 2.1 AA; best practices are taken along.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
PHONE, WIDE = {"width": 375, "height": 812}, {"width": 1280, "height": 900}
ADDRESSES = [
    "/",
    "/?q=Who+pays+for+power_m%3F",
    "/?q=traning+for+NEET&country=HR&country=GR",
    "/?q=What+did+the+2031+evaluation+of+Ohjaamo+conclude%3F",
    "/?q=mothers&country=IS&target_group=roma",
    "/?country=DE&kind=practice",
    "/documents/de-power-m?passage=de-power-m~2160-2450&start=0&end=60",
    "/compare",
    "/compare?ids=hr-vouchers&ids=de-power-m&ids=fr-cej&country=PL",
    "/map",
    "/saved",
    "/about",
    "/desk",
    "/desk/duplicates",
    "/desk/gaps",
    "/desk/questions",
    "/desk/judge?q=vouchers",
    "/desk/feedback?show=all",
    "/desk/upload",
    "/sign-in",
]

Open = Callable[..., Page]


def violations(page: Page) -> list[str]:
    """Return what axe-core finds, one line each."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response["violations"]
    return [f"{page.url}: {own['id']}: {own['help']}: {node['html'][:160]}" for own in found for node in own["nodes"][:3]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_no_page_breaks_a_rule(corpus_site: str, open_page: Open, scheme: str, size: dict[str, int]) -> None:
    page = open_page(corpus_site, size=size, color_scheme=scheme, reduced_motion="reduce")
    faults = []
    for address in ADDRESSES:
        page.goto(corpus_site + address)
        faults += violations(page)
        # Once more with everything open: of the filters and menus, which close each other, the first.
        if page.locator("main details").count():
            page.evaluate("for (const own of document.querySelectorAll('main details')) own.open = true")
            faults += violations(page)
    assert faults == []


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_no_language_breaks_a_rule(corpus_site: str, open_page: Open, language: str) -> None:
    page = open_page(corpus_site + "/?q=Who+pays+for+power_m%3F", language=language)
    assert page.locator("html").get_attribute("lang") == language
    assert violations(page) == []


def test_a_fault_is_found(corpus_site: str, open_page: Open) -> None:
    page = open_page(corpus_site)
    page.evaluate("document.querySelector('label[for=q]').remove(); document.querySelector('#q').placeholder = ''")
    assert any("label" in own for own in violations(page))
