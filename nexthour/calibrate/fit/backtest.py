"""Fit on some territories and early weeks, predict the others: does the real number lie where it was said to?

Left out: how the prediction is made (predict.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nexthour.calibrate.deals.deal_table import Deals
from nexthour.calibrate.fit.predict import Prediction, predict
from sim.documents.messages import guess, show
from sim.errors import TableError


@dataclass(frozen=True)
class Backtest:
    """Predictions of the deals held out, beside what came of them."""

    predictions: tuple[Prediction, ...]
    deals_seen: int
    deals_held_out: int

    @property
    def covered(self) -> float:
        """Share of the numbers that lie in their 90% interval."""
        return float(np.mean([prediction.inside for prediction in self.predictions]))

    def summary(self) -> list[dict[str, Any]]:
        """A row for each kind of number: how many there are and the share covered, then as shares of the real number
        half the width of the interval and the errors of this forecast and of the plain one (None where all are 0).
        """
        rows = []
        for what in dict.fromkeys(prediction.what for prediction in self.predictions):
            of_kind = [one for one in self.predictions if one.what == what]
            positive = [one for one in of_kind if one.observed > 0]
            rows.append(
                {
                    "what": what,
                    "cells": len(of_kind),
                    "covered": float(np.mean([one.inside for one in of_kind])),
                    "width": _mean((one.predicted.high - one.predicted.low) / one.observed / 2 for one in positive),
                    "error": _mean(abs(one.predicted.value / one.observed - 1) for one in positive),
                    "error by route": _mean(abs(one.by_route / one.observed - 1) for one in positive),
                }
            )
        return rows


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return float(np.mean(listed)) if listed else None


def backtest(
    deals: Deals, territories: Sequence[str] | None = None, until_share: float = 1.0, seed: int = 1
) -> Backtest:
    """Predict the deals of other territories, and of the weeks after the first `until_share` of the closings.

    `territories` are those fitted on, all if None. The deals seen are theirs, closed in the early weeks; all others are
    held out, early and late ones apart. Raises TableError if nothing is left to fit on or to predict.
    """
    closed = deals.closed
    if closed["closed_day"].isna().any():
        raise TableError(
            f"{deals.name}: deals without a closing day cannot be predicted; map closed, or closed_days_ago"
        )
    known = sorted(set(closed["territory"]))
    for name in territories or ():
        if name not in known:
            raise TableError(f"{deals.name}: no territory {show(name)}; {guess(name, known)}")
    if not 0 < until_share <= 1:
        raise TableError(f"until_share is {until_share!r}; allowed: above 0, at most 1 (share of the closings)")
    chosen = closed["territory"].isin(known if territories is None else list(territories))
    # Whole weeks, so that none is on both sides.
    week = closed["closed_day"] // 7
    early = week <= week.quantile(until_share)
    seen, rest = closed[chosen & early], closed[~(chosen & early)]
    if rest.empty:
        raise TableError(f"{deals.name}: no deal is left to predict; name fewer territories or a smaller until_share")
    parts = [rest[early[rest.index]], rest[~early[rest.index]]]
    found = [prediction for part in parts if len(part) for prediction in predict(seen, part, seed)]
    if not found:
        raise TableError(f"{deals.name}: no cell that was held out has enough deals; hold out more")
    return Backtest(tuple(found), len(seen), len(rest))
