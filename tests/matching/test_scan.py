"""What is found in a text, how it is graded, and what is never found."""

import pytest

from canary.domain.identifiers import IdentifierKind, MatchForm, MatchLevel
from canary.matching.names import places_of
from canary.matching.register import MemoryRegister
from canary.matching.scan import scan_text

EXACT = [
    ("19340271865", ()),
    ("１９３４０２７１８６５", ("full_width",)),
    ("①⑨③④⓪②⑦①⑧⑥⑤", ("circled",)),
    ("❶❾❸❹⓿❷❼❶❽❻❺", ("circled",)),
    ("⑴⑼⑶⑷0⑵⑺⑴⑻⑹⑸", ("circled",)),
    ("𝟭𝟵𝟯𝟰𝟬𝟮𝟳𝟭𝟴𝟲𝟱", ("styled_digit",)),
    ("١٩٣٤٠٢٧١٨٦٥", ("other_script",)),
    ("1️⃣9️⃣3️⃣4️⃣0️⃣2️⃣7️⃣1️⃣8️⃣6️⃣5️⃣", ("keycap",)),
    ("一九三四零二七一八六五", ("han_numeral",)),
    ("壹玖叁肆零贰柒壹捌陆伍", ("han_numeral",)),
    ("幺九三四洞两拐幺八六五", ("han_numeral",)),
    ("193-4027-1865", ("separators",)),
    ("1.9.3.4.0.2.7.1.8.6.5", ("separators",)),
    ("193★4027★1865", ("separators",)),
    ("193 4027\u30001865", ("separators",)),
    ("1\u200b9\u200b3\u200b40271865", ("invisible",)),
    ("\u202e56817204391\u202c", ("bidi",)),
    ("1̶9̶3̶4̶0271865", ("combining",)),
    ("l934O27I865", ("lookalike",)),
    ("电话l9340271865", ("lookalike",)),
    ("&#49;9340271865", ("entity",)),
    ("%31%3940271865".replace("40", "340", 1), ("percent",)),
    ("\\u00319340271865", ("escape",)),
    ("1934<b>0271</b>865", ("tag",)),
    ("1934<!-- 77 -->0271865", ("comment",)),
    ("1934<i style='display:none'>66</i>0271865", ("hidden_decoy",)),
    ("1934\n0271\n865", ("line_break",)),
    ("yao jiu san si ling er qi yao ba liu wu", ("spoken",)),
    ("ï¼‘ï¼™ï¼“40271865", ("mojibake",)),
]


@pytest.mark.parametrize(("written", "disguises"), EXACT)
def test_disguised_phone_is_found_exactly(
    written: str, disguises: tuple[str, ...], register: MemoryRegister
) -> None:
    text = f"联系电话：{written}，请尽快"
    (match,) = scan_text(text, register)
    assert (match.bait_id, match.kind, match.level) == (1, "phone", "exact")
    assert set(disguises) <= set(match.disguises)
    assert text[match.start : match.end] == match.surface


NUMBERS = [
    "YT2047183659012",
    "yt2047183659012",
    "YT 2047 1836 59012",
    "ＹＴ２０４７１８３６５９０１２",
    "YT2О47I83659012",
    "ΥΤ2047183659012",
    "*YT2047183659012*",
    "运单号YT2047183659012-1-1-",
    "Y T 2 0 4 7 1 8 3 6 5 9 0 1 2",
    "YT二〇四七一八三六五九〇一二",
    "mailNo=YT2047183659012&x=1",
]


@pytest.mark.parametrize("written", NUMBERS)
def test_disguised_number_is_found_exactly(written: str, register: MemoryRegister) -> None:
    (match,) = scan_text(f"底单 {written} 已发", register)
    assert (match.bait_id, match.kind, match.level) == (1, "number", "exact")


DAMAGED = ["7.6291038475562E+13", "'76291038475562", '="76291038475562"', "76,291,038,475,562",
           "76291038475562.0"]  # fmt: skip


@pytest.mark.parametrize("written", DAMAGED)
def test_spreadsheet_damage_is_undone(written: str, register: MemoryRegister) -> None:
    (match,) = scan_text(written, register)
    assert (match.bait_id, match.kind, match.level) == (2, "number", "exact")


NEVER = [
    "YT2047183659013",
    "YT204718365901",
    "YT20471836590123",
    "JT2047183659012",
    "193402718650",
    "219340271865",
    "19340271866",
    "身份证：19340271865",
    "QQ19340271865",
    "QQ：19340271865",
    "订单号: 2047183659012",
    "￥19340271865",
    "19340271865元",
    "19340271865.50",
    "0x19340271865",
    "1934027.1865",
    "1934,0271865",
    "<td>1934</td><td>0271865</td>",
    "6222 1934 0271 8650 1234",
    "a19340271865f",
    "2023-10-21 19:34:02.718 65",
    "张伟强",
    "19250271877转8463",
]


