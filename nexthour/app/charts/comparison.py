"""The pictures of a comparison: who is ahead and by how much, by quarter and in all, and where a difference comes from.

Left out: any computing, and Streamlit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from nexthour.app.charts import vega
from nexthour.app.charts.vega import DOLLARS, SPOKEN, Spec
from nexthour.office.colours import BLUE, GREEN, GREY, ORANGE, VERMILLION
from nexthour.report.numbers import plain_whole, signed_percent, usd
from sim.study.estimates import Estimate

DASHES = ((1, 0), (6, 3), (2, 2), (8, 2, 2, 2))
"""The dashes of the plans of a picture, in their order."""
COLOURS = (GREY, BLUE, VERMILLION, GREEN)
"""The colours of the plans of a picture, in their order: the plan measured against is grey."""
LOW_BAR = 15
"""Markets of 100: in a lower bar there is no room for a number."""
HEIGHT = 260
"""Pixels of a picture by quarter."""
UNCLEAR = "not clear"
SIDES = {"ahead": (BLUE, "triangle-up"), "behind": (VERMILLION, "triangle-down"), UNCLEAR: (GREY, "circle")}
"""Colour and shape of a plan by where its interval lies."""
ENDS = ("value", "low", "high")


def dip_and_payback(cumulated: Sequence[Estimate], base: str) -> Spec:
    """The paired difference in quota credit, cumulated: how far behind a plan falls, and when it has paid that back.

    Money is in US dollars.
    """
    rows = vega.estimate_rows(cumulated)
    for row in rows:
        row["told"] = _spoken_text(row, *(usd(row[end], sign=True) for end in ENDS))
    money = {"axis": {"title": "US dollars", "format": DOLLARS}}
    line = {"y": vega.quantity("value", **money), "tooltip": vega.estimate_tips(DOLLARS), "description": SPOKEN}
    told = (rows[0], min(rows, key=lambda row: row["value"]), rows[-1])  # nobody has to read these off an axis
    for row in rows:
        row["said"] = usd(row["value"], sign=True) if row in told else ""
    layers = [
        vega.layer("area", vega.low_to_high(**money), opacity=0.25, color=BLUE),
        vega.level_line(0),
        vega.layer("line", line, point={"size": 55, "filled": True}, color=BLUE, strokeWidth=2.5),
        _amounts("datum.value >= 0", -14),
        _amounts("datum.value < 0", 16),  # losses below the line, off that of 0
    ]
    title, along = _cumulated_title(base), {"x": vega.quarter_axis()}
    return vega.chart(title, [vega.with_data(rows, layers)], HEIGHT, encoding=along)


def _amounts(test: str, dy: float) -> Spec:
    """What points that pass a test say. Not by a filter: Vega warns of a layer from which all rows are filtered."""
    said = {"condition": {"test": test, "field": "said"}, "value": ""}
    return vega.text_layer({"y": vega.quantity("value"), "text": said}, dy)


def _cumulated_title(base: str) -> str:
    return f"Quota credit gained or lost against {base}, by the end of each quarter"


def _spoken_text(row: Mapping[str, Any], value: str, low: str, high: str) -> str:
    return f"quarter {row['q']}: {value}, 95% {low} to {high}"


def markets_ahead(shares: Sequence[Estimate], name: str, base: str) -> Spec:
    """The markets out of 100 in which a plan is ahead by the end of each quarter; below 50 it is behind in most."""
    rows = vega.estimate_rows(shares)
    for row in rows:
        row |= {end: 100 * row[end] for end in ENDS}
        spoken = [plain_whole(row[end]) for end in ENDS]
        row |= {"side": "ahead in most" if row["value"] >= 50 else "behind in most", "said": spoken[0]}
        row["told"] = _spoken_text(row, *spoken)
    sides = {"domain": ["ahead in most", "behind in most"], "range": [BLUE, ORANGE]}
    ahead = vega.nominal("side", scale=sides, legend=vega.legend_on_top(symbolType="square"))
    of_100 = {"scale": {"domain": [0, 100]}, "axis": {"title": "markets ahead, of 100"}}
    y, tips = vega.quantity("value", **of_100), vega.estimate_tips(".0f")
    ink = {"condition": {"test": "datum.value >= 50", "value": "white"}, "value": "black"}
    layers = [
        vega.layer("bar", {"y": y, "color": ahead, "tooltip": tips, "description": SPOKEN}, cornerRadiusEnd=2),
        vega.interval_layer(),
        vega.level_line(50),
        # Within the bar, where the line across does not hit it; a bar that is too low has it above.
        {**vega.text_layer({"y": {"datum": 0}, "color": ink}, -9), **_only_where(f"datum.value >= {LOW_BAR}")},
        {**vega.text_layer({"y": vega.quantity("high")}, -9), **_only_where(f"datum.value < {LOW_BAR}")},
    ]
    title = f"Markets out of 100 in which {name} is ahead of {base} by the end of each quarter"
    return vega.chart(title, [vega.with_data(rows, layers)], HEIGHT, encoding={"x": vega.quarter_bands()})


def _only_where(test: str) -> Spec:
    return {"transform": [{"filter": test}]}


def cumulated_lines(named: Mapping[str, Sequence[Estimate]], base: str) -> Spec:
    """The difference in quota credit of each plan, cumulated, as a line with its interval in a colour and dash.

    Money is in US dollars.
    """
    rows = [{**row, "plan": name} for name, values in named.items() for row in vega.estimate_rows(values)]
    plans, dashes = list(named), [list(dash) for dash in DASHES[: len(named)]]
    marks = {"symbolType": "stroke", "symbolStrokeWidth": 2.5, "symbolOpacity": 1}
    legend = vega.legend_on_top(**marks, labelLimit=320, columns=2)
    colour = vega.nominal("plan", legend=legend, scale={"domain": plans, "range": list(COLOURS[: len(plans)])})
    dash = vega.nominal("plan", legend=legend, scale={"domain": plans, "range": dashes})
    y = {"axis": {"title": "US dollars", "format": DOLLARS}, "scale": {"zero": False}}
    tips = [{"field": "plan"}, *vega.estimate_tips(DOLLARS)]
    layers = [
        vega.layer("area", vega.low_to_high(**y), opacity=0.15),
        vega.layer("line", {"y": vega.quantity("value", **y), "strokeDash": dash, "tooltip": tips}, strokeWidth=2.2),
    ]
    shared = vega.with_data(rows, layers, encoding={"color": colour})
    return vega.chart(_cumulated_title(base), [shared], HEIGHT, encoding={"x": vega.quarter_axis()})


def differences(shares: Mapping[str, Estimate], base: str) -> Spec:
    """Each plan's difference from the baseline over the horizon, as a share of its credit: points with intervals."""
    rows = [
        {
            "plan": name, "value": share.value, "low": share.low, "high": share.high,
            "said": signed_percent(share.value), "at": 0.0,
            "side": UNCLEAR if share.verdict == "no clear difference" else share.verdict,
        }
        for name, share in shares.items()
    ]  # fmt: skip
    looks = vega.colour_and_shape("side", SIDES)
    x = {"axis": {"title": f"against {base}", "format": "+.1~%", "tickCount": 6}}
    y = {"y": vega.nominal("plan", sort=list(shares), axis={"title": None, "labelLimit": 220})}
    value = {**y, "x": vega.quantity("value", **x)}
    interval = {**y, "x": vega.quantity("low", **x), "x2": {"field": "high"}, "color": looks["color"]}
    layers = [
        vega.layer("rule", interval, strokeWidth=2.5),
        vega.layer("point", {**value, **looks}, filled=True, size=120, opacity=1),
        vega.text_layer(value, -14),
        vega.layer("tick", {**y, "x": vega.quantity("at", **x)}, thickness=1.5, size=40, color=GREY),
    ]
    title = f"Quota credit against {base}, over all quarters, with 95% intervals"
    return vega.chart(title, [vega.with_data(rows, layers)], 90 + 46 * len(rows))


