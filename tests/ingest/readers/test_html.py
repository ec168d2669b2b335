"""Web pages."""

from collections.abc import Sequence

import pytest

from pes_search.ingest.cleaning.blocks import clean_blocks
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.html import read
from pes_search.ingest.types import Block, FileContent, Link

BUS = (
    "The employment service of the region runs a mobile office that visits villages where no branch is left. "
    "Two advisers drive a bus to the market place once a week and help people to register and to find courses."
)
RESULTS = (
    "In its first year the bus reached four hundred people, of whom one third had never been registered before. "
    "The mayors of the villages announce the visits in their newsletters and lend a room in the town hall in winter."
)
MENU = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/jobs'>Vacancies</a></li></ul></nav>"
PAGE = f"""<!DOCTYPE html>
<html lang="en-GB">
<head>
<title>Mobile office | Employment service</title>
<meta property="article:published_time" content="2022-03-01T08:00:00Z">
<link rel="canonical" href="https://pes.example.org/mobile-office">
<script>var hidden = "a script of the page";</script>
</head>
<body>
<div id="cookie-banner"><p>This site uses cookies to improve your visit.</p><button>Accept all cookies</button></div>
<header>{MENU}</header>
<main><article>
<h1>Mobile office for villages</h1>
<p>{BUS}</p>
<h2>Results</h2>
<p>{RESULTS}</p>
<h3>Who takes part</h3>
<ul><li>Farm workers out of season</li><li>Parents</li></ul>
<h2>Costs</h2>
<table><tr><th>Year</th><th>Staff</th></tr><tr><td>2021</td><td>80,000</td></tr><tr><td>2022</td><td>82,500</td></tr></table>
<p>Share this page</p>
</article></main>
<aside><h2>Related news</h2><a href="/x"><h3>Job fair in the capital</h3></a></aside>
<footer><p>© 2022 Employment service</p><ul><li><a href="/legal">Legal notice</a></li></ul></footer>
</body>
</html>"""


def content(body: str, head: str = "") -> FileContent:
    return read(f"<html><head>{head}</head><body>{body}</body></html>".encode())


def texts(blocks: Sequence[Block]) -> list[str]:
    return [clean_text(block.text) for block in blocks]


def test_the_pages_own_text_is_kept_with_its_structure() -> None:
    assert clean_blocks(read(PAGE.encode()).blocks).blocks == [
        Block("heading", "Mobile office for villages", level=1),
        Block("paragraph", BUS),
        Block("heading", "Results", level=2),
        Block("paragraph", RESULTS),
        Block("heading", "Who takes part", level=3),
        Block("item", "Farm workers out of season"),
        Block("item", "Parents"),
        Block("heading", "Costs", level=2),
        Block("row", "Year: 2021 | Staff: 80,000"),
        Block("row", "Year: 2022 | Staff: 82,500"),
    ]


def test_title_date_language_and_address_are_read_from_the_markup() -> None:
    assert read(PAGE.encode()).fields == {
        "title": "Mobile office for villages",
        "date": "2022-03-01",
        "language": "en",
        "url": "https://pes.example.org/mobile-office",
    }


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:published_time" content="2021-05-03">',
        '<meta name="DC.date" content="2021-05-03">',
        '<meta name="dcterms.issued" content="03/05/2021">',
        '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2021-05-03T10:00:00"}</script>',
    ],
)
def test_a_declared_date_is_found(head: str) -> None:
    assert content(f"<p>{BUS}</p><p>{RESULTS}</p>", head).fields["date"] == "2021-05-03"


@pytest.mark.parametrize(
    "body",
    [
        f"<h1>Bus</h1><p>Published on 3 May 2021</p><p>{BUS}</p><p>{RESULTS}</p>",
        f"<main><h1>Bus</h1><time datetime='2021-05-03'>last spring</time><p>{BUS}</p><p>{RESULTS}</p></main>",
    ],
)
def test_a_date_that_the_page_shows_is_found(body: str) -> None:
    assert content(body).fields["date"] == "2021-05-03"


def test_a_date_in_prose_is_not_that_of_publication() -> None:
    assert "date" not in content(f"<h1>Bus</h1><p>{BUS} The first tour began on 3 May 2021.</p><p>{RESULTS}</p>").fields


