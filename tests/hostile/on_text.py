# ruff: noqa: E501 - attacks stand in lists, as wide as they are
"""Attacks on what a text says: numbers, words, cells, keys, rules of calendars."""

from __future__ import annotations

import copy
import csv
import io
import random
import re
from collections.abc import Callable
from typing import Any

import yaml

from tests.hostile.on_bytes import Attack, Room

NUMBERS = (
    "0", "-0.0", "-1", "1e999", "-1e999", "1e308", "1e-308", "5e-324", "nan", ".nan", "inf", ".inf", "-.inf", "9" * 30,
    "9" * 5000, "0x" + "f" * 300, "1_000", "1,5", "1.234", "1.234.567,8", "0.1e-5", "1e400", "1e1000000000", "١٢٣", "１２",
    "12e", "--5", "1e+", "0o7", "2147483648", "9223372036854775808", "1000000000000", "NaN", "Infinity", "1 000", "1/3",
)  # fmt: skip
WORDS = (
    "", " ", "?", "~", "null", "true", "=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "http://evil.example/?a=1", "[x](http://evil.example)", "javascript:alert(1)",
    "\u202eabc\u202c", "\u200b", "a\u0300" * 30, "x" * 61, "x" * 5000, "é" * 3000, "\x1b[2J", "\x00", "\x07", "a\nb", "a\r\nb",
    "%s%n{0}{x}", "${x}", "`id`", "'; drop table x", "../../etc/passwd", "/dev/zero", "C:\\nul", "🦄" * 20, "\ud83e", "\ufffe",
    ":red[x]", "$a$", "#", "# end", "<<", "&a", "*a", "!!python/object:os.system x", "- -", "a: b: c", "\t", "\\", '"', "'",
)  # fmt: skip
DATES = (
    "0001-01-01", "9999-12-31", "0000-00-00", "1899-12-31", "2026-02-30", "2026-13-01", "12/31/9999", "31.12.0001", "1/1/1",
    "2026-01-05T25:61:61", "2026-01-05T10:00:00+99:99", "-2026-01-01", "99999-01-01", "2026-1-5", "05.01.26", "00010101T000000",
    "99991231T235959Z", "20260230T100000", "19000101", "2026-W01-1",
)  # fmt: skip
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
WORD = re.compile(r"[A-Za-z][A-Za-z_]{2,}")
DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{8}T\d{6}Z?|\d{1,2}/\d{1,2}/\d{4}")
JUNK: tuple[Any, ...] = (
    None, True, False, -1, 0, 10**30, -(10**400), float("nan"), float("inf"), 1e300, 5e-324, "", "x", " ", "\0", "a\nb",
    "<b>x</b>", "=1+1", "\u202ex", "é" * 10_000, [], {}, [None], [[[]]], {"name": "x"}, {1: 2}, {None: 1}, {True: 1}, {"": ""},
    {"low": 1, "likely": 0, "high": 2}, {"low": 0, "likely": 0, "high": float("inf")}, [0.1] * 25, ["x"] * 600, [{}] * 50,
    {str(i): i for i in range(600)}, {"coach": float("nan")}, "9999-12-31", "http://evil.example",
)  # fmt: skip


def _text_attack(change: Callable[[random.Random, str, Room], str]) -> Attack:
    def attack(rng: random.Random, data: bytes, room: Room) -> bytes:
        text = data.decode("utf-8", "surrogateescape")
        return change(rng, text, room).encode("utf-8", "surrogatepass" if "\ud83e" in text else "replace")

    attack.__name__ = change.__name__
    return attack


def _replace_some(rng: random.Random, text: str, pattern: re.Pattern[str], by: tuple[str, ...]) -> str:
    found = list(pattern.finditer(text[:2_000_000]))
    for match in sorted(rng.sample(found, min(len(found), rng.choice([1, 1, 1, 5]))), key=lambda m: -m.start()):
        text = text[: match.start()] + rng.choice(by) + text[match.end() :]
    return text


def odd_number(rng: random.Random, text: str, room: Room) -> str:
    return _replace_some(rng, text, NUMBER, NUMBERS)


def odd_word(rng: random.Random, text: str, room: Room) -> str:
    return _replace_some(rng, text, WORD, WORDS)


