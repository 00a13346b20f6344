"""The scenarios and plans there are: those that come with Next Hour, and those saved on this machine.

What is saved are YAML files in a folder of the user's (NEXTHOUR_LIBRARY, else the platform's usual place), so a reload,
a new browser or a restart loses nothing, and any editor can change them. Nothing is overwritten: another thing with the
same name gets a number, in its name too.
"""

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from platformdirs import user_data_path

from nexthour.jobs.uploads import Upload, on_disk
from nexthour.packaged import packaged
from nexthour.report.numbers import count_of
from sim import InputError, Scenario, TimePlan
from sim.documents.files import read_regular
from sim.documents.yaml_file import LARGEST_FILE_BYTES, Document

BUILT_IN = packaged("scenarios")
DEFAULT = "baseline"
LONGEST_ID = 60
LONGEST_NAME = 80
"""Letters of the name of a scenario or plan that is saved."""
MOST_SAVED = 2000
"""Files of a kind that are looked at."""
DEVICE = re.compile("con|prn|aux|nul|(?:com|lpt)[0-9]")
"""Names that mean a device on Windows, whatever their ending."""
D = TypeVar("D", bound=Document)


def folder(kind: str) -> Path:
    """The folder in which scenarios, plans or actuals are saved; it need not exist."""
    own = os.environ.get("NEXTHOUR_LIBRARY")
    if own:
        return Path(own) / kind
    with suppress(RuntimeError):
        where = user_data_path("nexthour", appauthor=False)
        if where.is_absolute():
            return where / kind
    # A user without a home: nothing is there, nothing can be written, and the sentence about that says the way out.
    return Path(os.devnull) / "nexthour" / kind


def scenario_files() -> dict[str, Path]:
    """The files of all scenarios by their id: the baseline first, what comes with Next Hour, then what was saved."""
    built_in = {
        path.stem: path for path in sorted(BUILT_IN.glob("*.yaml"), key=lambda path: (path.stem != DEFAULT, path))
    }
    return built_in | {path.stem: path for path in _saved_files("scenarios") if path.stem not in built_in}


def scenario_title(scenario_id: str) -> str:
    """The id of a scenario as people read it."""
    return scenario_id.replace("-", " ")


def plan_files() -> dict[str, Path]:
    """The files of all saved plans by their id."""
    return {path.stem: path for path in _saved_files("plans")}


def plans_for(scenario: Scenario) -> dict[str, TimePlan]:
    """The plans that can be followed in a scenario, by name: those it names, then the saved ones that fit it.

    Of several of one name the first counts; `problems_of_plans` tells of the others.
    """
    named = {split.name: TimePlan.from_split(scenario, split) for split in (scenario.status_quo, *scenario.plans)}
    for name, plan in _saved_plans_that_fit(scenario):
        named.setdefault(name, plan)
    return named


def problems_of_plans() -> list[str]:
    """What is wrong with saved plans that no page shows, a sentence for each file."""
    problems, files_by_name = list[str](), dict[str, Path]()
    for path in _saved_files("plans"):
        try:
            name = TimePlan.load(path).name
        except InputError as problem:
            problems.append(str(problem))
            continue
        first = files_by_name.setdefault(name, path)
        if first != path:
            problems.append(f"{path}: has the name of the plan in {first.name}, {name}; give it another")
    return problems


def save_document(document: Scenario | TimePlan, kind: str) -> str:
    """Save a document; returns its id. An equal one is not saved twice. Raises InputError if it cannot be saved.

    Where another one has its name, it gets a number in its name; where only the name of the file is taken, just there.
    """
    name, base = document.name, file_stem(document.name)
    taken = scenario_files() if kind == "scenarios" else plan_files()
    # Its name may also stand in a file with a number, when the one without was deleted.
    alike = re.compile(rf"{re.escape(base)}(-\d+)?")
    found = {one: _load_if_readable(type(document), taken[one]) for one in taken if alike.fullmatch(one)}
    is_name_taken = any(other is not None and other.name == name for other in found.values())
    for number in range(1, MOST_SAVED):
        document_id = base if number == 1 else f"{base}-{number}"
        if is_name_taken and number > 1:
            document = document.model_copy(update={"name": f"{name[:LONGEST_ID]} {number}"})
        if document in found.values():
            return next(one for one, other in found.items() if other == document)
        if document_id in taken or (is_name_taken and number == 1):
            continue
        if write_new(document, kind, document_id):
            return document_id
        # Somebody else saved one at the same moment.
        found[document_id] = other = _load_if_readable(type(document), folder(kind) / f"{document_id}.yaml")
        if other == document:
            return document_id
        is_name_taken = is_name_taken or (other is not None and other.name == name)
    raise InputError(f"{folder(kind)}: holds {count_of(MOST_SAVED, 'file')} of this name; delete some")


def write_new(document: Document, kind: str, document_id: str) -> bool:
    """Write a document under a new id; False, and nothing is written, if there is one of this id by now.

    Raises InputError, which says the way out, if it cannot be written.
    """
    where = folder(kind)
    try:
        where.mkdir(parents=True, exist_ok=True)
        if not os.access(where, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as problem:
        raise InputError(
            f"{where}: cannot be written ({problem.strerror}); set NEXTHOUR_LIBRARY to a folder that can"
        ) from None
    return document.save(where / f"{document_id}.yaml", replace=False)


def read_upload(kind: type[D], data: bytes, file_name: str) -> D:
    """The document in a file that was uploaded. Raises InputError, a sentence for each thing that is wrong."""
    with on_disk(Upload.of(file_name, data)) as path:
        document = kind.load(path)
    document.forget_file()
    return document


def file_data(path: Path) -> bytes:
    """What a saved file holds, as it is. Raises InputError if it is gone, or too large to have been saved here."""
    return read_regular(path, LARGEST_FILE_BYTES, InputError, "a YAML file")


def _saved_files(kind: str) -> list[Path]:
    """The files of a kind that can be read: no folder, no pipe, and not what is empty, as it is being written."""
    return sorted(path for path in folder(kind).glob("*.yaml") if changed_ns(path))[:MOST_SAVED]


def changed_ns(path: Path) -> int:
    """When a file that can be read was changed last; 0 if there is none any more, or nothing in it yet."""
    try:
        state = path.stat()
    except OSError:
        return 0
    return state.st_mtime_ns if stat.S_ISREG(state.st_mode) and state.st_size else 0


def _saved_plans_that_fit(scenario: Scenario) -> Iterator[tuple[str, TimePlan]]:
    for path in _saved_files("plans"):
        try:
            plan = TimePlan.load(path)
            plan.table(scenario)
        except InputError:
            continue
        yield plan.name, plan


def _load_if_readable(kind: type[D], path: Path) -> D | None:
    try:
        return kind.load(path)
    except InputError:
        return None


def file_stem(name: str) -> str:
    """A name as a file name that every system takes."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:LONGEST_ID].strip("-") or "unnamed"
    return f"{stem}-file" if DEVICE.fullmatch(stem) else stem
