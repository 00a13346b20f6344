"""Claim: how a number is written, people read in one file: nexthour/report/numbers.py.

Left out: dates, the formats of Vega and of input boxes, which others write by them, and the libraries' own sentences.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_names import files, place

FOLDERS = ("nexthour/app", "nexthour/jobs", "nexthour/office", "nexthour/report", "nexthour/terminal")
FORMAT = re.compile(r"[<>=^]?[-+ ]?#?0?\d*(?=.)[,_]?(\.\d+)?[bcdeEfFgGnoxX%]?")
"""A format of a number in Python's words: more than a width, and nothing that stands in one of a date."""
IN_TEXT = re.compile(r"\{\w*!?[rsa]?:(?! )([^{}]+)\}")
"""A place of str.format with its format."""
ALONE = re.compile(r"[-+]?,?\.\d+[efg%]|[-+]?,")
"""A format that stands alone, to be handed on."""
OTHERS = {
    "nexthour/report/numbers.py": "it is that file",
    "nexthour/app/charts/": "Vega reads them",
    "nexthour/app/state/url_state.py": "an address is read by programs, which want every digit",
}
"""Where formats may stand, with the reason."""


def formats(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """The formats of numbers in a module."""
    nodes = tuple(ast.walk(tree))
    specs = [
        node.format_spec for node in nodes if isinstance(node, ast.FormattedValue) and node.format_spec is not None
    ]
    inside = {id(part) for spec in specs for part in ast.walk(spec)}
    for spec in specs:
        text = "".join(str(part.value) for part in ast.walk(spec) if isinstance(part, ast.Constant))
        if FORMAT.fullmatch(text):
            yield spec, text
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield from ((node, text) for text in IN_TEXT.findall(node.value) if FORMAT.fullmatch(text))
            if ALONE.fullmatch(node.value) and node.value != ",":
                yield node, node.value


def is_allowed(path: Path) -> bool:
    where = path.as_posix()
    return any(f"/{place}" in where for place in OTHERS)


def test_formats_of_numbers_stand_in_one_file() -> None:
    found = [
        f"{place(path, node)} {spec}"
        for path in files(*FOLDERS)
        if not is_allowed(path)
        for node, spec in formats(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('f"{amount:,.0f} deals"', [",.0f"]),
        ('f"{share:+.1%}"', ["+.1%"]),
        ('"{:.0%}".format', [".0%"]),
        ('"{done:,} of {total:,}".format(done=1, total=2)', [",", ","]),
        ('interval(share, ".1%")', [".1%"]),
        ('f"{value:g}"', ["g"]),
        ('f"{hours:{width}.1f}"', [".1f"]),
        ('f"{day:%b} {name:<12} {text!r}"', []),
        ('st.slider("Share", format="%d%%")', []),
        ('", ".join(names)', []),
    ],
)
def test_the_check_of_formats_knows_one(text: str, found: list[str]) -> None:
    assert [spec for _, spec in formats(ast.parse(text))] == found
