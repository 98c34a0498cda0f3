"""The message contract, version 1: what a producer sends and what it hears back."""

from producer.contract.message import (
    MAX_IMAGES,
    QUEUE,
    TASK,
    VERSION,
    ImageRef,
    InspectMessage,
    ParsedMessage,
    Refusal,
    UnreadableMessageError,
    parse_message,
)
from producer.contract.receipt import Receipt, receipts_key
from producer.contract.seen import Seen
from producer.contract.signing import Signature, SigningKeys
from producer.contract.unknown import Unknown
from producer.contract.vocabulary import Purpose, Reason, Verdict

__all__ = [
    "MAX_IMAGES",
    "QUEUE",
    "TASK",
    "VERSION",
    "ImageRef",
    "InspectMessage",
    "ParsedMessage",
    "Purpose",
    "Reason",
    "Receipt",
    "Refusal",
    "Seen",
    "Signature",
    "SigningKeys",
    "Unknown",
    "UnreadableMessageError",
    "Verdict",
    "parse_message",
    "receipts_key",
]
