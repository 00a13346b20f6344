"""The words of the model: periods, kinds of partner, coverage modes, activities, and what people see for each.

Left out: activities of a plan besides partner work (plan.py), and kinds of records (ledger.py).
"""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field

WEEKS_PER_QUARTER = 13
WEEKS_PER_YEAR = 4 * WEEKS_PER_QUARTER
HISTORY_QUARTERS = 2
HISTORY_WEEKS = HISTORY_QUARTERS * WEEKS_PER_QUARTER

PartnerSegment = Literal["achiever", "believer", "deceiver"]
PARTNER_SEGMENTS: tuple[PartnerSegment, ...] = ("achiever", "believer", "deceiver")
CoverageMode = Literal["direct", "partner_led", "direct_first", "partner_first"]
COVERAGE_MODES: tuple[CoverageMode, ...] = get_args(CoverageMode)
COVERAGE_WORDS: Mapping[str, str] = {
    "direct": "direct",
    "partner_led": "partner-led",
    "direct_first": "direct first",
    "partner_first": "partner first",
}
"""What people see for each mode."""
PartnerActivity = Literal["coach", "joint_plan", "co_sell", "sell_for", "socialise", "recruit"]
PARTNER_ACTIVITIES: tuple[PartnerActivity, ...] = ("coach", "joint_plan", "co_sell", "sell_for", "socialise", "recruit")

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
Word = Annotated[str, Field(max_length=80)]
Share = Annotated[float, Field(ge=0, le=1)]
LABEL_WORDS: dict[str, PartnerSegment] = {f"{segment}s": segment for segment in PARTNER_SEGMENTS}
"""A focus on all partners of a label, and the label."""
FOCUS_WORDS = ("even", *LABEL_WORDS)
TREATMENTS: Mapping[str, str] = {"achiever": "Maintain", "believer": "Develop", "deceiver": "Limit"}
"""What a label means for the manager's time, in words that a partner may read."""
DEFAULT_MIX = {"coach": 0.6, "joint_plan": 0.4}
MAX_USD = 10**12
CAM_ACTIVITIES = ("coach", "joint_plan", "socialise", "recruit")
"""Activities a channel account manager can take over; deals stay with the manager."""
