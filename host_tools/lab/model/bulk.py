# SPDX-License-Identifier: MIT
"""Several clusters: bulk certificates (export, consolidate, import), and extension mobility across clusters (EMCC).

A folder stands for the SFTP server. Each cluster exports CLUSTER-TYPE.p12 to it. One of the clusters consolidates these into
TYPE-consolidated.p12, which imports read; later exports count only after the next consolidation.
"""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from host_tools.lab.errors import LabError
from host_tools.lab.model.keys import Identity
from host_tools.lab.model.part import Part
from host_tools.lab.model.transfer import read_p12, write_private
from host_tools.lab.writers import files, kinds

# Type of certificate -> kinds of certificate, and the roles that TVS gives them after an import.
TYPES = {
    "TFTP": ("callmanager", (files.SAST, files.TFTP)),
    "CAPF": ("capf", (files.CAPF,)),
    "Tomcat": ("tomcat", (files.APP_SERVER,)),
    "ITLRecovery": ("itlrecovery", (files.SAST,)),
}


class Bulk(Part):
    """The exchange of a Cluster with others; the class Cluster inherits from this one."""

    def bulk_export(self, folder, passphrase, types=tuple(TYPES)):
        """Write the certificates of these types, without keys, that another cluster's TVS must know."""
        state, folder = self.state, Path(folder)
        kinds.needs_vendor(state.data, "bulk certificates")
        for each in _checked(types):
            folder.mkdir(parents=True, exist_ok=True)
            kind = TYPES[each][0]
            numbers = range(1, len(state.data["nodes"]) + 1)
            names = [f"{kind}-{number}" for number in numbers] if kind in kinds.ON_NODES else [kind]
            found = {f"{state.data['name']}-{name}": state.identities[name].certificate for name in names}
            _write(folder / f"{state.data['name']}-{each}.p12", found, passphrase)

    def bulk_import(self, folder, passphrase, types=tuple(TYPES)):
        """Let TVS vouch for the consolidated certificates of these types in `folder`. Returns how many there were.

        The cluster's own certificates are skipped; earlier imports stay. LabError where nothing was consolidated.
        """
        kinds.needs_vendor(self.data, "bulk certificates")
        found = []
        for each in _checked(types):
            path = Path(folder) / f"{each}-consolidated.p12"
            if path.exists():
                found += [(certificate, TYPES[each][1]) for certificate in read_p12(path, passphrase)[1]]
        if not found:
            raise LabError(
                f"{folder} holds no consolidated certificates of these types; `bulk-cert consolidate` makes them"
            )
        with self.change() as draft:
            known = {identity.der for identity in draft.identities.values()}
            count = 0
            for certificate, roles in found:
                identity = Identity(certificate)
                if identity.der not in known:
                    number = 1 + max((int(name.rpartition("-")[2]) for name in draft.data["trusted"]), default=0)
                    draft.identities[f"trusted-{number}"] = identity
                    draft.data["trusted"][f"trusted-{number}"] = list(roles)
                    count += 1
        return count

    def emcc_login(self, mac, other):
        """A user of the cluster in the folder `other` logs in at a phone of this cluster: the phone gets its configuration there.

        Both clusters must have each other's certificates (bulk certificates). The phone is added to the other
        cluster; its configuration there names this cluster's TVS, which the phone has in its ITL. LabError otherwise.
        """
        phone = self.phone(mac)
        cluster = type(self)(other, self.key_maker)  # pyright: ignore[reportCallIssue]
        for one, two in ((self, cluster), (cluster, self)):
            for kind in ("tomcat", "callmanager"):
                if two.certificate(kind) not in one.vouches_for():
                    raise LabError(
                        f"cluster {one.data['name']} does not have the {kind} certificate of cluster "
                        f"{two.data['name']}: export, consolidate and import bulk certificates"
                    )
        device = cluster.add_phone(mac, phone["model"])
        with cluster.change() as draft:
            members = [[node["address"], node["ports"]["tvs"]] for node in self.data["nodes"] if "tvs" in node["ports"]]
            draft.data["phones"][device[3:]]["tvs"] = members
        with self.change() as draft:
            draft.data["visitors"][device[3:]] = str(Path(other).resolve())

    def emcc_logout(self, mac):
        """The user logs out: the phone gets its own configuration again."""
        self.phone(mac)
        with self.change() as draft:
            if draft.data["visitors"].pop(mac.upper().removeprefix("SEP"), None) is None:
                raise LabError(f"no user of another cluster is logged in at {mac}")


def consolidate(folder, passphrase):
    """Make one file for each type from the clusters' exports in `folder`. Returns {type: number of certificates}."""
    folder, found = Path(folder), {}
    for each in TYPES:
        members = {}
        for path in sorted(folder.glob(f"*-{each}.p12")):
            for certificate in read_p12(path, passphrase)[1]:
                members[f"{path.stem}-{certificate.serial_number:x}"] = certificate
        if members:
            _write(folder / f"{each}-consolidated.p12", members, passphrase)
            found[each] = len(members)
    if not found:
        raise LabError(f"{folder} holds no exported certificates; each cluster exports its own with `bulk-cert export`")
    return found


def _checked(types):
    """The types in the order of TYPES. LabError where one is unknown."""
    wanted = {each.lower() for each in types}
    unknown = sorted(wanted - {each.lower() for each in TYPES})
    if unknown:
        raise LabError(f"{unknown[0]!r} is no type of bulk certificates; these are: {', '.join(TYPES)}")
    return [each for each in TYPES if each.lower() in wanted]


def _write(path, named, passphrase):
    certificates = [pkcs12.PKCS12Certificate(certificate, name.encode()) for name, certificate in named.items()]
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    write_private(path, pkcs12.serialize_key_and_certificates(None, None, None, certificates, encryption))
