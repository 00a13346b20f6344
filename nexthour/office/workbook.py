"""A comparison as a spreadsheet: results, hours, assumptions and the deals of one market, with live totals.

Left out: what the numbers are (sim/study/experiment.py), how cells are written (sheet.py).
"""

import datetime

from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell

from nexthour.office.colours import DARK
from nexthour.office.provenance import Provenance
from nexthour.office.rows import deal_rows, field_rows
from nexthour.office.sheet import NUMBERS, Book, Sheet
from nexthour.report.comparison import challengers, payback, result_of, verdict
from nexthour.report.numbers import count_of, count_of_total, plain_number, whole
from nexthour.report.text import CAVEAT, with_article
from sim import Comparison, Ledger, draw_market, kpis, simulate
from sim.plan import ACTIVITY_WORDS

DASHES = ("solid", "dash", "square_dot", "long_dash_dot")
REPLICATION = 0
"""Whose deals are listed."""


def workbook(comparison: Comparison, day: datetime.date, deals_of: str | None = None) -> bytes:
    """An .xlsx file with the sheets Summary, By quarter, Hours, Assumptions, Deals and About.

    `deals_of` is the plan whose deals are listed: if not given, the first that is not the baseline. Raises PlanError
    if there is no such plan.
    """
    if deals_of is None:
        deals_of = next(iter(challengers(comparison)), comparison.baseline)
    plan, scenario = result_of(comparison, deals_of).plan, comparison.scenario
    ledger = simulate(scenario, plan, draw_market(scenario, comparison.seed, REPLICATION), engine="compiled")
    provenance = Provenance.of(comparison, day)
    book = Book(provenance.scenario, f"Next Hour, scenario {provenance.digest}, seed {provenance.seed}", day)
    _summary(book, comparison)
    _by_quarter(book, comparison)
    _hours(book, comparison)
    _assumptions(book, comparison)
    _deals(book, comparison, ledger, deals_of)
    _about(book, comparison, provenance, ledger, deals_of)
    return book.close()


def _summary(book: Book, comparison: Comparison) -> None:
    widths = (26, 12, 12, 12, 11, 11, 11, 12, 12, 12, 11, 9, 9, 13, 13, 18, 56)
    sheet = book.sheet("Summary", widths, repeat=4)
    scenario, base = comparison.scenario, with_article(comparison.baseline)
    sheet.text(0, 0, scenario.question or scenario.name, "title")
    about = (
        f"Quota credit over {scenario.horizon_quarters} quarters; mean of "
        f"{count_of(comparison.replications, 'market')}, the same for every plan. Chance of quota: in an average "
        f"quarter. Differences are from {base}, with their 95% interval."
    )
    sheet.text(1, 0, about, "note")
    heads = (
        "Plan", "Quota credit, mean", "P10 of markets", "P90 of markets", "Attainment", "Chance of quota", "Through "
        "partners", "Difference", "95% low", "95% high", "Difference, share", "95% low", "95% high",
        "Ahead in markets", "Better in plausible worlds", "Payback", "In words",
    )  # fmt: skip
    sheet.heads(3, heads, texts=(0, 13, 14, 15, 16))
    for row, (name, result) in enumerate(comparison.results.items(), start=4):
        sheet.numbers(row, 1, (result.credit_usd.value, result.credit_p10_usd, result.credit_p90_usd), "usd")
        shares = (result.attainment.value, result.quarters_at_quota.value, result.partner_share_of_credit)
        sheet.numbers(row, 4, shares, "share")
        if name == comparison.baseline:
            sheet.wrapped(row, {0: name, 16: f"{name}: what the others are measured against."})
            continue
        sheet.estimate(row, 7, result.difference_usd, "change")
        sheet.estimate(row, 10, result.difference_share, "change_share")
        sheet.wrapped(
            row,
            {
                0: name,
                13: count_of_total(result.markets_ahead),
                14: "none drawn" if result.worlds_ahead is None else count_of_total(result.worlds_ahead),
                15: payback(comparison, result) if result.difference_usd.clear else result.verdict,
                16: verdict(comparison, name),
            },
        )
    sheet.text(5 + len(comparison.results), 0, CAVEAT, "note")


