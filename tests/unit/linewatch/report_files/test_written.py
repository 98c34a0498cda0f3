"""Files are written whole, over nothing that was there, and where they can be."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from linewatch.errors import ConfigurationError, ReportError
from linewatch.report_files.formats import NEEDS, format_of
from linewatch.report_files.written import refuse_taken, write_whole


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A disk that is full, as far as this process can tell."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_is_there_is_replaced_only_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    write_whole(path, b"one", replace=False)
    with pytest.raises(ReportError, match=r"r.csv' exists; .* --force"):
        write_whole(path, b"two", replace=False)
    assert path.read_bytes() == b"one"
    with path.open("rb") as reader:
        write_whole(path, b"three", replace=True)
        assert reader.read() == b"one", "who reads it has all of the old one"
    assert path.read_bytes() == b"three"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(b"old")
    with files_no_larger_than(64), pytest.raises(ReportError, match="cannot be written: File too"):
        write_whole(path, b"x" * 100_000, replace=True)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_where_no_file_can_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for path, words in {
        tmp_path / "folder.csv": "is a folder",
        tmp_path / "none" / "r.csv": "there is no folder",
        tmp_path / f"{'x' * 300}.csv": "cannot be a file",
        tmp_path / "nul\x00.csv": "cannot be a file",
    }.items():
        with pytest.raises(ReportError, match=words) as caught:
            write_whole(path, b"", replace=False)
        assert "\x00" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]
    with pytest.raises(ReportError, match="no ordinary file"):
        refuse_taken(Path("/dev/null"), replace=True)


def test_the_ending_says_the_format() -> None:
    for ending in NEEDS:
        assert format_of(Path(f"a.b.{ending.upper()}")) == ending


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("r.xls", r"ends with '\.xls'; a report is written to .*\.xlsx, \.html; .* mean 'xlsx'"),
        ("r", r"has no ending; a report is written to \.csv, \.json, \.parquet"),
        (".csv", "has no ending"),
        ("r.pdf", r"ends with '\.pdf'; a report is written to"),
    ],
)
def test_an_unknown_ending_is_told_the_known_ones(name: str, words: str) -> None:
    with pytest.raises(ReportError, match=words):
        format_of(Path(name))


@pytest.mark.parametrize(("name", "module"), [("r.parquet", "pyarrow"), ("r.xlsx", "xlsxwriter")])
def test_a_missing_package_is_named_with_its_extra(
    name: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=rf"{module}.*pip install 'linewatch\[reports\]'"):
        format_of(Path(name))
    format_of(Path("r.html"))
