"""A recruiting funnel to numbers for candidates: how likely a contact signs, and how long that takes.

A table has a row for each first contact: its date, the date of signing or nothing, perhaps a kind (where the contact
came from). Those who have not signed at the extract may still sign, so shares are Kaplan and Meier's (1958), up to the
horizon: the time for which at least half of the contacts were followed. Nobody can see beyond it. Who has not signed
by then counts as never signing (the cured share of mixture-cure models); `late_share` says how far from flat the curve
still is there.

Contacts of one week share their luck: intervals come from drawing whole weeks again, with Student's quantile for their
number, and are never narrower than chance alone makes them. Kinds borrow strength from each other (posterior.shrink).

Left out: what was done for a contact, and who was worth contacting: a funnel of cold contacts is a prior, not your
candidate.
"""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray
from scipy.special import expit, logit

from nexthour.calibrate.files.notation import EPOCH
from nexthour.calibrate.fit.posterior import FEWEST_WEEKS, SURENESS, Interval, shrink
from nexthour.calibrate.people.recruiting_contacts import Contacts
from sim import Scenario, TableError
from sim.arrays import FloatArray

DRAWS = 200
MOST_KINDS = 50
QUANTILES = (0.1, 0.5, 0.9)
ONE_SIGMA, NORMAL = 0.6826894921, 1.6448536270
"""Probability within one standard error of a normal mean; half of its 90% interval in standard errors."""
LATE = 0.75
"""Share of the horizon; signings after it show how far from flat the curve is."""
NOT_FLAT = 0.1
"""Share of the signings after it above which the probability is called a lower bound. Judgement."""
FITTED = "Recruiting funnel "
"""Begins what a fitted candidate's source says, so that nobody adds the weeks twice."""


@dataclass(frozen=True)
class ContactKind:
    """What a funnel says of one kind of contact."""

    name: str
    contacts: int
    signed: int
    alone: float
    """share signed within the horizon, by its own contacts only"""
    sign_probability: Interval
    """share signed, with what the kind borrows from the others"""


@dataclass(frozen=True)
class HoldOut:
    """Share of the later contacts that sign, predicted from the earlier ones."""

    contacts: int
    from_date: datetime.date
    within_weeks: float
    predicted: Interval
    """share signed, 90% predictive interval"""
    observed: float

    @property
    def holds(self) -> bool:
        """Whether the share observed lies in the interval predicted."""
        return self.predicted.low <= self.observed <= self.predicted.high


@dataclass(frozen=True)
class Recruiting:
    """What a funnel says of signing. Intervals are 90%."""

    name: str
    contacts: int
    signed: int
    first: datetime.date
    last: datetime.date
    as_of: datetime.date
    by_week: bool
    """whether the intervals respect that weeks share their luck"""
    horizon_weeks: float
    sign_probability: Interval
    """probability of signing within the horizon"""
    sign_error: float
    """standard error of that probability"""
    quantile: float
    """half of an interval, in standard errors"""
    design_effect: float
    """how many times as much shares signed differ between weeks as by chance, at least 1"""
    late_share: float
    """share of the signings that come in the last quarter of the horizon"""
    weeks_to_sign: Mapping[float, Interval]
    """quantiles of the time from first contact to signing, of those who sign within the horizon"""
    kinds: tuple[ContactKind, ...]
    """most contacts first; none if there are not two"""

    @property
    def is_flat(self) -> bool:
        """Whether few enough sign late for the probability to be one of signing at all."""
        return self.late_share <= NOT_FLAT


def fit_recruiting(contacts: Contacts, horizon_days: float | None = None) -> Recruiting:
    """Fit share and time of signing, by kind too if the contacts have kinds.

    The horizon is the time for which half of the contacts were followed, or a shorter one. Raises TableError.
    """
    frame, as_of = contacts.frame, contacts.as_of_day
    followed = as_of - frame["contacted_day"].to_numpy()
    horizon = float(np.median(followed) if horizon_days is None else horizon_days)
    contacts.check_enough()
    if not 1 <= horizon <= np.median(followed):
        raise TableError(
            f"{contacts.name}: half of the contacts were followed for {np.median(followed):.0f} days only, too "
            f"short for a horizon of {horizon:.0f}; take earlier contacts or a later export"
        )
    curve = _Curve.of(*_times(frame, as_of))
    resampled = _resample(frame, as_of)
    share = curve.share(horizon)
    if share == 0:
        raise TableError(f"{contacts.name}: nobody signed within {horizon:.0f} days, the horizon; take a later export")
    by_chance = curve.error(horizon)
    between_weeks = float(np.std([drawn.share(horizon) for drawn in resampled.curves])) * resampled.correction
    error = max(by_chance, between_weeks)
    first, last = (EPOCH + datetime.timedelta(days=float(day)) for day in frame["contacted_day"].agg(["min", "max"]))
    return Recruiting(
        name=contacts.name,
        contacts=len(frame),
        signed=int(frame["signed_day"].notna().sum()),
        first=first,
        last=last,
        as_of=EPOCH + datetime.timedelta(days=as_of),
        by_week=resampled.by_week,
        horizon_weeks=horizon / 7,
        sign_probability=_share_interval(share, error, resampled.quantile, len(frame)),
        sign_error=error,
        quantile=resampled.quantile,
        design_effect=(error / by_chance) ** 2,
        late_share=1 - curve.share(LATE * horizon) / share,
        weeks_to_sign={q: _time_interval(q, curve, resampled, horizon) for q in QUANTILES},
        kinds=_fit_kinds(contacts, horizon, (error / by_chance) ** 2),
    )