def _by_quarter(book: Book, comparison: Comparison) -> None:
    widths = (30, 9, 12, 13, 11, 10, 10, 12, 12, 12, 13, 12, 12)
    sheet = book.sheet("By quarter", widths, repeat=1)
    heads = (
        "Plan", "Quarter", "Quota", "Quota credit, mean", "Attainment", "95% low", "95% high", "Difference",
        "95% low", "95% high", "Difference so far", "95% low", "95% high",
    )  # fmt: skip
    sheet.heads(0, heads, texts=(0, 1))
    # The chart is a page of its own: fitted on one with the table, neither could be read.
    sheet.worksheet.set_print_scale(75)
    sheet.worksheet.set_v_pagebreaks([len(widths)])
    chart, row = book.line_chart(), 1
    for name in comparison.results:
        first = row
        row = _plan_by_quarter(sheet, comparison, name, first)
        if name == comparison.baseline:
            continue
        nth = list(challengers(comparison)).index(name)
        colour = DARK[nth % len(DARK)]
        last = first + comparison.scenario.horizon_quarters - 1
        chart.add_series(
            {
                "name": [sheet.name, first, 0],
                "categories": [sheet.name, first, 1, last, 1],
                "values": [sheet.name, first, 10, last, 10],
                "line": {"color": colour, "width": 2.5, "dash_type": DASHES[nth % len(DASHES)]},
                "marker": {"type": "automatic", "size": 6, "fill": {"color": colour}, "border": {"color": colour}},
            }
        )
    if not challengers(comparison):
        return
    chart.set_title({"name": "Quota credit so far, difference from the baseline plan", "name_font": {"size": 12}})
    gridlines = {"visible": True, "line": {"color": "#DDDDDD"}}
    chart.set_y_axis({"num_format": NUMBERS["change"], "major_gridlines": gridlines})
    chart.set_x_axis({"label_position": "low"})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 760, "height": 400})
    description = {"description": "Difference of quota credit so far, by quarter"}
    sheet.worksheet.insert_chart(1, len(widths) + 1, chart, description)


def _plan_by_quarter(sheet: Sheet, comparison: Comparison, name: str, first: int) -> int:
    """The rows of a plan, from row `first`; returns the row after them."""
    result, outcomes = comparison[name], comparison.outcomes[name]
    quotas, credit = comparison.scenario.quota_usd(), outcomes.credit_usd.mean(axis=0).tolist()
    so_far = result.difference_to_quarter_usd
    last = first + len(quotas) - 1

    for q, quota in enumerate(quotas):
        row = first + q
        sheet.text(row, 0, name)
        sheet.text(row, 1, f"Q{q + 1}")
        sheet.numbers(row, 2, (quota, credit[q]), "usd")
        sheet.estimate(row, 4, result.attainment_by_quarter[q], "share")
        if name != comparison.baseline:
            sheet.estimate(row, 7, result.difference_by_quarter_usd[q], "change")
            up_to = f"=SUM({xl_rowcol_to_cell(first, 7, row_abs=True)}:{xl_rowcol_to_cell(row, 7)})"
            sheet.estimate(row, 10, so_far[q], "change")
            sheet.formula(row, 10, up_to, so_far[q].value, "change", total=False)
    row = last + 1
    sheet.text(row, 0, name, total=True)
    sheet.text(row, 1, "total", total=True)
    sheet.formula(row, 2, _sum(2, first, last), sum(quotas), "usd")
    sheet.formula(row, 3, _sum(3, first, last), result.credit_usd.value, "usd")
    sheet.estimate(row, 4, result.attainment, "share", total=True)
    share = f"={xl_rowcol_to_cell(row, 3)}/{xl_rowcol_to_cell(row, 2)}"
    sheet.formula(row, 4, share, result.attainment.value, "share")
    if name != comparison.baseline:
        sheet.estimate(row, 7, result.difference_usd, "change", total=True)
        sheet.formula(row, 7, _sum(7, first, last), result.difference_usd.value, "change")
    return row + 2


def _sum(column: int, first: int, last: int) -> str:
    return f"=SUM({xl_rowcol_to_cell(first, column)}:{xl_rowcol_to_cell(last, column)})"


def _hours(book: Book, comparison: Comparison) -> None:
    scenario = comparison.scenario
    quarters = scenario.horizon_quarters
    sheet = book.sheet("Hours", (30, 28, *(7.5 for _ in range(quarters)), 9), repeat=1)
    heads = ("Plan", "The manager's hours a week", *(f"Q{q + 1}" for q in range(quarters)), "Mean")
    sheet.heads(0, heads, texts=(0, 1))
    row = 1
    for name, result in comparison.results.items():
        first = row
        hours = {use: weekly.round(6).tolist() for use, weekly in result.plan.hours_by_activity(scenario).items()}
        for activity, weekly in hours.items():
            sheet.text(row, 0, name)
            sheet.text(row, 1, ACTIVITY_WORDS[activity])
            sheet.numbers(row, 2, weekly, "hours")
            cells = f"{xl_rowcol_to_cell(row, 2)}:{xl_rowcol_to_cell(row, 1 + quarters)}"
            sheet.formula(row, 2 + quarters, f"=AVERAGE({cells})", sum(weekly) / quarters, "hours", total=False)
            row += 1
        sheet.text(row, 0, name, total=True)
        sheet.text(row, 1, "total", total=True)
        totals = [sum(weekly[q] for weekly in hours.values()) for q in range(quarters)]
        for column, total in enumerate([*totals, sum(totals) / quarters], start=2):
            sheet.formula(row, column, _sum(column, first, row - 1), total, "hours")
        row += 2
    if scenario.channel_account_manager is not None:
        sheet.text(row, 0, "The channel account manager's hours are not in these.", "note")


