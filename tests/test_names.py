"""Claim: names and docstrings of the code stand alone, and files and functions are of a size that can be read.

Left out: whether they are good, which a reader must judge; tests and benchmarks, but for the name `its`.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests import ROOT

PACKAGES = ("sim", "optimize", "nexthour")
EVERYWHERE = (*PACKAGES, "tests", "benchmarks")
RIDDLES = {"its", "theirs", "thing", "things"}
"""Names that say nothing where they stand."""
PLAYED = {"show": "nexthour/app/pages/", "draw": "nexthour/app/sections/", "command": "nexthour/terminal/"}
"""What every file of a folder has under the same name, as whoever calls it takes the file by its name."""
TWICE = {
    "PAGE": "each page has its own",
    "Rows": "of a picture; and to Numba, rows of an array, which nobody imports",
    "add_up_ledger": "plain, and compiled",
    "run_all": "plain, and compiled",
}
"""Names that stand in several files although one of these is imported, with the reason."""
POINTING = re.compile(r"(?:the same|likewise|ditto|as above)\b", re.IGNORECASE)
"""A beginning of a field's docstring that only another field explains."""
SHORTEST = 3
"""Words of a docstring's first sentence."""
HANGING = re.compile(
    r"(?:of|out|off|in|into|on|at|by|from|for|to|with|without|under|over|before|after|as|and|or|but|which|that|than|so"
    r"|because|like|among|between|against|through|where|what is left|the same|the others?|the rest|those|these|all of"
    r"|each of|both|it|its|they|their|them|he|she|this|same|likewise|ditto)\b(?! (?:file|module|command|package))",
    re.IGNORECASE,
)
"""A beginning that has its subject in another docstring."""
QUAINT = re.compile(
    r"\bso many\b|\bso much\b|\bwhat of\b|\bas it is wanted\b|\bin so far\b|\bas this file begins\b", re.I
)


LONGEST_FILE, LONGEST_FUNCTION = 400, 60
LONG_FILES = {
    "sim/fast/kernel.py": "the compiled engine is one story, told in the order of territory.py",
    "sim/scenario.py": "one long list of what a scenario may hold",
    "sim/territory.py": "the model, to be read from the first line to the last",
}
"""Files that may have more lines, with the reason."""


def files(*folders: str) -> list[Path]:
    """The Python files of these folders."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def bound(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Every parameter and variable of a module, with its node."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node, node.id


def defined(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """The functions and classes of a module that other modules may use."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def documented(path: Path) -> Iterator[tuple[ast.AST, str, str]]:
    """Every public function, class and method of a module that has a docstring, and the docstring."""
    for node in defined(path):
        for part in (node, *(node.body if isinstance(node, ast.ClassDef) else ())):
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                text = ast.get_docstring(part)
                if text and (part is node or not part.name.startswith("_")):
                    yield part, part.name, text


def named(node: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module defines, private ones left out."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        names = [node.name]
    else:
        names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign):
        yield from (name for name in names if not name.startswith("_"))


