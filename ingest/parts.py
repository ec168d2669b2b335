"""What can be exchanged (file readers, sources, encoders, stores, writers): a table each; a part is imported when asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from pes_search.ingest.errors import MissingPartError

PACKAGE = "pes_search"
DISTRIBUTION = "pes-search"


@dataclass(frozen=True, slots=True)
class Part:
    """A row of a table of parts. Where a kind tells more of its parts, a subclass adds the fields.

    A module that needs an optional library imports it at its top: then it is missed when the part is loaded, by its name, and
    not in the middle of the work.
    """

    target: str  # "package.module:attribute"
    extra: str | None = None  # of the distribution, where the module needs libraries that are not always installed


Loaded = TypeVar("Loaded")
Row = TypeVar("Row", bound=Part)


@dataclass(frozen=True, slots=True)
class Parts(Generic[Loaded, Row]):
    """The parts of one kind by name: `Parts[Encoder, Part]("encoder", {"packaged": Part("package.module:load")})`."""

    kind: str  # as messages call it
    rows: Mapping[str, Row]

    def row(self, name: str) -> Row:
        """Return a part's row.

        Raises:
            MissingPartError: no part has the name; the message says which there are.
        """
        if name not in self.rows:
            raise MissingPartError(f"no {self.kind} is called {name!r}; there are {', '.join(self.rows)}")
        return self.rows[name]

    def load(self, name: str) -> Loaded:
        """Return what a part's row names, importing its module.

        Raises:
            MissingPartError: no part has the name, or a library is missing; the message says how to install it.
        """
        row = self.row(name)
        module, _, attribute = row.target.partition(":")
        try:
            part = getattr(importlib.import_module(module), attribute)
        except ImportError as error:
            if row.extra is None or (error.name or "").partition(".")[0] == PACKAGE:
                raise  # no library that the user could install: the table or the installation is wrong
            raise MissingPartError(
                f"the {self.kind} {name!r} needs {error.name or 'a library'}, which cannot be imported ({error}); "
                f"install it: pip install '{DISTRIBUTION}[{row.extra}]'"
            ) from error
        return cast(Loaded, part)
