"""A small register that the matching tests share."""

import pytest

from canary.domain.identifiers import BaitValues
from canary.matching.register import MemoryRegister, register_of

FIRST = BaitValues(
    number="YT2047183659012",
    carrier="YTO",
    name="单怡涵",
    phone="19340271865",
    province="江苏省",
    city="苏州市",
    district="姑苏区",
    detail="人民路88号B区",
)
SHARED = BaitValues(number="76291038475562", name="张伟", phone="19250271877-8462", city="广州市")


@pytest.fixture
def first() -> BaitValues:
    return FIRST


@pytest.fixture
def register() -> MemoryRegister:
    return register_of([(1, FIRST), (2, SHARED)])