def test_the_address_may_stand_in_the_open_graph() -> None:
    head = '<meta property="og:url" content="https://pes.example.org/bus">'
    assert content(f"<p>{BUS}</p><p>{RESULTS}</p>", head).fields["url"] == "https://pes.example.org/bus"


def test_an_address_that_is_a_script_is_none() -> None:
    head = '<link rel="canonical" href="javascript:alert(1)">'
    assert "url" not in content(f"<p>{BUS}</p><p>{RESULTS}</p>", head).fields


def test_a_page_that_states_nothing_has_no_fields() -> None:
    assert content(f"<p>{BUS}</p><p>{RESULTS}</p>").fields == {}


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>Words that no visitor sees on this page of ours</p>",
        "<p style='display: none'>Words that no visitor sees on this page of ours</p>",
        "<div aria-hidden='true'>Words that no visitor sees on this page of ours</div>",
        "<script>Words that no visitor sees</script>",
        "<!-- Words that no visitor sees -->",
        "<template><p>Words that no visitor sees on this page of ours</p></template>",
        "<select><option>Words that no visitor sees</option></select>",
    ],
)
def test_what_a_visitor_does_not_see_is_no_text(hidden: str) -> None:
    assert texts(content(f"<main><h1>Bus</h1><p>{BUS}</p>{hidden}<p>{RESULTS}</p></main>").blocks) == ["Bus", BUS, RESULTS]


def test_menu_entries_that_stand_in_the_text_too_are_dropped_as_links() -> None:
    menu = "<div><a href='/bus'>Mobile office</a> <br> <a href='/jobs'>Vacancies</a></div>"
    kept = texts(content(f"{MENU}{menu}<main><h1>Bus</h1><p>{BUS}</p><p>{RESULTS}</p></main>").blocks)
    assert kept == ["Bus", BUS, RESULTS]


def test_inline_markup_and_line_breaks_do_not_break_words_or_paragraphs() -> None:
    body = (
        f"<h1>The <em>mobile</em> office</h1><p>{BUS} <b>It</b> is <a href='/x'>open</a><br>to&nbsp;all: un<i>limited</i>.</p>"
    )
    assert texts(content(f"<main>{body}</main>").blocks) == ["The mobile office", f"{BUS} It is open to all: unlimited."]


def test_labels_and_values_of_a_table_without_header_are_joined() -> None:
    table = "<table><tr><th>Country</th><td>Austria</td></tr><tr><td>Start:</td><td>2021</td></tr></table>"
    assert texts(content(f"<h1>Bus</h1><p>{BUS}</p>{table}<p>{RESULTS}</p>").blocks) == [
        "Bus",
        BUS,
        "Country: Austria",
        "Start: 2021",
        RESULTS,
    ]


def test_a_cell_over_two_rows_belongs_to_both() -> None:
    first, second = "<tr><td rowspan='2'>2021</td><td>Linz</td><td>40</td></tr>", "<tr><td>Graz</td><td>50</td></tr>"
    table = f"<table><tr><th>Year</th><th>Village</th><th>People</th></tr>{first}{second}</table>"
    assert texts(content(f"<h1>Bus</h1><p>{BUS}</p>{table}<p>{RESULTS}</p>").blocks)[2:4] == [
        "Year: 2021 | Village: Linz | People: 40",
        "Year: 2021 | Village: Graz | People: 50",
    ]


def test_a_table_for_layout_gives_the_blocks_inside_it() -> None:
    body = f"<table><tr><td><h1>Bus</h1><p>{BUS}</p></td></tr><tr><td><p>{RESULTS}</p></td></tr></table>"
    assert [(block.kind, block.text) for block in content(body).blocks] == [
        ("heading", "Bus"),
        ("paragraph", BUS),
        ("paragraph", RESULTS),
    ]


def test_the_caption_of_a_table_is_text() -> None:
    rows = "<tr><th>Year</th><th>Staff</th></tr><tr><td>2021</td><td>80</td></tr>"
    table = f"<table><caption>Costs in thousand euro</caption>{rows}</table>"
    assert texts(content(f"<main><h1>Bus</h1><p>{BUS}</p>{table}<p>{RESULTS}</p></main>").blocks) == [
        "Bus",
        BUS,
        "Costs in thousand euro",
        "Year: 2021 | Staff: 80",
        RESULTS,
    ]


