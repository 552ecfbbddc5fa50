"""What is wrong with a row is told in the page's language."""

import re

import pytest

from canary.domain.errors import Flaw, Invalid
from canary.services.stock.imports import sift_table
from canary.services.stock.sources import OPTIONAL, REQUIRED, import_sources
from canary.web.flaws import tell_flaw
from tests.web.building import NOW

TABLE = f"""code,name,kind,parent,region,carriers,daily_parcels,stage
,无代码,outlet,,,,,
A B,空格,outlet,,,,,
C,,castle,NONE,xx,DHL,many,{"长" * 30}
C,再来,outlet,,,,,
D,圈,hub,E,,,,
E,圈,hub,D,,,,
F,=1+1,hub,,,,,
G,多,hub,,,,,,9,9
H,1.2E+15,hub,,,,,
"""


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("parent 'X 1' is not a source", "上级 'X 1' 不是已知来源"),
        ("code 'A' stands in row 7 already", "代码 'A' 已出现在第 7 行"),
        (
            "7 names are wanted in region 3301, where 4 are left that differ under a mask",
            "区划 3301 需要 7 个姓名，仅剩 4 个脱敏后互不相同",
        ),
        ("shorten it", "请缩短"),
        ("something nobody has thought of", "something nobody has thought of"),
        ("unknown kind '%(a)s {}'", "未知类型 '%(a)s {}'"),
    ],
)
def test_flaw_is_told_in_chinese(app, english, chinese):
    with app.test_request_context("/?lang=zh"):
        assert tell_flaw(english) == chinese


@pytest.fixture
def flaws(build) -> list[Flaw]:
    """Return what the services say of a table in which everything is wrong."""
    table = sift_table(TABLE.encode(), "t.csv", required=REQUIRED, optional=OPTIONAL)
    with build.open() as session, pytest.raises(Invalid) as refusal:
        import_sources(session, table.rows, carriers=["YTO"], actor="x", now=NOW)
    return [*(reject.flaw for reject in table.rejects), *refusal.value.flaws]


def test_no_flaw_of_a_table_stays_english(app, flaws):
    with app.test_request_context("/?lang=zh"):
        told = [tell_flaw(text) for flaw in flaws for text in (flaw.problem, flaw.mend)]
    assert len(told) > 20
    assert [text for text in told if not re.search("[\u4e00-\u9fff]", text)] == []
