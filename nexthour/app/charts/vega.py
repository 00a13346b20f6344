"""What all pictures are made of: Vega-Lite specifications in plain dicts, shown by Streamlit and saved as PNG.

Colours are those of Okabe & Ito (2008); what a colour says is said a second time by a dash, a shape or a label. Text
and axes take the colours of the theme they are shown in.

Left out: the pictures, any computing, and Streamlit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from nexthour.office.colours import GREY
from sim.study.estimates import Estimate

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]
SPOKEN: Spec = {"field": "told", "type": "nominal"}
"""What a bar or a point says when a picture is read aloud; else it would be every field, in all its digits."""
DOLLARS = "$.3~s"
"""Dollars in Vega's words for a format: $1.2M"""


def nominal(field: str, **more: Any) -> Spec:
    """A field of names."""
    return {"field": field, "type": "nominal", **more}


def quantity(field: str, **more: Any) -> Spec:
    """A field of numbers."""
    return {"field": field, "type": "quantitative", **more}


def tip(field: str, title: str, form: str) -> Spec:
    """A number of a tooltip; `form` is its format in Vega's words."""
    return {"field": field, "title": title, "format": form}


def legend_on_top(**more: Any) -> Spec:
    """A legend without a title, above the picture."""
    return {"title": None, "orient": "top", **more}


def colour_and_shape(field: str, looks: Mapping[str, tuple[str, str]], **legend: Any) -> Spec:
    """What a field's words are told by, twice: `looks` has the colour and the shape of each, in the legend's order."""
    colours, shapes = ([look[i] for look in looks.values()] for i in (0, 1))
    return {
        channel: nominal(field, legend=legend_on_top(**legend), scale={"domain": list(looks), "range": values})
        for channel, values in (("color", colours), ("shape", shapes))
    }


def layer(mark: str, encoding: Spec, rows: Rows | None = None, **look: Any) -> Spec:
    """One kind of mark, with the data of its own if `rows` are given."""
    data = {} if rows is None else {"data": {"values": list(rows)}}
    return {**data, "mark": {"type": mark, **look}, "encoding": encoding}


def text_layer(encoding: Spec, dy: float, rows: Rows | None = None, **look: Any) -> Spec:
    """Bold words `dy` pixels below a point, from the field `said` unless the encoding has another."""
    return layer("text", {"text": {"field": "said"}, **encoding}, rows, dy=dy, fontWeight="bold", **look)


def low_to_high(**axis: Any) -> Spec:
    """The place of a mark that reaches from the field `low` up to `high`, on a y axis of this kind."""
    return {"y": quantity("low", **axis), "y2": {"field": "high"}}


def interval_layer(**axis: Any) -> Spec:
    """The 95% intervals of bars as upright lines."""
    return layer("rule", low_to_high(**axis), color=GREY)


def level_line(value: float) -> Spec:
    """A line across the picture at a height."""
    across = {"x": {"value": 0}, "x2": {"value": "width"}, "y": {"datum": value}}
    return layer("rule", across, strokeDash=[4, 3], color=GREY, strokeWidth=1.5)


def chart(title: str, layers: Sequence[Spec], height: float, **more: Any) -> Spec:
    """A picture as wide as its place, `height` pixels high.

    The title is the picture's description, read aloud and written above it: in a picture it would not wrap.
    """
    return {**described(title), "width": "container", "height": height, "layer": list(layers), **more}


def described(title: str) -> Spec:
    """The beginning of every picture: which language it is written in, and its title."""
    return {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "description": title}


def with_data(rows: Rows, layers: Sequence[Spec], **more: Any) -> Spec:
    """Layers that share data. Data of the whole picture would be sent apart from it, and Vega warns of a picture that
    is still empty.
    """
    return {"data": {"values": list(rows)}, **more, "layer": list(layers)}


def rows_apart(spec: Spec) -> Spec:
    """A picture whose rows stand beside it, by name: one that differs only in them is not built anew in a browser."""
    datasets = dict[str, Rows]()

    def name_rows(part: Any) -> Any:
        if isinstance(part, list):
            return [name_rows(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "values" in part.get("data", {}):
            name = f"rows {len(datasets)}"
            datasets[name] = part["data"]["values"]
            part = {**part, "data": {"name": name}}
        return {key: name_rows(value) for key, value in part.items()}

    return {**name_rows(spec), "datasets": datasets}


def quarter_axis(**more: Any) -> Spec:
    """Quarters as numbers, from left to right."""
    return quantity("q", axis={"title": "quarter", "tickMinStep": 1, "format": "d"}, **more)


def quarter_bands() -> Spec:
    """Quarters that have a band each, for bars."""
    return {"field": "q", "type": "ordinal", "axis": {"title": "quarter", "labelAngle": 0}}


def estimate_rows(values: Sequence[Estimate]) -> list[dict[str, Any]]:
    """Rows of estimates, a quarter each."""
    return [{"q": q, "value": value.value, "low": value.low, "high": value.high} for q, value in enumerate(values, 1)]


QUARTER_TIP: Spec = {"field": "q", "title": "quarter"}


def estimate_tips(form: str) -> list[Spec]:
    """The tooltip of a row of `estimate_rows`."""
    return [QUARTER_TIP, tip("value", "mean", form), tip("low", "95% from", form), tip("high", "95% to", form)]
