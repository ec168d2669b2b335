"""`pes backup` and `pes restore`."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from pes_search.service.cli.frame import index_settings, print_json
from pes_search.service.settings import SettingsError


def backup(parsed: argparse.Namespace) -> int:
    """Back up, and say what is in the file and what there was none of."""
    from pes_search.service.operation.backup import back_up

    if parsed.keep is not None and parsed.keep < 1:
        raise SettingsError(f"--keep must be 1 or more, not {parsed.keep}")
    # A path says nothing any more of the slash at its end, which means a folder that is still to be made.
    if parsed.to.endswith("/"):
        Path(parsed.to).mkdir(parents=True, exist_ok=True)
    report = back_up(index_settings(parsed), Path(parsed.to), with_fetched=parsed.with_fetched, keep=parsed.keep)
    if parsed.json:
        print_json(dataclasses.asdict(report))
        return 0
    for reason in report.missing:
        print(f"pes: without {reason}", file=sys.stderr)
    counts = ", ".join(f"{part} {files}" for part, files in report.parts.items())
    print(f"{report.file}: {report.bytes / 1e6:.1f} MB, files: {counts}")
    for older in report.removed:
        print(f"removed {older}")
    return 0


def restore(parsed: argparse.Namespace) -> int:
    """Restore, and say where everything is now, and where what was there before."""
    from pes_search.service.operation.archives import Archive
    from pes_search.service.operation.backup import PARTS
    from pes_search.service.operation.restore import places
    from pes_search.service.operation.restore import restore as put_back

    if parsed.check:
        archive = Archive(Path(parsed.file))
        parts = {part: len(archive.of_part(part)) for part in PARTS if archive.of_part(part)}
        values = {"file": parsed.file, "made_at": archive.values.get("made_at"), "version": archive.values.get("version")}
        if parsed.json:
            print_json({**values, "parts": parts})
        else:
            counts = ", ".join(f"{part} {files}" for part, files in parts.items())
            print(f"{parsed.file} of {values['made_at']} is whole; files: {counts}")
        return 0
    targets = places(index_settings(parsed), Path(parsed.into) if parsed.into else None)
    report = put_back(Path(parsed.file), targets, parsed.only or PARTS)
    if parsed.json:
        print_json(dataclasses.asdict(report))
        return 0
    for part, place in report.parts.items():
        before = f"; what was there is in {report.kept[part]}" if part in report.kept else ""
        print(f"{part}: {place}, as it was on {report.made_at}{before}")
    return 0