def test_a_small_page_keeps_its_short_lines() -> None:
    body = "<h1>Village bus</h1><p>Only on Monday.</p><p>It stops at the market place.</p><ul><li>Graz</li><li>Linz</li></ul>"
    assert texts(content(body).blocks) == ["Village bus", "Only on Monday.", "It stops at the market place.", "Graz", "Linz"]


def test_a_document_without_menus_and_links_is_read_whole() -> None:
    lists = "<h2>Stops</h2><ol><li>Graz</li><li>Linz</li></ol><h2>Fares</h2><dl><dt>Adults</dt><dd>free</dd></dl>"
    body = f"{lists}<h2>Why</h2><p>{BUS}</p><p>{RESULTS}</p>"
    assert texts(content(body).blocks) == ["Stops", "Graz", "Linz", "Fares", "Adults: free", "Why", BUS, RESULTS]


@pytest.mark.parametrize(
    "body",
    [
        "<ul><li>Graz</li><li>Linz<ul><li>Town hall</li></ul></li></ul>",
        "<table><tr><th>City</th><th>Visits</th></tr><tr><td>Graz</td><td>12</td></tr></table>",
        "<p>One short line.</p>",
    ],
)
def test_a_page_of_one_list_table_or_line_is_read(body: str) -> None:
    assert content(body).blocks


@pytest.mark.parametrize(
    "fragment",
    [f"<h1>Bus</h1><p>{BUS}</p><p>{RESULTS}</p>", f"<div><h1>Bus</h1><p>{BUS}</p><p>{RESULTS}</p></div>"],
)
def test_a_fragment_without_the_frame_of_a_page_is_read(fragment: str) -> None:
    assert texts(read(fragment.encode()).blocks) == ["Bus", BUS, RESULTS]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("iso-8859-1", "Für Ältere gibt es ein Büro in Köln, das größere Betriebe berät."),
        ("windows-1250", "Dwóch doradców jeździ autobusem i pomaga ludziom się zarejestrować i znajdować kursy."),
        ("iso-8859-2", "Dwóch doradców jeździ autobusem i pomaga ludziom się zarejestrować i znajdować kursy."),
        ("iso-8859-7", "Οι σύμβουλοι επισκέπτονται τα χωριά κάθε εβδομάδα με ένα λεωφορείο."),
        ("utf-16", "Für Ältere gibt es ein Büro in Köln."),
    ],
)
def test_the_declared_encoding_is_used(encoding: str, text: str) -> None:
    page = f'<html><head><meta charset="{encoding}"></head><body><p>{text}</p></body></html>'
    assert texts(read(page.encode(encoding)).blocks) == [text]


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [('lang="de"', "de"), ('lang="DE-at"', "de"), ('xml:lang="fr"', "fr"), ('lang=""', None), ('lang="x-default"', None)],
)
def test_the_stated_language_is_a_two_or_three_letter_code(attribute: str, expected: str | None) -> None:
    page = f"<html {attribute}><body><p>{BUS}</p><p>{RESULTS}</p></body></html>"
    assert read(page.encode()).fields.get("language") == expected


LABOUR = "Young people who left school may take part if they have been without work for more than fourteen weeks in a row."


@pytest.mark.parametrize(
    "panel",
    [
        f"<h3><button aria-controls='a'>Who may come?</button></h3><div id='a' hidden><p>{LABOUR}</p></div>",
        f"<h3><button>Who may come?</button></h3><div hidden='until-found'><p>{LABOUR}</p></div>",
        f"<h3>Who may come?</h3><div style='display:none'><p>{LABOUR}</p></div>",
        f"<h3>Who may come?</h3><div style='visibility: hidden'><p>{LABOUR}</p></div>",
        f"<button aria-expanded='false'><h3>Who may come?</h3></button><div aria-hidden='true'><p>{LABOUR}</p></div>",
        f"<h3>Who may come?</h3><div role='tabpanel' aria-hidden='true'><p>{LABOUR}</p></div>",
        f"<ul role='tablist'><li><a href='#x'>Tab</a></li></ul><div id='x' hidden><h3>Who may come?</h3><p>{LABOUR}</p></div>",
        f"<div role='heading' aria-level='3'><button>Who may come?</button></div><div hidden><p>{LABOUR}</p></div>",
        f"<h3>Who may come?</h3><div class='accordion-collapse collapse'><p>{LABOUR}</p></div>",
    ],
)
def test_what_a_script_opens_is_text_under_its_heading(panel: str) -> None:
    blocks = content(f"<main><h1>Bus</h1><p>{BUS}</p><p>{RESULTS}</p>{panel}</main>").blocks
    assert blocks[-2:] == [Block("heading", "Who may come?", level=3), Block("paragraph", LABOUR)]


