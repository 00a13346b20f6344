"""The long game: teaching stories as guided demonstrations. A room predicts before it sees.

A story is a scenario that comes with Next Hour. Its result is a run of its plans, made when the page is looked at; what
stands here are questions, and no answers. Left out: the game with seats and rounds.
"""

from collections.abc import Sequence

import streamlit as st

from nexthour.app.charts import comparison as comparison_charts
from nexthour.app.menu import page_link
from nexthour.app.page import PageContext, caption, caveat, draw_page, escaped, heading, lead_text, picture
from nexthour.app.state import cache, library, url_state
from nexthour.app.state.url_state import Field
from nexthour.report import comparison as report
from nexthour.report.numbers import count_of, plain_number, signed_whole, with_interval
from nexthour.report.text import one_line, with_article
from sim import Comparison, Scenario, TimePlan
from sim.study.request import ComparisonRequest

PAGE = "stories"
STORIES = {
    "lunch-trap": "What would your team have to stop, to have these hours?",
    "hero-seller": "Who in your team wins deals for partners, and what do those partners learn from it?",
    "squeaky-wheel": "Which partner calls you most often? What did it bring last quarter?",
    "patient-builder": "How would you explain the first quarters to your boss?",
    "rising-quota": "In which year does your own quota outgrow your own hours?",
}
"""The question to talk about when all is seen, by scenario."""
NO_GUESS = ""
"""The word for a prediction that nobody made."""
MOST = 60
"""Percent that a prediction may say."""


def show() -> None:
    """Draw the page."""
    draw_page(PAGE, "The long game", _page, _fields, chooses_scenario=False)


def _fields(context: PageContext) -> Sequence[Field]:
    story = url_state.choice("story", list(STORIES), next(iter(STORIES)))
    seen = url_state.choice("seen", ["no", "yes"], "no")
    scenario, plans = _story(str(url_state.peek(PAGE, story)))
    by = url_state.number("by", -MOST, MOST, 0)
    if url_state.peek(PAGE, seen) == "no":  # a prediction begins with today's split; when all is seen there may be none
        return [story, url_state.choice("best", list(plans), scenario.status_quo.name), by, seen]
    return [story, url_state.choice("best", [NO_GUESS, *plans], NO_GUESS), url_state.optional_field(by), seen]


def _story(story: str) -> tuple[Scenario, dict[str, TimePlan]]:
    """A story's scenario, and its plans by name, today's split first."""
    scenario = cache.scenario(story, library.scenario_files())
    splits = (scenario.status_quo, *scenario.plans)
    return scenario, {split.name: TimePlan.from_split(scenario, split) for split in splits}


def _page(context: PageContext) -> None:
    st.segmented_control("Story", list(STORIES), key="story", format_func=_title, on_change=_ask_anew, required=True)
    scenario, plans = _story(st.session_state["story"])
    _draw_brief(scenario, plans)
    if st.session_state["seen"] == "no":
        _draw_prediction(scenario, plans)
    else:
        _remember("best", "by")
        _draw_result(scenario, plans, context.seed)


def _remember(*keys: str) -> None:
    """Keep what no control shows now. Streamlit would bring back what it was at first, as if a control were moved."""
    st.session_state.update({key: st.session_state[key] for key in keys})


def _title(story: str) -> str:
    return library.scenario_title(story).capitalize()


def _ask_anew() -> None:
    scenario, _ = _story(st.session_state["story"])
    st.session_state.update(seen="no", best=scenario.status_quo.name, by=0)


def _draw_brief(scenario: Scenario, plans: dict[str, TimePlan]) -> None:
    lead_text(scenario.question)
    names = [one_line(name) for name in plans if name != scenario.status_quo.name]
    years = scenario.horizon_quarters / 4
    caption(
        f"A manager has {plain_number(scenario.territory_manager.hours_per_week)} hours a week, "
        f"{count_of(len(scenario.partners), 'partner')} and {plain_number(years)} years. "
        f"Today's split goes on, or it changes: {'; '.join(names)}."
    )


def _draw_prediction(scenario: Scenario, plans: dict[str, TimePlan]) -> None:
    heading("Predict")
    st.radio("Which plan has the most quota credit at the end?", list(plans), key="best", format_func=escaped)
    if st.session_state["best"] != scenario.status_quo.name:
        st.slider("By how much does it differ from going on as today?", -MOST, MOST, key="by", format="%d%%")
    else:
        _remember("by")
    st.button("Show what happened", type="primary", on_click=st.session_state.update, kwargs={"seen": "yes"})


def _draw_result(scenario: Scenario, plans: dict[str, TimePlan], seed: int) -> None:
    with st.spinner("Running a thousand markets"):
        request = ComparisonRequest(plans=plans, replications=cache.usual_markets(scenario), seed=seed)
        comparison = cache.comparison(scenario, request)
    challengers = report.challengers(comparison)
    others = sorted(challengers, key=lambda name: -challengers[name].difference_usd.value)
    heading("What happened")
    lead_text(_judge_prediction(comparison, others))
    base = with_article(comparison.baseline)
    picture(comparison_charts.differences({name: comparison[name].difference_share for name in others}, base))
    for name in others:
        caption(report.verdict(comparison, name))
    picture(comparison_charts.dip_and_payback(comparison[others[0]].difference_to_quarter_usd, base))
    caption(f"The picture is of {others[0]}. Why: {report.explain_difference(comparison, others[0])}")
    heading("Talk about it")
    lead_text(STORIES[st.session_state["story"]])
    left, right = st.columns(2)
    with left:
        st.button("Predict again", on_click=_ask_anew)
    with right:
        page_link("lab", "Try it in the Lab", st.session_state["story"])
    caveat()


def _judge_prediction(comparison: Comparison, best_first: Sequence[str]) -> str:
    guess, by = st.session_state["best"], st.session_state["by"]
    first = comparison[best_first[0]]
    best = best_first[0] if first.difference_usd.value > 0 else comparison.baseline
    if guess == NO_GUESS:
        return f"The most quota credit has {best}."
    right = "You were right" if guess == best else f"You said {guess}"
    if guess == comparison.baseline or by is None:
        return f"{right}: the most quota credit has {best}."
    share = comparison[guess].difference_share
    inside = "inside" if share.low <= by / 100 <= share.high else "outside"
    return (
        f"{right}: the most quota credit has {best}. For {guess} you said {signed_whole(by)}%; it is "
        f"{with_interval(share)}, so your number is {inside} the interval."
    )
