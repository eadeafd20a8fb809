# SPDX-License-Identifier: MIT
"""Certificates and lists: regenerating, signing, resetting, and the restarts by which services load new certificates.

A wrong order is allowed, because a lab is there to try it. With restarts by hand, a regenerated certificate is on disk, and the
service that uses it shows and signs with the old one until it is restarted.
"""

from host_tools.lab.errors import LabError
from host_tools.lab.model.keys import Identity, make_identity
from host_tools.lab.model.part import Part
from host_tools.lab.writers import files, kinds, publish

RESTARTS = ("automatic", "by-hand")
RESTARTED = ("tvs", "tftp", "capf", "tomcat")
MOST_ADDITIONAL = 200
# The kinds of certificate that each service loads when it starts.
LOADED_BY = {
    "tftp": ("callmanager", "callmanager-ec", "itlrecovery", "tftp"),
    "tvs": ("tvs",),
    "tomcat": ("tomcat",),
    "capf": ("capf",),
}


class Certificates(Part):
    """What an administrator does with certificates and lists of a Cluster; the class Cluster inherits from this one."""

    def regenerate(self, kind, node=None, ca=False):
        """Make a new key and certificate: kind "tftp", "tvs", "tomcat", "capf" or "itlrecovery"; in open clusters also others.

        The first three belong to `node` (default: the publisher), the others to the publisher.
        ITLs are rebuilt and signed, TVS learns the new certificate and forgets the old one; the CTL stays as it is
        until ctl_update(). With `ca` a third-party CA of the lab issues the certificate. "tftp" is the CallManager
        certificate, and the node's EC one goes with it; in open clusters it is the key that signs files. Returns
        sentences for the administrator.
        """
        notes = []
        with self.change() as draft:
            known = kinds.certificates(draft.data)
            if kind not in known:
                raise LabError(f"{kind!r} cannot be regenerated; these can: {', '.join(known)}")
            on_node = known[kind][0] in kinds.ON_NODES
            if not on_node and node not in (None, 1):
                raise LabError(f"only the publisher has a {kind} certificate; leave the node out")
            number = node or 1
            self.node(number, draft.data)
            issuer = (draft.identities.get("ca") or self._make(draft, "ca")) if ca else None
            for each in known[kind]:
                name = kinds.identity_name(each, number) if each in kinds.ON_NODES else each
                old = draft.identities[name]
                if old.certificate.issuer != old.certificate.subject:
                    by = files.name_text(old.certificate.issuer).partition(",")[0]
                    notes.append(f"The certificate {name}, issued by {by}, a third party, is overwritten.")
                if draft.data["restarts"] == "by-hand":
                    _keep_loaded(draft, each, number, name, old)
                self._make(draft, each, number, issuer)
            _normal_signer(draft)
            if draft.data["saved"]["backup"] == "current":
                draft.data["saved"]["backup"] = f"made before the {kind} certificate of node {number} was regenerated"
        return notes

    def set_restarts(self, how):
        """Services are restarted "automatic"ally after each change, or "by-hand" (restart())."""
        if how not in RESTARTS:
            raise LabError(f"restarts are {' or '.join(RESTARTS)}, not {how!r}")
        with self.change() as draft:
            draft.data["restarts"] = how
            if how == "automatic":
                for service in RESTARTED:
                    for number in range(1, len(draft.data["nodes"]) + 1):
                        restart(draft, service, number)

    def restart(self, service, node=None):
        """Restart a service ("tvs", "tftp", "capf", "tomcat") on a node, default on all: it then loads what is on disk."""
        if service not in RESTARTED:
            raise LabError(f"{service!r} is not restarted by hand; these are: {', '.join(RESTARTED)}")
        with self.change() as draft:
            self.refuse_while_migrating(draft, f"restart {service}")
            if node is not None:
                self.node(node, draft.data)
            for number in [node] if node else range(1, len(draft.data["nodes"]) + 1):
                restart(draft, service, number)

    def ctl_update(self):
        """Make a new CTL from today's certificates, as the CTL client does."""
        with self.change() as draft:
            _needs_ctl(draft)
            draft.data["ctl_client"] = None
            publish.build_ctl(draft)

    def ctl_delete(self):
        """Take the CTL off the TFTP servers. Phones that have one keep it."""
        with self.change() as draft:
            _needs_ctl(draft)
            for published in draft.published.values():
                published.pop(files.CTL_NAME, None)

    def ctl_sign(self, key):
        """Sign the CTL with another key from now on, one of kinds.ctl_keys(): "callmanager", "token-1", "sast-2", ..."""
        with self.change() as draft:
            _needs_ctl(draft)
            keys = kinds.ctl_keys(draft.data)
            if key not in keys:
                raise LabError(f"this cluster has no key {key!r} for its CTL; these are: {', '.join(keys)}")
            draft.data["ctl_key"] = key
            draft.data["ctl_client"] = None
            publish.build_ctl(draft)

    def itl_sign(self, key):
        """Sign ITLs with another key from now on, one of kinds.itl_keys(): "callmanager", "itlrecovery"; "sast-2"."""
        with self.change() as draft:
            _needs_itl(draft)
            keys = kinds.itl_keys(draft.data)
            if key not in keys:
                raise LabError(f"{key!r} does not sign ITLs; these do: {', '.join(keys)}")
            draft.data.update(itl_key=key, itl_reset=None)

    def itl_reset(self, which, recovery=None):
        """Sign today's ITL with the ITLRecovery key: the cluster's ("localkey"), or an exported one ("remotekey").

        The next change of a certificate signs as usual again. `recovery` is the Identity of transfer.read_recovery().
        """
        with self.change() as draft:
            _needs_itl(draft)
            kinds.needs_vendor(draft.data, "ITLRecovery key; sign its lists with the other SAST key (`itl sign`)")
            if which == "localkey":
                draft.data["itl_reset"] = "itlrecovery"
            elif which == "remotekey" and isinstance(recovery, Identity) and recovery.key is not None:
                draft.identities["remote-key"] = recovery
                draft.data["itl_reset"] = "remote-key"
            else:
                raise LabError("an ITL is reset with localkey, or with remotekey and an exported ITLRecovery key")

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


