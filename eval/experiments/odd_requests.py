"""Ten thousand odd queries, and requests made from the service's own description: what is not answered as it should be.

    python -m pes_search.eval.experiments.odd_requests [--queries 10000] [--cases 100]

The queries are put together from a seed: operators without ends, other scripts, control characters, halves of pairs, very long
words, markup, paths. Right and wrong requests are made by schemathesis, so many for each operation.
"""

from __future__ import annotations

import argparse
import http.client
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections import Counter
from pathlib import Path

from pes_search.eval.experiments.timed_service import Service, running_service
from pes_search.service.cli.frame import print_table
from pes_search.service.settings import read_settings

SEED = 22
PIECES = (
    '"', "-", "title:", "country:", "country:DE", "year:", "year:2010-", "NOT", "(", ")", "*", "?", "\\", "'", "…",
    "\0", "\t", "\r\n",
    "\u202e", "\u200b", "\ufeff", "\ufffd", "\U0001f469\u200d\U0001f4bb", "İ", "ß", "ﬁ", "Ω",
    "женщины", "失業", "बेरोज़गार", "عاطل", "ไทย",
    "a" * 300, "1" * 300, "é" * 100, "e\u0301" * 100, "<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap://a}",
    "../../etc/passwd",
    "%00", "%0d%0aSet-Cookie:a=b", "' OR 1=1 --", "vouchers", "women", "training", "Wer zahlt", "kto płaci", "0", "-1", "1e309",
    "NaN",
)  # fmt: skip
ROUTES = ("/api/v1/search?q=", "/?q=", "/api/v1/ask/stream?question=", "/export.json?q=", "/map?q=")
LONGEST_PIECES = 12


def main() -> int:
    """Print what came back; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--queries", type=int, default=10_000, metavar="N")
    parser.add_argument("--cases", type=int, default=100, metavar="N", help="of each operation of the description")
    parsed = parser.parse_args()
    settings = read_settings()
    with tempfile.TemporaryDirectory() as folder, running_service(settings.index_dir, Path(folder)) as service:
        faults = _queries(service, parsed.queries)
        print()
        return int(_described(service, parsed.cases) or bool(faults))


def _queries(service: Service, count: int) -> int:
    """Ask odd queries; return how many were answered with a fault of the service."""
    chance = random.Random(SEED)  # noqa: S311 – no secret
    place = urllib.parse.urlsplit(service.base)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    statuses: Counter[tuple[str, int]] = Counter()
    slowest: dict[str, float] = {}
    for _ in range(count):
        route = chance.choice(ROUTES)
        query = chance.choice(("", " ")).join(chance.choices(PIECES, k=chance.randint(1, LONGEST_PIECES)))
        began = time.monotonic()
        connection.request("GET", route + urllib.parse.quote(query, errors="surrogatepass"))
        response = connection.getresponse()
        body = response.read()
        is_page = "html" in (response.getheader("Content-Type") or "")
        if is_page and b"<script>alert(1)" in body:
            statuses[route, 599] += 1  # a query has become part of a page
        statuses[route, response.status] += 1
        slowest[route] = max(slowest.get(route, 0.0), time.monotonic() - began)
    rows = [
        (route.partition("?")[0], *(_count(statuses, route, first) for first in (2, 4, 5)), f"{slowest.get(route, 0.0):.2f}")
        for route in ROUTES
    ]
    print_table(("route", "answered", "refused", "failed", "slowest, s"), rows)
    return sum(number for (_, status), number in statuses.items() if status >= 500)


def _count(statuses: Counter[tuple[str, int]], route: str, first: int) -> int:
    return sum(number for (of_route, status), number in statuses.items() if of_route == route and status // 100 == first)


def _described(service: Service, cases: int) -> int:
    """Have schemathesis ask; print its summary and return its exit status."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{service.base}/openapi.json", "--no-color",
        "--max-examples", str(cases), "--seed", str(SEED), "--phases", "examples,coverage,fuzzing",
        # Any text is a filter's value by the description; which ones a collection has it tells with 422.
        "--exclude-checks", "positive_data_acceptance",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        print(done.stdout)
    told = re.search(r"(\d+) generated.*", done.stdout)
    print(f"requests by the description: {told[0] if told else 'none'}")
    return done.returncode


if __name__ == "__main__":
    raise SystemExit(main())
