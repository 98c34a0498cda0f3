"""`linewatch weights`, on small checkpoints that these tests write with the same libraries."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from linewatch.commands.weights import command
from linewatch.errors import WeightsError
from linewatch.settings import Settings, get_settings
from vision.archive import unpack
from vision.checksums import FILES, verify
from vision.extractor import FeatureExtractor

CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 224, "layers": 2, "width": 32, "head_width": 16, "patch_size": 56},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
DINO = {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "patch_size": 56}

Run = Callable[..., str]


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights without about.json, as someone might copy it together."""
    import open_clip
    from transformers import Dinov2Config, Dinov2Model

    folder = tmp_path_factory.mktemp("mirror")
    torch.manual_seed(5)
    (folder / "clip").mkdir()
    save_file(open_clip.CLIP(**CLIP).state_dict(), folder / "clip" / "open_clip_model.safetensors")
    (folder / "clip" / "open_clip_config.json").write_text(json.dumps({"model_cfg": CLIP}))
    Dinov2Model(Dinov2Config(**DINO, image_size=224)).save_pretrained(folder / "dinov2")
    return folder


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("LINEWATCH_WEIGHTS_DIR", str(tmp_path / "plant"))
    monkeypatch.setenv("LINEWATCH_ENCODERS", "full")
    monkeypatch.setenv("LINEWATCH_DEVICE", "cpu")
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


@pytest.fixture
def run(settings: Settings) -> Run:
    """Runs `linewatch weights …` and returns what it printed."""

    def go(*arguments: object) -> str:
        done = CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=True)
        if done.exception:
            raise done.exception
        return done.output

    return go


@pytest.fixture
def archive(run: Run, mirror: Path, tmp_path: Path) -> Path:
    path = tmp_path / "weights.tar"
    run("export", path, "--from", mirror)
    return path


def repacked(archive: Path, change: Callable[[tarfile.TarInfo, bytes], object]) -> Path:
    """The same archive after `change`, which gets each member and returns what becomes of it."""
    path = archive.with_name("changed.tar")
    with tarfile.open(archive) as old, tarfile.open(path, "w") as new:
        for member in old.getmembers():
            data = old.extractfile(member).read()  # type: ignore[union-attr]
            changed = change(member, data)
            if changed is None:
                continue
            info, content = changed  # type: ignore[misc]
            info.size = len(content) if info.isreg() else 0
            new.addfile(info, io.BytesIO(content))
    return path


def test_from_a_folder_through_a_tar_to_another_machine(
    run: Run, mirror: Path, settings: Settings, tmp_path: Path
) -> None:
    folder = settings.local_weights_dir / "full"
    fetched = run("fetch", "--from", mirror)
    assert [line.split()[1] for line in fetched.splitlines()] == [str(folder / f) for f in FILES]
    first = FeatureExtractor.from_settings(settings)
    run("export", tmp_path / "weights.tar")
    shutil.rmtree(folder)
    assert run("import", tmp_path / "weights.tar") == fetched
    again = FeatureExtractor.from_settings(settings)
    assert again.fingerprint == first.fingerprint
    assert again.describe() == first.describe()
    assert run("verify") == fetched
    assert [path.name for path in settings.local_weights_dir.iterdir()] == ["full"]


def test_equal_weights_make_equal_archives(run: Run, mirror: Path, tmp_path: Path) -> None:
    for name in ("one.tar", "two.tar"):
        run("export", tmp_path / name, "--from", mirror)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_verify_names_the_file_that_changed(
    run: Run, mirror: Path, name: str, settings: Settings
) -> None:
    run("fetch", "--from", mirror)
    path = settings.local_weights_dir / "full" / name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(WeightsError, match=name):
        run("verify")


def test_an_archive_that_was_tampered_with_is_refused(
    run: Run, archive: Path, settings: Settings
) -> None:
    def change(member: tarfile.TarInfo, data: bytes) -> object:
        return member, data[:-1] + b"!" if member.name == FILES[3] else data

    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        run("import", repacked(archive, change))
    assert list(settings.local_weights_dir.iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "clip/../../outside", "clip/extra"])
def test_nothing_is_written_that_is_no_file_of_weights(
    run: Run, archive: Path, settings: Settings, name: str
) -> None:
    def change(member: tarfile.TarInfo, data: bytes) -> object:
        if member.name == FILES[0]:
            member.name = name
        return member, data

    with pytest.raises(WeightsError, match="no part of any weights"):
        run("import", repacked(archive, change))
    assert list(settings.local_weights_dir.iterdir()) == []
    assert not (settings.local_weights_dir.parent / "outside").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(run: Run, archive: Path, kind: bytes) -> None:
    def change(member: tarfile.TarInfo, data: bytes) -> object:
        if member.name == FILES[0]:
            member.type, member.linkname = kind, "/etc/passwd"
        return member, data

    with pytest.raises(WeightsError, match="not a plain file"):
        run("import", repacked(archive, change))


def test_an_archive_without_checksums_or_parts_is_refused(run: Run, archive: Path) -> None:
    def bare(member: tarfile.TarInfo, data: bytes) -> object:
        return member, b"{}" if member.name == "about.json" else data

    def torn(member: tarfile.TarInfo, data: bytes) -> object:
        return None if member.name == FILES[1] else (member, data)

    with pytest.raises(WeightsError, match="no checksums"):
        run("import", repacked(archive, bare))
    with pytest.raises(WeightsError, match=f"holds no {FILES[1]}"):
        run("import", repacked(archive, torn))


def test_a_large_text_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tar"
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo("about.json")
        member.size = 5 * 1024**2
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(WeightsError, match="are allowed"):
        unpack(path, tmp_path / "full")


@pytest.mark.parametrize("content", [b"", b"not a tar", b"\x1f\x8b\x08"])
def test_what_is_no_tar_is_refused(run: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(WeightsError, match=r"x\.tar"):
        run("import", tmp_path / "x.tar")
    with pytest.raises(WeightsError, match=r"y\.tar"):
        run("import", tmp_path / "y.tar")


def test_a_cut_off_archive_is_refused(run: Run, archive: Path, settings: Settings) -> None:
    whole = archive.read_bytes()
    for length in (600, len(whole) // 2, len(whole) - 12_000):
        archive.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match=r"weights\.tar"):
            run("import", archive)
    assert list(settings.local_weights_dir.iterdir()) == []


def test_weights_that_are_there_stay_unless_told(
    run: Run, mirror: Path, archive: Path, settings: Settings
) -> None:
    run("fetch", "--from", mirror)
    before = verify(settings.local_weights_dir / "full")
    for arguments in (("fetch", "--from", mirror), ("import", archive)):
        with pytest.raises(WeightsError, match="--replace"):
            run(*arguments)
        run(*arguments, "--replace")
    assert verify(settings.local_weights_dir / "full") == before
    assert [path.name for path in settings.local_weights_dir.iterdir()] == ["full"]


def test_a_source_that_no_library_can_load_is_not_taken(
    run: Run, mirror: Path, settings: Settings, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(mirror, broken)
    (broken / FILES[1]).write_bytes(b"{}")
    with pytest.raises(WeightsError, match="CLIP cannot be loaded"):
        run("fetch", "--from", broken)
    assert not (settings.local_weights_dir / "full").exists()


def test_without_a_hub_fetch_says_what_to_do_in_one_sentence(tmp_path: Path) -> None:
    environment = {
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HOME": str(tmp_path / "hub"),
        "LINEWATCH_WEIGHTS_DIR": str(tmp_path / "plant"),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-m", "linewatch", "weights", "fetch"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("linewatch: the full encoders are neither in")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "plant" / "full").exists()
