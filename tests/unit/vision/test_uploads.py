from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from linewatch.errors import ConfigurationError
from linewatch.settings import Settings
from producer.contract import Reason
from tests.support.pictures import encoded, texture
from vision.errors import Unjudgeable
from vision.pictures import Pictures
from vision.uploads import UploadStore

PICTURE = encoded(Image.fromarray(texture(40, 30)), "PNG")


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path / "up", max_bytes=len(PICTURE), max_pixels=1200)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_worker_reads_what_was_uploaded_and_the_same_bytes_are_one_file(tmp_path: Path) -> None:
    settings = Settings(image_roots=(tmp_path,), upload_dir=tmp_path / "up")
    store = UploadStore.from_settings(settings)
    with ThreadPoolExecutor(8) as pool:
        kept = set(pool.map(lambda _: store.put(PICTURE), range(16)))
    (upload,) = kept
    assert upload.sha256 == hashlib.sha256(PICTURE).hexdigest()
    assert Pictures.from_settings(settings).read(upload.uri).data == PICTURE
    assert len(files(tmp_path)) == 1


def test_pieces_are_taken_as_they_come_and_no_more_than_allowed(store: UploadStore) -> None:
    pieces = [PICTURE[:100], PICTURE[100:]]
    assert store.put(iter(pieces), size=len(PICTURE)).size == len(PICTURE)
    taken = []

    def endless() -> object:
        while True:
            taken.append(1)
            yield PICTURE

    with pytest.raises(Unjudgeable) as refused:
        store.put(endless())  # type: ignore[arg-type]
    assert refused.value.reason is Reason.TOO_LARGE
    assert len(taken) == 2


@pytest.mark.parametrize(
    ("data", "said", "reason", "words"),
    [
        (b"", {}, Reason.EMPTY, "nothing came"),
        (b"no picture at all", {}, Reason.NOT_AN_IMAGE, "not one of PNG"),
        (PICTURE[:-20], {}, Reason.CORRUPT, "end"),
        (PICTURE[:-20], {"size": len(PICTURE)}, Reason.HASH_MISMATCH, "cut off; send it again"),
        (PICTURE, {"sha256": "0" * 64}, Reason.HASH_MISMATCH, "send it again"),
        (encoded(Image.new("L", (41, 30)), "PNG"), {}, Reason.TOO_LARGE, "MAX_IMAGE_PIXELS"),
    ],
)
def test_what_is_not_taken_leaves_nothing_behind(
    store: UploadStore,
    tmp_path: Path,
    data: bytes,
    said: dict[str, object],
    reason: Reason,
    words: str,
) -> None:
    with pytest.raises(Unjudgeable, match=words) as refused:
        store.put(data, **said)  # type: ignore[arg-type]
    assert refused.value.reason is reason
    assert files(tmp_path) == []


def test_a_folder_from_which_no_worker_reads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="set LINEWATCH_UPLOAD_DIR"):
        UploadStore.from_settings(Settings(image_roots=(tmp_path,)))
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "out").symlink_to(tmp_path)
    outside = Settings(image_roots=(tmp_path / "root",), upload_dir=tmp_path / "root" / "out")
    with pytest.raises(ConfigurationError, match="beneath none of LINEWATCH_IMAGE_ROOTS"):
        UploadStore.from_settings(outside)


_FULL_DISK = """
import resource, sys
from pathlib import Path
from vision.uploads import UploadStore
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
store = UploadStore(Path(sys.argv[1]), max_bytes=10**6, max_pixels=10**6)
try:
    store.put(sys.stdin.buffer.read())
except OSError:
    print("no room")
"""


def test_a_picture_for_which_there_is_no_room_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _FULL_DISK, str(tmp_path)]
    done = subprocess.run(command, input=PICTURE, capture_output=True, timeout=60)
    assert done.stdout == b"no room\n", done.stderr.decode()
    assert files(tmp_path) == []
