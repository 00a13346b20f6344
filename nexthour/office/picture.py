"""A chart as a picture, drawn on this machine.

Left out: charts themselves; a spec with data in it is handed in. Data that stand somewhere else are not fetched.
"""

import re
from textwrap import wrap
from typing import Any

import vl_convert

from nexthour.report.text import forwardable_line

SMALL = 10
LETTER = 5.0
"""Size of a line under the title, and width of one of its letters, in pixels."""
LETTERS = 80
"""Letters on a line where the picture's width is not said."""


def png(spec: dict[str, Any], scale: float = 2, provenance: str = "") -> bytes:
    """A Vega-Lite specification with its data as PNG, `scale` pixels for each of its own.

    `provenance`, a line such as `Provenance.line`, goes under the title; it is made safe to send on, the rest of the
    spec is as it comes. The grammar is the version that `$schema` names, of those that are installed the latest with
    that first number. Raises ValueError if the spec cannot be drawn or asks for data from elsewhere.
    """
    drawn = vl_convert.vegalite_to_png(
        {**spec, "title": _title(spec, forwardable_line(provenance))} if provenance else spec,
        vl_version=_grammar_version(spec),
        scale=scale,
        # Of a list without any address, none is allowed.
        allowed_base_urls=[],
    )
    return bytes(drawn)


def _title(spec: dict[str, Any], line: str) -> dict[str, Any]:
    """The title, which may be text, lines, an object or nothing, with more small lines under it."""
    title, width = spec.get("title"), spec.get("width")
    parts = dict(title) if isinstance(title, dict) else {"text": title or ""}
    letters = int(width / LETTER) if isinstance(width, int | float) else LETTERS
    lines = wrap(line, max(20, letters), break_on_hyphens=False)
    if not parts["text"]:
        # Nothing is drawn under a title that is not there.
        return {"anchor": "start", "fontSize": SMALL, "fontWeight": "normal", **parts, "text": lines}
    under = parts.get("subtitle") or []
    under = [under] if isinstance(under, str) else under
    return {"anchor": "start", "subtitleFontSize": SMALL, **parts, "subtitle": [*under, *lines]}


def _grammar_version(spec: dict[str, Any]) -> str:
    """The latest installed version of Vega-Lite with the first number that the spec asks for."""
    installed = vl_convert.get_vegalite_versions()
    wanted = re.search(r"/v(\d+)", str(spec.get("$schema", "")))
    fitting = [version for version in installed if wanted is None or version.split(".")[0] == wanted[1]]
    # Versions as numbers: 5.14 is later than 5.8.
    return max(fitting or installed, key=lambda version: [int(part) for part in version.split(".")])
