# SPDX-License-Identifier: MIT
"""What TVS and CAPF messages have in common: a short header, then elements.

An element is `tag:1 length:2 value:length`, with big-endian integers (docs/spec/tvs.md, docs/spec/capf.md, both [seen]).

This module keeps these rules, in this order:
1. no message is longer than the reader's limit; a longer one is refused by its length field;
2. the whole message must arrive before the deadline, however slowly its bytes come;
3. every element ends inside the message, and the last element ends exactly with it;
4. a known element appears at most once. Unknown elements are skipped, because newer servers send them.
"""

from agent.errors import PhonetrustError


class MessageError(PhonetrustError):
    """A message cannot be used. `.text` says why."""

    reason = "malformed"


class Closed(MessageError):
    """The peer ended the connection before its message was complete. `.begun`: whether a part of the message had arrived."""

    def __init__(self, text, begun):
        MessageError.__init__(self, text)
        self.begun = begun


def element(tag, value):
    """One element, as bytes. Raises ValueError if the value has more than 65535 bytes."""
    length = len(value)
    if length > 0xFFFF:
        raise ValueError(f"element {tag} is too long: {length} bytes, 65535 at most")
    return bytes((tag, length >> 8, length & 0xFF)) + bytes(value)


def text_value(text, what):
    """The value of a text element: UTF-8 with a NUL at its end. Raises ValueError if the text itself contains a NUL; `what`
    names it."""
    value = text.encode("utf-8")
    if b"\0" in value:
        raise ValueError(f"{what} holds a NUL")
    return value + b"\0"


def walk(data, start, known):
    """The known elements from `start` to the end of `data`, as a dictionary of tag -> value (bytes). known: the tags to keep.
    Raises MessageError for an element that is cut off or appears twice."""
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
    """The integer in the element `tag`; None if there is no such element. MessageError if it does not have `size` bytes."""
    value = elements.get(tag)
    if value is None:
        return None
    if len(value) != size:
        raise MessageError(f"{what} has {len(value)} bytes, {size} expected")
    return int.from_bytes(value, "big")


def text_of(elements, tag, what):
    """The text in the element `tag`, without the NUL at its end; None if there is no such element. MessageError if the NUL is
    missing, another NUL is inside, or the text is not UTF-8."""
    value = elements.get(tag)
    if value is None:
        return None
    if not value.endswith(b"\0") or b"\0" in value[:-1]:
        raise MessageError(f"{what} is not a text with one NUL at its end")
    return plain_text(value[:-1], what)


def plain_text(value, what):
    """UTF-8 bytes as text. Raises MessageError if they are not UTF-8."""
    try:
        return str(value, "utf-8")
    except ValueError:  # the base class of UnicodeError on both Pythons
        raise MessageError(f"{what} is not UTF-8")


async def read_message(stream, clock, protocol, header_length, limit, deadline):
    """Read one message; returns it as a bytearray, header included.

    The first byte of the header is `protocol`; its last two bytes are the length of the elements. header_length: bytes.
    limit: the most bytes that a message may have, header included; memory is taken only for what the header announces.
    deadline: ms of the clock, for the whole message. Bytes after the message are not read. Raises MessageError (another
    protocol, too long, too slow), Closed, and the stream's OSError (ETIMEDOUT after silence).
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
    """Fill the buffer from the offset `start`; `what` names its content in errors."""
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
