"""Marks the tests of tests/slow.txt, which tests/find_slow.py writes, as slow: make test-fast leaves them out."""

from __future__ import annotations

import pytest

from tests.find_slow import LIST


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = set(LIST.read_text(encoding="utf-8").split())
    for item in items:
        if item.nodeid.partition("[")[0] in slow:
            item.add_marker(pytest.mark.slow)
