# SPDX-License-Identifier: MIT
"""The phones that a cluster knows: their configuration, their certificates, and CAPF's next operation on each."""

import re

from host_tools.lab.errors import LabError
from host_tools.lab.model.keys import Identity, make_identity
from host_tools.lab.model.part import Part
from host_tools.lab.writers.lists import file_signer

OPERATIONS = ("none", "install", "update", "delete", "fetch")
AUTHENTICATIONS = ("none", "string", "lsc", "mic")
KEYS = ("rsa-1024", "rsa-2048", "rsa-3072", "rsa-4096", "ec-256", "ec-384", "ec-521")
_MAC = re.compile(r"[0-9A-F]{12}")
_STRING = re.compile(r"[0-9]{4,10}")
_NO_OPERATION = {
    "operation": "none",
    "authentication": "none",
    "string": None,
    "key": "rsa-2048",
    "retry_later": 0,
    "in_progress": 0,
}


def _add(draft, mac, model):
    phone = draft.data["phones"].setdefault(
        mac,
        {
            "load": "",
            "load_server": "",
            "encrypted": False,
            "lsc": None,
            "mic": None,
            "sealed": {},
            "capf": dict(_NO_OPERATION),
        },
    )
    phone["model"] = model


class Phones(Part):
    """What a Cluster does with phones; the class Cluster inherits from this one."""

    def add_phone(self, mac, model="8861", mic=None):
        """Add a phone to the cluster, so that it has a configuration. Returns the device name, "SEP" and the MAC.

        `mic` is its manufacturer-installed certificate as PEM bytes, if the cluster shall know it.
        """
        mac = normal_mac(mac)
        certificate = None if mic is None else Identity.from_pem(mic).certificate
        with self.change() as draft:
            _add(draft, mac, model)
            if certificate is not None:
                _set_certificate(draft, mac, "mic", certificate)
        return "SEP" + mac

    def add_phones(self, macs, model="8861"):
        """Add many phones in one change, because each change publishes everything anew."""
        macs = [normal_mac(mac) for mac in macs]
        with self.change() as draft:
            for mac in macs:
                _add(draft, mac, model)

    def phone(self, mac, data=None):
        """The entry of a phone. LabError when the cluster does not know it."""
        entry = (data or self.data)["phones"].get(normal_mac(mac))
        if entry is None:
            raise LabError(f"the cluster does not know the phone {mac}; `add-phone` adds it")
        return entry

    def phone_certificate(self, mac, kind="lsc"):
        """The DER of a phone's "lsc" or "mic", None where the cluster knows none."""
        name = self.phone(mac)[kind]
        return None if name is None else self.state.identities[name].der

    def phone_authorities(self):
        """The issuers of phones' certificates, as PEM texts: CAPF for LSCs, the maker for MICs."""
        state = self.state
        names = [name for name in ("capf", "mic-authority") if name in state.identities]
        return tuple(Identity(state.identities[name].certificate).pem().decode() for name in names)

    def make_mic(self, mac):
        """A new manufacturer-installed certificate (MIC) for a known phone, as an Identity; the lab plays the manufacturer.

        The cluster keeps the certificate; only the caller gets the key.
        """
        mac = normal_mac(mac)
        with self.change() as draft:
            phone = self.phone(mac, draft.data)
            authority = draft.identities.get("mic-authority") or self._make(draft, "mic-authority")
            mic = make_identity(f"CP-{phone['model']}-SEP{mac}", self.key_maker.rsa(2048), authority, days=3650)
            _set_certificate(draft, mac, "mic", mic.certificate)
        return mic

    def set_capf(
        self, mac, operation, authentication="none", string=None, key="rsa-2048", retry_later=0, in_progress=0
    ):
        """Say what CAPF does when this phone connects next: one of OPERATIONS, with one of AUTHENTICATIONS and KEYS.

        With `retry_later` the phone is told to come back after so many seconds. The server says `in_progress` times that it
        is still at work before it gives the LSC. Once done, the operation is "none" again.
        """
        for value, known in ((operation, OPERATIONS), (authentication, AUTHENTICATIONS), (key, KEYS)):
            if value not in known:
                raise LabError(f"{value!r} is not one of {', '.join(known)}")
        if authentication == "string" and not (string and _STRING.fullmatch(string)):
            raise LabError("authentication by string needs a string of 4 to 10 digits")
        if not 0 <= retry_later <= 0xFFFF or not 0 <= in_progress <= 8:
            raise LabError("a phone is sent away for at most 65535 seconds, and told at most 8 times to wait")
        with self.change() as draft:
            self.phone(mac, draft.data)["capf"] = {
                "operation": operation,
                "authentication": authentication,
                "string": string,
                "key": key,
                "retry_later": retry_later,
                "in_progress": in_progress,
            }

    def capf_done(self, mac, certificate=None, removed=False):
        """CAPF has finished with a phone: keep its new LSC (x509 object), or forget the old one, and clear the operation."""
        with self.change() as draft:
            phone = self.phone(mac, draft.data)
            phone["capf"] = {**phone["capf"], "operation": "none", "retry_later": 0}
            if certificate is not None:
                _set_certificate(draft, normal_mac(mac), "lsc", certificate)
            elif removed and phone["lsc"]:
                draft.identities.pop(phone["lsc"])
                phone["lsc"] = None

    def set_encrypted_configuration(self, mac, enabled):
        """Switch encryption of a phone's configuration to its LSC, else its MIC (RSA keys only).

        Until the cluster knows such a certificate, the phone gets its configuration signed only.
        """
        with self.change() as draft:
            if enabled and file_signer(draft, 1) is None:
                raise LabError("this cluster signs no files, so it cannot encrypt a configuration")
            self.phone(mac, draft.data)["encrypted"] = bool(enabled)


def normal_mac(mac):
    """A MAC address as device names have it: twelve upper-case hex digits. LabError for anything else."""
    text = mac.upper().removeprefix("SEP").replace(":", "").replace("-", "").replace(".", "")
    if not _MAC.fullmatch(text):
        raise LabError(f"{mac!r} is not a MAC address such as 00270DC01C92 or 00:27:0D:C0:1C:92")
    return text


def _set_certificate(draft, mac, kind, certificate):
    name = f"{kind}-{mac}"
    draft.identities[name] = Identity(certificate)
    draft.data["phones"][mac][kind] = name
