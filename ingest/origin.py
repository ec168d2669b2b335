"""Where a file was fetched, and where the pages of its site have what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LAYOUT_FIELDS = frozenset(
    {
        "country",
        "end",
        "measure_types",
        "native_title",
        "organisation",
        "partners",
        "period",
        "published",
        "start",
        "target_groups",
    }
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the pages of a site have what, as CSS selectors; several are separated by commas."""

    __pydantic_config__ = {"extra": "forbid"}

    title: str = ""
    main: str = ""  # the part that is the page's own text; where a page has none it is read like any other
    remove: str = ""  # parts of it that are not
    # By the names of labelled fields (`country`, `period`, `start`, `end`, `published`, `organisation`, `partners`,
    # `native_title`, `target_groups`, `measure_types`): the elements whose text is the value.
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        from cssselect import HTMLTranslator, SelectorError

        for selector in (self.title, self.main, self.remove, *self.fields.values()):
            try:
                HTMLTranslator().css_to_xpath(selector or "*")
            except SelectorError as error:
                raise ValueError(f"layout: {selector!r} is no CSS selector: {error}") from error
        if unknown := sorted(set(self.fields) - LAYOUT_FIELDS):
            raise ValueError(f"layout: no field {', '.join(unknown)}; there are {', '.join(sorted(LAYOUT_FIELDS))}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file was fetched, and what is known of it from there."""

    address: str  # of the page, in its one form
    # By the names of `Document`, for what the file does not say itself.
    fields: Mapping[str, Any] = field(default_factory=dict, hash=False)
    layout: Layout = field(default_factory=Layout)
