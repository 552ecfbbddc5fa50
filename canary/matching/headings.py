"""Columns whose heading says that their digits are something else: order numbers, QQ, prices."""

import re
from dataclasses import dataclass

from canary.domain.identifiers import IdentifierKind
from canary.matching import tables
from canary.matching.confirm import Finding

LONGEST = 4000  # characters of a first line that may be a heading
_DELIMITERS = "\t,;|，；"
_REFUSED = re.compile(
    r"(?:身份证|证件|QQ|扣扣|微信|卡号|银行卡|账号|帐号|订单|交易|流水|时间戳|金额|价格|单价|售价|运费|货款"
    r"|重量|序号|IMEI|ICCID|ISBN|SKU|时间|日期|timestamp|amount|price|weight|date|time"
    r"|order|transaction|account|card)",
    re.IGNORECASE,
)
_WANTED = re.compile(
    r"运单|快递单|物流单|面单|电话|手机|联系|tracking|waybill|phone|mobile|tel", re.IGNORECASE
)
_DIGITS = re.compile(r"[0-9]{5}")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table are refused, counted from 0."""

    delimiter: str
    refused: frozenset[int]

    def refuses(self, text: str, finding: Finding) -> bool:
        """Tell whether bare digits stand in a column that holds something else."""
        if finding.kind not in {IdentifierKind.NUMBER, IdentifierKind.PHONE}:
            return False
        if not text[finding.start : finding.start + 1].isdigit():
            return False
        line = text.rfind("\n", 0, finding.start) + 1
        return text.count(self.delimiter, line, finding.start) in self.refused


def columns_of(heading: str) -> Columns | None:
    """Read the first line of a table; None when it is no heading or refuses nothing."""
    line = heading.partition("\n")[0]
    if len(line) > LONGEST or _DIGITS.search(line) or not _REFUSED.search(line):
        return None
    delimiter = max(_DELIMITERS, key=line.count)
    cells = line.split(delimiter)
    refused = frozenset(
        at
        for at, cell in enumerate(cells)
        if _REFUSED.search(cell.translate(tables.fold_table())) and not _WANTED.search(cell)
    )
    return Columns(delimiter, refused) if len(cells) > 1 and refused else None
