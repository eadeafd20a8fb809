# SPDX-License-Identifier: MIT
"""Firmware loads: files that phones' makers signed, handed out unchanged. The cluster only says which load a phone runs.

They are beside the generations of the cluster's state, once each, because a load is large and never changes under its name.
"""

import base64
import os
import re
import shutil
from pathlib import Path

from agent.boot import outcomes
from agent.errors import PhonetrustError, Refused
from agent.formats.header import HEADER_LIMIT, Header
from agent.formats.signedfile import SignedFileSink
from agent.trust import loads
from host_tools.lab.errors import LabError
from host_tools.lab.model.part import Part

FOLDER = "loads"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Loads(Part):
    """What a Cluster does with loads; the class Cluster inherits from this one."""

    def add_load(self, file):
        """Hand out a load, under the name that its signed header has. Returns its name without `.sgn`. LabError: it is no
        load, or another load of this name is handed out."""
        file = Path(file)
        with open(file, "rb") as source:
            start = source.read(HEADER_LIMIT)
        try:
            name = Header(start).filename
        except PhonetrustError as error:
            raise LabError(f"{file} is no load, which is a signed file: {error}") from error
        if not name.endswith(".sgn") or not _NAME.fullmatch(name.removesuffix(".sgn")) or ".cnf.xml" in name:
            raise LabError(f"{file} is signed as {name!r}, which is no name of a load")
        folder = self.path / FOLDER
        folder.mkdir(exist_ok=True)
        target = folder / name
        if target.exists() and target.read_bytes() != file.read_bytes():
            raise LabError(f"another load {name} is handed out already; remove it first: {target}")
        building = folder / f".{name}.{os.getpid()}"
        try:
            shutil.copyfile(file, building)
            os.replace(building, target)
        finally:
            building.unlink(missing_ok=True)
        return name.removesuffix(".sgn")

    def loads(self):
        """Names of the loads that are handed out, sorted."""
        return sorted(path.name.removesuffix(".sgn") for path in (self.path / FOLDER).glob("[!.]*.sgn"))

    def load_path(self, file_name):
        """The path of a load's file, "NAME.sgn"; None where it is not handed out."""
        if (
            not file_name.endswith(".sgn")
            or ".cnf.xml" in file_name
            or not _NAME.fullmatch(file_name.removesuffix(".sgn"))
        ):
            return None
        path = self.path / FOLDER / file_name
        return path if path.is_file() else None

    def set_load(self, mac, name, server=None):
        """Say which load a phone shall run ("" for any); mac "all": every phone that the cluster knows.

        server: another server that has it ("host" or "host:port"); None: the TFTP servers. LabError: not the name of a load.
        """
        if name and not _NAME.fullmatch(name):
            raise LabError(f"{name!r} is no name of a load, such as phonetrust-rpi3-0.2.0")
        with self.change() as draft:
            phones = draft.data["phones"].values() if mac == "all" else [self.phone(mac, draft.data)]
            for phone in phones:
                phone["load"] = name
                phone["load_server"] = server or ""

    def set_software(self, mac, name, floor="0.0.0", certificates=()):
        """Note what a phone runs, for the forecast; mac "all": every phone. name: of its load. floor: the oldest version that it
        takes. certificates: DER of its maker's image keys; none: not known. LabError: no name or version."""
        if loads.parts_of(name)[0] is None:
            raise LabError(f"{name!r} is no name of a load, such as phonetrust-rpi3-0.2.0")
        if loads.version_of(floor) is None:
            raise LabError(f"the floor must be three numbers, not {floor!r}")
        keys = [base64.b64encode(certificate).decode() for certificate in certificates]
        with self.change() as draft:
            for phone in draft.data["phones"].values() if mac == "all" else [self.phone(mac, draft.data)]:
                phone["software"] = {"name": name, "floor": floor, "keys": keys}


def software_of(phone):
    """agent.trust.loads.Software of a phone (its entry in the state), None where it is not known what the phone runs."""
    found = phone.get("software")
    if found is None:
        return None
    certificates = [base64.b64decode(text) for text in found["keys"]]
    return loads.Software(found["name"], loads.parts_of(found["name"])[0], found["floor"], certificates)


def judged(rules, name, path, crypto):
    """What a phone with these agent.trust.loads.LoadRules decides about the file of a load: the Decision that refuses it, or
    None where the phone takes it. As agent/boot/load.py, with the file in place of server and slot."""
    content = path.read_bytes()
    sink = SignedFileSink(crypto, len(content))
    try:
        sink.write(content)
        signed = sink.finish()
    except Refused as refused:
        return outcomes.refused(path.name, refused)
    finally:
        sink.close()
    body = content[signed.header.length :]
    return (
        rules.by_header(name, signed.header)
        or rules.by_signature(name, signed)
        or rules.by_image(name, lambda offset, count: body[offset : offset + count], len(body))
    )
