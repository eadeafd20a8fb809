# SPDX-License-Identifier: MIT
"""TFTP packets as bytes: what the client sends, and checked readings of what servers send.

RFC 1350 (packets, error codes), 2347 (options, OACK), 2348 (blksize), 2349 (tsize, timeout), 7440 (windowsize).
DATA packets are read in place by agent/fetch/tftp/transfer.py: it sees every block, the rest is here."""

DATA = 3
ERROR = 5
OACK = 6

NOT_DEFINED = 0
FILE_NOT_FOUND = 1
ACCESS_VIOLATION = 2
DISK_FULL = 3
ILLEGAL_OPERATION = 4
UNKNOWN_TRANSFER = 5
OPTIONS_REFUSED = 8

PLAIN_BLOCK = 512  # bytes, RFC 1350; what a server uses that does not know options
SAFE_BLOCK = 1428  # fits 1500 bytes of Ethernet under IPv4 with every IP option, and under IPv6
FULL_BLOCK = 1468  # the most that 1500 bytes hold: IPv4 20, UDP 8, TFTP 4
SMALLEST_BLOCK, LARGEST_BLOCK = 8, 65464  # RFC 2348
LARGEST_WINDOW = 65535  # RFC 7440
LONGEST_REQUEST = 512  # RFC 2347: a request with all its options
LONGEST_NAME = 255  # bytes; leaves room for the options in a request

_OPTIONS = ("blksize", "tsize", "timeout", "windowsize")
_LONGEST_NUMBER = 15  # digits; no file is that long, and a hostile number stays small
_SHOWN = 80  # characters of a server's own words that are passed on


class OptionsError(ValueError):
    """An OACK that does not follow RFC 2347 or agrees to what was not asked. str() says what is wrong."""


def name_fault(name):
    """What is wrong with a file name that is to be asked for, or None: it must have 1 to 255 bytes of UTF-8 and
    no control characters (a NUL would end it early and turn the rest into options)."""
    if not name:
        return "the name is empty"
    if len(name.encode()) > LONGEST_NAME:
        return "the name is longer than %d bytes" % LONGEST_NAME
    for character in name:
        if ord(character) < 32 or ord(character) == 127:
            return "the name has a control character"
    return None


def request(name, options):
    """A read request in octet mode as bytes. `options`: dict of option name -> number; empty for plain RFC 1350."""
    parts = [b"\x00\x01", name.encode(), b"\x00octet\x00"]
    for option in _OPTIONS:  # always in this order, so that requests can be compared
        if option in options:
            parts.append(b"%s\x00%d\x00" % (option.encode(), options[option]))
    packet = b"".join(parts)
    if len(packet) > LONGEST_REQUEST:
        raise ValueError("request of %d bytes" % len(packet))
    return packet


def error(code, text):
    """An ERROR packet as bytes; `text` is ours, ASCII."""
    return b"\x00\x05\x00" + bytes((code,)) + text.encode() + b"\x00"


def read_options(packet, asked):
    """The options that an OACK agrees to: dict of name -> number.

    `packet`: the whole packet, a memoryview or bytes. `asked`: what the request held. OptionsError when the packet is
    malformed, repeats an option, names one that was not asked for, or has a value that the RFC of the option forbids:
    blksize and windowsize may only shrink, timeout must be repeated as it was."""
    fields = bytes(packet[2:]).split(b"\x00")
    if fields.pop() != b"" or len(fields) % 2:
        raise OptionsError("the list of options is malformed")
    agreed = {}
    for position in range(0, len(fields), 2):
        option = _option_named(fields[position], asked)
        if option is None:
            raise OptionsError("option '%s' was not asked for" % printable(fields[position]))
        if option in agreed:
            raise OptionsError("option %s comes twice" % option)
        agreed[option] = _option_value(option, fields[position + 1], asked[option])
    return agreed


def _option_named(name, asked):
    for option in asked:
        if name.lower() == option.encode():  # RFC 2347: in any mixture of cases
            return option
    return None


def _option_value(option, digits, asked):
    if not digits or len(digits) > _LONGEST_NUMBER or not digits.isdigit():
        raise OptionsError("%s '%s' is not a number" % (option, printable(digits)))
    value = int(digits)
    if option == "timeout":
        fits = value == asked
    elif option == "blksize":
        fits = SMALLEST_BLOCK <= value <= asked
    elif option == "windowsize":
        fits = 1 <= value <= asked
    else:
        fits = True  # tsize: any length is one
    if not fits:
        raise OptionsError("%s %d where %d was asked for" % (option, value, asked))
    return value


def read_error(packet):
    """An ERROR packet -> (code, sentence about it). The server's own text is shown printable and cut short; it may
    lack its NUL (some servers forget it) or be empty."""
    code = packet[2] << 8 | packet[3]
    text = printable(bytes(packet[4:]).split(b"\x00")[0])
    return code, "the server says: error %d%s" % (code, ", '%s'" % text if text else "")


def printable(data):
    """Bytes from a server as text for a person: ASCII as it is, `?` for anything else, at most 80 characters."""
    text = "".join([chr(byte) if 32 <= byte < 127 else "?" for byte in data[: _SHOWN + 1]])
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
