# SPDX-License-Identifier: MIT
"""What leaves a cluster and comes back: backups; as PKCS#12 the ITLRecovery key and bulk certificates."""

import io
import os
import tarfile
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from host_tools.lab.errors import LabError
from host_tools.lab.model.keys import Identity
from host_tools.lab.model.state import State
from host_tools.lab.writers import files

MAGIC = b"phonetrust lab backup 1\n"
SALT, NONCE = 16, 12
SCRYPT = {"n": 2**15, "r": 8, "p": 1}  # 32 MB and some 0.1 s for each guess at the passphrase
# Consolidated file -> the roles that TVS gives the certificates in it after an import.
BULK = {
    "TFTP-consolidated.p12": (files.SAST, files.TFTP),
    "CAPF-consolidated.p12": (files.CAPF,),
    "Tomcat-consolidated.p12": (files.APP_SERVER,),
    "ITLRecovery-consolidated.p12": (files.SAST,),
}


class Transfers:
    """Backup, restore, and the exchange of certificates between clusters; the class Cluster inherits from this one."""

    def backup(self, file, passphrase):
        """Write the whole cluster, keys included, to `file`, encrypted with `passphrase` (AES-256-GCM, scrypt)."""
        state = self.state
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            tar.add(state.folder, arcname="cluster")
        salt, nonce = os.urandom(SALT), os.urandom(NONCE)
        sealed = AESGCM(_backup_key(passphrase, salt)).encrypt(nonce, archive.getvalue(), MAGIC)
        write_private(file, MAGIC + salt + nonce + sealed)

    def restore(self, file, passphrase):
        """Make the cluster what it was when `file` was written. The folder may be empty, or hold any cluster.

        Lists and keys come back byte for byte; only the ports stay those of now. LabError for a wrong passphrase
        or a damaged file; nothing has changed then.
        """
        data = Path(file).read_bytes()
        if not data.startswith(MAGIC) or len(data) < len(MAGIC) + SALT + NONCE:
            raise LabError(f"{file} is no backup of a lab cluster")
        salt, rest = data[len(MAGIC) :][:SALT], data[len(MAGIC) + SALT :]
        try:
            archive = AESGCM(_backup_key(passphrase, salt)).decrypt(rest[:NONCE], rest[NONCE:], MAGIC)
        except InvalidTag as error:
            raise LabError(f"{file} does not open: the passphrase is wrong, or the file is damaged") from error
        with tempfile.TemporaryDirectory(prefix="phonetrust-restore-") as folder:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                _unpack(tar, Path(folder))
            (Path(folder) / "cluster").rename(Path(folder) / "0")
            restored = State.load(Path(folder) / "0")
        with self.store.lock():
            if self.store.exists():
                for old, new in zip(self.store.current().data["nodes"], restored.data["nodes"], strict=False):
                    new["ports"] = old["ports"]
            self._publish_and_commit(restored)

    def export_recovery(self, file, passphrase):
        """Write the ITLRecovery certificate and key to `file` as PKCS#12: the lifeline for itl_reset("remotekey")."""
        identity = self.identity("itlrecovery")
        write_private(
            file,
            pkcs12.serialize_key_and_certificates(
                b"ITLRecovery", identity.key, identity.certificate, None, _encryption(passphrase)
            ),
        )

    def bulk_export(self, folder, passphrase):
        """Write the certificates that another cluster's TVS must know, consolidated over the nodes, as PKCS#12 files."""
        state, folder = self.state, Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        numbers = range(1, len(state.data["nodes"]) + 1)
        names = {
            "TFTP-consolidated.p12": [f"callmanager-{number}" for number in numbers],
            "CAPF-consolidated.p12": ["capf"],
            "Tomcat-consolidated.p12": [f"tomcat-{number}" for number in numbers],
            "ITLRecovery-consolidated.p12": ["itlrecovery"],
        }
        for file, members in names.items():
            certificates = [
                pkcs12.PKCS12Certificate(state.identities[name].certificate, f"{state.data['name']}-{name}".encode())
                for name in members
            ]
            write_private(
                folder / file,
                pkcs12.serialize_key_and_certificates(None, None, None, certificates, _encryption(passphrase)),
            )

    def bulk_import(self, folder, passphrase):
        """Let TVS vouch for the certificates in the consolidated files of `folder`. Returns how many there were."""
        found = []
        for name, roles in BULK.items():
            path = Path(folder) / name
            if path.exists():
                found += [(certificate, roles) for certificate in _read_p12(path, passphrase)[1]]
        if not found:
            raise LabError(f"{folder} holds none of the consolidated files: {', '.join(BULK)}")
        with self.change() as draft:
            known = {draft.identities[name].der for name in draft.data["trusted"]}
            for certificate, roles in found:
                identity = Identity(certificate)
                if identity.der not in known:
                    name = f"trusted-{len(draft.data['trusted']) + 1}"
                    draft.identities[name] = identity
                    draft.data["trusted"][name] = list(roles)
        return len(found)


def read_recovery(file, passphrase):
    """The Identity in a PKCS#12 file of export_recovery(). LabError when it does not open or holds no key."""
    identity, _others = _read_p12(Path(file), passphrase)
    if identity is None or identity.key is None:
        raise LabError(f"{file} holds no private key")
    return identity


def write_private(file, content):
    """Write a file that only its owner may read, in one step: under another name first."""
    file = Path(file)
    building = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
            handle.write(content)
        os.replace(building, file)
    finally:
        building.unlink(missing_ok=True)


def _read_p12(path, passphrase):
    try:
        content = pkcs12.load_pkcs12(path.read_bytes(), passphrase.encode() or None)
    except (ValueError, TypeError) as error:
        raise LabError(f"{path} does not open: the passphrase is wrong, or it is no PKCS#12 file") from error
    own = Identity(content.cert.certificate, content.key) if content.cert else None
    return own, [extra.certificate for extra in content.additional_certs]


def _encryption(passphrase):
    return BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()


def _backup_key(passphrase, salt):
    if not passphrase:
        raise LabError("a backup needs a passphrase")
    return Scrypt(salt=salt, length=32, **SCRYPT).derive(passphrase.encode())


def _unpack(tar, folder):
    """The folders and plain files of a backup into `folder`; Debian 12's Python has no extraction filters yet."""
    for member in tar:
        target = (folder / member.name).resolve()
        if not (member.isdir() or member.isfile()) or not target.is_relative_to(folder.resolve()):
            raise LabError(f"the backup holds {member.name}, which is no file of a cluster")
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(tar.extractfile(member).read())
