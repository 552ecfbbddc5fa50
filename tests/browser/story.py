"""A network with a few leaks, as a courier's security team would see it after some weeks."""

from dataclasses import dataclass
from datetime import timedelta

from canary.domain.identifiers import BaitValues
from canary.storage.tables import Bait, Sighting, Source
from tests.web.building import NOW, Builder

CITIES = [
    ("3301", "杭州", "浙江省", "西湖区", "文三路"),
    ("4403", "深圳", "广东省", "南山区", "科苑路"),
    ("5101", "成都", "四川省", "武侯区", "桐梓林路"),
    ("1101", "北京", "北京市", "朝阳区", "望京街"),
]
OUTLETS = ["城东网点", "文教网点", "高新网点", "滨江网点", "火车站网点"]
NAMES = ["林晚舟", "沈知夏", "顾南乔", "温以宁", "程砚秋", "苏念一", "陆时雨", "叶清禾"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the story's pages are called."""

    named: int
    weak: int
    outlet: str
    bait: str
    number: str
    sighting: str
    batch: str
    batch_id: int


def tell(build: Builder) -> Story:
    """Fill the database and return where to look."""
    head = build.source("HQ", "华运速递总部", kind="system")
    regions, outlets = _network(build, head)
    batch = build.batch("2026-11 首批")
    baits = {outlet.code: _baits(build, batch, outlet, 3) for outlet in outlets[:-4]}
    for _ in range(4):
        build.bait(batch, values=_values(90), state="issued")
    leaker = outlets[1]
    for bait in baits[leaker.code][:2]:
        build.exposure(bait, outlets[7], NOW - timedelta(days=1, hours=16), "custody")
    named = _named_incident(build, leaker, regions[0], head, baits[leaker.code], outlets)
    weak = _weak_incident(build, outlets, baits)
    _older_incidents(build, outlets)
    build.reporter("query-log", last_post_at=NOW - timedelta(days=3), rhythm_seconds=3600)
    with build.open() as session:
        seen = session.query(Sighting).filter_by(incident_id=named).first()
    return Story(
        named=named,
        weak=weak,
        outlet=leaker.code,
        bait=baits[leaker.code][0].ref,
        number=_values(leaker.id * 10).number,
        sighting=seen.ref if seen else "",
        batch=batch.name,
        batch_id=batch.id,
    )


def _network(build: Builder, head: Source) -> tuple[list[Source], list[Source]]:
    regions, outlets = [], []
    for code, city, province, _, _ in CITIES:
        region = build.source(f"R-{code}", f"{province}{city}转运中心", "hub", head, region=code)
        account = build.source(f"A-{code}", f"{city}区域管理账号", "account", head, region=code)
        build.source(f"M-{code}", f"{city}云栈数码旗舰店", "merchant", account, region=code)
        regions.append(region)
        for number, name in enumerate(OUTLETS, 1):
            outlets.append(
                build.source(
                    f"{code}-{number:02d}",
                    f"{city}{name}",
                    parent=region,
                    region=code,
                    daily_parcels=900 + 137 * number,
                    carriers=["YTO", "ZTO"],
                )
            )
    return regions, outlets


def _values(number: int) -> BaitValues:
    _, city, province, district, street = CITIES[number % 4]
    return BaitValues(
        number=f"YT90{number * 7919 + 20471836590:011d}",
        carrier="YTO",
        name=NAMES[number % len(NAMES)],
        phone=f"1934027{1800 + number:04d}",
        province=province,
        city=f"{city}市",
        district=district,
        detail=f"{street} {number * 3 + 11} 号",
    )


def _baits(build: Builder, batch: object, outlet: Source, many: int) -> list[Bait]:
    start = outlet.id * 10
    return [
        build.bait(
            batch,  # type: ignore[arg-type]
            outlet,
            values=_values(start + number),
            planted_at=NOW - timedelta(days=9 - number, hours=number * 5),
        )
        for number in range(many)
    ]


def _named_incident(
    build: Builder,
    leaker: Source,
    region: Source,
    head: Source,
    baits: list[Bait],
    outlets: list[Source],
) -> int:
    late = outlets[7]
    incident = build.incident(
        leaker,
        confidence=0.9871,
        at=NOW - timedelta(hours=3),
        result={
            "posteriors": {leaker.code: 0.9871, region.code: 0.006, head.code: 0.004},
            "p_no_leak": 0.0029,
            "excluded": {late.code: "too_late", outlets[2].code: "never_held"},
            "explanations": {
                "en": {
                    "headline": f"Copies given to {leaker.name} have surfaced; nobody else held"
                    " all of them.",
                    "reasons": [
                        "All 3 baits held by this outlet surfaced, and no bait of another did.",
                        "The listing at 12:40 is over a million times likelier if it leaked here.",
                        "Without the strongest sighting it would still stand at 94.1 %.",
                    ],
                    "exclusions": [
                        f"{late.name} got its first copy 8 hours after the listing.",
                        f"{region.name} could query all three, but 41 more stayed silent.",
                    ],
                    "settle": [
                        f"Plant 2 more baits at {leaker.name}: expected answer within 6 days.",
                    ],
                },
                "zh": {
                    "headline": f"交给{leaker.name}的诱饵已经现身，其他来源均未同时持有全部诱饵。",
                    "reasons": [
                        "该网点持有的 3 个诱饵全部现身，其他来源的诱饵一个也没有出现。",
                        "12:40 的售卖信息：若由该网点泄露，可能性高一百万倍以上。",
                        "即使去掉最有力的一条目击记录，仍有 94.1 %。",
                    ],
                    "exclusions": [
                        f"{late.name}在售卖信息出现 8 小时之后才拿到第一份。",
                        f"{region.name}可查询全部诱饵，但它可查询的另外 41 个诱饵均未出现。",
                    ],
                    "settle": [f"在{leaker.name}用另一账号再布设 2 个诱饵，预计 6 天内见分晓。"],
                },
            },
        },
    )
    _sightings_of_named(build, incident, baits)
    return incident.id


def _sightings_of_named(build: Builder, incident: object, baits: list[Bait]) -> None:
    crawler = build.reporter("resale-crawler", channel_class="own", format="page")
    gateway = build.reporter("sms-gateway")
    phone = build.phone("19340271800", "杭州 SIM 07")
    with build.database.write() as session:
        session.get_one(Bait, baits[2].id).phone_id = phone.id
    rows = [
        f"<tr><td>{number:03d}</td><td>YT88{number * 7919:011d}</td>"
        f"<td>王**</td><td>139****{number:04d}</td></tr>"
        for number in range(1, 240)
    ]
    surfaces = []
    for place, bait in ((37, baits[0]), (112, baits[1])):
        surface = f"ＹＴ90-{bait.id:04d}-①②③④⑤⑥"
        rows[place] = (
            f"<tr><td>{place}</td><td>{surface}</td><td>林**</td><td>整单 0.8 元</td></tr>"
        )
        surfaces.append((bait, surface, "number"))
    page = "<html><body><table>\n" + "\n".join(rows) + "\n</table></body></html>"
    build.sighting(
        crawler,
        incident,  # type: ignore[arg-type]
        page,
        surfaces,
        venue="贴吧 面单互助吧",
        at=NOW - timedelta(days=2, hours=1, minutes=50),
        title="当天新鲜面单 量大从优",
        url="https://resale.example/t/88213",
        basis="公开页面，法务 2026-11 确认",
    )
    build.sighting(
        gateway,
        incident,  # type: ignore[arg-type]
        "【顺发客服】尊敬的林晚舟，您的包裹在杭州转运途中破损，可三倍理赔，请加客服微信办理。",
        [(baits[2], "林晚舟", "name")],
        kind="sms",
        venue="106****2211",
        at=NOW - timedelta(hours=3),
        arrival=(baits[2], phone),
        channel_class="arrival",
        sender="10698765432211",
    )


def _weak_incident(build: Builder, outlets: list[Source], baits: dict[str, list[Bait]]) -> int:
    first, second = outlets[8], outlets[11]
    incident = build.incident(
        verdict="weak",
        confidence=0.41,
        at=NOW - timedelta(hours=7),
        result={
            "posteriors": {first.code: 0.41, second.code: 0.33},
            "p_no_leak": 0.26,
            "excluded": {},
            "explanations": {
                "en": {"headline": "A bait has surfaced; two sources fit, neither can be named."},
                "zh": {"headline": "诱饵已现身，两个来源都吻合，尚不能指名。"},
            },
        },
    )
    bait = baits[first.code][0]
    build.sighting(
        build.reporter("public-form", channel_class="anonymous", format="standard"),
        incident,
        f"有人在群里发 {bait.ref} 的单子，尾号 {bait.id}",
        [(bait, bait.ref, "number")],
        kind="manual",
        venue="匿名举报",
        at=NOW - timedelta(hours=7),
        channel_class="anonymous",
    )
    return incident.id


def _older_incidents(build: Builder, outlets: list[Source]) -> None:
    for number, (verdict, state, days) in enumerate(
        [
            ("confirmed", "open", 1),
            ("unattributable", "open", 3),
            ("probable", "confirmed", 12),
            ("weak", "dismissed", 16),
            ("probable", "confirmed", 44),
            ("probable", "open", 5),
        ]
    ):
        source = outlets[3 + number * 2]
        at = NOW - timedelta(days=days)
        incident = build.incident(source, verdict, state, at=at, confidence=0.95 + number / 200)
        reporter = build.reporter(f"crawler-{number}", channel_class="own", format="page")
        for step in range(number % 3 + 1):
            build.sighting(
                reporter, incident, "旧帖存档", venue="闲鱼", at=at - timedelta(days=step * 2)
            )
