# SPDX-License-Identifier: MIT
"""Loads: what a phone fetches to update itself (docs/spec/loads.md). NAME.sgn is a signed file whose body is a boot image."""

import re

from host_tools.image import fat
from host_tools.image.errors import ImageError
from host_tools.lab.writers import files as signed_files

#: The oldest version that phones of this software still take; raised after a security fault.
FLOOR = "0.1.0"
PREFIX = "phonetrust"
VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}")


def name(board, version):
    """The name of a board's load: what `loadInformation` says."""
    return f"{PREFIX}-{board}-{version}"


def check_version(version, what):
    """ImageError where a version is not three numbers. what: the option that gave it."""
    if not VERSION.fullmatch(version):
        raise ImageError(f"{what} {version}: must be three numbers with dots between them, like 0.2.1")


def numbers(version):
    """A version that can be compared."""
    return tuple(int(part) for part in version.split("."))


def sign(name, image, key):
    """The bytes of NAME.sgn. key: keys.ImageKey with its private key. The same image and key give the same bytes."""
    return signed_files.signed_file(f"{name}.sgn", image, key, fat.TIME, "sha512")
