# SPDX-License-Identifier: MIT
"""What `phonetrust flash --keep-trust` leaves on a card: its trust store, untouched, and the files that are the phone's own.

The trust store of an image lies where that of every earlier image lies, phonetrust 0.1's too, so it need not be copied: an
interrupted write leaves it as it was.
"""

import contextlib
import pathlib
import shutil
import tempfile

from host_tools.flash import writer
from host_tools.image import fat, layout
from host_tools.image.command_parts import Refusal
from host_tools.image.errors import ImageError

#: Files of the boot partition that make this phone this phone; the image has none of the second.
FILES = ("phone.json", "mic.pem")


def kept_range(image, target):
    """(start, end) of the trust store, the same on both. Refusal where `target` is no phone's card with it there."""
    try:
        _, old = layout.boot_and_store(target)
    except (ImageError, OSError) as error:
        raise Refusal(f"{target}: holds no phone's trust that could be kept ({error})") from error
    _, new = layout.boot_and_store(image)
    if (old.offset, old.size) != (new.offset, new.size) or old.offset % writer.BLOCK or old.size % writer.BLOCK:
        raise Refusal(f"{target}: its trust store lies elsewhere than the image's; it cannot be kept")
    return old.offset, old.offset + old.size


@contextlib.contextmanager
def with_files_of(image, target):
    """Inside, a copy of the image with FILES of the card `target` in it. ImageError where the card's cannot be read."""
    boot, _ = layout.boot_and_store(target)
    there = fat.names(target, boot.offset)
    with tempfile.TemporaryDirectory(prefix="phonetrust-flash-") as folder:
        copy = pathlib.Path(folder) / "image"
        shutil.copyfile(image, copy)
        inside, _ = layout.boot_and_store(copy)
        for name in FILES:
            if name in there:
                fat.write(copy, inside.offset, name, fat.read(target, boot.offset, name))
        yield copy
