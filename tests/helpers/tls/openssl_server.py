# SPDX-License-Identifier: MIT
"""`openssl s_server` on a free port of loopback, as a context manager; with -www it answers GET with what was agreed."""

import os
import re
import subprocess
import tempfile
import threading

REQUEST = b"GET / HTTP/1.0\r\n\r\n"


class OpenSSLServer:
    """One server process. identity: tests.helpers.tls.identity.Identity; options: of s_server, as words."""

    def __init__(self, identity, *options):
        self._pem = tempfile.NamedTemporaryFile(suffix=".pem")
        self._pem.write(identity.pem)
        self._pem.flush()
        # s_server ends at the end of its standard input, so this is a pipe that stays open.
        self._process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", self._pem.name, "-www", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env={**os.environ, "OPENSSL_CONF": "/dev/null"},
        )  # fmt: skip
        self.said = []
        self.port = self._find_port()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _find_port(self):
        for line in self._process.stdout:
            self.said.append(line)
            found = re.match(r"ACCEPT .*:(\d+)$", line.strip())
            if found:
                return int(found[1])
        raise AssertionError("openssl s_server did not start:\n" + "".join(self.said))

    def _read(self):
        self.said.extend(self._process.stdout)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self._process.stdin.close()
        self._pem.close()
