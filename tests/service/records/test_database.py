"""What people leave is kept, found again and forgotten in time; what could tell who they are is not kept."""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import ValidationError

from pes_search.service.records import database as module
from pes_search.service.records.database import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MIGRATIONS,
    MOST_SAVED,
    Database,
    DatabaseConfig,
    DatabaseError,
    Feedback,
    Judgment,
    LoggedQuestion,
    NotStoredError,
    TooManySavedError,
    without_contacts,
)

START = datetime(2025, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC)
START_TEXT = "2025-03-01T12:00:00+00:00"
BROKEN = "half \ud800 pair, NUL \0"
MENDED = "half ? pair, NUL ?"


class Clock:
    """A time that moves when it is told to."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **duration: float) -> None:
        self.time += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "pes.sqlite3"


@pytest.fixture
def database(path: Path, clock: Clock) -> Database:
    return Database(DatabaseConfig(path=path), clock)


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() == 0:
        pytest.skip("root may write into any folder")
    folder = tmp_path / "unwritable"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    yield folder
    folder.chmod(stat.S_IRWXU)


def add(database: Database, comment: str = "", *, useful: bool = True, question: str = "What works?") -> Feedback:
    return database.add_feedback(
        about="hit",
        question=question,
        document_id="de-1",
        passage_id="de-1#3",
        useful=useful,
        comment=comment,
        language="fr",
        index_id="ab12",
    )


def ask(database: Database, question: str, *, reason: str = "", confidence: float = 0.8, documents: int = 9) -> None:
    database.log_question(question=question, language="en", reason=reason, confidence=confidence, documents=documents)


def asked(database: Database, *, below: float | None = None, days: int = 28) -> list[tuple[str, int]]:
    return [(own.question, own.count) for own in database.questions(below=below, days=days)]


def save(database: Database, query: str = "youth", owner: str = "anna", name: str = "") -> str:
    return database.save_search(owner=owner, name=name, query=query, filters={}).token


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def schema_of(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


# ── Feedback ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_feedback_comes_back_as_it_was_given(database: Database) -> None:
    given = add(database, "Just right", useful=False)
    assert given == Feedback(
        1, START_TEXT, "hit", "What works?", "de-1", "de-1#3", False, "Just right", "fr", "ab12", handled=False
    )
    assert database.feedback() == [given]
    assert (type(given.useful), type(given.handled)) == (bool, bool)  # 0 and 1 are equal to them, but shown otherwise


def test_the_newest_feedback_comes_first_even_within_a_second(database: Database) -> None:
    given = [add(database, comment) for comment in "abc"]
    assert database.feedback() == given[::-1]
    assert database.feedback(limit=2) == [given[2], given[1]]


def test_feedback_is_chosen_by_what_it_says_and_whether_it_was_handled(database: Database) -> None:
    good, bad, done = add(database), add(database, useful=False), add(database, useful=False)
    database.set_handled(done.id, True)
    assert [own.id for own in database.feedback(useful=True)] == [good.id]
    assert [own.id for own in database.feedback(useful=False)] == [done.id, bad.id]
    assert [own.id for own in database.feedback(handled=True)] == [done.id]
    assert [own.id for own in database.feedback(useful=False, handled=False)] == [bad.id]


def test_feedback_can_be_taken_up_again(database: Database) -> None:
    given = add(database)
    database.set_handled(given.id, True)
    assert database.feedback()[0].handled
    database.set_handled(given.id, False)
    assert database.feedback() == [given]


def test_a_comment_can_follow(database: Database) -> None:
    other, given = add(database), add(database)
    database.comment_feedback(given.id, "Ask anna@example.org " + "x" * LONGEST_TEXT)
    assert [own.comment for own in database.feedback()] == ["Ask … " + "x" * (LONGEST_TEXT - 6), other.comment]


def test_the_number_of_deleted_feedback_is_not_given_again(database: Database) -> None:
    first, second = add(database), add(database)
    database.delete_feedback(second.id)
    assert database.feedback() == [first]
    assert add(database).id == second.id + 1


@pytest.mark.parametrize("number", [0, -1, 2, 2**63, -(2**70)])
@pytest.mark.parametrize(
    "change",
    [lambda own, n: own.set_handled(n, True), Database.delete_feedback, lambda own, n: own.comment_feedback(n, "?")],
    ids=["set_handled", "delete_feedback", "comment_feedback"],
)
def test_feedback_that_is_not_there_is_named(change: Callable[[Database, int], None], number: int, database: Database) -> None:
    given = add(database)
    with pytest.raises(NotStoredError, match=f"number {number};"):
        change(database, number)
    assert database.feedback() == [given]


def test_long_texts_are_cut(database: Database) -> None:
    given = add(database, "c" * (LONGEST_TEXT + 1), question="q" * (LONGEST_TEXT + 1))
    assert (given.comment, given.question) == ("c" * 2_000, "q" * 2_000)
    search = database.save_search(owner="anna", name="n" * (LONGEST_NAME + 1), query="q" * (LONGEST_TEXT + 1), filters={})
    assert (search.name, search.query) == ("n" * 200, "q" * 2_000)
    ask(database, "q" * (LONGEST_TEXT + 1))
    assert asked(database) == [("q" * 2_000, 1)]
    long = "j" * (LONGEST_TEXT + 1)
    database.judge(query=long, document_id="a", grade=1, index_id="i")
    assert [own.query for own in database.judgments(long)] == ["j" * 2_000]


# ── Saved searches ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_saved_search_comes_back_by_its_token(database: Database) -> None:
    filters = {"country": ["FR", "DE"], "year_from": ["2019"], "topic": []}
    saved = database.save_search(owner="anna", name="Young people", query="jeunes à Paris", filters=filters)
    assert saved.filters == {"country": ("FR", "DE"), "year_from": ("2019",)}
    assert (saved.owner, saved.name, saved.query) == ("anna", "Young people", "jeunes à Paris")
    assert (saved.at, saved.opened) == (START_TEXT, START_TEXT)
    assert database.saved_search(saved.token) == saved
    assert len(saved.token) == 22  # 16 bytes in base64 without padding: 16 * 8 / 6, rounded up


def test_each_owner_sees_their_own_searches_the_newest_first(database: Database) -> None:
    tokens = [save(database, query) for query in ("a", "b", "c")]
    other = save(database, "a", owner="boris")
    assert [own.token for own in database.saved_searches("anna")] == tokens[::-1]
    assert [own.token for own in database.saved_searches("boris")] == [other]
    assert database.saved_searches("nobody") == []


def test_the_same_search_is_kept_once(database: Database, clock: Clock) -> None:
    first = database.save_search(owner="anna", name="One", query="youth", filters={"country": ["FR", "DE"], "year": ["2019"]})
    clock.advance(seconds=5)
    again = database.save_search(owner="anna", name="Two", query="youth", filters={"year": ["2019"], "country": ["DE", "FR"]})
    assert (again.token, again.name, again.at) == (first.token, "One", START_TEXT)
    assert again.opened == "2025-03-01T12:00:05+00:00"  # whoever saves it anew has not forgotten it
    assert database.saved_searches("anna") == [again]


@pytest.mark.parametrize(
    "other",
    [
        {"owner": "boris", "query": "youth", "filters": {"country": ["FR"]}},
        {"owner": "anna", "query": "Youth", "filters": {"country": ["FR"]}},
        {"owner": "anna", "query": "youth", "filters": {"country": ["FR", "DE"]}},
        {"owner": "anna", "query": "youth", "filters": {"language": ["FR"]}},
        {"owner": "anna", "query": "youth", "filters": {}},
    ],
)
def test_what_differs_in_anything_is_another_search(other: dict[str, object], database: Database) -> None:
    first = database.save_search(owner="anna", name="", query="youth", filters={"country": ["FR"]})
    assert database.save_search(name="", **other).token != first.token  # type: ignore[arg-type]


def test_an_owner_saves_so_many_and_no_more(database: Database) -> None:
    tokens = [save(database, f"search {i}") for i in range(MOST_SAVED)]
    with pytest.raises(TooManySavedError, match="100 searches are saved already, which is the most; delete one first"):
        save(database, "one more")
    assert save(database, "search 7") == tokens[7]  # is there already
    save(database, "one more", owner="boris")
    database.delete_saved_search(tokens[0], "anna")
    save(database, "one more")
    assert len(database.saved_searches("anna")) == MOST_SAVED


def test_opening_a_search_is_noted(database: Database, clock: Clock) -> None:
    opened, other = save(database, "a"), save(database, "b")
    clock.advance(days=1)
    assert database.saved_search(opened).opened == "2025-03-02T12:00:00+00:00"
    assert {own.token: own.opened[:10] for own in database.saved_searches("anna")} == {
        opened: "2025-03-02",
        other: "2025-03-01",  # a list that shows it does not open it
    }


def test_only_the_owner_deletes_a_search(database: Database) -> None:
    token = save(database)
    with pytest.raises(NotStoredError, match="no such saved search"):
        database.delete_saved_search(token, "boris")
    database.delete_saved_search(token, "anna")
    assert database.saved_searches("anna") == []
    with pytest.raises(NotStoredError, match="no such saved search"):
        database.delete_saved_search(token, "anna")
    with pytest.raises(NotStoredError, match="no such saved search"):
        database.saved_search(token)


# ── Arrivals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_document_keeps_the_date_of_its_arrival(database: Database, clock: Clock) -> None:
    database.note_arrivals("one", ["a", "b"])
    clock.advance(days=1)
    database.note_arrivals("two", ["b", "c"])  # a has left
    clock.advance(days=1)
    database.note_arrivals("three", ["a", "c", "d"])  # and is back
    days = {document: at[:10] for document, at in database.first_seen(["a", "b", "c", "d", "never"]).items()}
    assert days == {"a": "2025-03-01", "b": "2025-03-01", "c": "2025-03-02", "d": "2025-03-03"}


def test_an_index_that_was_noted_is_not_looked_at_again(database: Database, clock: Clock) -> None:
    database.note_arrivals("one", ["a"])
    unread = iter(["b"])
    database.note_arrivals("one", unread)
    assert list(unread) == ["b"]
    database.note_arrivals("two", ["a"])
    database.note_arrivals("one", ["b"])  # "two" was the last one
    assert database.first_seen(["b"]) == {"b": START_TEXT}


def test_arrivals_outlive_the_process(database: Database, path: Path, clock: Clock) -> None:
    database.note_arrivals("one", ["a"])
    unread = iter(["a"])
    again = Database(DatabaseConfig(path=path), clock)
    again.note_arrivals("one", unread)
    assert list(unread) == ["a"]
    assert again.first_seen(iter(["a"])) == {"a": START_TEXT}


def test_more_ids_than_one_query_takes_are_found(database: Database) -> None:
    ids = [f"document {i}" for i in range(1_203)]
    database.note_arrivals("one", ids)
    assert database.first_seen([*ids, "unknown", *ids]) == dict.fromkeys(ids, START_TEXT)
    assert database.first_seen([]) == {}


# ── Questions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_question_is_counted_whatever_its_case_and_spaces(database: Database, clock: Clock) -> None:
    ask(database, "  Which  Maßnahmen\nhelp? ", reason="not_answered", confidence=0.2, documents=9)
    clock.advance(hours=1)
    ask(database, "which MASSNAHMEN help?", reason="nothing_relevant", confidence=0.1, documents=5)
    clock.advance(hours=1)
    database.log_question(question="Which Maßnahmen help?", language="de", reason="", confidence=0.7, documents=4)
    assert database.questions() == [
        LoggedQuestion("Which Maßnahmen help?", "de", 3, 2, "", 0.7, 4, "2025-03-01T14:00:00+00:00")
    ]


def test_the_questions_asked_most_come_first_then_the_latest(database: Database) -> None:
    for question in ("once", "twice", "twice", "once, later"):
        ask(database, question)
    assert asked(database) == [("twice", 2), ("once, later", 1), ("once", 1)]
    assert [own.question for own in database.questions(limit=2)] == ["twice", "once, later"]


def test_only_the_last_days_count(database: Database, clock: Clock) -> None:
    ask(database, "Old wording")
    ask(database, "long ago")
    clock.advance(days=28, seconds=1)
    ask(database, "old WORDING")
    assert asked(database) == [("old WORDING", 1)]
    assert asked(database, days=29) == [("Old wording", 2), ("long ago", 1)]


def test_the_questions_without_a_good_answer_are_found(database: Database) -> None:
    ask(database, "refused", reason="not_answered", confidence=0.9)
    ask(database, "unsure", confidence=0.49)
    ask(database, "sure", confidence=0.5)
    ask(database, "answered since", reason="not_answered", confidence=0.1)
    ask(database, "answered since", confidence=0.9)
    ask(database, "no longer answered", confidence=0.9)
    ask(database, "no longer answered", reason="nothing_relevant", confidence=0.0)
    assert asked(database, below=0.5) == [("no longer answered", 2), ("unsure", 1), ("refused", 1)]
    assert len(database.questions()) == 5


def test_personal_questions_are_not_kept(database: Database, path: Path) -> None:
    ask(database, "Why was my benefit stopped?", reason="personal_or_instruction")
    assert database.questions() == []
    assert b"benefit" not in path.read_bytes()


def test_no_question_is_kept_where_no_log_is_wanted(path: Path) -> None:
    database = Database(DatabaseConfig(path=path, log_questions=False))
    ask(database, "What works?")
    assert database.questions() == []


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
def test_addresses_and_long_numbers_are_not_kept(text: str, kept: str, database: Database) -> None:
    ask(database, text)
    assert asked(database) == [(kept, 1)]
    given = add(database, text, question=text)
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
def test_what_tells_nothing_of_anybody_is_kept(text: str, database: Database) -> None:
    ask(database, text)
    assert asked(database) == [(text, 1)]


def test_what_a_cut_would_leave_of_an_address_is_not_kept(database: Database) -> None:
    ask(database, "x" * (LONGEST_TEXT - 6) + " anna@example.org")
    assert asked(database) == [("x" * (LONGEST_TEXT - 6) + " …", 1)]


def test_nothing_of_an_address_reaches_the_disk(database: Database, path: Path) -> None:
    ask(database, "Write to anna@example.org")
    add(database, "Write to anna@example.org")
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


# ── Judgments ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_judgments_are_listed_by_query_and_document(database: Database) -> None:
    for query, document_id, grade in (("b", "x", 0), ("a", "y", 3), ("a", "x", 1)):
        database.judge(query=query, document_id=document_id, grade=grade, index_id="ab12")
    first, second = Judgment("a", "x", 1, START_TEXT, "ab12"), Judgment("a", "y", 3, START_TEXT, "ab12")
    assert database.judgments() == [first, second, Judgment("b", "x", 0, START_TEXT, "ab12")]
    assert database.judgments("a") == [first, second]
    assert database.judgments("c") == []


def test_a_judgment_can_be_changed_and_taken_back(database: Database, clock: Clock) -> None:
    database.judge(query="a", document_id="x", grade=3, index_id="old")
    clock.advance(seconds=1)
    database.judge(query="a", document_id="x", grade=2, index_id="new")
    assert database.judgments() == [Judgment("a", "x", 2, "2025-03-01T12:00:01+00:00", "new")]
    for _ in range(2):  # what is not there need not be taken back
        database.judge(query="a", document_id="x", grade=None, index_id="new")
        assert database.judgments() == []


@pytest.mark.parametrize("grade", [-1, 4])
def test_other_grades_are_refused(grade: int, database: Database) -> None:
    with pytest.raises(DatabaseError, match=f"{grade} is no grade; give one from 0 to 3"):
        database.judge(query="a", document_id="x", grade=grade, index_id="i")
    assert database.judgments() == []


# ── Retention ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_old_is_forgotten(path: Path, clock: Clock) -> None:
    database = Database(DatabaseConfig(path=path, retention_days=30), clock)
    handled, still_open = add(database, "handled"), add(database, "open")
    database.set_handled(handled.id, True)
    unopened, opened = save(database, "unopened"), save(database, "opened")
    ask(database, "old")
    database.judge(query="a", document_id="x", grade=1, index_id="i")
    database.note_arrivals("i", ["x"])
    clock.advance(days=30)
    assert database.forget() == {"feedback": 0, "saved_searches": 0, "questions": 0}
    database.saved_search(opened)
    ask(database, "new")
    database.set_handled(add(database, "just handled").id, True)
    clock.advance(seconds=1)
    assert database.forget() == {"feedback": 1, "saved_searches": 1, "questions": 1}
    assert [own.comment for own in database.feedback()] == ["just handled", still_open.comment]
    assert [own.token for own in database.saved_searches("anna")] == [opened]
    with pytest.raises(NotStoredError):
        database.saved_search(unopened)
    assert asked(database, days=1_000) == [("new", 1)]
    assert len(database.judgments()) == 1
    assert database.first_seen(["x"]) == {"x": START_TEXT}
    assert database.forget() == {"feedback": 0, "saved_searches": 0, "questions": 0}


def test_what_is_forgotten_is_gone_from_the_file(database: Database, path: Path, clock: Clock) -> None:
    ask(database, "unmistakable")
    assert b"unmistakable" in path.read_bytes()
    clock.advance(days=181)
    assert database.forget()["questions"] == 1
    assert all(b"unmistakable" not in file.read_bytes() for file in path.parent.iterdir())


@pytest.mark.parametrize("values", [{"retention_days": 0}, {"retention_days": 10**9}, {"colour": 1}])
def test_settings_that_cannot_be_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        DatabaseConfig.model_validate(values)


def test_the_longest_retention_can_be_applied(path: Path, clock: Clock) -> None:
    database = Database(DatabaseConfig(path=path, retention_days=36_500), clock)
    ask(database, "kept")
    assert database.forget()["questions"] == 0


def test_times_are_kept_in_utc_whatever_the_clock_says(path: Path) -> None:
    eastern = timezone(timedelta(hours=3))
    database = Database(DatabaseConfig(path=path), lambda: START.astimezone(eastern))
    assert add(database).at == START_TEXT


# ── Text that is none ───────────────────────────────────────────────────────────────────────────────────────────────


def test_text_that_sqlite_would_not_take_is_mended(database: Database) -> None:
    given = database.add_feedback(
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
    assert database.feedback() == [given]
    search = database.save_search(owner=BROKEN, name=BROKEN, query=BROKEN, filters={BROKEN: [BROKEN]})
    assert (search.name, search.query, search.filters) == (MENDED, MENDED, {MENDED: (MENDED,)})
    assert database.save_search(owner=BROKEN, name="", query=BROKEN, filters={BROKEN: [BROKEN]}) == search
    assert database.saved_searches(BROKEN) == [search]
    with pytest.raises(NotStoredError):
        database.saved_search(BROKEN)
    with pytest.raises(NotStoredError):
        database.delete_saved_search(search.token + "\0", BROKEN)
    database.delete_saved_search(search.token, BROKEN)
    database.note_arrivals(BROKEN, [BROKEN])
    assert database.first_seen([BROKEN]) == {BROKEN: START_TEXT}
    database.log_question(question=BROKEN, language=BROKEN, reason=BROKEN, confidence=0.5, documents=1)
    assert [(own.question, own.language, own.reason) for own in database.questions()] == [(MENDED, MENDED, MENDED)]
    database.judge(query=BROKEN, document_id=BROKEN, grade=1, index_id=BROKEN)
    assert database.judgments(BROKEN) == [Judgment(MENDED, MENDED, 1, START_TEXT, MENDED)]


# ── Several at once ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_lost_when_eight_threads_write(database: Database) -> None:
    def write(thread: int) -> None:
        for i in range(50):
            add(database, f"{thread} {i}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    kept = database.feedback(limit=1_000)
    assert {own.comment for own in kept} == {f"{thread} {i}" for thread in range(8) for i in range(50)}
    assert len(kept) == 8 * 50


def test_threads_that_save_the_same_search_keep_it_once(database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        tokens = set(threads.map(lambda _: save(database), range(40)))
    assert [own.token for own in database.saved_searches("anna")] == list(tokens)


def test_threads_that_note_the_same_index_agree(database: Database) -> None:
    ids = [f"document {i}" for i in range(100)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: database.note_arrivals("one", ids), range(8)))
    assert database.first_seen(ids) == dict.fromkeys(ids, START_TEXT)


def test_processes_that_start_together_make_the_file_once(path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        databases = list(threads.map(lambda _: Database(DatabaseConfig(path=path)), range(8)))
    for database in databases:
        add(database)
    assert len(databases[0].feedback()) == 8


def test_the_write_ahead_log_is_on(database: Database, path: Path) -> None:
    """Readers do not wait for whoever writes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM feedback")
        assert database.feedback() == []


