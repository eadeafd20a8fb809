# SPDX-License-Identifier: MIT
"""phone.json: the settings that a person may edit on the card's FAT partition, and `--set key=value` for scripts."""

import json

from agent import settings as phone_settings
from agent.errors import SettingsError
from agent.formats import strict_json
from host_tools.image.errors import ImageError

README = """\
This is the card of a phonetrust phone. The settings are in phone.json; edit it with any
text editor, then put the card back. All keys may be left out:

{keys}

Without "mac" the phone takes the address of its network interface. If the phone has a
certificate of its maker (MIC), put it beside phone.json as mic.pem, certificate and key
in PEM. The other files start the phone; it needs all of them.
"""


def from_words(words):
    """["tftp=192.0.2.1", ...] -> {key: value}. A value that is JSON is read as JSON, any other as text; tftp is split at
    commas. ImageError: a word without a key, or a key given twice."""
    settings = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise ImageError(f"--set {word}: must be key=value")
        if key in settings:
            raise ImageError(f"--set {key}: is given twice")
        settings[key] = _value(key, value)
    check(settings)
    return settings


def _value(key, value):
    if key == "tftp" and not value.startswith("["):
        return [server.strip() for server in value.split(",")]
    if key in ("mac", "model"):  # text, even where it is all digits
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def encode(settings):
    """The bytes of phone.json, with the line ends that every PC's editor shows."""
    text = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
    return text.replace("\n", "\r\n").encode()


def readme():
    """The bytes of README.TXT beside it, with all keys that the agent knows."""
    lines = []
    for key, (_, _, example, meaning) in phone_settings.KEYS.items():
        lines.append(f"  {json.dumps(key)}: {json.dumps(example)}\n        {meaning}")
    return README.format(keys="\n".join(lines)).replace("\n", "\r\n").encode()


def check(settings):
    """ImageError where the agent would not take these settings."""
    try:
        phone_settings.Settings({"mac": "000000000000", **settings}, "phone.json")
    except SettingsError as error:
        raise ImageError(str(error)) from error


def decode(data):
    """phone.json's bytes -> {key: value}. ImageError where a person's edit broke it."""
    try:
        settings = strict_json.loads(data.decode("utf-8"))
    except ValueError as error:
        raise ImageError(f"phone.json: {error}") from error
    if not isinstance(settings, dict):
        raise ImageError("phone.json: must be one {...} with keys and values")
    return settings
