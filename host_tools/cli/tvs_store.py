# SPDX-License-Identifier: MIT
"""In place of a TVS server in `phonetrust preflight`: a folder of certificates, or a server that does not answer."""

import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agent.formats import names
from agent.servers.judge import Asker
from agent.trust.decision import Answer


class StoreError(Exception):
    """The folder cannot be used; the text says which file and why."""


class Unreachable(Asker):
    """A TVS that does not answer."""

    async def ask(self, question, deadline=None):
        """An Answer (agent/trust/decision.py)."""
        return Answer("unreachable", text="TVS does not answer (as asked for with --tvs unreachable).")


class TvsStore(Asker):
    """Answers as a TVS server that vouches for the certificates of a folder: PEM files and roles.json, which maps their
    names to roles (names or numbers). A certificate that is not listed is refused. Raises StoreError."""

    def __init__(self, folder, crypto):
        self._folder = Path(folder)
        self._vouched = []
        listing = self._folder / "roles.json"
        try:
            roles = json.loads(listing.read_text())
        except (OSError, ValueError) as error:
            raise StoreError(f"{listing}: {getattr(error, 'strerror', None) or error}") from None
        if not isinstance(roles, dict):
            raise StoreError(f'{listing}: it must be an object such as {{"callmanager.pem": ["SAST", "TFTP"]}}')
        for name, given in roles.items():
            certificate = self._certificate(name)
            self._vouched.append((certificate, crypto.certificate(certificate), self._roles(listing, name, given)))

    def vouched(self):
        """[(certificate DER, [role numbers])] of the folder."""
        return [(certificate, roles) for certificate, _fields, roles in self._vouched]

    def _certificate(self, name):
        path = self._folder / name
        try:
            return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}") from None
        except ValueError:
            raise StoreError(f"{path}: no certificate in PEM") from None

    @staticmethod
    def _roles(listing, name, given):
        numbers = []
        for role in given if isinstance(given, list) else [given]:
            number = names.role_number(role) if isinstance(role, str) else role
            if not isinstance(number, int) or isinstance(number, bool):
                known = ", ".join(names.ROLE_NAMES.values())
                raise StoreError(f"{listing}: {name} has the role {role!r}; known are {known}")
            numbers.append(number)
        return numbers

    async def ask(self, question, deadline=None):
        """An Answer (agent/trust/decision.py)."""
        where = str(self._folder)
        for certificate, fields, roles in self._vouched:
            if question.request == "query":
                found = fields.serial == question.serial and names.same(question.issuer, fields.issuer) is not False
            else:
                found = certificate == question.certificate
            if found:
                shown = ", ".join(names.role_name(role) for role in roles) or "no role"
                return Answer("valid", certificate, roles, server=where, text=f"TVS ({where}) knows it as {shown}.")
        return Answer("refused", server=where, text=f"TVS ({where}) does not know it.")