def test_a_file_that_is_held_for_long_is_named(database: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match=r"pes\.sqlite3 is in use .*; try again"):
            add(database)
    add(database)


def test_a_call_that_fails_leaves_nothing_behind(database: Database, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TRIGGER fail BEFORE INSERT ON noted_index BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(DatabaseError, match=r"cannot use .*pes\.sqlite3: no room; "):
        database.note_arrivals("one", ["a"])  # the documents go in before the index
    assert database.first_seen(["a"]) == {}


# ── The file ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_file_and_its_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "pes.sqlite3"
    Database(DatabaseConfig(path=path))
    assert version_of(path) == len(MIGRATIONS)


def test_the_file_stays_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database(DatabaseConfig())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    add(database)
    assert len(database.feedback()) == 1
    assert (tmp_path / "var" / "pes.sqlite3").is_file()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_a_file_of_any_version_becomes_one_of_the_latest(version: int, path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        for statement in (statement for migration in MIGRATIONS[:version] for statement in migration):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
    assert version_of(path) == version
    Database(DatabaseConfig(path=path))
    assert version_of(path) == len(MIGRATIONS)
    fresh = tmp_path / "fresh.sqlite3"
    Database(DatabaseConfig(path=fresh))
    assert schema_of(path) == schema_of(fresh)
    assert {"feedback", "saved_searches", "arrivals", "questions", "judgments"} <= {name for name, _ in schema_of(path)}


def test_the_next_migration_keeps_what_is_there(database: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = add(database)
    change = ("ALTER TABLE feedback ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",)
    monkeypatch.setattr(module, "MIGRATIONS", (*MIGRATIONS, change))
    assert Database(DatabaseConfig(path=path)).feedback() == [given]
    assert version_of(path) == len(MIGRATIONS) + 1


def test_a_migration_that_fails_changes_nothing(database: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema_of(path)
    monkeypatch.setattr(module, "MIGRATIONS", (*MIGRATIONS, ("DROP TABLE feedback", "DROP TABLE missing")))
    with pytest.raises(DatabaseError, match="no such table: missing"):
        Database(DatabaseConfig(path=path))
    assert (schema_of(path), version_of(path)) == (before, len(MIGRATIONS))


def test_a_file_of_a_newer_version_is_left_as_it_is(database: Database, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(DatabaseError, match=r"version 99, .*; install the newer program .* \[database\] path"):
        Database(DatabaseConfig(path=path))
    assert version_of(path) == 99


def test_the_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE vectors (key BLOB)")
    with pytest.raises(DatabaseError, match=r"pes\.sqlite3 is the database of another program; let \[database\] path"):
        Database(DatabaseConfig(path=path))
    assert [name for name, _ in schema_of(path)] == ["vectors"]


@pytest.mark.parametrize("content", [b"notes", b"no database " * 1_000])
def test_a_file_that_is_no_database_is_left_as_it_is(content: bytes, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"pes\.sqlite3 is no database, .* move it away, .* \[database\] path"):
        Database(DatabaseConfig(path=path))
    assert path.read_bytes() == content


def test_a_file_that_is_damaged_while_it_is_used_is_named(database: Database, path: Path) -> None:
    path.write_bytes(b"no database " * 1_000)
    with pytest.raises(DatabaseError, match=r"pes\.sqlite3 is no database, or a damaged one"):
        add(database)


def test_a_file_that_is_removed_while_it_is_used_is_made_by_the_next_start(database: Database, path: Path) -> None:
    path.unlink()
    with pytest.raises(DatabaseError, match=r"cannot use .*pes\.sqlite3: .* then start again"):
        add(database)
    assert add(Database(DatabaseConfig(path=path))).id == 1


def test_a_folder_in_its_place_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(DatabaseError, match=r"cannot use .*pes\.sqlite3: .*\[database\] path"):
        Database(DatabaseConfig(path=path))


def test_a_file_in_place_of_its_folder_is_named(path: Path) -> None:
    path.parent.write_text("a file")
    with pytest.raises(DatabaseError, match=r"cannot use .*pes\.sqlite3: .*\[database\] path"):
        Database(DatabaseConfig(path=path))


@pytest.mark.parametrize("name", ["pes.sqlite3", "deeper/pes.sqlite3"])
def test_a_folder_that_cannot_be_written_is_named(name: str, unwritable: Path) -> None:
    with pytest.raises(DatabaseError, match=r"cannot use .*pes\.sqlite3: Permission denied; .*\[database\] path"):
        Database(DatabaseConfig(path=unwritable / name))


def test_a_file_that_can_only_be_read_is_named_at_once(database: Database, path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write any file")
    path.chmod(stat.S_IRUSR)
    with pytest.raises(DatabaseError, match=r"cannot use .*pes\.sqlite3: attempt to write a readonly database"):
        Database(DatabaseConfig(path=path))
