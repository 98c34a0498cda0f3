"""Folders that appear in a watched tree, and a watch that starts while pictures come."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linewatch.settings import Settings
from producer.camera import Camera
from producer.folder import scan as folder_scan
from producer.folder.wholeness import Patience
from producer.ledger import SeenFile, record
from producer.names import PictureNames
from producer.watch import WatchOptions
from tests.integration.producer.test_watching import AWAY, camera, folder, names, watching
from tests.support.uploads import encoded
from tests.support.waiting import until

__all__ = ["camera", "folder"]

TREE = WatchOptions(recursive=True, patience=Patience(0.3))
AT_ONCE_S = 5  # far below the minute after which everything is scanned again


def put(folder: Path, count: int = 3) -> list[str]:
    """Whole pictures, some in a sub-folder; returns their names."""
    (folder / "sub").mkdir(parents=True)
    paths = [
        (folder / "sub" if i % 2 else folder) / f"{folder.name.strip('.')}-{i}.png"
        for i in range(count)
    ]
    for path in paths:
        path.write_bytes(encoded("a.png", 20))
    return sorted(path.name for path in paths)


def test_a_folder_moved_into_the_tree(folder: Path, tmp_path: Path, camera: Camera) -> None:
    expected = put(tmp_path / "batch", 10)
    (folder / "deep").mkdir()
    with watching(folder, camera, TREE):
        (tmp_path / "batch").rename(folder / "deep" / "batch")
        until(lambda: sorted(names(camera)) == expected, AT_ONCE_S)
        (folder / "deep" / "batch" / "sub" / "later.png").write_bytes(encoded("a.png", 20))
        until(lambda: sorted(names(camera)) == sorted([*expected, "later.png"]), AT_ONCE_S)


def test_a_tree_made_in_one_go(folder: Path, camera: Camera) -> None:
    with watching(folder, camera, TREE):
        expected = sorted(put(folder / "a/b/c/one") + put(folder / "a/b/two") + put(folder / "3"))
        until(lambda: sorted(names(camera)) == expected, AT_ONCE_S)


def test_a_folder_that_gets_its_name_when_it_is_complete(folder: Path, camera: Camera) -> None:
    with watching(folder, camera, TREE):
        put(folder / ".upload")
        put(folder / "next.part")
        time.sleep(1)
        assert names(camera) == []
        (folder / ".upload").rename(folder / "one")
        (folder / "next.part").rename(folder / "two")
        until(lambda: len(names(camera)) == 6, AT_ONCE_S)
        (folder / "one").rename(folder / "three")  # other paths: for the worker, other files
        until(lambda: len(names(camera)) == 9, AT_ONCE_S)


def test_a_link_to_a_folder(folder: Path, tmp_path: Path, camera: Camera) -> None:
    expected = put(tmp_path / "elsewhere")
    other = put(tmp_path / "other")
    (folder / "old").symlink_to(tmp_path / "other")
    with watching(folder, camera, TREE):
        until(lambda: sorted(names(camera)) == other, AT_ONCE_S)
        (folder / "link").symlink_to(tmp_path / "elsewhere")
        until(lambda: len(names(camera)) == 6, AT_ONCE_S)
        (folder / "link" / "sub" / "later.png").write_bytes(encoded("a.png", 20))
        until(lambda: len(names(camera)) == 7, AT_ONCE_S)
        (folder / "link").unlink()
        expected += put(tmp_path / "third")
        (folder / "link").symlink_to(tmp_path / "third")
        until(lambda: len(names(camera)) == 10, AT_ONCE_S)
        (folder / "link" / "last.png").write_bytes(encoded("a.png", 20))
        until(lambda: len(names(camera)) == 11, AT_ONCE_S)
        time.sleep(0.5)
    assert sorted(names(camera)) == sorted([*other, *expected, "later.png", "last.png"])


def test_a_flat_watch_looks_into_no_folder(folder: Path, tmp_path: Path, camera: Camera) -> None:
    put(tmp_path / "batch")
    with watching(folder, camera):
        (tmp_path / "batch").rename(folder / "batch")
        (folder / "last.png").write_bytes(encoded("a.png", 20))
        until(lambda: names(camera) == ["last.png"])
        time.sleep(0.7)
    assert names(camera) == ["last.png"]


def test_what_comes_while_the_first_scan_runs_is_not_missed(
    folder: Path, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan has read the folder when the picture comes: only a listener can know of it."""
    real = folder_scan.scan

    def slow(at: Path, picture_names: PictureNames, *, recursive: bool) -> Iterator[SeenFile]:
        found = list(real(at, picture_names, recursive=recursive))
        (folder / "during.png").write_bytes(encoded("a.png", 20))
        yield from found

    monkeypatch.setattr(folder_scan, "scan", slow)
    (folder / "before.png").write_bytes(encoded("a.png", 20))
    with watching(folder, camera):
        until(lambda: sorted(names(camera)) == ["before.png", "during.png"], AT_ONCE_S)


