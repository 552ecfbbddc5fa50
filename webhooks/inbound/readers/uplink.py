"""Replies to our own business messages from Chinese clouds: array, object or `items`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webhooks.errors import PayloadError
from webhooks.inbound.fields import content_key, plain_number, read_time, text_at
from webhooks.inbound.options import zone_of
from webhooks.inbound.reading import JSON_TYPE, Reply
from webhooks.inbound.weak import WeakReader
from webhooks.json_strict import read_json
from webhooks.reports import Post, Report, ReportKind

MOST_ENTRIES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkShape:
    """Where one cloud puts what; each a list of paths, the first that is there counts."""

    text: Sequence[str]
    sender: Sequence[str]
    receiver: Sequence[str] = ()
    time: Sequence[str] = ()
    message_id: Sequence[str] = ()


class UplinkReader(WeakReader):
    """Reads one cloud's replies; none of them signs, so path and address list have to do."""

    methods = frozenset({"POST"})

    def __init__(self, name: str, shape: UplinkShape, reply: bytes = b"") -> None:
        self.name = name
        self._shape = shape
        self.reply = Reply(status=200, content_type=JSON_TYPE, body=reply or b"{}")

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return a report for each reply; status reports have no text and carry none."""
        value = read_json(post.body)
        items = value.get("items", value) if isinstance(value, Mapping) else value
        entries = items if isinstance(items, list) else [items]
        if not all(isinstance(entry, Mapping) for entry in entries):
            raise PayloadError("neither object nor list of objects")
        if len(entries) > MOST_ENTRIES:
            raise PayloadError(f"more than {MOST_ENTRIES} replies")
        reports = [self._report(entry, options) for entry in entries]
        return [report for report in reports if report is not None]

    def _report(self, entry: Mapping[str, Any], options: Mapping[str, Any]) -> Report | None:
        shape = self._shape
        text = text_at(entry, *shape.text)
        if not text:
            return None
        sender = text_at(entry, *shape.sender)
        time = text_at(entry, *shape.time)
        claimed_at, basis = read_time(time, zone_of(options))
        own_id = text_at(entry, *shape.message_id)
        return Report(
            kind=ReportKind.SMS,
            text=text,
            sender=plain_number(sender),
            receiver=text_at(entry, *shape.receiver),
            claimed_at=claimed_at,
            time_basis=basis,
            message_id=f"{self.name}:{own_id}" if own_id else content_key(sender, text, time),
        )


ALIYUN = UplinkReader(
    "aliyun",
    UplinkShape(
        text=("content",),
        sender=("phone_number",),
        receiver=("dest_code",),
        time=("send_time",),
        message_id=("sequence_id",),
    ),
    '{"code":0,"msg":"接收成功"}'.encode(),
)
TENCENT = UplinkReader(
    "tencent",
    UplinkShape(text=("text",), sender=("mobile",), receiver=("extend",), time=("time",)),
    b'{"result":0,"errmsg":"OK"}',
)
VOLCENGINE = UplinkReader(
    "volcengine",
    UplinkShape(
        text=("content",), sender=("mobile",), receiver=("ext", "service_id"), time=("recv_time",)
    ),
)
QINIU = UplinkReader(
    "qiniu",
    UplinkShape(text=("content",), sender=("mobile",), receiver=("dest_code",), time=("time",)),
)
BAIDU = UplinkReader(
    "baidu",
    UplinkShape(
        text=("content",), sender=("mobile",), receiver=("userExtId",), time=("receiveTime",)
    ),
)
