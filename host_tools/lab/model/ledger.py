# SPDX-License-Identifier: MIT
"""A ledger of phones in a folder. It is written whole when all of it changes; for one phone's entry a line is added.

    FOLDER/holdings.json      {"since": {...}, "phones": {MAC: ...}, "seen": {MAC: ...}, "notes": N}
    FOLDER/holdings-N.log     what changed since: ["phones" or "seen", MAC, its new entry], a line each
    FOLDER/holdings.lock      held during a change

A thousand phones that start at once change it three thousand times; to write the whole file each time would cost more than
serving the phones."""

import contextlib
import fcntl
import json
import os
import threading
import time

#: Bytes of notes after which the ledger is written whole.
NOTES_LIMIT = 1 << 20
#: ns after which a file that is written anew certainly has another time than the one before it.
SETTLED = 2_000_000_000


class Ledger:
    """The ledger in the folder `path`, for several threads and processes. empty: its content before the first write."""

    def __init__(self, path, empty):
        self._path = path
        self._file = path / "holdings.json"
        self._known = {part: dict(entries) for part, entries in empty.items()}
        self._empty = self._known
        self._written = None  # the bytes of holdings.json that are known
        self._stamp = None  # of that file, where it tells that file from all others
        self._number = 0  # of the notes
        self._read_up_to = 0
        self._guard = threading.RLock()

    def read(self):
        """{part: {key: entry}}, a copy."""
        with self._guard:
            return {part: dict(entries) for part, entries in self._now().items()}

    def entry(self, part, key, otherwise):
        """One entry, or `otherwise` where there is none. It is never changed, only replaced."""
        with self._guard:
            return self._now().get(part, {}).get(key, otherwise)

    def _now(self):
        while self._read_whole() and not self._read_notes():
            pass  # another process wrote it whole meanwhile
        return self._empty if self._written is None else self._known

    @contextlib.contextmanager
    def locked(self):
        """Inside, no other thread or process changes the ledger."""
        with self._guard, self._open_lock() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _open_lock(self):
        try:
            return open(self._path / "holdings.lock", "w")
        except FileNotFoundError:
            self._path.mkdir(parents=True, exist_ok=True)
            return open(self._path / "holdings.lock", "w")

    @contextlib.contextmanager
    def change(self):
        """A copy of all entries to change; it is written when the with block ends well. Replace entries, do not change them."""
        with self.locked():
            ledger = self.read()
            yield ledger
            self._write(ledger)

    def note(self, part, key, entry):
        """Replace one entry, inside locked()."""
        self._now()
        if self._written is None or self._read_up_to > NOTES_LIMIT:
            ledger = self.read()
            ledger.setdefault(part, {})[key] = entry
            self._write(ledger)
            return
        with open(self._notes(self._number), "ab", buffering=0) as notes:
            if notes.tell() > self._read_up_to:
                notes.truncate(self._read_up_to)  # a line that was cut off when a process was killed
            notes.write(json.dumps([part, key, entry]).encode() + b"\n")

    def _write(self, ledger):
        old = self._number
        building = self._path / "holdings.new"
        building.write_text(json.dumps({**ledger, "notes": old + 1}, indent=1, sort_keys=True) + "\n")
        os.replace(building, self._file)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._notes(old))

    def _read_whole(self):
        """Read holdings.json if it has changed -> whether there is one."""
        try:
            stamp = self._look()
            if stamp is None or stamp != self._stamp:
                written = self._file.read_bytes()
                if written != self._written:
                    known = json.loads(written)
                    self._number = known.pop("notes", 0)
                    self._known, self._written, self._read_up_to = known, written, 0
                self._stamp = stamp
        except (OSError, ValueError):
            self._written = self._stamp = None
        return self._written is not None

    def _look(self):
        """A mark that changes with holdings.json; None where the file is too new for a safe mark. OSError."""
        now, found = time.time_ns(), os.stat(self._file)
        settled = found.st_mtime_ns < now - SETTLED
        return (found.st_ino, found.st_mtime_ns, found.st_size) if settled else None

    def _read_notes(self):
        """Read the new notes; False where the notes are gone because everything was written whole."""
        try:
            if os.stat(self._notes(self._number)).st_size == self._read_up_to:
                return True  # whole lines stay as they are
            with open(self._notes(self._number), "rb") as notes:
                notes.seek(self._read_up_to)
                lines = notes.read()
        except OSError:  # no notes yet, or not any more
            stamp = self._look()
            return stamp == self._stamp if stamp else self._file.read_bytes() == self._written
        lines = lines[: lines.rfind(b"\n") + 1]  # the rest is being written
        self._read_up_to += len(lines)
        for line in lines.splitlines():
            part, key, entry = json.loads(line)
            self._known.setdefault(part, {})[key] = entry
        return True

    def _notes(self, number):
        return f"{self._path}/holdings-{number}.log"
