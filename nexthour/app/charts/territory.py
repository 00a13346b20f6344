"""The pictures of a territory: who sees what, what could be seen, where partners stand, and indicators by quarter.

As in charts.py: plain dicts from plain data; what a colour says is said a second time, by a dash, a shape or a label.

Left out: any computing, and Streamlit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nexthour.app.charts.base import DOLLARS, SCHEMA, Spec
from nexthour.app.charts.indicators import Indicator, Quarter
from nexthour.office.colours import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from nexthour.report.numbers import usd

BROUGHT, NOBODY = "brought by partners", "seen by nobody"
HOLLOW = "rgba(127, 127, 127, 0.12)"
BAR, GAP, AROUND = 24, 12, 110
"""Pixels of a bar, between those of two segments, and of what stands above and below a picture of rows."""
FAR_RIGHT, LINE = 75, 0.06
"""Of 100: names of partners beyond it stand to the left; a line of text, as a share of the grid's height."""
NARROWEST = 0.09
"""Share of the longest bar in which a number can be read."""
ON_BAR = ("#FFFFFF", "#1F1F1F")
"""Text on blue, and on orange."""
TREATMENT_LOOKS = {
    "Develop": (GREEN, "triangle-up"),
    "Maintain": (BLUE, "circle"),
    "Limit": (VERMILLION, "square"),
    "Recruit": (PURPLE, "cross"),
    "Leave": (GREY, "diamond"),
}
COVERED = {"today": (GREY, "circle"), "with the plan": (BLUE, "square"), "reachable": (ORANGE, "diamond")}


@dataclass(frozen=True)
class SegmentBar:
    """Who sees what a segment is worth: a bar."""

    segment: str
    when: str
    worth_usd: float
    found: float
    brought: float
    nobody: float
    """shares; the three sum to 1"""


def market_map_bars(bars: Sequence[SegmentBar], title: str, who_finds: str = "you") -> Spec:
    """A bar a segment, as long as it is worth, in parts by who sees it; a dashed outline is what nobody does."""
    parts = (f"found by {who_finds}", BROUGHT, NOBODY)
    longest = max((bar.worth_usd for bar in bars), default=0.0) or 1.0
    whens = list(dict.fromkeys(bar.when for bar in bars))
    segments = list(dict.fromkeys(bar.segment for bar in bars))
    rows = [
        {
            "segment": bar.segment, "when": bar.when, "who": who, "share": share, "order": i,
            "from": bar.worth_usd * start, "to": bar.worth_usd * (start + share),
            "middle": bar.worth_usd * (start + share / 2),
            "said": f"{share:.0%}" if bar.worth_usd * share >= NARROWEST * longest else "",
        }
        for bar in bars
        for i, (who, share, start) in enumerate(zip(
            parts, (bar.found, bar.brought, bar.nobody), (0.0, bar.found, bar.found + bar.brought), strict=True))
    ]  # fmt: skip
    totals = [
        {"segment": bar.segment, "when": bar.when, "to": bar.worth_usd, "said": said}
        for bar in bars
        if (said := _bar_end_text(bar, whens))
    ]
    who: Spec = {"field": "who", "type": "nominal"}
    # Two columns of small letters, as three names are more than a phone has room for.
    legend = {"title": None, "orient": "top", "symbolType": "square", "columns": 2, "labelFontSize": 12}
    y: Spec = {
        "y": {
            "field": "segment", "type": "nominal", "sort": segments, "axis": {"title": None, "labelLimit": 110},
            "scale": {"paddingInner": GAP / (BAR * len(whens) + GAP), "paddingOuter": 0.1},
        }
    }  # fmt: skip
    if len(whens) > 1:
        y["yOffset"] = {"field": "when", "type": "nominal", "sort": whens, "scale": {"paddingInner": 0.08}}
    x: Spec = {
        "type": "quantitative",
        "scale": {"domain": [0, longest * (1.25 if len(whens) == 1 else 1.5)]},
        "axis": {"title": "worth, US dollars", "format": DOLLARS, "tickCount": 4},
    }

    def look(*values: Any) -> Spec:
        return {**who, "scale": {"domain": list(parts), "range": list(values)}, "legend": legend}

    return _spec(
        title,
        [
            {
                "data": {"values": rows},
                "mark": {"type": "bar", "strokeWidth": 1.2},
                "encoding": {
                    **y, "x": {"field": "from", **x}, "x2": {"field": "to"},
                    "fill": look(BLUE, ORANGE, HOLLOW),
                    "stroke": look(BLUE, ORANGE, GREY), "strokeDash": look([1, 0], [1, 0], [4, 3]),
                    "tooltip": [
                        {"field": "segment"}, {"field": "when"}, {"field": "who"},
                        {"field": "share", "title": "share", "format": ".1%"},
                    ],
                },
            },
            *(
                {
                    "data": {"values": [row for row in rows if row["who"] == part and row["said"]]},
                    "mark": {"type": "text", "fontSize": 12, **({"color": ink} if ink else {})},
                    "encoding": {**y, "x": {"field": "middle", **x}, "text": {"field": "said"}},
                }
                for part, ink in zip(parts, (*ON_BAR, None), strict=True)
            ),
            {
                "data": {"values": totals},
                "mark": {"type": "text", "align": "left", "dx": 5, "fontWeight": "bold"},
                "encoding": {**y, "x": {"field": "to", **x}, "text": {"field": "said"}},
            },
        ],
        len(segments) * (BAR * len(whens) + GAP) + AROUND,
    )  # fmt: skip


