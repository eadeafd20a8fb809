# SPDX-License-Identifier: MIT
"""The cluster's parameters: rollback, security mode, addresses, URLs of services, autoregistration, files, stopped services."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from host_tools.lab.errors import LabError
from host_tools.lab.model.part import Part
from host_tools.lab.model.state import Store
from host_tools.lab.writers import configuration, kinds, publish

MODES = ("mixed", "nonsecure")
MOST_CAPF_SERVERS = 5  # that phones read
STOPPABLE = ("tvs", "application", "http", "https", "capf", "directory")
SECURE_URLS = ("https", "http")
_ADDRESS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


class Parameters(Part):
    """What an administrator sets in a Cluster; the class Cluster inherits from this one."""

    def set_rollback(self, enabled, node=None):
        """Prepare for rollback to before 8.0, by an ITL without TFTP and TVS certificates; or take that back.

        The parameter is set on each server: `node`, or on all of them. With restarts by hand it takes effect when TFTP
        is restarted there.
        """
        with self.change() as draft:
            kinds.needs_vendor(draft.data, 'parameter "Prepare Cluster for Rollback to pre-8.0"')
            for entry in [self.node(node, draft.data)] if node else draft.data["nodes"]:
                entry["rollback"] = bool(enabled)
                if draft.data["restarts"] == "automatic":
                    entry["rollback_active"] = bool(enabled)
            draft.data["itl_reset"] = None

    def set_cluster_mode(self, mode):
        """Switch to "mixed" or "nonsecure". Either way a CTL for the new mode is made and handed out.

        Mixed mode ends autoregistration. Returns sentences for the administrator.
        """
        if mode not in MODES:
            raise LabError(f"{mode!r} is no cluster mode; these are: {', '.join(MODES)}")
        notes = []
        with self.change() as draft:
            draft.data["mixed"] = mode == "mixed"
            if draft.data["mixed"] and draft.data["autoregistration"]:
                draft.data["autoregistration"] = False
                notes.append("Autoregistration is off now: in mixed mode there is none.")
            draft.data["ctl_client"] = None
            publish.build_ctl(draft)
        return notes

    def set_autoregistration(self, enabled):
        """Switch autoregistration: unknown phones get the default configuration. LabError in mixed mode."""
        with self.change() as draft:
            if enabled and draft.data["mixed"]:
                raise LabError("a cluster in mixed mode does not autoregister phones; `add-phone` lets it know one")
            draft.data["autoregistration"] = bool(enabled)

    def set_centralized_tftp(self, other):
        """Let this cluster's TFTP servers also hand out the files of the cluster in the folder `other` (None: not)."""
        if other is not None:
            Store(other).current()  # there must be a cluster
        with self.change() as draft:
            draft.data["centralized_tftp"] = None if other is None else str(Path(other).resolve())

    def set_directory(self, which, url):
        """Where phones find the "corporate" or "personal" directory: their built-in application, or an http URL.

        configuration.BUILT_IN has the applications; `directory_url()` gives the URL, for releases before 8.0.
        """
        if which not in configuration.BUILT_IN:
            raise LabError(f"{which!r} is no directory; these are: {', '.join(configuration.BUILT_IN)}")
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and parts.hostname and not re.search(r"[\s<>\"]", url)
        if url != configuration.BUILT_IN[which] and not plain:
            raise LabError(f"{url!r} is neither {configuration.BUILT_IN[which]} nor an http URL")
        with self.change() as draft:
            draft.data["directory"][which] = url

    def directory_url(self, which):
        """The plain URL of a directory on the publisher, as the guide has it for releases before 8.0."""
        return configuration.plain_directory(self.data["nodes"][0], which)

    def set_secure_urls(self, how):
        """Give phones the URLs of secure services as "https", or as "http" where phones cannot use HTTPS."""
        if how not in SECURE_URLS:
            raise LabError(f"secure URLs are {' or '.join(SECURE_URLS)}, not {how!r}")
        with self.change() as draft:
            draft.data["secure_urls"] = how

    def set_address(self, address, node=None):
        """Change the address that phones are given, for one node or for all. ITLs carry it, so they are rebuilt."""
        check_address(address)
        with self.change() as draft:
            for entry in [self.node(node, draft.data)] if node else draft.data["nodes"]:
                entry["address"] = address

    def set_capf_servers(self, count):
        """Let the first `count` nodes run a CAPF server, one to five, which configuration files then name in this order."""
        with self.change() as draft:
            most = min(MOST_CAPF_SERVERS, len(draft.data["nodes"]))
            if not 1 <= count <= most:
                raise LabError(f"this cluster can have 1 to {most} CAPF servers, not {count}")
            draft.data["capf_servers"] = count

    def add_file(self, name, content):
        """Hand out another file, such as a ring list, a locale or a firmware load: as `name` and, signed, as `name`.sgn."""
        if name.endswith((".sgn", ".tlv", ".cnf.xml")):
            raise LabError(f"{name!r} is the name of one of the cluster's own files")
        with self.change() as draft:
            draft.files[name] = bytes(content)

    def remove_file(self, name):
        """Stop handing out a file that was added."""
        with self.change() as draft:
            if draft.files.pop(name, None) is None:
                raise LabError(f"no file {name!r} was added; these were: {', '.join(sorted(draft.files)) or 'none'}")

    def stop(self, service, node=1):
        """Take a node's service down (a running serve closes its port)."""
        self._set_stopped(service, node, True)

    def start(self, service, node=1):
        """Bring a node's service back."""
        self._set_stopped(service, node, False)

    def _set_stopped(self, service, node, stopped):
        if service not in STOPPABLE:
            raise LabError(f"{service!r} cannot be stopped; these can: {', '.join(STOPPABLE)}")
        with self.change() as draft:
            entry = self.node(node, draft.data)
            others = [name for name in entry["stopped"] if name != service]
            entry["stopped"] = sorted([*others, service] if stopped else others)


def check_address(address):
    """LabError unless this can be the address or name of a node."""
    if not _ADDRESS.fullmatch(address):
        raise LabError(f"{address!r} is not an address or name of a node such as 192.0.2.10 or cucm.example")
