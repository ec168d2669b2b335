"""Markdown with YAML front matter: headings, paragraphs, list items and table rows, without the markup."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pes_search.ingest.cleaning.tables import table_rows
from pes_search.ingest.countries import country_code
from pes_search.ingest.dates import find_date
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.decode import decode
from pes_search.ingest.types import Block, BlockKind, FileContent
from pes_search.ingest.yaml_lines import YamlError, load_yaml_with_lines

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)


def _country(value: object) -> object:
    # YAML reads Norway's unquoted NO as false.
    code = "NO" if value is False else country_code(str(value))
    if code is None:
        raise ValueError(f"{value!r} is no country name or ISO 3166-1 alpha-2 code")
    return code


def _text(value: object) -> object:
    return str(value) if isinstance(value, (int, float)) or hasattr(value, "isoformat") else value


Text = Annotated[str, BeforeValidator(_text)]
Country = Annotated[str, BeforeValidator(_country)]


Year = Annotated[int, Field(ge=1000, le=9999)]


class Source(BaseModel):
    """Where a document's facts come from: an address, or a reference where the whole address is not known."""

    url: str | None = None
    reference: Text | None = None
    date: Text | None = None


class FrontMatter(BaseModel):
    """The keys that mean something here; others are kept by the file and ignored."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")] | None = None
    title: Text | None = None
    native_title: Text | None = None
    kind: str | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | Literal[False] | None = None
    date: Text | None = None
    url: str | None = None
    organisation: Text | None = None
    region: Text | None = None
    countries: list[Country] = []
    start: Year | None = None
    end: Year | None = None
    target_groups: list[str] = []
    measure_types: list[str] = []
    channels: list[str] = []
    related: list[str] = []
    sources: list[Annotated[Source, BeforeValidator(lambda value: {"url": value} if isinstance(value, str) else value)]] = []

    def fields(self) -> dict[str, object]:
        """Return the values under the names of `Document`."""
        values: dict[str, object] = self.model_dump(exclude={"sources", "start", "end", "date", "language"})
        date = find_date(self.date) if self.date else None
        values |= {
            "url": self.url or next((source.url for source in self.sources if source.url), None),
            "date": date,
            "language": "no" if self.language is False else self.language,
            "year": self.start or (int(date[:4]) if date else None),
            "end_year": self.end,
        }
        values["countries"] = list(dict.fromkeys(self.countries))
        return {name: value for name, value in values.items() if value}


def read(data: bytes) -> FileContent:
    """Read CommonMark with tables.

    Raises:
        UnreadableFileError: the front matter is no valid YAML, or one of its known keys has a value of another type.
    """
    text = decode(data)
    match = FRONT_MATTER.match(text)
    fields = _front_matter(match[1]).fields() if match else {}
    blocks = _blocks(MarkdownIt("commonmark").enable("table").parse(text[match.end() :] if match else text))
    first = next((block for block in blocks if block.kind == "heading"), None)
    if first:
        fields.setdefault("title", first.text)
    return FileContent(blocks, fields)


def _front_matter(text: str) -> FrontMatter:
    try:
        values = load_yaml_with_lines(text, first_line=2).value
    except YamlError as error:
        raise UnreadableFileError(f"front matter is {error} at line {error.line}") from error
    if values is None:
        return FrontMatter()
    if not isinstance(values, dict):
        raise UnreadableFileError("front matter must be `key: value` lines")
    try:
        return FrontMatter.model_validate({key: value for key, value in values.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise UnreadableFileError(f"front matter `{'.'.join(map(str, first['loc']))}`: {first['msg']}") from error


def _blocks(tokens: list[Token]) -> list[Block]:
    blocks: list[Block] = []
    kind: BlockKind = "paragraph"
    level = items = 0
    rows: list[list[str]] = []
    in_table = False
    for token in tokens:
        match token.type:
            case "heading_open":
                kind, level = "heading", int(token.tag[1])
            case "list_item_open":
                items += 1
            case "list_item_close":
                items -= 1
            case "table_open":
                rows, in_table = [], True
            case "tr_open":
                rows.append([])
            case "table_close":
                blocks.extend(Block("row", text) for text in table_rows(rows, header=True))
                in_table = False
            case "inline" if in_table:
                rows[-1].append(_plain(token))
            case "inline":
                if kind == "paragraph" and items:
                    blocks.append(Block("item", _plain(token)))
                else:
                    blocks.append(Block(kind, _plain(token), level=level if kind == "heading" else 0))
                kind = "paragraph"
            case "html_block":
                blocks.append(Block("paragraph", _COMMENT.sub(" ", token.content)))
            case "fence" | "code_block":
                blocks.append(Block("paragraph", token.content))
            case _:
                pass
    return [block for block in blocks if block.text.strip()]


def _plain(token: Token) -> str:
    """Return an inline token's text without markup; a link keeps its words, an image its description."""
    parts = []
    for child in token.children or []:
        if child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type == "html_inline":
            parts.append(_COMMENT.sub("", child.content))
        else:
            parts.append(child.content)
    return "".join(parts)
