"""The pictures of a comparison: differences, fans, where a difference comes from, and hours; as charts.py.

Left out: any computing, and Streamlit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nexthour.app.charts.base import DOLLARS, SCHEMA, Spec
from nexthour.office.colours import BLUE, GREY, VERMILLION
from nexthour.report.numbers import usd
from sim.study.estimates import Estimate

UNCLEAR = "not clear"


def differences(shares: Mapping[str, Estimate], base: str) -> Spec:
    """Each plan's difference from the baseline over the horizon, as a share of its credit: points with intervals."""
    rows: list[Spec] = [
        {
            "plan": name,
            "value": share.value,
            "low": share.low,
            "high": share.high,
            "said": f"{share.value:+.1%}",
            "at": 0.0,
        }
        | {"side": UNCLEAR if share.verdict == "no clear difference" else share.verdict}
        for name, share in shares.items()
    ]
    sides, legend = ["ahead", "behind", UNCLEAR], {"title": None, "orient": "top"}
    side: Spec = {"field": "side", "type": "nominal", "legend": legend}
    colour = {**side, "scale": {"domain": sides, "range": [BLUE, VERMILLION, GREY]}}
    shape = {**side, "scale": {"domain": sides, "range": ["triangle-up", "triangle-down", "circle"]}}
    x: Spec = {"type": "quantitative", "axis": {"title": f"against {base}", "format": "+.1~%", "tickCount": 6}}
    y: Spec = {
        "field": "plan", "type": "nominal", "sort": list(shares), "axis": {"title": None, "labelLimit": 220},
    }  # fmt: skip
    marks: list[tuple[Spec, Spec]] = [
        (
            {"type": "rule", "strokeWidth": 2.5},
            {"x": {"field": "low", **x}, "x2": {"field": "high"}, "color": colour},
        ),
        (
            {"type": "point", "filled": True, "size": 120, "opacity": 1},
            {"x": {"field": "value", **x}, "color": colour, "shape": shape},
        ),
        ({"type": "text", "dy": -14, "fontWeight": "bold"}, {"x": {"field": "value", **x}, "text": {"field": "said"}}),
        ({"type": "tick", "thickness": 1.5, "size": 40, "color": GREY}, {"x": {"field": "at", **x}}),
    ]
    return {
        "$schema": SCHEMA,
        "description": f"Quota credit against {base}, over all quarters, with 95% intervals",
        "width": "container",
        "height": 90 + 46 * len(rows),
        "layer": [
            {
                "data": {"values": rows},
                "layer": [{"mark": mark, "encoding": {"y": y, **encoding}} for mark, encoding in marks],
            }
        ],
    }


def fans(named: Mapping[str, Sequence[tuple[float, float, float]]], title: str, y_title: str, number: str) -> Spec:
    """A small picture a plan, all on the same axes: the mean by quarter, and between which values 8 of 10 markets lie.

    A plan's rows are its 10th percentile, mean and 90th percentile, a quarter each.
    """
    rows = [
        {"q": q, "plan": name, "low": low, "value": mean, "high": high}
        for name, values in named.items()
        for q, (low, mean, high) in enumerate(values, 1)
    ]
    y: Spec = {"type": "quantitative", "axis": {"title": y_title, "format": number}}
    x: Spec = {"field": "q", "type": "quantitative", "axis": {"title": "quarter", "tickMinStep": 1, "format": "d"}}
    return {
        "$schema": SCHEMA,
        "description": title,
        "columns": 2,
        "autosize": "pad",
        "concat": [
            {
                "data": {"values": [row for row in rows if row["plan"] == name]},
                "title": {"text": name, "anchor": "start", "limit": 230},
                "width": 230,
                "height": 130,
                "layer": [
                    {
                        "mark": {"type": "area", "opacity": 0.25, "color": BLUE},
                        "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}},
                    },
                    {
                        "mark": {"type": "line", "color": BLUE, "strokeWidth": 2.2},
                        "encoding": {"x": x, "y": {"field": "value", **y}},
                    },
                ],
            }
            for name in named
        ],
        "resolve": {"scale": {"y": "shared"}},
    }


