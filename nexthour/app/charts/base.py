"""The pictures, as Vega-Lite specifications in plain dicts: built from plain data, shown by Streamlit, saved as PNG.

Colours are those of Okabe & Ito (2008); what a colour says is said a second time by a dash, a shape or a label. Text
and axes take the colours of the theme they are shown in.

Left out: any computing, and Streamlit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nexthour.office.colours import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, YELLOW
from nexthour.report.numbers import usd
from sim.study.estimates import Estimate

Spec = dict[str, Any]
DASHES = ((1, 0), (6, 3), (2, 2), (8, 2, 2, 2))
"""Of the plans of a picture, in their order."""
COLOURS = (GREY, BLUE, VERMILLION, GREEN)
"""The same: the plan measured against is grey."""
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
SPOKEN: Spec = {"field": "told", "type": "nominal"}
"""What a bar or a point says when a picture is read aloud; else it would be every field, in all its digits."""
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
LOW_BAR = 15
"""Of 100: in a lower bar there is no room for a number."""
DOLLARS = "$.3~s"
"""Vega's format: $1.2M"""


def estimate_rows(values: Sequence[Estimate]) -> list[dict[str, float | int]]:
    """Rows of estimates, a quarter each."""
    return [{"q": q, "value": value.value, "low": value.low, "high": value.high} for q, value in enumerate(values, 1)]


def dip_and_payback(cumulated: Sequence[Estimate], base: str) -> Spec:
    """The paired difference in quota credit, cumulated: how far behind a plan falls, and when it has paid that back.

    Money is in US dollars.
    """
    rows = [
        {**row, "told": _spoken_text(row, *(usd(row[of], sign=True) for of in ("value", "low", "high")))}
        for row in estimate_rows(cumulated)
    ]
    return quarter_chart(
        f"Quota credit gained or lost against {base}, by the end of each quarter",
        {
            "layer": [
                {
                    "mark": {"type": "area", "opacity": 0.25, "color": BLUE},
                    "encoding": {"y": _dollar_axis("low"), "y2": {"field": "high"}},
                },
                level_line(0),
                {
                    "mark": {"type": "line", "point": {"size": 55, "filled": True}, "color": BLUE, "strokeWidth": 2.5},
                    "encoding": {"y": _dollar_axis("value"), "tooltip": tooltip(DOLLARS), "description": SPOKEN},
                },
                *_amount_labels([rows[0], min(rows, key=lambda row: row["value"]), rows[-1]]),
            ]
        },
        rows,
    )


def markets_ahead(shares: Sequence[Estimate], name: str, base: str) -> Spec:
    """In how many of 100 markets a plan is ahead by the end of each quarter; below 50 it is behind in most."""
    rows: list[Spec] = [
        {**row, "value": 100 * row["value"], "low": 100 * row["low"], "high": 100 * row["high"]}
        for row in estimate_rows(shares)
    ]
    for row in rows:
        row |= {"side": "ahead in most" if row["value"] >= 50 else "behind in most", "said": f"{row['value']:.0f}"}
        row["told"] = _spoken_text(row, *(f"{row[of]:.0f}" for of in ("value", "low", "high")))
    ahead: Spec = {
        "field": "side",
        "type": "nominal",
        "scale": {"domain": ["ahead in most", "behind in most"], "range": [BLUE, ORANGE]},
        "legend": {"title": None, "orient": "top", "symbolType": "square"},
    }
    return quarter_chart(
        f"Markets out of 100 in which {name} is ahead of {base} by the end of each quarter",
        {
            "layer": [
                {
                    "mark": {"type": "bar", "cornerRadiusEnd": 2},
                    "encoding": {
                        "y": {
                            "field": "value", "type": "quantitative", "scale": {"domain": [0, 100]},
                            "axis": {"title": "markets ahead, of 100"},
                        },
                        "color": ahead,
                        "tooltip": tooltip(".0f"),
                        "description": SPOKEN,
                    },
                },
                {
                    "mark": {"type": "rule", "color": GREY},
                    "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
                },
                level_line(50),
                # Within the bar, where the line across does not hit it; a bar that is too low has it above.
                {
                    "transform": [{"filter": f"datum.value >= {LOW_BAR}"}],
                    "mark": {"type": "text", "dy": -9, "fontWeight": "bold"},
                    "encoding": {
                        "y": {"datum": 0},
                        "text": {"field": "said"},
                        "color": {"condition": {"test": "datum.value >= 50", "value": "white"}, "value": "black"},
                    },
                },
                {
                    "transform": [{"filter": f"datum.value < {LOW_BAR}"}],
                    "mark": {"type": "text", "dy": -9, "fontWeight": "bold"},
                    "encoding": {"y": {"field": "high", "type": "quantitative"}, "text": {"field": "said"}},
                },
            ]
        },
        rows,
        ordinal=True,
    )  # fmt: skip


