"""The repository's documents on a page: sections by their heading, in Markdown as Streamlit takes it.

What is written once is shown from there. Left out: Streamlit.
"""

import re
from functools import cache

from nexthour.packaged import packaged

FOLDER = packaged("")
CODE = re.compile(r"(^(?: {4}|\t).*$|^```.*?^```$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
LINK_TO_FILE = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")
MEANS_SOMETHING = re.compile(r"[$~]")
"""Mathematics and a single tilde, which mean something to Streamlit and not to GitHub."""


@cache
def document_sections(name: str) -> dict[str, str]:
    """The sections of a document by their heading, in its order; what stands before the first is under ""."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text.partition("\n")[2], flags=re.MULTILINE)
    return {"": _for_screen(parts[0])} | {
        title.strip(): _for_screen(body) for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def _for_screen(markdown: str) -> str:
    """Links to files become text, as the files are not on the page; code stays as it is."""
    pieces = CODE.split(markdown)
    for place in range(0, len(pieces), 2):
        pieces[place] = MEANS_SOMETHING.sub(r"\\\g<0>", LINK_TO_FILE.sub(r"\1", pieces[place]))
    return "".join(pieces).strip("\n")