@pytest.mark.parametrize("written", NEVER)
def test_near_identifiers_never_match(written: str, register: MemoryRegister) -> None:
    assert scan_text(f"内容 {written} 内容", register) == []


WEAK = [
    ("193****1865", "phone", "masked"),
    ("193xxxx1865", "phone", "masked"),
    ("193-****-1865", "phone", "masked"),
    ("1934027****", "phone", "masked"),
    ("1934027****", "phone", "masked"),
    ("尾号1865", "phone", "masked"),
    ("YT2047****59012", "number", "masked"),
    ("YT20471836…", "number", "truncated"),
    ("***659012", "number", "masked"),
    ("圆通 2047183659012", "number", "disguised"),
    ("单怡涵", "name", "exact"),
    ("單怡涵", "name", "disguised"),
    ("单 怡 涵", "name", "disguised"),
    ("Shan Yihan", "name", "disguised"),
    ("19250271877", "phone", "truncated"),
    ("姑苏区人民路88号B区", "address", "exact"),
]


@pytest.mark.parametrize(("written", "kind", "form"), WEAK)
def test_weak_form_is_a_candidate(
    written: str, kind: str, form: str, register: MemoryRegister
) -> None:
    (match,) = scan_text(f"，{written}，", register)
    assert (match.kind, match.form, match.level) == (kind, form, "candidate")


def test_name_with_city_becomes_strong(register: MemoryRegister) -> None:
    matches = scan_text("单怡涵，江苏省苏州市姑苏区", register)
    assert {match.level for match in matches} == {MatchLevel.EXACT}
    assert matches[0].agreeing == (IdentifierKind.ADDRESS, IdentifierKind.NAME)


def test_three_masks_become_strong(register: MemoryRegister) -> None:
    matches = scan_text("单** 193****1865 苏州市", register)
    assert {match.level for match in matches} == {MatchLevel.EXACT}
    assert {match.form for match in matches} == {MatchForm.MASKED, MatchForm.TRUNCATED}


def test_two_masks_stay_candidates(register: MemoryRegister) -> None:
    matches = scan_text("单** 193****1865", register)
    assert {match.level for match in matches} == {MatchLevel.CANDIDATE}
    assert "2 of 3" in matches[0].rule


def test_address_with_masked_fields_becomes_strong(register: MemoryRegister) -> None:
    matches = scan_text("单**，193****1865，苏州市姑苏区人民路８８号B区", register)
    assert {match.level for match in matches} == {MatchLevel.EXACT}


def test_address_of_another_house_is_passed_over(register: MemoryRegister) -> None:
    assert scan_text("苏州市姑苏区人民路880号B区，苏州市姑苏区人民路8号B区", register) == []


def test_lone_weak_fields_are_lost_in_a_crowd(register: MemoryRegister) -> None:
    text = "张伟，193****1865，尾号1865"
    assert len(scan_text(text, register)) == 3
    assert scan_text(text, register, corpus=1e12) == []
    assert len(scan_text("19340271865，单**", register, corpus=1e12)) == 2


def test_name_by_sound_supports_other_fields(register: MemoryRegister) -> None:
    """A homophone says nothing alone, and counts as a weak field beside others."""
    assert scan_text("单仪寒 收", register) == []
    matches = scan_text("单仪寒 193****1865 苏州市", register)
    assert ("单仪寒", "name by sound") in {(one.surface, one.rule[:13]) for one in matches}
    assert {match.level for match in matches} == {MatchLevel.EXACT}


def test_fields_of_other_rows_do_not_agree(register: MemoryRegister) -> None:
    matches = scan_text("单怡涵,广州\n李四,苏州市\n", register)
    assert [match.level for match in matches] == [MatchLevel.CANDIDATE]


def test_large_corpus_needs_more_agreement(register: MemoryRegister) -> None:
    matches = scan_text("单** 193****1865 苏州市", register, corpus=4.9e8)
    assert {match.level for match in matches} == {MatchLevel.CANDIDATE}


def test_own_phone_is_no_match(register: MemoryRegister) -> None:
    text = "单怡涵您好，退订回T\nSIM1_中国移动_19340271865"
    assert [one.kind for one in scan_text(text, register, own_phone="+8619340271865")] == ["name"]


def test_shared_host_needs_its_extension(register: MemoryRegister) -> None:
    (match,) = scan_text("电话 19250271877转8462", register)
    assert (match.bait_id, match.level) == (2, MatchLevel.EXACT)


def test_many_names_stand_where_each_does() -> None:
    wanted = {
        f"{surname}{given}"
        for surname in "王李张陈林"
        for given in ("伟", "伟明", "怡涵", "静", "怡")
    }
    text = "、".join(sorted(wanted)) + "王王伟明李张怡涵,林怡"
    each = [one for name in wanted for one in places_of(text, {name})]
    assert sorted(places_of(text, wanted)) == sorted(each)
    assert len(each) > len(wanted)