def test_details_are_text_with_their_summary() -> None:
    details = f"<details><summary>Who may come?</summary><p>{LABOUR}</p></details>"
    body = f"<main><h1>Bus</h1><p>{BUS}</p><p>{RESULTS}</p>{details}</main>"
    assert texts(content(body).blocks) == ["Bus", BUS, RESULTS, "Who may come?", LABOUR]


@pytest.mark.parametrize(
    ("interface", "kind"),
    [
        (f"<dialog><p>{LABOUR}</p></dialog>", "dialogs"),
        (f"<div role='dialog'><p>{LABOUR}</p></div>", "dialogs"),
        (f"<button aria-controls='m'>Open</button><div id='m' class='modal' hidden><p>{LABOUR}</p></div>", "dialogs"),
        (f"<div id='cookie-notice' hidden><p>{LABOUR}</p></div>", "dialogs"),
        (f"<nav><p>{LABOUR}</p></nav>", "menus"),
        (
            "<button aria-controls='m'>Menu</button><ul id='m' hidden><li><a href='/a'>Jobs for all of you</a></li></ul>",
            "other parts of the page",
        ),
        (f"<footer><p>{LABOUR}</p></footer>", "footers"),
        (f"<aside><p>{LABOUR}</p></aside>", "related pages"),
        (f"<p hidden>{LABOUR}</p>", "other parts of the page"),
    ],
)
def test_menus_dialogs_and_footers_are_left_out_and_counted(interface: str, kind: str) -> None:
    read_page = content(f"<main><h1>Bus</h1><p>{BUS}</p><p>{RESULTS}</p></main>{interface}")
    assert texts(read_page.blocks) == ["Bus", BUS, RESULTS]
    assert list(read_page.left_out) == [kind]
    assert read_page.left_out[kind] in (len(LABOUR), len("Jobs for all of you"))


def test_lists_rows_and_definitions_between_paragraphs_are_kept() -> None:
    listed = (
        "<ul><li>A</li><li>Two <a href='/x'>advisers</a></li></ul>"
        "<dl><dt>Country:</dt><dd>Austria</dd><dt>Who pays?</dt><dd>The region</dd></dl>"
        "<table><tr><td>Start</td><td>2021</td></tr></table>"
    )
    blocks = content(f"<div><h1>Bus</h1><p>{BUS}</p>{listed}<p>{RESULTS}</p></div>").blocks
    assert [(block.kind, block.text) for block in blocks[2:-1]] == [
        ("item", "A"),
        ("item", "Two advisers"),
        ("item", "Country: Austria"),
        ("paragraph", "Who pays?"),
        ("item", "The region"),
        ("row", "Start: 2021"),
    ]


