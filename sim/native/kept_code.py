"""Compiled code as it is kept between starts: the folder, who may write there, and the files.

Object code is run as it stands, so whoever can write where it is kept can run programs as the user. What is trusted is
therefore the system's own word on who may write: a folder or a file that belongs to somebody else, or that others may
write, is not used. The digest at the head of a file finds accidents, such as a disk that was full; it keeps nobody out,
as it stands in the file itself, and a key beside it could be read by all who can write there in the user's name.

Left out: what the code is made from (compiler.py).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from sim.documents.files import UNFINISHED, path_text
from sim.errors import SimulationError

FOLDER_VARIABLE = "NEXTHOUR_CACHE"
DIGEST_BYTES = hashlib.sha256().digest_size
LARGEST_CODE_BYTES = 50_000_000
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class NotKept(SimulationError):
    """Compiled code cannot be kept; the sentence says why, and what helps."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"Compiled code cannot be kept, as {why}, so each start compiles again; set {FOLDER_VARIABLE} to a folder "
            "of your own that nobody else may write"
        )


def _given_folder() -> Path | None:
    """The folder that somebody chose; an empty name is none."""
    given = os.environ.get(FOLDER_VARIABLE)
    return Path(given) if given else None


def cache_folder() -> Path:
    """The folder in which compiled code is kept: NEXTHOUR_CACHE, else the user's cache folder. Raises NotKept."""
    if (given := _given_folder()) is not None:
        return given
    from platformdirs import user_cache_path

    with suppress(RuntimeError):
        folder = user_cache_path("nexthour")
        # Without a home, "~" may stay as it is: a folder of that name wherever one happens to be.
        if folder.is_absolute():
            return folder
    raise NotKept("this user has no home folder")


def read_kept(name: str) -> bytes | None:
    """The code in the kept file of this name; None if there is none, it is damaged, or others may have written it."""
    try:
        folder = cache_folder()
        _check_folder(folder)
        # What others put there may be a pipe, or a link to a device.
        handle = os.open(folder / name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
        with open(handle, "rb") as file:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode) or _danger(state):
                return None
            content = file.read(LARGEST_CODE_BYTES)
    except (OSError, ValueError, NotKept):
        return None
    digest, code = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == digest else None


def keep(name: str, code: bytes) -> None:
    """Write code for the next start, whole or not at all, so that nobody else may write it. Raises NotKept.

    Unlike sim.documents.files.write_whole it puts links and the rights of what was there aside: they are not trusted.
    """
    folder = cache_folder()
    unfinished = folder / f".{secrets.token_hex(8)}{UNFINISHED}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _given_folder() is None:
            _close_to_others(folder)
        _check_folder(folder)
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(unfinished, folder / name)
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise NotKept(f"{path_text(folder)} cannot be written ({why})") from None
    finally:
        with suppress(OSError, ValueError):
            unfinished.unlink()


def _close_to_others(folder: Path) -> None:
    """Take from others the right to write to our own folder, which they have if the user's new files are a group's."""
    with suppress(OSError):
        os.chmod(folder, stat.S_IMODE(os.stat(folder).st_mode) & ~WRITABLE_BY_OTHERS)


def _check_folder(folder: Path) -> None:
    """Raise NotKept for a folder that others may write, and OSError if there is none."""
    if danger := _danger(os.stat(folder)):
        raise NotKept(f"{path_text(folder)} {danger}")


def _danger(state: os.stat_result) -> str:
    """Who else may write a folder or a file, as the end of a sentence; empty if nobody but the user and root may."""
    if not hasattr(os, "geteuid"):
        return ""  # on Windows the rights of the user's own folder are inherited, and no number says them
    if state.st_uid not in (0, os.geteuid()):
        return "belongs to another user"
    return "may be written by others" if state.st_mode & WRITABLE_BY_OTHERS else ""
