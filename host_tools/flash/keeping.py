# SPDX-License-Identifier: MIT
"""What `phonetrust flash --keep-trust` leaves on a card: its trust store, untouched, and the files that are the phone's own.

Every image has its trust store at the same place, that of phonetrust 0.1 included, so the store is not copied, and an
interrupted write leaves it as it was. But the boot partition is written anew, and mic.pem exists nowhere else. So FILES first
go to the end of the card, behind all partitions (the stash), and stay there until everything was read back. After a loss of
power in between, the same command finds them there.

    stash, one BLOCK:   MAGIC:8 length:4 SHA-256 of the JSON:32   JSON {name: base64}   zeros
"""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import struct
import tempfile

from host_tools.flash import writer
from host_tools.image import fat, layout
from host_tools.image.command_parts import Refusal
from host_tools.image.errors import ImageError

#: Files of the boot partition that belong to one phone; an image has no mic.pem.
FILES = ("phone.json", "mic.pem")
MAGIC = b"PHTSTASH"
_HEAD = ">8sI32s"


def kept_ranges(image, target):
    """[(start, end)] of the bytes that are not written: the trust store and the stash. Refusal where `target` is no card of a
    phone with its trust store at the same place, or has no room for the stash."""
    try:
        _, old = layout.boot_and_store(target)
    except (ImageError, OSError) as error:
        raise Refusal(f"{target}: holds no phone's trust that could be kept ({error})") from error
    new = layout.parts(image)
    store = new[1]
    if (old.offset, old.size) != (store.offset, store.size) or old.offset % writer.BLOCK or old.size % writer.BLOCK:
        raise Refusal(f"{target}: its trust store lies elsewhere than the image's; it cannot be kept")
    at = _place(image)
    if at < max(part.offset + part.size for part in new):
        raise Refusal(f"{image}: leaves no room behind its partitions, where --keep-trust puts {' and '.join(FILES)}")
    return [(store.offset, store.offset + store.size), (at, at + writer.BLOCK)]


@contextlib.contextmanager
def with_files_of(image, target, report):
    """Inside, a copy of the image with FILES of the card `target` in it. They are in the stash of the card, too, until the
    block ends without an error. report(text) is called where they come from an earlier stash. ImageError where the card
    cannot be read."""
    files = _stashed(image, target)
    if files is not None:
        report(f"{target}: an earlier write was interrupted; {' and '.join(files)} of the phone are kept")
    else:
        boot, _ = layout.boot_and_store(target)
        there = fat.names(target, boot.offset)
        files = {name: fat.read(target, boot.offset, name) for name in FILES if name in there}
        _stash(image, target, files)
    with tempfile.TemporaryDirectory(prefix="phonetrust-flash-") as folder:
        copy = pathlib.Path(folder) / "image"
        shutil.copyfile(image, copy)
        inside, _ = layout.boot_and_store(copy)
        for name, content in files.items():
            fat.write(copy, inside.offset, name, content)
        yield copy
    _write(image, target, bytes(writer.BLOCK))


def _place(image):
    return os.path.getsize(image) // writer.BLOCK * writer.BLOCK - writer.BLOCK


def _stashed(image, target):
    """{name: bytes} that an interrupted write left in the stash of the card; None where there is no stash."""
    with open(target, "rb") as card:
        card.seek(_place(image))
        block = card.read(writer.BLOCK)
    start = struct.calcsize(_HEAD)
    if len(block) < start:
        return None
    magic, length, digest = struct.unpack_from(_HEAD, block)
    content = block[start : start + length]
    if magic != MAGIC or hashlib.sha256(content).digest() != digest:
        return None
    return {name: base64.b64decode(text) for name, text in json.loads(content).items() if name in FILES}


def _stash(image, target, files):
    content = json.dumps({name: base64.b64encode(data).decode() for name, data in files.items()}).encode()
    block = struct.pack(_HEAD, MAGIC, len(content), hashlib.sha256(content).digest()) + content
    if len(block) > writer.BLOCK:
        raise ImageError(f"{target}: {' and '.join(files)} are too large to be kept")
    _write(image, target, block.ljust(writer.BLOCK, b"\0"))


def _write(image, target, block):
    with open(writer.opened(target)[0], "wb", buffering=0) as card:
        card.seek(_place(image))
        card.write(block)
        os.fsync(card.fileno())
