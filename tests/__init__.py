"""What must hold, in the same folders as what it is about."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""
SCENARIOS = ROOT / "scenarios"
BASELINE = SCENARIOS / "baseline.yaml"
