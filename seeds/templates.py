"""What each partner calls a field, in which unit, and how long it may be.

Headings are what files for people carry, empty where only machines want the field; paths are the
partner's own field names for JSON, a dot for an object inside, `[]` for a list of one, `[1]` for a
place in a list. Names and limits are those of field_models.json.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from seeds.carriers import get_carrier
from seeds.errors import BadSheet
from seeds.waybills import Waybill

Value = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One field of a sheet; `limit` in characters, `refused` characters the partner rejects."""

    heading: str
    path: str
    read: Callable[[Waybill], Value]
    limit: int = 200
    refused: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The sheet one partner takes; `note` is what whoever loads it must know."""

    code: str
    name: str
    columns: tuple[Column, ...]
    note: str = ""

    @property
    def printed(self) -> tuple[Column, ...]:
        """The columns of files for people: those with a heading."""
        return tuple(column for column in self.columns if column.heading)


_KDNIAO_REFUSED = "'\"#&+<>%\\"


def _grams(waybill: Waybill) -> int:
    return waybill.weight_g


def _kilograms(waybill: Waybill) -> float:
    return round(waybill.weight_g / 1000, 3)


def _kuaidi100_code(waybill: Waybill) -> str:
    return _known(waybill, get_carrier(waybill.carrier).kuaidi100, "kuaidi100")


def _kdniao_code(waybill: Waybill) -> str:
    return _known(waybill, get_carrier(waybill.carrier).kdniao, "kdniao")


def _cainiao_code(waybill: Waybill) -> str:
    return _known(waybill, get_carrier(waybill.carrier).cainiao, "Cainiao")


def _known(waybill: Waybill, code: str | None, partner: str) -> str:
    if code is None:
        raise BadSheet(
            f"{partner} has no code for carrier {waybill.carrier} (waybill {waybill.number})",
            mend="plant these baits by another template",
            field="carrier",
        )
    return code


def _carrier_name(waybill: Waybill) -> str:
    return get_carrier(waybill.carrier).name_zh


def _district(waybill: Waybill) -> str:
    return "" if waybill.district == waybill.city else waybill.district


def _ordered(waybill: Waybill) -> str | None:
    return f"{waybill.ordered_at:%Y-%m-%d %H:%M:%S}" if waybill.ordered_at else None


def _phone_tail(waybill: Waybill) -> str | None:
    return waybill.phone[-4:] if waybill.phone else None


GENERIC = Template(
    code="generic",
    name="通用",
    columns=(
        Column(heading="运单号", path="waybill_no", read=lambda w: w.number, required=True),
        Column(heading="快递公司", path="carrier", read=_carrier_name),
        Column(heading="收件人", path="recipient_name", read=lambda w: w.name, required=True),
        Column(heading="收件人手机", path="recipient_mobile", read=lambda w: w.phone),
        Column(heading="收件省", path="recipient_province", read=lambda w: w.province),
        Column(heading="收件市", path="recipient_city", read=lambda w: w.city),
        Column(heading="收件区县", path="recipient_district", read=_district),
        Column(heading="详细地址", path="recipient_detail", read=lambda w: w.detail, required=True),
        Column(heading="品名", path="goods_name", read=lambda w: w.goods),
        Column(heading="数量", path="goods_count", read=lambda _: 1),
        Column(heading="重量(kg)", path="weight", read=_kilograms),
        Column(heading="寄件人", path="sender_name", read=lambda w: w.sender_name),
        Column(heading="始发地编码", path="origin", read=lambda w: w.origin),
        Column(heading="目的地编码", path="destination", read=lambda w: w.destination),
        Column(heading="下单时间", path="created_at", read=_ordered),
    ),
)

KUAIDI100 = Template(
    code="kuaidi100",
    name="快递100",
    columns=(
        Column(
            heading="快递单号", path="kuaidinum", read=lambda w: w.number, limit=32, required=True
        ),
        Column(heading="快递公司", path="kuaidicom", read=_kuaidi100_code, required=True),
        Column(heading="订单号", path="thirdOrderId", read=lambda w: w.number, limit=32),
        Column(heading="收件人", path="recMan.name", read=lambda w: w.name, required=True),
        Column(heading="收件人手机", path="recMan.mobile", read=lambda w: w.phone),
        Column(heading="收件省", path="recMan.province", read=lambda w: w.province),
        Column(heading="收件市", path="recMan.city", read=lambda w: w.city),
        Column(heading="收件区县", path="recMan.district", read=_district),
        Column(heading="详细地址", path="recMan.addr", read=lambda w: w.detail),
        Column(
            heading="收件地址", path="recMan.printAddr", read=lambda w: w.address, required=True
        ),
        Column(heading="寄件人", path="sendMan.name", read=lambda w: w.sender_name),
        Column(heading="物品名称", path="cargo", read=lambda w: w.goods),
        Column(heading="件数", path="count", read=lambda _: 1),
        Column(heading="重量(kg)", path="weight", read=_kilograms),
    ),
)

KDNIAO = Template(
    code="kdniao",
    name="快递鸟",
    columns=(
        Column(
            heading="订单编号", path="OrderCode", read=lambda w: w.number, limit=30, required=True
        ),
        Column(
            heading="快递公司编码", path="ShipperCode", read=_kdniao_code, limit=10, required=True
        ),
        Column(heading="快递单号", path="LogisticCode", read=lambda w: w.number, limit=30),
        Column(
            heading="收件人",
            path="Receiver.Name",
            read=lambda w: w.name,
            limit=30,
            refused=_KDNIAO_REFUSED,
            required=True,
        ),
        Column(heading="收件人手机", path="Receiver.Mobile", read=lambda w: w.phone, limit=20),
        Column(heading="收件省", path="Receiver.ProvinceName", read=lambda w: w.province, limit=20),
        Column(heading="收件市", path="Receiver.CityName", read=lambda w: w.city, limit=20),
        Column(heading="收件区县", path="Receiver.ExpAreaName", read=_district, limit=20),
        Column(
            heading="详细地址",
            path="Receiver.Address",
            read=lambda w: w.detail,
            limit=100,
            refused=_KDNIAO_REFUSED,
            required=True,
        ),
        Column(
            heading="寄件人",
            path="Sender.Name",
            read=lambda w: w.sender_name,
            limit=30,
            refused=_KDNIAO_REFUSED,
        ),
        Column(
            heading="商品名称",
            path="Commodity[].GoodsName",
            read=lambda w: w.goods,
            limit=100,
            refused=_KDNIAO_REFUSED,
            required=True,
        ),
        Column(heading="件数", path="Quantity", read=lambda _: 1),
        Column(heading="重量(kg)", path="Weight", read=_kilograms),
    ),
)

_TRADE = "trade_order_info_dtos[]"

CAINIAO = Template(
    code="cainiao",
    name="菜鸟",
    columns=(
        Column(heading="快递公司编码", path="cp_code", read=_cainiao_code, limit=20, required=True),
        Column(
            heading="订单号",
            path=f"{_TRADE}.order_info.trade_order_list[]",
            read=lambda w: w.number,
            limit=100,
            required=True,
        ),
        Column(
            heading="收件人",
            path=f"{_TRADE}.recipient.name",
            read=lambda w: w.name,
            limit=40,
            required=True,
        ),
        Column(heading="收件人手机", path=f"{_TRADE}.recipient.mobile", read=lambda w: w.phone),
        Column(
            heading="收件省",
            path=f"{_TRADE}.recipient.address.province",
            read=lambda w: w.province,
            limit=20,
        ),
        Column(
            heading="收件市",
            path=f"{_TRADE}.recipient.address.city",
            read=lambda w: w.city,
            limit=20,
        ),
        Column(
            heading="收件区县",
            path=f"{_TRADE}.recipient.address.district",
            read=_district,
            limit=20,
        ),
        Column(
            heading="详细地址",
            path=f"{_TRADE}.recipient.address.detail",
            read=lambda w: w.detail,
            limit=256,
            required=True,
        ),
        Column(
            heading="商品名称",
            path=f"{_TRADE}.package_info.items[].name",
            read=lambda w: w.goods,
            required=True,
        ),
        Column(heading="件数", path=f"{_TRADE}.package_info.items[].count", read=lambda _: 1),
        Column(heading="重量(克)", path=f"{_TRADE}.package_info.weight", read=_grams),
        Column(heading="寄件人", path="sender.name", read=lambda w: w.sender_name, limit=40),
        Column(heading="运单号", path="waybill_code", read=lambda w: w.number, required=True),
    ),
)

_SENDER, _RECIPIENT = "contactInfoList[0]", "contactInfoList[1]"

SF = Template(
    code="sf",
    name="顺丰",
    columns=(
        Column(
            heading="客户订单号", path="orderId", read=lambda w: w.number, limit=64, required=True
        ),
        Column(heading="运单号", path="waybillNoInfoList[].waybillNo", read=lambda w: w.number),
        Column(heading="", path=f"{_SENDER}.contactType", read=lambda _: 1),
        Column(heading="", path=f"{_RECIPIENT}.contactType", read=lambda _: 2),
        Column(
            heading="收件人",
            path=f"{_RECIPIENT}.contact",
            read=lambda w: w.name,
            limit=100,
            required=True,
        ),
        Column(heading="收件人手机", path=f"{_RECIPIENT}.mobile", read=lambda w: w.phone, limit=20),
        Column(
            heading="收件省", path=f"{_RECIPIENT}.province", read=lambda w: w.province, limit=30
        ),
        Column(heading="收件市", path=f"{_RECIPIENT}.city", read=lambda w: w.city, limit=100),
        Column(heading="收件区县", path=f"{_RECIPIENT}.county", read=_district, limit=30),
        Column(
            heading="详细地址",
            path=f"{_RECIPIENT}.address",
            read=lambda w: w.detail,
            limit=200,
            required=True,
        ),
        Column(
            heading="寄件人", path=f"{_SENDER}.contact", read=lambda w: w.sender_name, limit=100
        ),
        Column(heading="托寄物", path="cargoDetails[].name", read=lambda w: w.goods, limit=128),
        Column(heading="数量", path="cargoDetails[].count", read=lambda _: 1),
        Column(heading="计费重量(kg)", path="totalWeight", read=_kilograms),
    ),
)

TRACK17 = Template(
    code="17track",
    name="17TRACK",
    note="17TRACK's own carrier codes are not in this sheet: it tells the carrier by the number; "
    "where it asks, choose the carrier that the batch's generic sheet names",
    columns=(
        Column(heading="number", path="number", read=lambda w: w.number, limit=50, required=True),
        Column(heading="tag", path="tag", read=lambda w: w.goods, limit=100),
        Column(heading="phone_number_last_4", path="phone_number_last_4", read=_phone_tail),
    ),
)

TEMPLATES: Mapping[str, Template] = {
    template.code: template for template in (GENERIC, KUAIDI100, KDNIAO, CAINIAO, SF, TRACK17)
}
