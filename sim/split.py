"""A time split in a manager's words: how much time goes to partners, on what, and to whom.

Left out: the hours that it means in a territory (split_hours.py).
"""

from typing import Annotated, Self

from pydantic import Field, Tag, model_validator

from sim.documents.declared import Declared, FrozenMap, Items, declare, one_or_many
from sim.documents.messages import guess, show
from sim.terms import DEFAULT_MIX, FOCUS_WORDS, PARTNER_ACTIVITIES, PARTNER_SEGMENTS, CoverageMode, Name, Share, Word


class Split(Declared):
    """A time split in a manager's words: how much time goes to partners, on what, and to whom."""

    name: Name = declare("name of the split", unit="text")
    partner_share: Annotated[
        Annotated[Share, Tag("~one")] | Annotated[Items[Share], Field(min_length=1, max_length=20), Tag("~many")],
        one_or_many,
    ] = declare(
        "share of the hours left after reactive support that goes to partners: one number, or one a quarter "
        "(the last goes on)",
        unit="share",
    )
    mix: FrozenMap[Share] = declare(
        "how the partner hours divide over coach, joint_plan, co_sell, sell_for, socialise and recruit",
        unit="shares that sum to 1",
        default=DEFAULT_MIX,
        validate_default=True,
    )
    focus: Annotated[
        Annotated[Word, Tag("~one")] | Annotated[FrozenMap[Annotated[float, Field(ge=0, le=1e6)]], Tag("~many")],
        one_or_many,
    ] = declare(
        "who gets the partner hours: even, achievers, believers, deceivers, or weights by partner",
        unit="word or weights",
        default="even",
    )
    prospect_share: Share = declare(
        "share of the hours left after reactive support that is planned prospecting, evenly over the segments "
        "(hours left over from selling are spent on prospecting anyway)",
        unit="share",
        default=0.0,
    )
    coverage_mode: Annotated[
        Annotated[CoverageMode, Tag("~one")] | Annotated[FrozenMap[CoverageMode], Tag("~many")], one_or_many
    ] = declare(
        "who may work an opportunity in a partner's account: one mode for all segments, or by segment "
        "(partner_first where not named)",
        unit="direct, partner_led, direct_first or partner_first",
        default="partner_first",
    )
    park: Items[Name] = declare("partners that get nothing and cost nothing", unit="names", default=())
    discipline: Share = declare(
        "share of planned partner hours kept in the last four weeks of a quarter that is behind quota",
        unit="share",
        default=1.0,
    )

    @model_validator(mode="after")
    def _whole_mix(self) -> Self:
        for activity in self.mix:
            if activity not in PARTNER_ACTIVITIES:
                raise ValueError(f"mix: unknown activity {show(activity)}; {guess(activity, list(PARTNER_ACTIVITIES))}")
        if isinstance(self.focus, str) and self.focus not in (*FOCUS_WORDS, *PARTNER_SEGMENTS):
            meant = guess(self.focus, list(FOCUS_WORDS))
            raise ValueError(f"focus: unknown word {show(self.focus)}; {meant} (or weights by partner)")
        if abs(sum(self.mix.values()) - 1) > 1e-6:
            raise ValueError(f"mix sums to {sum(self.mix.values()):g}; allowed: shares that sum to 1")
        shares = self.shares(1)
        if max(shares) + self.prospect_share > 1 + 1e-9:
            raise ValueError(
                f"partner_share {max(shares):g} and prospect_share {self.prospect_share:g} "
                "are more than all hours; allowed: a sum of at most 1"
            )
        return self

    def shares(self, horizon_quarters: int) -> tuple[float, ...]:
        """Partner share by quarter; at least as many as were written."""
        if isinstance(self.partner_share, tuple):
            written = self.partner_share or (0.0,)
            return written + (written[-1],) * (horizon_quarters - len(written))
        return (self.partner_share,) * horizon_quarters
