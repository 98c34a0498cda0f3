"""Verdicts by OPC UA: a real server, real clients, the loopback."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, Node, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from pydantic import ValidationError

from examples.plc_ejects import Gate, OpcuaPort
from linewatch.errors import ConfigurationError
from linewatch.services import free_port
from outputs.drivers.opcua import OpcuaDriver
from outputs.drivers.opcua_options import OpcuaOptions
from outputs.options import Place
from tests.support.opcua import nodeset, write_certificate
from tests.support.plc import result, scanning
from tests.support.waiting import until

PLACE = Place(line="line-1")
RESULT = "ns=2;s=line-1.ResultManagement.Results.Result"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of all who take part, a password, and who is trusted."""
    folder = tmp_path_factory.mktemp("plant")
    write_certificate(folder, "server", "urn:linewatch:outputs")
    for name in ("plc", "stranger", "engineer"):
        write_certificate(folder, name, "urn:example:plc")
    write_certificate(folder, "expired", "urn:example:plc", days=-1)
    for trusted, name in (("trusted", "plc"), ("trusted", "expired"), ("users", "engineer")):
        (folder / trusted).mkdir(exist_ok=True)
        shutil.copy(folder / f"{name}.der", folder / trusted)
    (folder / "password").write_text("correct horse\n")
    return folder


def options(plant: Path, **fields: object) -> OpcuaOptions:
    """An OPC UA receiver on a free port."""
    known: dict[str, object] = {
        "name": "gate",
        "port": free_port(),
        "class_codes": {"cut_inner_insulation": 3},
        "beat_s": 0.1,
        "ack_timeout_s": 30,
    }
    if "anonymous" not in fields:
        known |= {
            "certificate": plant / "server.der",
            "private_key": plant / "server.pem",
            "trusted": plant / "trusted",
            "user": "plc",
            "password_file": plant / "password",
            "user_certificates": plant / "users",
        }
    return OpcuaOptions.model_validate({**known, **fields})


@pytest.fixture(scope="module")
def driver(plant: Path) -> Iterator[OpcuaDriver]:
    """A server for a PLC."""
    made = OpcuaDriver(options(plant), PLACE)
    yield made
    made.close()


@pytest.fixture(scope="module")
def dispatcher() -> Iterator[ThreadPoolExecutor]:
    """The thread that delivers; Healthy falls when it ends."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def url(driver: OpcuaDriver) -> str:
    """Where it listens."""
    return f"opc.tcp://127.0.0.1:{driver.options.port}/outputs"


def port_of(driver: OpcuaDriver, plant: Path) -> OpcuaPort:
    """A PLC's client, with the right proof of everything."""
    files = [str(plant / name) for name in ("plc.der", "plc.pem", "server.der")]
    return OpcuaPort(url(driver), "plc", "correct horse", *files)


async def client(
    driver: OpcuaDriver,
    plant: Path,
    who: str | None = "plc",
    *,
    password: str | None = "correct horse",
    user_certificate: str | None = None,
) -> Client:
    """A client with these proofs, not connected yet."""
    made = Client(url(driver), timeout=30, watchdog_intervall=30)  # the machine may be busy
    made.application_uri = "urn:example:plc"
    if who is not None:
        own, key, server = (plant / n for n in (f"{who}.der", f"{who}.pem", "server.der"))
        await made.set_security(
            SecurityPolicyBasic256Sha256, own, key, server_certificate=str(server)
        )
    if user_certificate is not None:
        await made.load_client_certificate(plant / f"{user_certificate}.der")
        await made.load_private_key(plant / f"{user_certificate}.pem")
    elif password is not None:
        made.set_user("plc")
        made.set_password(password)
    return made


def with_client(made: Coroutine[Any, Any, Client], work: Callable[[Client], Any]) -> Any:
    """Connect, and do something."""

    async def run() -> Any:
        async with await made as connected:
            return await work(connected)

    return asyncio.run(run())


def test_a_plc_ejects_a_bad_part_and_lets_a_good_one_pass(
    driver: OpcuaDriver, plant: Path, dispatcher: ThreadPoolExecutor
) -> None:
    """Signed and encrypted, with user and password; a repeat ejects nothing."""
    gate = Gate()
    with scanning(port_of(driver, plant), gate):
        for told in (
            result(1),
            result(2, good=False),
            result(2, good=False),
            result(3, no_verdict=True),
        ):
            dispatcher.submit(driver.deliver, [told]).result(30)
        assert driver.probe() == "1 OPC UA clients are connected"
        assert not gate.alarm
    assert (gate.passed, gate.ejected) == (["S-1"], ["S-2", "S-3"])
    assert gate.repeats >= 1


