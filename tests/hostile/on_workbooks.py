# ruff: noqa: E501 - attacks stand in lists, as wide as they are
"""Attacks on an XLSX workbook: its archive, and the XML in it."""

from __future__ import annotations

import io
import random
import re
import warnings
import zipfile
from collections.abc import Callable

from tests.hostile import on_bytes
from tests.hostile.on_bytes import Attack, Room
from tests.hostile.on_text import DATES, NUMBERS, WORDS

SHEET, BOOK, TEXTS, STYLES = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 9)).replace("&a0;", "&a;")
    + "]><x>&a8;</x>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


def parts_of(data: bytes) -> dict[str, bytes]:
    """The parts of an archive by name; none if it is no archive any more."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # whatever an attack before this one has left of it
        return {}


def archive_of(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive with these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, compresslevel=1) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def _on_part(name: str, change: Callable[[random.Random, str, Room], str]) -> Attack:
    def attack(rng: random.Random, data: bytes, room: Room) -> bytes:
        parts = parts_of(data)
        if name not in parts:
            return data
        text = parts[name].decode("utf-8", "replace")
        return archive_of(parts | {name: change(rng, text, room).encode("utf-8", "replace")})

    attack.__name__ = change.__name__
    return attack


def _one_cell(rng: random.Random, text: str, cell: str) -> str:
    found = list(re.finditer(r"<c [^>]*?(?:/>|>.*?</c>)", text))
    if not found:
        return text
    match = rng.choice(found)
    place = re.search(r'r="([A-Z]+\d+)"', match.group())
    return text[: match.start()] + cell.replace("HERE", place[1] if place else "A1") + text[match.end() :]


def odd_xlsx_cell(rng: random.Random, text: str, room: Room) -> str:
    number = rng.choice([*NUMBERS, *DATES, *(re.sub("[<>&]", "", word) for word in WORDS)])
    cells = (
        f'<c r="HERE"><v>{number}</v></c>', f'<c r="HERE" t="d"><v>{number}</v></c>', f'<c r="HERE" t="b"><v>{number}</v></c>',
        f'<c r="HERE" t="s"><v>{rng.choice(["-1", "99999999", "x", "", "1e3"])}</v></c>', '<c r="HERE" t="e"><v>#REF!</v></c>',
        f'<c r="HERE" t="inlineStr"><is><t>{re.sub("[<>&]", "", rng.choice(WORDS))}</t></is></c>', '<c r="HERE" t="zzz"><v>1</v></c>',
        '<c r="HERE"><f>1+1</f></c>', '<c r="HERE" t="str"><f>1+1</f><v></v></c>', '<c r="XFD1048576"><v>1</v></c>', "<c/>", "<c><f/></c>",
        '<c r="ZZZZZZ1"><v>1</v></c>', '<c r="A0"><v>1</v></c>', '<c r="1A"><v>1</v></c>', '<c r=""><v>1</v></c>', '<c r="$A$1"><v>1</v></c>',
        f'<c r="HERE" s="{rng.choice(["999", "-1", "x", "1"])}"><v>{number}</v></c>', "<c " + 'x="1" ' * 2 + "/>", "<row/>", "</row>",
        '<c r="A1:B2"><f>x</f></c>', '<c r="HERE"><v><v>1</v></v></c>', "<c>" * 500 + "</c>" * 500,
    )  # fmt: skip
    for _ in range(rng.choice([1, 3])):
        text = _one_cell(rng, text, rng.choice(cells))
    return text


def odd_sheet(rng: random.Random, text: str, room: Room) -> str:
    many = room.items
    rows, merged = "</sheetData>", "<mergeCells>{}</mergeCells></worksheet>"
    at_end = (
        (rows, f'<row r="1048576"/>{rows}'), (rows, f'<row r="999999999999"/>{rows}'), (rows, f'<row r="-5"><c><v>1</v></c></row>{rows}'),
        (rows, f'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>{rows}'), (rows, "<row/>" * many + rows),
        (rows, '<row r="5"><c r="XFD5"><v>1</v></c></row>' * 20 + rows), (rows, "<row>" + "<c><v>1</v></c>" * many + f"</row>{rows}"),
        (rows, "<row><c r='A1'><f>x</f></c></row>" * 500 + rows), (rows, '<row r="1e3"/>' + rows), (rows, '<row r="x"/>' + rows),
        ("</worksheet>", merged.format('<mergeCell ref="A1:XFD1048576"/>')), ("</worksheet>", merged.format('<mergeCell ref="A2:C2"/>' * many)),
        ("</worksheet>", merged.format('<mergeCell ref="A2:XFD2"/>' * many)), ("</worksheet>", merged.format('<mergeCell ref="x"/>')),
        ("</worksheet>", merged.format("<mergeCell/>")), ("</worksheet>", merged.format('<mergeCell ref="A:A"/>')),
        ("</worksheet>", merged.format('<mergeCell ref="B9:A1"/>')), ("</worksheet>", ""), ("</worksheet>", "<a>" * 5000),
        ("</worksheet>", "<a>" * 50_000 + "</a>" * 50_000 + "</worksheet>"), ("</worksheet>", "<x/>" * many + "</worksheet>"),
        ("</worksheet>", '<dataValidations count="1">' + '<dataValidation sqref="A1" type="list"/>' * (many // 8) + "</dataValidations></worksheet>"),
        ("</worksheet>", "<hyperlinks>" + '<hyperlink ref="A1"/>' * (many // 8) + "</hyperlinks></worksheet>"),
        ("<sheetData>", '<cols>' + '<col min="1" max="16384" width="9"/>' * (many // 8) + "</cols><sheetData>"),
        ("<sheetData>", "<sheetData>" + "<!-- x -->" * many), ("<sheetData>", "<sheetData><sheetData>"), ("<sheetData", "<sheetDatum"),
        (MAIN, ""), ('<?xml version="1.0" encoding="UTF-8"', '<?xml version="1.0" encoding="UTF-99"'),
    )  # fmt: skip
    return text.replace(*rng.choice(at_end))


def wide_and_long_sheet(rng: random.Random, text: str, room: Room) -> str:
    """A header as wide as a sheet can be, over rows that are blank, merged, or far away."""
    header = '<row r="1">' + "".join(f'<c t="inlineStr"><is><t>h{i}</t></is></c>' for i in range(16_384)) + "</row>"
    body, end = rng.choice(
        [
            ('<row r="1048576"/>', ""), ("<row/>" * room.items, ""), ('<row r="2"><c><v>1</v></c></row>', '<mergeCell ref="A2:XFD2"/>' * room.items),
            ('<row r="2"><c r="XFD2"><v>1</v></c></row>' * 300, ""), ('<row><c r="XFD2"><v>1</v></c></row>' * (room.items // 10), ""),
        ]
    )  # fmt: skip
    merged = f"<mergeCells>{end}</mergeCells>" if end else ""
    return f'<?xml version="1.0"?><worksheet {MAIN}><sheetData>{header}{body}</sheetData>{merged}</worksheet>'


def cut_off_part(rng: random.Random, text: str, room: Room) -> str:
    return text[: rng.randrange(len(text) + 1)]


def xml_bomb(rng: random.Random, text: str, room: Room) -> str:
    laughs = LAUGHS.replace(
        "<x>&a8;</x>", re.sub(r"^<\?xml[^>]*>", "", text).replace("<v>", "<v>&a8;", 3).replace("<t>", "<t>&a8;", 3)
    )
    return rng.choice(
        [LAUGHS, OUTSIDE, laughs, "<a>" * 100_000, text.replace("<", "&lt;"), "", "\0", "<a " + "b='1' " * 2 + ">"]
    )


def odd_book(rng: random.Random, text: str, room: Room) -> str:
    sheet = re.search(r"<sheet [^>]*>", text)
    one = sheet[0] if sheet else "<sheet/>"
    state = rng.choice(["hidden", "veryHidden", "zzz"])
    return text.replace(
        one,
        rng.choice(
            [
                "", one * 2, one * min(2000, room.items), one.replace("<sheet ", f'<sheet state="{state}" '), one.replace("rId1", "rId99"),
                re.sub(r'name="[^"]*"', f'name="{"x" * 5000}"', one), re.sub(r'name="[^"]*"', 'name="&lt;b&gt;\u202e"', one),
                re.sub(r'sheetId="[^"]*"', 'sheetId="x"', one),
            ]
        ),
    ).replace("</workbook>", rng.choice(["", "<definedNames>" + '<definedName name="a">A1</definedName>' * (room.items // 8) + "</definedNames>"]) + "</workbook>")  # fmt: skip


def odd_relation(rng: random.Random, text: str, room: Room) -> str:
    target = rng.choice(
        [
            "../../../etc/passwd",
            "/etc/passwd",
            "http://evil.example/x.xml",
            "",
            "xl/workbook.xml",
            "missing.xml",
            "x" * 3000,
        ]
    )
    return re.sub(r'Target="[^"]*"', lambda match: f'Target="{target}"', text, count=rng.choice([1, 0]))


def odd_styles(rng: random.Random, text: str, room: Room) -> str:
    formats = (
        '<numFmts count="1"><numFmt numFmtId="200" formatCode="'
        + rng.choice(["yyyy", "[h]:mm", "\u202e", "x" * 5000, "yyyy" * 5000])
        + '"/></numFmts>'
    )
    more = rng.choice(["", '<xf numFmtId="14"/>' * (room.items // 8), '<xf numFmtId="99999"/>'])
    return (
        text.replace("<fonts", formats + "<fonts", 1)
        .replace("</cellXfs>", f"{more}</cellXfs>")
        .replace('numFmtId="0"', 'numFmtId="14"')
    )


def many_texts(rng: random.Random, text: str, room: Room) -> str:
    piece = rng.choice(["<si><t>x</t></si>", "<si/>", "<si><r><t>a</t></r></si>", f"<si><t>{'x' * 1000}</t></si>"])
    return text.replace("</sst>", piece * min(room.items * 5, 9_000_000 // len(piece)) + "</sst>")


def odd_archive(rng: random.Random, data: bytes, room: Room) -> bytes:
    parts = parts_of(data)
    how = rng.randrange(6)
    if not parts or how == 0:
        return data.replace(b"PK\x01\x02", rng.choice([b"PK\x01\x03", b"", b"PK\x01\x02\xff"]), 1)
    if how == 1:
        parts.pop(rng.choice(list(parts)))
    elif how == 2:
        return archive_of(
            {
                name: part
                for name, part in parts.items()
                if not name.startswith(rng.choice(["_rels", "docProps", "xl/_rels"]))
            }
        )
    elif how == 3:
        return archive_of(parts, rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    elif how == 4:
        out = io.BytesIO()
        with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
            warnings.simplefilter("ignore")
            for name, part in [*parts.items(), *parts.items()]:
                archive.writestr(name, part)
        return out.getvalue()
    else:  # the mark of an encrypted part
        return re.sub(rb"(PK\x01\x02....)\0\0", lambda match: match[1] + b"\1\0", archive_of(parts), flags=re.DOTALL)
    return archive_of(parts)


def zip_bomb(rng: random.Random, data: bytes, room: Room) -> bytes:
    name = rng.choice([SHEET, TEXTS, STYLES, BOOK, "xl/media/x.bin"])
    inside = b"\0" if name.endswith("bin") else b"<row><c><v>1</v></c></row>"
    return archive_of(parts_of(data) | {name: inside * (min(room.unpacked // 10, 150_000_000) // len(inside))})


ATTACKS: tuple[Attack, ...] = (
    *(_on_part(SHEET, odd_xlsx_cell),) * 6, *(_on_part(SHEET, odd_sheet),) * 6, _on_part(SHEET, wide_and_long_sheet),
    _on_part(SHEET, cut_off_part), _on_part(SHEET, xml_bomb), _on_part(TEXTS, xml_bomb), _on_part(STYLES, xml_bomb),
    _on_part(BOOK, xml_bomb), *(_on_part(BOOK, odd_book),) * 2, _on_part("xl/_rels/workbook.xml.rels", odd_relation),
    _on_part("[Content_Types].xml", cut_off_part), *(_on_part(STYLES, odd_styles),) * 2, _on_part(TEXTS, many_texts),
    *(odd_archive,) * 3, zip_bomb, *on_bytes.ATTACKS[:7],
)  # fmt: skip