def _bar_end_text(bar: SegmentBar, whens: Sequence[str]) -> str:
    """What stands at the end of a bar: its worth, said once a segment, and which bar it is."""
    worth = usd(bar.worth_usd) if bar.when == whens[0] else ""
    return worth if len(whens) == 1 else f"{worth} {bar.when}".strip()


def reach_points(rows: Sequence[Mapping[str, Any]], title: str) -> Spec:
    """How much of each segment somebody sees: today, with the plan, and at most; a row each.

    A row: segment, which (of COVERED), share, low, high.
    """
    segments = list(dict.fromkeys(row["segment"] for row in rows))
    there = [which for which in COVERED if any(row["which"] == which for row in rows)]
    ends = [
        {"segment": name, "low": min(shares), "high": max(shares)}
        for name in segments
        if (shares := [row["share"] for row in rows if row["segment"] == name])
    ]
    y: Spec = {
        "field": "segment",
        "type": "nominal",
        "sort": segments,
        "axis": {"title": None, "labelLimit": 110, "grid": True},
    }
    x: Spec = {
        "type": "quantitative",
        "scale": {"domain": [0, 1]},
        "axis": {"title": "seen by somebody; ideal is 100%", "format": "%", "tickCount": 5},
    }
    which: Spec = {"field": "which", "type": "nominal", "legend": {"title": None, "orient": "top", "symbolSize": 120}}
    return _spec(
        title,
        [
            {
                "data": {"values": ends},
                "mark": {"type": "rule", "strokeWidth": 2, "color": GREY, "opacity": 0.6},
                "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}},
            },
            {
                "data": {"values": list(rows)},
                "mark": {"type": "point", "filled": True, "size": 130, "opacity": 1},
                "encoding": {
                    "y": y,
                    "x": {"field": "share", **x},
                    "color": {**which, "scale": {"domain": there, "range": [COVERED[name][0] for name in there]}},
                    "shape": {**which, "scale": {"domain": there, "range": [COVERED[name][1] for name in there]}},
                    "tooltip": [{"field": "segment"}, {"field": "which", "title": "seen"}, *_share_tooltip("share")],
                },
            },
            *(
                {
                    "data": {"values": [row for row in rows if (row["which"] == "with the plan") == below]},
                    "mark": {"type": "text", "dy": 15 if below else -13, "fontSize": 11},
                    "encoding": {
                        "y": y,
                        "x": {"field": "share", **x},
                        "text": {"field": "share", "type": "quantitative", "format": ".0%"},
                    },
                }
                for below in (False, True)
            ),
        ],
        len(segments) * 44 + AROUND,
    )


def partner_grid(rows: Sequence[Mapping[str, Any]], middle: tuple[float, float], title: str) -> Spec:
    """Partners by commitment and results; the axes cross at the means, `middle`.

    A row: partner, treatment, brings (of 100), credit, low, high (of 100).
    """
    brings, credit = middle
    top = 1.15 * max((row["high"] for row in rows), default=1.0) or 1.0
    labels = _spread_labels([{**row, "left": row["brings"] < brings or row["brings"] > FAR_RIGHT} for row in rows], top)
    x: Spec = {
        "type": "quantitative",
        "scale": {"domain": [max(0, min(row["brings"] for row in rows) - 30), 100]},
        "axis": {"title": "commitment: brings of 100 deals of its accounts", "grid": False, "tickCount": 5},
    }
    y: Spec = {
        "type": "quantitative",
        "scale": {"domain": [0, top]},
        "axis": {"title": "results: % of quota credit", "grid": False, "tickCount": 5},
    }
    there = [word for word in TREATMENT_LOOKS if any(row["treatment"] == word for row in rows)]
    word: Spec = {
        "field": "treatment",
        "type": "nominal",
        "legend": {"title": None, "orient": "top", "symbolSize": 120},
    }
    looks = {"domain": there}
    line: Spec = {"type": "rule", "strokeDash": [4, 3], "color": GREY, "strokeWidth": 1.5}
    return _spec(
        title,
        [
            {"data": {"values": [{}]}, "mark": line, "encoding": {"x": {"datum": brings, **x}}},
            {"data": {"values": [{}]}, "mark": line, "encoding": {"y": {"datum": credit, **y}}},
            {
                "data": {"values": list(rows)},
                "mark": {"type": "rule", "color": GREY, "opacity": 0.7},
                "encoding": {"x": {"field": "brings", **x}, "y": {"field": "low", **y}, "y2": {"field": "high"}},
            },
            {
                "data": {"values": list(rows)},
                "mark": {"type": "point", "filled": True, "size": 140, "opacity": 1},
                "encoding": {
                    "x": {"field": "brings", **x},
                    "y": {"field": "credit", **y},
                    "color": {**word, "scale": {**looks, "range": [TREATMENT_LOOKS[name][0] for name in there]}},
                    "shape": {**word, "scale": {**looks, "range": [TREATMENT_LOOKS[name][1] for name in there]}},
                    "tooltip": [
                        {"field": "partner"}, {"field": "treatment"},
                        {"field": "brings", "title": "brings of 100", "format": ".0f"},
                        {"field": "credit", "title": "% of quota credit", "format": ".1f"},
                        {"field": "low", "title": "95% from", "format": ".1f"},
                        {"field": "high", "title": "95% to", "format": ".1f"},
                    ],
                },
            },
            *(
                {
                    "data": {"values": [label for label in labels if label["left"] == left]},
                    "mark": {
                        "type": "text", "align": "right" if left else "left", "dx": -9 if left else 9,
                        "baseline": "middle", "fontSize": 12, "limit": 120,
                    },
                    "encoding": {
                        "x": {"field": "brings", **x}, "y": {"field": "at", **y}, "text": {"field": "partner"},
                    },
                }
                for left in (True, False)
            ),
        ],
        360,
    )  # fmt: skip


