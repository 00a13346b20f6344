"""The terminal says what the library says, and whatever fails is one sentence and an exit code.

Claims: printed and JSON figures are the library's for the same seed; 0 done, 1 wrong input, 2 wrong command,
130 stopped; an error is one line on stderr and never a traceback; help is instant and has an example.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event

import pytest
from typer.testing import CliRunner, Result

from nexthour.report import calibration
from nexthour.report import comparison as telling
from nexthour.report.text import CAVEAT
from nexthour.terminal import common, main
from sim import TimePlan, draw_market, load_scenario, replicate, simulate
from sim import compare as compare_plans
from sim.documents.declared import schema_text
from sim.scenario import Scenario
from sim.study.estimates import Estimate
from sim.study.request import ComparisonRequest, RunSettings
from tests import ROOT

BASELINE = str(ROOT / "scenarios" / "baseline.yaml")
FEW = ("--replications", "2", "--workers", "1")


def run(*words: object) -> Result:
    return CliRunner().invoke(main.app, [str(word) for word in words], prog_name="nexthour", env={"COLUMNS": "80"})


def as_process(*words: str) -> subprocess.Popen[str]:
    """A command in a process of its own, which Ctrl-C can stop though these tests may run in a background shell."""
    return subprocess.Popen(
        [sys.executable, "-m", "nexthour", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(BASELINE)


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nhours:\n  - {activity: sell, hours_per_week: 20}\n", encoding="utf-8")
    return path


def test_compare_prints_the_answer_first_in_80_columns() -> None:
    result = run("compare", BASELINE, *FEW)
    assert result.exit_code == 0 and result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith("How much of the week should go to partners")
    assert lines[2].startswith(("20% with Believers: ", "no partner time: "))
    for words in (
        "95% interval",
        "of 2 markets",
        "through",
        "Q12",
        "visits without agenda",
        CAVEAT.split(";")[0][:60],
    ):
        assert words in result.stdout
    command = next(line for line in lines if line.startswith("  nexthour compare"))
    assert command.endswith("--replications 2 --seed 7")
    assert all(len(line) <= 80 for line in lines if line != command)
    assert "forecast" not in result.stdout.lower() and "socialise" not in result.stdout


def test_compare_json_is_the_librarys_comparison(scenario: Scenario) -> None:
    result = run("compare", BASELINE, *FEW, "--seed", 11, "--plan", "no partner time", "--json")
    plans = {split.name: TimePlan.from_split(scenario, split) for split in (scenario.status_quo, scenario.plans[0])}
    expected = compare_plans(scenario, plans, replications=2, seed=11, workers=1).as_dict()
    assert json.loads(result.stdout) == json.loads(json.dumps(expected))


def test_compare_runs_in_a_thousand_markets_on_a_scheduler_if_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.study import experiment

    given: list[object] = []
    run_comparison = experiment.run_comparison

    def noted(scenario: Scenario, request: ComparisonRequest, settings: RunSettings) -> object:
        given.extend((request.replications, settings.scheduler, settings.workers))
        return run_comparison(scenario, request.model_copy(update={"replications": 2}))

    monkeypatch.setattr(experiment, "run_comparison", noted)
    assert run("compare", BASELINE, "--scheduler", "tcp://there:8786").exit_code == 0
    assert given == [1000, "tcp://there:8786", None]


def test_a_terminal_sees_progress_and_why_it_takes_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    from io import StringIO

    from rich.console import Console

    from sim.progress import LOG

    shown, before = StringIO(), list(LOG.handlers)
    console = Console(file=shown, force_terminal=True, width=80, highlight=False)
    monkeypatch.setattr(common, "plain_console", lambda stderr: console)
    monkeypatch.setattr(common, "QUIET_SECONDS", 0)
    with common.progress("2 plans") as progress:
        assert progress is not None
        LOG.warning("Compiling ...")
        progress(1, 4)
    assert "Compiling ...\n" in shown.getvalue() and "2 plans " in shown.getvalue()
    assert LOG.handlers == before


def test_compiling_is_told_on_stderr_and_leaves_json_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.native import compiler
    from sim.progress import LOG

    monkeypatch.setattr(compiler.Compiled, "__call__", lambda *_: LOG.warning("Compiling ...") or 1 / 0)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest listens there
    result = run("compare", BASELINE, *FEW, "--json")
    assert result.exit_code == 1 and result.stdout == ""
    assert result.stderr.startswith("Compiling ...\nerror: ")


def test_compare_takes_plan_files_and_another_baseline(plan_file: Path) -> None:
    words = ("--plan", plan_file, "--baseline", "no partner time")
    result = json.loads(run("compare", BASELINE, *FEW, *words, "--json").stdout)
    assert (list(result["plans"]), result["baseline"]) == (["no partner time", "mine"], "no partner time")


def test_one_market_is_not_a_verdict() -> None:
    result = run("compare", BASELINE, "--replications", 1, "--workers", 1)
    assert result.exit_code == 0
    assert "says nothing about luck" in " ".join(result.stdout.split()) and "inf" not in result.stdout


def test_worlds_reach_the_verdict(tmp_path: Path) -> None:
    short = tmp_path / "short.yaml"
    text = Path(BASELINE).read_text(encoding="utf-8")
    short.write_text(text.replace("horizon_quarters: 12", "horizon_quarters: 4"), encoding="utf-8")
    result = run("compare", short, *FEW, "--worlds", 1, "--plan", "no partner time")
    assert "of 1 plausible worlds" in " ".join(result.stdout.split()) and "--worlds 1\n" in result.stdout


def verdict(scenario: Scenario, name: str, **changes: object) -> str:
    """The sentence of plan "no partner time" where these fields of its result are changed."""
    from dataclasses import replace

    plans = {split.name: TimePlan.from_split(scenario, split) for split in (scenario.status_quo, scenario.plans[0])}
    comparison = compare_plans(scenario, plans, replications=2, workers=1)
    result = replace(comparison[name], **changes)  # type: ignore[arg-type]
    return telling.verdict(replace(comparison, results={**comparison.results, name: result}), name)


AHEAD = {
    "difference_usd": Estimate(380_400.0, 3e5, 4.6e5, 100),
    "difference_share": Estimate(0.071, 0.057, 0.085, 100),
    "markets_ahead": Estimate(0.9, 0.8, 0.95, 100),
    "payback_quarter": 2,
    "worlds_ahead": Estimate(0.83, 0.7, 0.9, 100),
    "verdict": "ahead",
}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {},
            "no partner time: ahead of the status quo by $380k (+7.1%, 95% interval +5.7% to +8.5%), "
            "ahead in 90 of 100 markets, pays back in quarter 2; better in 83 of 100 plausible worlds.",
        ),
        ({"payback_quarter": 1}, "ahead since quarter 1; better in 83"),
        (
            {"payback_quarter": None, "verdict": "behind", "worlds_ahead": None},
            "does not pay back within 12 quarters.",
        ),
        (
            {"verdict": "no clear difference", "replications_for_one_percent": 1234},
            "about 1,234 markets would pin it to within 1%.",
        ),
        ({"verdict": "no clear difference", "replications_for_one_percent": 90}, "the interval is within 1% already."),
    ],
)
def test_the_verdict_in_words(scenario: Scenario, changes: dict[str, object], sentence: str) -> None:
    assert sentence in verdict(scenario, "no partner time", **{**AHEAD, **changes})


def test_no_credit_at_all_is_said(scenario: Scenario) -> None:
    from dataclasses import replace

    plans = {split.name: TimePlan.from_split(scenario, split) for split in (scenario.status_quo, scenario.plans[0])}
    comparison = compare_plans(scenario, plans, replications=2, workers=1)
    nothing = Estimate(0.0, 0.0, 0.0, 2)
    zero = {"credit_usd": nothing, "difference_usd": nothing, "difference_share": nothing}
    name = "no partner time"
    base = replace(comparison["status quo"], credit_usd=nothing)
    result = replace(comparison[name], **zero, verdict="no clear difference", replications_for_one_percent=2)
    both = replace(comparison, results={"status quo": base, name: result})
    assert (
        telling.verdict(both, name) == f"{name}: no quota credit in any market, and none under the status quo either."
    )
    some = replace(result, credit_usd=Estimate(9.0, -1.0, 19.0, 2), difference_usd=Estimate(9.0, -1.0, 19.0, 2))
    said = telling.verdict(replace(both, results={"status quo": base, name: some}), name)
    assert "(95% interval -$1 to +$19)" in said and said.endswith("; the status quo has no quota credit in any market.")
    assert "%," not in said and "1% already" not in said


def test_simulate_shows_the_ledgers_indicators(scenario: Scenario) -> None:
    from sim.kpis import KPIS, Tally
    from sim.ledger import Kind

    plan = TimePlan.from_split(scenario, scenario.plans[1])
    ledger = simulate(scenario, plan, draw_market(scenario, seed=8, replication=2))
    words = ("simulate", BASELINE, "--plan", plan.name, "--seed", 8, "--replication", 2)
    found = json.loads(run(*words, "--json", "--ledger").stdout)
    tally = Tally.of(ledger)
    assert found["kpis"] == {kpi.name: kpi.of(tally).tolist() for kpi in KPIS}
    assert found["ledger_digest"] == ledger.digest()
    assert sum(seen["leaked"] for seen in found["segments"].values()) == (ledger.of(Kind.LEAKED)["tick"] >= 0).sum()
    credit = sum(row["credit_usd"] for row in found["partners"].values())
    assert credit == pytest.approx(sum(found["kpis"]["partner_credit_usd"]))
    assert found["ledger"] == list(ledger.lines()) == run(*words, "--ledger").stdout.splitlines()
    shown = run(*words).stdout
    first_quarter = next(line for line in shown.splitlines() if line.startswith("quota credit, $k")).split()[3]
    assert first_quarter == f"{found['kpis']['credit_usd'][0] / 1000:,.0f}"
    assert plan.summary(scenario).split()[-2] in shown
    for name, seen in found["segments"].items():
        assert f"{name} {' '.join(f'{n:,}' for n in seen.values())}" in " ".join(shown.split())
    assert "weeks to" in shown and all(name in shown for name in found["partners"])


def test_check_names_every_problem(tmp_path: Path, plan_file: Path) -> None:
    bad = tmp_path / "bad.yaml"
    text = Path(BASELINE).read_text(encoding="utf-8")
    bad.write_text(text.replace("horizon_quarters: 12", "horizon_quarters: 99\nnonsense: 1"), encoding="utf-8")
    result = run("check", BASELINE, plan_file, bad)
    assert result.exit_code == 1
    assert [": ok, scenario" in line or ": ok, plan" in line for line in result.stdout.splitlines()] == [True, True]
    assert result.stderr.count("error: ") == len(result.stderr.splitlines()) >= 1
    report = json.loads(run("check", BASELINE, bad, "--json").stdout)
    assert [entry["ok"] for entry in report] == [True, False] and report[1]["problems"]
    assert run("check", BASELINE, plan_file).exit_code == 0


def test_check_says_what_another_file_is_for(tmp_path: Path) -> None:
    mappings, actuals = ROOT / "scenarios" / "mappings", tmp_path / "actuals.yaml"
    actuals.write_text("by_quarter:\n  - {quarter: 1, credit_usd: 1000000}\n", encoding="utf-8")
    for file, what in (
        (mappings / "made_up_salesforce.yaml", "a mapping file, for nexthour calibrate --mapping"),
        (mappings / "made_up_calendar.yaml", "a file of rules, for nexthour hours --rules"),
        (actuals, "a file of actuals, for nexthour plan --actuals"),
    ):
        sentence = f"error: {file}: is {what}; give the path of a scenario or plan file\n"
        assert_one_sentence(run("check", file), 1, sentence)


def test_check_tries_the_plans_of_a_scenario(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    text = Path(BASELINE).read_text(encoding="utf-8")
    bad.write_text(text.replace("hours_per_week: 32", "hours_per_week: 3"), encoding="utf-8")
    result = run("check", bad)
    assert_one_sentence(result, 1, str(bad), "reactive support takes 5.3 hours a week of 3")


def test_schema_is_the_librarys() -> None:
    assert run("schema").stdout == schema_text(Scenario)
    assert run("schema", "--plan").stdout == schema_text(TimePlan)


def test_calibrate_writes_a_scenario_that_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nexthour import calibrate

    fewer, again = calibrate.calibrate, calibrate.check_fit
    monkeypatch.setattr(calibrate, "calibrate", lambda *given, **rest: fewer(*given, **rest, replications=2))
    monkeypatch.setattr(calibrate, "check_fit", lambda scenario, fit, _, **rest: again(scenario, fit, 5, **rest))
    table = ROOT / "scenarios" / "made_up_closed_deals.csv"
    mapping = ROOT / "scenarios" / "mappings" / "made_up_closed_deals.yaml"
    out = tmp_path / "fitted.yaml"
    words = ("calibrate", table, "--mapping", mapping, "--template", BASELINE, "--fraction", "0.25", "--out")
    result = run(*words, out)
    assert result.exit_code == 0, result.stderr
    for said in ("mid-size", "partner", "2 rows were not used:", "nexthour compare", "Simulated again: "):
        assert said in result.stdout
    fitted = load_scenario(out)
    report = json.loads(run(*words, out, "--json").stdout)
    assert report["scenario_digest"] == fitted.digest()
    figures = report["simulated_again"]
    agree = sum(figure["agrees"] for figure in figures)
    assert figures and f"Simulated again: {agree} of {len(figures)} figures agree" in result.stdout
    assert_one_sentence(run(*words, tmp_path), 1, "is a folder")
    assert_one_sentence(run(*words, tmp_path / "no" / "such.yaml"), 1, "cannot be written")
    assert_one_sentence(run(*words, BASELINE), 1, "would overwrite")


def test_figures_that_do_not_agree_are_listed() -> None:
    from nexthour.calibrate import Check

    checks = (
        Check("small", "direct", "win rate", 0.24, 0.25, 0.02, 900),
        Check("small", "direct", "cycle weeks", 4.0, 5.0, 0.3, 900),
        Check("small", "direct", "mean amount", 12_000.0, 15_000.0, 900.0, 900),
    )
    assert list(calibration.check_lines(checks, rows=2)) == [
        "Simulated again: 1 of 3 figures agree with the fit.",
        "small, direct, cycle weeks: 4.0 fitted, 5.0 simulated (allowed: 0.3 off)",
        "small, direct, mean amount: $12k fitted, $15k simulated (allowed: $900 off)",
        "Nothing can be said of 1 row of 2: too few simulated deals.",
    ]


def test_a_scenario_of_the_product_goes_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("check", "baseline").stdout.startswith("baseline: ok, scenario 'Baseline territory'")
    shown = run("compare", "baseline", *FEW)
    assert shown.exit_code == 0 and "\n  nexthour compare baseline --replications 2 --seed 7\n" in shown.stdout
    unknown = run("simulate", "baselin")
    assert_one_sentence(unknown, 1, "'baselin': no such file", "or baseline, ", "lunch-trap")
    assert_one_sentence(run("simulate", "baselin.yaml"), 1, "baselin.yaml: cannot be read")
    words = ("calibrate", "deals.csv", "--mapping", "mapping.yaml", "--out", "out.yaml", "--template")
    assert_one_sentence(run(*words, "nowhere"), 1, "'nowhere': no such file")
    assert_one_sentence(run(*words, "hero-seller"), 1, "mapping.yaml: cannot be read")
    assert_one_sentence(
        run("check", "scenarios/baseline.yaml"),
        1,
        "scenarios/baseline.yaml: no such file; the scenario `baseline` comes with Next Hour",
    )
    assert_one_sentence(run("compare", "baseline.yaml"), 1, "the scenario `baseline` comes with Next Hour")
    # A folder is no file, whatever it is called, and a file of that name here comes first.
    Path("hero-seller").mkdir()
    assert run("check", "hero-seller").stdout.startswith("hero-seller: ok, scenario ")
    for word in ("folder", "folder.yaml", "some/folder"):
        Path(word).mkdir(parents=True)
        assert_one_sentence(run("check", word), 1, f"error: {word}: is a folder; give the path of a file\n")
    Path("baseline").write_text(Path(BASELINE).read_text(encoding="utf-8").replace("Baseline territory", "Mine"))
    assert run("check", "baseline").stdout.startswith("baseline: ok, scenario 'Mine'")


def test_a_table_of_the_product_goes_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    column_names = ("--contacted", "First contact", "--signed", "Signed", "--as-of", "2026-06-30")
    for words, shown in (
        (("partners", "made_up_partners", "--out", "partners.yaml"), "Wrote partners.yaml: 8 partners"),
        (("judgement", "made_up_judgement", "--out", "judgement.yaml"), "Wrote judgement.yaml"),
        (("mapping", "made_up_salesforce", "--out", "mapping.yaml"), "nexthour calibrate made_up_salesforce --mapping"),
        (("backtest", "made_up_closed_deals", "--mapping", "made_up_closed_deals"), "90% interval"),
        (("hours", "made_up_calendar", "--rules", "made_up_calendar"), "hours a week"),
        (("recruiting", "made_up_recruiting", *column_names), "of first contacts sign"),
    ):
        result = run(*words)
        assert result.exit_code == 0 and shown in result.stdout, result.output
        assert "or the name of one that comes with Next Hour" in " ".join(run(words[0], "--help").stdout.split())
    assert load_scenario("partners.yaml").partners and load_scenario("judgement.yaml").partners
    out = ("--out", "out.yaml")
    words = ("partners", "made_up_partner", *out)
    assert_one_sentence(run(*words), 1, "'made_up_partner': no such file, and no table", "or made_up_partners, ")
    words = ("judgement", "scenarios/made_up_judgement.csv", *out)
    assert_one_sentence(run(*words), 1, "no such file; the table `made_up_judgement` comes with Next Hour")
    words = ("calibrate", "made_up_closed_deals", "--mapping", "made_up", *out)
    assert_one_sentence(run(*words), 1, "'made_up': no such file, and no mapping file of that name")
    words = ("hours", "made_up_calendar", "--rules", "made_up_salesforce")
    assert_one_sentence(run(*words), 1, "no file of rules of that name")


def assert_one_sentence(result: Result, code: int, *words: str) -> None:
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1 and result.stderr.endswith("\n")
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["simulate", "no-such.yaml"], 1, "no-such.yaml: cannot be read"),
        (["simulate", BASELINE, "--plan", "20% with Belivers"], 1, "did you mean 20% with Believers?"),
        (["simulate", BASELINE, "--plan", "no-such.yaml"], 1, "no-such.yaml: cannot be read"),
        (["simulate", BASELINE, "--seed", "-1"], 1, "seed is -1"),
        (["compare", BASELINE, "--seed", "-1", *FEW], 1, "seed is -1"),
        (["compare", BASELINE, "--replications", "0"], 1, "replications is 0"),
        (["compare", BASELINE, "--workers", "0"], 1, "workers is 0"),
        (["compare", BASELINE, "--worlds", "-1", *FEW], 1, "worlds is -1"),
        (["compare", BASELINE, "--baseline", "status qou"], 1, "did you mean status quo?"),
        (["compare", BASELINE, "--plan", "status quo"], 1, "nothing to compare"),
        (["compare", BASELINE, "--scheduler", "nonsense://here", *FEW], 1, "no Dask scheduler answers"),
        (["compare", BASELINE, "--replications", "many"], 2, "--replications"),
        (["compare"], 2, "SCENARIO"),
        (["compar"], 2, "compare"),
        (["--nope"], 2, "--nope"),
    ],
)
def test_what_is_wrong_is_one_sentence(words: list[str], code: int, said: str) -> None:
    assert_one_sentence(run(*words), code, said)


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "\x00", "name: 1"])
def test_bad_yaml_is_one_sentence(tmp_path: Path, text: str) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(text, encoding="utf-8")
    assert_one_sentence(run("simulate", bad), 1, "bad.yaml")


def test_plans_of_one_name_are_refused(tmp_path: Path, plan_file: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(plan_file.read_text(encoding="utf-8"), encoding="utf-8")
    result = run("compare", BASELINE, "--plan", plan_file, "--plan", other, *FEW)
    assert_one_sentence(result, 1, "another plan is named 'mine'")


def test_a_failure_nobody_expected_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr("sim.draw_market", broken)
    assert_one_sentence(run("simulate", BASELINE), 1, "ZeroDivisionError: oh no")


def test_names_are_not_taken_for_markup(tmp_path: Path) -> None:
    file = tmp_path / "marked.yaml"
    text = Path(BASELINE).read_text(encoding="utf-8")
    file.write_text(text.replace("name: no partner time", "name: '[red]none[/bold] :smile:'"), encoding="utf-8")
    result = run("compare", file, "--replications", 2, "--workers", 1, "--plan", "[red]none[/bold] :smile:")
    assert result.exit_code == 0 and "[red]none[/bold] :smile:" in result.stdout


def test_help_has_an_example_and_only_commands_that_are_there() -> None:
    commands = [command.name or getattr(command.callback, "__name__", "") for command in main.app.registered_commands]
    assert {"check", "compare", "sensitivity", "mapping", "calibrate", "backtest", "hours", "schema"} <= set(commands)
    for words in ((), ("--help",)):
        shown = run(*words)
        assert shown.exit_code == 0 and "nexthour compare baseline" in shown.stdout
        assert all(f"\n  {command} " in shown.stdout for command in commands)
        assert "..." not in shown.stdout.replace("[ARGS]...", "")
    for command in commands:
        shown = run(command, "--help")
        assert shown.exit_code == 0 and f"\n    nexthour {command}" in shown.stdout, shown.stdout
    assert run("--version").stdout.startswith("nexthour 0.")


def test_help_loads_nothing_heavy() -> None:
    heavy = {"numpy", "pydantic", "rich", "sim.scenario", "scipy", "pandas"}
    code = f"import sys, nexthour.terminal.main; print({heavy} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout == "set()\n"


def test_a_closed_pipe_is_no_failure() -> None:
    for words in (("simulate", BASELINE, "--ledger"), ("simulate", BASELINE)):
        process = as_process(*words)
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait(60)) == ("", 0)
        process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
@pytest.mark.parametrize("words", [("check", BASELINE), ("simulate", BASELINE, "--json"), ("--help",)])
def test_where_what_is_printed_goes_may_be_closed_or_full(words: tuple[object, ...]) -> None:
    command = " ".join(shlex.quote(str(word)) for word in (sys.executable, "-m", "nexthour", *words))
    closed = subprocess.run(f"{command} >&-", shell=True, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    assert (closed.returncode, closed.stderr) == (0, "")
    full = subprocess.run(
        f"{command} > /dev/full", shell=True, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False
    )
    assert full.returncode == 1
    said = "error: what is printed cannot be written (No space left on device); print it somewhere else\n"
    assert full.stderr == said


def test_out_may_be_no_name_at_all(tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    for out, why in (("", "--out is empty"), ("x" * 300, "File name too long"), (tmp_path / "loop.yaml", "link")):
        result = run("partners", "made_up_partners", "--out", out)
        assert result.exit_code == 1 and why in result.stderr and "should not happen" not in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("seconds", [2, 5])  # while it is read, and while it works
def test_ctrl_c_is_one_line(seconds: float) -> None:
    scenario = load_scenario(BASELINE)
    replicate(scenario, TimePlan.status_quo(scenario), 1)  # compiled: that is not interrupted, only followed by the end
    process = as_process("compare", BASELINE, "--replications", "200000", "--workers", "2")
    try:
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert (out, err, process.returncode) == ("", "nexthour: stopped\n", 130)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_within_an_exec_of_text_is_130_too(tmp_path: Path) -> None:
    """Imports execute text (of dataclasses, for one), and Python remembers an interrupt that fell into it."""
    (tmp_path / "sitecustomize.py").write_text(
        """
import os, signal, sys, types

def run(prog_name):
    try:
        exec("os.kill(os.getpid(), signal.SIGINT)\\nfor _ in range(9): pass")
    except KeyboardInterrupt:
        sys.exit(130)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.modules["nexthour.terminal.main"] = types.SimpleNamespace(commands=lambda: run)
"""
    )
    heard = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-m", "nexthour"], check=False, env=heard, cwd=ROOT)
    assert ended.returncode == 130


def test_ctrl_c_that_a_library_makes_an_error_of_is_that_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 while a class is made, pydantic while it calls a function."""

    def interrupted(_: object) -> None:
        try:
            common.interrupt()
        except KeyboardInterrupt:
            raise ValueError("Error calling function: KeyboardInterrupt") from None

    monkeypatch.setattr(common, "interrupted", Event())
    monkeypatch.setattr("nexthour.terminal.check.scenario_path", interrupted)
    result = run("check", BASELINE)
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "nexthour: stopped\n")


def test_ctrl_c_before_a_command_begins_is_that_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(common.Commands, "make_context", interrupted)
    result = run("check", BASELINE)
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "nexthour: stopped\n")
