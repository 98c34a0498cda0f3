"""The registers that a PLC reads by Modbus, and the one that it writes. Pure.

Offsets from the first register; numbers of 32 bits take two registers, in the order configured:

| offset | what | |
|---|---|---|
| 0 | status | bits: 0 Healthy, 1 Trigger Ready, 2 Results Ready, 3 OK, 4 NG, 5 Overrun |
| 1 | heartbeat | 0 to 65535, counts up |
| 2, 3 | sequence | 32 bits; 0: nothing is shown |
| 4 | class code | 0: none, 65535: a class without a number |
| 5 | error | see `outputs.signals.ErrorCode` |
| 6 | Acknowledge | the only one that a PLC may write: 0 or 1 |
| 7 | version | of this map: 1 |
| 8 … | part | ASCII, two characters a register, the first in the high byte, padded with 0 |
"""

from __future__ import annotations

from typing import Literal

from outputs.signals import Signals

WordOrder = Literal["big", "little"]

ACKNOWLEDGE = 6
VERSION = 1
PART = 8  # the first register of the part
LAST_ADDRESS = 65535
STATUS_BITS = ("healthy", "trigger_ready", "results_ready", "ok", "ng", "overrun")


def needed(part_characters: int) -> int:
    """How many registers the map has, with room for that many characters of a part."""
    return PART + (part_characters + 1) // 2


def room(first: int, registers: int, part_characters: int) -> str | None:
    """What is wrong with a map of that size at that place; None: it fits."""
    need = needed(part_characters)
    if registers < need:
        return (
            f"the register map is too small: the handshake with {part_characters} characters of the"
            f" part needs {need} registers, {registers} are set aside; raise `registers` to {need}"
            f" or lower `part_characters`"
        )
    if first + registers - 1 > LAST_ADDRESS:
        return (
            f"the register map ends beyond register {LAST_ADDRESS}: it has {registers} from {first}"
            f" on; lower `first_register` to {LAST_ADDRESS + 1 - registers} or less"
        )
    return None


def encode(
    signals: Signals, acknowledge: bool, *, registers: int, part_characters: int, order: WordOrder
) -> list[int]:
    """All registers, 0 to 65535 each; those behind the part are 0."""
    status = sum(getattr(signals, name) << bit for bit, name in enumerate(STATUS_BITS))
    high, low = divmod(signals.sequence, 2**16)
    pair = [high, low] if order == "big" else [low, high]
    head = [status, signals.heartbeat, *pair, signals.class_code, signals.error]
    words = [*head, int(acknowledge), VERSION, *_text(signals.part, part_characters)]
    return words + [0] * (registers - len(words))


def _text(part: str, characters: int) -> list[int]:
    """The last characters of a part: serial numbers differ at their end."""
    data = part.encode("ascii", "replace")[-characters:].ljust(characters + characters % 2, b"\0")
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]
