"""The pictures of a plan's hours: by activity as stacked bars, and by any use as a map of numbers.

Left out: any computing, and Streamlit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nexthour.app.charts.base import (
    SPOKEN,
    Spec,
    chart,
    layer,
    legend_on_top,
    nominal,
    quantity,
    quarter_bands,
    tip,
    with_data,
)  # fmt: skip
from nexthour.office.colours import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, YELLOW

ACTIVITY_COLOURS = {
    "sell": BLUE,
    "prospect": SKY,
    "coach": GREEN,
    "joint_plan": "#66C2A5",
    "co_sell": ORANGE,
    "sell_for": VERMILLION,
    "socialise": PURPLE,
    "recruit": YELLOW,
    "support": GREY,
    "idle": "#BDBDBD",
}
LEAST_SHOWN = 0.05
"""Hours a week: less than that rounds to none."""


def hours_stack(hours: Mapping[str, Sequence[float]], words: Mapping[str, str], name: str) -> Spec:
    """Planned hours a week by activity and quarter."""
    order = [activity for activity in ACTIVITY_COLOURS if max(hours.get(activity, [0.0])) >= LEAST_SHOWN]
    rows = [
        {
            "q": q, "what": words[activity], "hours": round(value, 3), "order": order.index(activity),
            "told": f"quarter {q}: {words[activity]} {value:.1f}",
        }
        for activity in order
        for q, value in enumerate(hours[activity], 1)
    ]  # fmt: skip
    colours = {
        "domain": [words[activity] for activity in order], "range": [ACTIVITY_COLOURS[activity] for activity in order],
    }  # fmt: skip
    tips = [
        {"field": "q", "title": "quarter"}, {"field": "what", "title": "activity"}, tip("hours", "hours a week", ".2f"),
    ]  # fmt: skip
    bars = {
        "y": quantity("hours", stack=True, axis={"title": "hours a week"}),
        "order": quantity("order"),
        "color": nominal("what", scale=colours, legend=legend_on_top(columns=2, symbolType="square")),
        "tooltip": tips,
        "description": SPOKEN,
    }
    layers = [layer("bar", bars, rows, stroke="white", strokeWidth=0.6)]
    return chart(f"Hours a week under {name}", layers, 280, encoding={"x": quarter_bands()})


def hours_heat(hours: Mapping[str, Sequence[float]], name: str) -> Spec:
    """Hours a week by what they are for and by quarter; each cell says its number."""
    most = max((max(row) for row in hours.values()), default=1.0)
    used = {what: row for what, row in hours.items() if max(row) >= LEAST_SHOWN}
    rows = [
        {
            "q": q, "what": what, "hours": value, "said": f"{value:.1f}" if value >= LEAST_SHOWN else "",
            "dark": value > most / 2,
        }
        for what, row in used.items()
        for q, value in enumerate(row, 1)
    ]  # fmt: skip
    y = nominal("what", sort=list(hours), axis={"title": None, "labelLimit": 170})
    ink = {"condition": {"test": "datum.dark", "value": "white"}, "value": "#1F1F1F"}
    layers = [
        layer("rect", {"color": quantity("hours", legend=None, scale={"range": ["#E8F1F8", BLUE]})}),
        layer("text", {"text": {"field": "said"}, "color": ink}),
    ]
    shared = with_data(rows, layers, encoding={"x": quarter_bands(), "y": y})
    return chart(f"Hours a week under {name}", [shared], 100 + 28 * len(used))
