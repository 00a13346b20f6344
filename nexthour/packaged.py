"""The files that come with the product: scenarios, documents, the app's script and what the page server is told.

In a checkout they stand where people look for them, in scenarios/, docs/ and .streamlit/; a wheel carries copies in
nexthour/data/, which setup.py makes.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.errors import InputError

_PACKAGE = Path(__file__).resolve().parent
_COPIES = _PACKAGE / "data"
FOLDER = _COPIES if _COPIES.is_dir() else _PACKAGE.parent
"""The folder in which the names of packaged files begin."""
NAMES_LETTERS = 240
"""Letters that the names of packaged files may take in a sentence."""
BASELINE_SCENARIO = "baseline"
"""The scenario that is meant where nobody says which."""


def packaged(name: str) -> Path:
    """The path of a file or folder that comes with the product, as `scenarios/baseline.yaml` or `docs/model.md`."""
    return FOLDER / name


PATTERNS = {
    "scenario": "*.yaml",
    "table": "*.csv",
    "calendar": "*.ics",
    "mapping file": "mappings/*.yaml",
    "file of rules": "mappings/*calendar.yaml",
}
"""Where files of each kind stand in scenarios/; a file goes by its name without what follows the dot."""


def scenario_path(word: str) -> str:
    """The scenario file that a word means: the file at that path, else the packaged scenario of that name.

    Raises ScenarioError, with the names there are, for a word that is neither.
    """
    return file_path(word, "scenario")


def file_path(word: str, kind: str) -> str:
    """The file of a kind of PATTERNS that a word means: the file at that path, else the packaged one of that name.

    Raises ScenarioError or, for what is no scenario, TableError, with the names there are, for a word that is neither.
    What looks like a path of a file is taken as one even if there is none, but for the path that a packaged file has
    in a checkout.
    """
    path = Path(word)
    try:
        if path.is_file():
            return word
    except OSError:  # a name that is too long, or a link to itself; who reads it says so
        return word
    pattern = PATTERNS[kind]
    by_name = {file.stem: file for file in packaged("scenarios").glob(pattern)}
    if word in by_name:
        return str(by_name[word])
    if (path.suffix or path.name != word) and not path.is_dir():
        if path.stem in by_name and path.suffix == Path(pattern).suffix:
            raise _error(kind)(f"{word}: no such file; the {kind} `{path.stem}` comes with Next Hour")
        return word
    from sim.documents.messages import listed, show

    if path.is_dir():
        raise _error(kind)(f"{word}: is a folder; give the path of a file")
    closest_first = sorted(by_name, key=lambda name: -SequenceMatcher(None, word, name).ratio())
    raise _error(kind)(
        f"{show(word)}: no such file, and no {kind} of that name comes with Next Hour; allowed: the path of a "
        f"file, or {listed(closest_first, NAMES_LETTERS)}"
    )


def _error(kind: str) -> type[InputError]:
    from sim import ScenarioError, TableError

    return ScenarioError if kind == "scenario" else TableError