def taken(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each name that a module takes from another, with that module, be it imported or read from it as an attribute."""
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                modules[name.asname or name.name] = f"{node.module}.{name.name}"
                yield name.name, node.module
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield node.attr, modules[node.value.id]


def said_of_fields(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """The docstrings of fields and constants."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for before, after in pairwise(body if isinstance(body, list) else ()):
            text = after.value if isinstance(after, ast.Expr) else None
            is_text = isinstance(text, ast.Constant) and isinstance(text.value, str)
            if is_text and isinstance(before, ast.Assign | ast.AnnAssign):
                yield after, text.value


def complaint(docstring: str) -> str | None:
    """What keeps a docstring from standing alone; None if nothing does."""
    sentence = re.split(r"(?<=[.:;!?])\s", docstring.strip(), maxsplit=1)[0]
    if len(sentence.split()) < SHORTEST:
        return f"is shorter than {SHORTEST} words"
    if found := HANGING.match(sentence):
        return f"begins with {found[0]!r}, so its subject stands elsewhere"
    if found := QUAINT.search(docstring):
        return f"says {found[0]!r}"
    return None


@pytest.mark.parametrize("folder", EVERYWHERE)
def test_no_parameter_or_variable_has_a_name_that_says_nothing(folder: str) -> None:
    found = [
        f"{place(path, node)} {name}"
        for path in files(folder)
        for node, name in bound(ast.parse(path.read_text(encoding="utf-8")))
        if name in RIDDLES
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", PACKAGES)
def test_every_public_function_and_class_has_a_docstring(folder: str) -> None:
    found = [
        f"{place(path, node)} {node.name}"
        for path in files(folder)
        for node in defined(path)
        if not ast.get_docstring(node)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", PACKAGES)
def test_docstrings_stand_alone(folder: str) -> None:
    found = [
        f"{place(path, node)} {name}: {text.splitlines()[0]!r} {problem}"
        for path in files(folder)
        for node, name, text in documented(path)
        if name != "command"
        and (problem := complaint(text))  # of a command it is the help, for people who read it there
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("docstring", "is_fine"),
    [
        ("Out of it.", False),
        ("All of them, as this file begins.", False),
        ("In words.", False),
        ("The same for deals that have been read.", False),
        ("Fit a scenario to deals that have been read.", True),
        ("The share of quarters at quota, 0 to 1.", True),
    ],
)
def test_the_check_of_docstrings_knows_a_riddle(docstring: str, is_fine: bool) -> None:
    assert (complaint(docstring) is None) == is_fine


def test_a_public_name_means_one_thing() -> None:
    homes = defaultdict[str, list[str]](list)
    for path in files(*PACKAGES):
        for node in defined(path):
            where = str(path.relative_to(ROOT))
            if not where.startswith(PLAYED.get(node.name, "nowhere")):
                homes[node.name].append(where)
    found = [f"{name}: {', '.join(where)}" for name, where in sorted(homes.items()) if len(where) > 1]
    assert not found, "\n".join(found)


def test_a_name_that_another_file_imports_has_one_home() -> None:
    homes, used = defaultdict[str, list[str]](list), set[tuple[str, str]]()
    for path in files(*PACKAGES):
        tree, module = (
            ast.parse(path.read_text(encoding="utf-8")),
            ".".join(path.relative_to(ROOT).with_suffix("").parts),
        )
        used.update(taken(tree))
        for name in {name for node in tree.body for name in named(node)}:
            homes[name].append(module)
    found = [
        f"{name}: {', '.join(modules)}"
        for name, modules in sorted(homes.items())
        if len(modules) > 1 and name not in {*PLAYED, *TWICE} and any((name, module) in used for module in modules)
    ]
    assert not found, "\n".join(found)


def test_docstrings_of_private_functions_have_a_subject_of_their_own() -> None:
    found = [
        f"{place(path, node)} {node.name}: {text.splitlines()[0]!r}"
        for path in files(*PACKAGES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("_") and (text := ast.get_docstring(node))
        if HANGING.match(text)
    ]
    assert not found, "\n".join(found)


def test_docstrings_of_fields_do_not_point_at_others() -> None:
    found = [
        f"{place(path, node)} {text!r}"
        for path in files(*PACKAGES)
        for node, text in said_of_fields(ast.parse(path.read_text(encoding="utf-8")))
        if POINTING.match(text)
    ]
    assert not found, "\n".join(found)


def test_files_and_functions_are_short() -> None:
    long_files, long_functions = set(), []
    for path in files(*PACKAGES):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > LONGEST_FILE:
            long_files.add(str(path.relative_to(ROOT)))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long_functions.append(f"{place(path, node)} {node.name}: {lines} lines")
    assert long_files == set(LONG_FILES), "a long file wants a reason here, and a reason a long file"
    assert not long_functions, "\n".join(long_functions)


def test_text_of_files_is_read_and_written_in_an_encoding_that_is_named() -> None:
    found = [
        place(path, node)
        for path in files(*PACKAGES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("read_text", "write_text")
        and "encoding" not in [word.arg for word in node.keywords]
    ]
    assert not found, found
