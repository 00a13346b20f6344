"""Several territories together in words: the sentences that the terminal and the screens have in common.

Left out: any computing. A number told here is a field of what optimize returned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexthour.report.numbers import usd, usd_interval, usd_with_half_width, whole

if TYPE_CHECKING:
    from optimize.coverage.rollup import Rollup

ALONE = "Each territory is simulated on its own: no manager knows of another's deals or partners."
ADDED_UP = "Segments and partners are added up by their names."


def unseen_opportunities(rollup: Rollup) -> str:
    """What nobody sees today, and what that is worth, to go on in a sentence."""
    total = rollup.total
    return (
        f"nobody sees {whole(total.leaked.value)} of {whole(total.opportunities.value)} opportunities today, worth "
        f"{usd(total.gap_usd.value)} ({usd_interval(total.gap_usd)})"
    )


def credit_against_quota(rollup: Rollup) -> str:
    """The quota credit of today's plans against the quotas, and what partners bring of it."""
    return (
        f"Quota credit today is {usd_with_half_width(rollup.credit_usd)} against quotas of "
        f"{usd(rollup.quota_usd)}; {usd(rollup.partner_credit_usd.value)} of it comes from partners."
    )