def test_a_list_under_its_heading_after_the_last_paragraph_is_kept() -> None:
    body = (
        f"<div><h1>Bus</h1><p>{BUS}</p><p>{RESULTS}</p><h2>Sources</h2><ul><li>Own count, <a href='/x'>2021</a></li></ul></div>"
    )
    assert texts(content(body).blocks)[-2:] == ["Sources", "Own count, 2021"]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("reached 3,300<sup>2</sup> people", "reached 3,300[2] people"),
        ("reached 65<sup>1, 2</sup> per cent", "reached 65[1, 2] per cent"),
        ("in 2021<sup><a href='#fn1'>[1]</a></sup> and later", "in 2021[1] and later"),
        ("in 2021<a href='#fn1'><sup>1</sup></a> and later", "in 2021[1] and later"),
        ("in 2021<a href='#_ftn1'>1</a> and later", "in 2021[1] and later"),
        ("in 2021<span style='vertical-align:super'>1</span> and", "in 2021[1] and"),
        ("10<sup>6</sup> euro", "10⁶ euro"),
        ("3.5 × 10<sup>−3</sup> euro", "3.5 × 10⁻³ euro"),
        ("120 m<sup>2</sup> and 5 km<sup>2</sup>", "120 m² and 5 km²"),
        ("the 1<sup>st</sup> and 2<sup>nd</sup> year", "the 1st and 2nd year"),
        ("le 1<sup>er</sup> mai", "le 1er mai"),
        ("2<sup>1</sup>/<sub>2</sub> years", "2 1/2 years"),
        ("less CO<sub>2</sub> and x<sub>1</sub>", "less CO2 and x1"),
        ("in 2021<sub>3</sub>", "in 2021₃"),
        ("<sup>1</sup>2020 survey", "[1] 2020 survey"),
    ],
)
def test_raised_and_lowered_text_never_joins_a_figure(markup: str, expected: str) -> None:
    paragraph, cell = f"<p>{markup}</p>", f"<table><tr><td>{markup}</td></tr></table>"
    blocks = content(f"<main><h1>Bus</h1><p>{BUS}</p>{paragraph}{cell}<p>{RESULTS}</p></main>").blocks
    assert texts(blocks) == ["Bus", BUS, expected, expected, RESULTS]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<b>Country:</b> Austria<br><b>Start:</b> May 2021", ["Country: Austria", "Start: May 2021"]),
        ("<b>Country:</b><br>Austria<br><b>Start:</b><br>2021", ["Country: Austria", "Start: 2021"]),
        ("One line<br><br>and another", ["One line", "and another"]),
        ("To the town hall,<br>Linz", ["To the town hall, Linz"]),
    ],
)
def test_labelled_lines_are_blocks_of_their_own(markup: str, expected: list[str]) -> None:
    blocks = content(f"<main><h1>Bus</h1><p>{BUS}</p><p>{markup}</p><p>{RESULTS}</p></main>").blocks
    assert texts(blocks) == ["Bus", BUS, *expected, RESULTS]


def test_the_entries_of_a_cell_are_parted() -> None:
    table = "<table><tr><th>Groups</th></tr><tr><td>Unemployed people<br>Women<br>over 50</td></tr></table>"
    assert (
        texts(content(f"<h1>Bus</h1><p>{BUS}</p>{table}<p>{RESULTS}</p>").blocks)[2]
        == "Groups: Unemployed people; Women over 50"
    )


def test_teasers_and_their_headings_are_related_pages() -> None:
    card = "<div class='card'><h3><a href='/{0}'>Job fair {0}</a></h3><p>{1}</p></div>"
    cards = "".join(card.format(number, LABOUR[number:]) for number in (1, 2, 3))
    body = f"<h1>Bus</h1><p>{BUS}</p><p>{RESULTS}</p><p>{BUS} Twice.</p><p>{RESULTS} Twice.</p>"
    page = content(f"<main><div>{body}</div><section><h2>More of us</h2><div>{cards}</div></section><p>{LABOUR}</p></main>")
    assert texts(page.blocks) == ["Bus", BUS, RESULTS, f"{BUS} Twice.", f"{RESULTS} Twice.", LABOUR]
    assert page.left_out["related pages"] > len(LABOUR)


@pytest.mark.parametrize(
    ("bomb", "warning"),
    [
        ("<div>" * 5000, "elements nested too deeply: read without its lists and tables"),
        ("<b>" * 5000, "elements nested too deeply: read without its lists and tables"),
        (f"<p {' '.join(f'a{i}=1' for i in range(100_000))}></p>", None),
        ("<!-- -->" * 100_000, None),
        ("<!--x-->" * 1000 + "<br>" * 2_000_000, None),
        ("<i></i>" * 20_000, None),
    ],
)
def test_hostile_markup_costs_no_text(bomb: str, warning: str | None) -> None:
    page = content(f"<p>{BUS}</p>{bomb}<p>{RESULTS}</p>")
    assert texts(page.blocks) == [BUS, RESULTS]
    assert page.warnings == ((warning,) if warning else ())


def test_a_page_of_millions_of_tags_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="too large: 1,600,000 tags"):
        read(b"<p>" * 1_600_000)


def test_rows_that_reach_down_for_ever_do_not_fill_the_table() -> None:
    rows = "<tr><td rowspan='9999'>a</td><td>b</td></tr>" * 1000
    assert max(len(block.text) for block in content(f"<table>{rows}</table>").blocks) < 1000


def test_a_declared_encoding_that_is_not_the_files_is_not_used() -> None:
    page = "<html><head><meta charset='iso-8859-1'></head><body><p>Für Ältere gibt es ein Büro in Köln.</p></body></html>"
    assert texts(read(page.encode()).blocks) == ["Für Ältere gibt es ein Büro in Köln."]


