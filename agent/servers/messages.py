# SPDX-License-Identifier: MIT
"""What the two enrolment-side protocols, TVS and CAPF, have in common: a short header, then elements.

An element is `tag:1 length:2 value:length`, integers big-endian (docs/spec/tvs.md, docs/spec/capf.md, both [seen]).
This module takes bytes and streams that it is given; it decides nothing.

Rules kept here, in this order:
1. a message is never longer than the reader's buffer, whatever its length field says;
2. it is whole before the deadline, however slowly its bytes come;
3. every element ends inside the message, and the last one ends exactly with it;
4. a known element stands at most once; unknown ones are skipped (newer servers have them).
"""

import errno

from agent.errors import PhonetrustError


class MessageError(PhonetrustError):
    """A message that cannot be used. `.text` says why; `.closed` tells a peer that ended before the first byte."""

    reason = "malformed"

    def __init__(self, text, closed=False):
        PhonetrustError.__init__(self, text)
        self.closed = closed


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
                raise MessageError(f"element {tag} at offset {start}: stands there twice")
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


def read_message(stream, clock, buffer, protocol, header_length, deadline):
    """Read one message into `buffer`; return a memoryview of it, header included.

    The header's first byte is `protocol`, its last two are the length of what follows. `buffer` bounds the message.
    `deadline` is the time on `clock.monotonic()` (ms) at which the whole message must be there; it is looked at
    before each read, so a call takes at most the time to the deadline plus the stream's own timeout. Bytes after the
    message are not read. Raises MessageError (another protocol, too long, cut off, closed, too slow) and the
    stream's OSError (silence is one).
    """
    view = memoryview(buffer)
    _fill(stream, clock, view[:header_length], deadline, "header")
    if buffer[0] != protocol:
        raise MessageError(f"speaks another protocol: first byte 0x{buffer[0]:02x}, 0x{protocol:02x} expected")
    length = buffer[header_length - 2] << 8 | buffer[header_length - 1]
    if header_length + length > len(buffer):
        raise MessageError(f"announces a message of {length} bytes, {len(buffer) - header_length} at most are read")
    _fill(stream, clock, view[header_length : header_length + length], deadline, "message")
    return view[: header_length + length]


def _fill(stream, clock, view, deadline, what):
    count = 0
    while count < len(view):
        if clock.monotonic() >= deadline:
            raise MessageError(f"too slow: {count} of {len(view)} bytes of the {what} when the time was up")
        got = stream.read_into(view[count:])
        if got == 0:
            if count == 0 and what == "header":
                raise MessageError("closed the connection without an answer", True)
            raise MessageError(f"closed the connection after {count} of {len(view)} bytes of the {what}")
        count += got


# What the HAL's net raises; numbers where MicroPython's errno lacks the name.
_PROTOCOL_ERROR = 71
_NETWORK_ERRORS = {
    errno.ENOENT: "its name is not known",
    errno.ETIMEDOUT: "no answer in time",
    errno.EAGAIN: "no answer in time",
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EHOSTUNREACH: "no route to the host",
    101: "network unreachable",
    100: "network is down",
    103: "connection aborted",
    32: "connection closed by the server",
}


def failure_text(error):
    """A few words for an OSError of the HAL's net (EPROTO is TLS's)."""
    number = error.errno or (error.args[0] if error.args else None)  # CPython sets errno for two arguments only
    if number in _NETWORK_ERRORS:
        return _NETWORK_ERRORS[number]
    said = error.args[-1] if len(error.args) > 1 else error
    return f"TLS failed: {said}" if number == _PROTOCOL_ERROR else f"network error: {said}"


def is_closed(error):
    """Whether an OSError means that the peer ended the connection (reset, broken pipe)."""
    return error.errno in (errno.ECONNRESET, 32, 103)
