"""What an alert says of an incident: short, honest, masked, in both languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.attribution.explain import Explanation
from canary.domain.alerts import News, Standing, count_folded
from canary.domain.moments import write_moment
from canary.domain.verdicts import Verdict
from canary.services.viewing import mask_bait
from canary.storage.tables import Bait, Incident, Match, Placement, Sighting, Source
from canary.storage.vault import Vault

BAITS_SHOWN = 3
VENUES_SHOWN = 3
SEVERITY = {
    Verdict.CONFIRMED: "critical",
    Verdict.PROBABLE: "error",
    Verdict.WEAK: "warning",
    Verdict.UNATTRIBUTABLE: "warning",
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "confirmed": "已证实",
        "probable": "很可能",
        "weak": "线索不足，仅供排查",
        "unattributable": "无法归因",
        "verdict": "结论：{verdict}，置信度 {percent}",
        "nobody": "结论：{verdict}；目前证据不足，不点名任何来源",
        "seen": "发现 {count} 次，最早 {first}，最近 {last}；地点：{venues}",
        "baits": "涉及诱饵（已脱敏）：{baits}",
        "more": "等 {count} 个",
        "folded": "自上一条消息以来，另有 {count} 次重复发现已合并",
        "news": "新情况：{news}",
        "excluded": "已排除：{text}",
        "next": "下一步：{text}",
        "review": "下一步：打开事件复核，确认或驳回",
        "opened": "首次发现",
        "news_verdict": "结论升级",
        "named": "点名了新的来源",
        "source": "涉及另一来源的诱饵",
        "venue": "出现在新的地点",
        "fallen": "结论已下调：此前告知的点名不再成立",
        "joint": "、",
    },
    "en": {
        "confirmed": "confirmed",
        "probable": "probable",
        "weak": "weak, for triage only",
        "unattributable": "not attributable",
        "verdict": "Verdict: {verdict}, confidence {percent}",
        "nobody": "Verdict: {verdict}; the evidence does not carry a name yet",
        "seen": "Seen {count} times, first {first}, last {last}; where: {venues}",
        "baits": "Baits seen (masked): {baits}",
        "more": "{count} in all",
        "folded": "{count} further sightings were folded in since the last message",
        "news": "New: {news}",
        "excluded": "Excluded: {text}",
        "next": "Next: {text}",
        "review": "Next: open the incident, then confirm or dismiss it",
        "opened": "first sighting",
        "news_verdict": "the verdict has risen",
        "named": "another source is named",
        "source": "baits of another source are involved",
        "venue": "another venue",
        "fallen": "the verdict has fallen: what was told before no longer stands",
        "joint": ", ",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What composing needs besides the rows."""

    vault: Vault
    zone: tzinfo
    public_url: str


def load_standing(session: Session, incident: Incident) -> Standing:
    """Collect what a message is compared by."""
    homes = session.scalars(
        select(Source.code)
        .join(Placement, Placement.source_id == Source.id)
        .join(Match, Match.bait_id == Placement.bait_id)
        .join(Sighting, Sighting.id == Match.sighting_id)
        .where(Sighting.incident_id == incident.id)
        .distinct()
    )
    venues = select(Sighting.venue).where(Sighting.incident_id == incident.id).distinct()
    return Standing(
        verdict=Verdict(incident.verdict),
        named=frozenset(incident.named),
        sources=frozenset(homes),
        venues=frozenset(session.scalars(venues)),
        count=incident.sighting_count,
    )


