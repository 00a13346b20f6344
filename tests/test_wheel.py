"""Claim: a wheel works without the checkout: three packages, the scenarios by name, and the app with our settings.

It is built from a copy of the sources, so that the checkout stays as it is, and installed in an environment of its own
with the versions of requirements.lock. Left out: what the commands print, which tests/nexthour/terminal/ holds true.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests import ROOT

pytestmark = [
    pytest.mark.long,
    pytest.mark.xdist_group("wheel"),
    pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX"),
]
PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout without what is made in it."""
    copy = tmp_path_factory.mktemp("sources") / "checkout"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", "build", "*.egg-info", "__pycache__"))
    return copy


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built of the sources alone."""
    where = tmp_path_factory.mktemp("wheel")
    uv("build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable, "-o", where, sources)
    (built,) = where.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment in which only the wheel and what it needs are installed."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    there = environment / "bin"
    into = ("pip", "install", "--quiet", "--python", there / "python")
    uv(*into, "--constraint", ROOT / "requirements.lock", "--requirement", ROOT / "pyproject.toml")
    uv(*into, "--no-deps", wheel)
    return there


def uv(*words: object) -> None:
    """Run uv, which set-up installs; what it says is shown if it fails."""
    subprocess.run([str(Path(sys.executable).with_name("uv")), *map(str, words)], check=True)


def run(folder: Path, *words: object) -> str:
    """What a program prints in a folder that is not the checkout."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*map(str, words)], cwd=folder, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_installs_three_names(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = {name.partition("/")[0] for name in file.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"sim", "optimize", "nexthour"}


def test_everything_is_read_from_where_it_is_installed(scripts: Path, tmp_path: Path) -> None:
    code = (
        "import nexthour, optimize, sim; from nexthour.app.state import documents, library; "
        "print(*(package.__file__ for package in (nexthour, optimize, sim)), *library.scenario_files().values(), "
        "documents.FOLDER, sep='\\n'); "
        "assert all(map(documents.document_sections, ('README.md', 'docs/model.md')))"
    )
    places = run(tmp_path, scripts / "python", "-c", code).splitlines()
    assert len(places) > 10 and all(Path(place).is_relative_to(scripts.parent) for place in places)


def test_commands_take_scenarios_by_name(scripts: Path, tmp_path: Path) -> None:
    nexthour = scripts / "nexthour"
    assert run(tmp_path, nexthour, "check", "baseline").startswith("baseline: ok, scenario 'Baseline territory'")
    shown = json.loads(run(tmp_path, nexthour, "compare", "baseline", "--replications", 4, "--json"))
    assert shown["replications"] == 4 and len(shown["plans"]) == 3
    assert run(tmp_path, scripts / "python", "-m", "nexthour", "check", "baseline").startswith("baseline: ok, ")


def test_commands_take_tables_by_name(scripts: Path, tmp_path: Path) -> None:
    nexthour = scripts / "nexthour"
    assert run(tmp_path, nexthour, "partners", "made_up_partners", "--out", "mine.yaml").startswith("Wrote mine.yaml: ")
    assert run(tmp_path, nexthour, "check", "mine.yaml").startswith("mine.yaml: ok, scenario ")
    assert "hours a week" in run(tmp_path, nexthour, "hours", "made_up_calendar", "--rules", "made_up_calendar")


def test_the_source_distribution_can_be_tested(sources: Path, tmp_path: Path) -> None:
    uv("build", "--quiet", "--sdist", "--no-build-isolation", "--python", sys.executable, "-o", tmp_path, sources)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as file:
        packed = {name.partition("/")[2] for name in file.getnames()}
    for folder in ("benchmarks", "docs", "scenarios", "tests"):
        listed = {str(path.relative_to(sources)) for path in (sources / folder).rglob("*") if path.is_file()}
        assert listed and listed <= packed
    assert {"Makefile", "CONTRIBUTING.md", "app.py", ".ci/run"} <= packed


def test_the_app_is_served_to_this_machine_only_and_leaves_nothing_behind(scripts: Path, tmp_path: Path) -> None:
    with served(scripts / "nexthour", tmp_path) as (port, process):
        assert is_healthy(port, process)
        # 127.0.0.2 is this machine too, but not the address that our settings name.
        with socket.socket() as other:
            assert other.connect_ex(("127.0.0.2", port)) != 0
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_the_app_draws_its_first_page(scripts: Path, tmp_path: Path) -> None:
    code = (
        "from streamlit.testing.v1 import AppTest; from nexthour.packaged import packaged; "
        f"page = AppTest.from_file(str(packaged('app.py')), default_timeout={PATIENCE_SECONDS}).run(); "
        "print([problem.value for problem in page.exception], len(page.main))"
    )
    assert run(tmp_path, scripts / "python", "-c", code).startswith("[] ")


@contextmanager
def served(nexthour: Path, folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The app on a free port, ended by its id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        [str(nexthour), "app", "--port", str(port), "--no-browser"],
        cwd=folder,
        env={**own, "NEXTHOUR_LIBRARY": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield port, process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def is_healthy(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether the server says that it is well before anybody loses patience."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
                return answer.read() == b"ok"
        except URLError:
            time.sleep(0.2)
    return False
