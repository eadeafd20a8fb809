# SPDX-License-Identifier: MIT
"""The administrator's procedures, each one change of state. A wrong order is allowed: that is what a lab is for."""

import re
from pathlib import Path

from host_tools.lab.errors import LabError
from host_tools.lab.model.keys import Identity, make_identity
from host_tools.lab.model.state import Store
from host_tools.lab.writers import files, publish

REGENERATED = {
    "tftp": "callmanager",
    "callmanager": "callmanager",
    "tvs": "tvs",
    "tomcat": "tomcat",
    "capf": "capf",
    "itlrecovery": "itlrecovery",
}
ON_NODES = ("callmanager", "tvs", "tomcat")
ITL_KEYS = ("callmanager", "itlrecovery")
MODES = ("mixed", "nonsecure")
MOST_ADDITIONAL = 200
STOPPABLE = ("tvs", "application", "http", "https", "capf")
_ADDRESS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


class Procedures:
    """What an administrator does with a Cluster; the class Cluster inherits from this one."""

    def regenerate(self, kind, node=None, ca=False):
        """Make a new key and certificate: kind "tftp", "tvs", "tomcat", "capf" or "itlrecovery".

        The first three are those of `node`, default the publisher; the others are the publisher's alone.
        ITLs are rebuilt and signed, TVS knows the new certificate and no longer the old one; the CTL stays as it is
        until ctl_update(). With `ca` a third-party CA of the lab issues the certificate. "tftp" is the CallManager
        certificate; the node's EC one goes with it.
        """
        if kind not in REGENERATED:
            raise LabError(f"{kind!r} cannot be regenerated; these can: {', '.join(REGENERATED)}")
        kind = REGENERATED[kind]
        if kind not in ON_NODES and node not in (None, 1):
            raise LabError(f"the {kind} certificate is the publisher's alone; leave the node out")
        with self.change() as draft:
            number = (node or 1) if kind in ON_NODES else None
            if number is not None:
                self.node(number, draft.data)
            issuer = (draft.identities.get("ca") or self._make(draft, "ca")) if ca else None
            self._make(draft, kind, number, issuer)
            if kind == "callmanager":
                self._make(draft, "callmanager-ec", number, issuer)
            _normal_signer(draft)

    def set_rollback(self, enabled):
        """Prepare for rollback to before 8.0, by an ITL without TFTP and TVS certificates; or take that back."""
        with self.change() as draft:
            draft.data["rollback"] = bool(enabled)
            _normal_signer(draft)

    def set_cluster_mode(self, mode):
        """Switch to "mixed" or "nonsecure". Either way a CTL for the new mode is made and handed out."""
        if mode not in MODES:
            raise LabError(f"{mode!r} is no cluster mode; these are: {', '.join(MODES)}")
        with self.change() as draft:
            draft.data["mixed"] = mode == "mixed"
            publish.build_ctl(draft)

    def ctl_update(self):
        """Make a new CTL from today's certificates."""
        with self.change() as draft:
            _needs_ctl(draft)
            publish.build_ctl(draft)

    def ctl_delete(self):
        """Take the CTL off the TFTP servers. Phones that have one keep it."""
        with self.change() as draft:
            _needs_ctl(draft)
            for published in draft.published.values():
                published.pop(files.CTL_NAME, None)

    def ctl_sign(self, key):
        """Sign the CTL with another key from now on: "callmanager", "itlrecovery", "token-1" or "token-2"."""
        with self.change() as draft:
            _needs_ctl(draft)
            if key not in (*ITL_KEYS, "token-1", "token-2") or (key not in ITL_KEYS and key not in draft.identities):
                raise LabError(f"this cluster has no key {key!r} for its CTL")
            draft.data["ctl_key"] = key
            publish.build_ctl(draft)

    def itl_sign(self, key):
        """Sign ITLs with "callmanager" or "itlrecovery" from now on, whatever the cluster's signer is."""
        if key not in ITL_KEYS:
            raise LabError(f"{key!r} does not sign ITLs; these do: {', '.join(ITL_KEYS)}")
        with self.change() as draft:
            _needs_itl(draft)
            draft.data.update(itl_key=key, itl_reset=None)

    def itl_reset(self, which, recovery=None):
        """Sign today's ITL with the ITLRecovery key: the cluster's ("localkey"), or an exported one ("remotekey").

        The next change of a certificate signs as usual again. `recovery` is the Identity of transfer.read_recovery().
        """
        with self.change() as draft:
            _needs_itl(draft)
            if which == "localkey":
                draft.data["itl_reset"] = "itlrecovery"
            elif which == "remotekey" and isinstance(recovery, Identity) and recovery.key is not None:
                draft.identities["remote-key"] = recovery
                draft.data["itl_reset"] = "remote-key"
            else:
                raise LabError("an ITL is reset with localkey, or with remotekey and an exported ITLRecovery key")

    def set_autoregistration(self, enabled):
        """Give phones that the cluster does not know the default configuration, or not."""
        with self.change() as draft:
            draft.data["autoregistration"] = bool(enabled)

    def set_centralized_tftp(self, other):
        """Let this cluster's TFTP servers also hand out the files of the cluster in the folder `other` (None: not)."""
        if other is not None:
            Store(other).current()  # there must be a cluster
        with self.change() as draft:
            draft.data["centralized_tftp"] = None if other is None else str(Path(other).resolve())

    def set_pre8(self, enabled):
        """Be a cluster from before Security by Default: no ITL, no TVS, unsigned configuration; or no longer."""
        with self.change() as draft:
            draft.data["pre8"] = bool(enabled)

    def upgrade(self):
        """The next release: from before 8.0 to Security by Default with SHA-1, from there to SHA-512 and EC.

        Returns what the cluster is now, in words. LabError where there is nothing newer.
        """
        with self.change() as draft:
            if draft.data["pre8"]:
                draft.data.update(pre8=False, digest="sha1")
                now = "has Security by Default, with SHA-1"
            elif draft.data["digest"] != "sha512":
                draft.data["digest"] = "sha512"
                now = "signs with SHA-512 and has EC certificates in its ITL"
                if files.CTL_NAME in draft.published[draft.data["nodes"][0]["name"]]:
                    publish.build_ctl(draft)
            else:
                raise LabError("the cluster is at the newest release that the lab knows")
        return now

    def add_certificates(self, count):
        """Put `count` more certificates into the ITL, as more nodes would; phones take a list up to 64 KB."""
        if not 1 <= count <= MOST_ADDITIONAL:
            raise LabError(f"1 to {MOST_ADDITIONAL} certificates can be added at a time, not {count}")
        with self.change() as draft:
            names = draft.data["additional"]
            key = draft.identities[names[0]].key if names else self.key_maker.rsa(2048)
            for number in range(len(names) + 1, len(names) + count + 1):
                identity = make_identity(f"{draft.data['name']}-extra{number}.lab.example", key)
                draft.identities[f"additional-{number}"] = identity
                names.append(f"additional-{number}")

    def set_address(self, address, node=None):
        """Change what phones are told to connect to, for one node or for all. ITLs carry it, so they are rebuilt."""
        check_address(address)
        with self.change() as draft:
            for entry in [self.node(node, draft.data)] if node else draft.data["nodes"]:
                entry["address"] = address

    def add_file(self, name, content):
        """Hand out another file, such as a ring list, a locale or a firmware load: as `name` and, signed, as `name`.sgn."""
        if name.endswith((".sgn", ".tlv", ".cnf.xml")):
            raise LabError(f"{name!r} is a name that the cluster gives its own files")
        with self.change() as draft:
            draft.files[name] = bytes(content)

    def remove_file(self, name):
        """Hand out an added file no longer."""
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
        raise LabError(f"{address!r} is no address or name of a node, such as 192.0.2.10 or cucm.example")


def _normal_signer(draft):
    """After a reset with the ITLRecovery key, the next new list is signed as usual again."""
    draft.data["itl_reset"] = None


def _needs_ctl(draft):
    if files.CTL_NAME not in draft.published[draft.data["nodes"][0]["name"]]:
        raise LabError("the cluster has no CTL; `set cluster-mode mixed` makes one")


def _needs_itl(draft):
    if draft.data["pre8"]:
        raise LabError("a cluster from before 8.0 has no ITL")
