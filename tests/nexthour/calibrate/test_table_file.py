"""A file is read as the rows it holds, or refused in one sentence; no row disappears.

Claims: the same table gives the same cells in every dialect, encoding and packing; each row keeps the number that a
spreadsheet shows; a row that does not fit under the header is listed, blank ones are not; a hostile file costs a
sentence, not memory, time or a traceback.
"""

from __future__ import annotations

import datetime
import gzip
import io
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexthour.calibrate.files import table_file, text_lines, workbooks
from nexthour.calibrate.files.table_file import Layout, open_table, read_small
from sim.errors import TableError
from tests.hostile.good_files import workbook_of

pytestmark = pytest.mark.generated

ROWS = [["Name", "Größe", "Sum"], ["Müller, Co", "a\nb", "1"], ['say "x"', "", "2"], ["  padded ", "c", ""]]
CELLS = [["Müller, Co", "a\nb", "1"], ['say "x"', "", "2"], ["padded", "c", ""]]


def as_csv(rows: list[list[str]], separator: str = ",", end: str = "\n") -> str:
    import csv

    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue()


def as_workbook(rows: list[list[Any]], change: Callable[[Any], None] = lambda sheet: None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    change(sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def patched(workbook: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """A workbook with one of its parts changed as text."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for info in before.infolist():
            data = before.read(info)
            after.writestr(info.filename, change(data.decode()).encode() if info.filename == part else data)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def read(path: Path, columns: list[str] | None = None, layout: Layout = table_file.PLAIN, rows: int = 100_000) -> Any:
    """The cells by row, and the misfits."""
    table = open_table(path, layout)
    frames = list(table.blocks(columns or list(table.header), rows))
    found = {int(row): list(cells) for frame in frames for row, *cells in frame.itertuples()}
    assert all(list(frame.columns) == list(columns or table.header) for frame in frames)
    assert table.read_bytes == table.size_bytes
    return found, dict(table.misfits)


def refusal(path: Path, layout: Layout = table_file.PLAIN) -> str:
    with pytest.raises(TableError) as caught:
        read(path, layout=layout)
    assert "\n" not in str(caught.value) and len(str(caught.value)) <= 400
    return str(caught.value).removeprefix(f"{path}: ")


# ------------------------------------------------------------------------ one table, many files

DIALECTS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "commas": (as_csv(ROWS).encode(), {}),
    "semicolons": (as_csv(ROWS, ";").encode(), {"separator": ";"}),
    "tabs": (as_csv(ROWS, "\t").encode(), {"separator": "\t"}),
    "bars": (as_csv(ROWS, "|").encode(), {"separator": "|"}),
    "Windows line ends": (as_csv(ROWS, end="\r\n").encode(), {}),
    "old Mac line ends": (as_csv(ROWS, end="\r").encode(), {}),
    "UTF-8 with its mark": (b"\xef\xbb\xbf" + as_csv(ROWS).encode(), {}),
    "UTF-8 with its mark, named": (b"\xef\xbb\xbf" + as_csv(ROWS).encode(), {"encoding": "UTF8"}),
    "UTF-16": (as_csv(ROWS).encode("utf-16"), {}),
    "UTF-16, big end first": (b"\xfe\xff" + as_csv(ROWS).encode("utf-16-be"), {}),
    "UTF-16 without a mark, named": (as_csv(ROWS).encode("utf-16-le"), {"encoding": "utf-16-le"}),
    "Windows": (as_csv(ROWS).encode("cp1252"), {"encoding": "cp1252"}),
    "gzip": (gzip.compress(as_csv(ROWS).encode()), {}),
    "workbook": (as_workbook(ROWS), {}),
    "no line end": (as_csv(ROWS).rstrip("\n").encode(), {}),
}


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_same_table_gives_the_same_cells(name: str, ending: str, tmp_path: Path) -> None:
    data, layout = DIALECTS[name]
    path = tmp_path / f"deals.{ending}"  # the name says nothing
    path.write_bytes(data)
    table = open_table(path, Layout(**layout))
    assert (table.name, table.header) == (path.name, ("Name", "Größe", "Sum"))
    found, misfits = read(path, layout=Layout(**layout))
    assert found == dict(zip([2, 3, 4], CELLS, strict=True)) and not misfits


def test_columns_come_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text(as_csv(ROWS), encoding="utf-8")
    assert read(path, ["Sum", "Name"])[0][2] == ["1", "Müller, Co"]
    assert read(path, ["Sum"])[0] == {2: ["1"], 3: ["2"], 4: [""]}
    (frame,) = open_table(path).blocks(["Sum"])
    assert frame.dtypes.tolist() == [object] and frame.index.name == "row"


def test_rows_have_the_numbers_of_a_spreadsheet(tmp_path: Path) -> None:
    lines = [
        "A report",
        "",
        "a,b",
        "1,2",
        "",
        " , ",
        '"x\ny",4',
        "Grand Totals",
        "5,6",
        "7,8,9",
        '"Copyright (c)"',
        "0,",
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    found, misfits = read(tmp_path / "t.csv", layout=Layout(header_row=3))
    assert found == {4: ["1", "2"], 7: ["x\ny", "4"], 9: ["5", "6"], 12: ["0", ""]}
    assert misfits == {8: "1 field under 2 columns", 10: "3 fields under 2 columns", 11: "1 field under 2 columns"}
    rows = [["A report"], [], ["a", "b"], [1, 2], [], [" ", None], ["x", 4]]
    (tmp_path / "t.xlsx").write_bytes(as_workbook(rows))
    assert read(tmp_path / "t.xlsx", layout=Layout(header_row=3))[0] == {4: [1, 2], 7: ["x", 4]}


def test_blocks_hold_about_as_many_rows_as_asked_and_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i},\n" if i % 7 else "odd\n" for i in range(5000)), encoding="utf-8")
    for rows in (1, 700, 100_000):
        found, misfits = read(path, ["a"], rows=rows)
        assert len(found) + len(misfits) == 5000 and all(int(cells[0]) == row - 2 for row, cells in found.items())
        assert sorted(misfits) == [row for row in range(2, 5002) if (row - 2) % 7 == 0]
    sizes = [len(frame) for frame in open_table(path).blocks(["a"], 700)]
    assert max(sizes) < 1400 and min(sizes[:-1]) >= 700


def test_a_hundred_thousand_columns(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = ",".join(f"column {i}" for i in range(100_000))
    path.write_text(
        f"{names}\n" + ",".join(map(str, range(100_000))) + "\n" + ",".join("y" * 100_000), encoding="utf-8"
    )
    assert read(path, ["column 99999", "column 7"])[0] == {2: ["99999", "7"], 3: ["y", "y"]}
    path.write_text(names + ",one more\n", encoding="utf-8")
    assert "100,001 columns; at most 100,000" in refusal(path)


# ------------------------------------------------------------------------ workbooks


def test_cells_of_a_workbook_are_typed(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    moment = datetime.datetime(2026, 1, 31, 12, 30)
    path.write_bytes(
        as_workbook([["a", "b", "c", "d", "e"], [1, 2.5, True, moment, "text "], [None, None, 0, None, None]])
    )
    found, _ = read(path)
    assert found == {2: [1, 2.5, True, moment, "text"], 3: ["", "", 0, "", ""]}
    assert [type(cell) for cell in found[2]] == [int, float, bool, datetime.datetime, str]


def test_a_formula_is_its_stored_value_and_without_one_its_row_is_a_misfit(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    rows = [["a", "b"], ["x", "=1+1"], ["y", "=1+2"], ["z", '=""'], ["w", 4]]
    stored = {"B2": ("", "<v>2</v>"), "B4": (' t="str"', "<v></v>")}

    def store(xml: str) -> str:
        for cell, (kind, value) in stored.items():
            pattern = rf'<c r="{cell}"[^>]*>(<f>.*?</f>)<v ?/?>(</v>)?</c>'
            assert re.search(pattern, xml)
            xml = re.sub(pattern, rf'<c r="{cell}"{kind}>\1{value}</c>', xml)
        return xml

    path.write_bytes(patched(as_workbook(rows), SHEET, store))
    found, misfits = read(path)
    assert found == {2: ["x", 2], 4: ["z", ""], 5: ["w", 4]}  # an empty text may be what a formula gives
    assert list(misfits) == [3] and "B3 is a formula without a stored value" in misfits[3]
    assert read(path, ["a"])[0].keys() == {2, 3, 4, 5}  # it does not matter in a column that nobody asks for


def test_merged_cells_do_not_read_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    rows = [["title", None], ["a", "b"], ["x", 1], ["y", 2], ["z", 3], ["w", 4]]

    def merge(sheet: Any) -> None:
        sheet.merge_cells("A1:B1")
        sheet.merge_cells("A4:A5")

    path.write_bytes(as_workbook(rows, merge))
    found, misfits = read(path, layout=Layout(header_row=2))
    assert found == {3: ["x", 1], 6: ["w", 4]}
    assert misfits == dict.fromkeys([4, 5], "A4:A5 are merged; fill in each cell")
    assert read(path, ["b"], Layout(header_row=2))[0].keys() == {3, 4, 5, 6}


def test_sheets_are_chosen_by_name_else_the_first_visible_one(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    hidden, shown, other = book.active, book.create_sheet("shown"), book.create_sheet("other")
    assert hidden is not None
    for sheet in (hidden, shown, other):
        sheet.append([sheet.title])
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "t.xlsx")
    assert open_table(tmp_path / "t.xlsx").header == ("shown",)
    assert open_table(tmp_path / "t.xlsx", Layout(sheet="other")).header == ("other",)
    assert "no sheet 'Other'; did you mean other?" in refusal(tmp_path / "t.xlsx", Layout(sheet="Other"))
    (tmp_path / "t.csv").write_text("a\n1\n", encoding="utf-8")
    assert "remove sheet" in refusal(tmp_path / "t.csv", Layout(sheet="other"))


def test_the_size_a_sheet_claims_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    lies = patched(
        as_workbook([["a"], [1], [2]]), SHEET, lambda xml: re.sub(r'dimension ref="[^"]*"', 'dimension ref="A1"', xml)
    )
    path.write_bytes(lies)
    assert read(path)[0] == {2: [1], 3: [2]}


# ------------------------------------------------------------------------ what is refused

PLAIN_SHEET = as_workbook([["a", "b"], [1, 2]])
ARCHIVE = io.BytesIO()
with zipfile.ZipFile(ARCHIVE, "w") as zipped:
    zipped.writestr("deals.csv", "a,b\n1,2\n")


def gap(xml: str) -> str:
    return xml.replace("</sheetData>", '<row r="999999999"><c r="A999999999"><v>1</v></c></row></sheetData>')


def many_merged(xml: str) -> str:
    return xml.replace("</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:A1048576"/></mergeCells>')


def merged(xml: str, cells: str) -> str:
    return xml.replace("</sheetData>", f"</sheetData><mergeCells>{cells}</mergeCells>")


SHARED_TEXTS = workbook_of([["a", "b"], [1, 2]])
WIDE_ROW = '<row><c r="XFD1"><v>1</v></c></row>'
HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "blank header": (b"\n1,2\n", "row 1 is blank; set header_row"),
    "semicolons": (b"a;b\n1;2\n", "set separator to ';'"),
    "semicolons and quotes": (b'"a;x";b\n1;2\n', "set separator to ';'"),
    "Windows encoding": (b"a,b\n\xe9,2\n", "not UTF-8 text, in line 1 or soon after (byte 0xe9); set encoding"),
    "UTF-16 without a mark": ("a,b\n1,2\n".encode("utf-16-le"), "holds a NUL character"),
    "NUL": (b"a,b\n1,\x002\n", "line 2 holds a NUL character"),
    "half of UTF-16": ("a,b\n1,2\n".encode("utf-16")[:-1], "not UTF-16 text"),
    "open quote": (b'a,b\n1,2\n1,"2\n3,4\n', "row 3 is not CSV (unexpected end of data)"),
    "long open quote": (b'a,b\n1,"2\n' + b"x" * 200_000, "row 2 is not CSV (field larger than field limit"),
    "text after a quote": (b'a,b\n1,2\n"1" x,2\n', "row 3 is not CSV (',' expected after '\"')"),
    "PDF": (b"%PDF-1.7 ...", "is a PDF"),
    "web page": (b"\xef\xbb\xbf\n<html><table>", "is a web page"),
    "password or old .xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "or one with a password"),
    "archive": (ARCHIVE.getvalue(), "is an archive but no XLSX workbook"),
    "half a workbook": (PLAIN_SHEET[: len(PLAIN_SHEET) // 2], "is no XLSX workbook that can be read"),
    "workbook without its sheet": (
        patched(PLAIN_SHEET, "xl/_rels/workbook.xml.rels", lambda xml: xml.replace("sheet1", "sheet9")),
        "has no visible sheet",
    ),
    "broken sheet": (patched(PLAIN_SHEET, SHEET, lambda xml: xml[:-30]), "is no XLSX workbook that can be read"),
    "broken number": (patched(PLAIN_SHEET, SHEET, lambda xml: xml.replace("<v>2<", "<v>two<")), "is no XLSX workbook"),
    "a row too far": (patched(PLAIN_SHEET, SHEET, gap), "over 1,048,576 rows"),
    "merged to the end": (patched(PLAIN_SHEET, SHEET, many_merged), "over 200,000 rows"),
    "entities": (
        patched(PLAIN_SHEET, SHEET, lambda xml: '<!DOCTYPE x [<!ENTITY a "&a;">]>' + xml.replace("<v>1<", "<v>&a;<")),
        "is no XLSX workbook that can be read",
    ),
    "very many merged cells": (
        patched(PLAIN_SHEET, SHEET, lambda xml: merged(xml, '<mergeCell ref="A2:XFD2"/>' * 1_000)),
        "over 2,000,000 cells more are merged",
    ),
    "very many sheets": (
        patched(PLAIN_SHEET, "xl/workbook.xml", lambda xml: re.sub(r"(<sheet [^>]*>)", r"\1" * 2_000, xml)),
        "over 200 sheets",
    ),
    "very many texts": (
        patched(SHARED_TEXTS, "xl/sharedStrings.xml", lambda xml: xml.replace("</sst>", "<si/>" * 500_000 + "</sst>")),
        "texts in",
    ),
    "very many styles": (
        patched(PLAIN_SHEET, "xl/styles.xml", lambda xml: xml.replace("</cellXfs>", "<xf/>" * 60_000 + "</cellXfs>")),
        "over 50,000 elements in 'xl/styles.xml'",
    ),
    "a row of very many elements": (
        patched(PLAIN_SHEET, SHEET, lambda xml: xml.replace("</row>", "<c/>" * 110_000 + "</row>", 1)),
        "over 100,000 elements in a row",
    ),
    "a row that stands twice": (
        patched(PLAIN_SHEET, SHEET, lambda xml: xml.replace("</sheetData>", '<row r="2"><c/></row></sheetData>')),
        "row 2 stands twice or out of order",
    ),
    "a number of 5,000 digits": (
        patched(PLAIN_SHEET, SHEET, lambda xml: xml.replace("<v>2<", f"<v>{'2' * 5000}<")),
        "(a cell or a part of it makes no sense)",
    ),
    "a bomb in gzip": (gzip.compress(b"a\n" + b"1\n" * 4_000_000), "unpacks to over 100 times its size"),
    "half a gzip": (gzip.compress(b"a,b\n" + os.urandom(5000).hex().encode())[:3000], "cannot be read"),
    "no gzip": (b"\x1f\x8b not gzip", "cannot be read"),
    "workbook in gzip": (gzip.compress(PLAIN_SHEET), "is an archive in a gzip file"),
    "gzip in gzip": (gzip.compress(gzip.compress(b"a,b\n")), "is an archive in a gzip file"),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8 text"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_sentence(name: str, tmp_path: Path) -> None:
    data, says = HOSTILE[name]
    path = tmp_path / "deals.csv"
    path.write_bytes(data)
    assert says in refusal(path)


def test_what_stands_beside_the_cells_of_a_sheet_does_not_matter(tmp_path: Path) -> None:
    odd = '<hyperlinks><hyperlink zzz="1"/></hyperlinks>'
    (tmp_path / "t.xlsx").write_bytes(
        patched(PLAIN_SHEET, SHEET, lambda xml: xml.replace("</sheetData>", f"</sheetData>{odd}"))
    )
    assert read(tmp_path / "t.xlsx") == ({2: [1, 2]}, {})


def test_a_row_far_below_and_pieces_of_a_text(tmp_path: Path) -> None:
    far = '<row r="900000"><c t="s"><v>0</v></c><c><v>3</v></c></row></sheetData>'
    book = patched(SHARED_TEXTS, SHEET, lambda xml: xml.replace("</sheetData>", far))
    pieces = "<si><r><t>one </t></r><r><t>text</t></r><rPh><t>say it</t></rPh></si>"
    book = patched(book, "xl/sharedStrings.xml", lambda xml: re.sub("<si>.*?</si>", pieces, xml, count=1))
    (tmp_path / "t.xlsx").write_bytes(book)
    assert read(tmp_path / "t.xlsx", ["one text"])[0] == {2: [1], 900_000: ["one text"]}


def test_blank_cells_under_a_wide_header_are_bounded(tmp_path: Path) -> None:
    book = workbook_of([[f"h{column}" for column in range(16_384)]])
    book = patched(book, SHEET, lambda xml: xml.replace("</sheetData>", WIDE_ROW * 2_000 + "</sheetData>"))
    (tmp_path / "t.xlsx").write_bytes(book)
    with pytest.raises(TableError, match="over 30,000,000 blank cells under the header"):
        read(tmp_path / "t.xlsx", ["h1"])


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is a folder" in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "absent.csv")
    assert "is not a file" in refusal(tmp_path / "pipe")
    assert "cannot be read" in refusal(tmp_path / ("x" * 300))
    with pytest.raises(TableError, match="cannot be read"):
        open_table("a\0b")


def test_headers_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("A report\n\na,b,a\n1,2,3\n", encoding="utf-8")
    with pytest.raises(TableError, match="no column 'b' in row 1; row 3 has it: set header_row to 3"):
        read(path, ["b"])
    assert "row 9 is not there" in refusal(path, Layout(header_row=9))
    with pytest.raises(TableError, match="no column 'bb' in row 3; did you mean b"):
        read(path, ["bb"], Layout(header_row=3))
    with pytest.raises(TableError, match="'a' stands twice"):
        read(path, ["a"], Layout(header_row=3))
    assert read(path, ["b"], Layout(header_row=3))[0] == {4: ["2"]}  # a column that nobody needs may stand twice


def test_an_encoding_against_the_mark_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfa\n1\n")
    assert "begins with the mark of utf-8, not cp1252; remove encoding" in refusal(path, Layout(encoding="cp1252"))
    for name in ("nope", "hex", "a\0b"):
        with pytest.raises(ValueError, match="no text encoding"):
            Layout(encoding=name)


def test_bombs_cost_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (table_file, text_lines, workbooks):
        monkeypatch.setattr(module, "LARGEST_BYTES", 100_000)
    monkeypatch.setattr(workbooks, "LARGEST_PARTS_BYTES", 50_000)
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 20_000)
    monkeypatch.setattr(workbooks, "INNOCENT_BYTES", 300_000)
    path = tmp_path / "t.csv"
    path.write_bytes(b"a\n" + b"1\n" * 60_000)
    assert "bytes; at most 100,000 are read" in refusal(path)
    path.write_bytes(gzip.compress(b"a\n" + b"1\n" * 60_000))
    assert "100,000 in all are read" in refusal(path)
    path.write_bytes(gzip.compress(b"a\n" + b"1" * 60_000))
    assert "at most 20,000 characters in a line" in refusal(path)
    book = patched(PLAIN_SHEET, SHEET, lambda xml: xml.replace("</sheetData>", " " * 200_000 + "</sheetData>"))
    path.write_bytes(book)
    assert len(book) < 10_000 and "bytes unpacked" in refusal(path)
    path.write_bytes(patched(PLAIN_SHEET, "xl/styles.xml", lambda xml: xml + " " * 60_000))
    assert "of them beside the sheets" in refusal(path)
    monkeypatch.setattr(workbooks, "INNOCENT_BYTES", 10_000)
    monkeypatch.setattr(workbooks, "MOST_TIMES", 10)
    assert "unpacks to over 10 times its size" in refusal(path)


def test_a_row_of_very_many_fields_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n" + "," * 5 + "x\n" + "y," * 6 + "\n", encoding="utf-8")
    assert read(path)[1] == dict.fromkeys([3, 4], "over 5 fields under 2 columns")


def test_of_long_rows_fewer_are_in_memory_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n" + "x\n" * 500, encoding="utf-8")
    assert len(next(open_table(path).blocks(["a"], 60))) == 2 * 60 - 1  # two chunks, the header is in the first
    monkeypatch.setattr(table_file, "CHUNK_CHARACTERS", 10)
    assert len(next(open_table(path).blocks(["a"], 60))) == 3 * table_file.CHUNK_STEP - 1
    assert len(read(path)[0]) == 500


# ------------------------------------------------------------------------ small tables


def test_small_tables(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n\n3,4\n", encoding="utf-8")
    frame = read_small(path, ["b"], optional=["a", "c"])
    assert frame.to_dict("index") == {2: {"b": "2", "a": "1", "c": ""}, 4: {"b": "4", "a": "3", "c": ""}}
    with pytest.raises(TableError, match="no column 'c'"):
        read_small(path, ["c"])
    with pytest.raises(TableError, match="more than 1 rows"):
        read_small(path, ["a"], most_rows=1)
    path.write_text("a,b\n1,2\nx\n", encoding="utf-8")
    with pytest.raises(TableError, match="row 3: 1 field under 2 columns; correct the row"):
        read_small(path, ["a"])
    path.write_text("a,b\n", encoding="utf-8")
    assert read_small(path, ["a"]).empty and list(read_small(path, ["a"], optional=["z"])) == ["a", "z"]


# ------------------------------------------------------------------------ anything

CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=6), st.sampled_from([",", ";", "\t", "|"]))
def test_what_is_written_is_read(rows: list[list[str]], separator: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_text(as_csv([["a", "b"], *rows], separator), encoding="utf-8", newline="")
        found, misfits = read(path, layout=Layout(separator=separator))
    plain = {row: [cell.strip() for cell in cells] for row, cells in enumerate(rows, 2)}
    assert found == {row: cells for row, cells in plain.items() if any(cells)} and not misfits


@settings(max_examples=int(os.environ.get("EXAMPLES", "150")), deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))),
    st.sampled_from([b"", b"a,b\n", b"\xff\xfe", b"\x1f\x8b", b"PK\x03\x04", b'"a",b\n']),
)
def test_garbage_is_a_table_or_a_sentence(data: bytes, start: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "garbage.csv"
        path.write_bytes(start + data)
        try:
            table = open_table(path)
            rows = sum(
                len(block) for block in table.blocks([name for name in table.header if table.header.count(name) == 1])
            )
        except TableError as sentence:
            assert "\n" not in str(sentence) and str(sentence)
        else:
            assert rows + len(table.misfits) <= data.count(b"\n") + data.count(b"\r") + 2


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_workbook_with_any_byte_changed_is_a_table_or_a_sentence(data: st.DataObject) -> None:
    import tempfile

    place = data.draw(st.integers(0, len(PLAIN_SHEET) - 1))
    changed = bytearray(PLAIN_SHEET)
    changed[place] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.xlsx"
        path.write_bytes(changed)
        try:
            read(path)
        except TableError as sentence:
            assert "\n" not in str(sentence)
