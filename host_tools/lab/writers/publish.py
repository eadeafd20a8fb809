# SPDX-License-Identifier: MIT
"""From a cluster's state to the files its TFTP servers hand out.

RSA signatures of this kind are deterministic. So a new list is built with the timestamp of the old list, and if both are the
same, the old list stays: phones then see `unchanged`.
"""

import hashlib
import struct
import time

from host_tools.lab.errors import LabError
from host_tools.lab.writers import configuration, files
from host_tools.lab.writers.encryption import can_encrypt_to, encrypted_file
from host_tools.lab.writers.kinds import knows_ec
from host_tools.lab.writers.lists import ctl_records, ctl_signer, file_signer, itl_records, itl_signer


def build_ctl(state):
    """Sign a new CTL from today's certificates and hand it out on all nodes."""
    signer = ctl_signer(state)
    records = ctl_records(state, signer)
    previous = state.published.get(state.data["nodes"][0]["name"], {}).get(files.CTL_NAME)
    ctl = _rebuild(files.CTL_NAME, signer, records, previous, state.data)
    for node in state.data["nodes"]:
        state.published.setdefault(node["name"], {})[files.CTL_NAME] = ctl


def build(state):
    """Bring `state.published` up to date: ITLs and configuration. The CTL stays as the administrator last made it."""
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
                last = previous.get(files.ITL_NAME) or data["last_itl"].get(node["name"])
                made[key] = _rebuild(files.ITL_NAME, signer, records, last, data)
            published[files.ITL_NAME] = made[key]
            data["last_itl"][node["name"]] = _memory(made[key])
        for mac, phone in sorted(data["phones"].items()):
            _publish_phone(state, number, published, previous, mac, phone)
        for name, content in state.files.items():
            published[name] = content
            _publish_signed(state, number, published, previous, name, content)
        if data["autoregistration"]:
            _publish_document(state, number, published, previous, "XMLDefault.cnf.xml", configuration.default(data))
        state.published[node["name"]] = published


def recipient(state, phone):
    """The certificate to which a phone's configuration is encrypted: LSC, else MIC, with an RSA key; None: no encryption."""
    if phone["encrypted"] and not state.data["pre8"] and file_signer(state, 1) is not None:
        for name in (phone["lsc"], phone["mic"]):
            if name is not None and can_encrypt_to(state.identities[name].certificate):
                return state.identities[name]
    return None


def _publish_phone(state, number, published, previous, mac, phone):
    """Publish a phone's configuration: signed, or encrypted beside a small signed document that says so."""
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
    signer = file_signer(state, number)
    assert signer is not None, "recipient() is None where files are not signed"
    digest = state.data["digest"]
    # Key and IV differ each time, so the inputs are compared to see whether the file must be made anew.
    sealed = hashlib.sha256(b"".join([content, to.der, signer.der, digest.encode()])).hexdigest()
    old = previous.get(name)
    if old is not None and phone["sealed"].get(str(number)) == sealed:
        published[name] = old
        return
    stamp = max(int(time.time()), timestamp_of(old) + 1 if old else 0)
    published[name] = encrypted_file(name, content, to.certificate, signer, stamp, digest)
    phone["sealed"][str(number)] = sealed


def _publish_document(state, number, published, previous, name, content):
    """Publish a document plain, for phones that do not know signatures or have no trust, and signed for the others."""
    published[name] = content
    _publish_signed(state, number, published, previous, name, content)


def _publish_signed(state, number, published, previous, name, content):
    """Publish `content` as NAME.sgn, unless the cluster's release or kind has no signed files."""
    data = state.data
    signer = file_signer(state, number)
    if signer is not None and (not data["pre8"] or files.CTL_NAME in published):
        name += ".sgn"
        published[name] = _keep_timestamp(
            previous.get(name),
            lambda timestamp: files.signed_file(name, content, signer, timestamp, data["digest"]),
        )


def _rebuild(name, signer, records, previous, data):
    return _keep_timestamp(
        previous, lambda stamp: files.trust_list(name, signer, records, stamp, data["digest"], knows_ec(data))
    )


def _keep_timestamp(previous, make):
    """`make(timestamp)` with the timestamp of `previous` (a file, or its _memory()) if that gives the same file
    again, else with a later timestamp."""
    now = int(time.time())
    if previous is None:
        return make(now)
    last = previous if isinstance(previous, dict) else _memory(previous)
    again = make(last["timestamp"])
    return again if _memory(again) == last else make(max(now, last["timestamp"] + 1))


def _memory(content):
    """What is kept of a list while a release before 8.0 hands out none, so that the next list is not older."""
    return {"timestamp": timestamp_of(content), "sha256": hashlib.sha256(content).hexdigest()}


def unsigned(content):
    """The body of a signed file that the lab wrote: the bytes behind its header, whose length is in tag 2."""
    return content[struct.unpack_from(">H", content, 8)[0] :]


def timestamp_of(content):
    """The TIMESTAMP of a file that the lab wrote. LabError where there is none."""
    offset = 0
    while offset + 3 <= len(content):
        tag, length = struct.unpack_from(">BH", content, offset)
        if tag == 15:
            return struct.unpack_from(">I", content, offset + 3)[0]
        offset += 3 + length
    raise LabError("a published file has no timestamp; the cluster's folder was changed by hand")
