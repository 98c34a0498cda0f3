"""Taking messages from Redis and noting who holds them, in one step.

kombu pops a message with one command and notes that it is held with another. What is popped when
the worker dies, or the connection breaks, in between is nowhere. Here a script does both inside
Redis, so that a message is at any moment either in its list or among those held.

A script cannot wait for a message. So before it goes a BLMOVE of the list onto itself, which waits
and changes nothing: it takes the message that is next and puts it back where it was. Redis refuses
that one while it is full, but not the script, whose first change is to take something away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

MOST = 16  # messages taken at once
ENOUGH = 512 * 1024  # bytes taken at once, after which no further message is taken
MOST_DECODED = 64 * 1024  # bytes that are decoded: far more than an envelope has beside its body
UNREADABLE = b"!"  # what a held entry begins with that kombu could not read
AROUND = len('[,"",""]')  # what a held entry has around the message and its queue's name, in bytes

# A message is held in kombu's own form: under its delivery tag, as a JSON array of the message, an
# exchange and a routing key. These name the list it came from, so that is where it goes back to.
# The text of the message itself is not changed: cjson would write it otherwise than it was.
# Of a short list one message is taken, so that each of several workers gets some of it.
# Nobody else is served while the script runs, and a list of a million lists takes long to decode.
# So it takes no more once what it took is large, does not look into what no worker would open, and
# of a large message decodes only what is around the body. What it did not look into is the worker's
# to read, or to refuse.
SCRIPT = """
local held, held_since = KEYS[1], KEYS[2]
local most, largest = tonumber(ARGV[1]), tonumber(ARGV[2])
local enough, around, share = tonumber(ARGV[3]), tonumber(ARGV[4]), 16
local taken, bytes = {}, 0
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6

local function form(item, queue)
  local text = item
  if #item > around and #item <= largest then
    local _, opened = string.find(item, '"body"%s*:%s*"')
    local closed = opened and string.find(item, '"', opened + 1, true)
    text = closed and string.sub(item, 1, opened) .. string.sub(item, closed) or item
  end
  local readable, message = false, nil
  if #text <= around then
    readable, message = pcall(cjson.decode, text)
  end
  local properties = readable and type(message) == 'table' and message.properties
  local tag = type(properties) == 'table' and properties.delivery_tag
  if type(tag) == 'string' then
    return tag, '[' .. item .. ',"",' .. cjson.encode(queue) .. ']'
  end
  local known = item  -- two of them must not have the same tag
  if #item > around then
    known = string.sub(item, 1, around) .. time[1] .. '.' .. time[2] .. '.' .. #taken
  end
  return 'unreadable-' .. redis.sha1hex(known), '!' .. item
end

for number = 3, #KEYS do
  local list, queue = KEYS[number], ARGV[number + 2]
  local length = redis.call('LLEN', list)
  local left = math.min(most - #taken / 3, 1 + math.floor(length / share), length)
  while left > 0 and bytes < enough do
    left = left - 1
    local item = redis.call('RPOP', list)
    local tag, entry = form(item, queue)
    redis.call('ZADD', held_since, now, tag)
    redis.call('HSET', held, tag, entry)
    bytes = bytes + #item
    table.insert(taken, queue)
    table.insert(taken, tag)
    table.insert(taken, item)
  end
end
return taken
"""
SHA1 = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


class Taken(NamedTuple):
    """A message out of a queue, and under what tag it is noted as held."""

    queue: str
    tag: bytes
    item: bytes


def take_command(
    held: str, held_since: str, lists: Sequence[tuple[str, str]], most: int, max_bytes: int
) -> tuple[str | int, ...]:
    """The command that takes up to `most` messages, of the first lists first.

    Args:
        held: kombu's hash of unacknowledged messages.
        held_since: kombu's sorted set of their tags, by the second they were taken, on Redis's
            clock.
        lists: the keys of the lists, each with the name of its queue.
        most: how many messages at once.
        max_bytes: the largest message that a worker opens, body and headers. The entry of a larger
            one is noted as held without a look into it.
    """
    keys = [key for key, _ in lists]
    queues = [queue for _, queue in lists]
    largest = max_bytes * 4 // 3 + MOST_DECODED  # the body is base64
    numbers = (most, largest, ENOUGH, MOST_DECODED)
    return ("EVALSHA", SHA1, 2 + len(keys), held, held_since, *keys, *numbers, *queues)


def wait_command(key: str, timeout_s: int) -> tuple[str | int, ...]:
    """The command that waits until a list is not empty, for at most so long."""
    return ("BLMOVE", key, key, "RIGHT", "RIGHT", timeout_s)


def messages(reply: Sequence[bytes]) -> list[Taken]:
    """What the script answered."""
    return [
        Taken(queue.decode(), tag, item)
        for queue, tag, item in zip(reply[::3], reply[1::3], reply[2::3], strict=True)
    ]
