# SPDX-License-Identifier: MIT
"""TFTP servers of the fake network that misbehave, by name: each is server(packet, source, reply). Also answers of DHCP."""

GOOD = "192.0.2.2"  # the server that DHCP names last
SILENT = [f"192.0.2.{number}" for number in range(11, 18)]  # hosts that take everything and say nothing
#: name -> network.json, as the board's script writes it of what DHCP says
DHCP = {
    "seven silent servers": {"option150": SILENT + [GOOD]},
    "one server a hundred times": {"option150": SILENT[:1] * 100 + [GOOD]},
    "values that are no servers": {"option150": [7, None, {}, "", ":", "a:b:c", "x" * 9000, SILENT[0], GOOD]},
    "names that nobody knows": {"option150": [f"n{number}" for number in range(7)] + [GOOD]},
    "a thousand values": {"option150": ["-:-"] * 1000 + [SILENT[0], GOOD]},
    "options of other kinds": {"option150": "192.0.2.1", "option66": [SILENT[0], GOOD]},
}


def data(number, content):
    """A DATA packet."""
    return b"\0\3" + (number & 0xFFFF).to_bytes(2, "big") + content


def silent(packet, source, reply):
    """Takes everything and says nothing."""


def endless(packet, source, reply):
    """A file without end."""
    if packet[1] in (1, 4):
        reply(data(1 if packet[1] == 1 else (packet[2] << 8 | packet[3]) + 1, bytes(512)))


def one_byte(packet, source, reply):
    """Agrees to blocks of 8 bytes."""
    if packet[1] == 1:
        reply(b"\0\6blksize\0008\0")
    elif packet[1] == 4:
        reply(data((packet[2] << 8 | packet[3]) + 1, bytes(8)))


def drip(packet, source, reply):
    """A block just before each timeout."""
    if packet[1] in (1, 4):
        reply(data(1 if packet[1] == 1 else (packet[2] << 8 | packet[3]) + 1, bytes(512)), 900)


def old_blocks(packet, source, reply):
    """The first block again and again."""
    if packet[1] in (1, 4):
        for _ in range(3):
            reply(data(1, bytes(512)), 50)


def errors(packet, source, reply):
    """A storm of errors."""
    for code in range(8):
        reply(b"\0\5\0" + bytes([code]) + b"x" * 400 + b"\0")


def lying_size(packet, source, reply):
    """Announces a small file and sends more."""
    if packet[1] == 1:
        reply(b"\0\6tsize\x0010\0")
    elif packet[1] == 4:
        reply(data((packet[2] << 8 | packet[3]) + 1, bytes(512)))


def huge_size(packet, source, reply):
    """Announces far more than any memory holds."""
    if packet[1] == 1:
        reply(b"\0\6tsize\x0099999999999999999999\0")


def options_not_asked(packet, source, reply):
    """Agrees to options that the phone did not ask for."""
    if packet[1] == 1:
        reply(b"\0\6blksize\x0065464\0multicast\x00239.0.0.1,1,1\0")


def garbage(packet, source, reply):
    """Bytes that are no packet."""
    for content in (b"", b"\0", b"\xff" * 600, b"\0\3", b"\0\6", b"\0\6a", b"\0\0\0\1"):
        reply(content)


def restarts(packet, source, reply):
    """Begins anew from another port with each acknowledgement."""
    if packet[1] in (1, 4):
        reply(data(1, bytes(512)), 10, 6000 + packet[3])


SERVERS = {
    each.__name__.replace("_", " "): each
    for each in (
        silent,
        endless,
        one_byte,
        drip,
        old_blocks,
        errors,
        lying_size,
        huge_size,
        options_not_asked,
        garbage,
        restarts,
    )
}