def _spread_labels(labels: Sequence[Spec], top: float) -> list[Spec]:
    """Labels with the height `at` which they stand, so that those on one side do not cover each other."""
    placed: list[Spec] = []
    for left in (True, False):
        last = top + LINE * top
        side = sorted((label for label in labels if label["left"] == left), key=lambda label: -label["credit"])
        for i, label in enumerate(side):
            # Not so low that those after it would stand below the axis.
            last = min(last - LINE * top, max(label["credit"], LINE * top * (len(side) - 1 - i)))
            placed.append({**label, "at": last})
    return placed


def planned_and_actual(indicator: Indicator, quarters: Sequence[Quarter], title: str) -> Spec:
    """An indicator by quarter: the planned mean in the band of 80 of 100 markets, and what was seen."""
    planned = [{"q": row.quarter, "mean": row.planned.value, "low": row.low, "high": row.high} for row in quarters]
    within, outside = "actual, in the band", "actual, outside"
    seen = [
        {
            "q": row.quarter, "actual": row.actual, "said": indicator.text(row.actual),
            "where": outside if row.outside else within,
        }
        for row in quarters if row.actual is not None
    ]  # fmt: skip
    x: Spec = {
        "field": "q", "type": "quantitative",
        "axis": {"title": "quarter", "tickMinStep": 1, "format": "d"},
        "scale": {"domain": [0.8, len(quarters) + 0.4], "nice": False},
    }  # fmt: skip
    number = DOLLARS if indicator.is_money else ".3~g"
    y: Spec = {"type": "quantitative", "axis": {"title": indicator.unit, "format": number}}
    where: Spec = {"field": "where", "type": "nominal", "legend": {"title": None, "orient": "top", "symbolSize": 120}}
    two = {"domain": [within, outside]}
    actual: list[Spec] = [
        {
            "data": {"values": seen},
            "mark": {"type": "point", "filled": True, "size": 130, "opacity": 1},
            "encoding": {
                "x": x, "y": {"field": "actual", **y},
                "color": {**where, "scale": {**two, "range": [GREEN, VERMILLION]}},
                "shape": {**where, "scale": {**two, "range": ["circle", "diamond"]}},
                "tooltip": [{"field": "q", "title": "quarter"}, {"field": "said", "title": "actual"}],
            },
        },
        {
            "data": {"values": seen},
            "mark": {"type": "text", "dy": -14, "fontWeight": "bold"},
            "encoding": {"x": x, "y": {"field": "actual", **y}, "text": {"field": "said"}},
        },
    ]  # fmt: skip
    return _spec(
        title,
        [
            {
                "data": {"values": planned},
                "mark": {"type": "area", "opacity": 0.3, "color": SKY},
                "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}},
            },
            {
                "data": {"values": planned},
                "mark": {"type": "line", "point": {"size": 35, "filled": True}, "color": BLUE, "strokeDash": [6, 3]},
                "encoding": {
                    "x": x, "y": {"field": "mean", **y},
                    "tooltip": [
                        {"field": "q", "title": "quarter"}, {"field": "mean", "title": "planned", "format": number},
                        {"field": "low", "title": "80 of 100 from", "format": number},
                        {"field": "high", "title": "to", "format": number},
                    ],
                },
            },
            *(actual if seen else ()),
        ],
        260,
    )  # fmt: skip


def _share_tooltip(value: str) -> list[Spec]:
    return [
        {"field": value, "title": "share", "format": ".1%"},
        {"field": "low", "title": "95% from", "format": ".1%"},
        {"field": "high", "title": "to", "format": ".1%"},
    ]


def _spec(title: str, layers: Sequence[Spec], height: int) -> Spec:
    return {"$schema": SCHEMA, "description": title, "width": "container", "height": height, "layer": list(layers)}
