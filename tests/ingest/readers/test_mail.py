"""Mails: subject, sender and text; what is attached becomes documents of their own."""

import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from outlook import outlook_mail

from pes_search.ingest.collection import Collection, find_sources
from pes_search.ingest.documents import read_documents
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import mail
from pes_search.ingest.sources.base import SourceFile

TEXT = "The mobile office visits forty villages in a year, and stops at the market place once a week."


def a_mail(text: str = TEXT) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"] = "News of the bus", '"Anna Berg" <anna@example.org>'
    message["Date"] = "Thu, 27 Apr 2023 10:00:00 +0200"
    message.set_content(text)
    return message


def saved(message: EmailMessage, folder: Path, name: str = "news.eml") -> SourceFile:
    (folder / name).write_bytes(message.as_bytes())
    return SourceFile(folder / name, f"x/{name}")


def test_a_mail_tells_its_subject_sender_and_day() -> None:
    content = mail.read_eml(a_mail().as_bytes())
    assert [block.text for block in content.blocks] == ["News of the bus", "From: Anna Berg", TEXT]
    assert content.fields == {"title": "News of the bus", "date": "2023-04-27"}


def test_nothing_of_a_mail_is_taken_for_a_title_that_other_text_stands_above() -> None:
    content = mail.read_eml(a_mail("Hello Anna\n\nThe figures of the year, as you asked\n\nIn 2019 they were 412.").as_bytes())
    assert [block.text for block in content.blocks][2:] == [
        "Hello Anna", "The figures of the year, as you asked", "In 2019 they were 412.",
    ]  # fmt: skip


def test_a_mail_of_no_day_and_of_an_encoding_that_does_not_exist_is_read() -> None:
    data = b"Subject: Bus\nDate: someday\nContent-Type: text/plain; charset=nowhere-1\n\nIt stops at the market place.\n"
    content = mail.read_eml(data)
    assert [block.text for block in content.blocks] == ["Bus", "It stops at the market place."]
    assert content.fields == {"title": "Bus"}


def test_quoted_mails_are_counted_and_left_out() -> None:
    content = mail.read_eml(a_mail(f"{TEXT}\n\n> What did you say?\n> I forgot.\n").as_bytes())
    assert "forgot" not in str(content.blocks)
    assert content.left_out == {"quoted mails": len("> What did you say?\n> I forgot.\n")}


def test_the_web_form_is_taken_before_the_plain_one() -> None:
    message = a_mail("plain")
    message.add_alternative(f"<h2>Where</h2><p>{TEXT}</p><blockquote type='cite'>old words</blockquote>", subtype="html")
    content = mail.read_eml(message.as_bytes())
    assert [(block.kind, block.text) for block in content.blocks][2:] == [("heading", "Where"), ("paragraph", TEXT)]


def test_attachments_are_documents_of_their_own_also_within_a_forwarded_mail(tmp_path: Path) -> None:
    forwarded = a_mail("See the file.")
    forwarded.add_attachment(f"# Bus\n\n{TEXT} Twice.".encode(), maintype="text", subtype="markdown", filename="bus.md")
    message = a_mail()
    message.add_attachment(forwarded)
    message.add_attachment(b"\x00\x01", maintype="application", subtype="octet-stream", filename="../../odd.bin")
    first, *others = read_documents(saved(message, tmp_path))
    assert first.warnings == ("..-..-odd.bin: no reader for .bin",)
    assert [other.document.path for other in others] == ["x/news.eml#mail.eml", "x/news.eml#mail.eml#bus.md"]
    assert others[1].document.media_type == "text/markdown"
    assert len({one.document.id for one in (first, *others)}) == 3


def test_a_collection_has_them_all_and_each_content_once(tmp_path: Path) -> None:
    for number in (1, 2):
        message = a_mail(f"{TEXT} Number {number}.")
        message.add_attachment(f"{TEXT} Attached.".encode(), maintype="text", subtype="plain", filename="note.txt")
        saved(message, tmp_path, f"mail{number}.eml")
    with Collection(find_sources([str(tmp_path)]), lambda done, total: None) as collection:
        assert len([*collection.documents()]) == 3
    assert [duplicate.path.rpartition("/")[2] for duplicate in collection.report.duplicates] == ["mail2.eml#note.txt"]


def test_outlooks_mails_are_read_too(tmp_path: Path) -> None:
    sent = datetime.datetime(2023, 4, 27, tzinfo=datetime.UTC)
    data = outlook_mail("News of the bus", "Anna Berg", TEXT, sent, [("bus.txt", b"It stops at the market place. " * 200)])
    content = mail.read_msg(data)
    assert [block.text for block in content.blocks] == ["News of the bus", "From: Anna Berg", TEXT]
    assert content.fields["date"] == "2023-04-27"
    assert [(inside.name, len(inside.content)) for inside in content.inside if isinstance(inside.content, bytes)] == [
        ("bus.txt", 6000)
    ]


@pytest.mark.parametrize("read", [mail.read_eml, mail.read_msg])
def test_what_is_no_mail_is_refused(read: object) -> None:
    with pytest.raises(UnreadableFileError, match="no mail"):
        read(b"\n\nNo header at all.")  # type: ignore[operator]