def compose(
    session: Session,
    telling: Telling,
    incident: Incident,
    news: Sequence[News],
    explanations: Mapping[str, Explanation],
) -> dict[str, Any]:
    """Return an alert's data about an incident; `by_lang` holds its words."""
    told = Standing.from_json(incident.told) if incident.told else None
    standing = load_standing(session, incident)
    first = session.scalars(
        select(func.min(Sighting.seen_at)).where(Sighting.incident_id == incident.id)
    ).one()
    seen = _Seen(
        standing=standing,
        fresh=frozenset(standing.venues - told.venues) if told else standing.venues,
        folded=count_folded(told, standing),
        baits=_mask_baits(session, telling.vault, incident.id),
        first=first,
        last=incident.last_sighting_at,
    )
    return {
        "incident": incident.id,
        "verdict": incident.verdict,
        "named": list(incident.named),
        "source": incident.named[0] if len(incident.named) == 1 else None,
        "confidence": round(incident.confidence, 4),
        "count": incident.sighting_count,
        "folded": seen.folded,
        "news": [one.value for one in news],
        "first_seen": first.isoformat(),
        "last_seen": incident.last_sighting_at.isoformat(),
        "venue": ", ".join(sorted(standing.venues))[:200],
        "severity": SEVERITY[standing.verdict],
        "link": f"{telling.public_url}/incidents/{incident.id}",
        "by_lang": {
            lang: {
                "title": text.headline,
                "lines": _lines(incident, seen, news, text, lang, telling.zone),
            }
            for lang, text in explanations.items()
        },
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    standing: Standing
    fresh: frozenset[str]
    folded: int
    baits: tuple[Sequence[str], int]
    first: datetime
    last: datetime


def _lines(
    incident: Incident,
    seen: _Seen,
    news: Sequence[News],
    text: Explanation,
    lang: str,
    zone: tzinfo,
) -> list[str]:
    words = WORDS[lang]
    lines = [_verdict_line(incident, words)]
    if News.OPENED not in news:
        named = [words["news_verdict" if one is News.VERDICT else one.value] for one in news]
        lines.append(words["news"].format(news=words["joint"].join(named)))
    # What is new stands in front: a list of many venues is cut.
    venues = sorted(seen.standing.venues, key=lambda venue: (venue not in seen.fresh, venue))
    lines.append(
        words["seen"].format(
            count=seen.standing.count,
            first=write_moment(seen.first, zone),
            last=write_moment(seen.last, zone),
            venues=_some(venues, len(venues), VENUES_SHOWN, words),
        )
    )
    baits, total = seen.baits
    if baits:
        lines.append(words["baits"].format(baits=_some(baits, total, BAITS_SHOWN, words)))
    if seen.folded:
        lines.append(words["folded"].format(count=seen.folded))
    lines += text.reasons[:2]
    lines += [words["excluded"].format(text=one) for one in text.exclusions[:2]]
    settle = [words["next"].format(text=one) for one in text.settle[:1]]
    return [*lines, *(settle or [words["review"]])]


def _verdict_line(incident: Incident, words: Mapping[str, str]) -> str:
    verdict = words[incident.verdict]
    if not incident.named:
        return words["nobody"].format(verdict=verdict)
    return words["verdict"].format(verdict=verdict, percent=_percent(incident.confidence))


def _percent(share: float) -> str:
    """Write a belief that is never certainty."""
    return "> 99.9%" if share >= 0.9995 else f"{share * 100:.1f}%"


def _some(items: Sequence[str], total: int, shown: int, words: Mapping[str, str]) -> str:
    text = words["joint"].join(items[:shown])
    return f"{text} ({words['more'].format(count=total)})" if total > shown else text


def _mask_baits(session: Session, vault: Vault, incident_id: int) -> tuple[Sequence[str], int]:
    """Return some baits that were seen, masked, and how many there are."""
    seen = (
        select(Match.bait_id)
        .join(Sighting, Sighting.id == Match.sighting_id)
        .where(Sighting.incident_id == incident_id)
        .distinct()
    )
    total = session.scalar(select(func.count()).select_from(seen.subquery())) or 0
    baits = session.scalars(
        select(Bait).where(Bait.id.in_(seen)).order_by(Bait.id).limit(BAITS_SHOWN)
    )
    masked = [mask_bait(vault, bait) for bait in baits]
    return [" ".join(filter(None, (one.number, one.name, one.phone))) for one in masked], total