@pytest.mark.parametrize("frame", ["<body style='display:none'>{}</body>", "<body><div hidden>{}</div></body>"])
def test_a_page_that_is_hidden_until_a_script_shows_it_is_read(frame: str) -> None:
    page = frame.format(f"<h1>Bus</h1><p>{BUS}</p><ul><li>Linz</li></ul><p>{RESULTS}</p><dialog><p>{LABOUR}</p></dialog>")
    assert texts(read(f"<html>{page}</html>".encode()).blocks) == ["Bus", BUS, "Linz", RESULTS]


def test_a_title_over_all_columns_is_no_header() -> None:
    table = "<table><tr><th colspan='2'>The bus</th></tr><tr><th>Country:</th><td>Austria</td></tr></table>"
    assert texts(content(f"<h1>Bus</h1><p>{BUS}</p>{table}<p>{RESULTS}</p>").blocks)[2:4] == ["The bus", "Country: Austria"]


def test_a_page_of_tables_alone_is_read() -> None:
    rows = "".join(f"<tr><td>Village {number}</td><td>{number * 7}</td></tr>" for number in range(1, 9))
    page = f"<html><body><h2>Places</h2><table><tr><th>Where</th><th>How many</th></tr>{rows}</table></body></html>"
    blocks = read(page.encode()).blocks
    assert [block.text for block in blocks][:2] == ["Places", "Where: Village 1 | How many: 7"]
    assert len(blocks) == 9


# ── Links ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def linking(body: str, head: str = "", aside: str = "") -> tuple[Link, ...]:
    article = f"<article><h1>Mobile office</h1><p>{BUS}</p>{body}<p>{RESULTS}</p></article>"
    page = f"<header>{MENU}</header><main>{article}{aside}</main>"
    return content(f"{page}<footer><a href='/legal'>Legal notice</a></footer>", head).links


def test_links_of_the_text_are_kept_and_those_of_menus_and_footers_are_not() -> None:
    text = "<p>It is one of the <a href='/practices/buses.html'>mobile  offices</a> of <b>Styria</b> that drive all year.</p>"
    rows = (
        "<table><tr><td>Report</td><td><a href='report.pdf'>of 2021</a></td></tr><tr><td>Cost</td><td>80,000</td></tr></table>"
    )
    assert linking(text + rows) == (Link("/practices/buses.html", "mobile offices"), Link("report.pdf", "of 2021"))


def test_links_start_from_the_address_that_the_page_states() -> None:
    text = "<p>The bus is one of the <a href='buses.html'>mobile offices</a> of Styria, which drive through the year.</p>"
    assert linking(text, "<base href='https://pes.example.org/practices/'>") == (
        Link("https://pes.example.org/practices/buses.html", "mobile offices"),
    )


def test_a_list_see_also_is_no_text_but_its_links_are_kept() -> None:
    links = "<ul><li><a href='/a'>Job fair in the capital</a></li><li><a href='/b'>Vouchers</a></li></ul>"
    asides = (Link("/a", "Job fair in the capital", is_aside=True), Link("/b", "Vouchers", is_aside=True))
    assert linking("", aside=f"<aside class='related'><h2>See also</h2>{links}</aside>") == asides
    assert linking("", aside=f"<aside class='related'><h2>Siehe auch</h2>{links}</aside>") == asides
    assert linking("", aside=f"<aside class='latest'><h2>Most read</h2>{links}</aside>") == ()
    assert linking("", aside=f"<nav><h2>See also</h2>{links}</nav>") == ()


def test_what_leads_to_no_document_is_no_link() -> None:
    targets = "#costs", "mailto:a@example.org", "javascript:open()", "tel:123", "http://[", "data:text/plain,x"
    links = "".join(f"<a href='{target}'>text {target}</a> and " for target in targets)
    assert linking(f"<p>Read more on this page: {links} an <a href='/x'><img src='a.png'></a> image of the bus.</p>") == ()


def test_of_several_names_of_a_part_the_same_counts_in_every_process() -> None:
    aside = "<div class='toast related footer'><p>Offices are open from nine to five.</p></div>"
    assert "footers" in content(f"<main><article><h1>Bus</h1><p>{BUS}</p><p>{RESULTS}</p></article>{aside}</main>").left_out
