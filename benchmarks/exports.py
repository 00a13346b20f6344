"""How fast and in how much memory a large CRM export is read: `python -m benchmarks.exports`.

A made-up export of 2,000,000 rows and 12 columns, written to a temporary folder and read in processes of their own:
by read_deals, and by pandas.read_csv, which keeps all of it as text and understands none. The ratio says more than the
seconds, which are the machine's too; the processor's time is given, as others may be at work. Nothing is asserted.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

ROWS = 2_000_000
AT_ONCE = 100_000
HEADER = (
    "Opportunity ID", "Opportunity Name", "Account Name", "Stage", "Amount", "Close Date", "Created Date", "Type",
    "Lead Source", "Partner Account", "Region", "Opportunity Owner",
)  # fmt: skip
DEALS = """
from nexthour.calibrate import read_deals
from nexthour.calibrate.deals.mapping import make_mapping
import datetime
deals = read_deals({path!r}, make_mapping(dict(
    id="Opportunity ID", amount="Amount", currency="USD", result="Stage", won=["Closed Won"], lost=["Closed Lost"],
    partner_name="Partner Account", segment="Type", territory="Region", created="Created Date", closed="Close Date",
    stage="Stage", stages=dict(Prospecting=1, Negotiation=3), as_of=datetime.date(2026, 6, 30),
)))
assert deals.rows_read == deals.rows_used + len(deals.rejected) == {rows}
"""
PANDAS = """
import pandas
assert len(pandas.read_csv({path!r}, dtype=str, keep_default_na=False)) == {rows}
"""
SPENT = """
import pathlib, time
(peak,) = (line for line in pathlib.Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(time.process_time(), peak.split()[1])
"""


def write(path: Path) -> None:
    rng = np.random.default_rng(1)
    days = np.datetime_as_string(np.datetime64("2019-01-01") + np.arange(2200))
    stages = np.array(["Closed Won", "Closed Lost", "Prospecting", "Negotiation"])
    types = np.array(["Small", "Mid", "Large", "Public"])
    partners = np.array(["", "", "Acme Partners", "Beta, Inc.", "Gamma GmbH"])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for first in range(0, ROWS, AT_ONCE):
            numbers = range(first, first + AT_ONCE)
            created = rng.integers(0, 1500, AT_ONCE)
            columns = (
                (f"006{number:015d}" for number in numbers),
                (f"Deal {number}, new business" for number in numbers),
                (f"Account {number % 9999}" for number in numbers),
                stages[rng.choice(4, AT_ONCE, p=[0.3, 0.5, 0.1, 0.1])],
                (f"{amount:.2f}" for amount in np.exp(rng.normal(10, 1, AT_ONCE))),
                days[created + rng.integers(0, 300, AT_ONCE)],
                days[created],
                types[rng.integers(0, 4, AT_ONCE)],
                ("Web" for _ in numbers),
                partners[rng.integers(0, 5, AT_ONCE)],
                ("East" if number % 2 else "West" for number in numbers),
                ("Jane Doe" for _ in numbers),
            )
            writer.writerows(zip(*columns, strict=True))


def spent(program: str, path: Path) -> tuple[float, float]:
    """Processor seconds and peak megabytes of a program in a process of its own."""
    text = program.format(path=str(path), rows=ROWS) + SPENT
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    seconds, kilobytes = done.stdout.split()
    return float(seconds), float(kilobytes) / 1000


def main() -> None:
    table = Table(title=f"Reading {ROWS:,} rows of {len(HEADER)} columns")
    for column in ("by", "processor seconds", "times pandas", "peak MB", "times pandas"):
        table.add_column(column, justify="left" if column == "by" else "right")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        write(path)
        own, text_only = spent(DEALS, path), spent(PANDAS, path)
    for name, (seconds, megabytes) in {"read_deals": own, "pandas.read_csv, as text": text_only}.items():
        ratios = f"{seconds / text_only[0]:.1f}", f"{megabytes / text_only[1]:.2f}"
        table.add_row(name, f"{seconds:.1f}", ratios[0], f"{megabytes:,.0f}", ratios[1])
    Console().print(table)


if __name__ == "__main__":
    main()
