"""Files of every kind: what is found, where it is said to be, and what is not read."""

import base64
import gzip
import io
import random
import zipfile
from pathlib import Path

import openpyxl
import pytest
from fpdf import FPDF

from canary.domain.identifiers import BaitValues
from canary.matching import chunks, texts
from canary.matching.paths import Result, scan_paths
from canary.matching.register import MemoryRegister
from canary.matching.sieve import Sieve, sieve_of

BODY = "单号,电话\n一,193-4027-1865\nx,YT2047183659012,沈阳\n"


@pytest.fixture
def labelled(first: BaitValues) -> MemoryRegister:
    register = MemoryRegister()
    register.add(1, first, code="B1", source="S1")
    return register


def _scan(path: Path, register: MemoryRegister) -> tuple[list[Result], list[dict[str, str]]]:
    *results, last = scan_paths([path], register, processes=1)
    summary = last["summary"]
    assert isinstance(summary, dict)
    return results, summary["unread"]


def _places(results: list[Result]) -> list[tuple[object, ...]]:
    return [(one["line"], one["start"], one["end"], one["surface"]) for one in results]


EXPECTED = [(2, 2, 15, "193-4027-1865"), (3, 2, 17, "YT2047183659012")]


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_text_in_any_charset_is_located(
    charset: str, tmp_path: Path, labelled: MemoryRegister
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(BODY.encode(charset))
    results, unread = _scan(path, labelled)
    assert _places(results) == EXPECTED
    assert (results[0]["bait"], results[0]["source"], unread) == ("B1", "S1", [])


def test_mixed_charsets_are_read_line_by_line(tmp_path: Path, labelled: MemoryRegister) -> None:
    path = tmp_path / "mixed.txt"
    path.write_bytes("中文 19340271865\n".encode() + "中文 YT2047183659012\n".encode("gbk"))
    results, _ = _scan(path, labelled)
    assert [one["line"] for one in results] == [1, 2]


def test_archives_in_archives_are_opened(tmp_path: Path, labelled: MemoryRegister) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep.csv", BODY.encode("gb18030"))
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
        archive.writestr("list.txt.gz", gzip.compress(BODY.encode()))
    results, unread = _scan(path, labelled)
    assert {str(one["path"]).partition("!")[2] for one in results} == {
        "inner.zip!deep.csv",
        "list.txt",
    }
    assert unread == []


def test_workbook_cell_is_located(tmp_path: Path, labelled: MemoryRegister) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["姓名", "电话"])
    sheet.append(["某人", 19340271865])
    path = tmp_path / "book.bin"
    book.save(path)
    (result,), _ = _scan(path, labelled)
    assert (result["sheet"], result["row"], result["column"]) == ("Sheet", 2, 2)


HEADED = "订单号,QQ,联系电话,金额\n"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_column_of_other_numbers_is_refused(
    form: str, tmp_path: Path, labelled: MemoryRegister
) -> None:
    rows = ["19340271865,1,2,3", "1,19340271865,2,3", "1,2,19340271865,3", "1,2,3,19340271865",
            "YT2047183659012,,,"]  # fmt: skip
    path = tmp_path / f"list.{form}"
    if form == "csv":
        path.write_text(HEADED + "\n".join(rows))
    else:
        book = openpyxl.Workbook()
        for row in (HEADED.strip(), *rows):
            book.active.append(row.split(","))  # type: ignore[union-attr]
        book.save(path)
    results, _ = _scan(path, labelled)
    assert [(one["line"], one["kind"]) for one in results] == [(4, "phone"), (6, "number")]


def test_cells_of_a_row_do_not_join(tmp_path: Path, labelled: MemoryRegister) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["1934", "0271865"])
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert _scan(path, labelled) == ([], [])


def test_mail_part_is_decoded(tmp_path: Path, labelled: MemoryRegister) -> None:
    body = base64.encodebytes("联系 19340271865".encode("gbk"))
    path = tmp_path / "mail.eml"
    path.write_bytes(
        b"From: a@example.org\r\nTo: c@example.org\r\nSubject: hi\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=gbk\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body
    )
    (result,), _ = _scan(path, labelled)
    assert (result["line"], result["start"]) == (1, 3)


