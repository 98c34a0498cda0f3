"""One line a picture, for people and as JSON: what was accepted, and what became of it."""

from __future__ import annotations

import json
from pathlib import Path

from producer.deadline_book import MissedDeadline
from producer.inbox import KeptReceipt, printable
from producer.watch import HandedOver

NO_VERDICT_YET = 3  # exit code of commands that ask for verdicts

# What a person at the camera can do about it.
_ADVICE = {
    "missing": "the worker finds no such file: is the folder mounted there under this path?",
    "outside_root": "the worker may not read there: see its LINEWATCH_IMAGE_ROOTS",
    "unreadable": "the worker may not read the file, or its disk or network failed",
    "corrupt": "the file is damaged or was not complete",
    "not_an_image": "the file is no picture that workers read",
    "empty": "the file has no bytes",
    "not_a_file": "the path is a folder, a device or a pipe",
    "too_large": "see LINEWATCH_MAX_IMAGE_BYTES and LINEWATCH_MAX_IMAGE_PIXELS on the worker",
    "wrong_size": "the product's file says another `image_size`",
    "invalid_fields": "a value in its message is wrong, or the worker is older than this program",
    "hash_mismatch": "the file changed after it was handed over",
    "changed": "the file changed after it was handed over",
    "unknown_product": "see `linewatch products list` on the worker",
    "bad_signature": "see LINEWATCH_SIGNING_KEYS here and on the worker",
    "unreadable_message": "see `linewatch dead-letters list` on the worker",
    "unsupported_version": "the worker is older than this program",
    "poison": "workers died of it; see `linewatch dead-letters list`",
    "no_model": "the product has no model yet",
}


def accepted_text(picture: HandedOver) -> str:
    """`accepted    PATH  ID  part PART  supersedes ID`."""
    words = [f"accepted    {printable(picture.path)}", str(picture.id)]
    words += [f"part {picture.part}"] if picture.part else []
    words += [f"supersedes {picture.supersedes}"] if picture.supersedes else []
    words += [f"may be unfinished: {picture.unfinished}"] if picture.unfinished else []
    return "  ".join(words)


def verdict_text(receipt: KeptReceipt, path: Path | str | None = None) -> str:
    """`defect      PATH  ID  part PART  CLASS  0.987`, or with a reason and what to do."""
    name = printable(path) if isinstance(path, Path) else path or receipt.path or "-"
    words = [f"{receipt.verdict:<11} {name}", str(receipt.id)]
    words += [f"part {receipt.part}"] if receipt.part else []
    words += [receipt.defect_class] if receipt.defect_class else []
    words += [f"{receipt.confidence:.3f}"] if receipt.confidence is not None else []
    words += ["late: its deadline was told before"] if receipt.late else []
    if receipt.reason:
        advice = _ADVICE.get(str(receipt.reason))
        words.append(f"{receipt.reason}: {advice}" if advice else str(receipt.reason))
    return "  ".join(words)


def deadline_text(part: MissedDeadline) -> str:
    """`deadline    part PART  no verdict by 12:00:00.500  ID …`, or with the views not there."""
    words = [f"deadline    part {part.part or '-'}"]
    words += [f"pass {part.pass_number}"] if part.pass_number else []
    words.append(f"no verdict by {part.deadline.astimezone():%H:%M:%S.%f}"[:-3])
    words += [f"without {', '.join(part.missing_views)}"] if part.missing_views else []
    return "  ".join([*words, *map(str, part.pictures)])


def accepted_json(picture: HandedOver) -> str:
    """One object: event, id, path, and part, lot, supersedes, unfinished or null."""
    return json.dumps(
        {
            "event": "accepted",
            "id": str(picture.id),
            "path": printable(picture.path),
            "part": picture.part,
            "lot": picture.lot,
            "supersedes": str(picture.supersedes) if picture.supersedes else None,
            "unfinished": picture.unfinished or None,
        },
        ensure_ascii=False,
    )


def deadline_json(part: MissedDeadline) -> str:
    """One object: event, part, pass_number, pictures, missing_views, captured_at, deadline."""
    return json.dumps(
        {
            "event": "deadline",
            "part": part.part,
            "pass_number": part.pass_number,
            "pictures": [str(id_) for id_ in part.pictures],
            "missing_views": list(part.missing_views),
            "captured_at": part.captured_at.isoformat(),
            "deadline": part.deadline.isoformat(),
        },
        ensure_ascii=False,
    )


def verdict_json(receipt: KeptReceipt) -> str:
    """One object: event, id, path, part, and the receipt's fields, null where it has none."""
    return json.dumps(
        {
            "event": "verdict",
            "id": str(receipt.id),
            "path": receipt.path,
            "part": receipt.part,
            "verdict": str(receipt.verdict),
            "defect_class": receipt.defect_class,
            "confidence": receipt.confidence,
            "reason": str(receipt.reason) if receipt.reason else None,
            "model_version": receipt.model_version,
            "decided_at": receipt.decided_at.isoformat(),
            "late": receipt.late,
        },
        ensure_ascii=False,
    )
