"""The pictures of a found plan: attainment, what an hour is worth, and this year against the next; as charts.py.

Left out: any computing, and Streamlit.
"""

from __future__ import annotations

from collections.abc import Sequence

from nexthour.app.charts.base import DOLLARS, SCHEMA, Spec, estimate_rows, level_line, quarter_chart, tooltip
from nexthour.office.colours import BLUE, GREY, ORANGE
from nexthour.report.numbers import usd
from sim.study.estimates import Estimate

POINT = "point"
"""The selection of the frontier: the name of a point."""


def attainment_bars(values: Sequence[Estimate], name: str) -> Spec:
    """Quota credit over quota by quarter, with the quota as a line."""
    rows = [{**row, "said": f"{100 * row['value']:.0f}"} for row in estimate_rows(values)]
    y: Spec = {"type": "quantitative", "axis": {"title": "share of quota", "format": ".0%"}}
    return quarter_chart(
        f"Attainment by quarter under {name}, in % of quota; lines on the bars are 95% intervals",
        {
            "layer": [
                {
                    "mark": {"type": "bar", "color": BLUE, "cornerRadiusEnd": 2},
                    "encoding": {"y": {"field": "value", **y}, "tooltip": tooltip(".1%")},
                },
                {
                    "mark": {"type": "rule", "color": GREY},
                    "encoding": {"y": {"field": "low", **y}, "y2": {"field": "high"}},
                },
                level_line(1),
                {
                    "mark": {"type": "text", "dy": -9, "fontWeight": "bold", "fontSize": 9.5},
                    "encoding": {"y": {"field": "high", **y}, "text": {"field": "said"}},
                },
            ]
        },
        rows,
        ordinal=True,
    )


def hour_value_bars(values_usd: Sequence[float], first: int) -> Spec:
    """What one more hour is worth in each quarter from the first that is planned, in US dollars; without intervals."""
    rows = [{"q": q, "value": value, "said": usd(value)} for q, value in enumerate(values_usd, 1) if q >= first]
    y: Spec = {"type": "quantitative", "axis": {"title": "US dollars an hour", "format": DOLLARS}}
    return quarter_chart(
        "What one more hour is worth, by quarter; by the corrected model, without intervals",
        {
            "layer": [
                {
                    "mark": {"type": "bar", "color": BLUE, "cornerRadiusEnd": 2},
                    "encoding": {
                        "y": {"field": "value", **y},
                        "tooltip": [
                            {"field": "q", "title": "quarter"},
                            {"field": "value", "title": "an hour", "format": DOLLARS},
                        ],
                    },
                },
                {
                    "mark": {"type": "text", "dy": -8, "fontWeight": "bold", "fontSize": 9.5},
                    "encoding": {"y": {"field": "value", **y}, "text": {"field": "said"}},
                },
            ]
        },
        rows,
        ordinal=True,
        height=220,
    )


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
    x: Spec = {"type": "quantitative", "scale": {"zero": False, "padding": 20}}
    x["axis"] = {"title": "attainment of the first year", "format": ".0%", "tickCount": 6}
    y: Spec = {"type": "quantitative", "scale": {"zero": False, "padding": 20}}
    y["axis"] = {"title": "run-rate after: US dollars a quarter", "format": DOLLARS}
    kind: Spec = {"field": "kind", "type": "nominal", "legend": {"title": None, "orient": "top"}}
    colour = {**kind, "scale": {"domain": kinds, "range": [BLUE, ORANGE, GREY]}}
    shape = {**kind, "scale": {"domain": kinds, "range": ["circle", "diamond", "square"]}}
    at: Spec = {"x": {"field": "attained", **x}, "y": {"field": "after", **y}}
    across = {"y": at["y"], "x": {"field": "attained_low", **x}, "x2": {"field": "attained_high"}}
    upright = {"x": at["x"], "y": {"field": "after_low", **y}, "y2": {"field": "after_high"}}
    tips = [
        {"field": "name", "title": "plan"},
        {"field": "attained", "title": "attainment", "format": ".1%"},
        {"field": "after", "title": "run-rate after", "format": DOLLARS},
    ]
    marks: list[Spec] = [
        {"mark": {"type": "rule", "color": GREY, "strokeWidth": 1.2}, "encoding": across},
        {"mark": {"type": "rule", "color": GREY, "strokeWidth": 1.2}, "encoding": upright},
        {
            "name": "points",
            "mark": {"type": "point", "filled": True, "size": 170, "opacity": 1, "cursor": "pointer"},
            "encoding": {**at, "color": colour, "shape": shape, "tooltip": tips},
            "params": [{"name": POINT, "select": {"type": "point", "fields": ["name"]}}],
        },
        {
            "mark": {"type": "text", "dy": -16, "dx": 12, "fontWeight": "bold"},
            "encoding": {**at, "text": {"field": "said"}},
        },
    ]
    return {
        "$schema": SCHEMA,
        "description": title,
        "width": "container",
        "height": 340,
        "layer": [{"data": {"values": rows}, "layer": marks}],
    }
