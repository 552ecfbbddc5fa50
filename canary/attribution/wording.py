"""The sentences of an explanation, Chinese and English side by side.

Copies surfaced; nobody is guilty. Every sentence has the same placeholders in both languages.
"""

from collections.abc import Mapping

LANGUAGES = ("zh", "en")

SENTENCES: Mapping[str, Mapping[str, str]] = {
    "headline.confirmed": {
        "zh": "已证实：交给{names}的副本在外面出现了。",
        "en": "Confirmed: copies given to {names} surfaced outside.",
    },
    "headline.probable": {
        "zh": "很可能：交给{names}的副本在外面出现了。",
        "en": "Probable: copies given to {names} surfaced outside.",
    },
    "headline.weak": {
        "zh": "线索不足：有诱饵出现，还不能指名；最可能的范围是{names}。",
        "en": "Weak: baits surfaced, too little to name anyone; the likeliest are {names}.",
    },
    "headline.weak_nobody": {
        "zh": "线索不足：有诱饵出现，但没有哪个来源突出。",
        "en": "Weak: baits surfaced, but no source stands out.",
    },
    "headline.unattributable": {
        "zh": "无法归因：所见与巧合没有区别。",
        "en": "Not attributable: what was seen is no more than coincidence explains.",
    },
    "untrusted": {
        "zh": "只有不可信渠道的报告，因此最高只到“线索不足”。",
        "en": "Only untrusted channels reported this, so the verdict cannot pass weak.",
    },
    "base_rate": {
        "zh": "事前：在看到任何东西之前，{source}泄漏的机会是{prior}。",
        "en": "Base rate: before anything was seen, the chance that {source} leaked was {prior}.",
    },
    "ratio": {
        "zh": "若副本出自{source}，所见的可能性是“名单上无人泄漏”时的{factor}（{scale}支持）；"
        "连同事前机会，后验概率为{posterior}。",
        "en": "The findings are {factor} more probable if the copies came from {source} than if "
        "nobody in the list let any out ({scale} support); with the base rate this gives "
        "{posterior}.",
    },
    "against": {
        "zh": "所见在{source}泄漏时反而更不可能（{factor}）；后验概率为{posterior}。",
        "en": "The findings are less probable if {source} let copies out ({factor}); "
        "this leaves {posterior}.",
    },
    "held": {
        "zh": "{source}持有{held}份诱饵，有{seen}处展示支持这一判断；"
        "其余未出现的代价是{bits}比特。",
        "en": "{source} held {held} baits; {seen} displays speak for it; the silence "
        "of the rest costs {bits} bits.",
    },
    "event": {
        "zh": "{when}在{venue}看到{records}（{times}次）：{factor}。",
        "en": "At {when}, {venue} showed {records} (sightings: {times}): {factor}.",
    },
    "alternative": {
        "zh": "最好的另一种解释（{alternative}）比它差{factor}。",
        "en": "The best other explanation ({alternative}) is {factor} worse.",
    },
    "without": {
        "zh": "去掉最有力的一条证据后，概率为{posterior}。",
        "en": "Without the strongest piece of evidence the probability is {posterior}.",
    },
    "chance": {
        "zh": "在搜索过的全部内容里，预期有{expected}次巧合吻合；实际看到{seen}处不同展示。",
        "en": "{expected} accidental matches were to be expected in all the listings that were "
        "searched; {seen} different displays were seen.",
    },
    "arrivals": {
        "zh": "{phones}部诱饵电话在此期间预期收到{expected}条与泄漏无关的信息；实际收到{seen}条。",
        "en": "{expected} messages unrelated to any leak were to be expected on the {phones} bait "
        "phones in this time; {seen} came in.",
    },
    "sensitivity.stable": {
        "zh": "即使巧合比估计多{factor}倍，结论也不变（概率{posterior}）。",
        "en": "Even if coincidence were {factor} times as frequent as estimated, the verdict "
        "would stand ({posterior}).",
    },
    "sensitivity.changes": {
        "zh": "如果巧合比估计多{changes_at}倍，结论会改变。",
        "en": "If coincidence were {changes_at} times as frequent as estimated, the verdict "
        "would change.",
    },
    "nobody": {"zh": "名单上无人", "en": "nobody in the list"},
    "never_held": {
        "zh": "{source}：从未持有所见的诱饵。",
        "en": "{source}: never held any bait that was seen.",
    },
    "too_late": {
        "zh": "{source}：拿到时已晚了{hours_late}小时（{factor}）。",
        "en": "{source}: received it {hours_late} h after it was seen ({factor}).",
    },
    "field_not_visible": {
        "zh": "{source}：看不到所展示的{field}（{factor}）。",
        "en": "{source}: could not see the {field} that was shown ({factor}).",
    },
    "silent": {
        "zh": "{source}：持有{held}份，只见{seen}份，其余沉默（{factor}）。",
        "en": "{source}: held {held}, only {seen} seen, the rest silent ({factor}).",
    },
    "chance_only": {
        "zh": "{source}：持有{held}份，所见{seen}份不超出巧合。",
        "en": "{source}: held {held}; the {seen} seen are no more than coincidence.",
    },
    "covered": {
        "zh": "{source}：它能解释的，已由其他来源更好地解释。",
        "en": "{source}: what it could explain is better explained by another source.",
    },
    "more": {
        "zh": "另有{count}个来源：{reason}。",
        "en": "{count} more sources: {reason}.",
    },
    "settle": {
        "zh": "给{sources}各投放{baits}份独有诱饵：预计带来{gain}比特，约{sightings}次目击。",
        "en": "Give {baits} baits of its own to each of {sources}: should bring {gain} bits "
        "and about {sightings} sightings.",
    },
    "settle_phones": {
        "zh": "用{baits}部新电话按不同组合分给{sources}：预计带来{gain}比特。",
        "en": "Spread {baits} new phones over {sources} in different subsets: should bring "
        "{gain} bits.",
    },
    "smallest_set": {
        "zh": "目前分不开：泄漏以至少 95% 的概率出自其中之一：{sources}。",
        "en": "Cannot tell yet: with at least 95 % it is one of these: {sources}.",
    },
    "nothing_open": {
        "zh": "没有需要再区分的来源。",
        "en": "No source is left to be told apart.",
    },
    "not_a_person": {
        "zh": "被指名的来源是需要核查的地方，不是某个人。",
        "en": "A named source is a place to audit, not a person.",
    },
}

