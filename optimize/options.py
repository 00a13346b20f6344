"""What a plan is asked for, field by field, as Python, the terminal and the address of the app's page have it.

limits.py and request.py make values of them. Nothing heavy is imported, so that the help of the terminal is instant.
"""

from pathlib import Path
from typing import Literal

from sim.study.options import SEED, Option

EARLY_QUARTERS = 4
ObjectiveName = Literal["quota_credit", "net_bookings", "expected_shortfall", "quarters_at_quota"]
OBJECTIVES: dict[ObjectiveName, str] = {
    "quota_credit": "the most quota credit",
    "net_bookings": "the most bookings, less partners' margins",
    "expected_shortfall": "the least credit short of quota",
    "quarters_at_quota": "the most quarters at quota",
}
"""What a plan is to have, in words."""
OPTIONS: dict[str, Option] = {
    "floors": Option(
        "least attainment by quarter, from the forecast", "share of quota by quarter", {}, 0, 10,
        kind=list, name="floor", metavar="QUARTER=SHARE", word="floors",
        in_help="Least attainment in a quarter, as in 1=0.9; may be repeated.",
    ),
    "early_floor": Option(
        f"least attainment of the first {EARLY_QUARTERS} quarters together, from the forecast", "share of their quota",
        None, 0, 10, kind=float, in_help="Least attainment of the first four quarters together.", metavar="SHARE",
        word="early",
    ),
    "locks": Option(
        "rows of hours that are fixed", "list", (), kind=list, name="lock", metavar="USE=HOURS", word="lock",
        in_help="Fix hours a week, as in 'coach:Birch IT=2' or 'sell=20@1-4' (quarters).",
    ),
    "min_partner_share": Option(
        "least share of the manager's hours planned for partners", "share", 0.0, 0, 1, kind=float, word="least",
        in_help="Least share of the hours planned for partners.",
    ),
    "max_partner_share": Option(
        "largest share of the manager's hours planned for partners", "share", 1.0, 0, 1, kind=float, word="most",
        in_help="Largest share of the hours planned for partners.",
    ),
    "largest_change_hours": Option(
        "most by which planned partner hours a week change from a quarter to the next", "hours a week", None, 0, 1000,
        kind=float, name="largest-change", metavar="HOURS", word="change",
        in_help="Most by which partner hours a week change between quarters.",
    ),
    "recruit": Option(
        "whether candidates may be recruited", "yes or no", True, kind=bool, name="no-recruiting",
        in_help="Recruit nobody.", word="recruit",
    ),
    "only_partners": Option(
        "partners and candidates that may get hours; all of them if not given", "names", kind=list, name="only",
        in_help="Only these partners get hours; may be repeated.", metavar="PARTNER", word="only",
    ),
    "coverage_mode": Option(
        "coverage modes that are fixed, by segment", "mode by segment", {}, kind=list, name="coverage",
        in_help="Fix a segment's coverage mode, as in enterprise=direct.", metavar="SEGMENT=MODE", word="fix",
    ),
    "objective": Option(
        "what there is to be most of", "name", "quota_credit", kind=str, word="objective",
        in_help="quota_credit, net_bookings, expected_shortfall (the least) or quarters_at_quota.",
    ),
    "discount_rate": Option(
        "how much less a later booking is worth", "share a year", 0.0, 0, 1, kind=float, word="discount",
        in_help="How much less a later booking is worth, a year.",
    ),
    "exit_weight": Option(
        "how much credit of the year after the horizon counts", "share", 0.0, 0, 1, kind=float, metavar="WEIGHT",
        in_help="How much credit of the year after the horizon counts, 0 to 1.", word="after",
    ),
    "followed": Option(
        "the plan so far, whose hours before `from_quarter` stay; the status quo if not given", "plan", kind=Path,
        in_help="The plan so far, to plan again from here.", metavar="FILE", word="so_far",
    ),
    "from_quarter": Option(
        "the first quarter that is still to be planned", "quarter", None, 1, metavar="QUARTER", word="from"
    ),
    "actuals": Option("what was seen of the quarters so far", "figures", kind=Path, metavar="FILE", word="actuals"),
    "effort": Option(
        "how much the plan is searched for, and how surely it is certified", "name", "normal", kind=str,
        in_help="How long to search: quick, normal or thorough.",
    ),
    "seed": SEED,
}  # fmt: skip
"""By the name of the field, in the order in which help has them."""
FRONTIER_POINTS = Option("how many plans, from the most patient to the hastiest", "plans", 6, 2, 20)
FRONTIER_THROUGH = Option(
    "quarters that are planned; the year after them is the exit", "quarters", EARLY_QUARTERS, EARLY_QUARTERS
)
