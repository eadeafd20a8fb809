# SPDX-License-Identifier: MIT
"""From a cluster's state to the files its TFTP servers hand out.

Each node makes its own ITL where the CallManager certificate signs (as clusters do); where ITLRecovery signs, all
nodes hand out the same one. RSA signatures of this kind are deterministic, so a list is built anew with the timestamp
of the one before and kept if it comes out the same: phones then see `unchanged`.
"""

import hashlib
import ipaddress
import struct
import time

from host_tools.lab.errors import LabError
from host_tools.lab.writers import configuration, files
from host_tools.lab.writers.encryption import can_encrypt_to, encrypted_file

SIGNERS = ("callmanager", "itlrecovery", "etoken")


def tftp_role(data):
    """The role under which the CallManager certificate stands: CCM+TFTP in mixed mode, else TFTP."""
    return files.CCM_TFTP if data["mixed"] else files.TFTP


def itl_signer(state, number):
    """The Identity that signs the ITL of node `number`: after a reset or `itl sign` that key, else the cluster's signer.

    Hardware tokens sign the CTL only; a cluster that has them signs its ITLs with the CallManager certificate.
    """
    data = state.data
    key = data["itl_reset"] or data["itl_key"] or {"itlrecovery": "itlrecovery"}.get(data["signer"], "callmanager")
    return state.identities[f"callmanager-{number}" if key == "callmanager" else key]


def itl_records(state, number, signer):
    """The records of node `number`'s ITL, in a cluster's order: signers, TFTP, TVS, CAPF, the rest."""
    data, identities = state.data, state.identities
    recovery = identities["itlrecovery"].certificate
    same_everywhere = data["signer"] == "itlrecovery"
    own = identities[f"callmanager-{1 if same_everywhere else number}"].certificate
    signers = [recovery, own]
    if signer.certificate not in signers:
        signers.insert(0, signer.certificate)
    if data["rollback"]:
        certificates = [files.record(certificate, files.SAST) for certificate in signers]
        return certificates + [files.empty_record(files.TFTP), files.empty_record(files.TVS)]
    records = [files.record(certificate, files.SAST) for certificate in signers]
    tftp_nodes = range(1, len(data["nodes"]) + 1) if same_everywhere else [number]
    for other in tftp_nodes:
        node = data["nodes"][other - 1]
        records.append(_node_record(identities[f"callmanager-{other}"].certificate, tftp_role(data), node))
        if data["digest"] != "sha1":  # clusters that know SHA-512 also have the EC certificate
            records.append(_node_record(identities[f"callmanager-ec-{other}"].certificate, files.TFTP, node))
    for other, node in enumerate(data["nodes"], 1):
        records.append(_node_record(identities[f"tvs-{other}"].certificate, files.TVS, node))
    records.append(files.record(identities["capf"].certificate, files.CAPF))
    for name in data["additional"]:
        records.append(files.record(identities[name].certificate, files.TVS))
    return records


def ctl_signer(state):
    """The Identity that signs the CTL: the state's `ctl_key`, else token, ITLRecovery, publisher's CallManager."""
    key = (
        state.data["ctl_key"]
        or {"etoken": "token-1", "itlrecovery": "itlrecovery", "callmanager": "callmanager"}[state.data["signer"]]
    )
    return state.identities["callmanager-1" if key == "callmanager" else key]


def ctl_records(state, signer):
    """The records of the CTL: who may sign the next one, each node's CallManager, CAPF."""
    data, identities = state.data, state.identities
    if data["signer"] == "etoken":
        signers = [identities["token-1"].certificate, identities["token-2"].certificate]
    else:
        signers = [identities["itlrecovery"].certificate, identities["callmanager-1"].certificate]
    if signer.certificate not in signers:
        signers.insert(0, signer.certificate)
    records = [files.record(certificate, files.SAST) for certificate in signers]
    for number, node in enumerate(data["nodes"], 1):
        records.append(_node_record(identities[f"callmanager-{number}"].certificate, tftp_role(data), node))
    records.append(files.record(identities["capf"].certificate, files.CAPF))
    return records


def build_ctl(state):
    """Sign a new CTL from today's certificates and hand it out on all nodes."""
    signer = ctl_signer(state)
    records = ctl_records(state, signer)
    previous = state.published.get(state.data["nodes"][0]["name"], {}).get(files.CTL_NAME)
    ctl = _rebuild(files.CTL_NAME, signer, records, previous, state.data["digest"])
    for node in state.data["nodes"]:
        state.published.setdefault(node["name"], {})[files.CTL_NAME] = ctl


