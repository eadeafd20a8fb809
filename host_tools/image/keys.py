# SPDX-License-Identifier: MIT
"""Image keys: the holder of a key decides what may run on the phones that have its certificate.

A key is a folder with image.key (PEM, for its owner alone) and image.crt. It signs twice: the boot image, for U-Boot, and
the load around it, for the phone. An image holds the certificate of the key that signed it, and that of a spare key,
so that the maker can change keys later. The private key of the spare stays somewhere else until then.
"""

import datetime
import hashlib
import os
import pathlib
import secrets

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from host_tools.image.errors import ImageError

KEY, CERTIFICATE = "image.key", "image.crt"
DEVELOPMENT = "phonetrust development image key"
SIZES = (2048, 4096)  # bits that both U-Boot and the header of signed files know and that are not too weak


class ImageKey:
    """A certificate, and the private key where it is there. `folder` holds both for mkimage; None for a spare."""

    def __init__(self, certificate, key=None, folder=None):
        self.certificate = certificate
        self.key = key
        self.folder = folder
        public = certificate.public_key()
        if not isinstance(public, rsa.RSAPublicKey) or public.key_size not in SIZES:
            raise ImageError("an image key is an RSA key of 2048 or 4096 bits")
        if key is not None and key.public_key() != public:
            raise ImageError(f"{folder}: key and certificate do not belong together")

    @property
    def serial(self):
        """The certificate's serial number, as headers of signed files have it."""
        number = self.certificate.serial_number
        return number.to_bytes((number.bit_length() + 7) // 8, "big")

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self):
        """SHA-256 of the certificate, hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def hint(self):
        """The name by which U-Boot finds the public key."""
        return "image-" + self.fingerprint[:16]

    @property
    def bits(self):
        return self.certificate.public_key().key_size

    @property
    def subject(self):
        return self.certificate.subject.rfc4514_string()

    @property
    def development(self):
        """Whether it is a key that a build made for itself because no other was given."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return [name.value for name in names] == [DEVELOPMENT]


def new(folder, name, bits=2048):
    """Make a key in `folder` (made; there must be none in it) -> ImageKey. ImageError."""
    folder = pathlib.Path(folder)
    if bits not in SIZES:
        raise ImageError(f"--bits {bits}: an image key has 2048 or 4096 bits")
    for existing in (KEY, CERTIFICATE):
        if (folder / existing).exists():
            raise ImageError(f"{folder / existing}: is there already; a key is never overwritten")
    folder.mkdir(parents=True, exist_ok=True)
    key = rsa.generate_private_key(65537, bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(secrets.token_bytes(16), "big") >> 1 or 1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=36525))  # phones have no clock to ask; the floor retires a key
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    (folder / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return ImageKey(certificate, key, folder)


def load(folder):
    """The key in a folder of new() -> ImageKey. ImageError where it is not whole."""
    folder = pathlib.Path(folder)
    found = load_certificate(folder / CERTIFICATE)
    try:
        key = serialization.load_pem_private_key((folder / KEY).read_bytes(), None)
    except OSError as error:
        raise ImageError(f"{folder / KEY}: {error.strerror}; `phonetrust image key new {folder}` makes one") from error
    except (ValueError, TypeError) as error:
        raise ImageError(f"{folder / KEY}: is no private key in PEM without a passphrase") from error
    return ImageKey(found.certificate, key, folder)


def load_certificate(path):
    """A certificate without its private key -> ImageKey. `path`: the file, or a key's folder."""
    path = pathlib.Path(path)
    path = path / CERTIFICATE if path.is_dir() else path
    try:
        return ImageKey(x509.load_pem_x509_certificate(path.read_bytes()))
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ImageError(f"{path}: is no certificate in PEM") from error


def development(top):
    """The development key of a source tree, in build/; made at the first use."""
    folder = pathlib.Path(top) / "build/image-key"
    return load(folder) if (folder / KEY).exists() else new(folder, DEVELOPMENT)
