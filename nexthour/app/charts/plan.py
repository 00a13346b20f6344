"""The pictures of a plan: its hours, attainment, what an hour is worth, and this year against the next.

Left out: any computing, and Streamlit.
"""

from collections.abc import Mapping, Sequence

from nexthour.app.charts import vega
from nexthour.app.charts.vega import DOLLARS, QUARTER_TIP, SPOKEN, Spec
from nexthour.office.colours import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, YELLOW
from nexthour.report.numbers import plain_whole, tenths, usd
from sim.arrays import FloatArray
from sim.plan import ACTIVITY_WORDS
from sim.study.estimates import Estimate

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
POINT = "point"
"""The selection of the frontier: the name of a point."""
SMALL_TEXT = 9.5
"""Points of the numbers above bars."""


def hours_stack(hours: Mapping[str, FloatArray], name: str) -> Spec:
    """Planned hours a week by activity and quarter."""
    shown = [use for use in ACTIVITY_COLOURS if use in hours and hours[use].max() >= LEAST_SHOWN]
    words = [ACTIVITY_WORDS[use] for use in shown]
    rows = [
        {"q": q, "what": word, "hours": round(value, 3), "order": i, "told": f"quarter {q}: {word} {tenths(value)}"}
        for i, (use, word) in enumerate(zip(shown, words, strict=True))
        for q, value in enumerate(hours[use].tolist(), 1)
    ]
    colours = {"domain": words, "range": [ACTIVITY_COLOURS[use] for use in shown]}
    tips = [QUARTER_TIP, {"field": "what", "title": "activity"}, vega.tip("hours", "hours a week", ".2f")]
    bars = {
        "y": vega.quantity("hours", stack=True, axis={"title": "hours a week"}),
        "order": vega.quantity("order"),
        "color": vega.nominal("what", scale=colours, legend=vega.legend_on_top(columns=2, symbolType="square")),
        "tooltip": tips,
        "description": SPOKEN,
    }
    layers = [vega.layer("bar", bars, rows, stroke="white", strokeWidth=0.6)]
    return vega.chart(f"Hours a week under {name}", layers, 280, encoding={"x": vega.quarter_bands()})


def hours_heat(hours: Mapping[str, FloatArray], name: str) -> Spec:
    """Hours a week by what they are for and by quarter; each cell says its number."""
    most = max((float(row.max()) for row in hours.values()), default=1.0)
    used = {what: row.tolist() for what, row in hours.items() if row.max() >= LEAST_SHOWN}
    rows = [
        {
            "q": q, "what": what, "hours": value, "dark": value > most / 2,
            "said": tenths(value) if value >= LEAST_SHOWN else "",
        }
        for what, row in used.items()
        for q, value in enumerate(row, 1)
    ]  # fmt: skip
    y = vega.nominal("what", sort=list(hours), axis={"title": None, "labelLimit": 170})
    ink = {"condition": {"test": "datum.dark", "value": "white"}, "value": "#1F1F1F"}
    layers = [
        vega.layer("rect", {"color": vega.quantity("hours", legend=None, scale={"range": ["#E8F1F8", BLUE]})}),
        vega.layer("text", {"text": {"field": "said"}, "color": ink}),
    ]
    shared = vega.with_data(rows, layers, encoding={"x": vega.quarter_bands(), "y": y})
    return vega.chart(f"Hours a week under {name}", [shared], 100 + 28 * len(used))


def attainment_bars(values: Sequence[Estimate], name: str) -> Spec:
    """Quota credit over quota by quarter, with the quota as a line."""
    rows = [{**row, "said": plain_whole(100 * row["value"])} for row in vega.estimate_rows(values)]
    y = {"axis": {"title": "share of quota", "format": ".0%"}}
    bar = {"y": vega.quantity("value", **y), "tooltip": vega.estimate_tips(".1%")}
    layers = [
        vega.layer("bar", bar, color=BLUE, cornerRadiusEnd=2),
        vega.interval_layer(**y),
        vega.level_line(1),
        vega.text_layer({"y": vega.quantity("high", **y)}, -9, fontSize=SMALL_TEXT),
    ]
    title = f"Attainment by quarter under {name}, in % of quota; lines on the bars are 95% intervals"
    return vega.chart(title, [vega.with_data(rows, layers)], 260, encoding={"x": vega.quarter_bands()})


def hour_value_bars(values_usd: Sequence[float], first: int) -> Spec:
    """What one more hour is worth in each quarter from the first that is planned, in US dollars; without intervals."""
    rows = [{"q": q, "value": value, "said": usd(value)} for q, value in enumerate(values_usd, 1) if q >= first]
    y = vega.quantity("value", axis={"title": "US dollars an hour", "format": DOLLARS})
    tips = [QUARTER_TIP, vega.tip("value", "an hour", DOLLARS)]
    layers = [
        vega.layer("bar", {"y": y, "tooltip": tips}, color=BLUE, cornerRadiusEnd=2),
        vega.text_layer({"y": y}, -8, fontSize=SMALL_TEXT),
    ]
    title = "What one more hour is worth, by quarter; by the corrected model, without intervals"
    return vega.chart(title, [vega.with_data(rows, layers)], 220, encoding={"x": vega.quarter_bands()})


def frontier_points(points: Sequence[tuple[str, Estimate, Estimate]], status_quo: str, chosen: str, title: str) -> Spec:
    """Attainment of the first year against the run-rate after it; points can be chosen by a click.

    `points` are names with attainment and run-rate in US dollars a quarter; one of them is the status quo.
    """
    looks = {"a plan": (BLUE, "circle"), "the chosen plan": (ORANGE, "diamond"), "today": (GREY, "square")}
    kinds = list(looks)
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
    at = {"x": vega.quantity("attained", **x), "y": vega.quantity("after", **y)}
    across = {"y": at["y"], "x": vega.quantity("attained_low", **x), "x2": {"field": "attained_high"}}
    upright = {"x": at["x"], "y": vega.quantity("after_low", **y), "y2": {"field": "after_high"}}
    tips = [
        {"field": "name", "title": "plan"}, vega.tip("attained", "attainment", ".1%"),
        vega.tip("after", "run-rate after", DOLLARS),
    ]  # fmt: skip
    marks = {**at, **vega.colour_and_shape("kind", looks), "tooltip": tips}
    layers = [
        vega.layer("rule", across, color=GREY, strokeWidth=1.2),
        vega.layer("rule", upright, color=GREY, strokeWidth=1.2),
        {
            "name": "points",
            **vega.layer("point", marks, filled=True, size=170, opacity=1, cursor="pointer"),
            "params": [{"name": POINT, "select": {"type": "point", "fields": ["name"]}}],
        },
        vega.text_layer(at, -16, dx=12),
    ]
    return vega.chart(title, [vega.with_data(rows, layers)], 340)
