"""What is fetched, and within which limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path

from pes_search.ingest.origin import Layout
from pes_search.ingest.visibility import read_label


@dataclass(frozen=True, slots=True)
class FetchConfig:
    """The limits of fetching."""

    __pydantic_config__ = {"extra": "forbid"}

    folder: Path = Path("var/web")  # each source has a folder in it; read by every build without arguments
    contact: str = ""  # an address of a page or mailbox that sites may turn to; sent with every request
    seconds_between: float = 1.0  # requests to one host; a site's own Crawl-delay counts where it is longer
    seconds: float = 60.0  # for one request, whatever the server does
    megabytes: int = 50  # of one page or file, unpacked
    longest_wait_seconds: float = 120.0  # that a server may ask for; where it asks for more the run ends, to go on later
    private_hosts: tuple[str, ...] = ()  # that may be fetched although their addresses are private

    def __post_init__(self) -> None:
        if self.seconds_between < 0 or self.seconds <= 0 or self.megabytes < 1 or self.longest_wait_seconds < 0:
            raise ValueError("needs seconds_between >= 0, seconds > 0, megabytes >= 1 and longest_wait_seconds >= 0")


@dataclass(frozen=True, slots=True)
class WebSource:
    """A place on the web and which of its pages are wanted.

    Patterns are compared with an address's path and query, `*` for anything: `/news/*`.
    """

    __pydantic_config__ = {"extra": "forbid"}

    name: str = ""  # of its folder
    preset: str = ""  # a description that comes with the product; what is given here counts before it
    urls: tuple[str, ...] = ()  # pages, files, sitemaps, feeds, lists of links, or the base address of an OAI-PMH interface
    depth: int | None = (
        None  # how many links away from those addresses; what a sitemap, feed or list names counts as they do; none is 0
    )
    only: tuple[str, ...] = ()  # patterns, one of which every other address fits
    skip: tuple[str, ...] = ()  # patterns that none fits
    lists: tuple[str, ...] = ()  # patterns of pages that only list others: not kept, and not counted as a link away
    hosts: tuple[str, ...] = ()  # beside those of `urls`
    most_pages: int = 10_000
    kind: str = ""  # of its documents: news, practice, factsheet …
    organisation: str = ""  # that its documents are of, where they do not say
    countries: tuple[str, ...] = ()  # that they are about, where they do not say
    visibility: str = ""  # the label that a reader of its documents needs; empty or public: everybody reads them
    layout: Layout = field(default_factory=Layout)

    def __post_init__(self) -> None:
        if self.name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name):
            raise ValueError(f"source {self.name!r}: a name has letters, digits, dots, hyphens and underscores only")
        if (self.depth or 0) < 0 or self.most_pages < 1:
            raise ValueError("needs depth >= 0 and most_pages >= 1")
        read_label(self.visibility)

    def over(self, preset: WebSource) -> WebSource:
        """Return this source with what it leaves at the default taken from a preset."""
        given = {
            one.name: value
            for one in fields(self)
            if (value := getattr(self, one.name))
            != (one.default_factory() if one.default_factory is not MISSING else one.default)
        }
        return replace(preset, **given)

    def fields(self) -> Mapping[str, object]:
        """Return what its documents have where they say nothing themselves, by the names of `Document`.

        The visibility is theirs whatever they say.
        """
        stated = {
            "kind": self.kind,
            "organisation": self.organisation,
            "countries": list(self.countries),
            "visibility": read_label(self.visibility),
        }
        return {name: value for name, value in stated.items() if value}
