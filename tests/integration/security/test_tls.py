"""Redis over TLS: both ends prove who they are, for redis-py and kombu alike."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from linewatch.doctor.diagnosis import examine
from linewatch.errors import QueueUnavailableError
from linewatch.settings import Settings
from producer.camera import Camera
from producer.publisher import Publisher
from tests.support.judge import Judge
from tests.support.redis_server import RedisServer

MakeSettings = Callable[..., Settings]


def openssl(folder: Path, command: str, *more: str) -> None:
    words = ["openssl", *command.split(), *more]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)


def signed(folder: Path, name: str, extension: str) -> None:
    """A key and a certificate for `name`, signed by the folder's authority."""
    request = f"req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr"
    openssl(folder, request, "-subj", f"/CN={name}")
    (folder / f"{name}.ext").write_text(extension)
    authority = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
    files = f"-in {name}.csr -out {name}.pem -extfile {name}.ext"
    openssl(folder, f"x509 -req {authority} {files}")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "stranger"):
        request = f"req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {name}.key -out {name}.pem"
        openssl(folder, request, "-subj", f"/CN={name}")
    signed(folder, "server", "subjectAltName=IP:127.0.0.1\n")
    signed(folder, "client", "extendedKeyUsage=clientAuth\n")
    return folder


@pytest.fixture
def tls_port(certificates: Path, tmp_path: Path) -> Iterator[int]:
    folder = tmp_path / "redis"
    folder.mkdir()
    probe = RedisServer(folder)  # for a free port
    server = RedisServer(
        folder,
        **{
            "tls-port": str(probe.port),
            "tls-cert-file": str(certificates / "server.pem"),
            "tls-key-file": str(certificates / "server.key"),
            "tls-ca-cert-file": str(certificates / "ca.pem"),
            "tls-auth-clients": "yes",
        },
    )
    try:
        server.start()
    except AssertionError as error:
        if "tls-port" in str(error) or "Bad directive" in str(error):
            pytest.skip("this redis-server is built without TLS")
        raise
    yield probe.port
    server.kill()


def test_a_camera_hands_over_and_hears_back_over_tls(
    tls_port: int, certificates: Path, make_settings: MakeSettings
) -> None:
    settings = make_settings(
        redis_url=f"rediss://127.0.0.1:{tls_port}/0",
        redis_ca_cert=certificates / "ca.pem",
        redis_client_cert=certificates / "client.pem",
        redis_client_key=certificates / "client.key",
    )
    with Judge(settings.redis_client_url), Camera("l", "c", "p", settings=settings) as camera:
        camera.submit("/a.png")
        assert camera.wait(20), camera.status()


@pytest.mark.parametrize(
    "files",
    [
        {"redis_ca_cert": "ca.pem"},  # no client certificate
        {  # a server that our authority did not sign
            "redis_ca_cert": "stranger.pem",
            "redis_client_cert": "client.pem",
            "redis_client_key": "client.key",
        },
        {  # a client that Redis's authority did not sign
            "redis_ca_cert": "ca.pem",
            "redis_client_cert": "stranger.pem",
            "redis_client_key": "stranger.key",
        },
    ],
)
def test_a_stranger_on_either_end_is_refused(
    tls_port: int, certificates: Path, make_settings: MakeSettings, files: dict[str, str]
) -> None:
    settings = make_settings(
        redis_url=f"rediss://127.0.0.1:{tls_port}/0",
        **{name: certificates / file for name, file in files.items()},
    )
    publisher = Publisher(settings, "p")
    with pytest.raises(QueueUnavailableError):
        publisher.queue()
    publisher.close()
    assert "LINEWATCH_REDIS_CA_CERT has to name" in of_redis(settings)


def of_redis(settings: Settings) -> str:
    """What `linewatch doctor` says of it."""
    return next(found.detail for found in examine(settings) if found.check == "redis")


def test_advice_is_of_what_is_wrong(make_settings: MakeSettings, tmp_path: Path) -> None:
    users = tmp_path / "users.acl"
    users.write_text("user default off\nuser ann on >word ~* &* +@all\n")
    server = RedisServer(tmp_path, "ann", "word", aclfile=str(users))
    server.start()
    said = of_redis(make_settings(redis_url=f"redis://ann:other@127.0.0.1:{server.port}/0"))
    server.kill()
    assert "has to name a user" in said
    said = of_redis(make_settings(redis_url=f"redis://127.0.0.1:{server.port}/0"))
    assert "is it running" in said
    assert "linewatch up" in of_redis(make_settings(redis_url=""))


def test_a_server_with_another_name_is_refused(
    tls_port: int, certificates: Path, make_settings: MakeSettings
) -> None:
    settings = make_settings(
        redis_url=f"rediss://localhost:{tls_port}/0",  # the certificate says 127.0.0.1
        redis_ca_cert=certificates / "ca.pem",
        redis_client_cert=certificates / "client.pem",
        redis_client_key=certificates / "client.key",
    )
    with (
        redis.Redis.from_url(settings.redis_client_url) as client,
        pytest.raises(redis.exceptions.ConnectionError, match=r"(?i)hostname"),
    ):
        client.ping()
