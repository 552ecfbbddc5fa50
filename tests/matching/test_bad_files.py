"""Damaged, locked and odd files: what can be read is read, the rest is told in one line."""

import base64
import bz2
import gzip
import io
import lzma
import quopri
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import openpyxl
import py7zr
import pytest
from fpdf import FPDF

from canary.domain.identifiers import BaitValues
from canary.matching import workbooks
from canary.matching.paths import Result, scan_paths
from canary.matching.register import MemoryRegister
from canary.matching.unfolding import Limits

BODY = "单号,电话\n一,193-4027-1865\nx,YT2047183659012,沈阳\n"
PHONE, NUMBER = "19340271865", "YT2047183659012"
MANY = BODY + "".join(f"{row:x}\n" for row in range(3000))


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


def _zip(**members: str | bytes) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stored.getvalue()


def _streamed_zip() -> bytes:
    """Pack as a pipe does: the sizes follow each member."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", BODY)
        archive.writestr("b.csv", BODY)
    return pipe.getvalue()


LOCKED_ZIP = base64.b64decode(
    "UEsDBAoACQAAAAAAIQBB0Qv9HAAAABAAAAAFAAAAYS50eHQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABQSwcI"
    "QdEL/RwAAAAQAAAAUEsBAh4DCgAJAAAAAAAhAEHRC/0cAAAAEAAAAAUAAAAAAAAAAQAAAKSBAAAAAGEudHh0UEsFBgAA"
    "AAABAAEAMwAAAE8AAAAAAA=="
)


def _workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["姓名", "电话"])
    sheet.append(["某人", int(PHONE)])
    stored = io.BytesIO()
    book.save(stored)
    return stored.getvalue()


def _seven(password: str | None = None) -> bytes:
    stored = io.BytesIO()
    with py7zr.SevenZipFile(stored, "w", password=password) as archive:
        archive.writestr(BODY, "list.csv")
    return stored.getvalue()


def _tar(
    kind_of_tar: int, first: bytes = BODY.encode(), kind: bytes = tarfile.REGTYPE, name: str = "一"
) -> bytes:
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w", format=kind_of_tar) as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "first"
        archive.addfile(link)
        for called, content, sort in (
            (name, first, tarfile.REGTYPE), ("second", BODY.encode(), kind)
        ):  # fmt: skip
            member = tarfile.TarInfo(called)
            member.size, member.type = len(content), sort
            archive.addfile(member, io.BytesIO(content))
    return stored.getvalue()


def _pdf(password: str = "") -> bytes:
    pdf = FPDF()
    pdf.set_font("helvetica")
    pdf.add_page()
    pdf.cell(text=f"call {PHONE}")
    if password:
        pdf.set_encryption(owner_password=password + "o", user_password=password)
    return bytes(pdf.output())


def _mail(body: bytes = b"") -> bytes:
    subject = base64.b64encode(f"单号 {NUMBER}".encode("gbk")).decode()
    text = quopri.encodestring(f"电话 {PHONE}".encode("gbk"))
    packed = base64.encodebytes(_zip(**{"a.csv": BODY}))
    return (
        f"From: a@example.org\nTo: b@example.org\nSubject: =?gbk?B?{subject}?=\n".encode()
        + b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=X\n\n--X\n"
        b"Content-Type: text/plain; charset=gbk\nContent-Transfer-Encoding: quoted-printable\n\n"
        + text
        + b"\n--X\nContent-Type: application/zip; name=a.zip\n"
        b"Content-Disposition: attachment; filename=a.zip\nContent-Transfer-Encoding: base64\n\n"
        + packed
        + b"--X--\n"
    )


def _mailbox() -> bytes:
    return b"".join(b"From a@example.org Mon Jan  1 00:00:00 2026\n" + _mail() for _ in range(2))


def _surrogates() -> bytes:
    pairs = "".join(chr(0x1D7CE + int(digit)) for digit in PHONE).encode("utf-16-be")
    units = [int.from_bytes(pairs[at : at + 2], "big") for at in range(0, len(pairs), 2)]
    return "".join(map(chr, units)).encode("utf-8", "surrogatepass")


def _nested(depth: int) -> bytes:
    inner = _zip(**{"deep.csv": BODY})
    for _ in range(depth):
        inner = _zip(**{"in.zip": inner, "near.csv": BODY})
    return inner


# name: content, kinds found in order of place, what is said not to be read
CASES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty": (lambda: b"", "", ""),
    "mark alone": (lambda: b"\xef\xbb\xbf", "", ""),
    "binary": (lambda: bytes(range(256)) * 40 + bytes(4000), "", "binary"),
    "binary without zeros": (lambda: Random(4).randbytes(9000).replace(b"\0", b"x"), "", "binary"),
    "zero in a text": (lambda: BODY.replace("x", "\0").encode(), "phone number", ""),
    "cut zip": (lambda: _zip(a=BODY, b=BODY)[:-80], "phone number " * 2, "cut or damaged"),
    "cut member": (lambda: _zip(a=BODY, b=MANY)[:1500], "phone number " * 2, "cut or damaged"),
    "cut streamed zip": (lambda: _streamed_zip()[:-60], "phone number " * 2, "cut or damaged"),
    "no zip": (lambda: b"PK\x03\x04" + bytes(500), "", "cut or damaged"),
    "locked zip": (lambda: LOCKED_ZIP, "", "locked with a password"),
    "cut workbook": (lambda: _workbook()[:-300], "phone", "cut or damaged"),
    "workbook called otherwise": (_workbook, "phone", ""),
    "locked workbook": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + workbooks._LOCKED, "",
        "a workbook locked",
    ),
    "damaged old workbook": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "", "no workbook",
    ),
    "cut gzip": (lambda: gzip.compress(MANY.encode())[:-900], "phone number", "cut short"),
    "gzip with a wrong sum": (
        lambda: gzip.compress(MANY.encode())[:-8] + bytes(8), "phone number", "damaged",
    ),
    "bzip2": (lambda: bz2.compress(BODY.encode()) * 2, "phone number " * 2, ""),
    "cut bzip2": (lambda: bz2.compress(MANY.encode())[:-9], "phone number", "cut short"),
    "xz": (lambda: lzma.compress(BODY.encode()) + bytes(8), "phone number", ""),
    "cut xz": (lambda: lzma.compress(MANY.encode())[:-300], "phone number", "cut short"),
    "damaged xz": (lambda: lzma.compress(BODY.encode())[:-9] + bytes(9), "", "damaged"),
    "tar": (lambda: _tar(tarfile.GNU_FORMAT), "phone number " * 2, ""),
    "tar of another kind": (lambda: _tar(tarfile.PAX_FORMAT), "phone number " * 2, ""),
    "packed tar": (lambda: gzip.compress(_tar(tarfile.USTAR_FORMAT)), "phone number " * 2, ""),
    "zip in tar": (lambda: _tar(tarfile.GNU_FORMAT, _zip(a=BODY)), "phone number " * 2, ""),
    "cut tar": (lambda: _tar(tarfile.GNU_FORMAT)[:2600], "phone number " * 2, ""),
    "tar cut in a member": (
        lambda: _tar(tarfile.GNU_FORMAT, MANY.encode())[:9000], "phone number", "cut or damaged",
    ),
    "tar of a wrong sum": (
        lambda: _tar(tarfile.GNU_FORMAT).replace(b"second", b"damage"), "phone number",
        "cut or damaged",
    ),
    "tar with holes": (
        lambda: _tar(tarfile.GNU_FORMAT, kind=tarfile.GNUTYPE_SPARSE), "phone number", "holes",
    ),
    "locked 7z": (lambda: _seven("secret"), "", "7z archive locked"),
    "cut 7z": (lambda: _seven()[:-40], "", "damaged 7z"),
    "locked pdf": (lambda: _pdf("secret"), "", "PDF locked"),
    "cut pdf": (lambda: _pdf()[:300], "", "damaged PDF"),
    "rar": (lambda: b"Rar!\x1a\x07\x01\x00" + bytes(60), "", "RAR"),
    "nested too deep": (lambda: _nested(6), "phone number " * 5, "nested too deep"),
    "7z in zip": (lambda: _zip(a=_seven()), "phone number", ""),
    "mail": (_mail, "number phone phone number", ""),
    "mailbox": (_mailbox, "number phone phone number " * 2, ""),
    "cut mail": (lambda: _mail()[:420], "number phone", "mail cut short"),
    "broken json": (lambda: f'{{"a": "{PHONE}"}}\n{{"b": {NUMBER}'.encode(), "phone number", ""),
    "escaped surrogates": (
        lambda: rb'{"a": "\ud800 \u0031\u0039340271865 \udc00"}', "phone", "",
    ),
    "surrogates in utf-8": (lambda: b"a " + _surrogates() + b" \xed\xa0\x80 b\n", "phone", ""),
    "no charset": (
        lambda: "中文\n".encode() * 40 + "中文\n".encode("gbk") + b"\xff\xfe\x81 " + PHONE.encode(),
        "phone", "no text in any",
    ),
    "three charsets": (
        lambda: f"中文 {PHONE}\n".encode() + f"中文 {NUMBER}\n".encode("gbk")
        + f"繁體 {PHONE}\n".encode("big5"), "phone number phone", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bad_file_is_read_as_far_as_it_goes(
    name: str, tmp_path: Path, labelled: MemoryRegister
) -> None:
    content, kinds, told = CASES[name]
    path = tmp_path / "thing.txt"
    path.write_bytes(content())
    results, unread = _scan(path, labelled)
    assert [one["kind"] for one in results] == kinds.split()
    assert [told in one["reason"] and "\n" not in one["reason"] for one in unread[-1:]] == (
        [True] if told else []
    )


def test_surrogates_take_one_place_each(tmp_path: Path, labelled: MemoryRegister) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes("开头 ".encode() + b"\xed\xa0\x80 " + _surrogates())
    (result,), _ = _scan(path, labelled)
    assert (result["start"], result["end"]) == (5, 16)


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_in_tar_are_told(kind: int, tmp_path: Path, labelled: MemoryRegister) -> None:
    path, name = tmp_path / "thing.tar", "长/" * 90 + "名单.csv"
    path.write_bytes(_tar(kind, name=name))
    results, _ = _scan(path, labelled)
    assert {one["path"] for one in results} == {f"{path}!{name}", f"{path}!second"}


OLD_WORKBOOK = (
    "eNrtWE1oE0EU/maTND80v6ZCK5RQsNbaQ5NarYd2taA9WaoUtCJoanOQllSCPejFasxJBMGT4qXQi5eqF3/Qg94UhI"
    "o9CEIhUW+eBAUPbdb3XnYxqR4a0PrDfMt88/bNezNvd97M/rxajBbn7rWUsAYDcKFs+dFQpVNU/M5JBNRuWSw6tY+K"
    "pfFPwe+jiWzw4HHwpZfnkOe7BAN33c+IgXdUjuMMhqezmcQGYlBiSCuOoZ9Y4RZpQmiWqGLCp4Q3Cd8RyyfCe0VzVb"
    "ifbIvqGBbN4c4+O4uPGm3SFgL3+0B83oomiSY85yy+cE1VbD3Ylzudnvo7G1rdjZgHzdtQJpvJpaeKiNMEzuOLlQA+"
    "Oyv1aULrN1avQPqvtXrvT/TXDTcwC+ukJHgBAbxwyQSr1MwKOsAnXKh1aSw4SlXvzPKVMDA2mureuTvZ17Ord093Mh"
    "XgjVkWcqRmIQclwRuJJxAWOSppHqGteuX2p9cHx0fME6KZlc27ssVv5ahg4SJ7kHNIWiQwse0U3iF8SXrdInKLcJyS"
    "k+r2kSZbOJAXm8vS2k7j9AiWzG1VcgfJhY+HHrYW3pvbSV4YKp2PL7wx59BGj5wJ8ucjjy7VpW7eYDwynVrZ28GycP"
    "MPW4PPiNixW/ZzLIxVBESMClfO+O4o216tsXfRXVBiAXzIx12xQbYyxKu2V0N6ZR4wYrjPAm1I3xGAhoaGhoaGhoaG"
    "xh+Dsl/q+fWeX/s99qeD1/6vs0qlrH+T/Lc4jGk6ztKH6X5kqc7hXF35sxke5fSl1unj/C9kHKHRc5jEuMQxWXf+0q"
    "efqr6edTtGft0Sqnf8cj1x/ubxvwE1C8OY"
)


def test_old_workbook_cell_is_located(tmp_path: Path, labelled: MemoryRegister) -> None:
    path = tmp_path / "book.xls"
    path.write_bytes(zlib.decompress(base64.b64decode(OLD_WORKBOOK)))
    results, _ = _scan(path, labelled)
    places = [(one["sheet"], one["row"], one["column"]) for one in results]
    assert places == [("甲", 2, 2), ("甲", 3, 1)]


def test_panic_of_the_reader_is_told(tmp_path: Path, labelled: MemoryRegister) -> None:
    """Its panics are no Exceptions: cut within a record, this one ended the whole scan."""
    raw = bytearray(zlib.decompress(base64.b64decode(OLD_WORKBOOK)))
    rng, told = Random(3), set()
    path = tmp_path / "book.xls"
    for _ in range(60):
        damaged = raw[:]
        for at in rng.sample(range(len(raw)), 10):
            damaged[at] = rng.randrange(256)
        path.write_bytes(damaged[: -rng.randrange(1, 600)])
        told |= {one["reason"] for one in _scan(path, labelled)[1]}
    assert any("damaged workbook" in one for one in told)


BOMBS = {
    "ratio of a zip": (lambda: _zip(z=b" \n" * 400_000, a=BODY), Limits(ratio=2)),
    "ratio of a gzip": (lambda: gzip.compress(b" \n" * 400_000), Limits(ratio=2)),
    "ratio of a bzip2": (lambda: bz2.compress(b" \n" * 400_000), Limits(ratio=2)),
    "ratio of an xz": (lambda: lzma.compress(b" \n" * 400_000), Limits(ratio=2)),
    "members of a tar": (lambda: _tar(tarfile.GNU_FORMAT), Limits(members=1)),
    "in all": (lambda: _zip(z=b" \n" * 400_000), Limits(expanded=200_000)),
    "members": (lambda: _zip(a=BODY, b="", c=""), Limits(members=2)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_stopped_and_told(
    name: str, tmp_path: Path, labelled: MemoryRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("canary.matching.unfolding._LEAST", 1000)
    content, limits = BOMBS[name]
    path = tmp_path / "bomb"
    path.write_bytes(content())
    *results, last = scan_paths([path], labelled, limits=limits, processes=1)
    assert len(results) == (2 if name in {"ratio of a zip", "members", "members of a tar"} else 0)
    assert str(last).count("the rest is left unread") == 1
