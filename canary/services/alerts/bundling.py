"""Many alerts for a chat robot become one message: robots take about twenty a minute.

DingTalk, WeCom and Telegram groups take 20 messages a minute, Feishu 100 a minute and 5 a second,
Slack about one a second; who sends more is refused, at DingTalk for ten minutes. So a robot rests
after each message, and what has come together meanwhile is told at once: nothing waits for long,
and nothing is left out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256

from canary.domain.verdicts import Verdict
from canary.services.alerts.telling import WORDS
from webhooks.messages import Message

PACES: Mapping[str, timedelta] = {
    "dingtalk": timedelta(seconds=3),
    "wecom": timedelta(seconds=3),
    "telegram": timedelta(seconds=3),
    "slack": timedelta(seconds=1),
    "feishu": timedelta(seconds=0.6),
}
# So many are still told one by one.
MOST_SINGLE = 3
TITLES_SHOWN = 12
NAMES_SHOWN = 10
_SEVERITIES = ("critical", "error", "warning", "info")
_WORDS = {
    "zh": {
        "title": "{count} 条告警合并为一条",
        "mark": "告警编号 {ref} 等",
        "named": "点名的来源（{count}）：{names}",
        "joint": "、",
        "more": "另有 {count} 条未列出，均已记录，请打开事件页查看",
    },
    "en": {
        "title": "{count} alerts in one message",
        "mark": "Alert {ref} and others",
        "named": "Sources named ({count}): {names}",
        "joint": ", ",
        "more": "{count} more are not listed here; all are kept, open the incidents to see them",
    },
}


def is_bundled(shape: str, count: int) -> bool:
    """Tell whether so many alerts go to an endpoint of this format as one message."""
    return shape in PACES and count > MOST_SINGLE


def bundle(messages: Sequence[Message]) -> Message:
    """Tell several messages in one: how many of which verdict, who is named, the gravest first.

    Its id follows from theirs. Each is one of its own for receivers that are no chat.
    """
    ordered = sorted(messages, key=lambda one: (_rank(one), -one.occurred_at.timestamp()))
    words = _WORDS["en" if ordered[0].lang == "en" else "zh"]
    digest = sha256(" ".join(sorted(one.id for one in messages)).encode()).hexdigest()
    shown = [_title(one) for one in ordered[:TITLES_SHOWN]]
    hidden = len(ordered) - len(shown)
    return Message(
        id=f"bundle-{digest[:20]}",
        type="alerts.bundled",
        occurred_at=max(one.occurred_at for one in messages),
        data={
            "title": words["title"].format(count=len(messages)),
            "lines": [
                *_head(ordered, words),
                *shown,
                *([words["more"].format(count=hidden)] if hidden else ()),
            ],
            "severity": _SEVERITIES[_rank(ordered[0])],
            "link": _find_link(ordered),
        },
        lang=ordered[0].lang,
    )


def _head(ordered: Sequence[Message], words: Mapping[str, str]) -> list[str]:
    """Say what must not be cut: the mark of our own text, the verdicts, the names."""
    head = [words["mark"].format(ref=ordered[0].id)]
    spoken = WORDS["en" if ordered[0].lang == "en" else "zh"]
    verdicts = Counter(str(one.data["verdict"]) for one in ordered if one.data.get("verdict"))
    told = [
        f"{spoken[verdict]} {verdicts[verdict]}"
        for verdict in (step.value for step in sorted(Verdict, key=lambda step: -step.rank))
        if verdicts[verdict]
    ]
    if told:
        head.append(words["joint"].join(told))
    named = sorted({str(code) for one in ordered for code in one.data.get("named", ())})
    if named:
        names = words["joint"].join(named[:NAMES_SHOWN]) + "…" * (len(named) > NAMES_SHOWN)
        head.append(words["named"].format(count=len(named), names=names))
    return head


def _rank(message: Message) -> int:
    severity = message.data.get("severity")
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES) - 1


def _title(message: Message) -> str:
    incident = message.data.get("incident")
    title = str(message.data.get("title") or message.type)
    return f"#{incident} {title}" if incident else title


def _find_link(messages: Sequence[Message]) -> str:
    for message in messages:
        base, found, _ = str(message.data.get("link", "")).rpartition("/incidents/")
        if found:
            return f"{base}/incidents"
    return ""
