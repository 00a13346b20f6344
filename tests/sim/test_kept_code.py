"""Compiled code that somebody else could have written is not run; where none can be kept, a process compiles once."""

from __future__ import annotations

import logging
import os
import pwd
import stat
from pathlib import Path

import pytest

from nexthour.packaged import packaged
from sim import Scenario, TimePlan, draw_market, load_scenario, progress, simulate
from sim.fast import engine
from sim.native import compiler, kept_code
from sim.native.kept_code import NotKept, cache_folder, keep, read_kept

NAME, CODE = "entry-0.o", b"object code"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    where = tmp_path / "kept"
    monkeypatch.setenv("NEXTHOUR_CACHE", str(where))
    return where


@pytest.fixture
def scenario() -> Scenario:
    return load_scenario(packaged("scenarios/baseline.yaml"))


def test_what_was_kept_is_read_and_nobody_else_can_write_it(folder: Path) -> None:
    assert read_kept(NAME) is None
    keep(NAME, CODE)
    assert read_kept(NAME) == CODE
    assert [stat.S_IMODE(os.stat(path).st_mode) for path in (folder, folder / NAME)] == [0o700, 0o600]
    assert [path.name for path in folder.iterdir()] == [NAME]


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
def test_a_folder_that_others_may_write_is_not_used(folder: Path, mode: int) -> None:
    keep(NAME, CODE)
    folder.chmod(mode)
    assert read_kept(NAME) is None
    with pytest.raises(NotKept, match="kept may be written by others, so each start compiles again; set"):
        keep(NAME, CODE)


@pytest.mark.parametrize("what", ["", NAME])
def test_what_belongs_to_somebody_else_is_not_used(folder: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(NAME, CODE)
    if os.geteuid() == 0:
        os.chown(folder / what, 12345, 12345)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert read_kept(NAME) is None
    if not what:
        with pytest.raises(NotKept, match="belongs to another user"):
            keep(NAME, CODE)


def test_a_file_that_others_may_write_is_no_file_of_ours_or_damaged_is_not_used(folder: Path) -> None:
    keep(NAME, CODE)
    path = folder / NAME
    path.chmod(0o666)
    assert read_kept(NAME) is None
    keep(NAME, CODE)
    assert read_kept(NAME) == CODE
    path.write_bytes(path.read_bytes()[:-1])
    assert read_kept(NAME) is None
    (folder / "other").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(folder / "other")
    assert read_kept(NAME) is None
    path.unlink()
    os.mkfifo(path)
    assert read_kept(NAME) is None


@pytest.mark.parametrize("given", [None, ""])
def test_our_own_folder_is_closed_to_others(given: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a group's where an earlier version made it for a user whose new files are."""
    monkeypatch.delenv("NEXTHOUR_CACHE", raising=False)
    if given is not None:
        monkeypatch.setenv("NEXTHOUR_CACHE", given)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path)
    tmp_path.chmod(0o775)
    keep(NAME, CODE)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert read_kept(NAME) == CODE


def test_a_user_without_a_home_has_nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise KeyError("uid not found")

    for name in ("NEXTHOUR_CACHE", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.chdir(tmp_path)
    assert read_kept(NAME) is None
    with pytest.raises(NotKept, match="this user has no home folder"):
        cache_folder()
    with pytest.raises(NotKept):
        keep(NAME, CODE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("where", ["/dev/null/kept", "a\0b", "file"])
def test_where_nothing_can_be_written_nothing_is_kept(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(kept_code, "cache_folder", lambda: tmp_path / where)
    assert read_kept(NAME) is None
    with pytest.raises(NotKept, match="so each start compiles again"):
        keep(NAME, CODE)


def test_where_no_code_can_be_kept_a_process_compiles_once_and_says_so_once(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    status_quo, market = TimePlan.status_quo(scenario), draw_market(scenario, 7)
    digest = simulate(scenario, status_quo, market, engine="compiled").digest()  # so that its code is there
    asked, compiled = [], []

    def nothing_kept(name: str) -> None:
        asked.append(name)

    def made(*_: object) -> bytes | None:
        compiled.append(asked[-1])
        return read_kept(asked[-1])

    def not_kept(*_: object) -> None:
        raise NotKept("this user has no home folder")

    monkeypatch.setattr(compiler, "read_kept", nothing_kept)
    monkeypatch.setattr(compiler, "object_code", made)
    monkeypatch.setattr(compiler, "keep", not_kept)
    progress.notice_once.cache_clear()
    run = engine.run_all
    monkeypatch.setattr(engine, "run_all", compiler.Compiled(run.plain, *run.modules, as_python=run.as_python))
    with caplog.at_level(logging.WARNING, "sim.native"):
        for _ in range(2):
            assert simulate(scenario, status_quo, market, engine="compiled").digest() == digest
    assert len(compiled) == len(set(compiled)) >= 1
    said = [record.getMessage() for record in caplog.records]
    assert [text for text in said if "cannot be kept" in text] == [
        "Compiled code cannot be kept, as this user has no home folder, so each start compiles again; "
        "set NEXTHOUR_CACHE to a folder of your own that nobody else may write"
    ]
