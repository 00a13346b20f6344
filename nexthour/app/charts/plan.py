"""The pictures of a found plan: attainment, what an hour is worth, and this year against the next.

Left out: any computing, and Streamlit.
"""

from __future__ import annotations

from collections.abc import Sequence

from nexthour.app.charts.base import (
    DOLLARS,
    Spec,
    chart,
    estimate_rows,
    estimate_tips,
    interval_layer,
    layer,
    legend_on_top,
    level_line,
    nominal,
    quantity,
    quarter_bands,
    text_layer,
    tip,
    with_data,
)  # fmt: skip
from nexthour.office.colours import BLUE, GREY, ORANGE
from nexthour.report.numbers import usd
from sim.study.estimates import Estimate

POINT = "point"
"""The selection of the frontier: the name of a point."""
SMALL_TEXT = 9.5
"""Points of the numbers above bars."""


def attainment_bars(values: Sequence[Estimate], name: str) -> Spec:
    """Quota credit over quota by quarter, with the quota as a line."""
    rows = [{**row, "said": f"{100 * row['value']:.0f}"} for row in estimate_rows(values)]
    y = {"axis": {"title": "share of quota", "format": ".0%"}}
    layers = [
        layer("bar", {"y": quantity("value", **y), "tooltip": estimate_tips(".1%")}, color=BLUE, cornerRadiusEnd=2),
        interval_layer(**y),
        level_line(1),
        text_layer({"y": quantity("high", **y)}, -9, fontSize=SMALL_TEXT),
    ]
    title = f"Attainment by quarter under {name}, in % of quota; lines on the bars are 95% intervals"
    return chart(title, [with_data(rows, layers)], 260, encoding={"x": quarter_bands()})


def hour_value_bars(values_usd: Sequence[float], first: int) -> Spec:
    """What one more hour is worth in each quarter from the first that is planned, in US dollars; without intervals."""
    rows = [{"q": q, "value": value, "said": usd(value)} for q, value in enumerate(values_usd, 1) if q >= first]
    y = quantity("value", axis={"title": "US dollars an hour", "format": DOLLARS})
    tips = [{"field": "q", "title": "quarter"}, tip("value", "an hour", DOLLARS)]
    layers = [
        layer("bar", {"y": y, "tooltip": tips}, color=BLUE, cornerRadiusEnd=2),
        text_layer({"y": y}, -8, fontSize=SMALL_TEXT),
    ]
    title = "What one more hour is worth, by quarter; by the corrected model, without intervals"
    return chart(title, [with_data(rows, layers)], 220, encoding={"x": quarter_bands()})


def frontier_points(points: Sequence[tuple[str, Estimate, Estimate]], status_quo: str, chosen: str, title: str) -> Spec:
    """Attainment of the first year against the run-rate after it; points can be chosen by a click.

    `points` are names with attainment and run-rate in US dollars a quarter; one of them is the status quo.
    """
    kinds = ["a plan", "the chosen plan", "today"]
    rows = [
        {
            "name": name,
            "attained": point.value, "attained_low": point.low, "attained_high": point.high,
            "after": after.value, "after_low": after.low, "after_high": after.high,
            "kind": kinds[2 if name == status_quo else 1 if name == chosen else 0],
            "said": name.removeprefix("frontier "),
        }
        for name, point, after in points
    ]  # fmt: skip
    scale = {"zero": False, "padding": 20}
    x = {"scale": scale, "axis": {"title": "attainment of the first year", "format": ".0%", "tickCount": 6}}
    y = {"scale": scale, "axis": {"title": "run-rate after: US dollars a quarter", "format": DOLLARS}}
    colour = nominal("kind", legend=legend_on_top(), scale={"domain": kinds, "range": [BLUE, ORANGE, GREY]})
    shape = nominal("kind", legend=legend_on_top(), scale={"domain": kinds, "range": ["circle", "diamond", "square"]})
    at = {"x": quantity("attained", **x), "y": quantity("after", **y)}
    across = {"y": at["y"], "x": quantity("attained_low", **x), "x2": {"field": "attained_high"}}
    upright = {"x": at["x"], "y": quantity("after_low", **y), "y2": {"field": "after_high"}}
    tips = [
        {"field": "name", "title": "plan"}, tip("attained", "attainment", ".1%"),
        tip("after", "run-rate after", DOLLARS),
    ]  # fmt: skip
    marks = {**at, "color": colour, "shape": shape, "tooltip": tips}
    layers = [
        layer("rule", across, color=GREY, strokeWidth=1.2),
        layer("rule", upright, color=GREY, strokeWidth=1.2),
        {
            "name": "points",
            **layer("point", marks, filled=True, size=170, opacity=1, cursor="pointer"),
            "params": [{"name": POINT, "select": {"type": "point", "fields": ["name"]}}],
        },
        text_layer(at, -16, dx=12),
    ]
    return chart(title, [with_data(rows, layers)], 340)