def hours_stack(hours: Mapping[str, Sequence[float]], words: Mapping[str, str], name: str) -> Spec:
    """Planned hours a week by activity and quarter."""
    used = {activity: row for activity, row in hours.items() if max(row) >= 0.05}
    order = [activity for activity in ACTIVITY_COLOURS if activity in used]
    rows = [
        {
            "q": q, "what": words[activity], "hours": round(value, 3), "order": order.index(activity),
            "told": f"quarter {q}: {words[activity]} {value:.1f}",
        }
        for activity in order
        for q, value in enumerate(used[activity], 1)
    ]  # fmt: skip
    return quarter_chart(
        f"Hours a week under {name}",
        {
            "mark": {"type": "bar", "stroke": "white", "strokeWidth": 0.6},
            "encoding": {
                "y": {"field": "hours", "type": "quantitative", "stack": True, "axis": {"title": "hours a week"}},
                "order": {"field": "order", "type": "quantitative"},
                "color": {
                    "field": "what",
                    "type": "nominal",
                    "scale": {
                        "domain": [words[activity] for activity in order],
                        "range": [ACTIVITY_COLOURS[activity] for activity in order],
                    },
                    "legend": {"title": None, "orient": "top", "columns": 2, "symbolType": "square"},
                },
                "tooltip": [
                    {"field": "q", "title": "quarter"},
                    {"field": "what", "title": "activity"},
                    {"field": "hours", "title": "hours a week", "format": ".2f"},
                ],
                "description": SPOKEN,
            },
        },
        rows,
        ordinal=True,
        height=280,
    )


def lines(named: Mapping[str, Sequence[Estimate]], title: str, y_title: str, number: str, zero: bool = False) -> Spec:
    """A line a plan by quarter with its interval; each has its own colour and dash."""
    rows = [{**row, "plan": name} for name, values in named.items() for row in estimate_rows(values)]
    plans = list(named)
    legend = {"title": None, "orient": "top", "symbolType": "stroke", "symbolStrokeWidth": 2.5, "symbolOpacity": 1,
              "labelLimit": 320, "columns": 2}  # fmt: skip
    plan: Spec = {"field": "plan", "type": "nominal", "legend": legend}
    colour = {**plan, "scale": {"domain": plans, "range": list(COLOURS[: len(plans)])}}
    dash = {**plan, "scale": {"domain": plans, "range": [list(dash) for dash in DASHES[: len(plans)]]}}
    y: Spec = {"type": "quantitative", "axis": {"title": y_title, "format": number}, "scale": {"zero": zero}}
    return quarter_chart(
        title,
        {
            "encoding": {"color": colour},
            "layer": [
                {
                    "mark": {"type": "area", "opacity": 0.15},
                    "encoding": {"y": {"field": "low", **y}, "y2": {"field": "high"}},
                },
                {
                    "mark": {"type": "line", "strokeWidth": 2.2},
                    "encoding": {
                        "y": {"field": "value", **y},
                        "strokeDash": dash,
                        "tooltip": [{"field": "plan"}, *tooltip(number)],
                    },
                },
            ],
        },
        rows,
    )


def quarter_chart(
    title: str, body: Spec, rows: Sequence[Mapping[str, Any]], ordinal: bool = False, height: int = 260
) -> Spec:
    """What all pictures by quarter have in common; `ordinal` gives each quarter a band, for bars.

    The title is the picture's description, read aloud and written above it: in a picture it would not wrap.
    """
    x: Spec = {"field": "q", "type": "quantitative", "axis": {"title": "quarter", "tickMinStep": 1, "format": "d"}}
    if ordinal:
        x = {"field": "q", "type": "ordinal", "axis": {"title": "quarter", "labelAngle": 0}}
    return {
        "$schema": SCHEMA,
        "description": title,
        "width": "container",
        "height": height,
        # Data of the whole picture would be sent apart from it, and Vega warns of a picture that is still empty.
        "layer": [{"data": {"values": list(rows)}, **body}],
        "encoding": {"x": x},
    }


def _dollar_axis(field: str) -> Spec:
    return {"field": field, "type": "quantitative", "axis": {"title": "US dollars", "format": DOLLARS}}


def _spoken_text(row: Mapping[str, Any], value: str, low: str, high: str) -> str:
    return f"quarter {row['q']}: {value}, 95% {low} to {high}"


def tooltip(number: str) -> list[Spec]:
    return [
        {"field": "q", "title": "quarter"},
        {"field": "value", "title": "mean", "format": number},
        {"field": "low", "title": "95% from", "format": number},
        {"field": "high", "title": "95% to", "format": number},
    ]


def level_line(value: float) -> Spec:
    """A line across the picture."""
    return {
        "mark": {"type": "rule", "strokeDash": [4, 3], "color": GREY, "strokeWidth": 1.5},
        "encoding": {"x": {"value": 0}, "x2": {"value": "width"}, "y": {"datum": value}},
    }


def _amount_labels(rows: Sequence[Mapping[str, Any]]) -> list[Spec]:
    """Amounts at some points, so that nobody has to read them off an axis: losses below the line, off that of 0."""
    said = [{**row, "said": usd(row["value"], sign=True)} for row in {row["q"]: row for row in rows}.values()]
    return [
        {
            "data": {"values": values},
            "mark": {"type": "text", "dy": away, "fontWeight": "bold"},
            "encoding": {"y": {"field": "value", "type": "quantitative"}, "text": {"field": "said"}},
        }
        for away, values in (
            (-14, [row for row in said if row["value"] >= 0]),
            (16, [row for row in said if row["value"] < 0]),
        )
        if values
    ]