CAPS: Mapping[str, Mapping[str, str]] = {
    "untrusted_only": {"zh": "只有不可信渠道", "en": "only untrusted channels reported"},
    "tip_only": {"zh": "线索由他人提供", "en": "found through somebody's tip"},
    "not_exclusive": {
        "zh": "所见诱饵并非只有它持有",
        "en": "the baits seen were held by others too",
    },
    "few_baits": {
        "zh": "独有诱饵不足三份（或两处各一份）",
        "en": "fewer than three baits of its own (or two at two venues)",
    },
    "one_channel": {"zh": "只有一个外部渠道", "en": "only one outside channel saw them"},
    "control_seen": {"zh": "同批出现了对照诱饵", "en": "a control bait surfaced in the same batch"},
    "sweep": {
        "zh": "更像是到处扫来的，而非从它那里抄走的",
        "en": "the batch looks swept from everywhere rather than copied",
    },
    "neighbours": {"zh": "号码相邻成串", "en": "the numbers are a run of neighbours"},
    "not_robust": {
        "zh": "去掉最有力的证据就站不住",
        "en": "it does not stand without the strongest piece of evidence",
    },
    "delays_only": {
        "zh": "另有来源持有同样的诱饵，只能凭露面的快慢区分",
        "en": "only how soon baits surfaced tells it from another holder of the same ones",
    },
    "single_event": {"zh": "只有一个独立事件", "en": "there is only one independent event"},
    "posterior": {"zh": "概率不到 99%", "en": "the probability is below 99 %"},
}

CAP_SENTENCE = {
    "zh": "没有升到更高一级，因为：{caps}。",
    "en": "It goes no further because {caps}.",
}

FIELD_NAMES: Mapping[str, Mapping[str, str]] = {
    "waybill": {"zh": "运单号", "en": "waybill number"},
    "phone": {"zh": "电话", "en": "phone"},
    "name": {"zh": "姓名", "en": "name"},
    "district": {"zh": "区县", "en": "district"},
}

SCALE = (
    (2.0, {"zh": "不构成", "en": "no"}),
    (10.0, {"zh": "弱", "en": "weak"}),
    (100.0, {"zh": "中等", "en": "moderate"}),
    (1e3, {"zh": "较强", "en": "moderately strong"}),
    (1e4, {"zh": "强", "en": "strong"}),
    (1e6, {"zh": "很强", "en": "very strong"}),
    (float("inf"), {"zh": "极强", "en": "extremely strong"}),
)
"""ENFSI guideline (2015): verbal equivalents of the likelihood ratio."""
