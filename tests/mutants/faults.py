"""The faults: what is done to the code, in which package, and which tests could notice it.

They stand in text files beside this one, `<package>.txt` or `<package>-<what of it>.txt`, in this form:

    # a remark
    tests: tests/sim/test_kpis.py tests/sim/test_ledger.py

    * utilisation counts spare selling time
    sim/kpis.py
    - (*(kind for kind in PLANNED_HOURS if kind != Kind.SELL_TIME), Kind.VISIT)
    + (*PLANNED_HOURS, Kind.VISIT)

`tests:` holds for all faults below it, until the next. The text after `- `, on one line or on several, stands exactly
once in the file that is named, and that after `+ ` takes its place. A fault may have several edits, in several files:
in `alike` those of both engines, made in the same sense, which a comparison of the engines cannot see. A line
`equivalent: reason` says why no test can notice the fault; it is not run then.

Left out: faults that a tool could make by thousands. These are of the kinds that people make.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
ALIKE = "alike"
"""The package of faults made alike in both engines."""


@dataclass(frozen=True)
class Edit:
    """A text of a file, and what stands there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Fault:
    """A single fault."""

    name: str
    package: str
    tests: tuple[str, ...]
    """the files of tests that could notice it, the likeliest first"""
    edits: tuple[Edit, ...]
    equivalent: str = ""
    """why nobody could see it; empty if somebody could"""

    def edited(self, root: Path) -> dict[str, str]:
        """The files of a checkout that the fault changes, as they then read. Raises ValueError if it does not fit."""
        texts: dict[str, str] = {}
        for edit in self.edits:
            text = texts.get(edit.file) or (root / edit.file).read_text(encoding="utf-8")
            if (times := text.count(edit.old)) != 1:
                raise ValueError(f"{self.name}: in {edit.file} this stands {times} times, not once:\n{edit.old}")
            texts[edit.file] = text.replace(edit.old, edit.new)
        return texts


def all_faults(folder: Path = FOLDER) -> list[Fault]:
    """The faults of all packages, those alike in both engines first."""
    faults = [fault for path in sorted(folder.glob("*.txt")) for fault in read_faults(path)]
    return sorted(faults, key=lambda fault: fault.package != ALIKE)


def read_faults(path: Path) -> list[Fault]:
    """The faults of one file. Raises ValueError for a line that is none of theirs."""
    package = path.stem.partition("-")[0]
    tests: tuple[str, ...] = ()
    faults = []
    for block in _blocks(path.read_text(encoding="utf-8")):
        if block[0].startswith("tests:"):
            tests = tuple(block[0].split()[1:])
            block = block[1:]
        if block:
            faults.append(_fault(block, package, tests))
    return faults


def _blocks(text: str) -> Iterator[list[str]]:
    """Lines that stand together, without remarks."""
    for block in text.split("\n\n"):
        if lines := [line for line in block.splitlines() if line and not line.startswith("#")]:
            yield lines


def _fault(lines: list[str], package: str, tests: tuple[str, ...]) -> Fault:
    if not lines[0].startswith("* "):
        raise ValueError(f"a fault begins with '* ' and a name, not with {lines[0]!r}")
    name, file, equivalent = lines[0][2:], "", ""
    edits: list[Edit] = []
    before = ""
    for line in lines[1:]:
        sign, text = line[:1], line[2:]
        if line.startswith("equivalent: "):
            equivalent = line.partition(" ")[2]
        elif sign == "-":
            edits = [*edits[:-1], _longer(edits[-1], "old", text)] if before == "-" else [*edits, Edit(file, text, "")]
        elif sign == "+" and edits:
            edits[-1] = _longer(edits[-1], "new", text) if before == "+" else Edit(file, edits[-1].old, text)
        elif line.endswith(".py"):
            file = line
        else:
            raise ValueError(f"{name}: what is {line!r}?")
        before = sign
    if not (edits and file and tests):
        raise ValueError(f"{name}: a fault has a file, an edit and tests")
    return Fault(name, package, tests, tuple(edits), equivalent)


def _longer(edit: Edit, which: str, line: str) -> Edit:
    old, new = edit.old, edit.new
    return Edit(edit.file, f"{old}\n{line}", new) if which == "old" else Edit(edit.file, old, f"{new}\n{line}")