def test_hidden_decoy_in_page_is_dropped(tmp_path: Path, labelled: MemoryRegister) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<html><style>.x{display:none}</style>\n<table><tr>\n<td>1934<i class=x>77</i>0271865</td>"
        "\n<td>单怡涵</td></tr></table>"
    )
    results, _ = _scan(path, labelled)
    assert [one["kind"] for one in results] == ["phone", "name"]
    assert results[0]["agreeing"] == ["name", "phone"]


def test_endless_line_is_cut_without_loss(
    tmp_path: Path, labelled: MemoryRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "BLOCK", 5000)
    monkeypatch.setattr(texts, "_LINE_LIMIT", 5000)
    step = 990
    path = tmp_path / "line.txt"
    path.write_text(("号" * step + "19340271865") * 400)
    results, _ = _scan(path, labelled)
    assert [one["start"] for one in results] == [
        step + i * (step + 11) for i in range(400)
    ]  # fmt: skip


def test_block_edges_lose_no_line(
    tmp_path: Path, labelled: MemoryRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "BLOCK", 3000)
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"{i:05} 快递 19340271865 到\n" for i in range(4_000)))
    results, _ = _scan(path, labelled)
    assert [one["line"] for one in results] == list(range(1, 4_001))
    assert {(one["start"], one["end"]) for one in results} == {(9, 20)}


def _seven(password: str | None = None) -> bytes:
    py7zr = pytest.importorskip("py7zr", reason="needs the files extra")
    stored = io.BytesIO()
    with py7zr.SevenZipFile(stored, "w", password=password) as archive:
        archive.writestr(BODY, "list.csv")
    return stored.getvalue()


def _pdf(text: str, password: str = "") -> bytes:
    pdf = FPDF()
    pdf.set_font("helvetica")
    for page in text.split("|"):
        pdf.add_page()
        pdf.cell(text=page)
    if password:
        pdf.set_encryption(owner_password=password + "o", user_password=password)
    return bytes(pdf.output())


def test_seven_zip_is_opened(tmp_path: Path, labelled: MemoryRegister) -> None:
    path = tmp_path / "leak.7z"
    path.write_bytes(_seven())
    results, unread = _scan(path, labelled)
    assert (_places(results), unread) == (EXPECTED, [])


def test_pdf_page_is_named(tmp_path: Path, labelled: MemoryRegister) -> None:
    path = tmp_path / "leak.pdf"
    path.write_bytes(_pdf("nobody|call 193-4027-1865"))
    (result,), unread = _scan(path, labelled)
    assert (str(result["path"]).partition("!")[2], result["start"]) == ("page2", 5)
    assert unread == []


def test_damaged_workbook_keeps_other_members(tmp_path: Path, labelled: MemoryRegister) -> None:
    """One file of an archive cannot be read; what the others hold is told all the same."""
    book = openpyxl.Workbook()
    stored = io.BytesIO()
    book.save(stored)
    path = tmp_path / "both.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("book.xlsx", stored.getvalue()[:-200])
        archive.writestr("list.csv", BODY)
    results, unread = _scan(path, labelled)
    assert _places(results) == EXPECTED
    assert [one["path"].partition("!")[2] for one in unread] == ["book.xlsx"]


def test_missing_file_is_told(tmp_path: Path, labelled: MemoryRegister) -> None:
    _, unread = _scan(tmp_path / "none.txt", labelled)
    assert "cannot be opened" in unread[0]["reason"]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"\xed\xa0\x80"])
def test_empty_or_odd_text_gives_nothing(
    content: bytes, tmp_path: Path, labelled: MemoryRegister
) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes(content)
    assert _scan(path, labelled)[0] == []


def test_processes_find_the_same(tmp_path: Path, labelled: MemoryRegister) -> None:
    path = tmp_path / "list.csv"
    path.write_text(BODY * 50)
    alone = list(scan_paths([path], labelled, processes=1))[:-1]
    together = list(scan_paths([path], labelled, processes=2))[:-1]
    assert alone == together


