# SPDX-License-Identifier: MIT
"""Files that leave a cluster and come back: backups, and the ITLRecovery key as PKCS#12."""

import hashlib
import io
import os
import tarfile
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from host_tools.lab.errors import LabError
from host_tools.lab.model.certificates import RESTARTED, restart
from host_tools.lab.model.keys import Identity
from host_tools.lab.model.part import Part
from host_tools.lab.model.state import State
from host_tools.lab.writers import kinds

MAGIC = b"phonetrust lab backup 1\n"
SALT, NONCE = 16, 12
SCRYPT = {"n": 2**15, "r": 8, "p": 1}  # 32 MB and about 0.1 s for each guess at the passphrase


class Transfers(Part):
    """Backup, restore and the exported ITLRecovery key of a Cluster, which inherits from this class."""

    def backup(self, file, passphrase):
        """Write the whole cluster, keys included, to `file`, encrypted with `passphrase` (AES-256-GCM, scrypt).

        LabError without a passphrase, and while call records are migrated after an upgrade.
        """
        state = self.state
        self.refuse_while_migrating(state, "back up")
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            tar.add(state.folder, arcname="cluster")  # pyright: ignore[reportArgumentType]
        salt, nonce = os.urandom(SALT), os.urandom(NONCE)
        sealed = AESGCM(_backup_key(passphrase, salt)).encrypt(nonce, archive.getvalue(), MAGIC)
        write_private(file, MAGIC + salt + nonce + sealed)
        with self.change() as draft:
            draft.data["saved"]["backup"] = "current"

    def restore(self, file, passphrase):
        """Bring the cluster back to its state when `file` was written. The folder may be empty, or hold any cluster.

        Lists and keys come back byte for byte; only the ports stay as they are now. LabError for a wrong passphrase
        or a damaged file; nothing has changed then.
        """
        data = Path(file).read_bytes()
        if not data.startswith(MAGIC) or len(data) < len(MAGIC) + SALT + NONCE:
            raise LabError(f"{file} is not a backup of a lab cluster")
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
        restored.data["saved"]["backup"] = "current"
        for number in range(1, len(restored.data["nodes"]) + 1):  # a restored cluster has been started anew
            for service in RESTARTED:
                restart(restored, service, number)
        with self.whole_change() as old:
            for before, after in zip(old.data["nodes"] if old else (), restored.data["nodes"], strict=False):
                after["ports"] = before["ports"]
            self.publish_and_commit(restored)

    def export_recovery(self, file, passphrase):
        """Write the ITLRecovery certificate and key to `file` as PKCS#12, for itl_reset("remotekey").

        LabError without a passphrase.
        """
        kinds.needs_vendor(self.data, "ITLRecovery key")
        if not passphrase:
            raise LabError("the export of a private key needs a passphrase")
        identity = self.identity("itlrecovery")
        write_private(
            file,
            pkcs12.serialize_key_and_certificates(
                b"ITLRecovery", identity.key, identity.certificate, None, BestAvailableEncryption(passphrase.encode())
            ),
        )
        with self.change() as draft:
            draft.data["saved"]["recovery"] = hashlib.sha256(identity.der).hexdigest()

    def reinstall(self):
        """The servers are lost and installed anew, under the same names, addresses and ports, with new keys everywhere.

        Phones and settings are as before. Everything else is gone, and only a backup brings it back.
        """
        with self.change() as draft:
            draft.identities = {
                name: each for name, each in draft.identities.items() if name.startswith(("mic", "lsc"))
            }
            draft.data.update(
                loaded={}, itl_key=None, itl_reset=None, ctl_key=None, ctl_client=None, additional=[], trusted={}, last_itl={},
                inactive=None, migrating=False, saved=nothing_saved(),
            )  # fmt: skip
            for node in draft.data["nodes"]:
                draft.published[node["name"]] = {}
            self.make_identities(draft)


def nothing_saved():
    """The entry for a fresh cluster, which has no backup and no exported ITLRecovery key.

    backup: None, "current", or why it is stale; recovery: SHA-256 of the certificate whose key was exported, or None.
    """
    return {"backup": None, "recovery": None}


def read_recovery(file, passphrase):
    """The Identity in a PKCS#12 file of export_recovery(). LabError when it does not open or holds no key."""
    identity, _others = read_p12(Path(file), passphrase)
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


def read_p12(path, passphrase):
    """(Identity or None, [certificates]) of a PKCS#12 file. LabError when it does not open."""
    try:
        content = pkcs12.load_pkcs12(path.read_bytes(), passphrase.encode() or None)
    except (ValueError, TypeError) as error:
        raise LabError(f"{path} does not open: the passphrase is wrong, or it is not a PKCS#12 file") from error
    own = Identity(content.cert.certificate, content.key) if content.cert else None
    return own, [extra.certificate for extra in content.additional_certs]


def _backup_key(passphrase, salt):
    if not passphrase:
        raise LabError("a backup needs a passphrase")
    return Scrypt(salt=salt, length=32, **SCRYPT).derive(passphrase.encode())


def _unpack(tar, folder):
    """The folders and plain files of a backup into `folder`; Debian 12's Python has no extraction filters yet."""
    for member in tar:
        target = (folder / member.name).resolve()
        if not (member.isdir() or member.isfile()) or not target.is_relative_to(folder.resolve()):
            raise LabError(f"the backup holds {member.name}, which is not a file of a cluster")
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(tar.extractfile(member).read())
