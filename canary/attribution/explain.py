"""Say an attribution in sentences: why this source, why not the others, what would settle it."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from canary.attribution.answer import Attribution, Contribution, Exclusion, ExclusionCode, Reason
from canary.attribution.wording import CAP_SENTENCE, CAPS, FIELD_NAMES, SCALE, SENTENCES
from canary.domain.verdicts import Verdict

Language = Literal["zh", "en"]
_MOST_EVENTS = 5
_MOST_EXCLUSIONS = 12
_MOST_NAMES = 6
_WORTH_TELLING = 0.3
_LEAST_LOG10 = -12.0
_MOST_SHARE = 0.999
_TELLING = (
    ExclusionCode.TOO_LATE,
    ExclusionCode.FIELD_NOT_VISIBLE,
    ExclusionCode.COVERED,
    ExclusionCode.SILENT,
    ExclusionCode.CHANCE,
    ExclusionCode.NEVER_HELD,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """An attribution in words of one language."""

    headline: str
    reasons: tuple[str, ...]
    exclusions: tuple[str, ...]
    settle: tuple[str, ...]


def tell_hours(hours: float) -> str:
    """Tell a time as hours since the window began, for worlds without a calendar."""
    return f"{hours:.1f} h"


def explain(
    attribution: Attribution,
    lang: Language,
    *,
    names: Mapping[str, str] | None = None,
    tell_time: Callable[[float], str] = tell_hours,
) -> Explanation:
    """Write the explanation in Chinese or English.

    `names` maps source ids to display names; `tell_time` writes hours since the window began.
    """
    voice = _Voice(lang=lang, names=names or {}, tell_time=tell_time)
    return Explanation(
        headline=_headline(attribution, voice),
        reasons=tuple(_reasons(attribution, voice)),
        exclusions=tuple(_exclusions(attribution, voice)),
        settle=tuple(_settle(attribution, voice)),
    )


def verbal_scale(log10_lr: float, lang: Language) -> str:
    """Name the strength of a likelihood ratio on the ENFSI scale."""
    ratio = 10.0 ** min(abs(log10_lr), 12.0)
    return next(words[lang] for limit, words in SCALE if ratio < limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Voice:
    """One language and the display names of the sources."""

    lang: Language
    names: Mapping[str, str]
    tell_time: Callable[[float], str]

    def say(self, key: str, **values: object) -> str:
        return SENTENCES[key][self.lang].format(**values)

    def name(self, source: str) -> str:
        return self.names.get(source, source)

    def list_names(self, sources: tuple[str, ...]) -> str:
        shown = [self.name(source) for source in sources[:_MOST_NAMES]]
        if len(sources) > _MOST_NAMES:
            left = len(sources) - _MOST_NAMES
            shown.append(f"另外 {left} 个" if self.lang == "zh" else f"{left} more")
        return ("、" if self.lang == "zh" else ", ").join(shown)

    def odds_against(self, log10: float) -> str:
        if log10 <= _LEAST_LOG10:
            return "小于 10 的 -12 次方" if self.lang == "zh" else "below 10^-12"
        return f"10 的 {log10:.1f} 次方" if self.lang == "zh" else f"10^{log10:.1f}"

    def factor(self, log10: float) -> str:
        if log10 >= 6.0:
            return "一百万倍以上" if self.lang == "zh" else "over a million times"
        value = 10.0 ** max(log10, -6.0)
        digits = f"{value:.2g}" if value < 100 else f"{_two_digits(value):,.0f}"
        return f"{digits} 倍" if self.lang == "zh" else f"{digits} times"


def _two_digits(value: float) -> float:
    return round(value, 1 - math.floor(math.log10(value)))


def _headline(attribution: Attribution, voice: _Voice) -> str:
    verdict = attribution.verdict
    if verdict is Verdict.UNATTRIBUTABLE:
        return voice.say("headline.unattributable")
    if verdict is Verdict.WEAK:
        candidates = attribution.smallest_set or attribution.suspects[:_MOST_NAMES]
        if not candidates:
            return voice.say("headline.weak_nobody")
        return voice.say("headline.weak", names=voice.list_names(candidates))
    joiner = "" if voice.lang == "zh" else " "
    return joiner.join(
        voice.say(f"headline.{step.value}", names=voice.list_names(reached))
        for step in (Verdict.CONFIRMED, Verdict.PROBABLE)
        if (reached := tuple(one for one in attribution.named if attribution.verdicts[one] is step))
    )


def _reasons(attribution: Attribution, voice: _Voice) -> list[str]:
    lines = [voice.say("untrusted")] if attribution.untrusted_only else []
    told = [one for one in attribution.reasons if one.source in attribution.named]
    for reason in told or attribution.reasons[:3]:
        lines += _reason(reason, voice)
    lines += _chance(attribution, voice)
    lines += _sensitivity(attribution, voice)
    if attribution.caps:
        joiner = "；" if voice.lang == "zh" else "; "
        caps = joiner.join(CAPS[cap.value][voice.lang] for cap in attribution.caps)
        lines.append(CAP_SENTENCE[voice.lang].format(caps=caps))
    if attribution.named:
        lines.append(voice.say("not_a_person"))
    return lines


def _chance(attribution: Attribution, voice: _Voice) -> list[str]:
    """Tell coincidence in listings and messages on bait phones apart: their bases differ."""
    lines = []
    if attribution.seen_events or not attribution.seen_arrivals:
        lines.append(
            voice.say(
                "chance",
                expected=_count(attribution.expected_accidental),
                seen=attribution.seen_events,
            )
        )
    if attribution.watched_phones:
        lines.append(
            voice.say(
                "arrivals",
                phones=attribution.watched_phones,
                expected=_count(attribution.expected_arrivals),
                seen=attribution.seen_arrivals,
            )
        )
    return lines


def _count(expected: float) -> str:
    """Write an expected number so that it can be read."""
    if expected >= 0.095:
        return f"{expected:.1f}"
    return f"{expected:.1g}" if expected >= 0.001 else "< 0.001"


def _reason(reason: Reason, voice: _Voice) -> list[str]:
    source = voice.name(reason.source)
    lines = [voice.say("base_rate", source=source, prior=_percent(reason.prior))]
    key = "ratio" if reason.log10_lr >= 0 else "against"
    lines.append(
        voice.say(
            key,
            source=source,
            factor=voice.factor(reason.log10_lr),
            scale=verbal_scale(reason.log10_lr, voice.lang),
            posterior=_percent(reason.posterior),
        )
    )
    lines.append(
        voice.say(
            "held",
            source=source,
            held=reason.held,
            seen=reason.seen,
            bits=f"{abs(reason.silence_bits):.1f}",
        )
    )
    lines += [_event(one, voice) for one in reason.contributions[:_MOST_EVENTS]]
    alternative = voice.list_names(reason.alternative) or voice.say("nobody")
    if reason.log10_against_alternative > _WORTH_TELLING:
        lines.append(
            voice.say(
                "alternative",
                alternative=alternative,
                factor=voice.factor(reason.log10_against_alternative),
            )
        )
    lines.append(voice.say("without", posterior=_percent(reason.posterior_without_strongest)))
    return lines


def _event(one: Contribution, voice: _Voice) -> str:
    joiner = "、" if voice.lang == "zh" else ", "
    return voice.say(
        "event",
        when=voice.tell_time(one.at_h),
        venue=one.venue,
        records=joiner.join(one.records) or "-",
        times=len(one.sightings),
        factor=voice.factor(one.log10_lr),
    )


def _sensitivity(attribution: Attribution, voice: _Voice) -> list[str]:
    found = attribution.sensitivity
    if found is None:
        return []
    if found.changes_at is None or found.changes_at > found.factor:
        return [
            voice.say(
                "sensitivity.stable",
                factor=f"{found.factor:g}",
                posterior=_percent(found.posterior),
            )
        ]
    return [voice.say("sensitivity.changes", changes_at=f"{found.changes_at:g}")]


def _exclusions(attribution: Attribution, voice: _Voice) -> list[str]:
    """Tell the telling exclusions one by one and count the rest."""
    ranked = sorted(
        attribution.excluded.items(), key=lambda item: (_TELLING.index(item[1].code), item[0])
    )
    lines = [_exclusion(source, one, voice) for source, one in ranked[:_MOST_EXCLUSIONS]]
    rest = Counter(one.code for _, one in ranked[_MOST_EXCLUSIONS:])
    for code, count in sorted(rest.items()):
        reason = _LABELS[code][voice.lang]
        lines.append(voice.say("more", count=count, reason=reason))
    return lines


_LABELS: Mapping[ExclusionCode, Mapping[str, str]] = {
    ExclusionCode.NEVER_HELD: {"zh": "从未持有所见的诱饵", "en": "never held what was seen"},
    ExclusionCode.TOO_LATE: {"zh": "拿到得太晚", "en": "received it too late"},
    ExclusionCode.FIELD_NOT_VISIBLE: {
        "zh": "看不到所展示的字段",
        "en": "could not see a shown field",
    },
    ExclusionCode.SILENT: {"zh": "其余诱饵沉默", "en": "their other baits stayed silent"},
    ExclusionCode.CHANCE: {"zh": "不超出巧合", "en": "no more than coincidence"},
    ExclusionCode.COVERED: {"zh": "已由其他来源解释", "en": "explained by another source"},
}


def _exclusion(source: str, one: Exclusion, voice: _Voice) -> str:
    values = dict(one.params)
    if "field" in values:
        values["field"] = FIELD_NAMES[str(values["field"])][voice.lang]
    if "log10_factor" in values:
        values["factor"] = voice.odds_against(float(values["log10_factor"]))
    if "hours_late" in values:
        values["hours_late"] = f"{float(values['hours_late']):.1f}"
    key = "chance_only" if one.code is ExclusionCode.CHANCE else one.code.value
    return voice.say(key, source=voice.name(source), **values)


def _settle(attribution: Attribution, voice: _Voice) -> list[str]:
    lines = []
    if len(attribution.smallest_set) > 1:
        lines.append(voice.say("smallest_set", sources=voice.list_names(attribution.smallest_set)))
    for step in attribution.next:
        key = "settle_phones" if step.kind == "phone_code" else "settle"
        lines.append(
            voice.say(
                key,
                baits=step.baits,
                sources=voice.list_names(step.sources),
                gain=f"{step.gain_bits:.2f}",
                sightings=f"{step.expected_sightings:.1f}",
            )
        )
    return lines or [voice.say("nothing_open")]


def _percent(share: float) -> str:
    share = min(share, _MOST_SHARE)
    if 0.0 < share < 0.001:
        return f"{share:.1e}"
    return f"{share:.1%}"