def test_a_scan_that_hangs_holds_up_no_picture(
    folder: Path, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def hanging(*_: object, **__: object) -> Iterator[SeenFile]:
        done.wait(30)
        yield from ()

    monkeypatch.setattr(folder_scan, "scan", hanging)
    with watching(folder, camera):
        (folder / "live.png").write_bytes(encoded("a.png", 20))
        until(lambda: names(camera) == ["live.png"], AT_ONCE_S)
        done.set()


@pytest.mark.parametrize("handed_over", [True, False])
def test_a_full_folder_delays_no_new_picture(
    folder: Path, camera: Camera, handed_over: bool
) -> None:
    """1,000 pictures lie there, handed over long ago or not; a new one comes every 0.1 s."""
    data = encoded("a.png", 20)
    for i in range(1000):
        (folder / f"old-{i:04}.png").write_bytes(data)
    if handed_over:
        with camera.spool.write() as db:
            record(db, [SeenFile.look(path) for path in folder.iterdir()])
    made: dict[str, float] = {}
    late: dict[str, float] = {}
    options = WatchOptions(patience=Patience(0.2))
    with watching(folder, camera, options) as accepted:
        looked_at = 0
        while len(late) < 20:
            if len(made) < 20:
                new = folder / f"new-{len(made)}.png"
                new.with_suffix(".tmp").write_bytes(data)
                new.with_suffix(".tmp").rename(new)
                made[new.name] = time.monotonic()
            time.sleep(0.1)
            for picture in accepted[looked_at:]:
                looked_at += 1
                if picture.path.name in made:
                    late[picture.path.name] = time.monotonic() - made[picture.path.name]
        until(lambda: len(accepted) == 20 + 1000 * (not handed_over), 60)
    assert max(late.values()) < 2


def _replace(path: Path, data: bytes, how: str) -> None:
    """Another picture of the same size under the same name, with the first one's time."""
    was = path.stat()
    target = path
    if how == "renamed":
        target = path.with_name(".next.tmp")
    elif how == "deleted before":
        path.unlink()
        time.sleep(0.5)
    target.write_bytes(data)
    os.utime(target, ns=(was.st_atime_ns, was.st_mtime_ns))
    if how == "renamed":
        target.rename(path)


@pytest.mark.parametrize("copies", [False, True])
def test_another_picture_of_the_same_size_and_time_is_handed_over(
    folder: Path, make_settings: Callable[..., Settings], copies: bool
) -> None:
    """A clock of 2 s, as on FAT, or a copy that keeps the time."""
    first = encoded("a.bmp", 20)
    second = first[:-600] + bytes(255 - value for value in first[-600:])
    settings = make_settings(redis_url=AWAY, spool_copy=copies)
    with (
        Camera("line-1", "cam-2", "cable", settings=settings) as camera,
        watching(folder, camera) as accepted,
    ):
        hows = {folder / f"{how}.bmp": how for how in ("written over", "renamed", "deleted before")}
        for path in hows:
            path.write_bytes(first)
        until(lambda: len(accepted) == 3, AT_ONCE_S)
        for path, how in hows.items():
            _replace(path, second, how)
        until(lambda: len(accepted) == 6, AT_ONCE_S)
        for path, how in hows.items():
            _replace(path, second, how)
        time.sleep(0.8)  # the same picture once more would come now
        assert [picture.path for picture in accepted].count(path) == 2
        assert len(accepted) == 6


def test_a_link_back_into_the_tree_doubles_nothing(folder: Path, camera: Camera) -> None:
    (folder / "sub").mkdir()
    (folder / "old").symlink_to(folder)
    with watching(folder, camera, TREE) as accepted:
        (folder / "loop").symlink_to(folder)
        (folder / "other").symlink_to(folder / "sub")
        time.sleep(0.5)
        (folder / "a.png").write_bytes(encoded("a.png", 20))
        (folder / "sub" / "b.png").write_bytes(encoded("a.png", 20))
        until(lambda: len(accepted) >= 2)
        time.sleep(0.8)  # the same by another path would come now
        assert sorted(one.path for one in accepted) == [folder / "a.png", folder / "sub" / "b.png"]
