# SPDX-License-Identifier: MIT
"""A cluster made from the files that its phones get, as `phonetrust fetch` brings them: lists have every certificate and
server that phones use. A certificate that they lack (Tomcat, sometimes CAPF) gets a stand-in that no phone asks for.

A folder `tvs` in it, as for preflight --tvs-store, has further certificates that TVS vouches for because they were imported."""

import re

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from agent.errors import PhonetrustError
from agent.formats import names
from agent.formats.header import Header
from agent.formats.phoneconfig import TVS_PORT, PhoneConfig
from agent.formats.trustlist import TrustList
from host_tools.cli.tvs_store import StoreError, TvsStore
from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import fresh_data, fresh_node
from host_tools.lab.model.keys import make_identity
from host_tools.lab.model.state import State
from host_tools.lab.writers import files as lab_files
from host_tools.lab.writers import kinds, publish
from host_tools.plan.errors import PlanError

LARGEST_FILE = 1 << 20
_NOBODY = "server.invalid"  # the address of a server that no file names


def certificate(pem):
    """The x509.Certificate in a PEM file, which may have more in it. LabError where there is none."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise LabError(f"not a certificate in PEM: {error}") from error


class Entry:
    """A certificate of a list. role: number. host: of its record, or None."""

    def __init__(self, record):
        self.role = record.role
        self.der = record.certificate
        self.certificate = x509.load_der_x509_certificate(record.certificate)
        self.rsa = isinstance(self.certificate.public_key(), rsa.RSAPublicKey)
        self.host = record.host()
        self.serial = record.serial


class Model:
    """path: the folder. state: State of a cluster that hands out these files. mac: of the phone that the files are for, or
    None. notes: sentences about what the files do not tell.

    PlanError where the folder has no files of a cluster, or a list that is damaged."""

    def __init__(self, path, paper):
        self._path = path
        self._paper = paper
        self.notes = []
        self._files = {entry.name: entry for entry in sorted(path.iterdir()) if entry.is_file()}
        itl, ctl = self._list("ITL"), self._list("CTL")
        configuration = self._configuration()
        if itl is None and ctl is None and configuration is None:
            raise PlanError(f"{path}: neither a lab cluster nor a folder of files that phones get")
        self.mac = configuration[0] if configuration else None
        self._stand_in = make_identity("not-in-these-files", paper.keys.rsa())
        self.state = self._state(itl, ctl, configuration)
        self._kept = {}
        self._first_build(itl, ctl)

    def _list(self, kind):
        """The TrustList of this kind, the shared one or that of a phone; None where there is none."""
        found = sorted(name for name in self._files if name.startswith(f"{kind}SEP") and name.endswith(".tlv"))
        names_of_it = [name for name in (f"{kind}File.tlv", *found) if name in self._files]
        if not names_of_it:
            return None
        content = self._read(names_of_it[0])
        try:
            return TrustList(content, self._paper.crypto, limit=LARGEST_FILE)
        except PhonetrustError as error:
            raise PlanError(f"{self._path / names_of_it[0]}: {error}") from None

    def _read(self, name):
        with open(self._files[name], "rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise PlanError(f"{self._files[name]}: it has more than {LARGEST_FILE} bytes; phones take no such file")
        return content

    def _configuration(self):
        """(MAC or None, PhoneConfig or None) of the first configuration here; None where there is none."""
        for name in self._files:
            if ".cnf.xml" not in name or ".enc" in name:
                continue
            content = self._read(name)
            try:
                read = PhoneConfig(content, Header(content).length if name.endswith(".sgn") else 0)
            except PhonetrustError as error:
                self.notes.append(f"{name} cannot be read: {error}")
                read = None
            mac = name[3:15].upper()
            return (mac if re.fullmatch("SEP[0-9A-Fa-f]{12}", name[:15]) else None), read
        return None

    def _state(self, itl, ctl, configuration):
        entries = [Entry(record) for each in (itl, ctl) if each for record in each.records() if record.certificate]
        tvs = _by_host([each for each in entries if each.role == names.TVS])
        signing = [each for each in entries if each.role in (names.TFTP, names.CCM_TFTP) and each.rsa]
        signs_itl, signs_ctl = _signer(itl, entries), _signer(ctl, entries)
        is_open = any(each.role in (names.CCM, names.APP_SERVER) for each in entries)
        recovery = _recovery(entries)
        if not signing and not is_open:
            signing = [each for each in entries if each.role == names.SAST and each is not recovery][:1]
        kind = "open" if is_open else "modern" if recovery and signs_itl == recovery.der else "classic"
        own = {each.der for each in [*signing, *([recovery] if recovery else [])]}
        if kind == "classic" and signs_ctl is not None and signs_ctl not in own:
            kind = "tokens"
        if itl is not None and not is_open and signs_itl not in own:
            raise PlanError(f"{self._path}: the ITL's signer, {itl.header.subject}, is in no record that a plan knows")
        nodes = self._nodes(tvs, signing, configuration)
        data = fresh_data("fetched", kind, nodes)
        data["mixed"] = ctl is not None and any(each.role == names.CCM_TFTP for each in entries)
        data["pre8"] = itl is None
        data["digest"] = "sha1" if itl is None else itl.header.digest_algorithm
        if itl is not None and itl.empty:
            for node in nodes:
                node["rollback"] = node["rollback_active"] = True
        state = State(data, {}, {}, {node["name"]: {} for node in nodes})
        self._identities(state, entries, signing, recovery, tvs, signs_ctl)
        self._imported(state)
        return state

    def _nodes(self, tvs, signing, configuration):
        """Entries of nodes: the server that handed these files out first, then the others that have a TVS."""
        ports = dict(configuration[1].tvs) if configuration and configuration[1] else {}
        hosts = [each.host for each in signing if each.host][:1]
        hosts += [host for host in (*tvs, *ports) if host not in hosts]
        nodes = [fresh_node("fetched", number, host) for number, host in enumerate(hosts[:8] or [_NOBODY], 1)]
        for node in nodes:
            node["ports"] = {"tvs": ports.get(node["address"], TVS_PORT)}
        return nodes

    def _identities(self, state, entries, signing, recovery, tvs, signs_ctl):
        identity = self._paper.signatures.identity
        given = state.identities
        files = _by_host(signing)
        secure = _by_host([each for each in entries if each.role == names.TFTP and not each.rsa])
        capf = [each for each in entries if each.role == names.CAPF]
        given["capf"] = identity(capf[0].certificate) if capf else self._stand_in
        if state.data["kind"] == "open":
            self._open(state, entries, signing, tvs, secure)
            return
        given["itlrecovery"] = identity(recovery.certificate) if recovery else self._stand_in
        for number, node in enumerate(state.data["nodes"], 1):
            host = node["address"]
            alone = signing[0] if number == 1 and signing else None
            found = {"callmanager": files.get(host, alone), "callmanager-ec": secure.get(host), "tvs": tvs.get(host)}
            for kind, each in found.items():
                given[f"{kind}-{number}"] = identity(each.certificate) if each else self._stand_in
            given[f"tomcat-{number}"] = self._stand_in
        known = {each.der for each in given.values()}
        tokens = [each for each in entries if each.role == names.SAST and each.der not in known]
        tokens.sort(key=lambda each: each.der != signs_ctl)
        for number, name in enumerate(kinds.KINDS[state.data["kind"]].tokens):
            given[name] = identity(tokens[number].certificate) if number < len(tokens) else self._stand_in

    def _open(self, state, entries, signing, tvs, secure):
        identity = self._paper.signatures.identity
        unique = {}
        for each in entries:
            unique.setdefault((each.role, each.der), each)
        with_role = {role: [each for (found, _), each in unique.items() if found == role] for role in names.ROLE_NAMES}
        signers = with_role[names.SAST][:2]
        state.data["open"] = {
            "sast": max(1, len(signers)),
            "files": bool(signing),
            "https": bool(secure),
            "tvs": bool(tvs),
        }
        given = state.identities
        for number, each in enumerate(signers or [None], 1):
            given[f"sast-{number}"] = identity(each.certificate) if each else self._stand_in
        if signing:
            given["tftp"] = identity(signing[0].certificate)
        others = [each for each in with_role[names.TFTP] if not each.rsa]
        for number, node in enumerate(state.data["nodes"], 1):
            rows = {
                "callmanager": with_role[names.CCM],
                "tomcat": with_role[names.APP_SERVER],
                "callmanager-ec": others,
            }
            for kind, row in rows.items():
                given[f"{kind}-{number}"] = (
                    identity(row[number - 1].certificate) if number <= len(row) else self._stand_in
                )
            each = tvs.get(node["address"])
            given[f"tvs-{number}"] = identity(each.certificate) if each else self._stand_in

    def _imported(self, state):
        """Add the certificates of the folder `tvs`, which TVS vouches for besides the cluster's own."""
        if not (self._path / "tvs").is_dir():
            return
        try:
            vouched = TvsStore(self._path / "tvs", self._paper.crypto).vouched()
        except StoreError as error:
            raise PlanError(str(error)) from None
        for number, (der, roles) in enumerate(vouched, 1):
            state.identities[f"trusted-{number}"] = self._paper.signatures.identity(x509.load_der_x509_certificate(der))
            state.data["trusted"][f"trusted-{number}"] = list(roles)

    def _first_build(self, itl, ctl):
        """Hand out the files as they are, and note the lists that the lab would make of the same state, for keep()."""
        first = self.state.data["nodes"][0]["name"]
        for name, each in ((lab_files.ITL_NAME, itl), (lab_files.CTL_NAME, ctl)):
            if each is not None:
                self._paper.signatures.learn(bytes(each.data))
                for node in self.state.published.values():
                    node[name] = bytes(each.data)
        before = itls(self.state)
        publish.build(self.state)
        if itl is None:
            return
        built = self.state.published[first][lab_files.ITL_NAME]
        for node in self.state.published.values():
            self._kept[_content(node[lab_files.ITL_NAME])] = bytes(itl.data)
        lists = [TrustList(content, self._paper.crypto, limit=len(content)) for content in (itl.data, built)]
        here, there = ({(each.role, each.certificate) for each in found.records()} for found in lists)
        if here - there:
            self.notes.append(
                f"{len(here - there)} records of the ITL are of a kind that a plan does not know; lists that its steps make "
                "do not have them."
            )
        self.keep(self.state, before)

    def keep(self, state, before):
        """Let a node that handed out the fetched ITL `before` keep it unless signer or records have changed."""
        for name, node in state.published.items():
            built = node.get(lab_files.ITL_NAME)
            if built is not None and before.get(name) == self._kept.get(_content(built), b""):
                node[lab_files.ITL_NAME] = before[name]


def itls(state):
    """{node: the ITL that it hands out, or None}."""
    return {name: node.get(lab_files.ITL_NAME) for name, node in state.published.items()}


def _content(trust_list):
    """(signer's name, records) of a list, without its time and signature."""
    offset, signer = 0, b""
    while not signer:
        length = int.from_bytes(trust_list[offset + 1 : offset + 3], "big")
        if trust_list[offset] == 3:
            signer = trust_list[offset : offset + 3 + length]
        offset += 3 + length
    return signer, publish.unsigned(trust_list)


def _by_host(entries):
    """{host: Entry} of the entries with a host, in their order; the first entry of a host counts."""
    found = {}
    for each in entries:
        if each.host:
            found.setdefault(each.host, each)
    return found


def _signer(trust_list, entries):
    """The DER of the certificate that signed a list, None where no record has it."""
    if trust_list is None:
        return None
    header = trust_list.header
    found = trust_list.signers(header.issuer, header.serial, (names.SAST,))
    return found[0][0].certificate if found else None


def _recovery(entries):
    """The Entry of the ITLRecovery certificate, by its name."""
    for each in entries:
        common = each.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        if each.role == names.SAST and common and str(common[0].value).upper().startswith("ITLRECOVERY"):
            return each
    return None
