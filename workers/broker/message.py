"""kombu's message, made of an envelope that the gate let pass."""

from __future__ import annotations

from typing import Any

from kombu import message as kombu_message
from kombu.transport import redis as kombu_redis

from workers.broker.envelope import Admitted


class Message(kombu_redis.Channel.Message):  # type: ignore[misc]
    """kombu's message. One that the gate let pass has its body read already.

    To Celery it has no content type, which says the same: neither its consumer nor its pool hands
    the body to kombu's decoder, which revives objects.
    """

    def __init__(self, payload: Any, channel: Any = None, **options: Any) -> None:
        if not isinstance(payload, Admitted):  # such as replies to remote control
            super().__init__(payload, channel=channel, **options)
            return
        self._raw = payload.envelope
        properties = payload.envelope["properties"]
        kombu_message.Message.__init__(
            self,
            body=payload.body,
            channel=channel,
            delivery_tag=properties["delivery_tag"],
            headers=payload.envelope["headers"],
            properties=properties,
            delivery_info=properties["delivery_info"],
            **options,
        )
        self._decoded_cache = payload.body

    def serializable(self) -> Any:
        """The envelope, as kombu would send it on."""
        return self._raw if self.content_type is None else super().serializable()
