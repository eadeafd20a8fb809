# SPDX-License-Identifier: MIT
"""RSA keys for tests that may use any key: made once into build/test-keys, handed out in turn."""

import itertools
import os
import secrets
import threading
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from host_tools.lab.model.keys import KeyMaker, key_pem

FOLDER = Path(__file__).resolve().parents[3] / "build" / "test-keys"
COUNT = 64  # more than any test needs, so no cluster gets the same key twice


class PooledKeys(KeyMaker):
    """A KeyMaker whose 2048-bit RSA keys come from the pool; other keys are made."""

    _next = itertools.count(secrets.randbelow(COUNT))
    _loaded = {}
    _lock = threading.Lock()

    def rsa(self, bits=2048):
        """The pool's next key."""
        if bits != 2048:
            return super().rsa(bits)
        with self._lock:
            number = next(self._next) % COUNT
            if number not in self._loaded:
                self._loaded[number] = self._load(FOLDER / f"rsa-2048-{number}.pem")
            return self._loaded[number]

    def _load(self, path):
        try:
            return serialization.load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        except FileNotFoundError:
            key = super().rsa()
            path.parent.mkdir(parents=True, exist_ok=True)
            building = path.with_suffix(f".{os.getpid()}")
            building.write_bytes(key_pem(key))
            building.rename(path)
            return key
