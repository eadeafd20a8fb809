# SPDX-License-Identifier: MIT
"""silent_resolver.py COMMAND...: runs a command where the only name server never answers.

Start it in a mount and a network namespace of its own (unshare --mount --net), because it changes them.
"""

import socket
import subprocess
import sys
import tempfile
from pathlib import Path

# An emulated interpreter has a file of its own in the folder of its libraries.
ROOTS = [Path("/"), *(Path(__file__).resolve().parents[3] / "build" / "micropython").glob("*")]

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with tempfile.NamedTemporaryFile("w") as configuration:
    configuration.write("nameserver 127.0.0.1\n")
    configuration.flush()
    for path in [root / "etc" / "resolv.conf" for root in ROOTS]:
        if path.exists():
            subprocess.run(["mount", "--bind", configuration.name, str(path.resolve())], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 53))
        sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
