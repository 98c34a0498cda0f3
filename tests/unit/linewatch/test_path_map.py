from __future__ import annotations

import pytest

from linewatch.settings import Settings
from linewatch.settings.path_map import PathMap

MAP = PathMap.parse(
    r"C:/pics=/data/pics; \\Server\Share = /mnt/share ;c:/pics/new=/data/new;D:/=/d"
)


@pytest.mark.parametrize(
    ("uri", "here"),
    [
        (r"C:\pics\a\b.png", "/data/pics/a/b.png"),
        ("c:/PICS/Part.PNG", "/data/pics/Part.PNG"),
        (r"C:\pics\new\x.png", "/data/new/x.png"),
        (r"C:\pics\a\..\b.png", "/data/pics/b.png"),
        ("file:///C:/pics/a%20b%23.png", "/data/pics/a b#.png"),
        (r"\\SERVER\share\x\y.png", "/mnt/share/x/y.png"),
        ("//server/share/x.png", "/mnt/share/x.png"),
        ("file://server/share/x.png", "/mnt/share/x.png"),
        (r"D:\x.png", "/d/x.png"),
    ],
)
def test_a_path_of_a_windows_pc_is_found_here(uri: str, here: str) -> None:
    assert MAP.local(uri) == here


@pytest.mark.parametrize(
    "uri",
    [
        r"C:\pics\..\..\etc\passwd",
        r"C:\pics\..\other\x.png",
        r"C:\picsold\x.png",
        r"E:\x.png",
        r"\\server\share2\x.png",
        "file:///C:/pics/%2e%2e/x.png",
        "/data/C:/pics/x.png",
        "/data/pics/x.png",
        "//nfs/pics/x.png",
        "file:///data/x.png",
        "s3://bucket/C:/pics/x.png",
    ],
)
def test_what_is_not_mapped_stays_as_it_is(uri: str) -> None:
    assert MAP.local(uri) == uri


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pics=/data", "begins with no folder of a Windows PC"),
        ("C:/pics", "begins with no folder|names no absolute folder"),
        ("C:/pics=data", "names no absolute folder of this machine"),
        (r"C:/pics=/a;c:\Pics\=/b", "named twice"),
    ],
)
def test_a_map_that_cannot_be_read_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PathMap.parse(text)
    with pytest.raises(ValueError, match=words):
        Settings(path_map=text)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("s3_buckets", "Pictures", "no bucket's name"),
        ("s3_buckets", "pictures/../others", "no bucket's name"),
        ("s3_endpoint_url", "http://key:secret@s3:9000", "s3_secret_key"),
        ("s3_access_key", "key", "need each other"),
    ],
)
def test_settings_of_a_bucket_that_cannot_be_used(name: str, value: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings(**{name: value})
