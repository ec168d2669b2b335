"""What could tell who people are is not kept, and every text is one that SQLite takes."""

from pathlib import Path

import pytest
from record_samples import START_TEXT, add, ask, question_counts

from pes_search.service.records.arrivals import Arrival
from pes_search.service.records.file import NotStoredError
from pes_search.service.records.judgments import Judgment
from pes_search.service.records.records import Records
from pes_search.service.records.saved_searches import LONGEST_NAME_CHARACTERS
from pes_search.service.records.texts import LONGEST_TEXT_CHARACTERS, without_contacts

BROKEN = "half \ud800 pair, NUL \0"
MENDED = "half ? pair, NUL ?"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("I am anna.schmidt@example.org, help me", "I am …, help me"),
        ("mail:o'neil+jobs@mail.example.co.uk?", "mail:…?"),
        ("<jürgen_99@büro.example>", "<…>"),
        ("a@b.eu and c@d.eu.", "… and …."),
        ("call +32 2 123 45 67 today", "call … today"),
        ("call +3221234567.", "call …."),
        ("0171/123-45.67", "…"),
        ("0171 / 123 45 67", "…"),
        ("06\u201112\u201134\u201156", "…"),  # hyphens that do not break
        ("my number is 123456", "my number is …"),
        ("born 15.01.1990 in Ghent", "born … in Ghent"),
        ("insurance 2019 2021 3", "insurance …"),
        ("20192021", "…"),
        ("12019-2021", "…"),
        ("٠١٢٣٤٥", "…"),  # digits of another script
    ],
)
def test_addresses_and_long_numbers_are_not_kept(text: str, kept: str, records: Records) -> None:
    ask(records, text)
    assert question_counts(records) == [(kept, 1)]
    given = add(records, text, question=text)
    assert (given.question, given.comment) == (kept, kept)


@pytest.mark.parametrize(
    "text",
    [
        "since 2014",
        "65 % in 2019-2021",
        "5 500 parents",
        "ESF+ 2021-2027 and ESF+2014/2020",
        "2019, 2020 and 2021",
        "in 1999 2004 2019",
        "2014 – 2020",
        "12345 people",
        "1.5 to 2.5 %",
        "@pes meets jobs@home",
        "Article 4(2), page 12345",
        "10 % of 25 000, 30 % of 75 000",
    ],
)
def test_what_tells_nothing_of_anybody_is_kept(text: str, records: Records) -> None:
    ask(records, text)
    assert question_counts(records) == [(text, 1)]


def test_what_a_cut_would_leave_of_an_address_is_not_kept(records: Records) -> None:
    ask(records, "x" * (LONGEST_TEXT_CHARACTERS - 6) + " anna@example.org")
    assert question_counts(records) == [("x" * (LONGEST_TEXT_CHARACTERS - 6) + " …", 1)]


def test_nothing_of_an_address_reaches_the_disk(records: Records, path: Path) -> None:
    ask(records, "Write to anna@example.org")
    add(records, "Write to anna@example.org")
    assert b"Write to" in path.read_bytes()
    assert all(b"anna" not in file.read_bytes() for file in path.parent.iterdir())


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a" * 200_000, "a" * 200_000),
        ("a." * 100_000, "a." * 100_000),
        ("a@" * 100_000, "a@" * 100_000),
        ("1 2345, " * 50_000, "1 2345, " * 50_000),
        ("1 " * 100_000, "… "),
        ("a@b.c " * 50_000, "… " * 50_000),
    ],
    ids=["letters", "dots", "at signs", "short numbers", "one number", "addresses"],
)
def test_long_texts_do_not_hold_up_the_service(text: str, kept: str) -> None:
    """A pattern that went back for each character would take minutes."""
    assert without_contacts(text) == kept


def test_long_texts_are_cut(records: Records) -> None:
    given = add(records, "c" * (LONGEST_TEXT_CHARACTERS + 1), question="q" * (LONGEST_TEXT_CHARACTERS + 1))
    assert (given.comment, given.question) == ("c" * 2_000, "q" * 2_000)
    search = records.saved_searches.save(
        owner="anna", name="n" * (LONGEST_NAME_CHARACTERS + 1), query="q" * (LONGEST_TEXT_CHARACTERS + 1), filters={}
    )
    assert (search.name, search.query) == ("n" * 200, "q" * 2_000)
    ask(records, "q" * (LONGEST_TEXT_CHARACTERS + 1))
    assert question_counts(records) == [("q" * 2_000, 1)]
    long = "j" * (LONGEST_TEXT_CHARACTERS + 1)
    records.judgments.judge(query=long, document_id="a", grade=1, index_id="i")
    assert [judgment.query for judgment in records.judgments.find(long)] == ["j" * 2_000]


def test_text_that_sqlite_would_not_take_is_mended(records: Records) -> None:
    given = records.feedback.add(
        about="answer",
        question=BROKEN,
        document_id=BROKEN,
        passage_id=BROKEN,
        useful=True,
        comment=BROKEN,
        language=BROKEN,
        index_id=BROKEN,
    )
    assert {given.question, given.document_id, given.passage_id, given.comment, given.language, given.index_id} == {MENDED}
    assert records.feedback.find() == [given]
    search = records.saved_searches.save(owner=BROKEN, name=BROKEN, query=BROKEN, filters={BROKEN: [BROKEN]})
    assert (search.name, search.query, search.filters) == (MENDED, MENDED, {MENDED: (MENDED,)})
    assert records.saved_searches.save(owner=BROKEN, name="", query=BROKEN, filters={BROKEN: [BROKEN]}) == search
    assert records.saved_searches.find(BROKEN) == [search]
    with pytest.raises(NotStoredError):
        records.saved_searches.open(BROKEN)
    with pytest.raises(NotStoredError):
        records.saved_searches.delete(search.token + "\0", BROKEN)
    records.saved_searches.delete(search.token, BROKEN)
    records.arrivals.note(BROKEN, [BROKEN])
    assert records.arrivals.first_seen([BROKEN]) == {BROKEN: Arrival(START_TEXT, 0)}
    records.questions.log(question=BROKEN, language=BROKEN, reason=BROKEN, confidence=0.5, documents=1)
    assert [(question.question, question.language, question.reason) for question in records.questions.find()] == [
        (MENDED, MENDED, MENDED)
    ]
    records.judgments.judge(query=BROKEN, document_id=BROKEN, grade=1, index_id=BROKEN)
    assert records.judgments.find(BROKEN) == [Judgment(MENDED, MENDED, 1, START_TEXT, MENDED)]
