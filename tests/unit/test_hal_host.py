# SPDX-License-Identifier: MIT
"""What only the HAL of a PC has: it computes with libphonetrust, and without that with Python's own libraries."""

import os

from hal import host
from hal.host import Hal
from tests.helpers.agent.both import raises, temporary_path

PYTHONS = ("cpython",)


def test_the_host_falls_back_where_the_library_is_not_built():
    kept = {name: os.environ.pop(name, None) for name in ("PHONETRUST_LIBRARY", "PHONETRUST_CRYPTO")}
    try:
        assert host.crypto().name == "libphonetrust" and Hal().net.tls_name == "libphonetrust"
        assert host.crypto("cryptography").name == "cryptography" and host.tls("cryptography").name == "ssl"
        os.environ["PHONETRUST_LIBRARY"] = temporary_path()
        assert host.crypto().name == "cryptography" and Hal().net.tls_name == "ssl"
        raises(OSError, host.crypto, "native")
        raises(OSError, host.tls, "native")
        os.environ["PHONETRUST_CRYPTO"] = "native"
        raises(OSError, host.crypto)
        os.environ["PHONETRUST_CRYPTO"] = "openssl"
        raises(ValueError, host.crypto)
    finally:
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
