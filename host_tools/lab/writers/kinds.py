# SPDX-License-Identifier: MIT
"""The kinds of cluster that phones meet, as data: which keys sign lists and files, which certificates there are.

The source is docs/spec/procedures.md, 'Kinds of clusters'.
An identity is named in the state by its kind, and by its node where each node has its own: `capf`, `tvs-2`.
"""

from dataclasses import dataclass

from host_tools.lab.errors import LabError
from host_tools.lab.writers import files


@dataclass(frozen=True)
class Kind:
    """One kind. `itl_signer`, `ctl_signer`: the key that signs unless the administrator chose another."""

    said: str  # for `init` and `status`
    itl_signer: str
    ctl_signer: str
    ctl_sast: tuple  # keys that may sign the next CTL
    shared_itl: bool = False  # all nodes hand out the same ITL, with each node's CallManager certificate in it
    mixed: bool = False  # whether a new cluster is in mixed mode by default
    tokens: tuple = ()


KINDS = {
    "modern": Kind(
        "ITLRecovery signs lists, CallManager signs files",
        "itlrecovery",
        "itlrecovery",
        ("itlrecovery", "callmanager"),
        shared_itl=True,
    ),
    "classic": Kind("CallManager signs lists and files", "callmanager", "callmanager", ("itlrecovery", "callmanager")),
    "tokens": Kind(
        "hardware tokens sign the CTL, CallManager signs ITL and files",
        "callmanager",
        "token-1",
        ("token-1", "token-2"),
        mixed=True,
        tokens=("token-1", "token-2"),
    ),
    "open": Kind("SAST keys sign lists, as the manual of the open tools has it", "sast-1", "sast-1", ()),
}
DEFAULT = "modern"
# What an open cluster may have: SAST keys (1 or 2), a key that signs files, HTTPS for configuration, TVS.
OPEN_PARTS = {"sast": 1, "files": False, "https": False, "tvs": False}

ON_NODES = ("callmanager", "callmanager-ec", "tvs", "tomcat")
VENDOR_NODE_KINDS = ON_NODES
# Argument of `regenerate` -> the kinds of certificate that are made anew.
VENDOR_CERTIFICATES = {
    "tftp": ("callmanager", "callmanager-ec"),
    "callmanager": ("callmanager", "callmanager-ec"),
    "tvs": ("tvs",),
    "tomcat": ("tomcat",),
    "capf": ("capf",),
    "itlrecovery": ("itlrecovery",),
}


def is_open(data):
    """Whether the cluster is one of the open tools."""
    return data["kind"] == "open"


def needs_vendor(data, what):
    """LabError in an open cluster, because it does not have `what`."""
    if is_open(data):
        raise LabError(f"a cluster of the open tools has no {what}")


def open_parts(chosen):
    """The parts of a new open cluster: OPEN_PARTS with what was chosen. LabError for other parts and numbers."""
    unknown = sorted(set(chosen) - set(OPEN_PARTS))
    if unknown:
        raise LabError(f"an open cluster has no part {unknown[0]!r}; these are: {', '.join(OPEN_PARTS)}")
    parts = {**OPEN_PARTS, **chosen}
    if parts["sast"] not in (1, 2):
        raise LabError(f"an open cluster has 1 or 2 SAST keys, not {parts['sast']}")
    return parts


def node_kinds(data):
    """The kinds of certificate that each node has of its own."""
    if not is_open(data):
        return VENDOR_NODE_KINDS
    parts = data["open"]
    return ("callmanager", "tomcat") + ("callmanager-ec",) * parts["https"] + ("tvs",) * parts["tvs"]


def cluster_kinds(data):
    """The kinds of certificate of which the cluster has one."""
    if not is_open(data):
        return ("capf", "itlrecovery", *KINDS[data["kind"]].tokens)
    return ("capf", *sast_keys(data)) + ("tftp",) * data["open"]["files"]


def sast_keys(data):
    """The SAST keys of an open cluster, by name."""
    return tuple(f"sast-{number}" for number in range(1, data["open"]["sast"] + 1))


def certificates(data):
    """What can be regenerated: {name for the administrator: kinds of certificate}."""
    if not is_open(data):
        return VENDOR_CERTIFICATES
    own = [*cluster_kinds(data), *(kind for kind in node_kinds(data) if kind != "callmanager-ec")]
    found = {kind: (kind,) for kind in sorted(own)}
    if data["open"]["https"]:
        found["https"] = ("callmanager-ec",)
    return found


def identity_name(kind, node=None):
    """The name of an identity in the state; "tftp" of a node is its CallManager certificate."""
    if kind == "tftp" and node is not None:
        kind = "callmanager"
    return f"{kind}-{node or 1}" if kind in ON_NODES else kind


def itl_keys(data):
    """The keys that may sign ITLs."""
    return sast_keys(data) if is_open(data) else ("callmanager", "itlrecovery")


def ctl_keys(data):
    """The keys that may sign CTLs."""
    return itl_keys(data) + KINDS[data["kind"]].tokens


def tftp_role(data):
    """The role of the CallManager certificate: CCM+TFTP in mixed mode, else TFTP; CCM in open clusters."""
    if is_open(data):
        return files.CCM
    return files.CCM_TFTP if data["mixed"] else files.TFTP


def knows_ec(data):
    """Whether lists have SIGNERVERSION 1.1 and the EC certificate of HTTPS: SHA-512 clusters, and open ones with HTTPS."""
    return data["open"]["https"] if is_open(data) else data["digest"] != "sha1"


def has_tvs(data):
    """Whether the cluster has TVS at all."""
    return data["open"]["tvs"] if is_open(data) else not data["pre8"]
