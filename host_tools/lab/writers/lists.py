# SPDX-License-Identifier: MIT
"""Which certificates are in a cluster's CTL and ITLs, and which key signs them, for each kind of cluster (kinds.py).

Where the CallManager certificate signs, each node makes its own ITL, as real clusters do. Where ITLRecovery or a SAST key
signs, all nodes hand out the same ITL. A key that a service has not loaded yet (restarts by hand) does not sign.
"""

import ipaddress

from host_tools.lab.writers import files
from host_tools.lab.writers.kinds import KINDS, is_open, knows_ec, sast_keys, tftp_role


def itl_signer(state, number):
    """The Identity that signs the ITL of node `number`: the key of a reset or of `itl sign`, else the kind's."""
    data = state.data
    if data["itl_reset"]:  # `utils itl reset` takes the key from disk
        return state.identities[data["itl_reset"]]
    key = data["itl_key"] or KINDS[data["kind"]].itl_signer
    return state.loaded("tftp", number, f"callmanager-{number}" if key == "callmanager" else key)


def file_signer(state, number):
    """The Identity that signs the files of node `number`; None where files are not signed (open clusters)."""
    if is_open(state.data):
        return state.loaded("tftp", number, "tftp") if state.data["open"]["files"] else None
    return state.loaded("tftp", number, f"callmanager-{number}")


def itl_records(state, number, signer):
    """The records of node `number`'s ITL, in the order of such a cluster's lists."""
    if is_open(state.data):
        return _open_records(state, signer)
    data = state.data
    nodes = data["nodes"]
    shared = KINDS[data["kind"]].shared_itl
    recovery = state.loaded("tftp", number, "itlrecovery").certificate
    first = 1 if shared else number
    own = state.loaded("tftp", first, f"callmanager-{first}").certificate
    records = [files.record(certificate, files.SAST) for certificate in _with(signer, [recovery, own])]
    if nodes[number - 1]["rollback_active"]:
        return [*records, files.empty_record(files.TFTP), files.empty_record(files.TVS)]
    for other in range(1, len(nodes) + 1) if shared else [number]:
        node = nodes[other - 1]
        signs_files = state.loaded("tftp", other, f"callmanager-{other}").certificate
        records.append(_node_record(signs_files, tftp_role(data), node))
        if knows_ec(data):
            shown = state.loaded("tftp", other, f"callmanager-ec-{other}").certificate
            records.append(_node_record(shown, files.TFTP, node))
    for other, node in enumerate(nodes, 1):
        records.append(_node_record(state.identities[f"tvs-{other}"].certificate, files.TVS, node))
    records.append(files.record(state.identities["capf"].certificate, files.CAPF))
    return records + _additional(state)


def _open_records(state, signer):
    """The records in the order of the open tools' manual: SAST, call manager, application server, then the others."""
    data, identities = state.data, state.identities
    parts, numbers = data["open"], range(1, len(data["nodes"]) + 1)
    signers = _with(signer, [identities[name].certificate for name in sast_keys(data)])
    wanted = [(certificate, files.SAST) for certificate in signers]
    wanted += [(identities[f"callmanager-{number}"].certificate, files.CCM) for number in numbers]
    wanted += [(identities[f"tomcat-{number}"].certificate, files.APP_SERVER) for number in numbers]
    if parts["https"]:
        wanted += [
            (state.loaded("tftp", number, f"callmanager-ec-{number}").certificate, files.TFTP) for number in numbers
        ]
    if parts["files"]:
        wanted.append((state.loaded("tftp", 1, "tftp").certificate, files.TFTP))
    records = [files.record(certificate, role) for certificate, role in wanted]
    if parts["tvs"]:
        for number, node in enumerate(data["nodes"], 1):
            records.append(_node_record(identities[f"tvs-{number}"].certificate, files.TVS, node))
    records.append(files.record(identities["capf"].certificate, files.CAPF))
    return records + _additional(state)


def ctl_signer(state):
    """The Identity that signs the CTL: the state's `ctl_key`, else the kind's."""
    key = state.data["ctl_key"] or KINDS[state.data["kind"]].ctl_signer
    return state.identities["callmanager-1" if key == "callmanager" else key]


def ctl_records(state, signer):
    """The records of the CTL: keys that may sign the next CTL, each node's CallManager, CAPF or application servers."""
    data, identities = state.data, state.identities
    keys = KINDS[data["kind"]].ctl_sast or sast_keys(data)
    signers = [identities["callmanager-1" if key == "callmanager" else key].certificate for key in keys]
    records = [files.record(certificate, files.SAST) for certificate in _with(signer, signers)]
    for number, node in enumerate(data["nodes"], 1):
        records.append(_node_record(identities[f"callmanager-{number}"].certificate, tftp_role(data), node))
        if is_open(data):
            records.append(files.record(identities[f"tomcat-{number}"].certificate, files.APP_SERVER))
    records.append(files.record(identities["capf"].certificate, files.CAPF))
    return records


def _with(signer, certificates):
    """The certificates of SAST records, the signer's always among them."""
    return certificates if signer.certificate in certificates else [signer.certificate, *certificates]


def _additional(state):
    return [files.record(state.identities[name].certificate, files.TVS) for name in state.data["additional"]]


def _node_record(certificate, role, node):
    try:
        packed = ipaddress.IPv4Address(node["address"]).packed
    except ValueError:
        packed = None  # a node known by its name
    return files.record(certificate, role, node["address"], packed)
