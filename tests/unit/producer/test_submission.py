"""What is checked before a picture is accepted, and the spool's own copies."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from linewatch.errors import SubmissionError
from linewatch.settings import Settings
from producer import copies
from producer.submission import Station, Submission, to_entry

STATION = Station("line-1", "cam-2", "cable")


def test_entry_follows_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = to_entry(Submission("a.png", part="SN1", lot="L1"), STATION, None, None)
    image = json.loads(made.image)
    assert image["uri"] == str(tmp_path / "a.png")
    assert (image["part"], image["lot"], image["camera"]) == ("SN1", "L1", "cam-2")
    assert datetime.fromisoformat(image["captured_at"]).tzinfo is not None
    assert "attempt" not in image


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"part": "x" * 201}, "part"),
        ({"part": "a\nb"}, "part"),
        ({"lot": ""}, "lot"),
        ({"captured_at": datetime(2026, 1, 1)}, "captured_at"),  # noqa: DTZ001
        ({"path": "/" + "x" * 5000}, "uri"),
    ],
)
def test_unusable_fields_are_named(fields: dict[str, object], names: str) -> None:
    with pytest.raises(SubmissionError, match=names):
        to_entry(Submission(**{"path": "/a.png", **fields}), STATION, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "x" * 65, "a\x00b"])
def test_unusable_names_are_named(name: str) -> None:
    with pytest.raises(SubmissionError, match="camera"):
        Station.checked("line-1", name, "cable")


def test_file_name_that_is_not_utf8_travels_as_uri() -> None:
    made = to_entry(Submission(os.fsdecode(b"/data/\xff.png")), STATION, None, None)
    assert json.loads(made.image)["uri"] == "file:///data/%FF.png"


def test_copy_is_exact_and_hashed(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(os.urandom(3_000_000))
    made = to_entry(Submission(source), STATION, None, tmp_path / "copies")
    image = json.loads(made.image)
    source.unlink()
    copy = Path(image["uri"])
    assert copy.parent == tmp_path / "copies"
    assert copy.name == made.copy == f"{made.id}.png"
    assert image["sha256"] == hashlib.sha256(copy.read_bytes()).hexdigest()
    assert made.copy_bytes == 3_000_000


def test_copy_of_a_missing_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"gone\.png cannot be copied"):
        to_entry(Submission(tmp_path / "gone.png"), STATION, None, tmp_path / "copies")
    assert list((tmp_path / "copies").iterdir()) == []


def test_a_pipe_with_a_pictures_name_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    refused: list[SubmissionError] = []

    def submit() -> None:
        try:
            to_entry(Submission(tmp_path / "pipe.png"), STATION, None, tmp_path / "copies")
        except SubmissionError as error:
            refused.append(error)

    thread = threading.Thread(target=submit, daemon=True)
    thread.start()
    thread.join(5)
    assert "not a regular file" in str(refused[0])
    assert list((tmp_path / "copies").iterdir()) == []


@pytest.mark.parametrize("often", [1, 99])
def test_a_copy_is_of_one_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, often: int
) -> None:
    """The camera writes the next picture under the same name while the first is copied."""
    source = tmp_path / "a.bmp"
    source.write_bytes(b"a" * 3_000_000)
    chunks, times = copies._chunks, []

    def written_meanwhile(path: Path) -> Iterator[bytes]:
        for number, chunk in enumerate(chunks(path)):
            if number == 1 and len(times) < often:
                times.append(number)
                source.write_bytes(b"bc"[len(times) % 2 :][:1] * 3_000_000)
            yield chunk

    monkeypatch.setattr(copies, "_chunks", written_meanwhile)
    if often > 1:
        with pytest.raises(SubmissionError, match="submit it when it is whole"):
            to_entry(Submission(source), STATION, None, tmp_path / "copies")
        assert list((tmp_path / "copies").iterdir()) == []
        return
    made = to_entry(Submission(source), STATION, None, tmp_path / "copies")
    assert len(set(Path(json.loads(made.image)["uri"]).read_bytes())) == 1
    assert made.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()


def test_each_station_has_its_own_spool(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    names = ["a", "a-b", "a/b", "a_b", "a b", "ä", "..", "."]
    paths = {Station(line, cam, "p").spool_path(settings) for line in names for cam in names}
    assert len(paths) == len(names) ** 2
    assert {p.parent for p in paths} == {tmp_path / "spool"}
    assert all(not p.name.startswith(".") for p in paths)