def test_a_result_stands_where_the_standard_has_it(
    driver: OpcuaDriver, plant: Path, dispatcher: ThreadPoolExecutor
) -> None:
    """As one value and as variables, with the event; the handshake beside it."""

    async def read(connected: Client) -> tuple[Any, Any, dict[str, Any]]:
        await connected.load_data_type_definitions()
        seen: list[Any] = []

        class Events:
            def event_notification(self, event: Any) -> None:
                seen.append(event)

        subscription = await connected.create_subscription(50, Events())
        kind = connected.get_node("ns=2;i=1024")
        await subscription.subscribe_events(connected.get_node("ns=2;s=line-1"), kind)
        told = dispatcher.submit(driver.deliver, [result(9, good=False, product="cable")])
        ready = connected.get_node("ns=1;s=Handshake.ResultsReady")
        await _until(ready.read_value)
        handshake = await _values(connected.get_node("ns=1;s=Handshake"))
        data = await connected.get_node(RESULT).read_value()
        part = await (await connected.get_node(RESULT).get_child("2:PartId")).read_value()
        assert part == data.PartId
        await _until(lambda: asyncio.sleep(0, bool(seen)))
        await connected.get_node("ns=1;s=Handshake.Acknowledge").write_value(True)
        await asyncio.wrap_future(told)
        await connected.get_node("ns=1;s=Handshake.Acknowledge").write_value(False)
        return data, seen[0], handshake

    data, event, handshake = with_client(client(driver, plant), read)
    assert (data.PartId.Id, data.ProductId.Id, data.ResultState) == ("S-9", "cable", 1)
    assert data.ResultId.Id == str(result(9).id)
    assert json.loads(data.ResultContent[0].Value)["result"] == "ng"
    assert event.PartId.Id == "S-9"
    heartbeat = handshake.pop("Heartbeat")
    assert heartbeat > 0
    assert handshake == {
        "Sequence": 9,
        "Part": "S-9",
        "ClassCode": 3,
        "Error": 0,
        "Ok": False,
        "Ng": True,
        "Overrun": False,
        "ResultsReady": True,
        "TriggerReady": False,
        "Healthy": True,
        "Acknowledge": False,
    }


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.01)


