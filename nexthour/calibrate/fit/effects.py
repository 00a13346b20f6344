"""What places and weeks have in common: luck that many deals share, learned from some and told of others.

A number of a block of deals (a territory in a week) is off, by a share of what its mix of deals says, because of

    territory + week + territory in this week + time + territory in this time

each normal, each with a size of its own. The weeks that were seen are one time, those that were not are another, of
which nothing is known but how much times differ: a quarter's last weeks are not like its first. Blocks that were seen
say what is to be expected of others: the same territory later, another territory in the same week, both new (best
linear prediction; Robinson 1991, "That BLUP is a good thing"). The sizes are averaged over by importance sampling from
their priors, so that few weeks do not claim to know how weeks differ.

Left out: what a block's number is (predict.py); effects that are not normal; weeks that resemble their neighbours.
"""

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from sim.arrays import FloatArray

IntArray = NDArray[np.int64]
SIZES_DRAWN = 1000
TOGETHER = 10
"""Number of draws from one set of sizes."""
SIZE_SPREAD = 0.4
"""Logarithmic spread of the prior of each size."""


@dataclass(frozen=True)
class Sizes:
    """Medians of the priors of the standard deviations of the effects."""

    territory: float
    week: float
    territory_in_week: float
    time: float
    territory_in_time: float


@dataclass(frozen=True)
class Blocks:
    """Territory and week of each block, shape (blocks,) each."""

    territory: IntArray
    week: IntArray
    new: NDArray[np.bool_]
    """whether the week is of a time that was not seen"""


@dataclass(frozen=True)
class ObservedBlocks:
    """Blocks with a number: by what share it is off, and the standard error that chance alone gives it."""

    blocks: Blocks
    off: FloatArray
    error: FloatArray


def draw_effects(
    seen: ObservedBlocks, wanted: Blocks, prior: Sizes, draws: int, rng: np.random.Generator
) -> FloatArray:
    """Draw the effects of the wanted blocks given what was seen: shape (draws, blocks), a multiple of TOGETHER."""
    medians = np.array(astuple(prior))
    sizes = medians * np.exp(SIZE_SPREAD * rng.normal(size=(SIZES_DRAWN, len(medians))))
    log_likelihood = np.array([_log_likelihood(seen, size) for size in sizes])
    weight = np.exp(log_likelihood - log_likelihood.max())
    chosen = sizes[rng.choice(SIZES_DRAWN, draws // TOGETHER, p=weight / weight.sum())]
    return np.concatenate([_draw_given(seen, wanted, size, rng) for size in chosen])


def _covariance(a: Blocks, b: Blocks, sizes: FloatArray) -> FloatArray:
    place = a.territory[:, None] == b.territory
    week = a.week[:, None] == b.week
    same_time = a.new[:, None] == b.new
    # The level of the time that was seen is in what the mix says.
    later = a.new[:, None] & b.new
    v = sizes**2
    return np.asarray(v[0] * place + v[1] * week + v[2] * (place & week) + v[3] * later + v[4] * (place & same_time))


def _log_likelihood(seen: ObservedBlocks, sizes: FloatArray) -> float:
    root = np.linalg.cholesky(_covariance(seen.blocks, seen.blocks, sizes) + np.diag(seen.error**2))
    return -float((np.linalg.solve(root, seen.off) ** 2).sum() / 2 + np.log(np.diag(root)).sum())


def _draw_given(seen: ObservedBlocks, wanted: Blocks, sizes: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draws of the normal distribution of the wanted effects, conditional on what was seen: shape (TOGETHER, blocks).

    Each with its mirror image, so that the middle of the draws is the middle.
    """
    observed = _covariance(seen.blocks, seen.blocks, sizes) + np.diag(seen.error**2)
    across = _covariance(wanted, seen.blocks, sizes)
    gain = np.linalg.solve(observed, across.T).T
    rest = _covariance(wanted, wanted, sizes) - gain @ across.T
    root = np.linalg.cholesky(rest + 1e-9 * np.eye(len(rest)))
    one = rng.normal(size=(TOGETHER // 2, len(rest))) @ root.T
    return gain @ seen.off + np.concatenate([one, -one])
