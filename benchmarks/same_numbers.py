"""Every command of README.md before a change and after it: python -m benchmarks.same_numbers record FOLDER

    git stash                                                    # or a clone of the commit before
    python -m benchmarks.same_numbers record /tmp/before
    git stash pop
    python -m benchmarks.same_numbers compare /tmp/before        # records again, beside it, and says what differs

Each command is run as a newcomer would, and again with --json where it has that; the digests of all scenarios, under
both engines, and the numbers of the Python example stand beside them. What tells the time of the run is left out, no
other digit is.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^(?:```\w*\n(.*?)^```|((?:    nexthour .*\n)+))", re.MULTILINE | re.DOTALL)
WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

FILES = {
    "mapping": {"EXPORT": "scenarios/made_up_salesforce.csv"},
    "calibrate": {
        "EXPORT": "scenarios/made_up_salesforce.csv",
        "--mapping": "scenarios/mappings/made_up_salesforce.yaml",
    },
    "backtest": {
        "EXPORT": "scenarios/made_up_closed_deals.csv",
        "--mapping": "scenarios/mappings/made_up_closed_deals.yaml",
    },
    "recruiting": {
        "FUNNEL": "scenarios/made_up_recruiting.csv",
        "--contacted": "First contact",
        "--signed": "Signed",
        "--as-of": "2026-06-30",
    },
    "monday": {"--plan": "{folder}/plan.yaml"},
}
"""What stands in README.md in capitals, by command: a word for the word itself, or for the value of an option."""
MORE = (
    "nexthour calibrate scenarios/made_up_closed_deals.csv --mapping scenarios/mappings/made_up_closed_deals.yaml"
    " --fraction 0.25 --out FILE",
    "nexthour plan scenarios/with-channel-account-manager.yaml --why",
)
"""What README.md leaves to other documents."""
NOT_RUN = {"app"}
"""Commands that do not end."""
TIMED = (
    (re.compile(r"^Compiling the simulation for this machine.*\n", re.MULTILINE), ""),
    (re.compile(r"\b\d+ seconds?\b"), "N seconds"),
    (re.compile(r'"seconds": [\d.e-]+'), '"seconds": N'),
)
DIGESTS = """
import sys
from pathlib import Path
from sim import TimePlan, draw_market, load_scenario, simulate
for file in sorted(Path("scenarios").glob("*.yaml")):
    scenario = load_scenario(file)
    for split in (scenario.status_quo, *scenario.plans):
        plan = TimePlan.from_split(scenario, split)
        for engine in ("simpy", "compiled"):
            digests = [
                simulate(scenario, plan, draw_market(scenario, seed=7, replication=r), engine=engine).digest()
                for r in range(2)
            ]
            print(file.name, scenario.digest(), split.name, engine, *digests)
"""


def commands(readme: str) -> list[str]:
    """The commands of the code blocks of README.md, without what is said beside them."""
    blocks = "\n".join(a or b for a, b in BLOCK.findall(readme))
    lines = [line.split("  #")[0].split(" # ")[0].strip() for line in blocks.splitlines()]
    return [line for line in dict.fromkeys((*lines, *MORE)) if line.startswith("nexthour ")]


def words_of(command: str, folder: Path, number: int) -> list[str]:
    """The command with real files where README.md has capitals; what it writes goes to `folder`."""
    words = shlex.split(command)
    files = FILES.get(words[1], {})
    for i, word in enumerate(words):
        given = files.get(words[i - 1]) if words[i - 1].startswith("--") else files.get(word)
        if given is not None and word.isupper():
            words[i] = given.format(folder=folder)
        if words[i] == "FILE":
            words[i] = str(folder / ("plan.yaml" if words[1] == "plan" else f"written-{number}.yaml"))
    return words


def output_of(words: list[str], checkout: Path, folder: Path) -> str:
    """What a command prints and how it ends, without the time it took."""
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    run = subprocess.run(words, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    text = f"{run.stdout}{run.stderr}[{run.returncode}]\n".replace(str(folder), "FOLDER")
    for pattern, instead in TIMED:
        text = pattern.sub(instead, text)
    return text


def record(folder: Path, checkout: Path) -> None:
    """Run everything with the .venv of `checkout` and keep what was printed and written in `folder`, a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    program = str(checkout / ".venv" / "bin" / "nexthour")
    jobs: dict[str, list[str]] = {"digests": [str(checkout / ".venv" / "bin" / "python"), "-c", DIGESTS]}
    for number, command in enumerate(commands((ROOT / "README.md").read_text(encoding="utf-8"))):
        words = words_of(command, folder, number)
        if words[1] in NOT_RUN:
            continue
        name = f"{number:02}-{words[1]}"
        jobs[name] = [program, *words[1:]]
        if words[1] != "schema":
            jobs[f"{name}-json"] = [program, *(w.replace("written-", "json-") for w in words[1:]), "--json"]
    # A plan is written before the calendar that is made of it.
    first = {name: words for name, words in jobs.items() if "-plan" in name}
    for batch in (first, {name: words for name, words in jobs.items() if name not in first}):
        with ThreadPoolExecutor(WORKERS) as pool:
            for name, text in zip(
                batch, pool.map(lambda w: output_of(w, checkout, folder), batch.values()), strict=True
            ):
                (folder / f"{name}.txt").write_text(text, encoding="utf-8")
                print(f"{name}: {len(text.splitlines()):,} lines", flush=True)


def differences(before: Path, after: Path) -> list[str]:
    """What differs, as lines of a diff; a file that only one of them has counts as a difference."""
    found: list[str] = []
    for name in sorted({file.name for folder in (before, after) for file in folder.iterdir()}):
        texts = [
            (folder / name).read_text(encoding="utf-8").splitlines() if (folder / name).is_file() else [f"no {name}"]
            for folder in (before, after)
        ]
        found += unified_diff(*texts, f"before/{name}", f"after/{name}", lineterm="", n=0)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "compare"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--checkout", type=Path, default=ROOT, help="another checkout, with a .venv of its own")
    given = parser.parse_args()
    if given.what == "record":
        record(given.folder.resolve(), given.checkout.resolve())
        return 0
    with tempfile.TemporaryDirectory() as after:
        record(Path(after), given.checkout.resolve())
        found = differences(given.folder, Path(after))
    print("\n".join(found) if found else "every number is the same")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
