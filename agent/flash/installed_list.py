# SPDX-License-Identifier: MIT
"""An installed trust list that stays on flash: its bytes are read when a rule looks at them.

Two lists of 64 KB and one that is being fetched would fill a small phone's memory. What the rules search by (roles, places,
lengths) is in memory; certificates are looked at one by one. The store has checked the whole state when it was loaded, and
what a certificate is for is decided by its own bytes, so damage since then can only refuse."""

from agent.errors import TrustLost

_CHUNK = 1024


class ListOnFlash:
    """The bytes of the section `kind` of the store's current state: len(), slices (bytes), digest().

    Reading raises TrustLost where the flash fails or the section is gone."""

    def __init__(self, store, kind, size):
        self._store = store
        self._kind = kind
        self._size = size

    def __len__(self):
        return self._size

    def __getitem__(self, place):
        start = place.start or 0
        stop = self._size if place.stop is None else min(place.stop, self._size)
        found = bytearray(max(stop - start, 0))
        self._read(start, found)
        return bytes(found)

    def holds(self, data):
        """Whether these are just the bytes of `data`."""
        if len(data) != self._size:
            return False
        for at, part in self._parts():
            if data[at : at + len(part)] != part:
                return False
        return True

    def digest(self, crypto, algorithm):
        """The digest of all bytes."""
        running = crypto.digest_stream(algorithm)
        try:
            for _, part in self._parts():
                running.update(part)
            return running.digest()
        finally:
            running.close()

    def _parts(self):
        """(offset, bytes) of one piece after the other."""
        buffer = bytearray(_CHUNK)
        for at in range(0, self._size, _CHUNK):
            part = memoryview(buffer)[: min(_CHUNK, self._size - at)]
            self._read(at, part)
            yield at, part

    def _read(self, start, buffer):
        stored = self._store.current
        found = stored.find(self._kind) if stored is not None else None
        if found is None or found[1] != self._size:
            raise TrustLost("the installed %s is no longer on flash" % self._kind.upper())
        try:
            stored.read_part(found[0] + start, buffer)
        except OSError as error:
            raise TrustLost("the installed %s cannot be read from flash: %s" % (self._kind.upper(), error))
