# SPDX-License-Identifier: MIT
"""Two namespaces and the process that carries packets between them."""

import json
import subprocess
import sys

from host_tools.link import relay
from host_tools.link.namespace import Namespace

NEAR, FAR = "192.0.2.1", "192.0.2.2"


class Link:
    """near and far: the two ends, each a Namespace with an address. counts, after close(): the number of packets and of each
    fault, {"passed", "lost", "delayed", "doubled", "reordered"}. A context manager. Raises LinkError."""

    def __init__(self, faults):
        self.counts = {}
        self.near = Namespace("near0", NEAR)
        try:
            self.far = Namespace("far0", FAR)
        except BaseException:
            self.near.close()
            raise
        ends = (self.near.tap, self.far.tap)
        self._relay = subprocess.Popen(
            [sys.executable, relay.__file__, *map(str, ends), json.dumps(vars(faults))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=ends,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the line; open connections over it hang from now on."""
        if not self.counts:
            self.counts = json.loads(self._relay.communicate()[0])
            self.near.close()
            self.far.close()
