"""Which names are pictures, and when a file is complete."""

import os
import sqlite3
from dataclasses import replace
from pathlib import Path, PurePath

import pytest

from producer.admission import Entry
from producer.folder.scan import scan
from producer.folder.settling import Settling
from producer.folder.wholeness import Content, Examination, Patience, Writer
from producer.ledger import SeenFile, content, record, unknown
from producer.names import PictureNames, pictures_in
from producer.spool import Spool
from producer.superseding import earlier


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
        ("upload.part/a.png", False),
        ("shift 1/a.png", True),
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


PATIENCE = Patience(settle_s=0.5, unsure_s=2, unfinished_s=10)


class Looks:
    """What an examination finds, file by file; whole and closed unless it is said otherwise."""

    def __init__(self) -> None:
        self.found: dict[Path, Examination] = {}

    def __call__(self, path: Path) -> Examination:
        return self.found.get(path, Examination(Content.WHOLE, Writer.NONE))


def complete(settling: Settling) -> list[str]:
    return [settled.file.path.name for settled in settling.complete()]


def test_a_growing_file_waits_until_it_rests(tmp_path: Path) -> None:
    clock = Clock()
    settling = Settling(PATIENCE, clock, Looks())
    file = tmp_path / "a.png"
    file.write_bytes(b"half")
    settling.look(file)
    clock.now = 0.4
    assert complete(settling) == []
    with file.open("ab") as writer:
        writer.write(b"more")
    clock.now = 0.6  # no event came for the second write; its size tells
    assert complete(settling) == []
    clock.now = 1.05
    assert complete(settling) == []
    clock.now = 1.2
    assert [s.file for s in settling.complete()] == [SeenFile.look(file)]
    settling.done(SeenFile.look(file))
    assert complete(settling) == []


def test_a_rename_needs_no_wait_and_an_empty_file_a_long_one(tmp_path: Path) -> None:
    clock = Clock()
    settling = Settling(PATIENCE, clock)
    renamed, empty = tmp_path / "r.png", tmp_path / "e.png"
    renamed.write_bytes(b"x")
    empty.touch()
    settling.look(renamed, renamed=True)
    settling.look(empty)
    assert complete(settling) == ["r.png"]
    settling.done(SeenFile.look(renamed))
    clock.now = 9.9
    assert complete(settling) == []
    clock.now = 10.5
    assert [s.unfinished for s in settling.complete()] == ["it is empty"]


def test_a_file_that_becomes_whole_without_a_new_size_or_time(tmp_path: Path) -> None:
    clock, looks = Clock(), Looks()
    settling = Settling(PATIENCE, clock, looks)
    file = tmp_path / "a.png"
    file.write_bytes(b"x")
    looks.found[file] = Examination(Content.PARTIAL, Writer.UNKNOWN, "no IEND")
    settling.look(file)
    for clock.now in (1, 2, 3):
        assert complete(settling) == []
    looks.found[file] = Examination(Content.UNSURE, Writer.UNKNOWN)
    clock.now = 4
    assert [s.unfinished for s in settling.complete()] == [""]


def test_a_file_that_changes_while_nobody_takes_it_waits_anew(tmp_path: Path) -> None:
    clock = Clock()
    settling = Settling(PATIENCE, clock, Looks())
    file = tmp_path / "a.png"
    file.write_bytes(b"x")
    settling.look(file)
    clock.now = 0.6
    assert complete(settling) == ["a.png"]  # and the spool has no room
    file.write_bytes(b"xx")
    clock.now = 0.7
    assert complete(settling) == []
    clock.now = 1.3
    assert [s.file for s in settling.complete()] == [SeenFile.look(file)]


def test_what_is_live_goes_first_then_the_order_of_time_and_vanished_ones_not(
    tmp_path: Path,
) -> None:
    clock, looks = Clock(), Looks()
    settling = Settling(PATIENCE, clock, looks)
    for name, when in (("b.png", 1), ("a.png", 3), ("c.png", 2), ("gone.png", 0), ("live.png", 9)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (when, when))
        settling.look(tmp_path / name, live=name.startswith("live"))
    assert settling.backlog() == 4
    (tmp_path / "gone.png").unlink()
    clock.now = 1
    assert complete(settling) == ["live.png", "b.png", "c.png", "a.png"]
    settling.look(tmp_path / "a.png")  # an event for what a scan had found
    assert complete(settling)[:2] == ["a.png", "live.png"]
    assert settling.backlog() == 2


def test_a_scan_follows_links_once_and_leaves_hidden_folders(tmp_path: Path) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    for file in (
        tree / "a.png",
        tree / "sub/b.png",
        tree / ".hidden/c.png",
        tree / "x.part/d.png",
        outside / "e.png",
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    (tree / "0-link").symlink_to(outside)
    (tree / "0-again").symlink_to(tree / "sub")  # the folder itself has precedence
    (tree / "sub/loop").symlink_to(tree)
    (tree / "dangling.png").symlink_to(tmp_path / "nowhere")
    names = PictureNames()
    found = sorted(file.path.relative_to(tree) for file in scan(tree, names, recursive=True))
    assert found == [Path("0-link/e.png"), Path("a.png"), Path("sub/b.png")]
    flat = list(scan(tree, names, recursive=False))
    assert flat == [SeenFile.look(tree / "a.png")]


def test_the_ledger_is_asked_for_many_files_at_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db")
    files = [SeenFile(tmp_path / f"{i}.png", i, 1) for i in range(1200)]
    with spool.write() as db:
        record(db, files[::2])
    changed = replace(files[0], size=2)
    assert unknown(spool, [*files, changed]) == [*files[1::2], changed]
    assert unknown(spool, []) == []
    spool.close()


def test_only_what_was_never_sent_is_taken_out_of_the_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db")
    file = SeenFile(tmp_path / "a.png", 1, 1, unfinished=True)
    for sent, held in ((0, ["b"]), (1, ["a", "b"])):
        with spool.write() as db:
            db.execute("DELETE FROM pictures")
        entries = [
            Entry(id=id_, line="l", product="p", image="{}", seen=file) for id_ in ("a", "b")
        ]
        spool.add(entries[:1])
        with spool.write() as db:  # sent once, and due again: the workers may have it
            db.execute("UPDATE pictures SET attempts = ?", (sent,))
        spool.add(entries[1:])
        with spool.read() as db:
            assert [row[0] for row in db.execute("SELECT id FROM pictures ORDER BY seq")] == held
    spool.close()


@pytest.mark.parametrize("not_even_handed_over", [False, True])
def test_a_spool_of_an_older_program_gains_what_is_missing(
    tmp_path: Path, not_even_handed_over: bool
) -> None:
    path = tmp_path / "spool.db"
    Spool(path).close()
    db = sqlite3.connect(path)
    db.execute("DROP TABLE ledger_contents")  # a build of this release had the other one already
    if not_even_handed_over:
        db.execute("DROP TABLE handed_over")
    db.close()
    spool = Spool(path)
    assert earlier(spool, tmp_path / "a.png") is None
    assert content(spool, tmp_path / "a.png") is None
    spool.close()