def attainment_fans(named: Mapping[str, Sequence[tuple[float, float, float]]]) -> Spec:
    """A small picture for each plan on the same axes: mean attainment by quarter, and where 8 of 10 markets lie.

    A plan's rows are its 10th percentile, mean and 90th percentile, a quarter each.
    """
    x, y = {"x": vega.quarter_axis()}, {"axis": {"title": "share of quota", "format": ".0%"}}
    layers = [
        vega.layer("area", {**x, **vega.low_to_high(**y)}, opacity=0.25, color=BLUE),
        vega.layer("line", {**x, "y": vega.quantity("value", **y)}, color=BLUE, strokeWidth=2.2),
    ]
    small = []
    for name, by_quarter in named.items():
        rows = [
            {"q": q, "plan": name, "low": low, "value": mean, "high": high}
            for q, (low, mean, high) in enumerate(by_quarter, 1)
        ]
        above = {"text": name, "anchor": "start", "limit": 230}
        small.append(vega.with_data(rows, layers, title=above, width=230, height=130))
    same_axis = {"scale": {"y": "shared"}}
    title = "Attainment by quarter: mean, and where 8 of 10 markets lie"
    return {**vega.described(title), "columns": 2, "autosize": "pad", "concat": small, "resolve": same_axis}


def waterfall(before: tuple[str, float], steps: Mapping[str, Estimate], after: tuple[str, float]) -> Spec:
    """The way from one plan's quota credit to another's, in US dollars: who brings more, and who less."""
    (first, start), (last, end) = before, after
    rows: list[Spec] = [{"what": first, "from": 0.0, "to": start, "kind": "plan", "said": usd(start)}]
    at = start
    for what, step in steps.items():
        kind = "more" if step.value > 0 else "less"
        rows.append({"what": what, "from": at, "to": at + step.value, "kind": kind, "said": usd(step.value, sign=True)})
        at += step.value
    rows.append({"what": last, "from": 0.0, "to": end, "kind": "plan", "said": usd(end)})
    for row in rows:
        row["top"] = max(float(row["from"]), float(row["to"]))
    kinds = {"domain": ["plan", "more", "less"], "range": [GREY, BLUE, VERMILLION]}
    least = min(min(float(row["from"]), float(row["to"])) for row in rows[1:-1]) if steps else 0.0
    # Steps are small beside what they stand on; the axis says where it begins.
    scale = {"domainMin": max(0.0, 0.9 * min(least, start, end)), "zero": False, "clamp": True}
    y = {"axis": {"title": "US dollars", "format": DOLLARS}, "scale": scale}
    axis = {"title": None, "labelAngle": -30, "labelOverlap": False, "labelLimit": 130}
    x = {"field": "what", "type": "ordinal", "sort": None, "axis": axis}
    colour = vega.nominal("kind", scale=kinds, legend=vega.legend_on_top(symbolType="square"))
    layers = [
        vega.layer("bar", {"y": vega.quantity("from", **y), "y2": {"field": "to"}, "color": colour}),
        vega.text_layer({"y": vega.quantity("top", **y)}, -9),
    ]
    title = f"From {first} to {last}: quota credit over all quarters, and who brings more or less of it"
    return vega.chart(title, [vega.with_data(rows, layers, encoding={"x": x})], 300)