async def _values(node: Node) -> dict[str, Any]:
    children = await node.get_children()
    return {(await child.read_browse_name()).Name: await child.read_value() for child in children}


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        ({"password": "wrong"}, "BadUserAccessDenied"),
        ({"password": None}, "BadIdentityTokenRejected"),
        ({"who": "stranger"}, "BadCertificateUntrusted"),
        ({"who": "expired"}, "BadCertificateUntrusted"),
        ({"who": None}, "BadSecurityModeRejected"),
        ({"who": None, "password": None}, "BadSecurityModeRejected"),
        (
            {"who": None, "password": None, "user_certificate": "engineer"},
            "BadSecurityModeRejected",
        ),
        ({"password": None, "user_certificate": "stranger"}, "BadUserAccessDenied"),
    ],
)
def test_who_cannot_prove_it_is_refused(
    driver: OpcuaDriver,
    plant: Path,
    proof: dict[str, Any],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Password, certificate, encryption: each alone is not enough.

    A client of asyncua's looks whether the server offers what it wants; one that means harm
    does not.
    """
    monkeypatch.setattr(Client, "find_endpoint", lambda endpoints, *_: endpoints[0])

    async def connect() -> None:
        made = await client(driver, plant, **proof)
        await made.connect()

    with pytest.raises(ua.UaError) as refused:
        asyncio.run(connect())
    assert said in type(refused.value).__name__


def test_a_certificate_signs_in_without_a_password(driver: OpcuaDriver, plant: Path) -> None:
    """That of a user, over the channel of a trusted client."""

    async def read(connected: Client) -> Any:
        return await connected.get_node("ns=1;s=Handshake.Healthy").read_value()

    made = client(driver, plant, password=None, user_certificate="engineer")
    assert with_client(made, read) is True


def test_garbage_ends_no_server(driver: OpcuaDriver, plant: Path) -> None:
    """Another protocol, a hello that lies about its length, noise; the PLC reads on."""
    noise = random.Random(7)
    port = port_of(driver, plant)
    port.read()
    for data in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"HELF\xff\xff\xff\x7f" + bytes(24),
        b"OPNF" + bytes(100),
        *(noise.randbytes(300) for _ in range(10)),
    ):
        with socket.create_connection(("127.0.0.1", driver.options.port), timeout=2) as stranger:
            stranger.sendall(data)
            assert port.read().part == ""
    port.close()


def test_nothing_but_acknowledge_can_be_written(driver: OpcuaDriver, plant: Path) -> None:
    """Not the handshake, and not the results, which the standard's NodeSet has writable."""

    async def write_all(connected: Client) -> list[str]:
        written, todo = list[str](), [connected.nodes.objects]
        while todo:
            node = todo.pop()
            todo += [n for n in await node.get_children() if n.nodeid.NamespaceIndex]
            if await node.read_node_class() != ua.NodeClass.Variable:
                continue
            try:
                await node.write_attribute(
                    ua.AttributeIds.Value, await node.read_attribute(ua.AttributeIds.Value)
                )
                written.append(str(node.nodeid.Identifier))
            except ua.uaerrors.BadUserAccessDenied:
                continue
        return written

    assert with_client(client(driver, plant), write_all) == ["Handshake.Acknowledge"]


@pytest.mark.slow
def test_the_whole_nodeset_serves_without_security_where_both_are_said(plant: Path) -> None:
    """`anonymous: true`, and the plant's own NodeSet: the result stands at the same place."""
    driver = OpcuaDriver(options(plant, anonymous=True, nodeset=nodeset()), PLACE)
    try:
        with ThreadPoolExecutor(1) as pool:
            told = pool.submit(driver.deliver, [result(4)])

            async def acknowledge(connected: Client) -> Any:
                ready = connected.get_node("ns=1;s=Handshake.ResultsReady")
                await _until(ready.read_value)
                part = await connected.get_node(f"{RESULT}.PartId").read_value()
                halt = "ns=2;s=line-1.VisionStateMachine.Halt"
                assert (await connected.get_node(halt).read_browse_name()).Name == "Halt"
                await connected.get_node("ns=1;s=Handshake.Acknowledge").write_value(True)
                return part

            made = client(driver, plant, None, password=None)
            assert with_client(made, acknowledge).Id == "S-4"
            told.result(30)
    finally:
        driver.close()


@pytest.mark.slow
def test_the_server_restarts_under_load_and_no_part_is_lost_or_ejected_twice(plant: Path) -> None:
    """The PLC connects anew; what it had not acknowledged comes again."""
    chosen, gate = options(plant), Gate()
    driver = OpcuaDriver(chosen, PLACE)
    for sequence in range(1, 13):
        with scanning(port_of(driver, plant), gate):
            driver.deliver([result(sequence, good=False)])
        if sequence % 4 == 0:
            driver.close()
            driver = OpcuaDriver(chosen, PLACE)
            with scanning(port_of(driver, plant), gate):
                driver.deliver([result(sequence, good=False)])
                until(lambda: not gate.alarm, timeout_s=20)
    driver.close()
    assert gate.ejected == [f"S-{n}" for n in range(1, 13)]
    assert gate.repeats >= 3


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"certificate": "gone.der"}, "gone.der: No such file.*certificate"),
        ({"certificate": "password"}, "no certificate in DER or PEM"),
        ({"certificate": "expired.der"}, "expired.der is valid from .* renew"),
        ({"private_key": "plc.pem"}, "plc.pem is not the key of .*server.der"),
        ({"private_key": "server.der"}, "no private key in PEM"),
        ({"trusted": "gone"}, "gone is no folder"),
        ({"password_file": "gone"}, "the secret .*gone cannot be read: No such file"),
        ({"password_file": "server.der"}, "the secret .*server.der is not UTF-8 text"),
        ({"nodeset": "gone.xml"}, "gone.xml: No such file.*`nodeset`"),
        ({"nodeset": "password"}, "is no NodeSet"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_at_the_start(
    plant: Path, fields: dict[str, str], said: str
) -> None:
    """With the receiver's name, before anybody can connect."""
    paths = {name: plant / file for name, file in fields.items()}
    with pytest.raises(ConfigurationError, match=f"(?s)receiver 'gate': .*{said}"):
        OpcuaDriver(options(plant, **paths), PLACE)


def test_another_nodeset_is_refused_by_its_name(plant: Path, tmp_path: Path) -> None:
    """A file of another standard."""
    other = tmp_path / "other.xml"
    other.write_text(
        '<UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd"><Models>'
        '<Model ModelUri="urn:other"/></Models></UANodeSet>'
    )
    with pytest.raises(ConfigurationError, match=r"not the NodeSet of OPC 40100-1.*urn:other"):
        OpcuaDriver(options(plant, nodeset=other), PLACE)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"certificate": None}, "`certificate` is missing.*anonymous: true"),
        ({"user": None}, "go together"),
        ({"user": None, "password_file": None, "user_certificates": None}, "who may sign in"),
        ({"anonymous": True, "user": "plc"}, "contradict"),
        ({"beat_s": 1}, "beat_s"),
    ],
)
def test_a_setting_that_leaves_the_door_open_is_said(
    plant: Path, fields: dict[str, Any], said: str
) -> None:
    """Anonymous is never what is left when something is forgotten."""
    with pytest.raises(ValidationError, match=said):
        options(plant, **fields)