def restart(draft, service, number):
    """The service of node `number` loads what is on disk; TFTP also takes up the parameter of a rollback."""
    for stored in draft.data["loaded"].pop(f"{service}@{number}", {}).values():
        if not any(stored in names.values() for names in draft.data["loaded"].values()):
            draft.identities.pop(stored)
    if service == "tftp":
        node = draft.data["nodes"][number - 1]
        node["rollback_active"] = node["rollback"]


def pending(state):
    """What is on disk and not in effect: [{"service", "node", "waiting"}]; "waiting" has names of certificates and settings."""
    found = []
    for number, node in enumerate(state.data["nodes"], 1):
        for service in RESTARTED:
            waiting = sorted(state.data["loaded"].get(f"{service}@{number}", {}))
            if service == "tftp" and node["rollback"] != node["rollback_active"]:
                waiting.append("the parameter of the rollback")
            if waiting:
                found.append({"service": service, "node": number, "waiting": waiting})
    return found


def after_restarts(state):
    """The State as it would be if all services were restarted now; not committed."""
    draft = state.draft()
    for number in range(1, len(draft.data["nodes"]) + 1):
        for service in RESTARTED:
            restart(draft, service, number)
    publish.build(draft)
    return draft


def missing_in_ctl(state):
    """The CAPF and CallManager certificates, by name, that the CTL of the cluster does not have yet; none without a CTL."""
    ctl = state.published[state.data["nodes"][0]["name"]].get(files.CTL_NAME)
    if ctl is None:
        return []
    names = ["capf", *(f"callmanager-{number}" for number in range(1, len(state.data["nodes"]) + 1))]
    return [name for name in names if state.identities[name].der not in ctl]


def _keep_loaded(draft, kind, number, name, old):
    """Running services keep the Identity `old`; a service that still has an older one keeps that."""
    everywhere = range(1, len(draft.data["nodes"]) + 1)
    for service, loads in LOADED_BY.items():
        if kind not in loads or (kind == "callmanager" and kinds.is_open(draft.data)):
            continue
        for node in [number] if kind in kinds.ON_NODES else everywhere:
            names = draft.data["loaded"].setdefault(f"{service}@{node}", {})
            if name not in names:
                stored = f"old-{name}-{old.certificate.serial_number:x}"
                draft.identities[stored] = old
                names[name] = stored


def _normal_signer(draft):
    """Let the next list be signed as usual again after a reset with the ITLRecovery key."""
    draft.data["itl_reset"] = None


def _needs_ctl(draft):
    if files.CTL_NAME not in draft.published[draft.data["nodes"][0]["name"]]:
        raise LabError("the cluster has no CTL; `set cluster-mode mixed` makes one")


def _needs_itl(draft):
    if draft.data["pre8"]:
        raise LabError("a cluster from before 8.0 has no ITL")