def waterfall(before: tuple[str, float], steps: Mapping[str, Estimate], after: tuple[str, float]) -> Spec:
    """From one plan's quota credit to another's, in US dollars: who brings more, and who less."""
    (first, start), (last, end) = before, after
    rows: list[Spec] = []
    at = start
    rows.append({"what": first, "from": 0.0, "to": start, "kind": "plan", "said": usd(start)})
    for what, step in steps.items():
        kind = "more" if step.value > 0 else "less"
        rows.append({"what": what, "from": at, "to": at + step.value, "kind": kind, "said": usd(step.value, sign=True)})
        at += step.value
    rows.append({"what": last, "from": 0.0, "to": end, "kind": "plan", "said": usd(end)})
    for row in rows:
        row["top"] = max(float(row["from"]), float(row["to"]))
    kinds = {"domain": ["plan", "more", "less"], "range": [GREY, BLUE, VERMILLION]}
    least = min(min(float(row["from"]), float(row["to"])) for row in rows[1:-1]) if steps else 0.0
    y: Spec = {
        "type": "quantitative",
        "axis": {"title": "US dollars", "format": DOLLARS},
        # Steps are small beside what they stand on; the axis says where it begins.
        "scale": {"domainMin": max(0.0, 0.9 * min(least, start, end)), "zero": False, "clamp": True},
    }
    x: Spec = {
        "field": "what",
        "type": "ordinal",
        "sort": None,
        "axis": {"title": None, "labelAngle": -30, "labelOverlap": False, "labelLimit": 130},
    }
    return {
        "$schema": SCHEMA,
        "description": f"From {first} to {last}: quota credit over all quarters, and who brings more or less of it",
        "width": "container",
        "height": 300,
        "layer": [
            {
                "data": {"values": rows},
                "encoding": {"x": x},
                "layer": [
                    {
                        "mark": {"type": "bar"},
                        "encoding": {
                            "y": {"field": "from", **y}, "y2": {"field": "to"},
                            "color": {
                                "field": "kind", "type": "nominal", "scale": kinds,
                                "legend": {"title": None, "orient": "top", "symbolType": "square"},
                            },
                        },
                    },
                    {
                        "mark": {"type": "text", "dy": -9, "fontWeight": "bold"},
                        "encoding": {"y": {"field": "top", **y}, "text": {"field": "said"}},
                    },
                ],
            }
        ],
    }  # fmt: skip


def hours_heat(hours: Mapping[str, Sequence[float]], name: str) -> Spec:
    """Hours a week by what they are for and by quarter; each cell says its number."""
    rows = [
        {
            "q": q,
            "what": what,
            "hours": value,
            "said": f"{value:.1f}" if value >= 0.05 else "",
            "dark": value > most / 2,
        }
        for most in [max((max(row) for row in hours.values()), default=1.0)]
        for what, row in hours.items()
        if max(row) >= 0.05
        for q, value in enumerate(row, 1)
    ]
    x: Spec = {"field": "q", "type": "ordinal", "axis": {"title": "quarter", "labelAngle": 0}}
    y: Spec = {"field": "what", "type": "nominal", "sort": list(hours), "axis": {"title": None, "labelLimit": 170}}
    return {
        "$schema": SCHEMA,
        "description": f"Hours a week under {name}",
        "width": "container",
        "height": 100 + 28 * len({row["what"] for row in rows}),
        "layer": [
            {
                "data": {"values": rows},
                "encoding": {"x": x, "y": y},
                "layer": [
                    {
                        "mark": {"type": "rect"},
                        "encoding": {
                            "color": {
                                "field": "hours", "type": "quantitative", "legend": None,
                                "scale": {"range": ["#E8F1F8", BLUE]},
                            }
                        },
                    },
                    {
                        "mark": {"type": "text"},
                        "encoding": {
                            "text": {"field": "said"},
                            "color": {
                                "condition": {"test": "datum.dark", "value": "white"}, "value": "#1F1F1F",
                            },
                        },
                    },
                ],
            }
        ],
    }  # fmt: skip
