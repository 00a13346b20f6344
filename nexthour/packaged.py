"""The files that come with the product: scenarios, documents, what the page server is told.

In a checkout they stand where people look for them, in scenarios/, docs/ and .streamlit/; a wheel carries copies in
nexthour/data/, which setup.py makes.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_COPIES = _PACKAGE / "data"
FOLDER = _COPIES if _COPIES.is_dir() else _PACKAGE.parent
"""Where the names of packaged files begin."""


def packaged(name: str) -> Path:
    """The path of a file or folder that comes with the product, as `scenarios/baseline.yaml` or `docs/model.md`."""
    return FOLDER / name
