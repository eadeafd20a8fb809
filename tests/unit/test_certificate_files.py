# SPDX-License-Identifier: MIT
"""Certificates as files for other programs, on both Pythons: their content, and that they follow the phone's trust."""

import os
from binascii import a2b_base64

from agent.formats import pem
from hal.files import Published
from tests.helpers.agent.both import temporary_path, vector
from tests.helpers.agent.building import der
from tests.helpers.agent.phone_world import World, own_pair

TIMEOUT = 240


class Memory:
    """The HAL's `published` in memory. fails: writing does."""

    def __init__(self):
        self.files = {}
        self.writes = 0
        self.fails = False

    def replace(self, name, pieces):
        if self.fails:
            raise OSError(28, "no room")
        self.writes += 1
        self.files[name] = "".join(pieces)

    def remove(self, name):
        self.files.pop(name, None)


def world(files, **settings):
    """A phone on the fake network whose HAL keeps certificates."""
    made = World(files, **settings)
    made.hal.published = Memory()
    made.make_phone()
    return made, made.hal.published


def certificates(text):
    """The DER of the certificates in PEM text."""
    parts = text.split("-----BEGIN CERTIFICATE-----\n")[1:]
    return [a2b_base64(part.split("-----END")[0].replace("\n", "")) for part in parts]


def test_what_the_lists_name_by_role():
    made, files = world({"CTLFile.tlv": vector("ctl-mixed.tlv"), "ITLFile.tlv": vector("itl-base.tlv")})
    made.boot()
    assert certificates(files.files["callmanagers.pem"]) == [der("cucm.cert.pem")]
    assert certificates(files.files["capf.pem"]) == [der("capf.cert.pem")]
    assert "applications.pem" in files.files and "phone.pem" not in files.files
    assert int(files.files["time"]) >= made.phone.judge.trust.itl.header.timestamp


def test_nothing_is_written_where_nothing_changes():
    made, files = world({"ITLFile.tlv": vector("itl-base.tlv")})
    made.boot()
    made.phone._certificates.update()
    writes = files.writes
    for _ in range(3):
        made.phone._certificates.update()
    assert files.writes == writes


def test_an_erased_list_empties_the_files():
    made, files = world({"ITLFile.tlv": vector("itl-base.tlv")})
    made.boot()
    assert certificates(files.files["capf.pem"])
    made.erase("all")
    assert [files.files[name] for name in ("callmanagers.pem", "applications.pem", "capf.pem")] == ["", "", ""]


def test_after_a_rollback_the_files_are_empty():
    made, files = world({"ITLFile.tlv": vector("blank.tlv", "vectors-clusters")})
    made.boot()
    assert made.phone.judge.trust.rolled_back
    assert [files.files[name] for name in ("callmanagers.pem", "applications.pem", "capf.pem")] == ["", "", ""]


def test_the_phones_own_certificate_comes_with_the_block_and_goes():
    made, files = world({"ITLFile.tlv": vector("itl-base.tlv")})
    made.boot()
    certificate, key = own_pair()
    made.phone.keeper.identity.keep(certificate, key)
    made.phone._certificates.update()
    text = files.files["phone.pem"]
    assert certificates(text) == [certificate]
    assert text.endswith(pem.provider_uri("pkcs11:token=phonetrust;object=LSC;type=private"))
    assert str(key) not in text and "PRIVATE KEY" not in text
    made.phone.keeper.identity.drop()
    made.phone._certificates.update()
    assert "phone.pem" not in files.files


def test_a_mic_is_named_as_one():
    made = World({"ITLFile.tlv": vector("itl-base.tlv")}, mic=own_pair())
    made.hal.published = Memory()
    made.make_phone()
    made.boot()
    uri = pem.provider_uri("pkcs11:token=phonetrust;object=MIC;type=private")
    assert made.hal.published.files["phone.pem"].endswith(uri)


def test_a_full_disk_is_said_once_and_tried_again():
    made, files = world({"ITLFile.tlv": vector("itl-base.tlv")})
    files.fails = True
    made.boot()
    made.phone._certificates.update()
    said = [line for line in made.hal.console.output.split("\n") if "could not be written" in line]
    assert len(said) == 1, said
    files.fails = False
    made.phone._certificates.update()
    assert certificates(files.files["capf.pem"])


def test_a_file_is_replaced_as_a_whole():
    folder = temporary_path()
    os.mkdir(folder)
    published = Published(folder)
    published.replace("a.pem", ["first"])

    def breaking():
        yield "half of the sec"
        raise OSError(5)

    try:
        published.replace("a.pem", breaking())
        raise AssertionError("the failure is not told")
    except OSError:
        pass
    with open(folder + "/a.pem") as file:
        assert file.read() == "first"
    assert os.listdir(folder) == ["a.pem"]
    published.replace("a.pem", ["sec", "ond"])
    with open(folder + "/a.pem") as file:
        assert file.read() == "second"
    published.remove("a.pem")
    published.remove("a.pem")
    assert os.listdir(folder) == []


def test_the_block_that_stands_for_a_key():
    text = pem.provider_uri("pkcs11:token=phonetrust;object=LSC;type=private")
    lines = text.strip().split("\n")
    assert lines[0] == "-----BEGIN PKCS#11 PROVIDER URI-----" and lines[-1] == "-----END PKCS#11 PROVIDER URI-----"
    content = a2b_base64("".join(lines[1:-1]))
    version, uri = b"PKCS#11 Provider URI v1.0", b"pkcs11:token=phonetrust;object=LSC;type=private"
    assert content == bytes([0x30, len(content) - 2, 0x1A, len(version)]) + version + bytes([0x0C, len(uri)]) + uri
    assert all([len(line) <= 64 for line in lines])
