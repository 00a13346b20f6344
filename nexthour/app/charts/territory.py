"""The pictures of a territory: who sees what, what could be seen, where partners stand, and indicators by quarter.

Left out: any computing, and Streamlit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nexthour.app.charts import vega
from nexthour.app.charts.indicators import Indicator, Quarter
from nexthour.app.charts.vega import DOLLARS, QUARTER_TIP, Rows, Spec
from nexthour.office.colours import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from nexthour.report.numbers import usd, whole_percent
from optimize.coverage.gaps import Coverage

BROUGHT, SEEN_BY_NOBODY = "brought by partners", "seen by nobody"
HOLLOW = "rgba(127, 127, 127, 0.12)"
BAR, GAP, AROUND = 24, 12, 110
"""Pixels of a bar, between those of two segments, and of what stands above and below a picture of rows."""
FAR_RIGHT, LINE = 75, 0.06
"""Deals of 100 beyond which a partner's name stands to the left; a line of text, as a share of the grid's height."""
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
    """The three shares sum to 1."""

    @classmethod
    def of(cls, segment: str, when: str, worth_usd: float, coverage: Coverage) -> SegmentBar:
        """The bar of a coverage, in the means of its shares."""
        return cls(segment, when, worth_usd, coverage.found.value, coverage.brought.value, coverage.leaked.value)


def market_map_bars(bars: Sequence[SegmentBar], title: str, who_finds: str = "you") -> Spec:
    """A bar for each segment, as long as it is worth, in parts by who sees it; a dashed outline is what nobody does."""
    parts = (f"found by {who_finds}", BROUGHT, SEEN_BY_NOBODY)
    longest = max((bar.worth_usd for bar in bars), default=0.0) or 1.0
    whens = list(dict.fromkeys(bar.when for bar in bars))
    segments = list(dict.fromkeys(bar.segment for bar in bars))
    rows = [row for bar in bars for row in _bar_parts(bar, parts, NARROWEST * longest)]
    totals = [
        {"segment": bar.segment, "when": bar.when, "to": bar.worth_usd, "said": text}
        for bar in bars
        if (text := _bar_end_text(bar, whens))
    ]
    gaps = {"paddingInner": GAP / (BAR * len(whens) + GAP), "paddingOuter": 0.1}
    y = {"y": vega.nominal("segment", sort=segments, axis={"title": None, "labelLimit": 110}, scale=gaps)}
    if len(whens) > 1:
        y["yOffset"] = vega.nominal("when", sort=whens, scale={"paddingInner": 0.08})
    domain = [0, longest * (1.25 if len(whens) == 1 else 1.5)]
    x = {"scale": {"domain": domain}, "axis": {"title": "worth, US dollars", "format": DOLLARS, "tickCount": 4}}
    # Two columns of small letters, as three names are more than a phone has room for.
    legend = vega.legend_on_top(symbolType="square", columns=2, labelFontSize=12)

    def by_part(*values: Any) -> Spec:
        return vega.nominal("who", scale={"domain": list(parts), "range": list(values)}, legend=legend)

    looks = {
        "fill": by_part(BLUE, ORANGE, HOLLOW),
        "stroke": by_part(BLUE, ORANGE, GREY),
        "strokeDash": by_part([1, 0], [1, 0], [4, 3]),
    }
    tips = [{"field": "segment"}, {"field": "when"}, {"field": "who"}, vega.tip("share", "share", ".1%")]
    bar_marks = {**y, "x": vega.quantity("from", **x), "x2": {"field": "to"}, **looks, "tooltip": tips}
    share, total = ({**y, "x": vega.quantity(end, **x), "text": {"field": "said"}} for end in ("middle", "to"))
    layers = [vega.layer("bar", bar_marks, rows, strokeWidth=1.2)]
    for part, ink in zip(parts, ({"color": ON_BAR[0]}, {"color": ON_BAR[1]}, {}), strict=True):
        written = [row for row in rows if row["who"] == part and row["said"]]
        layers.append(vega.layer("text", share, written, fontSize=12, **ink))
    layers.append(vega.layer("text", total, totals, align="left", dx=5, fontWeight="bold"))
    return vega.chart(title, layers, len(segments) * (BAR * len(whens) + GAP) + AROUND)


def _bar_parts(bar: SegmentBar, parts: Sequence[str], narrowest_usd: float) -> Iterator[dict[str, Any]]:
    """The parts of a bar from left to right; one that is narrower than a number has none."""
    start = 0.0
    for i, (who, share) in enumerate(zip(parts, (bar.found, bar.brought, bar.nobody), strict=True)):
        yield {
            "segment": bar.segment, "when": bar.when, "who": who, "share": share, "order": i,
            "from": bar.worth_usd * start, "to": bar.worth_usd * (start + share),
            "middle": bar.worth_usd * (start + share / 2),
            "said": whole_percent(share) if bar.worth_usd * share >= narrowest_usd else "",
        }  # fmt: skip
        start += share


def _bar_end_text(bar: SegmentBar, whens: Sequence[str]) -> str:
    """What stands at the end of a bar: its worth, said once a segment, and which bar it is."""
    worth = usd(bar.worth_usd) if bar.when == whens[0] else ""
    return worth if len(whens) == 1 else f"{worth} {bar.when}".strip()


def _looks_of_rows(field: str, looks: Mapping[str, tuple[str, str]], rows: Rows) -> Spec:
    """Colour and shape of points by a field, with those of its words in the legend that are there."""
    there = {word: look for word, look in looks.items() if any(row[field] == word for row in rows)}
    return vega.colour_and_shape(field, there, symbolSize=120)


def reach_points(rows: Rows, title: str) -> Spec:
    """How much of each segment somebody sees: today, with the plan, and at most; a row each.

    A row: segment, which (of COVERED), share, low, high.
    """
    segments = list(dict.fromkeys(row["segment"] for row in rows))
    by_segment = {name: [row["share"] for row in rows if row["segment"] == name] for name in segments}
    ends = [{"segment": name, "low": min(shares), "high": max(shares)} for name, shares in by_segment.items()]
    y = {"y": vega.nominal("segment", sort=segments, axis={"title": None, "labelLimit": 110, "grid": True})}
    axis = {"title": "seen by somebody; ideal is 100%", "format": "%", "tickCount": 5}
    x = {"scale": {"domain": [0, 1]}, "axis": axis}
    share = {**y, "x": vega.quantity("share", **x)}
    looks = _looks_of_rows("which", COVERED, rows)
    tips = [
        {"field": "segment"}, {"field": "which", "title": "seen"}, vega.tip("share", "share", ".1%"),
        vega.tip("low", "95% from", ".1%"), vega.tip("high", "to", ".1%"),
    ]  # fmt: skip
    number = {**share, "text": vega.quantity("share", format=".0%")}
    planned = [row for row in rows if row["which"] == "with the plan"]
    others = [row for row in rows if row["which"] != "with the plan"]
    span = {**y, "x": vega.quantity("low", **x), "x2": {"field": "high"}}
    layers = [
        vega.layer("rule", span, ends, strokeWidth=2, color=GREY, opacity=0.6),
        vega.layer("point", {**share, **looks, "tooltip": tips}, rows, filled=True, size=130, opacity=1),
        vega.layer("text", number, others, dy=-13, fontSize=11),
        vega.layer("text", number, planned, dy=15, fontSize=11),
    ]
    return vega.chart(title, layers, len(segments) * 44 + AROUND)


def partner_grid(rows: Rows, middle: tuple[float, float], title: str) -> Spec:
    """Partners by commitment and results; the axes cross at the means, `middle`.

    A row: partner, treatment, brings (of 100), credit, low, high (of 100).
    """
    brings, credit = middle
    top = 1.15 * max((row["high"] for row in rows), default=1.0) or 1.0
    labels = _spread_labels([{**row, "left": row["brings"] < brings or row["brings"] > FAR_RIGHT} for row in rows], top)
    least = max(0, min(row["brings"] for row in rows) - 30)
    x = _plain_axis("commitment: brings of 100 deals of its accounts", [least, 100])
    y = _plain_axis("results: % of quota credit", [0, top])
    looks = _looks_of_rows("treatment", TREATMENT_LOOKS, rows)
    tips = [
        {"field": "partner"}, {"field": "treatment"},
        vega.tip("brings", "brings of 100", ".0f"), vega.tip("credit", "% of quota credit", ".1f"),
        vega.tip("low", "95% from", ".1f"), vega.tip("high", "95% to", ".1f"),
    ]  # fmt: skip
    across = {"x": {"field": "brings", **x}}
    point = {**across, "y": {"field": "credit", **y}, **looks, "tooltip": tips}
    interval = {**across, "y": {"field": "low", **y}, "y2": {"field": "high"}}
    name = {**across, "y": {"field": "at", **y}, "text": {"field": "partner"}}
    dashed: Spec = {"strokeDash": [4, 3], "color": GREY, "strokeWidth": 1.5}
    layers = [
        vega.layer("rule", {"x": {"datum": brings, **x}}, [{}], **dashed),
        vega.layer("rule", {"y": {"datum": credit, **y}}, [{}], **dashed),
        vega.layer("rule", interval, rows, color=GREY, opacity=0.7),
        vega.layer("point", point, rows, filled=True, size=140, opacity=1),
    ]
    for left, side in ((True, {"align": "right", "dx": -9}), (False, {"align": "left", "dx": 9})):
        some = [label for label in labels if label["left"] == left]
        layers.append(vega.layer("text", name, some, baseline="middle", fontSize=12, limit=120, **side))
    return vega.chart(title, layers, 360)


def _plain_axis(title: str, domain: Sequence[float]) -> Spec:
    axis = {"title": title, "grid": False, "tickCount": 5}
    return {"type": "quantitative", "scale": {"domain": domain}, "axis": axis}


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
    words = {False: "actual, in the band", True: "actual, outside"}
    seen = [
        {"q": row.quarter, "actual": row.actual, "said": indicator.text(row.actual), "where": words[row.outside]}
        for row in quarters
        if row.actual is not None
    ]
    x = {"x": vega.quarter_axis(scale={"domain": [0.8, len(quarters) + 0.4], "nice": False})}
    form = DOLLARS if indicator.is_money else ".3~g"
    y = {"axis": {"title": indicator.unit, "format": form}}
    ends = vega.tip("low", "80 of 100 from", form), vega.tip("high", "to", form)
    tips = [QUARTER_TIP, vega.tip("mean", "planned", form), *ends]
    mean = {**x, "y": vega.quantity("mean", **y), "tooltip": tips}
    layers = [
        vega.layer("area", {**x, **vega.low_to_high(**y)}, planned, opacity=0.3, color=SKY),
        vega.layer("line", mean, planned, point={"size": 35, "filled": True}, color=BLUE, strokeDash=[6, 3]),
    ]
    if seen:
        actual = {**x, "y": vega.quantity("actual", **y)}
        looks = {words[False]: (GREEN, "circle"), words[True]: (VERMILLION, "diamond")}
        points = {**actual, **vega.colour_and_shape("where", looks, symbolSize=120)}
        points["tooltip"] = [QUARTER_TIP, {"field": "said", "title": "actual"}]
        layers += [
            vega.layer("point", points, seen, filled=True, size=130, opacity=1),
            vega.text_layer(actual, -14, seen),
        ]
    return vega.chart(title, layers, 260)
