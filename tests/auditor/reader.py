"""The ledger, read record by record against what is expected, and the sentence of docs/model.md behind each.

Whole numbers must be equal, real ones to a billionth of their size (or 1e-12, where one is 0). Left out: what is to be
expected.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

from sim.ledger import NOBODY, TICKS_PER_WEEK, Kind, Ledger
from tests.auditor.sentences import OF_KIND, SENTENCES

RELATIVE, NOTHING = 1e-9, 1e-12
Record = tuple[int, int, int, int, int, int, float]
"""Tick, kind, opportunity, partner, segment, amount, value."""
Because = str | Callable[[], str]
"""The numbers that led to a record, in words, or what tells them if they are asked for."""
FIELDS = ("tick", "kind", "opportunity", "partner", "segment", "amount", "value")


class Reader:
    """Reads a ledger as it is expected, and complains at the first record that is not."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.records: list[Record] = ledger.records.tolist()
        self.at = 0
        self.kinds: Counter[str] = Counter()

    def expect(self, expected: Record, says: str, because: Because) -> None:
        """Compare with the next record. Raises AssertionError."""
        found = self.records[self.at] if self.at < len(self.records) else None
        if found is None or not same(expected, found):
            raise AssertionError(
                self.complaint(expected, found, SENTENCES[says], because if isinstance(because, str) else because())
            )
        self.kinds[Kind(expected[1]).name] += 1
        self.at += 1

    def ends(self) -> None:
        """Complain of records after the last that was expected."""
        if self.at < len(self.records):
            found = self.records[self.at]
            raise AssertionError(self.complaint(None, found, SENTENCES[OF_KIND[Kind(found[1])]], ""))

    def complaint(self, expected: Record | None, found: Record | None, sentence: str, because: str) -> str:
        """What does not agree: the record, the week, both versions, and the sentence that says so."""
        ledger, told = self.ledger, expected or found
        assert told is not None
        lines = [
            f"record {self.at} of {len(self.records)}, in week {told[0] // TICKS_PER_WEEK + 1} (history below 1), of "
            f"scenario {ledger.scenario.name!r}, plan {ledger.plan_name!r}, seed {ledger.seed}, "
            f"replication {ledger.replication}",
            f"  expected  {self.in_words(expected)}",
            f"  found     {self.in_words(found)}",
        ]
        if expected is not None and found is not None:
            differing = zip(FIELDS, expected, found, strict=True)
            lines += [f"    {name}: {a!r} expected, {b!r} found" for name, a, b in differing if a != b]
        lines += [f"  because   {because}"] if because else []
        lines.append(f"  docs/model.md: {sentence}")
        if found is not None and SENTENCES[OF_KIND[Kind(found[1])]] != sentence:
            lines.append(f"  and of what was found: {SENTENCES[OF_KIND[Kind(found[1])]]}")
        return "\n".join(lines)

    def in_words(self, record: Record | None) -> str:
        if record is None:
            return "nothing"
        tick, kind, opportunity, partner, segment, amount, value = record
        scenario = self.ledger.scenario
        words = [f"week {tick / TICKS_PER_WEEK:.6f}", Kind(kind).name.lower()]
        words += [f"#{opportunity}"] if opportunity != NOBODY else []
        words += [scenario.partner_names[partner]] if partner != NOBODY else []
        words += [scenario.segment_names[segment]] if segment != NOBODY else []
        return "  ".join([*words, f"${amount:,}", f"{value:.12g}"])


def same(expected: Record, found: Record) -> bool:
    """Whether two records agree: whole numbers exactly, the value to a billionth."""
    return expected[:-1] == found[:-1] and math.isclose(expected[-1], found[-1], rel_tol=RELATIVE, abs_tol=NOTHING)
