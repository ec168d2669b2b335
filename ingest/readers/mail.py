"""Mails, as .eml and as Outlook's .msg: subject, sender and text; what is attached becomes documents of their own."""

from __future__ import annotations

import email
import email.policy
import html as html_entities
import io
import re
from collections import Counter
from collections.abc import Iterable
from email.message import EmailMessage, MIMEPart
from email.utils import parseaddr, parsedate_to_datetime

import oxmsg
import oxmsg.attachment

from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import html, text
from pes_search.ingest.types import Block, FileContent, Inside

MOST_ATTACHMENTS = 200
_QUOTED = re.compile(r"(?m)^>.*(?:\n|\Z)")
_UNSAFE = re.compile(r"[/\\#\x00-\x1f]+")


def read_eml(data: bytes) -> FileContent:
    """Read a mail as it is sent.

    Raises:
        UnreadableFileError: it has neither a header that can be read nor text.
    """
    message = email.message_from_bytes(data, policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise UnreadableFileError("damaged or no mail: it has no header")
    try:
        plain, rich = (message.get_body([kind]) for kind in ("plain", "html"))
        attached = [*message.iter_attachments()] if message.is_multipart() else []
    except (AttributeError, KeyError, LookupError, TypeError, ValueError, IndexError) as error:
        raise UnreadableFileError(f"damaged: {type(error).__name__}: {error}") from error
    try:
        day = parsedate_to_datetime(str(message["Date"])).date().isoformat() if message["Date"] else None
    except (ValueError, TypeError, IndexError):
        day = None
    warnings: list[str] = []
    files = []
    for part in attached[:MOST_ATTACHMENTS]:
        if part.get_content_maintype() == "image" and part["Content-ID"]:
            continue  # shown within the text
        name = part.get_filename() or ("mail.eml" if part.get_content_type() == "message/rfc822" else "")
        try:
            files.append((name, _payload(part)))
        except (AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
            warnings.append(f"{name or 'an attachment'} could not be unpacked: {error}")
    bodies = [_decoded(body) for body in (rich, plain)]
    return _content(str(message["Subject"] or ""), str(message["From"] or ""), day, bodies[0], bodies[1], files, warnings)


def read_msg(data: bytes) -> FileContent:
    """Read a mail that Outlook saved.

    Raises:
        UnreadableFileError: it is damaged, or no mail.
    """
    try:
        message = oxmsg.Message.load(io.BytesIO(data))
        sender = message.sender or ""
        day = message.sent_date.date().isoformat() if message.sent_date else None
        files = [
            (attachment.file_name or "", attachment.file_bytes or b"")
            for attachment in message.attachments[:MOST_ATTACHMENTS]
            if isinstance(attachment, oxmsg.attachment.Attachment)
        ]
        rich, plain = message.html_body or "", message.body or ""
        return _content(message.subject or "", sender, day, rich, plain, files, [])
    except (UnreadableFileError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableFileError(f"damaged or no mail: {type(error).__name__}: {error}") from error


def _payload(part: MIMEPart) -> bytes:
    content = part.get_content()
    if isinstance(content, EmailMessage):
        return content.as_bytes()
    return content.encode() if isinstance(content, str) else bytes(content)


def _decoded(part: MIMEPart | None) -> str:
    """Return a part's text; in whatever encoding it is where the one that it states does not exist."""
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _content(
    subject: str, sender: str, day: str | None, rich: str, plain: str, files: Iterable[tuple[str, bytes]], warnings: list[str]
) -> FileContent:
    """Return a mail's content: from its web form where it has one, as that has the headings and lists."""
    body, left_out = _body(rich, plain)
    title = clean_text(subject)
    blocks = [Block("heading", title, level=1)] if title else []
    name = parseaddr(sender)[0] or sender.partition("@")[0]
    if name := clean_text(name):
        blocks.append(Block("paragraph", f"From: {name}"))
    blocks += [block for block in body.blocks if clean_text(block.text) != title]
    fields: dict[str, object] = {key: value for key, value in (("title", title), ("date", day)) if value}
    return FileContent(blocks, fields, (*warnings, *body.warnings), left_out, _inside(files), links=body.links)


def _body(rich: str, plain: str) -> tuple[FileContent, dict[str, int]]:
    left_out: Counter[str] = Counter()
    if rich.strip():
        # Mails are laid out by tables and have no menus, so nothing of them is taken for a page's frame.
        markup = re.sub(r"(?is)<(blockquote|div)[^>]*(?:gmail_quote|type=[\"']cite)[^>]*>.*?</\1>", " ", rich)
        left_out["quoted mails"] = len(_tags_off(rich)) - len(_tags_off(markup))
        try:
            content = html.read_all_text(markup.encode())
            return content, {key: value for key, value in left_out.items() if value}
        except UnreadableFileError:
            pass
    kept = _QUOTED.sub("", plain)
    left_out["quoted mails"] += len(plain) - len(kept)
    return FileContent(text.blocks_of(kept)), {key: value for key, value in left_out.items() if value}


def _tags_off(markup: str) -> str:
    return " ".join(html_entities.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def _inside(files: Iterable[tuple[str, bytes]]) -> tuple[Inside, ...]:
    taken: Counter[str] = Counter()
    inside = []
    for number, (name, data) in enumerate(files, start=1):
        safe = _UNSAFE.sub("-", name).strip() or f"attachment {number}"
        taken[safe] += 1
        if taken[safe] > 1:
            stem, dot, suffix = safe.rpartition(".")
            safe = f"{stem} {taken[safe]}{dot}{suffix}" if dot else f"{safe} {taken[safe]}"
        inside.append(Inside(safe, data))
    return tuple(inside)
