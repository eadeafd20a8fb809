# SPDX-License-Identifier: MIT
"""Copies the image and reads it back from the medium itself, not from the PC's memory.

`keep` has pairs of offsets (start, end), in whole BLOCKs: these bytes of the medium are neither written nor compared.
"""

import fcntl
import os
import stat

from host_tools.image.command_parts import Refusal

BLOCK = 1 << 20
BLKFLSBUF = 0x1261  # drop the kernel's buffers of a disk
BLKRRPART = 0x125F  # read its partition table again


def write(image, target, progress, keep=()):
    """Copy the file `image` to the path `target`. `progress(bytes done)`. Refusal where the disk is in use."""
    descriptor, is_device = opened(target)
    with open(image, "rb") as source, open(descriptor, "wb", buffering=0) as medium:
        done = 0
        while block := source.read(BLOCK):
            view = memoryview(block)
            if _kept(done, keep):
                medium.seek(len(view), os.SEEK_CUR)
                view = None
            while view:
                view = view[medium.write(view) :]
            done += len(block)
            progress(done)
        if not is_device:
            medium.truncate(done)
        os.fsync(descriptor)
        if is_device:
            fcntl.ioctl(descriptor, BLKFLSBUF)
            try:
                fcntl.ioctl(descriptor, BLKRRPART)
            except OSError:
                pass  # a disk that cannot have partitions; the card is read by the phone, not here
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def opened(target):
    """(descriptor for writing, whether it is a disk); a file is made where there is none. Refusal: a disk that is in use."""
    new = not os.path.exists(target)
    is_device = not new and stat.S_ISBLK(os.stat(target).st_mode)
    # O_EXCL fails while the disk is mounted anywhere, and keeps others from mounting it now.
    flags = os.O_WRONLY | (os.O_EXCL if new or is_device else 0) | (os.O_CREAT if new else 0)
    try:
        return os.open(target, flags, 0o644), is_device
    except OSError as error:
        if is_device and error.errno == 16:
            raise Refusal(f"{target}: is in use; unmount it first") from error
        raise


def _kept(offset, keep):
    return any(start <= offset < end for start, end in keep)


def first_difference(image, target, progress, keep=()):
    """Read back -> offset of the first byte that differs, None where all are the same."""
    done = 0
    with open(image, "rb") as source, open(target, "rb", buffering=0) as medium:
        os.posix_fadvise(medium.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while block := source.read(BLOCK):
            found = _read(medium, len(block))
            if found != block and not _kept(done, keep):
                pairs = zip(block, found, strict=False)
                return done + next((at for at, (one, other) in enumerate(pairs) if one != other), len(found))
            done += len(block)
            progress(done)
    return None


def _read(medium, size):
    parts = []
    while size > 0 and (part := medium.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
