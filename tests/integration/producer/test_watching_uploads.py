"""Copies that pause, programs that give a file its full size first, damaged pictures."""

import itertools
import logging
import threading
import time
from pathlib import Path

import pytest

from linewatch.settings import Settings
from producer.camera import Camera
from producer.folder.wholeness import Patience, Writer, examination
from producer.watch import WatchOptions
from tests.integration.producer.test_watching import camera, folder, names, watching
from tests.support.judge import Judge
from tests.support.uploads import Upload, encoded, run_all
from tests.support.waiting import until

__all__ = ["camera", "folder"]

PAUSE_S = 1.0  # longer than a file must rest, shorter than anybody's patience
UPLOADS = [
    Upload(name, sized_first, reopened)
    for (name, sized_first), reopened in itertools.product(
        [
            ("a.bmp", True),
            ("a.jpg", True),
            ("a.png", True),
            ("a.tif", True),
            ("a.webp", True),
            ("lzw.tif", True),
            ("a.jpg", False),
            ("a.bmp", False),
            ("exif.jpg", False),
            ("a.tif", False),
            ("big.tif", False),
        ],
        [False, True],
    )
]


@pytest.mark.parametrize(("local", "polling"), [(True, False), (False, False), (False, True)])
def test_a_copy_that_pauses_is_handed_over_once_and_whole(
    folder: Path, camera: Camera, monkeypatch: pytest.MonkeyPatch, local: bool, polling: bool
) -> None:
    if not local:  # a network folder: no kernel tells who writes there
        monkeypatch.setattr(examination, "writer_of", lambda path: Writer.UNKNOWN)
    options = WatchOptions(patience=Patience(0.3, 3, 20), polling=polling)
    whole: dict[str, bool] = {}
    with watching(folder, camera, options) as accepted:
        run_all(UPLOADS, folder, PAUSE_S)
        written = time.time()
        until(lambda: len(accepted) >= len(UPLOADS), timeout_s=30)
        late_s = time.time() - written
        time.sleep(0.5)  # a second one would come now
        for upload in UPLOADS:
            seen = (folder / upload.file_name).read_bytes()
            whole[upload.file_name] = seen == encoded(upload.name)
    assert sorted(names(camera)) == sorted(upload.file_name for upload in UPLOADS)
    assert all(whole.values())
    assert {picture.supersedes for picture in accepted} == {None}
    assert {picture.unfinished for picture in accepted} == {""}
    assert late_s < 3


def test_what_is_handed_over_is_on_disk_whole(folder: Path, camera: Camera) -> None:
    """Not only later: at the moment when it was accepted."""
    upload = Upload("a.jpg", sized_first=True)
    with watching(folder, camera) as accepted:
        paused, go_on = threading.Event(), threading.Event()

        def pause(_: float) -> None:
            paused.set()
            go_on.wait(30)

        thread = threading.Thread(target=upload.run, args=(folder, 0, pause))
        thread.start()
        paused.wait(30)
        time.sleep(1.2)
        assert accepted == []
        go_on.set()
        thread.join()
        until(lambda: len(accepted) == 1)


def test_a_damaged_picture_is_handed_over_late_and_not_never(
    folder: Path, camera: Camera, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="producer.watch")
    with watching(folder, camera, WatchOptions(patience=Patience(0.2, 0.2, 1.5))) as accepted:
        (folder / "cut.jpg").write_bytes(encoded("a.jpg")[:-500])
        (folder / "empty.png").touch()
        began = time.monotonic()
        with (folder / "held.png").open("wb") as writer:
            writer.write(encoded("a.png"))
            writer.flush()
            until(lambda: len(accepted) == 3)
        assert time.monotonic() - began > 1.3
    why = {picture.path.name: picture.unfinished for picture in accepted}
    assert why["cut.jpg"] == "the JPEG has no end marker"
    assert why["empty.png"] == "it is empty"
    assert why["held.png"] == "a program has it open for writing"
    assert caplog.text.count("may be unfinished") == 3


def test_the_rest_of_a_picture_replaces_what_was_not_sent(
    folder: Path, camera: Camera, caplog: pytest.LogCaptureFixture
) -> None:
    data = encoded("a.jpg")
    with watching(folder, camera, WatchOptions(patience=Patience(0.2, 0.2, 0.6))) as accepted:
        (folder / "a.jpg").write_bytes(data[:3000])
        until(lambda: len(accepted) == 1)
        (folder / "a.jpg").write_bytes(data)
        until(lambda: len(accepted) == 2)
    first, second = accepted
    assert (second.supersedes, second.unfinished) == (first.id, "")
    assert [row["id"] for row in camera.spool.export()] == [str(second.id)]
    assert camera.spool.count() == 1
    assert f"replaces {first.id}, which was not sent yet" in caplog.text
    assert f"supersedes {first.id}" in caplog.text


def test_the_copy_of_a_replaced_picture_goes_with_it(folder: Path, make_settings: object) -> None:
    assert callable(make_settings)
    settings: Settings = make_settings(redis_url="redis://127.0.0.1:1/0", spool_copy=True)
    data = encoded("a.jpg")
    with Camera("line-1", "cam-2", "cable", settings=settings) as camera:
        options = WatchOptions(patience=Patience(0.2, 0.2, 0.6))
        with watching(folder, camera, options) as accepted:
            (folder / "a.jpg").write_bytes(data[:3000])
            until(lambda: len(accepted) == 1)
            (folder / "a.jpg").write_bytes(data)
            until(lambda: len(accepted) == 2)
        assert [p.read_bytes() for p in camera.spool.pictures_folder.iterdir()] == [data]


def test_a_sent_picture_is_superseded_and_both_are_judged(
    folder: Path, redis_url: str, make_settings: object
) -> None:
    assert callable(make_settings)
    settings: Settings = make_settings(redis_url=redis_url)
    data = encoded("a.jpg")
    with Judge(redis_url) as judge, Camera("l", "c", "cable", settings=settings) as camera:
        options = WatchOptions(patience=Patience(0.2, 0.2, 0.6))
        with watching(folder, camera, options) as accepted:
            (folder / "a.jpg").write_bytes(data[:3000])
            until(lambda: len(judge.pictures) == 1)
            (folder / "a.jpg").write_bytes(data)
            until(lambda: len(judge.pictures) == 2)
        assert [picture.supersedes for picture in accepted] == [None, accepted[0].id]


def test_one_name_for_every_part_loses_none(folder: Path, camera: Camera) -> None:
    """Each looked whole: the next is another part, and the earlier one is not taken back."""
    with watching(folder, camera) as accepted:
        for part in range(3):
            (folder / "now.png").write_bytes(encoded("a.png", 20 + part))
            until(lambda: len(accepted) == part + 1)  # noqa: B023 - called at once
    assert [row["id"] for row in camera.spool.export()] == [str(p.id) for p in accepted]
    assert [p.supersedes for p in accepted] == [None, accepted[0].id, accepted[1].id]


def test_a_deleted_name_that_is_used_again_supersedes_nothing(folder: Path, camera: Camera) -> None:
    with watching(folder, camera) as accepted:
        for part in range(2):
            (folder / "001.png").write_bytes(encoded("a.png", 20 + part))
            until(lambda: len(accepted) == part + 1)  # noqa: B023 - called at once
            (folder / "001.png").unlink()
            time.sleep(0.4)
    assert [picture.supersedes for picture in accepted] == [None, None]
