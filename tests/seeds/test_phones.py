import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeds.errors import BadPhone
from seeds.phones import PhoneKind, find_clashes, parse_phone
from seeds.tables import read_rows


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("19340271865", "19340271865"),
        ("+86 193 4027 1865", "19340271865"),
        ("0086-193-4027-1865", "19340271865"),
        ("8619340271865", "19340271865"),
        ("019340271865", "19340271865"),
        ("１９３４０２７１８６５", "19340271865"),
        ("'19340271865", "19340271865"),
        ("19340271865-8462", "19340271865-8462"),
        ("19340271865转8462", "19340271865-8462"),
        ("19340271865,8462", "19340271865-8462"),
        ("19340271865[8462]", "19340271865-8462"),
        ("19340271865 ext 8462", "19340271865-8462"),
        ("0574-86201947", "057486201947"),
        ("010-86201947-803", "01086201947-803"),
        ("400-811-1111", "4008111111"),
        ("95338", "95338"),
        ("+44 7700 900123", "+447700900123"),
        ("0044 7700 900123", "+447700900123"),
        ("+1 (212) 555-0123", "+12125550123"),
        ("+81 90-1234-5678", "+819012345678"),
    ],
)
def test_written_phone_is_understood(text, whole):
    assert str(parse_phone(text)) == whole


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("", "give one number"),
        ("1" * 100, "give one number"),
        ("1.9340271865E+10", "format the column as text"),
        ("138****5678", "write digits only"),
        ("1934027186", "write 11 digits"),
        ("193402718651", "write 11 digits"),
        ("12012345678", "needs another prefix"),
        ("14101234567", "needs 13 digits"),
        ("0123-86201947", "057486201947"),
        ("+999 123", "write it as"),
        ("手机", "write digits only"),
        ("=1+1", "write digits only"),
    ],
)
def test_bad_phone_names_the_mend(text, mend):
    with pytest.raises(BadPhone, match="mend: ") as raised:
        parse_phone(text)
    assert mend in raised.value.mend
    assert raised.value.field == "number"


@pytest.mark.parametrize(
    ("text", "kind", "noticed"),
    [
        ("13812345678", PhoneKind.MOBILE, False),
        ("14912345678", PhoneKind.DATA_CARD, False),
        ("16112345678", PhoneKind.MOBILE, True),
        ("17012345678", PhoneKind.VIRTUAL_OPERATOR, False),
        ("19912345678", PhoneKind.MOBILE, False),
        ("19412345678", PhoneKind.UNALLOCATED, True),
        ("15412345678", PhoneKind.UNALLOCATED, True),
        ("16012345678", PhoneKind.UNALLOCATED, True),
        ("17412345678", PhoneKind.MOBILE, True),
        ("1410123456789", PhoneKind.IOT, True),
        ("+447700900123", PhoneKind.FICTION, True),
        ("+819012345678", PhoneKind.ABROAD, False),
        ("14560001234", PhoneKind.DATA_CARD, True),
    ],
)
def test_odd_range_is_taken_with_notice(text, kind, noticed):
    phone = parse_phone(text)
    assert phone.kind is kind
    assert bool(phone.notice) is noticed


@pytest.mark.parametrize("row", read_rows("phone_segments.csv"), ids=lambda row: row["prefix"])
def test_every_listed_segment_is_accepted(row):
    number = row["prefix"].ljust(int(row["digits"]), "5")
    assert parse_phone(number).host == number


@given(st.text(max_size=70))
def test_any_text_gives_phone_or_refusal(text):
    try:
        phone = parse_phone(text)
    except BadPhone:
        return
    assert parse_phone(str(phone)).host == phone.host


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.from_regex(r"[0-9]{4}", fullmatch=True))
def test_extension_survives_every_spelling(host, extension):
    spellings = {f"{host}{sign}{extension}" for sign in ("-", "转", ",", "#")} | {
        f"{host}[{extension}]"
    }
    try:
        parse_phone(host)
    except BadPhone:
        return
    assert {str(parse_phone(text)) for text in spellings} == {f"{host}-{extension}"}


def test_phones_alike_under_mask_are_found():
    phones = [parse_phone(text) for text in ("19340271865", "19399991865", "19340271866")]
    assert find_clashes(phones) == [(phones[0], phones[1])]


def test_same_phone_twice_is_no_clash():
    assert find_clashes([parse_phone("19340271865"), parse_phone("+8619340271865")]) == []
