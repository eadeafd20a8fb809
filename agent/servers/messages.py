# SPDX-License-Identifier: MIT
"""The common part of TVS and CAPF messages: a short header, then elements.

An element is `tag:1 length:2 value:length`, integers big-endian (docs/spec/tvs.md, docs/spec/capf.md, both [seen]).
This module takes bytes and streams that it is given; it decides nothing.

Rules kept here, in this order:
1. a message is never longer than the reader's limit, whatever its length field says;
2. the whole message comes before the deadline, however slowly its bytes come;
3. every element ends inside the message, and the last one ends exactly with it;
4. a known element stands once at most; unknown elements are skipped, because newer servers send them.
"""

from agent.errors import PhonetrustError


class MessageError(PhonetrustError):
    """A message that cannot be used. `.text` says why."""

    reason = "malformed"


class Closed(MessageError):
    """The peer ended the connection before its message was whole. `.begun`: whether a part of the message had come."""

    def __init__(self, text, begun):
        MessageError.__init__(self, text)
        self.begun = begun


def element(tag, value):
    """One element as bytes. ValueError when the value has more than 65535 bytes."""
    length = len(value)
    if length > 0xFFFF:
        raise ValueError(f"element {tag} is too long: {length} bytes, 65535 at most")
    return bytes((tag, length >> 8, length & 0xFF)) + bytes(value)


def text_value(text, what):
    """A text element's value: UTF-8 with one NUL at its end. ValueError when the text has a NUL of its own."""
    value = text.encode("utf-8")
    if b"\0" in value:
        raise ValueError(f"{what} holds a NUL")
    return value + b"\0"


def walk(data, start, known):
    """Dictionary tag -> value (bytes) of the known elements from `start` to the end of `data`; else MessageError."""
    found = {}
    end = len(data)
    while start < end:
        if end - start < 3:
            raise MessageError(f"element at offset {start}: its tag and length are cut off")
        tag = data[start]
        length = data[start + 1] << 8 | data[start + 2]
        value = start + 3
        if length > end - value:
            raise MessageError(f"element {tag} at offset {start}: {length} bytes announced, {end - value} left")
        if tag in known:
            if tag in found:
                raise MessageError(f"element {tag} at offset {start}: appears twice")
            found[tag] = bytes(data[value : value + length])
        start = value + length
    return found


def sized(elements, tag, size, what):
    """The integer in element `tag`, which must have `size` bytes; None when the element is not there."""
    value = elements.get(tag)
    if value is None:
        return None
    if len(value) != size:
        raise MessageError(f"{what} has {len(value)} bytes, {size} expected")
    return int.from_bytes(value, "big")


def text_of(elements, tag, what):
    """The text in element `tag`, without the NUL it must end in; None when the element is not there."""
    value = elements.get(tag)
    if value is None:
        return None
    if not value.endswith(b"\0") or b"\0" in value[:-1]:
        raise MessageError(f"{what} is not a text with one NUL at its end")
    return plain_text(value[:-1], what)


def plain_text(value, what):
    """UTF-8 bytes as text; MessageError when they are not UTF-8."""
    try:
        return str(value, "utf-8")
    except ValueError:  # UnicodeError is one, on both Pythons
        raise MessageError(f"{what} is not UTF-8")


async def read_message(stream, clock, protocol, header_length, limit, deadline):
    """Read one message; return it as a bytearray, header included.

    The header's first byte is `protocol`, its last two are the length of what follows. `limit`: the most bytes that a
    message may have, header included; only as many as it announces are reserved. `deadline` is the time on
    `clock.monotonic()` (ms) at which the whole message must be there. Bytes after the message are not read. Raises
    MessageError (another protocol, too long, too slow), Closed, and the stream's OSError (silence is one).
    """
    header = bytearray(header_length)
    await _fill(stream, clock, header, 0, deadline, "header")
    if header[0] != protocol:
        raise MessageError(f"speaks another protocol: first byte 0x{header[0]:02x}, 0x{protocol:02x} expected")
    length = header[header_length - 2] << 8 | header[header_length - 1]
    if header_length + length > limit:
        raise MessageError(f"announces a message of {length} bytes, {limit - header_length} at most are read")
    message = bytearray(header_length + length)
    message[:header_length] = header
    await _fill(stream, clock, message, header_length, deadline, "message")
    return message


async def _fill(stream, clock, buffer, start, deadline, what):
    """Fill the buffer from `start` on."""
    view = memoryview(buffer)
    at = start
    while at < len(buffer):
        if clock.monotonic() >= deadline:
            raise MessageError(
                f"too slow: {at - start} of {len(buffer) - start} bytes of the {what} when the time was up"
            )
        got = await stream.read_into(view[at:], deadline)
        if got == 0:
            if at == 0:
                raise Closed("closed the connection without an answer", False)
            raise Closed(f"closed the connection after {at - start} of {len(buffer) - start} bytes of the {what}", True)
        at += got
