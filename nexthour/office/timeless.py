"""An Office file without the time of day at which it was made: equal contents, equal bytes."""

from __future__ import annotations

import datetime
import re
import zipfile
from io import BytesIO

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""A zip file knows no earlier time."""
MADE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def make_timeless(office_file: bytes, day: datetime.date) -> bytes:
    """Date a document, its parts and the workbooks in it to midnight of a day."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(office_file)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name.endswith(".xlsx"):
                part = make_timeless(part, day)
            elif name == "docProps/core.xml":
                part = MADE.sub(f"{day.isoformat()}T00:00:00Z".encode(), part)
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, part)
    return out.getvalue()
