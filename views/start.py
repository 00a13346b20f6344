"""Start: a first true answer, and the ways on."""

from views.frame import At, draw


def show() -> None:
    """Draw the page."""
    draw("start", "Where should the next hour go?", _page)


def _page(at: At) -> None:
    pass
