# SPDX-License-Identifier: MIT
"""Files for the phone's other programs, in one folder, on both Pythons: described in `hal/__init__.py`."""

import os

#: How many files are kept; the oldest goes when there are more.
KEPT = 16


class Files:
    """A folder of files that were fetched for other programs. What is in it when this starts is removed."""

    def __init__(self, folder):
        self._folder = folder
        self._count = 0
        self._kept = []
        for name in os.listdir(folder):
            os.remove(folder + "/" + name)

    def create(self):
        """A new file, under a name that nobody is told before keep(). OSError."""
        self._count += 1
        return _File(self, "%s/%d" % (self._folder, self._count))

    def kept(self, path):
        """For a file: it stays; the oldest makes room."""
        self._kept.append(path)
        if len(self._kept) > KEPT:
            os.remove(self._kept.pop(0))


class _File:
    """One file while it is written: a sink with begin(size or None) and write(block), then keep() or drop()."""

    def __init__(self, files, path):
        self._files = files
        self._path = path
        self._file = None
        self.begin(None)

    def begin(self, size):
        """The file starts, or starts over. OSError."""
        if self._file is not None:
            self._file.close()
        self._file = open(self._path + ".part", "wb")

    def write(self, block):
        """The next bytes. OSError."""
        self._file.write(block)

    def keep(self):
        """The file is whole: its path. OSError."""
        self._file.close()
        self._file = None
        os.rename(self._path + ".part", self._path)
        self._files.kept(self._path)
        return self._path

    def drop(self):
        """Remove it unless it is kept."""
        if self._file is not None:
            self._file.close()
            self._file = None
            os.remove(self._path + ".part")
