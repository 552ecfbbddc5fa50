"""What is wrong with a row is told in the page's language."""

import pytest

from canary.web.flaws import tell_flaw


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("parent 'X 1' is not a source", "上级 'X 1' 不是已知来源"),
        ("code 'A' stands in row 7 already", "代码 'A' 已出现在第 7 行"),
        ("shorten it", "请缩短"),
        ("something nobody has thought of", "something nobody has thought of"),
        ("unknown kind '%(a)s {}'", "未知类型 '%(a)s {}'"),
    ],
)
def test_flaw_is_told_in_chinese(app, english, chinese):
    with app.test_request_context("/?lang=zh"):
        assert tell_flaw(english) == chinese
