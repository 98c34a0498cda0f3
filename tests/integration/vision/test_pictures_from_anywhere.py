"""Pictures of an S3 server (moto's, on loopback) and of Windows PCs, and what keeps them away."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from linewatch.doctor import picture_checks
from linewatch.settings import Settings
from producer.contract import Reason
from vision.errors import Unjudgeable
from vision.pictures import Pictures
from vision.s3 import Access, S3Pictures

KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
LIMIT = 1000


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # a second of imports

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **KEYS)
    for bucket in ("pictures", "shared", "secrets"):
        client.create_bucket(Bucket=bucket)
        for key in ("line-1/ä part #1?.png", "line-2/part.png", "line-20/part.png"):
            client.put_object(Bucket=bucket, Key=key, Body=b"picture")
    client.put_object(Bucket="pictures", Key="empty.png", Body=b"")
    client.put_object(Bucket="pictures", Key="exact.png", Body=bytes(LIMIT))
    client.put_object(Bucket="pictures", Key="large.png", Body=bytes(LIMIT + 1))
    yield url
    running.stop()


def settings(url: str, **more: object) -> Settings:
    names = {"s3_access_key": "key", "s3_secret_key": "secret", "s3_region": "us-east-1"}
    allowed = {"s3_buckets": "pictures, shared/line-2"}
    return Settings(**{**names, **allowed, "s3_endpoint_url": url, **more})


def pictures(url: str, **more: object) -> Pictures:
    return Pictures.from_settings(settings(url, max_image_bytes=LIMIT, **more))


def refusal(source: Pictures, uri: str) -> tuple[Reason, str]:
    with pytest.raises(Unjudgeable) as refused:
        source.read(uri)
    return refused.value.reason, refused.value.detail


def test_objects_of_the_buckets_allowed_are_read(server: str) -> None:
    source = pictures(server)
    assert source.read("s3://pictures/line-1/ä part #1?.png").data == b"picture"
    assert source.read("s3://shared/line-2/part.png").data == b"picture"
    assert source.read("s3://pictures/exact.png").data == bytes(LIMIT)
    modified = source.read("s3://pictures/exact.png").mtime_ns / 1e9
    assert abs(modified - time.time()) < 300


@pytest.mark.parametrize(
    ("uri", "reason", "words"),
    [
        ("s3://secrets/line-2/part.png", Reason.OUTSIDE_ROOT, "LINEWATCH_S3_BUCKETS does not name"),
        ("s3://shared/line-1/part.png", Reason.OUTSIDE_ROOT, "LINEWATCH_S3_BUCKETS does not name"),
        ("s3://shared/line-20/part.png", Reason.OUTSIDE_ROOT, "LINEWATCH_S3_BUCKETS does not name"),
        ("s3://shared/line-2/../line-1/part.png", Reason.OUTSIDE_ROOT, "a part that is . or .."),
        ("s3://pictures/../secrets/part.png", Reason.OUTSIDE_ROOT, "a part that is . or .."),
        ("s3://pictures", Reason.OUTSIDE_ROOT, "is not s3://bucket/key"),
        ("s3://pictures/a\nb", Reason.OUTSIDE_ROOT, "is not s3://bucket/key"),
        ("s3://pictures/nothing.png", Reason.MISSING, "does not exist at the S3 server http://"),
        ("s3://pictures/line-1", Reason.NOT_A_FILE, "is a folder"),
        ("s3://pictures/empty.png", Reason.EMPTY, "is empty"),
        ("s3://pictures/large.png", Reason.TOO_LARGE, "LINEWATCH_MAX_IMAGE_BYTES is 1000"),
    ],
)
def test_what_is_not_read_says_why(server: str, uri: str, reason: Reason, words: str) -> None:
    found, detail = refusal(pictures(server), uri)
    assert found is reason
    assert words in detail


def test_without_a_bucket_allowed_no_server_is_asked(tmp_path: Path) -> None:
    reason, detail = refusal(Pictures((tmp_path,), LIMIT), "s3://pictures/x.png")
    assert reason is Reason.OUTSIDE_ROOT
    assert "LINEWATCH_S3_BUCKETS" in detail


@contextmanager
def broken(answer: bytes | None) -> Iterator[str]:
    """A server that answers each request so and hangs up; None: takes it, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            held = []
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                held.append(connection)
                if answer is not None:
                    connection.recv(1 << 16)
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


_CUT = (
    b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\nETag: "x"\r\n'
    b"Last-Modified: Fri, 27 Nov 2026 00:00:00 GMT\r\nConnection: close\r\n\r\nonly this"
)
_REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "did not give s3://pictures/x.png within 1 s"),
        (_CUT, "s3://pictures/x.png"),
        (_REFUSED, "its keys must be allowed to read it"),
        (b"what is this", "cannot be read from the S3 server|did not give"),
    ],
    ids=["dead", "cut off", "refused", "garbage"],
)
def test_a_server_that_fails_ends_in_time_and_says_so(answer: bytes | None, words: str) -> None:
    with broken(answer) as url:
        source = Pictures((), LIMIT, objects=S3Pictures(["pictures"], _access(url), timeout_s=1.0))
        began = time.monotonic()
        with pytest.raises(Unjudgeable, match=words) as refused:
            source.read("s3://pictures/x.png")
    assert refused.value.reason is Reason.UNREADABLE
    assert time.monotonic() - began < 30  # botocore alone would ask for minutes


def _access(url: str) -> Access:
    return Access(url, "us-east-1", "key", "secret")


def test_a_picture_of_a_windows_pc_goes_through_the_checks_of_its_root(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    for folder in (root, other):
        folder.mkdir()
        (folder / "x.png").write_bytes(b"picture")
    (root / "out").symlink_to(other)
    mapped = f"C:/pics={root};D:/pics={other}"
    source = Pictures.from_settings(Settings(image_roots=(root,), path_map=mapped))
    assert source.read(r"C:\pics\x.png").data == b"picture"
    assert source.read("file:///c:/pics/x.png").data == b"picture"
    for uri in (r"C:\pics\out\x.png", r"D:\pics\x.png"):
        assert refusal(source, uri)[0] is Reason.OUTSIDE_ROOT
    for uri in (r"C:\pics\..\x.png", r"\\server\share\x.png", "file://server/share/x.png"):
        reason, detail = refusal(source, uri)
        assert reason is Reason.OUTSIDE_ROOT
        assert "LINEWATCH_PATH_MAP" in detail


def test_doctor_says_which_place_cannot_be_read(server: str, tmp_path: Path) -> None:
    inside = f"C:/a={tmp_path}/a;C:/b=/elsewhere"
    found = settings(
        server,
        s3_buckets="pictures,nothing-there",
        image_roots=(tmp_path, tmp_path / "data/uploads", tmp_path / "gone"),
        data_dir=tmp_path / "data",
        path_map=inside,
        upload_dir="/elsewhere",
    )
    states = {
        f"{f.check}: {f.detail.split()[0]}": str(f.state) for f in picture_checks.places(found)
    }
    # The API's uploads have their folder from the first of them on: until then nothing is wrong.
    assert states[f"image roots: {tmp_path}/data/uploads"] == "ok"
    assert states[f"image roots: {tmp_path}/gone"] == "fail"
    assert states["path map: c:\\a"] == "ok"
    assert states["path map: c:\\b"] == "fail"
    assert states["uploads: LINEWATCH_UPLOAD_DIR:"] == "fail"
    assert states["buckets: s3://pictures"] == "ok"
    assert states["buckets: s3://nothing-there"] == "fail"
