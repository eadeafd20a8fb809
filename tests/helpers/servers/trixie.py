# SPDX-License-Identifier: MIT
"""Debian trixie's programs of build/sip-phone on this PC, with their own libraries and loader: no chroot, no root rights."""

import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent
SETUP = ROOT / "host_tools" / "setup" / "sip-phone.sh"
ARCHITECTURE = platform.machine()
FOLDER = ROOT / "build" / "sip-phone" / ARCHITECTURE
LIBRARIES = FOLDER / "usr" / "lib" / f"{ARCHITECTURE}-linux-gnu"
LOADERS = {"x86_64": "usr/lib64/ld-linux-x86-64.so.2", "aarch64": "usr/lib/ld-linux-aarch64.so.1"}
MODULE = ROOT / "build" / "native" / ARCHITECTURE / "libphonetrust-pkcs11.so"
#: The folder of baresip's modules.
BARESIP_MODULES = FOLDER / "usr" / "lib" / "baresip" / "modules"

OPENSSL_CONFIGURATION = """openssl_conf = openssl_init
[openssl_init]
providers = provider_section
[provider_section]
default = default_section
pkcs11 = pkcs11_section
[default_section]
activate = 1
[pkcs11_section]
module = {provider}
pkcs11-module-path = {module}
activate = 1
"""


def fetch():
    """Unpack the programs into build/sip-phone, if they are not there. CalledProcessError where that fails."""
    if not (FOLDER / ".fetched").exists():
        subprocess.run([SETUP, ARCHITECTURE], stdin=subprocess.DEVNULL, check=True)


def command(program, *arguments):
    """The command line that runs `program` ("openssl", "baresip", "curl")."""
    return [
        str(FOLDER / LOADERS[ARCHITECTURE]), "--library-path", str(LIBRARIES), str(FOLDER / "usr" / "bin" / program),
        *[str(argument) for argument in arguments],
    ]  # fmt: skip


def environment(folder, socket):
    """The environment in which OpenSSL finds the phone's key at the agent's `socket`; writes its settings to `folder`."""
    settings = Path(folder) / "openssl.cnf"
    provider = LIBRARIES / "ossl-modules" / "pkcs11.so"
    settings.write_text(OPENSSL_CONFIGURATION.format(provider=provider, module=MODULE))
    return {**os.environ, "OPENSSL_CONF": str(settings), "PHONETRUST_SOCKET": str(socket)}
