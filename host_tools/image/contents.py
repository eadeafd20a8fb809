# SPDX-License-Identifier: MIT
"""The list of what is inside an image, with versions and licences: SPDX 2.3 in JSON, which auditors' programs read.

Versions and licences are those that the Debian packages state themselves (changelog and copyright file). For a licence
that SPDX has no name for, the list refers to the words of the package.
"""

import datetime
import gzip
import hashlib
import json
import re

from host_tools.image import bootloader, elf, fat
from host_tools.image.errors import ImageError

# Libraries whose package is not named after them.
LIBC = ("ld-linux-aarch64.so.1", "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1")
# Debian's names of licences (in copyright files of format 1.0) -> SPDX's.
LICENCES = {
    "GPL-2": "GPL-2.0-only", "GPL-2+": "GPL-2.0-or-later", "GPL-3+": "GPL-3.0-or-later", "LGPL-2.1": "LGPL-2.1-only",
    "LGPL-2.1+": "LGPL-2.1-or-later", "LGPL-2+": "LGPL-2.0-or-later", "LGPL-3+": "LGPL-3.0-or-later", "Expat": "MIT",
    "MIT": "MIT", "BSD-2-clause": "BSD-2-Clause", "BSD-3-clause": "BSD-3-Clause", "ISC": "ISC", "Apache-2.0": "Apache-2.0",
    "Apache-2": "Apache-2.0", "Zlib": "Zlib", "zlib": "Zlib", "CC0-1.0": "CC0-1.0", "GPL-2.0": "GPL-2.0-only",
}  # fmt: skip


def document(board, top, unpacked, facts, others):
    """The document's bytes for a boot image (fit.Facts) of `board` with `others` (phone_programs.Programs) in it; the same build
    gives the same bytes."""
    extracted = {}
    packages = [_package(f"phonetrust for {board.board.title}", facts.software, "MIT")]
    mbedtls = (top / "build/mbedtls/.fetched").read_text().strip().partition("_")[2]
    packages.append(_package("mbedtls (in libphonetrust)", mbedtls, "Apache-2.0 OR GPL-2.0-or-later"))
    if board.uboot:
        packages.append(_package("u-boot", bootloader.VERSION, "GPL-2.0-or-later"))
    documents = unpacked / "usr/share/doc"
    debian = {name: (_version(documents / name, name), documents / name) for name in names(board, unpacked, facts)}
    for name, (version, folder) in sorted((others.packages | debian).items()):
        found = _package(name, version, _declared(folder / "copyright", name, extracted))
        found["supplier"] = "Organization: Debian"
        packages.append(found)
    for name, digest in sorted(others.folders.items()):  # only its maker knows its licence
        packages.append(_package(f"programs/{name}", f"SHA-256 {digest[:16]}", "NOASSERTION"))
    identity = hashlib.sha256(json.dumps(packages, sort_keys=True).encode()).hexdigest()
    described = packages[0]["SPDXID"]
    others = [package["SPDXID"] for package in packages[1:]]
    found = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": facts.name,
        "documentNamespace": f"https://spdx.org/spdxdocs/{facts.name}-{identity}",
        "creationInfo": {
            "created": datetime.datetime.fromtimestamp(fat.TIME, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: phonetrust image build"],
        },
        "packages": packages,
        "hasExtractedLicensingInfos": [
            {"licenseId": reference, "extractedText": f"As in the package's copyright file, there named {words}."}
            for reference, words in sorted(extracted.items())
        ],
        "relationships": [_relation("SPDXRef-DOCUMENT", "DESCRIBES", described)]
        + [_relation(described, "CONTAINS", other) for other in others],
    }
    return (json.dumps(found, indent=1) + "\n").encode()


def names(board, unpacked, facts):
    """Names of the Debian packages of which something is in the image, sorted."""
    found = {f"linux-image-{facts.kernel}", "micropython", "busybox-static"}
    if board.boot.firmware:
        found.add("raspi-firmware")
    folders = sorted((unpacked / "usr/lib").glob("*-linux-gnu"))
    for library in elf.libraries(unpacked / "usr/bin/micropython", folders):
        if library in LIBC:
            found.add("libc6")
            continue
        stem, _, number = library.partition(".so.")  # Debian's policy, 8.1: libfoo.so.3 is in libfoo3
        number = number.partition(".")[0]
        found.add(f"{stem}-{number}" if stem[-1:].isdigit() else f"{stem}{number}")
    return sorted(found)


def _identifier(licence, extracted):
    """SPDX's name of a licence; a licence that SPDX does not know goes to `extracted`."""
    if licence in LICENCES:
        return LICENCES[licence]
    reference = "LicenseRef-Debian-" + re.sub(r"[^A-Za-z0-9.-]+", "-", licence).strip("-")
    extracted[reference] = licence
    return reference


def _declared(path, name, extracted):
    """The licences that a package's copyright file states, as SPDX writes them."""
    choices = set()
    for alternatives in _licences(path, name):
        named = [_identifier(licence, extracted) for licence in alternatives]
        choices.add(named[0] if len(named) == 1 else f"({' OR '.join(named)})")
    return " AND ".join(sorted(choices)) or "NOASSERTION"


def _package(name, version, licence):
    identifier = "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]+", "-", name)
    return {
        "SPDXID": identifier, "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION", "licenseDeclared": licence, "copyrightText": "NOASSERTION",
    }  # fmt: skip


def _relation(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _version(folder, name):
    """The version in the newest entry of a package's changelog; a rebuild has a changelog file of its own."""
    for file in ("changelog.Debian.arm64.gz", "changelog.Debian.gz", "changelog.gz"):
        if (folder / file).is_file():
            line = gzip.decompress((folder / file).read_bytes()).decode(errors="replace").partition("\n")[0]
            if found := re.match(r"\S+ \(([^)]+)\)", line):
                return found[1]
    raise ImageError(f"{folder}: the package {name} does not state its version")


def _licences(path, name):
    """The licences that a copyright file states, each as a list of alternatives; a file that is not machine-readable is one
    licence of the package's name."""
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise ImageError(f"{path}: the package {name} does not state its licence") from error
    if "copyright-format/1.0" not in text.partition("\n")[0]:
        return [[name]]
    found = set()
    for line in re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE):
        for part in re.split(r"\s+and\s+|,\s*(?:and\s+)?", line.strip()):
            words = [word.strip() for word in re.split(r"\s+or\s+", part) if word.strip()]
            if words:
                found.add(tuple(words))
    return sorted(found)
