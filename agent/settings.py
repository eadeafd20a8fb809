# SPDX-License-Identifier: MIT
"""The settings file of a phone: a small JSON object that a person can edit on any PC.

Every key except `mac` has a default. A mistake raises a SettingsError that names the key, the mistake and an example."""

import json

from agent.errors import SettingsError
from agent.fetch.tftp.packet import FULL_BLOCK, SAFE_BLOCK, SMALLEST_BLOCK
from agent.flash.buffers import SIZE
from agent.formats.phoneconfig import HOST_LIMIT
from agent.trust.age import REPLAYS
from agent.trust.rules import POLICIES

TRANSFERS = ("tftp", "http")
TFTP_PORT = 69


def _mac(value):
    """The MAC address, with or without separators, as 12 capital hexadecimal digits. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("it must be text")
    digits = value.replace(":", "").replace("-", "").replace(".", "").upper()
    if len(digits) != 12 or not all(digit in "0123456789ABCDEF" for digit in digits):
        raise ValueError("it must be 12 hexadecimal digits")
    return digits


def _model(value):
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not 0 < len(text) <= 32 or not all(_is_word(letter) for letter in text):
        raise ValueError("it must be the number or name of a model, without blanks")
    return text


def _is_word(letter):
    return letter in "+-_." or (letter < "\x7f" and (letter.isdigit() or letter.isalpha()))


def _policy(value):
    if value not in POLICIES:
        raise ValueError("it must be one of: %s" % ", ".join(POLICIES))
    return value


def _replay(value):
    if value not in REPLAYS:
        raise ValueError("it must be one of: %s" % ", ".join(REPLAYS))
    return value


def _file_transfer(value):
    if value not in TRANSFERS:
        raise ValueError("it must be one of: %s" % ", ".join(TRANSFERS))
    return value


def _boolean(value):
    if value is not True and value is not False:
        raise ValueError("it must be true or false")
    return value


def servers_of(value):
    """The servers ["host", "host:port", "[v6]:port"] as [(host, port)], at most 8. Raises ValueError."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("it must be a list of texts")
    if len(value) > 8:
        raise ValueError("it may have at most 8 servers")
    return [server(item) for item in value]


def server(text, port=TFTP_PORT):
    """(host, port) of "host", "host:port" or "[v6 address]:port". A host has at most HOST_LIMIT letters. port: the default.
    Raises ValueError."""
    host, colon, number = text, "", ""
    if text[:1] == "[":
        host, _, rest = text[1:].partition("]")
        colon, number = rest[:1], rest[1:]
        if ":" not in host or text.count("]") != 1 or colon not in ("", ":"):
            raise ValueError("'%s' is not a server" % text)
    elif text.count(":") == 1:
        host, colon, number = text.partition(":")
    if colon:
        if not 0 < len(number) < 6 or not all([digit in "0123456789" for digit in number]):
            number = "0"
        port = int(number)
        if not 0 < port < 65536:
            raise ValueError("'%s' has no port from 1 to 65535" % text)
    if not 0 < len(host) <= HOST_LIMIT or not all([letter == ":" or _is_word(letter) for letter in host]):
        raise ValueError("'%s' has no host" % text)
    return host, port


def _number(low, high):
    def check(value):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError("it must be a whole number from %d to %d" % (low, high))
        return value

    return check


