# SPDX-License-Identifier: MIT
"""The parts `files` and `published` of the HAL, on both Pythons. `hal/__init__.py` describes the interface."""

import os

#: How many files are kept for one owner. A new file replaces the oldest.
KEPT = 4


class Files:
    """A folder with files that were fetched for other programs. Everything in it is removed at the start. Raises OSError."""

    def __init__(self, folder):
        self._folder = folder
        self._count = 0
        self._kept = {}  # owner -> paths, oldest first
        for name in os.listdir(folder):
            os.remove(folder + "/" + name)

    def create(self, owner):
        """A new file for `owner` (a number). Programs do not find it before keep(). Raises OSError."""
        self._count += 1
        return _File(self, owner, "%s/%d" % (self._folder, self._count))

    def release(self, owner):
        """Remove all files of an owner. A program that has a file open can go on reading it."""
        for path in self._kept.pop(owner, ()):
            remove(path)

    def kept(self, owner, path):
        """For _File: the file at `path` is kept. If the owner has too many files, the oldest is removed."""
        paths = self._kept.setdefault(owner, [])
        paths.append(path)
        if len(paths) > KEPT:
            remove(paths.pop(0))


class _File:
    """One file while it is written: a sink with begin(size or None) and write(block), then keep() or drop()."""

    def __init__(self, files, owner, path):
        self._files = files
        self._owner = owner
        self._path = path
        self._part = path + ".part"
        self._file = None
        self.begin(None)

    def begin(self, size):
        """The file starts, or starts over. Raises OSError."""
        self._close()
        self._file = open(self._part, "wb")

    def write(self, block):
        """The next bytes. Raises OSError."""
        self._file.write(block)

    def keep(self):
        """The file is complete: give it its name, and return its path. Raises OSError; then nothing of the file is left."""
        try:
            self._close()
            os.rename(self._part, self._path)
        except OSError:
            remove(self._part)
            raise
        self._files.kept(self._owner, self._path)
        return self._path

    def drop(self):
        """Remove the file, unless it was kept. Never fails."""
        if self._file is not None:
            try:
                self._close()
            except OSError:
                pass  # the last bytes found no room; the file is removed now
            remove(self._part)

    def _close(self):
        file, self._file = self._file, None
        if file is not None:
            file.close()


class Published:
    """A folder with small files that other programs find by their names."""

    def __init__(self, folder):
        self._folder = folder

    def replace(self, name, pieces):
        """Make the texts `pieces` the whole content of a file, in one step. Raises OSError; then the old file stays."""
        path = "%s/%s" % (self._folder, name)
        part = path + ".part"
        try:
            with open(part, "w") as file:
                for piece in pieces:
                    file.write(piece)
            os.rename(part, path)
        except OSError:
            remove(part)
            raise

    def remove(self, name):
        """Remove a file, if it is there."""
        remove("%s/%s" % (self._folder, name))


def remove(path):
    """Remove the file at this path, if it is there."""
    try:
        os.remove(path)
    except OSError:
        pass
