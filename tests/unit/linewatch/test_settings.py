"""Settings: defaults that work, and errors that name the setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from linewatch.errors import ConfigurationError
from linewatch.settings import Settings, get_settings


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_no_settings_at_all_work(tmp_path: Path) -> None:
    settings = Settings()
    assert settings.sql_url == f"sqlite:///{tmp_path}/var/linewatch.db"
    assert settings.redis_client_url.startswith("unix://")
    assert settings.encoders == "compact"


def test_a_deep_data_dir_still_gives_a_usable_socket(tmp_path: Path) -> None:
    deep = Settings(data_dir=tmp_path / ("d" * 120))
    assert len(str(deep.private_redis_socket)) <= 100
    assert deep.private_redis_socket != Settings(data_dir=tmp_path / "e").private_redis_socket


def test_image_roots_are_split_like_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEWATCH_IMAGE_ROOTS", "/a:/b c")
    assert Settings().image_roots == (Path("/a"), Path("/b c"))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LINEWATCH_MAX_BATCH", "many", "LINEWATCH_MAX_BATCH"),
        ("LINEWATCH_PLANT_TIMEZONE", "Mars/Olympus", "Europe/Berlin"),
        ("LINEWATCH_LEASE_RENEWAL_S", "15", "visibility_timeout_s"),
        ("LINEWATCH_RECEIPT_TIMEOUT_S", "inf", "LINEWATCH_RECEIPT_TIMEOUT_S"),
        ("LINEWATCH_RECEIPT_TIMEOUT_S", "nan", "LINEWATCH_RECEIPT_TIMEOUT_S"),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=words):
        get_settings()


def test_a_secret_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "LINEWATCH_DATABASE_URL"
    secret.write_text("postgresql://reader:word@db/linewatch\n")
    monkeypatch.setenv("LINEWATCH_SECRETS_DIR", str(tmp_path))
    assert get_settings().sql_url == "postgresql://reader:word@db/linewatch"
    assert "word" not in repr(get_settings())


def test_an_env_file_of_the_current_folder_is_not_obeyed(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LINEWATCH_MAX_BATCH=7\n")
    assert get_settings().max_batch == 32


def test_the_data_folders_env_file_is_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / ".env").write_text("LINEWATCH_MAX_BATCH=7\n")
    monkeypatch.setenv("LINEWATCH_DATA_DIR", str(data))
    assert get_settings().max_batch == 7


def test_a_named_env_file_is_obeyed_and_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "environment"
    monkeypatch.setenv("LINEWATCH_ENV_FILE", str(named))
    with pytest.raises(ConfigurationError, match=r"LINEWATCH_ENV_FILE: .* is not a file"):
        get_settings()
    named.write_text("LINEWATCH_MAX_BATCH=7\n")
    assert get_settings().max_batch == 7


def test_a_folder_of_secrets_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEWATCH_SECRETS_DIR", "/nowhere/secrets")
    with pytest.raises(ConfigurationError, match="LINEWATCH_SECRETS_DIR: /nowhere/secrets"):
        get_settings()


def test_no_error_shows_a_secret() -> None:
    with pytest.raises(ValueError, match="redis_url") as caught:
        Settings(redis_url="redis://:hunter2/word@host")
    assert "hunter2" not in str(caught.value)


def test_the_database_file_and_its_folder_are_their_owners_alone(tmp_path: Path) -> None:
    from db import migrate, session

    migrate.upgrade(Settings(data_dir=tmp_path / "plant" / "data").sql_url)
    for name, mode in (("plant", 0o700), ("plant/data", 0o700), ("plant/data/linewatch.db", 0o600)):
        assert (tmp_path / name).stat().st_mode & 0o777 == mode, name
    for log in (tmp_path / "plant" / "data").glob("linewatch.db-*"):
        assert log.stat().st_mode & 0o777 == 0o600, log
    session.dispose()