#: Key -> (check, default, example, purpose). `make docs` writes it into docs/phone.md.
KEYS = {
    "mac": (_mac, None, "00270DC01C92", "MAC address of the phone"),
    "model": (_model, "8861", "8861", "model that the phone tells TVS and CAPF"),
    "tftp": (servers_of, [], ["192.0.2.10", "192.0.2.11:69"], "TFTP servers; empty: learned by DHCP, option 150 or 66"),
    "policy": (_policy, "first-use", "provisioned-only", "whether the phone takes a first trust list by itself"),
    "replay": (_replay, "warn", "refuse", "what the phone does with files older than the installed ones"),
    "refuse_weak": (_boolean, False, True, "refuse SHA-1 and keys of 1024 bits"),
    "size_limit": (_number(1024, 1 << 20), SIZE, SIZE, "largest trust list, bytes"),
    "configuration_limit": (_number(1024, 1 << 20), SIZE, SIZE, "largest configuration file, bytes"),
    "file_limit": (_number(1024, 1 << 28), 1 << 26, 1 << 26, "largest file for the phone's other programs, bytes"),
    "sign_limit": (_number(0, 1 << 20), 60, 60, "signatures that one of the phone's other programs gets in a minute"),
    "tftp_timeout": (_number(50, 60000), 1000, 1000, "ms before a TFTP packet is sent again; it doubles each time"),
    "tftp_attempts": (_number(1, 20), 4, 4, "how often a TFTP packet is sent"),
    "tftp_deadline": (_number(1000, 3600000), 120000, 120000, "ms for one file from one server"),
    "tftp_block_size": (
        _number(SMALLEST_BLOCK, FULL_BLOCK),
        SAFE_BLOCK,
        SAFE_BLOCK,
        "TFTP block size asked for, bytes",
    ),
    "tftp_window": (_number(1, 64), 48, 48, "TFTP blocks that a server may send before it waits for an ACK"),
    "boot_budget": (_number(5, 3600), 180, 180, "seconds that one boot may take, whatever servers do"),
    "tls_static_rsa": (
        _boolean,
        False,
        True,
        "offer TLS servers key exchange by RSA encryption, for old servers of TLS 1.2",
    ),
    "tvs_timeout": (_number(100, 60000), 5000, 5000, "ms to connect to a TVS server, and again for its answer"),
    "capf_timeout": (
        _number(100, 120000),
        10000,
        10000,
        "ms to connect to a CAPF server, and for each of its messages",
    ),
    "file_transfer": (
        _file_transfer,
        "tftp",
        "http",
        "how files are fetched: tftp, or http, then TFTP if HTTP fails",
    ),
    "http_port": (_number(1, 65535), 6970, 6970, "port for files by HTTP"),
    "https_port": (_number(1, 65535), 6971, 6971, "port for files by HTTPS"),
    "http_timeout": (
        _number(100, 60000),
        3000,
        3000,
        "ms to connect to an HTTP server, and again for the head of its answer",
    ),
}

#: The name of a setting in earlier releases -> its name now.
OLD_NAMES = {"provisioning": "file_transfer"}


class Settings:
    """The settings of a phone, an attribute for each key of KEYS: settings.mac, settings.tftp ... Times are ms (boot_budget:
    seconds), sizes are bytes, servers are (host, port)."""

    def __init__(self, values, file="settings"):
        """values: a dictionary as read from JSON. file: its name, for errors. Raises SettingsError."""
        if not isinstance(values, dict):
            raise SettingsError('%s: it must be one JSON object, such as {"mac": "00270DC01C92"}.' % file)
        values = _renamed(values)
        for key in values:
            if key not in KEYS:
                near = _nearest(key)
                raise SettingsError(
                    "%s: '%s' is not a setting of a phone; the settings are: %s; for example %s."
                    % (file, key, ", ".join(sorted(KEYS)), _example(near, KEYS[near][2]))
                )
        for key in KEYS:
            check, default, example, _ = KEYS[key]
            if key not in values:
                if default is None:
                    raise SettingsError("%s: %s is missing; for example %s." % (file, key, _example(key, example)))
                setattr(self, key, check(default))
                continue
            try:
                setattr(self, key, check(values[key]))
            except ValueError as error:
                raise SettingsError(
                    "%s: %s is %s, but %s; for example %s."
                    % (file, key, json.dumps(values[key]), error, _example(key, example))
                ) from None

    @property
    def buffer_size(self):
        """Bytes of the buffer into which a list or a configuration is fetched (agent/flash/buffers.py)."""
        return max(self.size_limit, self.configuration_limit)

    @property
    def device(self):
        """The phone's device name on the cluster, "SEP<MAC>" (docs/spec/rules.md, 'Names of the phone')."""
        return "SEP" + self.mac

    @property
    def full_name(self):
        """The phone's name for TVS, "CP-<model>-SEP<MAC>" (docs/spec/rules.md, 'Names of the phone'). CAPF is told it only if
        it does not know the device name (docs/spec/capf.md, C10)."""
        return "CP-%s-%s" % (self.model, self.device)


def _renamed(values):
    """The values under the names that settings have now. If a file has both names of a setting, the old name stays, and is
    then reported as a mistake."""
    found = dict(values)
    for old in OLD_NAMES:
        if old in found and OLD_NAMES[old] not in found:
            found[OLD_NAMES[old]] = found.pop(old)
    return found


def _nearest(key):
    """A known key for the example: a key with which the wrong key starts, or else the key with the longest common start."""
    for known in KEYS:
        if key.startswith(known):
            return known
    for size in range(len(key), 1, -1):
        for known in KEYS:
            if known.startswith(key[:size]):
                return known
    return "mac"


def _example(key, example):
    return '"%s": %s' % (key, json.dumps(example))


def parse(text, file="settings"):
    """Settings from the text of a settings file. Raises SettingsError."""
    from agent.formats import strict_json  # imported late, so that the launcher can drop it from a small phone's memory

    try:
        values = strict_json.loads(text)
    except strict_json.JsonError as error:
        raise SettingsError(
            '%s: this is not JSON (%s); for example {"mac": "00270DC01C92", "tftp": ["192.0.2.10"]}.' % (file, error)
        ) from None
    return Settings(values, file)
