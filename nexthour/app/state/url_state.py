"""The state of a page in its address, so that a link, a reload and the back button bring it back.

A page declares its fields. A field's value lives in the session under its key, where its widget finds it, and in the
address unless it is the default. What a link says wrongly is told in one sentence and replaced by the default.

Streamlit's own binding of widgets to the address is not used: a link to another page that has the same field could not
set it, and a value that makes no sense would vanish without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from nexthour.report.numbers import digits
from nexthour.report.text import with_capital
from sim.documents.messages import guess, show
from sim.errors import short_line

SHARED = ("scenario", "seed")
"""Fields that go along from page to page."""
LONGEST_VALUE = 4000
"""Letters of one value in an address."""
LONGEST_TRAIL = 100
"""Addresses that a page wrote since it was arrived at, of which the browser may still have one."""


@dataclass(frozen=True)
class Field:
    """One thing of a page that its address holds."""

    key: str
    default: Any
    parse: Callable[[Sequence[str]], Any]
    """from the address; raises ValueError that says what is allowed"""
    written: Callable[[Any], list[str]]
    """for the address"""


def choice(key: str, options: Sequence[str], default: str) -> Field:
    """One of some words."""

    def parse(words: Sequence[str]) -> str:
        if words[-1] not in options:
            raise ValueError(guess(words[-1], [option for option in options if option]))
        return words[-1]

    return Field(key, default, parse, lambda value: [value])


def several(key: str, options: Sequence[str], default: Sequence[str] = ()) -> Field:
    """Any of some words; an empty one stands for none."""

    def parse(words: Sequence[str]) -> list[str]:
        wanted = [word for word in words if word]
        for word in wanted:
            if word not in options:
                raise ValueError(guess(word, list(options)))
        return list(dict.fromkeys(wanted))

    return Field(key, list(default), parse, lambda value: list(value) or [""])


def number(key: str, least: float, most: float, default: float, whole: bool = True) -> Field:
    """A number within bounds."""
    kind, what = (int, "a whole number") if whole else (float, "a number")

    def parse(words: Sequence[str]) -> float:
        try:
            value = kind(words[-1])
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise ValueError(f"allowed: {what} from {digits(least)} to {digits(most)}")
        return value

    return Field(key, kind(default), parse, lambda value: [f"{value:.10g}"])


def or_none(field: Field) -> Field:
    """The same, with None for what nobody said."""
    return Field(field.key, None, field.parse, lambda value: [] if value is None else field.written(value))


def text(key: str, default: str = "") -> Field:
    """Any short text."""

    def parse(words: Sequence[str]) -> str:
        if len(words[-1]) > LONGEST_VALUE:
            raise ValueError(f"allowed: at most {LONGEST_VALUE:,} letters")
        return words[-1]

    return Field(key, default, parse, lambda value: [value])


def peek(page: str, field: Field) -> Any:
    """What the value of a field will be once the page has arrived; the default if the address makes no sense."""
    if not _is_new(page) and field.key in st.session_state:
        return st.session_state[field.key]
    words = _arriving(page).get(field.key)
    try:
        return field.default if words is None else field.parse(words)
    except ValueError:
        return field.default


def expected(page: str, field: Field) -> Any:
    """The same, and the default too if the session has what is not allowed any more, as of another scenario."""
    return _parsed(field, field.written(peek(page, field)))[0]


def values(fields: Sequence[Field]) -> dict[str, Any]:
    """What the session holds under fields."""
    return {field.key: st.session_state[field.key] for field in fields}


def arrive(page: str, fields: Sequence[Field]) -> list[str]:
    """Bring the fields of a page into the session, from the address where it is new. Returns what is wrong in it.

    An address without any state, as of a page chosen in the menu, brings back what the page had before.
    """
    wrong: list[str] = []
    known = {field.key: field for field in fields}
    new = _is_new(page)
    words = _arriving(page) if new else _kept(page)
    if new:
        st.session_state["trail"] = [_here()]
    for key in words.keys() - known.keys() if new else ():
        wrong.append(_sentence(f"the link says {show(key)}, which this page does not know", guess(key, list(known))))
    for field in fields:
        if new or field.key not in st.session_state:
            st.session_state[field.key], problem = _parsed(field, words.get(field.key))
            if problem:
                wrong.append(problem)
        else:  # of another scenario, it may name what is not there any more
            value, _ = _parsed(field, field.written(st.session_state[field.key]))
            if value != st.session_state[field.key]:  # what is set goes to the browser, where the hand may be further
                st.session_state[field.key] = value
    told = st.session_state.setdefault("wrong", {})
    if new:
        told[page] = wrong
    return list(told.get(page, ()))


def leave(page: str, fields: Sequence[Field]) -> None:
    """Write the state of a page into its address, if that says anything else.

    What the browser is given is a step of its own: an address that says the same in more words has to stay, or the back
    button would come to it, have it written again, and get no further.
    """
    state = values(fields)
    words = written(state, fields)
    st.session_state["shared"] = {key: words[key] for key in SHARED if key in words}
    if _says(_here(), state, fields):
        words = _here()
    else:
        st.query_params.from_dict(words)
    st.session_state.setdefault("kept", {})[page] = words
    st.session_state["page"] = page
    st.session_state["trail"] = [*st.session_state["trail"], words][-LONGEST_TRAIL:]
    st.session_state["left"] = state


def way(page: str) -> dict[str, list[str]]:
    """The address of a page as it was left, of what all pages are about now."""
    own = {key: words for key, words in _kept(page).items() if key not in SHARED}
    return own | dict(st.session_state.get("shared", {}))


def written(says: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, list[str]]:
    """Query parameters that say these values; those that are as usual are left out."""
    known = {field.key: field for field in fields}
    return {key: known[key].written(value) for key, value in says.items() if value != known[key].default}


def _here() -> dict[str, list[str]]:
    return {key: st.query_params.get_all(key) for key in st.query_params}


def _arriving(page: str) -> dict[str, list[str]]:
    """What a page is asked to show: what its address says, else what it had before, of what all pages are about now."""
    return _here() or way(page)


def _kept(page: str) -> dict[str, list[str]]:
    return dict(st.session_state.get("kept", {}).get(page, {}))


def _is_new(page: str) -> bool:
    """Whether the address was not written by this page just now: a link, a reload, the back button, another page."""
    return st.session_state.get("page") != page or (_here() != _kept(page) and not _is_behind())


def _is_behind() -> bool:
    """Whether a control was moved before the browser had the latest address: who moves on does not wait for it.

    The back button brings an earlier address too, but then no control was moved.
    """
    state = st.session_state
    moved = any(key in state and state[key] != value for key, value in state["left"].items())
    return moved and _here() in state["trail"]


def _says(words: Mapping[str, list[str]], state: Mapping[str, Any], fields: Sequence[Field]) -> bool:
    """Whether an address says just this state, and nothing wrong."""
    said = {field.key: _parsed(field, words.get(field.key)) for field in fields}
    return words.keys() <= said.keys() and all(parsed == (state[key], "") for key, parsed in said.items())


def _parsed(field: Field, words: Sequence[str] | None) -> tuple[Any, str]:
    """The value of a field, and a sentence if it had to be the default."""
    if not words:
        return field.default, ""
    try:
        return field.parse(words), ""
    except ValueError as problem:
        return field.default, _sentence(f"the link says {field.key} is {show(words[-1])}", str(problem))


def _sentence(what: str, allowed: str) -> str:
    said = f"{what}; {allowed}"
    return short_line(with_capital(said) + ("" if said.endswith("?") else "."))
