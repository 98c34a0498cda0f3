"""What spreadsheet programs write is read, or refused in one sentence that says what to do."""

from __future__ import annotations

import pytest

from linewatch.errors import LabelError
from linewatch.labels.file import parse

LINES = ["part,label", "repl-0,good", "repl-1,good", "Müller,good"]
TABLE = [("repl-0", "good"), ("repl-1", "good"), ("Müller", "good")]


def joined(separator: str = ",", end: str = "\r\n", first: str = "part,label") -> str:
    lines = [first.replace(",", separator), *(line.replace(",", separator) for line in LINES[1:])]
    return end.join([*lines, ""])


def pairs(data: bytes) -> list[tuple[str, str]]:
    table = parse(data, "labels.csv")
    return [(row.cells["part"], row.cells["label"]) for row in table.rows]


@pytest.mark.parametrize(
    "data",
    [
        joined().encode(),
        joined().encode("utf-8-sig"),
        joined(";").encode("utf-8-sig"),  # Excel in most of Europe
        joined("\t").encode("utf-16"),  # Excel's "Unicode text"
        b"\xfe\xff" + joined("\t").encode("utf-16-be"),
        joined().encode("utf-16-le"),  # without a mark
        joined(";").encode("utf-16-be"),
        joined().encode("utf-32"),
        joined().encode("cp1252"),  # Excel's "ANSI"
        joined(end="\r").encode(),  # of an old Mac
        joined(end="\n").encode().rstrip(b"\n"),
        joined("\t", "\n").encode(),
        joined("|").encode(),
        ("sep=;\r\n" + joined(";")).encode("cp1252"),
        ('"sep=;"\r\n' + joined(";")).encode("utf-8-sig"),
        ("SEP=\t\n" + joined("\t")).encode(),
        joined().encode() + b"\x1a",  # the end of a DOS file
        "part,label\u200b\n\ufeffrepl-0,good\nrepl-1,\u200bgood\nMüller,good\n".encode(),
        joined(first="Part,Label").encode(),
        joined(first=" PART , LABEL ").encode(),
        joined(first="Serial number,Class").encode(),
        joined(first="serial-no,Defect Class").encode(),
        joined(", ").encode(),  # and what was exported with empty lines and columns at the end:
        ("\r\n\r\n" + joined() + ",\r\n , \r\n\r\n").encode(),
        "part,label,,\r\nrepl-0,good,,\r\nrepl-1,good,,\r\nMüller,good,,\r\n,,,\r\n".encode(),
        '"part","label"\n"repl-0", "good"\n"repl-1","good"\n"Müller","good"\n'.encode(),
        "part,label\n\xa0repl-0,good\xa0\nrepl-1,good\nMüller,good\n".encode(),
        'part,label\n="repl-0",good\n"=""repl-1""",good\nMüller,good\n'.encode(),
        "nr,part,nr,label\n1,repl-0,,good\n2,repl-1,,good\n3,Müller,,good\n".encode(),
    ],
)
def test_what_spreadsheets_write_is_read(data: bytes) -> None:
    assert pairs(data) == TABLE


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"\r\n \r\n", "the file is empty"),
        (b"\xef\xbb\xbf", "must name the columns"),
        (b"PK\x03\x04\x14\x00\x06\x00", "is an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Excel workbook"),
        (b'{"images": []}', "is JSON, not a table"),
        (b' [{"part": 1}]', "is JSON, not a table"),
        (b"<html><table>", "is HTML or XML"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"part,label\r\nP\x001,good\r\n", "line 2: holds a zero byte"),
        ("Müller,label\n".encode() + "Müller,good\n".encode("cp1252"), "line 1 is UTF-8 and"),
        (
            "part,label\rMüller,good\r".encode("cp1252") + "Müller,good\r".encode(),
            "line 3 is UTF-8",
        ),
        (b"part,label\r\nP\x81,good\r\n", "line 2: is neither UTF-8 nor Windows-1252"),
        (b"\xff\xfep\x00a\x00r\x00t\x00,", "line 1: is no UTF-16"),
        (b"repl-0,good\r\n", "its first line must name the columns.*found 'repl-0', 'good'"),
        (b"Teil;Klasse\r\nA;gut\r\n", "'label' column and one of id.*found 'Teil', 'Kl"),
        (b"label\r\ngood\r\n", "one of id, part, uri, sha256; found 'label'"),
        (b"part\r\nA\r\n", "found 'part'"),
        (b"part,label,Label\r\nA,good,cut\r\n", "two columns mean 'label', 'label' and 'Label'"),
        (b"part,serial,label\r\nA,B,good\r\n", "two columns mean 'part', 'part' and 'serial'"),
        (b"part,label\r\nA,good\r\n,cut\r\n", "line 3: the part is missing"),
        (b"part,label\r\nA\r\n", "line 2: the label is missing"),
        (b"sep=;\r\npart;label\r\n\r\nA;\r\n", "line 4: the label is missing"),
        (b"part,label\r\nA,good,a dent, left\r\n", "line 2: has 4 cells and the first line names"),
        (b'part,label\r\nA,good\r\n"B,good\r\nC,good\r\n', "line 3: .*stand in quotes"),
        (b'part,label\r\n"a"b,good\r\n', "line 2: .*stand in quotes"),
        (b'part,label\r\n"' + b"x" * 200_000 + b'",good\r\n', "line 2: field larger"),
    ],
)
def test_the_rest_is_one_sentence_with_its_line(data: bytes, words: str) -> None:
    with pytest.raises(LabelError, match=words) as caught:
        parse(data, "labels.csv")
    assert str(caught.value).startswith("labels.csv")
    assert "\n" not in str(caught.value)


def test_the_first_key_counts_and_other_columns_are_kept_by_their_names() -> None:
    data = b"Picture;part;label;Labeled by;At;Comment;colour\r\n7;P;good;ann;now;n;red\r\n"
    table = parse(data, "x")
    assert (table.key, table.encoding) == ("id", "utf-8")
    assert table.rows[0].cells == {
        "id": "7",
        "part": "P",
        "label": "good",
        "labelled_by": "ann",
        "labelled_at": "now",
        "note": "n",
    }


def test_lines_are_counted_as_an_editor_does() -> None:
    data = b'part,label,note\r\nA,good,"two\r\nlines"\r\n\r\nB,good,\r\n'
    assert [row.line for row in parse(data, "x").rows] == [2, 5]


def test_pictures_alone_need_no_label() -> None:
    assert parse(b"part\nA\n", "x", labelled=False).rows[0].cells == {"part": "A"}
