"""The compiled engine: from scenarios, plans and markets to the arrays of kernel.py, and back.

`run_compiled` gives the records of one run, for `simulate`. For many: `lay_out_numbers` and `lay_out_plans` once, then
`run_plans` in every market of some tapes.

Left out: how work is divided (batches.py) and what the sums mean (kpis.py).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import drawing, rules, streams, tally, tape
from sim.coefficients import APPOINTMENT_KINDS, ASSIST_KINDS, CAM_KINDS, Coefficients
from sim.fast import kernel, layout
from sim.fast.layout import Numbers, Plans, Run, Trouble, Workspace
from sim.ledger import RECORD, TICKS_PER_WEEK
from sim.market import BY_STAGE, LUCK_BY_PARTNER, Market, draw_tapes
from sim.native.compiler import Compiled
from sim.tally import Sums, empty_sums
from sim.tape import MAX_STAGES, TapeNumbers, Tapes, empty_tapes, zero_numbers
from sim.terms import HISTORY_WEEKS, PARTNER_SEGMENTS

run_all = Compiled(kernel.run_all, rules, streams, tape, drawing, tally, kernel, as_python=streams.marks_by_rows)
add_up_ledger = Compiled(tally.add_up_ledger, tally, as_python=dict)

TROUBLE_WORDS = {
    Trouble.LEVEL: "a partner's skill or engagement is not between 0 and 1",
    Trouble.REACH: "the reach of a segment is not between 0 and 1",
    Trouble.CREDIT: "quota credit is not a number",
    Trouble.QUEUE: "more events are due than opportunities can have",
    Trouble.TIME: "an event lies in the past",
}
USUAL_RECORDS = 20_000


class RunTrouble(ArithmeticError):
    """A run reached an impossible state."""

    def __init__(self, what: str, plan: int, replication: int) -> None:
        super().__init__(what)
        self.plan, self.replication = plan, replication


def run_compiled(coefficients: Coefficients, market: Market) -> NDArray[Any]:
    """The records of one market under one plan: the compiled engine."""
    tape_numbers, tapes = _market_as_tapes(coefficients, market)
    numbers, plans = lay_out_numbers(coefficients), lay_out_plans([coefficients])
    work = workspace(numbers, len(market.tick))
    rows, partners = len(coefficients.quarters), len(coefficients.partners)
    of_run, sums = empty_sums(rows, partners), empty_sums(rows, partners, 1, 1)
    room = USUAL_RECORDS
    while True:
        records = np.empty(room, RECORD)
        count = _run_all(Run(tape_numbers, tapes, numbers, plans, work, of_run, sums, records))
        if count <= room:
            return records[:count].copy()
        room = count


def run_plans(tape_numbers: TapeNumbers, tapes: Tapes, numbers: Numbers, plans: Plans, sums: Sums) -> None:
    """Run every plan in every market of the tapes: sums of shape (plans, replications, ...). Raises RunTrouble."""
    work = workspace(numbers, int(np.diff(tapes.starts).max(initial=0)))
    _, _, rows, partners = sums.by_partner.shape
    records = np.empty(0, RECORD)
    _run_all(Run(tape_numbers, tapes, numbers, plans, work, empty_sums(rows, partners), sums, records))


def run_no_market(coefficients: Coefficients, tape_numbers: TapeNumbers) -> None:
    """Run a plan in no market at all: afterwards `run_all.missing` says whether there is machine code."""
    sums = empty_sums(len(coefficients.quarters), len(coefficients.partners), 1, 0)
    numbers, plans = lay_out_numbers(coefficients), lay_out_plans([coefficients])
    run_plans(tape_numbers, draw_tapes(tape_numbers, []), numbers, plans, sums)


def _run_all(run: Run) -> int:
    count = run_all(run)
    if count < 0:
        now, plans = run.work.now[0], len(run.plans.quarters)
        week = int(now["tick"]) // TICKS_PER_WEEK
        what = f"{TROUBLE_WORDS[Trouble(now['trouble'])]} in week {week + 1}"
        raise RunTrouble(what, plan=(-1 - count) % plans, replication=int(now["replication"]))
    return count


def _market_as_tapes(coefficients: Coefficients, market: Market) -> tuple[TapeNumbers, Tapes]:
    """A market as tapes that were drawn whole, with numbers of the right shape that nothing is drawn from any more."""
    n, segments, partners = len(market.tick), len(coefficients.segments), len(coefficients.partners)
    weeks = coefficients.weeks + HISTORY_WEEKS
    tapes = empty_tapes([market.replication], n, segments, partners, weeks)
    tapes.starts[1] = n
    for name in ("tick", "amount_usd", "found", "brought", "settles", "segment", "owner", "stage"):
        tapes.arrivals[name] = getattr(market, name)
    tapes.arrivals["age"] = market.age_ticks
    tapes.arrivals["cycle_ticks"] = np.minimum(market.cycle_ticks, tape.LONGEST_KEPT)
    tapes.arrivals["drawn"] = tape.ALL_DRAWN
    for name, field in BY_STAGE.items():
        tapes.stages[field] = np.minimum(getattr(market, name), tape.LONGEST_KEPT)
    for name in LUCK_BY_PARTNER:
        tapes.partner_luck[name] = getattr(market, name)
    numbers = zero_numbers(segments, partners, market.open_deals, weeks)
    numbers.run["has_open_pipeline"] = market.drawn_for.has_open_pipeline
    return numbers, tapes


def workspace(numbers: Numbers, opportunities: int) -> Workspace:
    """Room for runs with at most this number of opportunities."""
    segments, partners = numbers.bases.shape
    # A deal has one dated event that counts, and those of its earlier waits.
    events = (MAX_STAGES + 1) * opportunities + 16
    ticks = int(numbers.run["weeks"][0] + HISTORY_WEEKS) * TICKS_PER_WEEK
    now = np.zeros(1, layout.NOW)
    # Buckets of an eighth of a week, and smaller ones for a market that puts more than a few events into each.
    now["bucket_shift"] = min(13, max(0, (ticks // (opportunities + 1)).bit_length() - 1))
    return Workspace(
        now=now,
        deals=np.empty(opportunities, layout.DEAL),
        partners=np.zeros(partners, layout.PARTNER_STATE),
        hours=np.zeros((partners, kernel.ACTIVITIES)),
        gains=np.zeros((partners, kernel.ACTIVITIES), layout.KNOWN_GAIN),
        segments=np.zeros(segments, layout.SEGMENT_STATE),
        blocks=np.empty((3, partners * (kernel.ACTIVITIES + 1) + segments), layout.BLOCK),
        waiting=np.empty(opportunities, layout.WAITING),
        woken=np.empty(opportunities, np.int64),
        nodes=np.empty(events, layout.NODE),
        buckets=np.empty((ticks >> int(now["bucket_shift"][0])) + 1, np.int64),
    )


def lay_out_numbers(coefficients: Coefficients) -> Numbers:
    """The scenario's part of the numbers of a run, as arrays."""
    partners, segments = coefficients.partners, coefficients.segments
    traits = [traits for partner in partners for traits in partner.traits]
    bases = np.zeros((len(segments), len(partners)))
    stages = np.zeros((len(segments), MAX_STAGES), layout.STAGE_NUMBERS)
    for s, segment in enumerate(segments):
        for p, share in segment.bases:
            bases[s, p] = share
        stages["pass_below"][s, : segment.stages] = segment.pass_below
        stages["worth_per_hour"][s, : segment.stages] = segment.worth_per_hour
    return Numbers(
        run=_records(layout.RUN, [coefficients]),
        segments=_records(layout.SEGMENT, segments),
        stages=stages,
        partners=_records(layout.PARTNER_NUMBERS, partners),
        traits=_records(layout.TRAITS, traits).reshape(len(partners), len(PARTNER_SEGMENTS)),
        expected=np.array([segment.demand for segment in segments]),
        bases=bases,
        fit=np.array([partner.fit for partner in partners], dtype=np.float64).reshape(len(partners), len(segments)),
        week_off=np.array(coefficients.week_off, dtype=np.int64),
    )


