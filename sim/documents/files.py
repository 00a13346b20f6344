"""Files as Next Hour reads and writes them: only regular ones, bounded in size, and each written whole or not at all.

Left out: what stands in them.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path

from sim.documents.messages import show
from sim.errors import InputError

LONGEST_PATH_SHOWN = 250
UNFINISHED = ".part"
"""End of a name of a file that is still being written; after a crash one may remain, and may be deleted."""


def path_text(path: object) -> str:
    """A path as it may stand in an error sentence: on one line, and not endless."""
    text = str(path)
    if not isinstance(path, str | Path) or "\0" in text:
        return show(path)
    return text if len(text) <= LONGEST_PATH_SHOWN else f"{text[: LONGEST_PATH_SHOWN - 3]}..."


def read_regular(path: Path | str, most_bytes: int, error: type[InputError], kind: str) -> bytes:
    """What a file of at most `most_bytes` holds; `kind` says in sentences what is wanted, as "a YAML file".

    Pipes, devices and folders are refused, as reading them may wait for ever or never end. Raises `error`.
    """
    where = path_text(path)
    try:
        # What is no regular file is not even opened: to open a pipe waits, to open a device may do something.
        mode = os.stat(os.fspath(path)).st_mode
        if not stat.S_ISREG(mode):
            raise ValueError("is a folder" if stat.S_ISDIR(mode) else "is not a regular file")
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:
            size = os.fstat(handle).st_size
            if size <= most_bytes:
                data = file.read(most_bytes + 1)
                size = max(size, len(data))
    except (OSError, ValueError, TypeError) as problem:
        raise error(f"{where}: cannot be read ({_reason(problem)}); give the path of {kind}") from None
    if size > most_bytes:
        raise error(f"{where}: the file has {size:,} bytes; allowed: at most {most_bytes:,}")
    return data


def write_whole(path: Path | str, content: str | bytes, error: type[InputError], *, replace: bool = True) -> bool:
    """Put bytes, or text as UTF-8, where `path` says, whole and on disk, or leave there what is there.

    It is written beside and put in place at once, so neither a full disk nor a kill leaves half a file. Links are
    followed; of a file that is replaced, rights and owner are kept where this may be done, but not what a disk may know
    of it beside: other names, attributes. Without `replace`, a file that is there stays, and False is returned. A pipe
    that somebody reads, a device, and what this process prints into are written to as they are. Raises `error`.
    """
    try:
        data = content.encode() if isinstance(content, str) else content
        before = _state(path)
        if before is None:
            return _put(Path(os.path.realpath(os.fspath(path))), data, None, replace)
        if stat.S_ISDIR(before.st_mode):
            raise ValueError("is a folder")
        printed_into = _printed_into(before)
        if printed_into is not None or not stat.S_ISREG(before.st_mode):
            return _write_on(path, printed_into, data)
        if not replace:
            return False
        target = Path(os.path.realpath(os.fspath(path)))
        if not os.access(target, os.W_OK):
            # To replace a file needs no right to it, but takes that one away.
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return _put(target, data, before, replace)
    except (OSError, ValueError, TypeError) as problem:
        raise error(f"{path_text(path)}: cannot be written ({_reason(problem)}); choose another path") from None


def _state(path: Path | str) -> os.stat_result | None:
    try:
        return os.stat(os.fspath(path))
    except FileNotFoundError:
        return None


def _printed_into(state: os.stat_result) -> int | None:
    """The handle of stdout or stderr, if it is where they go: what is printed after it was replaced would be lost."""
    for handle in (1, 2):
        with suppress(OSError):  # one that is closed
            if os.path.samestat(os.fstat(handle), state):
                return handle
    return None


def _write_on(path: Path | str, printed_into: int | None, data: bytes) -> bool:
    sys.stdout.flush()
    if printed_into is not None:
        handle = os.dup(printed_into)
    else:
        # To open a pipe that nobody reads would wait; like this it is refused.
        handle = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        os.set_blocking(handle, True)
    with open(handle, "wb") as file:
        file.write(data)
    return True


def _put(target: Path, data: bytes, before: os.stat_result | None, replace: bool) -> bool:
    unfinished = target.with_name(f".{secrets.token_hex(8)}{UNFINISHED}")  # a longer name might be too long
    try:
        with open(unfinished, "xb") as file:
            if before is not None:
                if hasattr(os, "chown"):
                    with suppress(OSError):
                        os.chown(unfinished, before.st_uid, before.st_gid)
                os.chmod(unfinished, stat.S_IMODE(before.st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(unfinished, target)
        elif not _link(unfinished, target):
            return False
    finally:
        with suppress(OSError):
            unfinished.unlink()
    _flush_folder(target.parent)
    return True


def _link(unfinished: Path, target: Path) -> bool:
    """Give the file a second name, unless there is one of this name: of two who do it at once, one gets it."""
    try:
        os.link(unfinished, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without second names
        try:
            target.touch(exist_ok=False)
        except FileExistsError:
            return False
        os.replace(unfinished, target)
    return True


def _flush_folder(folder: Path) -> None:
    """See to it that the new name is on disk too, where folders can be flushed."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reason(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or " ".join(str(problem).split())[:100]