def odd_date(rng: random.Random, text: str, room: Room) -> str:
    return _replace_some(rng, text, DATE, DATES)


def long_word(rng: random.Random, text: str, room: Room) -> str:
    letters = rng.choice(["x", "1", "1 ", "1.", ",1", "é", "(", "a.", "-", "\t "])
    return _replace_some(rng, text, rng.choice([WORD, NUMBER, DATE]), (letters * (room.bytes // 2 // len(letters)),))


def odd_lines(rng: random.Random, text: str, room: Room) -> str:
    lines = text.splitlines(keepends=True) or ["\n"]
    place = rng.randrange(len(lines))
    how = rng.randrange(6)
    if how == 0:
        del lines[place]
    elif how == 1:
        lines.insert(place, lines[rng.randrange(len(lines))])
    elif how == 2:
        rng.shuffle(lines)
    elif how == 3:
        lines[place] = " " * rng.choice([1, 2, 7]) + lines[place]
    elif how == 4:
        lines[place:place] = [lines[place]] * min(room.items, room.bytes // max(1, len(lines[place])))
    else:
        lines[place] = lines[place].rstrip("\n") + rng.choice(WORDS) + "\n"
    return "".join(lines)


ON_TEXT: tuple[Attack, ...] = tuple(
    map(_text_attack, (odd_number, odd_number, odd_number, odd_word, odd_word, odd_date, long_word, odd_lines))
)

# YAML


def corrupted(data: Any, rng: random.Random, value: Any) -> Any:
    """A copy of plain data with `value` put or inserted at a random place, or something missing there."""
    data = copy.deepcopy(data)
    node = data
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = rng.choice(keys) if keys else None
        inner = None if key is None else node[key]
        if isinstance(inner, dict | list | tuple) and inner and rng.random() < 0.75:
            if isinstance(inner, tuple):
                node[key] = inner = list(inner)
            node = inner
            continue
        how = rng.choice(["replace", "delete", "insert"]) if keys else "insert"
        if how == "replace":
            node[key] = value
        elif how == "delete":
            del node[key]
        elif isinstance(node, list):
            node.insert(rng.randint(0, len(node)), value)
        else:
            node[value if isinstance(value, str | int | None) else "x"] = value
        return data


def corrupted_yaml(rng: random.Random, text: str, room: Room) -> str:
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    if not isinstance(data, dict | list):
        return text
    for _ in range(rng.choice([1, 1, 3])):
        data = corrupted(data, rng, rng.choice(JUNK))
        if not isinstance(data, dict | list) or not data:
            break
    return str(yaml.safe_dump(data, allow_unicode=rng.random() < 0.5, sort_keys=False))


def list_of(rng: random.Random, text: str, item: str, room: Room) -> str:
    """A text in which one key of the highest level has many wrong items."""
    found = list(re.finditer(r"^\w+:[^\n]*\n(?:[ \-#][^\n]*\n)*", text, re.MULTILINE))
    if not found:
        return text
    match = rng.choice(found)
    items = item * min(room.items // 2, room.bytes // len(item))
    return text[: match.start()] + match[0].partition(":")[0] + ":\n" + items + text[match.end() :]


def yaml_bomb(rng: random.Random, text: str, room: Room) -> str:
    deep, many = rng.choice([30, 50, 1000, 100_000]), room.items
    lists = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
    )
    merges = "a0: &a0 {k: 1}\n" + "".join(
        f"a{i}: &a{i} {{<<: [{','.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, rng.choice([4, 8, 30]))
    )
    return rng.choice(
        [
            lambda: lists, lambda: merges + text, lambda: text + lists, lambda: "[" * deep, lambda: "{a: " * deep, lambda: "- " * deep,
            lambda: "? " * deep, lambda: "a:\n " + "&a " * 3 + "x\n" + text, lambda: "&a [*a]", lambda: "x: &x {<<: *x}\n" + text,
            lambda: text + "".join(f"k{i}: {i}\n" for i in range(min(many, room.bytes // 12))),
            lambda: text + "".join(f"? [{i}]\n: {i}\n" for i in range(50)), lambda: "x: [" + "1," * many + "]\n" + text,
            lambda: "name: " + "x" * (room.bytes - 100), lambda: f'{text}\nz: "{chr(92)}u202e{chr(92)}0"\n',
            lambda: text + "\n---\n" + text, lambda: "%YAML 9.9\n---\n" + text, lambda: "!!set {a}\n", lambda: "!!binary aGk=\n",
            lambda: "x: !!timestamp 2026-01-01\n" + text, lambda: text + "\n2026-01-01: x\n1.5: y\ntrue: z\n",
            lambda: text.replace(": ", ": |\n  ", 1), lambda: text + "\nz: |\n" + "  a\n" * many, lambda: text + "# end\nmore: 1\n",
            lambda: "".join(f"&a{i} x{i}: *a{max(0, i - 1)}\n" for i in range(1, 3000)),
            lambda: "".join(f"%TAG !{i}! a\n" for i in range(min(many, room.bytes // 14))) + "---\n" + text,
            lambda: text + "\n...\n" + "".join(f"%TAG !{i}! a\n" for i in range(min(many, room.bytes // 14))) + "---\na: 1\n",
            lambda: text + "".join(f"{i * (2**61 - 1)}: 1\n" for i in range(1, min(many, room.bytes // 28, 35_000))),
            lambda: text + "z:\n" + "".join(f"  {i}.5: 1\n" for i in range(min(many, room.bytes // 12))),
            lambda: list_of(rng, text, rng.choice(["- {}\n", "- 1\n", "- []\n", "- {x: 1}\n", "- {name: x}\n"]), room),
        ]
    )()  # fmt: skip


ON_YAML: tuple[Attack, ...] = tuple(
    map(_text_attack, (corrupted_yaml, corrupted_yaml, corrupted_yaml, corrupted_yaml, yaml_bomb, yaml_bomb))
)

# Tables


def _rows(text: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(io.StringIO(text[:200_000].replace("\0", ""), newline=""))] or [[""]]
    except csv.Error:
        return [[""]]


def _csv(rows: list[list[str]], rng: random.Random) -> str:
    out = io.StringIO(newline="")
    mark = rng.choice([",", ",", ",", ",", ";", "\t", "|"])
    csv.writer(out, delimiter=mark, lineterminator=rng.choice(["\n", "\n", "\r\n", "\r"])).writerows(rows)
    return out.getvalue()


def odd_cells(rng: random.Random, text: str, room: Room) -> str:
    rows = _rows(text)
    for _ in range(rng.choice([1, 3, 30])):
        row = rng.choice(rows)
        if row:
            row[rng.randrange(len(row))] = rng.choice(rng.choice([NUMBERS, WORDS, DATES]))
    return _csv(rows, rng)


def odd_column(rng: random.Random, text: str, room: Room) -> str:
    """All cells of a column replaced, or made all different."""
    rows = _rows(text)
    column, kind = rng.randrange(max(1, *map(len, rows))), rng.choice([NUMBERS, WORDS, DATES, None])
    head = rng.randrange(4)
    for number, row in enumerate(rows[head:]):
        if column < len(row):
            row[column] = f"value {number}" if kind is None else rng.choice(kind)
    return _csv(rows, rng)


def many_columns(rng: random.Random, text: str, room: Room) -> str:
    rows, name = _rows(text), rng.choice(["c", "partner ", "Amount", "", "a b ", "x" * 30])
    same = rng.random() < 0.2
    for number, row in enumerate(rows[: rng.choice([1, 3, len(rows)])]):
        more = min(room.items, room.bytes // 8 // (1 if number < 3 else len(rows)))
        row += [name if same else f"{name}{i}" for i in range(more)] if number < 3 else ["1"] * more
    return _csv(rows, rng)


def many_rows(rng: random.Random, text: str, room: Room) -> str:
    rows = _rows(text)
    body = rng.choice(
        [rows[-1:], rows[-20:], [["x"]], [[""]], [["1"] * 200], [[str(i)] * len(rows[-1]) for i in range(300)]]
    )
    letters = max(1, sum(len(cell) + 1 for row in body for cell in row))
    return _csv([*rows, *body * max(1, min(room.items // len(body), room.bytes // letters))], rng)


def odd_shape(rng: random.Random, text: str, room: Room) -> str:
    rows = _rows(text)
    for _ in range(rng.choice([1, 5])):
        how, place = rng.randrange(6), rng.randrange(len(rows))
        if how == 0:
            rows[place] = rows[place][: rng.randrange(len(rows[place]) + 1)]
        elif how == 1:
            rows[place] = rows[place] * rng.choice([2, 50])
        elif how == 2:
            rows.insert(place, [])
        elif how == 3:
            rows.insert(place, rows[0])
        elif how == 4:
            rows[0] = rows[0][::-1]
        else:
            rows[0] = [rng.choice([*rows[0], *WORDS]) for _ in rows[0]]
    return _csv(rows, rng)


def open_quote(rng: random.Random, text: str, room: Room) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice(['"', '""', '",', ',"', '"\n"', '"x"y']) + text[place:]


ON_TABLES: tuple[Attack, ...] = tuple(
    map(
        _text_attack,
        (odd_cells, odd_cells, odd_cells, odd_column, odd_column, many_columns, many_rows, odd_shape, open_quote),
    )
)

# Calendars

RULES = (
    "FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=1", "FREQ=DAILY", "FREQ=DAILY;COUNT=1000000000", "FREQ=DAILY;INTERVAL=0",
    "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5",
    "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;INTERVAL=1000", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
    "FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=400", "FREQ=DAILY;BYSETPOS=-366",
    "FREQ=WEEKLY;UNTIL=00010101T000000Z", "FREQ=WEEKLY;UNTIL=99991231T235959Z", "FREQ=WEEKLY;UNTIL=x", "FREQ=X", "FREQ=", "x", "",
    "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7;BYMINUTE=0,1,2", "FREQ=DAILY;BYEASTER=0", "FREQ=MONTHLY;BYDAY=99MO", "FREQ=DAILY;COUNT=-5",
    "FREQ=DAILY;COUNT=0", "FREQ=DAILY;INTERVAL=99999999999999999999", "FREQ=WEEKLY;WKST=XX", "RSCALE=HEBREW;FREQ=YEARLY",
    "FREQ=DAILY;BYMONTHDAY=" + ",".join(map(str, range(1, 32))) * 1, "FREQ=DAILY;FREQ=SECONDLY", "freq=daily;byhour=9,10",
    "FREQ=HOURLY;COUNT=100000000", "FREQ=DAILY;BYMONTH=13", "FREQ=DAILY;BYDAY=MO;BYMONTHDAY=29;BYMONTH=2;BYYEARDAY=1",
)  # fmt: skip
LINES = (
    "DTSTART:00010101T000000", "DTSTART:99991231T235959Z", "DTSTART;VALUE=DATE:99991231", "DTSTART;TZID=Nowhere/Land:20260105T100000",
    "DTSTART;TZID=../../etc/passwd:20260105T100000", "DTSTART:20260105", "DTSTART:x", "DTSTART:", "DTEND:00010101T000000",
    "DTEND:99991231T235959Z", "DURATION:P99999999999D", "DURATION:-P1D", "DURATION:PT99999999999999999H", "DURATION:x", "RDATE:x",
    "RDATE:" + ",".join(f"202601{day:02}T100000" for day in range(1, 29)), "EXDATE:99991231T000000", "EXDATE:x", "UID:", "UID:same",
    "RECURRENCE-ID:20260105T090000", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260105T090000", "SUMMARY:" + "x" * 100_000, "SUMMARY:=1+1",
    "SUMMARY:\u202eevil", "ATTENDEE;PARTSTAT=DECLINED:mailto:x", "ATTENDEE;CN=\"x:mailto:y", "CATEGORIES:" + "a," * 500, "STATUS:X",
    "X-WR-TIMEZONE:../../etc/passwd", "X-WR-TIMEZONE:Pacific/Apia", "BEGIN:VEVENT", "END:VEVENT", "END:VCALENDAR", "BEGIN:VTODO",
    "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+9999\nTZOFFSETTO:-9999\n"
    "RRULE:FREQ=DAILY\nEND:STANDARD\nEND:VTIMEZONE", "no colon", ":", ";", "X;a=b;a=b:c", " folded", "GEO:x;y", "SEQUENCE:" + "9" * 5000,
    "PRIORITY:x", "TRIGGER:x", "DTSTART;VALUE=PERIOD:20260101T000000Z/PT1H", "EXRULE:FREQ=DAILY",
    "BEGIN:VALARM\nTRIGGER:-PT15M\nREPEAT:999999999\nDURATION:PT1S\nEND:VALARM",
)  # fmt: skip


def odd_rule(rng: random.Random, text: str, room: Room) -> str:
    rule = f"RRULE:{rng.choice(RULES)}"
    if rng.random() < 0.5:
        return re.sub(r"^RRULE:.*$", lambda match: rule, text, count=rng.choice([1, 0]), flags=re.MULTILINE)
    return text.replace("BEGIN:VEVENT\n", f"BEGIN:VEVENT\n{rule}\n", rng.choice([1, 3]))


def odd_ics_line(rng: random.Random, text: str, room: Room) -> str:
    lines = text.splitlines() or [""]
    for _ in range(rng.choice([1, 1, 4])):
        place, new = rng.randrange(len(lines)), rng.choice(LINES)
        same = [n for n, line in enumerate(lines) if re.split("[:;]", line)[0] == re.split("[:;]", new)[0]]
        if same and rng.random() < 0.7:
            lines[rng.choice(same)] = new
        else:
            lines.insert(place, new)
    return "\n".join(lines) + "\n"


def many_events(rng: random.Random, text: str, room: Room) -> str:
    event = "BEGIN:VEVENT\n{uid}DTSTART:20260105T100000Z\nDTEND:20260105T110000Z\n{rule}SUMMARY:x\nEND:VEVENT\n"
    uid, rule = rng.choice(["", "UID:a\n", "UID:{i}\n"]), rng.choice(["", "", f"RRULE:{rng.choice(RULES)}\n"])
    if rule and rng.random() < 0.5:
        uid += f"RECURRENCE-ID:20260105T100000Z\n{'RDATE:20260106T100000Z' + chr(10)}"
    many = min(room.items // 4, room.bytes // 4 // (len(event) + len(rule)))
    body = "".join(event.format(uid=uid.format(i=i), rule=rule) for i in range(many))
    return text.replace("END:VCALENDAR", body + "END:VCALENDAR")


def long_ics_line(rng: random.Random, text: str, room: Room) -> str:
    """One line, or several, with very many values or parameters."""
    name, item = rng.choice(
        [
            ("CATEGORIES:", "a,"), ("RDATE:", "20260106T100000Z,"), ("EXDATE:", "20260106T100000Z,"), ("SUMMARY:", "x"),
            ("RDATE;VALUE=PERIOD:", "20260106T100000Z/PT1H,"), ("RRULE:FREQ=WEEKLY;BYDAY=", "MO,"), ("RRULE:FREQ=WEEKLY", ";X=1"),
            ("ATTENDEE;MEMBER=", '"a",'), ("ATTENDEE", ";CN=1"), ("ORGANIZER", ";X=1"), ("DTSTART;TZID=", "x"), ("SUMMARY:", "\\,"),
            ("X-WR-TIMEZONE:", "x"), ("DESCRIPTION:", "a\n "), ("CATEGORIES:", "a,\n "), ("SEQUENCE:", "1"), ("DURATION:P", "1"),
        ]
    )  # fmt: skip
    lines = rng.choice([1, 1, 30, 1000])
    many = min(room.items * 10, room.bytes * 9 // 10) // lines // len(item)
    return text.replace("BEGIN:VEVENT\n", "BEGIN:VEVENT\n" + f"{name}{item * many}:x\n" * lines, 1)


def nested_ics(rng: random.Random, text: str, room: Room) -> str:
    deep = rng.choice([100, 3000, room.items])
    kind = rng.choice(["VEVENT", "VCALENDAR", "X-A", "VALARM", "VTIMEZONE"])
    end = f"END:{kind}\n" * deep if rng.random() < 0.5 else ""
    return text.replace("BEGIN:VEVENT\n", f"BEGIN:{kind}\n" * deep + end + "BEGIN:VEVENT\n", 1)


ON_ICS: tuple[Attack, ...] = tuple(
    map(
        _text_attack,
        (
            odd_rule,
            odd_rule,
            odd_rule,
            odd_ics_line,
            odd_ics_line,
            odd_ics_line,
            many_events,
            nested_ics,
            long_ics_line,
        ),
    )
)