def test_progress_reaches_the_end(tmp_path: Path, labelled: MemoryRegister) -> None:
    path = tmp_path / "list.csv"
    path.write_text(BODY)
    seen: list[tuple[int, int]] = []
    list(scan_paths([path], labelled, progress=lambda done, all_: seen.append((done, all_))))
    assert seen[-1][0] == seen[-1][1] == path.stat().st_size


class TestSifted:
    """The same files, with the sieve in front: the same results."""

    @pytest.fixture
    def sieve(self, labelled: MemoryRegister) -> Sieve:
        pytest.importorskip("numba", reason="needs the scan extra")
        return sieve_of(labelled.everything())

    @pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030"])
    def test_chunks_of_a_file_lose_nothing(
        self,
        charset: str,
        tmp_path: Path,
        labelled: MemoryRegister,
        sieve: Sieve,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(chunks, "CHUNK", 4000)
        rng = random.Random(charset)
        rows = [
            f"{i:05} 王某某,1390000{i % 10000:04},南京{'长' * rng.randrange(60)}"
            for i in range(900)
        ]
        for at in rng.sample(range(900), 60):
            rows[at] = rng.choice(("快递 19340271865 到", "1934\n0271\n865", "单怡涵 苏州市"))
        body = "\n".join(rows).encode(charset)
        (tmp_path / "list.txt").write_bytes(body)
        (tmp_path / "list.txt.gz").write_bytes(gzip.compress(body))
        for name in ("list.txt", "list.txt.gz"):
            alone = list(scan_paths([tmp_path / name], labelled, processes=1))[:-1]
            sifted = list(scan_paths([tmp_path / name], labelled, sieve=sieve, processes=1))
            assert sifted[:-1] == alone
            assert len(alone) > 50
            assert sifted[-1]["summary"]["lines"] == body.count(b"\n")  # type: ignore[index]

    def test_line_without_end_is_left_to_blocks(
        self,
        tmp_path: Path,
        labelled: MemoryRegister,
        sieve: Sieve,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(chunks, "CHUNK", 3000)
        monkeypatch.setattr(chunks, "LINE_LIMIT", 2000)
        body = "行\n" * 2000 + ("号" * 500 + "19340271865") * 40
        (tmp_path / "a.txt").write_text(body)
        (tmp_path / "a.txt.gz").write_bytes(gzip.compress(body.encode()))
        for name in ("a.txt", "a.txt.gz"):
            *results, _ = scan_paths([tmp_path / name], labelled, sieve=sieve, processes=1)
            assert [(one["line"], one["start"]) for one in results] == [
                (2001, 500 + i * 511) for i in range(40)
            ]

    def test_endless_line_is_looked_at_by_windows(
        self,
        tmp_path: Path,
        labelled: MemoryRegister,
        sieve: Sieve,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(texts, "BLOCK", 30_000)
        monkeypatch.setattr(texts, "_LINE_LIMIT", 30_000)
        path = tmp_path / "line.txt"
        path.write_text(("号" * 979 + "19340271865") * 200)
        *results, _ = scan_paths([path], labelled, sieve=sieve, processes=1)
        assert [one["start"] for one in results] == [979 + i * 990 for i in range(200)]

    def test_line_of_another_charset_is_found(
        self, tmp_path: Path, labelled: MemoryRegister, sieve: Sieve
    ) -> None:
        path = tmp_path / "mixed.txt"
        path.write_bytes("中文\n".encode() * 40 + "单怡涵 苏州\n".encode("gbk") + b"\xff\xfe\x80\n")
        *results, last = scan_paths([path], labelled, sieve=sieve, processes=1)
        assert {one["line"] for one in results} == {41}
        assert "no text in any charset" in str(last)


@pytest.mark.parametrize("filling", ["\n", " ", "1"])
def test_filling_is_passed_over_and_counted(
    filling: str, tmp_path: Path, labelled: MemoryRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 5000)
    path = tmp_path / "filled.txt"
    path.write_text("甲\n" + filling * 20_000 + f"\n{BODY}")
    sieve = sieve_of([labelled.values([1])[1]])
    *results, last = scan_paths([path], labelled, sieve=sieve, processes=1)
    first = path.read_text().count("\n") - 1
    assert [one["line"] for one in results] == [first, first + 1]
    assert last["summary"]["lines"] == path.read_text().count("\n")  # type: ignore[index]
