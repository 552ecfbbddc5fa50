"""Lift the lines a forwarder adds out of the text: own number, SIM remark, time, device.

A forwarder that prints its own number under each message would make every message look like a
bait phone on sale. Only lines at the edges are lifted, never from the middle of the text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_SIM_REMARK = re.compile(r"SIM\s?([12])(?:[_:： ]\s?(.{0,80}))?", re.IGNORECASE)
_SUB_ID = re.compile(r"SubId\s?[:：]\s?-?\d{1,10}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}[ T]\d{1,2}:\d{2}(?::\d{2})?")
_SENDER = re.compile(r"\+?[0-9A-Za-z._-]{2,60}")
_OWN_NUMBER = re.compile(r"(?:\+|00)?\d[\d -]{4,18}\d")
_LABELS = {
    "发件号码": "sender",
    "来自": "sender",
    "发送方": "sender",
    "发件时间": "time",
    "时间": "time",
    "接收时间": "time",
    "本机号码": "receiver",
    "接收号码": "receiver",
    "卡槽": "slot",
    "卡号": "receiver",
    "设备": "device",
    "设备名称": "device",
    "开机时长": "",
    "运营商": "",
    "信号": "",
    "信号强度": "",
    "频段": "",
    "电压": "",
    "温度": "",
    "流量": "",
    "流量统计": "",
    "位置": "",
    "重发次数": "",
}
_LABELLED = re.compile(r"([\u4e00-\u9fff]{2,4})\s?[:：]\s?(.{0,200})")
_MARKER = re.compile(r"#[A-Z_]{2,20}(?: #[A-Z_]{2,20}){0,5}|-{3,40}|={3,40}")


@dataclass(slots=True)
class Envelope:
    """The text without its added lines, and what those lines said."""

    text: str
    sender: str = ""
    receiver: str = ""
    slot: str = ""
    device: str = ""
    time: str = ""
    lines: list[str] = field(default_factory=list)


def open_display(text: str, known: Mapping[str, str]) -> Envelope:
    """Open SmsForwarder's six display lines: sender, text, SIM, `SubId：n`, time, device.

    `known` holds what other fields of the post say (`sender`, `device`); without the `SubId` line
    only lines at the end that can be nothing else are lifted.
    """
    lines = text.split("\n")
    marks = [place for place, line in enumerate(lines) if _SUB_ID.fullmatch(line.strip())]
    if not marks or len(lines) - marks[-1] > 4:
        return _open_tail(text, lines, known)
    mark = marks[-1]
    envelope = Envelope(text="")
    start, end = 0, mark
    last = lines[mark - 1].strip() if mark else ""
    if mark and (not last or _SIM_REMARK.fullmatch(last)):
        end -= 1
        _take_sim(envelope, last)
    first = lines[0].strip()
    if end >= 2 and (first == known["sender"] if known.get("sender") else _SENDER.fullmatch(first)):
        start, envelope.sender = 1, first
    for line in lines[mark + 1 :]:
        if _TIME.fullmatch(line.strip()) and not envelope.time:
            envelope.time = line.strip()
        else:
            envelope.device = envelope.device or line.strip()
    envelope.text = "\n".join(lines[start:end])
    envelope.lines = [line for line in lines[:start] + lines[end:] if line.strip()]
    return envelope


def open_labelled(text: str) -> Envelope:
    """Open the layouts of 4G modules: text, then lines such as `本机号码: ...` and `#SMS`."""
    lines = text.split("\n")
    envelope = Envelope(text="")
    end = len(lines)
    while end and _take_labelled(envelope, lines[end - 1].strip()):
        end -= 1
    if not any(line.strip() for line in lines[:end]):
        return Envelope(text=text)
    envelope.text = "\n".join(lines[:end]).rstrip("\n")
    envelope.lines = [line for line in lines[end:] if line.strip()]
    return envelope


def receiver_in(remark: str) -> str:
    """Return the own number in a SIM remark such as `SIM1_中国移动_+8613900000000`."""
    numbers: Iterable[str] = _OWN_NUMBER.findall(remark)
    return next((number for number in numbers if len(re.sub(r"\D", "", number)) >= 7), "")


def _open_tail(text: str, lines: list[str], known: Mapping[str, str]) -> Envelope:
    envelope = Envelope(text=text)
    end = len(lines)
    while end > 1:
        line = lines[end - 1].strip()
        if _SIM_REMARK.fullmatch(line):
            _take_sim(envelope, line)
        elif _TIME.fullmatch(line):
            envelope.time = envelope.time or line
        elif _SUB_ID.fullmatch(line):
            pass
        elif line and line == known.get("device"):
            envelope.device = line
        else:
            break
        end -= 1
    if end < len(lines):
        envelope.text = "\n".join(lines[:end])
        envelope.lines = [line for line in lines[end:] if line.strip()]
    return envelope


def _take_sim(envelope: Envelope, line: str) -> None:
    found = _SIM_REMARK.fullmatch(line)
    if found:
        envelope.slot = envelope.slot or found[1]
        envelope.receiver = envelope.receiver or receiver_in(found[2] or "")


def _take_labelled(envelope: Envelope, line: str) -> bool:
    if not line or _MARKER.fullmatch(line):
        return True
    found = _LABELLED.fullmatch(line)
    if not found or found[1] not in _LABELS:
        return False
    name = _LABELS[found[1]]
    if name and not getattr(envelope, name):
        setattr(envelope, name, found[2].strip())
    return True
