"""Makes small Outlook mails (.msg), which no library writes: [MS-OXMSG] in a compound file, [MS-CFB]."""

from __future__ import annotations

import datetime
import struct
from collections.abc import Mapping, Sequence

SECTOR, SMALL_SECTOR, LEAST_LARGE = 512, 64, 4096
FREE, END, OF_TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
STORAGE, STREAM, ROOT = 1, 2, 5
Folder = Mapping[str, "bytes | Folder"]

TEXT, BINARY, TIME = 0x001F, 0x0102, 0x0040


def outlook_mail(
    subject: str, sender: str, text: str, sent: datetime.datetime, attachments: Sequence[tuple[str, bytes]] = ()
) -> bytes:
    """Return a mail as Outlook saves it."""
    ticks = int((sent - datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)).total_seconds()) * 10_000_000
    values: list[tuple[int, int, bytes]] = [
        (0x001A, TEXT, "IPM.Note".encode("utf-16-le")),
        (0x0037, TEXT, subject.encode("utf-16-le")),
        (0x0042, TEXT, sender.encode("utf-16-le")),
        (0x1000, TEXT, text.encode("utf-16-le")),
        (0x0039, TIME, struct.pack("<Q", ticks)),
    ]
    header = struct.pack("<8xIIII8x", 0, len(attachments), 0, len(attachments))
    folders: dict[str, bytes | Folder] = {}
    for number, (name, data) in enumerate(attachments):
        parts = [(0x3707, TEXT, name.encode("utf-16-le")), (0x3701, BINARY, data)]
        method = struct.pack("<HHI8s", 3, 0x3705, 6, struct.pack("<Q", 1))
        folders[f"__attach_version1.0_#{number:08X}"] = _with_properties(bytes(8), parts, method)
    return compound_file({**_with_properties(header, values), **folders})


def _with_properties(header: bytes, values: Sequence[tuple[int, int, bytes]], more: bytes = b"") -> dict[str, bytes | Folder]:
    table = header + more
    streams: dict[str, bytes | Folder] = {}
    for number, kind, value in values:
        inline = value if kind == TIME else struct.pack("<Q", len(value) + (2 if kind == TEXT else 0))
        table += struct.pack("<HHI8s", kind, number, 6, inline)
        if kind != TIME:
            streams[f"__substg1.0_{number:04X}{kind:04X}"] = value
    return {"__properties_version1.0": table, **streams}


def compound_file(root: Folder) -> bytes:
    """Return folders and streams as one compound file."""
    entries: list[list[object]] = []  # name, kind, first child, next sibling, bytes

    def add(name: str, content: bytes | Folder) -> int:
        number = len(entries)
        entries.append([name, STREAM if isinstance(content, bytes) else STORAGE, FREE, FREE, content])
        if not isinstance(content, bytes):
            # A chain of siblings is a tree too, if an unbalanced one.
            before = None
            for child in sorted(content, key=lambda one: (len(one), one.upper())):
                added = add(child, content[child])
                if before is None:
                    entries[number][2] = added
                else:
                    entries[before][3] = added
                before = added
        return number

    add("Root Entry", root)
    entries[0][1] = ROOT
    table: list[int] = []  # the sector after each
    sectors = b""
    small_table: list[int] = []
    small = b""
    places: dict[int, tuple[int, int]] = {}

    def write(data: bytes) -> int:
        nonlocal sectors
        count = max(1, -(-len(data) // SECTOR))
        first = len(table)
        table.extend([*range(first + 1, first + count), END])
        sectors += data.ljust(count * SECTOR, b"\0")
        return first

    for number, (_, kind, _, _, content) in enumerate(entries):
        if kind != STREAM or not isinstance(content, bytes):
            continue
        if len(content) >= LEAST_LARGE:
            places[number] = write(content), len(content)
        elif content:
            count = -(-len(content) // SMALL_SECTOR)
            places[number] = len(small_table), len(content)
            small_table.extend([*range(len(small_table) + 1, len(small_table) + count), END])
            small += content.ljust(count * SMALL_SECTOR, b"\0")
    places[0] = write(small), len(small)
    first_small = write(struct.pack(f"<{len(small_table)}I", *small_table).ljust(SECTOR, b"\xff"))
    directory = b""
    for number, (name, kind, child, sibling, _) in enumerate(entries):
        first, length = places.get(number, (0, 0))
        encoded = str(name).encode("utf-16-le")
        directory += struct.pack(
            "<64sHBBIII16sIQQIQ", encoded, len(encoded) + 2, kind, 1, FREE, sibling, child, bytes(16), 0, 0, 0, first, length
        )
    blank = struct.pack("<64sHBBIII16sIQQIQ", b"", 0, 0, 1, FREE, FREE, FREE, bytes(16), 0, 0, 0, 0, 0)
    directory += blank * (-len(entries) % 4)
    first_directory = write(directory)
    of_table = next(count for count in range(1, 110) if count * SECTOR // 4 >= len(table) + count)
    first_of_table = len(table)
    full = [*table, *[OF_TABLE] * of_table]
    full += [FREE] * (of_table * SECTOR // 4 - len(full))
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6,
        0, of_table, first_directory, 0, LEAST_LARGE, first_small, -(-len(small_table) * 4 // SECTOR), END, 0,
        first_of_table,
    )  # fmt: skip
    more = [*range(first_of_table + 1, first_of_table + of_table)]
    header += struct.pack("<108I", *more, *[FREE] * (108 - len(more)))
    return header + sectors + struct.pack(f"<{len(full)}I", *full)
