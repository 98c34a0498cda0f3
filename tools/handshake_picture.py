"""Draw the handshake as the state machine itself goes through it.

    python -m tools.handshake_picture docs/plots/handshake.svg

Nothing is drawn that `outputs.handshake` does not do: a change of it changes the picture.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outputs.handshake import Handshake
from outputs.signals import Shown, Signals

ROWS = ("healthy", "trigger_ready", "results_ready", "ok", "ng", "overrun")
NAMES = {
    "healthy": "Healthy",
    "trigger_ready": "Trigger Ready",
    "results_ready": "Results Ready",
    "ok": "OK",
    "ng": "NG",
    "overrun": "Overrun",
}
LEFT, STEP, ROW, HIGH, TOP = 150, 62, 34, 18, 74
GOOD, BAD = Shown(41, "S-41", True), Shown(42, "S-42", False, 3)
TIMEOUT_S = 2.0

STYLE = (
    "text{font:13px sans-serif;fill:#222}.head{font-weight:bold}.note{font-size:11px;fill:#555}"
    ".linewatch{stroke:#1f5fa8}.plc{stroke:#b3541e}.level{fill:none;stroke-width:2}"
    ".grid{stroke:#ddd;stroke-dasharray:3 3}"
)


@dataclass(frozen=True)
class Moment:
    """What stands after one step, and what the step was."""

    note: str
    signals: Signals
    acknowledge: bool


def course() -> list[Moment]:
    """A good part, and a bad one that the PLC reads at the second attempt only."""
    machine = Handshake(acknowledge_timeout_s=TIMEOUT_S)
    moments = [Moment("not running", machine.signals, False)]
    level = False

    def step(note: str, do: Callable[[], object]) -> None:
        do()
        moments.append(Moment(note, machine.signals, level))

    def acknowledge(now: bool) -> None:
        nonlocal level
        level = now
        machine.acknowledge(now)

    step("start", machine.start)
    step("good part", lambda: machine.offer(GOOD, 0))
    step("PLC has read", lambda: acknowledge(True))
    step("PLC lowers", lambda: acknowledge(False))
    step("bad part", lambda: machine.offer(BAD, 10))
    step("nobody reads", lambda: machine.expire(10 + TIMEOUT_S))
    step("repeated", lambda: machine.offer(BAD, 20))
    step("PLC has read", lambda: acknowledge(True))
    step("PLC lowers", lambda: acknowledge(False))
    step("stop", machine.stop)
    return moments


def picture() -> str:
    """The whole drawing, as SVG."""
    moments = course()
    width = LEFT + STEP * len(moments) + 20
    height = TOP + ROW * (len(ROWS) + 2) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        f' aria-label="Signals of the handshake over time">',
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        _text(10, 22, "From Linewatch (blue) and from the PLC (orange), over time", "head"),
    ]
    for place, moment in enumerate(moments):
        x = LEFT + STEP * place
        parts.append(f'<path class="grid" d="M{x} {TOP - 22}V{height - 10}"/>')
        parts += [
            _text(x + 3, TOP - 32 + 12 * line, word, "note")
            for line, word in enumerate(_two_lines(moment.note))
        ]
    for row, name in enumerate(ROWS):
        levels = [bool(getattr(moment.signals, name)) for moment in moments]
        parts += _level(row, NAMES[name], levels, "linewatch")
    parts += _sequence(len(ROWS), [moment.signals for moment in moments])
    acknowledged = [moment.acknowledge for moment in moments]
    parts += _level(len(ROWS) + 1, "Acknowledge", acknowledged, "plc")
    return "\n".join([*parts, "</svg>", ""])


def _two_lines(note: str) -> list[str]:
    first, _, rest = note.partition(" ")
    return [first, rest]


def _level(row: int, name: str, levels: list[bool], who: str) -> list[str]:
    """A signal: high and low, with its edges."""
    base = TOP + ROW * (row + 1) - 8
    heights = [base - HIGH * level for level in levels]
    path = f"M{LEFT} {heights[0]}" + "".join(
        f"V{y}H{LEFT + STEP * (place + 1)}" for place, y in enumerate(heights)
    )
    return [_text(10, base - 2, name), f'<path class="level {who}" d="{path}"/>']


def _sequence(row: int, signals: list[Signals]) -> list[str]:
    """The number that is shown, in each step that has one."""
    base = TOP + ROW * (row + 1) - 8
    parts = [_text(10, base - 2, "Sequence, part")]
    for place, one in enumerate(signals):
        x = LEFT + STEP * place
        if one.sequence:
            parts.append(
                f'<rect class="level linewatch" x="{x}" y="{base - HIGH}" width="{STEP}"'
                f' height="{HIGH}"/>'
            )
            parts.append(_text(x + 6, base - 4, f"{one.sequence} {one.part}", "note"))
        else:
            parts.append(f'<path class="level linewatch" d="M{x} {base}h{STEP}"/>')
    return parts


def _text(x: int, y: int, words: str, style: str = "") -> str:
    chosen = f' class="{style}"' if style else ""
    return f'<text x="{x}" y="{y}"{chosen}>{words}</text>'


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture(), encoding="utf-8")
