# SPDX-License-Identifier: MIT
"""Encodes the TFTP packets that the client sends, and reads and checks those that servers send.

RFC 1350 (packets, error codes), 2347 (options, OACK), 2348 (blksize), 2349 (tsize, timeout), 7440 (windowsize).
agent/fetch/tftp/transfer.py reads DATA packets in place, for speed; all other packets are read here."""

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

PLAIN_BLOCK = 512  # bytes (RFC 1350); the size of a server that does not know options
SAFE_BLOCK = 1428  # bytes; fits 1500 bytes of Ethernet with IPv4 and all its options, and with IPv6
FULL_BLOCK = 1468  # bytes; the most that 1500 bytes of Ethernet hold beside IPv4 (20), UDP (8) and TFTP (4)
SMALLEST_BLOCK, LARGEST_BLOCK = 8, 65464  # bytes (RFC 2348)
LARGEST_WINDOW = 65535  # blocks (RFC 7440)
LONGEST_REQUEST = 512  # bytes of a request with all its options (RFC 2347)
LONGEST_NAME = 255  # bytes; leaves room for the options in a request

_OPTIONS = ("blksize", "tsize", "timeout", "windowsize")
_LONGEST_NUMBER = 15  # digits; enough for any file, and few enough to keep a hostile number small
_SHOWN = 80  # characters of a server's own text that are shown to a person


class OptionsError(ValueError):
    """An OACK does not follow RFC 2347, or agrees to something that was not asked for. str() says what is wrong."""


def name_fault(name):
    """Words that say why no server can be asked for a file of this name, or None if the name is good. A name has 1 to 255
    bytes of UTF-8 and no control characters: a NUL would end it early and turn the rest into options."""
    if not name:
        return "the name is empty"
    if len(name.encode()) > LONGEST_NAME:
        return "the name is longer than %d bytes" % LONGEST_NAME
    for character in name:
        if ord(character) < 32 or ord(character) == 127:
            return "the name has a control character"
    return None


def request(name, options):
    """A read request in octet mode, as bytes. options: a dictionary of option name -> number, empty for plain RFC 1350.
    Raises ValueError for more than LONGEST_REQUEST bytes."""
    parts = [b"\x00\x01", name.encode(), b"\x00octet\x00"]
    for option in _OPTIONS:  # in a fixed order, so that requests can be compared
        if option in options:
            parts.append(b"%s\x00%d\x00" % (option.encode(), options[option]))
    packet = b"".join(parts)
    if len(packet) > LONGEST_REQUEST:
        raise ValueError("request of %d bytes" % len(packet))
    return packet


def error(code, text):
    """An ERROR packet, as bytes. text: ASCII, one of this program's own sentences."""
    return b"\x00\x05\x00" + bytes((code,)) + text.encode() + b"\x00"


def read_options(packet, asked):
    """The options that an OACK agrees to, as a dictionary of name -> number.

    packet: the whole packet, a memoryview or bytes. asked: the options of the request. Raises OptionsError if the packet is
    malformed, repeats an option, has an option that was not asked for, or has a value that the option's RFC forbids:
    blksize and windowsize may only shrink, and timeout must be repeated unchanged."""
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
        if name.lower() == option.encode():  # RFC 2347: case makes no difference
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
        fits = True  # tsize may have any value
    if not fits:
        raise OptionsError("%s %d where %d was asked for" % (option, value, asked))
    return value


def read_error(packet):
    """(code, sentence about it) of an ERROR packet of at least 4 bytes. The sentence quotes the server's own text, made
    printable and cut short. That text may be empty, and may lack its NUL, because some servers forget it."""
    code = packet[2] << 8 | packet[3]
    text = printable(bytes(packet[4:]).split(b"\x00")[0])
    return code, "the server says: error %d%s" % (code, ", '%s'" % text if text else "")


def printable(data):
    """Bytes from a server as text for a person: at most 80 characters, with `?` for every byte that is not printable ASCII."""
    text = "".join([chr(byte) if 32 <= byte < 127 else "?" for byte in data[: _SHOWN + 1]])
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
