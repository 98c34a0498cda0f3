"""A watched folder: nothing half-written, nothing missed, nothing twice."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from linewatch.errors import SubmissionError
from linewatch.settings import Settings
from producer.camera import Camera
from producer.folder.wholeness import Patience
from producer.watch import FolderWatch, HandedOver, WatchOptions
from tests.support.waiting import until

AWAY = "redis://127.0.0.1:1/0"  # nothing listens there: what is handed over stays in the spool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


@pytest.fixture
def camera(make_settings: Callable[..., Settings]) -> Iterator[Camera]:
    with Camera("line-1", "cam-2", "cable", settings=make_settings(redis_url=AWAY)) as made:
        yield made


@contextmanager
def watching(
    folder: Path, camera: Camera, options: WatchOptions | None = None
) -> Iterator[list[HandedOver]]:
    """Watches a folder; yields what was handed over."""
    stop = threading.Event()
    accepted: list[HandedOver] = []
    options = options or WatchOptions(patience=Patience(0.3))
    watch = FolderWatch(folder, camera, options, on_accepted=accepted.append)
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    time.sleep(0.3)  # until the kernel reports changes
    try:
        yield accepted
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def names(camera: Camera) -> list[str]:
    return [Path(row["uri"]).name for row in camera.spool.export()]


def test_half_written_picture_waits(folder: Path, camera: Camera) -> None:
    with watching(folder, camera):
        with (folder / "slow.png").open("wb") as writer:
            for _ in range(8):
                writer.write(b"x" * 1000)
                writer.flush()
                time.sleep(0.15)
                assert names(camera) == []
        until(lambda: names(camera) == ["slow.png"])
    assert names(camera) == ["slow.png"]


def test_rename_into_place_is_seen_without_settling(folder: Path, camera: Camera) -> None:
    with watching(folder, camera, WatchOptions(patience=Patience(30))):
        (folder / "quick.png.tmp").write_bytes(b"picture")
        (folder / "quick.png.tmp").rename(folder / "quick.png")
        (folder / ".slow.png").write_bytes(b"picture")
        time.sleep(1)
        (folder / ".slow.png").rename(folder / "slow.png")
        until(lambda: sorted(names(camera)) == ["quick.png", "slow.png"])


def test_rename_from_another_folder(folder: Path, tmp_path: Path, camera: Camera) -> None:
    (tmp_path / "a.png").write_bytes(b"picture")
    with watching(folder, camera):
        (tmp_path / "a.png").rename(folder / "a.png")
        until(lambda: names(camera) == ["a.png"])


def test_pictures_that_came_while_nobody_watched(folder: Path, camera: Camera) -> None:
    (folder / "before.png").write_bytes(b"1")
    with watching(folder, camera):
        until(lambda: names(camera) == ["before.png"])
        (folder / "during.png").write_bytes(b"2")
        until(lambda: names(camera) == ["before.png", "during.png"])
    (folder / "between.png").write_bytes(b"3")
    with watching(folder, camera):
        until(lambda: len(names(camera)) == 3)
        time.sleep(0.7)  # a double would come now
    assert names(camera) == ["before.png", "during.png", "between.png"]


def test_a_changed_file_is_a_new_picture(folder: Path, camera: Camera) -> None:
    with watching(folder, camera):
        (folder / "a.png").write_bytes(b"1")
        until(lambda: names(camera) == ["a.png"])
        (folder / "a.png").write_bytes(b"22")
        until(lambda: names(camera) == ["a.png", "a.png"])


def test_what_is_no_picture_is_left_alone(folder: Path, camera: Camera) -> None:
    with watching(folder, camera):
        for name in ("a.png.tmp", ".b.png", "c.part", "d.png~", "e.txt", "sub/f.png"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(b"x")
        (folder / "g.png").mkdir()
        (folder / "last.png").write_bytes(b"x")
        until(lambda: names(camera) == ["last.png"])
        time.sleep(0.5)
    assert names(camera) == ["last.png"]


@pytest.mark.parametrize("polling", [False, True])
def test_sub_folders_part_numbers_and_polling(folder: Path, camera: Camera, polling: bool) -> None:
    options = WatchOptions(
        recursive=True,
        patience=Patience(0.3),
        polling=polling,
        part_pattern=re.compile(r"SN(?P<part>\d+)_(?P<lot>L\d+)"),
    )
    with watching(folder, camera, options):
        (folder / "shift 1").mkdir()
        time.sleep(0.3)
        (folder / "shift 1" / "SN0017_L4.png").write_bytes(b"x")
        (folder / "unnumbered.png").write_bytes(b"x")
        until(lambda: len(names(camera)) == 2)
    rows = {Path(row["uri"]).name: row for row in camera.spool.export()}
    assert (rows["SN0017_L4.png"]["part"], rows["SN0017_L4.png"]["lot"]) == ("0017", "L4")
    assert "part" not in rows["unnumbered.png"]


def test_a_full_spool_delays_and_loses_nothing(
    folder: Path, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(redis_url=AWAY, spool_max_pictures=2, spool_when_full="reject")
    with Camera("line-1", "cam-2", "cable", settings=settings) as camera:
        with watching(folder, camera):
            for i in range(4):
                (folder / f"{i}.png").write_bytes(b"x")
                time.sleep(0.01)
            until(lambda: len(names(camera)) == 2)
            time.sleep(0.5)
            with camera.spool.write() as db:  # as if receipts had come
                db.execute("DELETE FROM pictures")
            until(lambda: len(names(camera)) == 2)
        assert names(camera) == ["2.png", "3.png"]


def test_ledger_forgets_files_that_are_gone(folder: Path, camera: Camera) -> None:
    def known() -> int:
        with camera.spool.read() as db:
            return int(db.execute("SELECT count(*) FROM ledger").fetchone()[0])

    with watching(folder, camera):
        (folder / "a.png").write_bytes(b"x")
        (folder / "b.png").write_bytes(b"x")
        until(lambda: known() == 2)
    (folder / "a.png").unlink()
    with watching(folder, camera):
        until(lambda: known() == 1)


def test_a_name_that_is_not_utf_8_loses_no_other(folder: Path, camera: Camera) -> None:
    """The listener cannot say such a name, and drops what came with it."""
    with watching(folder, camera) as accepted:
        for i in range(5):
            (folder / os.fsdecode(b"caf\xe9-%d.png" % i)).write_bytes(b"x")
            (folder / f"{i}.png").write_bytes(b"x")
        until(lambda: len(accepted) == 10, 20)
        (folder / "last.png").write_bytes(b"x")
        until(lambda: len(accepted) == 11, 20)


def test_a_folder_that_cannot_be_watched_is_one_sentence(tmp_path: Path, camera: Camera) -> None:
    with pytest.raises(SubmissionError, match=r"none cannot be watched: .*--polling"):
        FolderWatch(tmp_path / "none", camera).run(threading.Event())
