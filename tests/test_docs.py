"""Claim: what the documents say can be done, can be done, and what they name is there.

Left out: whether the figures in README.md are still those of the command beside them, which takes a minute
(CONTRIBUTING.md says when to look).
"""

from __future__ import annotations

import re
import shlex
import tomllib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from sim import load_scenario, rules
from sim.ledger import ENDINGS
from sim.plan import Activity
from sim.terms import COVERAGE_MODES
from tests import ROOT

RECIPES = re.compile(r"^## Recipes\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
"""What they make is not there before they are followed; tests/test_recipes.py follows them."""
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
README, MODEL, CONTRIBUTING = (
    RECIPES.sub("", (ROOT / name).read_text(encoding="utf-8"))
    for name in ("README.md", "docs/model.md", "CONTRIBUTING.md")
)
COMMAND = re.compile(r"^(?:\s*|.*`)((?:\.venv/bin/)?(?:nexthour|make|python)\s[^`#\n]*)", re.MULTILINE)
FILE = re.compile(r"^[\w./*-]+\.(?:yaml|csv|py|toml|md)$")


def commands() -> list[str]:
    """Every command of the documents that starts a line of a code block or stands in backticks."""
    texts = [RECIPES.sub("", path.read_text(encoding="utf-8")) for path in DOCUMENTS]
    found = [match.strip() for text in texts for match in COMMAND.findall(text)]
    assert len(found) > 10, "the pattern no longer finds the commands"
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), f"{path.name} links to {link}"


def test_commands_name_files_modules_and_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in commands():
        words = shlex.split(command)
        for word in words[1:]:
            assert not FILE.match(word) or list(ROOT.glob(word)), f"{command}: there is no {word}"
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE), f"{command}: no such target"
        if "-m" in words:
            assert find_spec(words[words.index("-m") + 1]), f"{command}: no such module"


def test_modules_that_documents_name_exist() -> None:
    named = {
        name
        for path in DOCUMENTS
        for name in re.findall(
            r"`((?:sim|optimize|nexthour|benchmarks)(?:\.[a-z_]+)+)`", path.read_text(encoding="utf-8")
        )
    }
    assert len(named) > 3
    for name in sorted(named):
        package, _, last = name.rpartition(".")
        assert find_spec(package) and (find_spec(name) or hasattr(import_module(package), last)), f"there is no {name}"


def test_the_terminal_knows_every_command_and_option() -> None:
    from nexthour.terminal.main import app

    for words in map(shlex.split, commands()):
        if words[0].endswith("nexthour") and not words[1].startswith("-"):
            helped = CliRunner().invoke(app, [words[1], "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
            assert helped.exit_code == 0, f"nexthour {words[1]} is not a command"
            for option in (word for word in words if word.startswith("--")):
                assert option in helped.output, f"nexthour {words[1]} has no {option}"


def test_the_python_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shorter = example.replace("replications=20", "replications=2")
    assert shorter != example
    monkeypatch.chdir(ROOT)
    exec(compile(shorter, "README.md", "exec"), {})
    assert "payback in quarter" in capsys.readouterr().out


def test_the_first_table_has_the_plans_of_the_baseline() -> None:
    shown = re.findall(r"^\| ([^|]+?) \| \*{0,2}[+-]", README, re.MULTILINE)
    assert sorted(shown) == sorted(plan.name for plan in load_scenario(ROOT / "scenarios" / "baseline.yaml").plans)


@pytest.mark.parametrize("path", sorted(ROOT.glob("scenarios/*.yaml")), ids=lambda path: path.name)
def test_the_readme_names_every_scenario(path: Path) -> None:
    assert f"scenarios/{path.name}" in README


@pytest.mark.parametrize("word", [*get_args(Activity), *COVERAGE_MODES, *(kind.name.lower() for kind in ENDINGS)])
def test_the_model_explains_every_word_of_a_plan_and_every_end_of_a_deal(word: str) -> None:
    assert f"`{word}`" in MODEL


def test_the_model_ranks_events_as_the_rules_do() -> None:
    table = re.search(r"\| rank \| event \|\n\|---\|---\|\n((?:\|.*\n)+)", MODEL)
    assert table is not None
    ranks = [int(line.split("|")[1]) for line in table[1].splitlines()]
    assert ranks == list(range(rules.WEEK_BOUNDARY, rules.BLOCK_STARTS + 1))


def test_places_to_touch_exist() -> None:
    places = re.findall(r"`([\w/]+\.(?:py|md))`(?:: ([^;\n]*))?", CONTRIBUTING)
    assert len(places) > 20
    for file, rest in places:
        text = (ROOT / file).read_text(encoding="utf-8")
        for name in re.findall(r"`(\w+)(?:\.(\w+))?`", rest):
            for part in filter(None, name):
                assert part == "declare" or re.search(rf"\b{part}\b", text), f"CONTRIBUTING.md: {file} has no {part}"


def test_the_changelog_has_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\n## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_slow_tests_are_tests() -> None:
    for name in (ROOT / "tests" / "slow.txt").read_text(encoding="utf-8").split():
        file, _, test = name.partition("::")
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"tests/slow.txt: there is no {name}"