def hold_out(contacts: Contacts, from_date: datetime.date | None = None) -> HoldOut:
    """Predict the share signed of the contacts from `from_date` on from those before, at equal follow-up.

    Without a date, the last third of the weeks is predicted. Raises TableError if one part is too small.
    """
    days = contacts.frame["contacted_day"]
    first, last = float(days.min()), float(days.max())
    begins = first + 7 * (2 * ((last - first) // 7 + 1) // 3) if from_date is None else (from_date - EPOCH).days
    earlier, later = contacts.between(-np.inf, begins - 1), contacts.between(begins, np.inf)
    later.check_enough()
    within = contacts.as_of_day - last
    fitted = fit_recruiting(earlier, within)
    share = fitted.sign_probability.value
    luck = fitted.design_effect * share * (1 - share) / len(later.frame)
    half_width = fitted.quantile * (fitted.sign_error**2 + luck) ** 0.5
    return HoldOut(
        contacts=len(later.frame),
        from_date=EPOCH + datetime.timedelta(days=begins),
        within_weeks=within / 7,
        predicted=Interval(share, max(0.0, share - half_width), min(1.0, share + half_width)),
        observed=_Curve.of(*_times(later.frame, contacts.as_of_day)).share(within),
    )


def with_recruiting(scenario: Scenario, fitted: Recruiting, about: str = "") -> Scenario:
    """The scenario whose candidates sign as likely as the funnel's contacts, and later by its median weeks.

    In the model a candidate decides in the moment it has had its hours; the weeks that it takes to sign go before its
    onboarding (docs/calibration.md says why). `about` says who was contacted. Raises TableError.
    """
    if not scenario.candidates:
        raise TableError(f"{scenario.name}: has no candidates to give a sign probability; add one")
    for candidate in scenario.candidates:
        if FITTED in candidate.source:
            raise TableError(
                f"{scenario.name}: {candidate.name} has numbers of a funnel already; take the scenario before that"
            )
    chance, weeks = fitted.sign_probability, round(fitted.weeks_to_sign[0.5].value)
    whom = f" ({about[:200]})" if about else ""
    known = (
        f"{FITTED}{fitted.name}{whom}: {fitted.contacts:,} first contacts from {fitted.first} to {fitted.last}, as of "
        f"{fitted.as_of}; sign_probability {chance.low:.2f} to {chance.high:.2f} (90%), {weeks} weeks to signature are "
        "in onboarding_weeks. A prior: of all first contacts, not of this candidate. "
    )
    changed = [
        candidate.model_copy(
            update={
                "sign_probability": round(chance.value, 3),
                "onboarding_weeks": min(104, candidate.onboarding_weeks + weeks),
                "source": (known + candidate.source)[:1000],
            }
        )
        for candidate in scenario.candidates
    ]
    return scenario.variant(candidates=changed)


@dataclass(frozen=True)
class _Curve:
    """The share signed by time since first contact."""

    result: Any
    followed: int
    """number of contacts"""

    @classmethod
    def of(cls, days: FloatArray, open_still: NDArray[np.bool_]) -> _Curve:
        """Curve of contacts that signed, or were followed without signing, after these days (Kaplan and Meier)."""
        return cls(scipy.stats.ecdf(scipy.stats.CensoredData.right_censored(days, open_still)), len(days))

    def share(self, days: float) -> float:
        return float(self.result.cdf.evaluate(days))

    def error(self, days: float) -> float:
        """Standard error of the share (Greenwood 1926), and that of half a contact where it would be 0."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # undefined where everybody has signed
            below = self.result.sf.confidence_interval(ONE_SIGMA).low.evaluate(days)
        error = 1 - self.share(days) - float(below)
        return error if error > 0 else 0.5 / self.followed

    def quantile(self, q: float, horizon: float) -> float:
        """Days by which a share `q` has signed of those who sign within the horizon."""
        at = np.searchsorted(self.result.cdf.probabilities, q * self.share(horizon) - 1e-12)
        return float(self.result.cdf.quantiles[at])


def _times(frame: pd.DataFrame, as_of_day: float) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Days to signing, or to the export where a contact had not signed, and whether it had not."""
    days = (frame["signed_day"].fillna(as_of_day) - frame["contacted_day"]).to_numpy()
    return days, frame["signed_day"].isna().to_numpy()


@dataclass(frozen=True)
class _Resampled:
    """Curves of funnels drawn again from this one."""

    curves: list[_Curve]
    blocks: int
    """how many were drawn: weeks, or contacts where the weeks are too few"""
    by_week: bool

    @property
    def quantile(self) -> float:
        """Half of a 90% interval in standard errors: Student's quantile for the number of blocks."""
        return float(scipy.stats.t.ppf((1 + SURENESS) / 2, self.blocks - 1))

    @property
    def correction(self) -> float:
        """Factor by which the spread of draws from few blocks is too small."""
        return (self.blocks / (self.blocks - 1)) ** 0.5


def _resample(frame: pd.DataFrame, as_of_day: float) -> _Resampled:
    rng = np.random.default_rng(1)
    week = ((frame["contacted_day"] - frame["contacted_day"].min()) // 7).to_numpy()
    members = [np.flatnonzero(week == one) for one in np.unique(week)]
    by_week = len(members) >= FEWEST_WEEKS
    blocks = members if by_week else [np.array([i]) for i in range(len(frame))]
    days, open_still = _times(frame, as_of_day)
    curves = []
    for _ in range(DRAWS):
        chosen = np.concatenate([blocks[i] for i in rng.integers(0, len(blocks), len(blocks))])
        curves.append(_Curve.of(days[chosen], open_still[chosen]))
    return _Resampled(curves, len(blocks), by_week)


def _share_interval(share: float, error: float, quantile: float, contacts: float) -> Interval:
    """Interval of a share on the logit scale; half a contact more signed and half a one less, so that 0 has one too."""
    centre = (share * contacts + 0.5) / (contacts + 1)
    half_width = quantile * error / (centre * (1 - centre))
    return Interval(share, float(expit(logit(centre) - half_width)), float(expit(logit(centre) + half_width)))


def _time_interval(q: float, curve: _Curve, resampled: _Resampled, horizon: float) -> Interval:
    """A quantile of the time to signing, in weeks, with an interval on the scale of logarithms."""
    # A contact that signs on its first day took half a day.
    weeks = max(0.5, curve.quantile(q, horizon)) / 7
    drawn = np.array([max(0.5, one.quantile(q, horizon)) / 7 for one in resampled.curves])
    factor = float(np.exp(resampled.quantile * np.std(np.log(drawn)) * resampled.correction))
    return Interval(weeks, weeks / factor, weeks * factor)


def _fit_kinds(contacts: Contacts, horizon: float, effect: float) -> tuple[ContactKind, ...]:
    """Each kind, with what it borrows from the others on the logit scale."""
    groups = {str(name): group for name, group in contacts.frame.groupby("kind")}
    if len(groups) < 2:
        return ()
    if len(groups) > MOST_KINDS:
        raise TableError(
            f"{contacts.name}: {len(groups)} kinds; at most {MOST_KINDS} are fitted, name a coarser column"
        )
    curves = [_Curve.of(*_times(group, contacts.as_of_day)) for group in groups.values()]
    alone = np.array([curve.share(horizon) for curve in curves])
    # As many contacts, followed to the horizon, as would give the same error.
    equivalent = np.array(
        [s * (1 - s) / curve.error(horizon) ** 2 or curve.followed for curve, s in zip(curves, alone, strict=True)]
    )
    shares = (alone * equivalent + 0.5) / (equivalent + 1)
    borrowed, errors = shrink(logit(shares), (effect / (equivalent + 1) / shares / (1 - shares)) ** 0.5)
    kinds = []
    for (name, group), share, value, error in zip(groups.items(), alone, borrowed, errors, strict=True):
        ends = (float(expit(value + sign * NORMAL * error)) for sign in (0, -1, 1))
        signed = int(group["signed_day"].notna().sum())
        kinds.append(ContactKind(name or "not said", len(group), signed, float(share), Interval(*ends)))
    return tuple(sorted(kinds, key=lambda kind: -kind.contacts))
