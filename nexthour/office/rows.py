"""What the workbook lists row by row: the fields of a scenario, and the deals of a market.

Rows of fields come from the declarations of sim/scenario.py, so a new field is listed without a change here. A deal is
an opportunity that somebody began to work. Left out: any judgement of the numbers (sim/study/sensitivity.py),
opportunities that nobody saw, and what was over before the first day.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic.fields import FieldInfo

from sim import Ledger, Scenario
from sim.documents.declared import Declared
from sim.documents.messages import declaration
from sim.kpis import FUNNEL
from sim.ledger import ENDINGS, NOBODY, TICKS_PER_QUARTER, TICKS_PER_WEEK, WON, Kind
from sim.ranges import Range

Value = float | str


@dataclass(frozen=True)
class FieldRow:
    """One value of a scenario."""

    where: str
    low: float | None
    """only of what has a range"""
    value: Value
    """the likely one, if it has a range"""
    high: float | None
    unit: str
    meaning: str
    source: str


def field_rows(scenario: Scenario) -> Iterator[FieldRow]:
    """Every field in the order of the declarations, defaults included."""
    yield from _of_model(scenario, "", scenario.source)


def _of_model(model: Declared, where: str, source: str) -> Iterator[FieldRow]:
    """`source` is that of what holds the model, unless it names its own."""
    if "source" in model.model_fields_set:
        source = getattr(model, "source", source)
    for name, field in type(model).model_fields.items():
        words = name.replace("_", " ")
        # Nobody wrote a default: its source is the declaration's.
        written_by = source if name in model.model_fields_set else declaration(field)["source"]
        yield from _of_value(getattr(model, name), f"{where} > {words}" if where else words, field, written_by)


def _of_value(value: object, where: str, field: FieldInfo, source: str) -> Iterator[FieldRow]:
    unit, meaning = declaration(field)["unit"], str(field.description)
    if isinstance(value, Range):
        wide = value.low < value.high
        low, high = (value.low, value.high) if wide else (None, None)
        yield FieldRow(where, low, value.likely, high, unit, meaning, value.source)
    elif isinstance(value, Declared):
        yield from _of_model(value, where, source)
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _of_value(inner, f"{where} > {key}", field, source)
    elif isinstance(value, tuple) and any(isinstance(inner, Declared) for inner in value):
        for i, inner in enumerate(value, start=1):
            yield from _of_value(inner, f"{where} > {getattr(inner, 'name', i)}", field, source)
    else:
        yield FieldRow(where, None, _plain(value), None, unit, meaning, source)


def _plain(value: object) -> Value:
    if isinstance(value, int | float):
        return value
    if isinstance(value, tuple | Mapping):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


DIRECT_ROUTE = "direct"
OPEN_AT_THE_END = "open at the end"
OUTCOMES = {
    Kind.WON_DIRECT: "won by the manager",
    Kind.WON_PARTNER: "won by the partner",
    Kind.WON_CO_SOLD: "won, sold together",
    Kind.WON_SOLD_FOR: "won, sold for the partner",
    Kind.LOST: "lost",
    Kind.NO_DECISION: "gone cold",
    Kind.PARTNER_LEFT: "partner left",
}
"""What people see for each way in which a deal of the horizon ends."""


@dataclass(frozen=True)
class DealRow:
    """One deal of a market. Weeks count from the first moment of quarter 1; below 0 is history."""

    opportunity: int
    segment: str
    route: str
    """DIRECT_ROUTE, or the partner that brought it"""
    opened_week: float
    closed_week: float | None
    closed_quarter: int | None
    """quarter, counted from 1"""
    outcome: str
    amount_usd: int
    credit_usd: float


def deal_rows(ledger: Ledger) -> Iterator[DealRow]:
    """The deals in the order in which they were opened."""
    scenario = ledger.scenario
    segments, partners = scenario.segment_names, scenario.all_partners
    endings = ledger.of(*ENDINGS)[["opportunity", "tick", "kind"]].tolist()
    ended = {opportunity: (tick, Kind(kind)) for opportunity, tick, kind in endings}
    for record in ledger.of(*FUNNEL):
        opportunity, amount = int(record["opportunity"]), int(record["amount_usd"])
        tick, kind = ended.get(opportunity, (None, None))
        if kind == Kind.REPLACED or (tick is not None and tick < 0):
            continue
        partner = None if record["partner"] == NOBODY else partners[record["partner"]]
        credited = 1.0 if partner is None else scenario.credit_share(partner)
        # Taken over on the first day, it is older than its record.
        age_weeks = float(record["value"]) if record["kind"] == Kind.TAKEN_OVER else 0.0
        yield DealRow(
            opportunity=opportunity,
            segment=segments[record["segment"]],
            route=DIRECT_ROUTE if partner is None else partner.name,
            opened_week=float(record["tick"]) / TICKS_PER_WEEK - age_weeks,
            closed_week=None if tick is None else tick / TICKS_PER_WEEK,
            closed_quarter=None if tick is None else tick // TICKS_PER_QUARTER + 1,
            outcome=OPEN_AT_THE_END if kind is None else OUTCOMES[kind],
            amount_usd=amount,
            credit_usd=amount * credited if kind in WON else 0.0,
        )
