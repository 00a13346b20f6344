"""The sentences of docs/model.md behind each record, by a short name; tests/test_auditor.py looks each up there."""

from __future__ import annotations

from sim.ledger import Kind

SENTENCES = {
    "begins once": "Every opportunity begins once and ends in at most one way",
    "sees": "The manager sees an opportunity iff its `found` mark is below reach = 1 - (1 - inbound_share) * "
    "exp(-prospecting_yield * A / pool)",
    "brings": "The partner brings it iff it is in its base, it is active, and `brought` < engagement^beta.",
    "direct_first": "both; seen by both, the manager takes it and the partner's engagement falls: a conflict",
    "leaked": "Seen by nobody: `leaked`.",
    "passes": "it passes stages 1..k iff U < a_1 * ... * a_k, and is won iff U < W = a_1 * ... * a_K.",
    "patience": "Patience runs from the moment a deal waits until the stage's first hour; a deal whose patience ends "
    "is `no_decision`.",
    "starts": "Its people work `capacity_deals` at once; others queue with the patience of the segment's first stage.",
    "own chance": "U < min(1, fit * W * skill^alpha)",
    "co_sell": "half of the deal's stage hours, as one lump; if complete by the closing date the deal is won at W",
    "sell_for": "all of the deal's stage hours; if complete, won at W, and the partner's people are free",
    "lost work": "A lump not finished by the closing date is lost work: a deal that the partner's people work on then "
    "ends at the partner's own chance, and a win is practice; one taken from the queue ends as `lost`.",
    "leaves": "A partner leaves at the first week boundary after its exponential time (counted from quarter 1, or from "
    "onboarding): its open deals end as `partner_left`, its base becomes house accounts.",
    "decides": "A candidate decides once, when it has had `recruiting_hours`",
    "replaced": "With an `open_pipeline` the history's open deals end as `replaced`, and the scenario's are "
    "`taken_over`.",
    "support": "The manager pays the support of every carried partner",
    "coach": "Hours are handed out in this order until the week is full",
    "joint_plan": "Hours are handed out in this order until the week is full",
    "socialise": "Hours are handed out in this order until the week is full",
    "recruit": "Hours are handed out in this order until the week is full",
    "discipline": "planned partner hours (not support, not those of the channel account manager) are multiplied by "
    "`discipline`; the rest goes to selling.",
    "which lump": "Co-selling and selling for a partner take the deal with the largest amount * W / mean hours of the "
    "lump, and finish a lump once begun.",
    "prospect": "Hours are handed out in this order until the week is full",
    "selling time": "selling takes what is left.",
    "visit": "Next comes the waiting deal with the largest",
    "account manager": "a channel account manager helps by hours only",
    "stocks": "x <- max(0, min(ceiling, x + f * (alone - x) + gains))",
    "reach": "reach = 1 - (1 - inbound_share) * exp(-prospecting_yield * A / pool)",
}
OF_KIND = {
    Kind.ARRIVED: "begins once",
    Kind.TAKEN_OVER: "replaced",
    Kind.FOUND: "sees",
    Kind.REGISTERED: "brings",
    Kind.CONFLICT: "direct_first",
    Kind.ADVANCED: "passes",
    Kind.STARTED: "starts",
    Kind.LEAKED: "leaked",
    Kind.WON_DIRECT: "passes",
    Kind.WON_PARTNER: "own chance",
    Kind.WON_CO_SOLD: "co_sell",
    Kind.WON_SOLD_FOR: "sell_for",
    Kind.LOST: "passes",
    Kind.NO_DECISION: "patience",
    Kind.PARTNER_LEFT: "leaves",
    Kind.REPLACED: "replaced",
    Kind.SUPPORT: "support",
    Kind.COACH: "coach",
    Kind.JOINT_PLAN: "joint_plan",
    Kind.SOCIALISE: "socialise",
    Kind.RECRUIT: "recruit",
    Kind.CO_SELL: "which lump",
    Kind.SELL_FOR: "which lump",
    Kind.PROSPECT: "prospect",
    Kind.SELL_TIME: "selling time",
    Kind.VISIT: "visit",
    Kind.CAM_COACH: "account manager",
    Kind.CAM_JOINT_PLAN: "account manager",
    Kind.CAM_SOCIALISE: "account manager",
    Kind.CAM_RECRUIT: "account manager",
    Kind.SKILL: "stocks",
    Kind.ENGAGEMENT: "stocks",
    Kind.REACH: "reach",
    Kind.SIGNED: "decides",
    Kind.DECLINED: "decides",
    Kind.ONBOARDED: "decides",
    Kind.LEFT: "leaves",
}
"""The sentence for a record that nobody expected, by its kind."""
OF_TAPE = {
    "ids": "Ids count the open pipeline first, then arrivals by tick and segment.",
    "arrival": "k-th arrival = inverse of the cumulative rate at the sum of k unit exponentials",
    "owner": "Owner: partner p with probability `base_share`, else a house account.",
    "amount": "Amount: lognormal, whole dollars.",
    "two uniforms": "`found` and `brought`: two further uniforms.",
    "U": "U = Phi(L * z_q + sqrt(1 - L^2) * Phi^-1(u))",
    "new": "A deal in stage k has passed the stages before",
    "times": "Hours of a stage, the buyer's answer time, patience and the partner's cycle: Weibull by mean and shape",
    "label": "the true segment is the label with probability `label_accuracy`, else drawn from `segment_prior`",
    "exit": "the time to its exit is exponential",
    "signing": "a uniform decides whether a candidate signs",
    "open pipeline": "the open pipeline, if the deals open on the first day are known",
    "open U": "so U is uniform below a_1 * ... * a_(k-1)",
    "remaining cycle": "scale * ((T/scale)^shape + e)^(1/shape) - T",
}
"""What docs/model.md says of a column of the tape."""
