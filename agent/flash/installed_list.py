# SPDX-License-Identifier: MIT
"""An installed trust list stays on flash. Its bytes are read when a rule looks at them.

Two installed lists of 64 KB and a third one that is being fetched would fill a small phone's memory. So memory has only what
the rules search by (roles, offsets, lengths), and certificates are read one by one. The store checked the whole state when it
was loaded. Later damage can only lead to a refusal, because decisions use the certificate's own bytes."""

from agent.errors import TrustLost

_CHUNK = 1024


class ListOnFlash:
    """The bytes of the section `kind` ("ctl" or "itl") in the store's current state. size: bytes. It has len(), slices (as
    bytes), holds() and digest(). Reading raises TrustLost if the flash fails or the section is gone."""

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
        """Whether the section has exactly the bytes of `data`."""
        if len(data) != self._size:
            return False
        for at, part in self._parts():
            if data[at : at + len(part)] != part:
                return False
        return True

    def digest(self, crypto, algorithm):
        """The digest of the whole section. algorithm: as in the HAL's crypto."""
        running = crypto.digest_stream(algorithm)
        try:
            for _, part in self._parts():
                running.update(part)
            return running.digest()
        finally:
            running.close()

    def _parts(self):
        """Yields (offset, memoryview) for one piece after the other; each piece is valid until the next."""
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