def lay_out_plans(runs: Sequence[Coefficients]) -> Plans:
    """The plans' part of the numbers of several runs, as arrays."""
    rows, segments, partners = len(runs[0].quarters), len(runs[0].segments), len(runs[0].partners)
    gifts: list[tuple[Any, ...]] = []
    quarters, segment_plans, parked = [], [], []
    for quarter in (quarter for run in runs for quarter in run.quarters):
        begin = len(gifts)
        gifts += ((kernel.APPOINTMENT, p, a, APPOINTMENT_KINDS[a], ticks, 0.0) for p, a, ticks in quarter.appointments)
        gifts += ((kernel.CAM, p, a, CAM_KINDS[a], 0, hours) for p, a, hours in quarter.cam_hours)
        gifts += ((kernel.ASSIST, p, a, ASSIST_KINDS[a], ticks, 0.0) for a, p, ticks in quarter.assists)
        planned = quarter.prospect_shares is not None
        quarters.append((begin, len(gifts), planned, quarter.idle_ticks, quarter.discipline, quarter.quota_usd))
        shares = quarter.prospect_shares or (0.0,) * segments
        segment_plans += list(zip(quarter.prospect_ticks, shares, quarter.coverage_mode, strict=True))
        parked.append(quarter.parked)
    return Plans(
        quarters=np.array(quarters, layout.QUARTER).reshape(len(runs), rows),
        gifts=np.array(gifts, layout.GIFT),
        segment_plans=np.array(segment_plans, layout.SEGMENT_PLAN).reshape(len(runs), rows, segments),
        parked=np.array(parked, dtype=np.int64).reshape(len(runs), rows, partners),
    )


def _records(dtype: np.dtype[Any], objects: Sequence[Any]) -> NDArray[Any]:
    return np.array([tuple(getattr(each, name) for name in dtype.names or ()) for each in objects], dtype)
