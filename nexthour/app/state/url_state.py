"""The state of a page in its address, so that a link, a reload and the back button bring it back.

A page declares its fields. A field's value lives in the session under its key, where its widget finds it, and in the
address unless it is the default. What a link says wrongly is told in one sentence and replaced by the default.

Streamlit's own binding of widgets to the address is not used: a link to another page that has the same field could not
set it, and a value that makes no sense would vanish without a word.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from nexthour.app.state import visit
from nexthour.app.state.visit import Words
from nexthour.report.numbers import count_of, digits
from nexthour.report.text import with_capital
from sim.documents.messages import guess, listed, show
from sim.errors import short_line

SHARED = ("scenario", "seed")
"""The keys of fields that go along from page to page."""
LONGEST_VALUE = 4000
"""Letters of one value in an address."""
MOST_UNKNOWN = 5
"""Keys of an address about which there is a sentence each."""
LONGEST_TRAIL = 100
"""Number of addresses that a page wrote since it was arrived at, of which the browser may still have one."""


@dataclass(frozen=True)
class Field:
    """One thing of a page that its address holds."""

    key: str
    default: Any
    parse: Callable[[Sequence[str]], Any]
    """reads it from the address; raises ValueError that says what is allowed"""
    write: Callable[[Any], list[str]]
    """writes it for the address"""


def choice(key: str, options: Sequence[str], default: str) -> Field:
    """A field that is one of some words."""

    def parse(words: Sequence[str]) -> str:
        if words[-1] not in options:
            raise ValueError(guess(words[-1], [option for option in options if option]))
        return words[-1]

    return Field(key, default, parse, lambda value: [value])


def several(key: str, options: Sequence[str]) -> Field:
    """A field that is any of some words; an empty one stands for none, as is usual."""

    def parse(words: Sequence[str]) -> list[str]:
        chosen = dict.fromkeys(word for word in words if word)
        for word in chosen:
            if word not in options:
                raise ValueError(guess(word, list(options)))
        return list(chosen)

    return Field(key, [], parse, lambda value: list(value) or [""])


def number(key: str, least: float, most: float, default: float, whole: bool = True) -> Field:
    """A field that is a number within bounds."""
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


def optional_field(field: Field) -> Field:
    """A field that is None where nobody said anything."""
    return Field(field.key, None, field.parse, lambda value: [] if value is None else field.write(value))


def text(key: str, default: str = "") -> Field:
    """A field that is any short text."""

    def parse(words: Sequence[str]) -> str:
        if len(words[-1]) > LONGEST_VALUE:
            raise ValueError(f"allowed: at most {count_of(LONGEST_VALUE, 'letter')}")
        return words[-1]

    return Field(key, default, parse, lambda value: [value])


def peek(page: str, field: Field) -> Any:
    """The value that a field will have once the address is read; the default if the address makes no sense."""
    if not _is_new(page) and field.key in st.session_state:
        return st.session_state[field.key]
    words = _asked_for(page).get(field.key)
    try:
        return field.default if words is None else field.parse(words)
    except ValueError:
        return field.default


def allowed_value(page: str, field: Field) -> Any:
    """What `peek` gives, and the default if the session has what is not allowed any more, as of another scenario."""
    return _parse(field, field.write(peek(page, field)))[0]


def values(fields: Sequence[Field]) -> dict[str, Any]:
    """The values that the session holds of fields, by their key."""
    return {field.key: st.session_state[field.key] for field in fields}


def read_words(words: Words, fields: Sequence[Field]) -> tuple[dict[str, Any], list[str]]:
    """The values that a link gives to fields, by their key; second, a sentence for each thing that is wrong in it."""
    known = [field.key for field in fields]
    unknown = [key for key in words if key not in known]
    wrong = [
        _sentence(f"the link says {show(key)}, which this page does not know", guess(key, known))
        for key in unknown[:MOST_UNKNOWN]
    ]
    if len(unknown) > MOST_UNKNOWN:
        more = count_of(len(unknown) - MOST_UNKNOWN, "more thing")
        wrong.append(_sentence(f"the link says {more} that this page does not know", f"allowed: {listed(known)}"))
    found = {field.key: _parse(field, words.get(field.key)) for field in fields}
    return {key: value for key, (value, _) in found.items()}, wrong + [
        problem for _, problem in found.values() if problem
    ]


def read_address(page: str, fields: Sequence[Field]) -> list[str]:
    """Bring the fields of a page into the session, from the address where it is new; returns what is wrong in it.

    An address without any state, as of a page chosen in the menu, brings back what the page had before.
    """
    this_visit = visit.current()
    if _is_new(page):
        this_visit.trail = [_address_now()]
        found, this_visit.complaints[page] = read_words(_asked_for(page), fields)
        for key, value in found.items():
            st.session_state[key] = value
        return list(this_visit.complaints[page])
    words = _address_kept(page)
    for field in fields:
        if field.key not in st.session_state:
            st.session_state[field.key], _ = _parse(field, words.get(field.key))
        else:  # of another scenario, it may name what is not there any more
            value, _ = _parse(field, field.write(st.session_state[field.key]))
            if value != st.session_state[field.key]:  # what is set goes to the browser, where the hand may be further
                st.session_state[field.key] = value
    return list(this_visit.complaints.get(page, ()))


def write_address(page: str, fields: Sequence[Field]) -> None:
    """Write the state of a page into its address, if that says anything else.

    What the browser is given is a step of its own: an address that says the same in more words has to stay, or the back
    button would come to it, have it written again, and get no further.
    """
    state = values(fields)
    words = as_words(state, fields)
    this_visit = visit.current()
    this_visit.shared = {key: words[key] for key in SHARED if key in words}
    if _says_state(_address_now(), state, fields):
        words = _address_now()
    else:
        st.query_params.from_dict(words)
    this_visit.kept[page], this_visit.page, this_visit.left = words, page, state
    this_visit.trail = [*this_visit.trail, words][-LONGEST_TRAIL:]


def address_of(page: str) -> Words:
    """The address of a page as it was left, of what all pages are about now."""
    own = {key: words for key, words in _address_kept(page).items() if key not in SHARED}
    return own | visit.current().shared


def as_words(says: Mapping[str, Any], fields: Sequence[Field]) -> Words:
    """Query parameters that say these values; those that are as usual are left out."""
    known = {field.key: field for field in fields}
    return {key: known[key].write(value) for key, value in says.items() if value != known[key].default}


def _address_now() -> Words:
    return {key: st.query_params.get_all(key) for key in st.query_params}


def _asked_for(page: str) -> Words:
    """What a page is asked to show: what its address says, else what it had before, of what all pages are about now."""
    return _address_now() or address_of(page)


def _address_kept(page: str) -> Words:
    return dict(visit.current().kept.get(page, {}))


def _is_new(page: str) -> bool:
    """Whether the address was not written by this page just now: a link, a reload, the back button, another page."""
    return visit.current().page != page or (_address_now() != _address_kept(page) and not _is_behind())


def _is_behind() -> bool:
    """Whether a control was moved before the browser had the latest address: who moves on does not wait for it.

    The back button brings an earlier address too, but then no control was moved.
    """
    state, this_visit = st.session_state, visit.current()
    moved = any(key in state and state[key] != value for key, value in this_visit.left.items())
    return moved and _address_now() in this_visit.trail


def _says_state(words: Words, state: Mapping[str, Any], fields: Sequence[Field]) -> bool:
    """Whether an address says just this state, and nothing wrong."""
    read = {field.key: _parse(field, words.get(field.key)) for field in fields}
    return words.keys() <= read.keys() and all(parsed == (state[key], "") for key, parsed in read.items())


def _parse(field: Field, words: Sequence[str] | None) -> tuple[Any, str]:
    """The value of a field, and a sentence if it had to be the default."""
    if not words:
        return field.default, ""
    try:
        return field.parse(words), ""
    except ValueError as problem:
        return field.default, _sentence(f"the link says {field.key} is {show(words[-1])}", str(problem))


def _sentence(what: str, allowed: str) -> str:
    text = f"{what}; {allowed}"
    return short_line(with_capital(text) + ("" if text.endswith("?") else "."))
