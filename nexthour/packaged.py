"""The files that come with the product: scenarios, documents, the app's script and what the page server is told.

In a checkout they stand where people look for them, in scenarios/, docs/ and .streamlit/; a wheel carries copies in
nexthour/data/, which setup.py makes.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_COPIES = _PACKAGE / "data"
FOLDER = _COPIES if _COPIES.is_dir() else _PACKAGE.parent
"""Where the names of packaged files begin."""
NAMES_LETTERS = 240
"""Letters that the names of the scenarios may take in a sentence."""
BASELINE = "baseline"
"""The scenario that is meant where nobody says which."""


def packaged(name: str) -> Path:
    """The path of a file or folder that comes with the product, as `scenarios/baseline.yaml` or `docs/model.md`."""
    return FOLDER / name


def scenario_path(word: str) -> str:
    """The scenario file that a word means: the file at that path, else the packaged scenario of that name.

    Raises ScenarioError, with the names there are, for a word that is neither. What looks like a path of a file is
    taken as one even if there is none.
    """
    path = Path(word)
    if path.suffix or path.name != word or path.is_file():
        return word
    there = {file.stem: file for file in packaged("scenarios").glob("*.yaml")}
    if word not in there:
        from sim import ScenarioError
        from sim.documents.messages import listed, show

        closest_first = sorted(there, key=lambda name: -SequenceMatcher(None, word, name).ratio())
        raise ScenarioError(
            f"{show(word)}: no such file, and no scenario of that name comes with Next Hour; allowed: the path of a "
            f"file, or {listed(closest_first, NAMES_LETTERS)}"
        )
    return str(there[word])