def _assumptions(book: Book, comparison: Comparison) -> None:
    sheet = book.sheet("Assumptions", (52, 10, 24, 10, 22, 62, 62), repeat=1)
    sheet.heads(0, ("What", "Low", "Likely, or the value", "High", "Unit", "Meaning", "Source"), texts=(0, 4, 5, 6))
    row = 0
    for row, field in enumerate(field_rows(comparison.scenario), start=1):
        texts = {0: field.where, 4: field.unit, 5: field.meaning, 6: field.source}
        for column, value in enumerate((field.low, field.value, field.high), start=1):
            if isinstance(value, str):
                texts[column] = value
            elif value is not None:
                sheet.number(row, column, value, "plain")
        sheet.wrapped(row, texts)
    sheet.worksheet.autofilter(0, 0, row, 6)


def _deals(book: Book, comparison: Comparison, ledger: Ledger, plan: str) -> None:
    scenario = comparison.scenario
    sheet = book.sheet("Deals", (12, 22, 26, 10, 10, 9, 24, 13, 13, 3, 9, 13, 11), repeat=3)
    which = f"replication {ledger.replication}, seed {ledger.seed}"
    sheet.text(0, 0, f"{plan}: every deal of one market ({which})", "title")
    luck = "One market, so much of this is luck. Weeks count from the first day; below 0 is before it."
    sheet.text(1, 0, luck, "note")
    heads = (
        "Opportunity", "Segment", "Route", "Opened, week", "Closed, week", "Quarter closed", "Outcome", "Amount",
        "Quota credit", "", "Quarter", "Quota credit", "Attainment",
    )  # fmt: skip
    sheet.heads(2, heads, texts=(1, 2, 6))
    row = first = 3
    for row, deal in enumerate(deal_rows(ledger), start=first):
        sheet.number(row, 0, deal.opportunity, "plain")
        sheet.text(row, 1, deal.segment)
        sheet.text(row, 2, deal.route)
        sheet.number(row, 3, deal.opened_week, "weeks")
        if deal.closed_week is not None and deal.closed_quarter is not None:
            sheet.number(row, 4, deal.closed_week, "weeks")
            sheet.number(row, 5, deal.closed_quarter, "count")
        sheet.text(row, 6, deal.outcome)
        sheet.numbers(row, 7, (deal.amount_usd, deal.credit_usd), "usd")
    sheet.worksheet.autofilter(2, 0, row, 8)
    closed_in, credit = xl_range_abs(first, 5, row, 5), xl_range_abs(first, 8, row, 8)
    by_quarter = kpis.credit_usd(kpis.Tally.of(ledger)).tolist()
    for q, (usd, quota) in enumerate(zip(by_quarter, scenario.quota_usd(), strict=True)):
        row = first + q
        sheet.number(row, 10, q + 1, "count")
        sheet.formula(row, 11, f"=SUMIFS({credit},{closed_in},{xl_rowcol_to_cell(row, 10)})", usd, "usd", total=False)
        share = f"={xl_rowcol_to_cell(row, 11)}/{plain_number(quota)}"
        sheet.formula(row, 12, share, usd / quota, "share", total=False)
    end = first + len(by_quarter)
    sheet.text(end, 10, "total", total=True)
    sheet.formula(end, 11, _sum(11, first, end - 1), sum(by_quarter), "usd")


def _about(book: Book, comparison: Comparison, provenance: Provenance, ledger: Ledger, deals_of: str) -> None:
    sheet = book.sheet("About", (26, 110), repeat=0)
    plans = ((f"Plan {name}", f"digest {result.plan.digest()}") for name, result in comparison.results.items())
    for row, (what, plan) in enumerate(
        (
            ("Scenario", provenance.scenario),
            ("Question", comparison.scenario.question),
            ("Digest of the scenario", provenance.digest),
            ("Seed", str(provenance.seed)),
            ("Markets", whole(provenance.replications)),
            ("Plausible worlds", whole(provenance.worlds) if provenance.worlds else "none drawn"),
            ("Measured against", comparison.baseline),
            *plans,
            ("Deals", f"{deals_of}, replication {ledger.replication}, ledger {ledger.digest()[:16]}"),
            ("Made with", provenance.version),
            ("Made on", provenance.day.isoformat()),
            ("To get it again", provenance.again),
            ("", "SCENARIO is the scenario's file; name a plan that it does not hold with --plan FILE."),
            ("What it is not", f"Simulated, so no forecast. {CAVEAT}"),
        )
    ):
        sheet.wrapped(row, {0: what, 1: plan})