def build(state):
    """Bring `state.published` up to date: ITLs and configuration. The CTL stays what the administrator last made."""
    data = state.data
    made = {}
    for number, node in enumerate(data["nodes"], 1):
        previous = state.published.get(node["name"], {})
        published = {}
        if files.CTL_NAME in previous:
            published[files.CTL_NAME] = previous[files.CTL_NAME]
        if not data["pre8"]:
            signer = itl_signer(state, number)
            records = tuple(itl_records(state, number, signer))
            key = (signer.der, records)
            if key not in made:  # nodes with the same list have it with the same timestamp
                made[key] = _rebuild(files.ITL_NAME, signer, records, previous.get(files.ITL_NAME), data["digest"])
            published[files.ITL_NAME] = made[key]
        for mac, phone in sorted(data["phones"].items()):
            _publish_phone(state, number, published, previous, mac, phone)
        for name, content in state.files.items():
            published[name] = content
            _publish_signed(state, number, published, previous, name, content)
        if data["autoregistration"]:
            _publish_document(state, number, published, previous, "XMLDefault.cnf.xml", configuration.default(data))
        state.published[node["name"]] = published


def recipient(state, phone):
    """The certificate to which a phone's configuration is encrypted: LSC, else MIC, with an RSA key; None: not at all."""
    if phone["encrypted"] and not state.data["pre8"]:
        for name in (phone["lsc"], phone["mic"]):
            if name is not None and can_encrypt_to(state.identities[name].certificate):
                return state.identities[name]
    return None


def _publish_phone(state, number, published, previous, mac, phone):
    """A phone's configuration: signed, or encrypted with a small signed document that says so."""
    name = f"SEP{mac}.cnf.xml"
    content = configuration.device(state.data, phone, mac)
    to = recipient(state, phone)
    if to is None:
        phone["sealed"].pop(str(number), None)
        _publish_document(state, number, published, previous, name, content)
        return
    certificate_hash = hashlib.md5(to.der, usedforsecurity=False).hexdigest()  # [seen] in independent files
    _publish_document(
        state, number, published, previous, name, configuration.pointer(state.data, phone, certificate_hash)
    )
    name += ".enc.sgn"
    signer = state.identities[f"callmanager-{number}"]
    digest = state.data["digest"]
    # Key and IV are new each time, so whether the file must be made anew is told by what goes into it.
    sealed = hashlib.sha256(b"".join([content, to.der, signer.der, digest.encode()])).hexdigest()
    old = previous.get(name)
    if old is not None and phone["sealed"].get(str(number)) == sealed:
        published[name] = old
        return
    stamp = max(int(time.time()), timestamp_of(old) + 1 if old else 0)
    published[name] = encrypted_file(name, content, to.certificate, signer, stamp, digest)
    phone["sealed"][str(number)] = sealed


def _publish_document(state, number, published, previous, name, content):
    """Publish a document plain where phones may take it unsigned, and signed where phones can have a list."""
    data = state.data
    if data["pre8"] or data["rollback"]:
        published[name] = content
    _publish_signed(state, number, published, previous, name, content)


def _publish_signed(state, number, published, previous, name, content):
    """Publish `content` as NAME.sgn, unless the cluster is older than that."""
    data = state.data
    if not data["pre8"] or files.CTL_NAME in published:
        signer = state.identities[f"callmanager-{number}"]
        name += ".sgn"
        published[name] = _keep_timestamp(
            previous.get(name),
            lambda timestamp: files.signed_file(name, content, signer, timestamp, data["digest"]),
        )


def _rebuild(name, signer, records, previous, digest):
    return _keep_timestamp(previous, lambda timestamp: files.trust_list(name, signer, records, timestamp, digest))


def _keep_timestamp(previous, make):
    """`make(timestamp)` with the timestamp of `previous` if that gives `previous` again, else with a later one."""
    now = int(time.time())
    if previous is None:
        return make(now)
    stamp = timestamp_of(previous)
    return previous if make(stamp) == previous else make(max(now, stamp + 1))


def timestamp_of(content):
    """The TIMESTAMP of a file that the lab wrote. LabError where there is none."""
    offset = 0
    while offset + 3 <= len(content):
        tag, length = struct.unpack_from(">BH", content, offset)
        if tag == 15:
            return struct.unpack_from(">I", content, offset + 3)[0]
        offset += 3 + length
    raise LabError("a published file has no timestamp; the cluster's folder was changed by hand")


def _node_record(certificate, role, node):
    try:
        packed = ipaddress.IPv4Address(node["address"]).packed
    except ValueError:
        packed = None  # a node known by its name
    return files.record(certificate, role, node["address"], packed)
