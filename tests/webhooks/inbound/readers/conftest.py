"""Fixtures for reader tests."""

from collections.abc import Callable
from typing import Any

import pytest

from webhooks.inbound.registry import READERS
from webhooks.reports import Post, Report


@pytest.fixture
def read_one() -> Callable[..., Report]:
    """Read a post by the named reader, expecting one report; keywords are options."""

    def read(name: str, post: Post, **options: Any) -> Report:
        (report,) = READERS[name].read(post, options)
        return report

    return read
