"""Which names are pictures, and when a file is complete."""

import os
from pathlib import Path, PurePath

import pytest

from producer.ledger import SeenFile
from producer.names import PictureNames, pictures_in
from producer.settling import Settling


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.png", True),
        ("A.PNG", True),
        ("sub/a.jpeg", True),
        (".a.png", False),
        (".sub/a.png", False),
        ("a.png.tmp", False),
        ("a.png.part", False),
        ("a.png~", False),
        ("a.txt", False),
        ("png", False),
    ],
)
def test_names(name: str, wanted: bool) -> None:
    assert PictureNames().wanted(PurePath(name)) is wanted


@pytest.mark.parametrize("old", ["x.png.tmp", ".x.png.Ab12", "x.tmp", "x.png~", ".x.png"])
def test_unfinished_names_belong_to_their_picture(old: str) -> None:
    assert PictureNames().in_work(PurePath(old))
    assert PictureNames().renamed(PurePath("/d", old), PurePath("/d/x.png"))
    assert not PictureNames().renamed(PurePath("/d", old), PurePath("/d/y.png"))
    assert not PictureNames().renamed(PurePath("/e", old), PurePath("/d/x.png"))


def test_folders_stand_for_their_pictures(tmp_path: Path) -> None:
    for name in ("b.png", "sub/a.jpg", ".hidden/c.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    single = tmp_path / "notes.txt"  # named outright: the person means it
    found = list(pictures_in((tmp_path, single), PictureNames()))
    assert found == [tmp_path / "b.png", tmp_path / "sub/a.jpg", single]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_growing_file_waits_until_it_rests(tmp_path: Path) -> None:
    clock = Clock()
    settling = Settling(0.5, clock)
    file = tmp_path / "a.png"
    file.write_bytes(b"half")
    settling.look(file)
    clock.now = 0.4
    assert settling.complete() == []
    with file.open("ab") as writer:
        writer.write(b"more")
    clock.now = 0.6  # no event came for the second write; its size tells
    assert settling.complete() == []
    clock.now = 1.05
    assert settling.complete() == []
    clock.now = 1.2
    assert settling.complete() == [SeenFile.look(file)]
    settling.done(SeenFile.look(file))
    assert settling.complete() == []


def test_a_rename_needs_no_wait_and_an_empty_file_a_long_one(tmp_path: Path) -> None:
    clock = Clock()
    settling = Settling(0.5, clock)
    renamed, empty = tmp_path / "r.png", tmp_path / "e.png"
    renamed.write_bytes(b"x")
    empty.touch()
    settling.look(renamed, complete=True)
    settling.look(empty)
    assert [f.path for f in settling.complete()] == [renamed]
    settling.done(SeenFile.look(renamed))
    clock.now = 9
    assert settling.complete() == []
    clock.now = 10
    assert [f.path for f in settling.complete()] == [empty]


def test_files_come_in_order_of_time_and_vanished_ones_not_at_all(tmp_path: Path) -> None:
    clock = Clock()
    settling = Settling(0.5, clock)
    for name, when in (("b.png", 1), ("a.png", 3), ("c.png", 2), ("gone.png", 0)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (when, when))
        settling.look(tmp_path / name)
    (tmp_path / "gone.png").unlink()
    clock.now = 1
    assert [f.path.name for f in settling.complete()] == ["b.png", "c.png", "a.png"]
