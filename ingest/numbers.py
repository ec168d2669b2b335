"""Numbers as people write them: 12500, 12,500, 12.500 and 12 500 are one number, and so are 1.5 and 1,5."""

from __future__ import annotations

import re

# Groups of three digits with one sign between them, or a comma or point before one or two decimals. What goes on with a
# further sign and digit is something else: a date (27.04.2023), an address (192.168.1.1).
_SEPARATOR = r"[,.'’\u00a0\u202f\u2009 ]"
NUMBER = re.compile(
    rf"(?<![\w])(?<!\d[.,])(?:[1-9]\d{{0,2}}(?:({_SEPARATOR})\d{{3}})(?:\1\d{{3}})*(?:[.,]\d{{1,2}})?|\d+[.,]\d{{1,2}}|0[.,]\d+|\d+)(?!\d|[.,]\d)"
)
_GROUPED = re.compile(rf"([1-9]\d{{0,2}})((?:{_SEPARATOR}\d{{3}})+)(?:[.,](\d{{1,2}}))?")


def plain_number(text: str) -> str:
    """Return a number that `NUMBER` matched without separators of thousands, and with a point before its decimals."""
    if grouped := _GROUPED.fullmatch(text):
        first, groups, decimals = grouped.groups()
        whole = first + re.sub(r"\D", "", groups)
        return f"{whole}.{decimals}" if decimals else whole
    return text.replace(",", ".")
