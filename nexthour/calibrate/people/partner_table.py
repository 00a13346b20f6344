"""The table of a partner intake: what a channel manager can see of each partner, a row each.

Deals are those registered in one period; of these some are won, some still open. Blank is "not known", which is not 0.

Left out: amounts (they tell which deals a partner gets, not how well it sells), and what its people say of themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from nexthour.calibrate.files.hand_filled_table import read_rows
from nexthour.calibrate.files.notation import Decimal
from sim.documents.declared import Declared, declare
from sim.documents.messages import show
from sim.errors import TableError
from sim.terms import Name, Share

Count = Annotated[int, Field(ge=0, le=100_000)]


class PartnerRow(Declared):
    """What can be seen of one partner."""

    partner: Name = declare("name of the partner", unit="text")
    registered_deals: Count | None = declare("deals it registered in the period", unit="deals", default=None)
    wins: Count | None = declare("of these, won so far by its own people", unit="deals", default=None)
    still_open: Count | None = declare("of these, not decided yet", unit="deals", default=None)
    found_alone: Count | None = declare("of these, found without your help", unit="deals", default=None)
    help_hours_per_week: float | None = declare(
        "hours of you that it asks for", unit="hours a week", default=None, ge=0, le=40
    )
    ambition: int | None = declare(
        "1: content as it is, to 5: wants to grow much and acts on it", unit="1 to 5", default=None, ge=1, le=5
    )
    certified_people: Count | None = declare("its people with your certificates", unit="people", default=None)
    account_share: Share | None = declare(
        "share of all opportunities of the territory that arise in its accounts, 0 to 1", unit="share", default=None
    )
    note: str = declare("anything to remember; not used", unit="text", default="", max_length=1000)

    @model_validator(mode="after")
    def _parts_of_what_it_registered(self) -> Self:
        parts = {name: getattr(self, name) for name in ("wins", "still_open", "found_alone")}
        known = {name: value for name, value in parts.items() if value is not None}
        if self.registered_deals is None:
            if known:
                raise ValueError(f"{next(iter(known))} is given without registered_deals; give both or neither")
            return self
        known["wins and still_open"] = known.get("wins", 0) + known.get("still_open", 0)
        for name, value in known.items():
            if value > self.registered_deals:
                raise ValueError(
                    f"{name}: {value:,} of {self.registered_deals:,} registered deals; allowed: at most all of them"
                )
        return self

    @property
    def found_alone_share(self) -> float | None:
        """Share of the registered deals that it found without help, if there are any."""
        return (
            self.found_alone / self.registered_deals if self.found_alone is not None and self.registered_deals else None
        )


def read_partners(
    path: Path | str, decimal: Decimal | None = None, encoding: str | None = None
) -> tuple[PartnerRow, ...]:
    """Read the rows of a CSV or XLSX file (read_rows has the options). Raises TableError, one sentence."""
    rows = [row for _, row in read_rows(path, PartnerRow, decimal, encoding)]
    names = [row.partner for row in rows]
    for name in names:
        if names.count(name) > 1:
            raise TableError(f"{path}: the partner {show(name)} stands twice; put what is known of it into one row")
    shares = sum(row.account_share for row in rows if row.account_share is not None)
    if shares > 1 + 1e-9:
        raise TableError(f"{path}: account_share sums to {shares:g}; allowed: at most 1, all opportunities there are")
    return tuple(rows)
