from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from linewatch.errors import WeightsError
from linewatch.settings import Settings
from vision.compact import write_compact
from vision.extractor import FeatureExtractor
from vision.weights import describe, find_weights, folder_for


def checksums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_two_processes_at_once_write_one_folder(
    tmp_path: Path, extractor: FeatureExtractor, weights_dir: Path
) -> None:
    script = (
        "import sys; from pathlib import Path; from vision.compact import write_compact\n"
        "print('ready', flush=True); sys.stdin.readline(); write_compact(Path(sys.argv[1]))\n"
    )
    folder = tmp_path / "compact-v1"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", script, str(folder)]
    processes = [subprocess.Popen(command, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:  # both have imported everything, and begin together
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert checksums(folder) == checksums(weights_dir / "compact-v1")
    assert [path.name for path in tmp_path.iterdir()] == ["compact-v1"]
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in folder.rglob("*"))


def test_every_surface_says_stand_ins(extractor: FeatureExtractor, weights_dir: Path) -> None:
    assert extractor.describe() == "compact stand-ins (untrained)"
    assert describe(Settings(weights_dir=weights_dir)) == extractor.describe()
    assert describe(Settings(weights_dir=weights_dir / "nothing yet")) == extractor.describe()


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match="LINEWATCH_WEIGHTS_DIR"):
        write_compact(tmp_path / "file" / "compact-v1")


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    settings = Settings(weights_dir=tmp_path)
    folder_for(settings).joinpath("clip").mkdir(parents=True)
    with pytest.raises(WeightsError, match=r"holds no clip/open_clip_config\.json"):
        find_weights(settings)
    assert [path.name for path in tmp_path.rglob("*")] == ["compact-v1", "clip"]
