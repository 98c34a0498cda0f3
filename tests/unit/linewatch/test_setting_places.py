"""Where settings come from: each is shown with its place, and none is missed in silence."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from linewatch.cli import cli
from linewatch.errors import ConfigurationError
from linewatch.import_path import PACKAGES
from linewatch.settings import Settings, get_settings
from linewatch.settings.shown_url import without_secrets

ROOT = Path(__file__).parents[3]
SECRET = "very-secret-word"


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    for name in os.environ:
        if name.startswith("LINEWATCH_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LINEWATCH_UNKNOWN_TOLD", "")  # so that what a test sets is put back
    monkeypatch.setenv("LINEWATCH_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "LINEWATCH_SITE").write_text("plant-1\n")
    monkeypatch.setenv("LINEWATCH_SECRETS_DIR", str(folder))
    return folder


def shown() -> dict[str, tuple[str, str]]:
    done = CliRunner().invoke(cli, ["settings"])
    assert done.exit_code == 0, done.output
    rows = (re.split(r"  +", line.strip()) for line in done.stdout.splitlines())
    return {name: (value, place) for name, value, place in rows}


def test_each_value_is_shown_with_the_place_it_comes_from(
    monkeypatch: pytest.MonkeyPatch, data: Path, secrets: Path
) -> None:
    monkeypatch.setenv("LINEWATCH_MAX_BATCH", "7")
    monkeypatch.setenv("linewatch_folds", "4")  # capitals do not matter
    (data / ".env").write_text("LINEWATCH_MAX_BATCH=8\nexport LINEWATCH_LINGER_MS=9\n")
    (secrets / "LINEWATCH_LINGER_MS").write_text("10")
    found = shown()
    assert found["LINEWATCH_MAX_BATCH"] == ("7", "environment")
    assert found["LINEWATCH_FOLDS"] == ("4", "environment")
    assert found["LINEWATCH_LINGER_MS"] == ("9.0", str(data / ".env"))
    assert found["LINEWATCH_SITE"] == ("plant-1", str(secrets))
    assert found["LINEWATCH_WORKER_THREADS"] == ("32", "default")
    assert found["LINEWATCH_DATABASE_URL"] == (f"sqlite:///{data}/linewatch.db", "default")


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch, secrets: Path) -> None:
    for name, value in {
        "REDIS_URL": f"rediss://worker:{SECRET}@redis:6380/2",
        "DATABASE_URL": f"postgresql://worker:{SECRET}@db/linewatch?password={SECRET}",
        "MODEL_STORE_URL": f"s3://key:{SECRET}@bucket/models",
        "SIGNING_KEYS": f"k1:{SECRET}{SECRET}",
        "FLOWER_BASIC_AUTH": f"ann:{SECRET}",
    }.items():
        (secrets / f"LINEWATCH_{name}").write_text(value)
    found = shown()
    assert SECRET not in str(found)
    assert found["LINEWATCH_REDIS_URL"][0] == "rediss://redis:6380/2"
    assert found["LINEWATCH_DATABASE_URL"][0] == "postgresql://db/linewatch"
    assert found["LINEWATCH_MODEL_STORE_URL"][0] == "s3://bucket/models"
    assert found["LINEWATCH_SIGNING_KEYS"] == ("(hidden)", str(secrets))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://worker:12/very-secret@db/linewatch",  # a raw slash
        "postgresql://worker:very-secret/12@db/linewatch",
        "postgresql://worker:a@very-secret@db/linewatch",
        "postgresql://worker:a#very-secret@db/linewatch",
        "postgresql://worker:a?very-secret@db/linewatch",
        "postgresql://worker:[very-secret@db/linewatch",
        "postgresql://db/linewatch?password=very-secret",
    ],
)
def test_an_address_that_cannot_be_taken_apart_is_hidden(url: str) -> None:
    assert "very-secret" not in without_secrets(url)
    assert without_secrets(url).startswith("postgresql://")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.clear()
    get_settings.cache_clear()
    with caplog.at_level(logging.WARNING):
        get_settings()
    return [record.getMessage() for record in caplog.records]


def test_an_unknown_name_is_told_with_the_nearest_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch, data: Path, secrets: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LINEWATCH_REDSI_URL", "redis://somewhere")
    (data / ".env").write_text(f"LINEWATCH_MAXBATCH=8\nDATABASE_URL={SECRET}\nTZ=UTC\n")
    (secrets / "LINEWATCH_SIGNING_KEY").write_text(SECRET)
    (secrets / "flower_basic_auth").write_text(SECRET)
    (secrets / "somebody_elses").write_text(SECRET)
    (line,) = told(caplog)
    assert "LINEWATCH_REDSI_URL (environment) is no setting: did you mean LINEWATCH_REDIS_URL?" in (
        line
    )
    assert f"LINEWATCH_MAXBATCH ({data}/.env) is no setting: did you mean LINEWATCH_MAX_BATCH?" in (
        line
    )
    assert f"DATABASE_URL ({data}/.env) is no setting: did you mean LINEWATCH_DATABASE_URL?" in line
    assert f"LINEWATCH_SIGNING_KEY ({secrets}) is no setting: did you mean" in line
    assert f"flower_basic_auth ({secrets}) is no setting" in line
    assert line.count("is no setting") == 5
    assert SECRET not in line
    assert told(caplog) == []  # nor by a child process


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINEWATCH_TEST_REDIS_URL", "x"),
        ("LINEWATCH_BENCH_SCALE", "2"),
        ("LINEWATCH_FAULTS_LONG", "1"),
        ("LINEWATCH_PICTURES", "/srv/pictures"),
        ("LINEWATCH_REDIS_SERVICE_HOST", "10.0.0.1"),
        ("LINEWATCH_SERVICE_PORT", "80"),
        ("LINEWATCH_REDIS_PORT", "tcp://10.0.0.1:6379"),
        ("LINEWATCH_REDIS_PORT_6379_TCP_ADDR", "10.0.0.1"),
        ("SOMEBODYS_LINEWATCH_X", "1"),
    ],
)
def test_what_is_no_setting_on_purpose_is_not_told(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(name, value)
    assert told(caplog) == []


def test_a_mistyped_port_is_no_service(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LINEWATCH_METRIC_PORT", "9464")
    (line,) = told(caplog)
    assert "did you mean LINEWATCH_METRICS_PORT?" in line


def test_what_compose_asks_for_is_known() -> None:
    from linewatch.settings import setting_names
    from linewatch.settings.unknown import COMPOSE

    asked = set(re.findall(r"\$\{(LINEWATCH_\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert asked - setting_names() == COMPOSE


def test_every_variable_that_the_code_names_is_known() -> None:
    from linewatch.settings import setting_names
    from linewatch.settings.places import ENVIRONMENT, Place
    from linewatch.settings.unknown import unknown_names

    folders = (*PACKAGES, "linewatch", "benchmarks")
    named = {
        found
        for path in (p for folder in folders for p in (ROOT / folder).rglob("*.py"))
        for found in re.findall(r"[\"']f?(LINEWATCH_[A-Z0-9_]*[A-Z0-9])\b", path.read_text())
    }
    assert {"LINEWATCH_DATA_DIR", "LINEWATCH_GPU_DEVICE"} <= named
    assert unknown_names(setting_names(), [Place(ENVIRONMENT, tuple(named))]) == []


def test_a_program_tells_once_and_its_children_do_not(data: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "from linewatch.settings import get_settings\n"
        "get_settings()\n"
        "sys.exit(subprocess.run([sys.executable, '-m', 'linewatch', 'settings']).returncode)\n"
    )
    environment = {**os.environ, "LINEWATCH_MAXBATCH": "8"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("LINEWATCH_MAXBATCH") == 1
    assert "LINEWATCH_MAXBATCH" not in done.stdout


def test_doctor_names_what_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    from linewatch.doctor import environment_checks
    from linewatch.doctor.findings import State

    (good,) = environment_checks.names(get_settings())
    assert good.state is State.OK
    monkeypatch.setenv("LINEWATCH_MAXBATCH", "8")
    told_before = os.environ["LINEWATCH_UNKNOWN_TOLD"] = "LINEWATCH_MAXBATCH"
    (finding,) = environment_checks.names(get_settings())
    assert finding.state is State.WARN
    assert told_before in finding.detail
    assert "did you mean LINEWATCH_MAX_BATCH?" in finding.detail


def test_doctor_names_two_wheels_with_the_same_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from linewatch.doctor import environment_checks

    assert list(environment_checks.installation(get_settings())) == []
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("linewatch", "linewatch_camera"):  # as pip leaves them
        (tmp_path / f"{name}-0.1.0.dist-info").mkdir()
        metadata = tmp_path / f"{name}-0.1.0.dist-info" / "METADATA"
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    (finding,) = environment_checks.installation(get_settings())
    assert "share their files" in finding.detail


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("/nowhere/secrets", "/nowhere/secrets cannot be read: No such file"),
        (f"/{'x' * 300}", "cannot be read: File name too long"),
        (__file__, "is not a folder"),
    ],
)
def test_a_secrets_folder_that_is_named_must_be_there(
    named: str, words: str, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setenv("LINEWATCH_SECRETS_DIR", named)
    with pytest.raises(ConfigurationError, match=f"LINEWATCH_SECRETS_DIR: .*{words}"):
        get_settings()


def test_a_secrets_folder_with_nothing_mounted_is_refused(secrets: Path) -> None:
    (secrets / "LINEWATCH_SITE").unlink()
    (secrets / "somebody_elses").touch()
    with pytest.raises(ConfigurationError, match=r"holds no file that is called as a setting.*mou"):
        get_settings()


@pytest.mark.parametrize("name", ["LINEWATCH_DATABASE_URL", "linewatch_database_url"])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("folder", "is a folder and not a file"),
        ("dangling", "cannot be read: No such file"),
        ("loop", "cannot be read: "),
        ("outside", "is a link to .*, outside of the folder"),
        ("binary", "cannot be read: it is not UTF-8 text"),
        ("pipe", "is not a file"),
    ],
)
def test_a_secret_that_would_be_passed_over_stops_the_program(
    kind: str, words: str, name: str, secrets: Path, tmp_path: Path
) -> None:
    path = secrets / name
    outside = tmp_path / "elsewhere"
    outside.write_text("sqlite:////x.db")
    {
        "folder": path.mkdir,
        "dangling": lambda: path.symlink_to(secrets / "gone"),
        "loop": lambda: path.symlink_to(path),
        "outside": lambda: path.symlink_to(outside),
        "binary": lambda: path.write_bytes(b"\xff\xfe\x00"),
        "pipe": lambda: os.mkfifo(path),
    }[kind]()
    with pytest.raises(ConfigurationError, match=f"the secret {path} {words}"):
        get_settings()


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_secret_that_may_not_be_read_stops_the_program(secrets: Path) -> None:
    path = secrets / "LINEWATCH_DATABASE_URL"
    path.touch(mode=0o000)
    with pytest.raises(ConfigurationError, match=f"the secret {path} cannot be read: Permission"):
        get_settings()


def test_secrets_as_kubernetes_mounts_them_are_read(secrets: Path) -> None:
    (secrets / "..2026").mkdir()
    (secrets / "..2026" / "LINEWATCH_DATABASE_URL").write_text("sqlite:////x.db")
    (secrets / "..data").symlink_to("..2026")
    (secrets / "LINEWATCH_DATABASE_URL").symlink_to("..data/LINEWATCH_DATABASE_URL")
    assert get_settings().database_url == "sqlite:////x.db"


@pytest.mark.parametrize("name", ["LINEWATCH_SECRETS_DIR", "LINEWATCH_ENV_FILE"])
def test_an_environment_file_cannot_name_where_settings_are(
    name: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / ".env").write_text(f"{name}=/run/secrets\n")
    with pytest.raises(ConfigurationError, match=rf"{name} in .*\.env is not obeyed"):
        get_settings()


def test_an_environment_file_that_is_not_text_is_refused(data: Path) -> None:
    (data / ".env").write_bytes(b"LINEWATCH_SITE=\xff\n")
    with pytest.raises(ConfigurationError, match=r"the settings in .*\.env cannot be read"):
        get_settings()


def test_a_path_that_is_set_to_nothing_is_not_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    optional = [
        name for name, field in Settings.model_fields.items() if field.annotation == (Path | None)
    ]
    assert {"alerts_file", "outputs_file", "spool_dir", "weights_dir", "upload_dir"} <= set(
        optional
    )
    for name in (*optional, "data_dir"):
        monkeypatch.setenv(f"LINEWATCH_{name.upper()}", "")
    empty = Settings()
    assert {name for name in optional if getattr(empty, name) is not None} == set()
    assert empty.data_dir == tmp_path / "var"


def test_a_path_means_the_same_wherever_the_process_goes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("alerts_file", "outputs_file", "products_dir", "spool_dir", "upload_dir"):
        monkeypatch.setenv(f"LINEWATCH_{name.upper()}", "here")
        assert getattr(Settings(), name) == tmp_path / "here", name
