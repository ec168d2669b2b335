"""`pes doctor`: what its checks found, a line each, with what to type next."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys

from pes_search.service.access.credentials import Credentials
from pes_search.service.cli.frame import FAILED_STATUS, index_settings, print_json
from pes_search.service.operation.checks import Check, CheckStatus, worst
from pes_search.service.operation.doctor import examine
from pes_search.service.records.file import DatabaseError
from pes_search.service.settings import Settings, settings_file

MARKS: dict[CheckStatus, str] = {"ok": "ok     ", "warning": "warning", "failing": "FAILING"}


def doctor(parsed: argparse.Namespace) -> int:
    """Examine the installation and print what was found; the status is 1 where something is failing."""
    checks: list[Check] = []
    for check in examine(lambda: index_settings(parsed), settings_file(), access, parsed.host, parsed.port):
        checks.append(check)
        if not parsed.json:
            print(line(check), flush=True)
    status = worst(checks)
    if parsed.json:
        print_json({"status": status, "checks": [dataclasses.asdict(check) for check in checks]})
    else:
        counts = {each: sum(check.status == each for check in checks) for each in MARKS}
        sys.stdout.flush()
        print(f"{counts['ok']} ok, {counts['warning']} warnings, {counts['failing']} failing", file=sys.stderr)
    return FAILED_STATUS if status == "failing" else 0


def line(check: Check) -> str:
    """Return a check as one line."""
    remedy = f" → {check.remedy}" if check.remedy else ""
    return " ".join(f"{MARKS[check.status]} {check.name}: {check.detail}{remedy}".split("\n"))


def access(settings: Settings) -> tuple[bool, bool]:
    """Tell whether there are keys, and whether the service is meant to be open without."""
    made = 0
    with contextlib.suppress(DatabaseError):  # which its own check tells of
        made = Credentials(settings.database.path).count_valid()
    has_keys = made or settings.desk.key or settings.access.oidc.issuer
    return bool(has_keys), bool(settings.access.open)
