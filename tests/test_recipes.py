"""Claim: whoever follows a recipe of CONTRIBUTING.md to the letter gets what it promises.

Every recipe is carried out in a copy of the checkout: a block of code is a new file, or lines that go below a line
which is there once; then what came of it is looked at. Left out: the places to touch, which tests/test_docs.py has.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

pytestmark = pytest.mark.slow

STEP = re.compile(
    r"^(?:New|Below `(?P<above>[^\n]+)` in) `(?P<file>[\w/.]+)`:\n\n```(?:python|text)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LOOK = {
    "a chart": """
        from nexthour.app.charts.quota import quota_bars
        from nexthour.office.picture import png
        assert png(quota_bars([1e6, 2e6]))[:4] == b"\\x89PNG"
    """,
    "a page": """
        from streamlit.testing.v1 import AppTest
        test = AppTest.from_file("app.py", default_timeout=120).run()
        assert not test.exception, test.exception
        from nexthour.app import menu
        assert "quota" in menu.page_names()
        test = AppTest.from_string("from nexthour.app.pages import quota; quota.show()", default_timeout=120).run()
        assert not test.exception and not test.error, (test.exception, test.error)
        assert [title.value for title in test.title] == ["Quota"]
        assert any("Quota by quarter" in text.value for text in test.markdown)
    """,
    "a long job": """
        from nexthour.jobs import Jobs
        from sim import load_scenario
        jobs = Jobs()
        job = jobs.start("attainment", load_scenario("scenarios/baseline.yaml"), markets=3)
        assert job.wait(120) and job.state == "done", (job.state, job.problem)
        assert 0 < job.result < 3 and job.says
        jobs.close()
    """,
    "a command": """
        from typer.testing import CliRunner
        from nexthour.terminal.main import app
        result = CliRunner().invoke(app, ["quota", "scenarios/baseline.yaml"])
        assert result.exit_code == 0 and "$" in result.output, result.output
        assert "quota" in CliRunner().invoke(app, ["--help"]).output
    """,
    "a family of rows of the planner's model": """
        from optimize.limits import Limits
        from optimize.milp.model import Rates
        from optimize.milp.program import fluid_program
        from optimize.objective import Objective
        from optimize.problem import PlanningProblem
        from sim import TimePlan, load_scenario
        scenario = load_scenario("scenarios/baseline.yaml")
        history = TimePlan.status_quo(scenario).table(scenario)
        problem = PlanningProblem.of(scenario)
        modes, rates = history.coverage_mode, Rates.at_first(problem)
        objective = Objective.of(scenario, "quota_credit")
        model = fluid_program(problem, objective, Limits.of(scenario, {}), modes, rates, history)
        rows = [row.name for row in model.lp.constraints() if row.name.startswith("most_with(")]
        assert len(rows) == scenario.horizon_quarters * len(scenario.all_partners), rows
    """,
}
"""What must be so after each recipe."""


def recipes() -> dict[str, list[re.Match[str]]]:
    """The steps of each recipe, by its heading."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Recipes\n")[2].partition("\n## ")[0]
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)[1:]
    return {title: list(STEP.finditer(body)) for title, body in zip(parts[::2], parts[1::2], strict=True)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the recipes touch, with all of them carried out."""
    copy = tmp_path_factory.mktemp("recipes")
    for folder in ("sim", "optimize", "nexthour", "scenarios", "docs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", copy)
    for step in (step for steps in recipes().values() for step in steps):
        path, above = copy / step["file"], step["above"]
        if above is None:
            assert not path.exists(), f"{step['file']} is there already"
            path.write_text(step["code"], encoding="utf-8")
            continue
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        places = [i for i, line in enumerate(lines) if line.strip() == above]
        assert len(places) == 1, f"{step['file']} has {len(places)} lines {above!r}"
        lines.insert(places[0] + 1, step["code"])
        path.write_text("".join(lines), encoding="utf-8")
    return copy


def test_every_recipe_is_looked_at() -> None:
    assert list(recipes()) == list(LOOK) and all(recipes().values())


@pytest.mark.parametrize("recipe", LOOK)
def test_a_recipe_gives_what_it_promises(recipe: str, checkout: Path) -> None:
    code = re.sub(r"^ {8}", "", LOOK[recipe], flags=re.MULTILINE)
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
