# SPDX-License-Identifier: MIT
"""Files for the phone's other programs: streamed to the folder, and visible only after they were accepted."""

import os

from agent.boot.history import History
from agent.flash.identity import parse_pem
from agent.formats import names
from agent.local.programs import Programs
from hal.files import KEPT, Files
from tests.helpers.agent.both import raises, run, temporary_path, vector
from tests.helpers.agent.building import header, library, record, signature_info, signer, text, tlv, trust_list
from tests.helpers.agent.phone_world import World

TIMEOUT = 300
LOAD = vector("load.bin.sgn")
ITL = vector("itl-base.tlv")
TFTP = 3
SHA1_INFO = b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"  # DigestInfo of SHA-1, RFC 8017, 9.2
TONES = "New_Zealand/g3-tones.xml"


def load_body():
    """The load without its header."""
    return LOAD[LOAD[8] << 8 | LOAD[9] :]


def signed(name, body):
    """A file signed by the key of the vector lsc.pem, with SHA-1."""
    certificate, key = parse_pem(str(vector("lsc.pem"), "ascii"))
    found = library().certificate(certificate)
    zeros = bytes(256)
    whole = (
        header(
            filename=text(14, name),
            signer_version=None,
            signer=signer(names.to_text(found.subject), names.to_text(found.issuer), found.serial),
            signature_info=signature_info(digest=1),
            signature=tlv(12, zeros),
        )
        + body
    )
    start = whole.index(tlv(12, zeros))
    digest = library().digest("sha1", whole, cut=(start, 3 + len(zeros)))
    signature = library().sign(key, "rsa-bare", SHA1_INFO + digest)
    return whole[: start + 3] + signature + whole[start + 3 + len(zeros) :]


def lsc_list():
    """An ITL in which the signer of signed() is a TFTP server."""
    certificate, _ = parse_pem(str(vector("lsc.pem"), "ascii"))
    return trust_list([record(0, "sast.cert.pem"), record(TFTP, certificate)], "sast.cert.pem")


class Place:
    """A phone with this ITL installed (None: without trust) and a folder for files."""

    def __init__(self, files, itl=ITL, **settings):
        self.world = World(files, **settings)
        self.folder = temporary_path()
        os.mkdir(self.folder)
        self.use(Files(self.folder))
        self.world.load()
        if itl is not None:
            self.world.store.save({"itl": itl})
            self.world.load()

    def use(self, files):
        """Files are kept here from now on."""
        self.files = self.world.hal.files = files
        world = self.world
        self.history = History()
        self.programs = Programs(
            world.phone.fetcher,
            world.phone.judge,
            files,
            world.hal.crypto,
            world.settings.file_limit,
            world.hal.clock,
            self.history,
        )
        return files

    def fetch(self, name, owner=1):
        """(outcome and reason, content or None)."""
        decision, path = run(self.programs.fetch(name, owner))
        assert (path is None) == (not decision.accepted)
        assert decision.text[-1] == "." and self.history.decisions[-1] is decision
        content = None
        if path is not None:
            with open(path, "rb") as file:
                content = file.read()
        return decision.outcome + " " + decision.reason, content

    def there(self):
        """Names in the folder."""
        return sorted(os.listdir(self.folder))


def test_a_load_arrives_without_its_header():
    place = Place({"load.bin.sgn": LOAD})
    assert place.fetch("load.bin") == ("accepted signed-by-itl", load_body())
    assert place.fetch("load.bin.sgn") == ("accepted signed-by-itl", load_body())
    assert place.there() == ["1", "2"]


def test_a_file_in_a_folder():
    place = Place({TONES + ".sgn": signed(TONES + ".sgn", b"<tones/>\n")}, lsc_list())
    assert place.fetch(TONES) == ("accepted signed-by-itl", b"<tones/>\n")
    assert place.world.server.asked == [TONES + ".sgn"]


def test_a_file_of_another_folder_or_name_is_refused():
    for name in ("g3-tones.xml.sgn", "Chile/g3-tones.xml.sgn", "New_Zealand/g3-tones.xml.sgn2", TONES):
        place = Place({TONES + ".sgn": signed(name, b"<tones/>\n")}, lsc_list())
        assert place.fetch(TONES) == ("refused wrong-file", None), name
        assert place.there() == []


def test_an_empty_body_is_a_file():
    place = Place({"empty.xml.sgn": signed("empty.xml.sgn", b"")}, lsc_list())
    assert place.fetch("empty.xml") == ("accepted signed-by-itl", b"")


def test_one_wrong_bit_found_at_the_end_leaves_nothing():
    for at in (len(LOAD) - 1, len(LOAD) // 2, 468):  # the last byte, one in the middle, the first after the header
        damaged = bytearray(LOAD)
        damaged[at] ^= 1
        place = Place({"load.bin.sgn": bytes(damaged)})
        assert place.fetch("load.bin") == ("refused bad-signature", None), at
        assert place.there() == []


def test_until_the_last_byte_nothing_is_there_under_a_name_that_is_told():
    place = Place({"load.bin.sgn": LOAD})
    seen = []
    server = place.world.server

    def watched(packet, source, reply):
        seen.append(place.there())
        server(packet, source, reply)

    place.world.hal.net.serve_udp("192.0.2.1", 69, watched)
    assert place.fetch("load.bin")[0] == "accepted signed-by-itl"
    assert len(seen) > 20 and [there for there in seen if there != ["1.part"]] == []
    assert place.there() == ["1"]


def test_cut_short_and_without_a_header():
    for data, wanted in (
        (LOAD[:200], "refused malformed"),
        (b"", "refused malformed"),
        (b"<xml/>", "refused malformed"),
    ):
        place = Place({"load.bin.sgn": data})
        assert place.fetch("load.bin") == (wanted, None)
        assert place.there() == []
    place = Place({"load.bin.sgn": LOAD[:-1]})
    assert place.fetch("load.bin") == ("refused bad-signature", None)


def test_too_large_announced_or_not():
    place = Place({"load.bin.sgn": LOAD}, file_limit=len(LOAD) - 1)
    assert place.fetch("load.bin") == ("refused too-large", None) and place.there() == []
    place = Place({"load.bin.sgn": LOAD}, file_limit=len(LOAD))
    assert place.fetch("load.bin")[0] == "accepted signed-by-itl"
    place = Place({"ring.xml": bytes(3000)}, None, file_limit=2999)
    assert place.fetch("ring.xml") == ("refused too-large", None) and place.there() == []


def test_unsigned_beside_trust_is_refused_and_not_kept():
    place = Place({"ring.xml": b"<rings/>"})
    assert place.fetch("ring.xml") == ("refused unsigned", None) and place.there() == []
    assert place.fetch("none.xml") == ("refused not-found", None) and place.there() == []


def test_without_trust_and_after_rollback_the_plain_file_is_taken():
    place = Place({"ring.xml": b"<rings/>"}, None)
    assert place.fetch("ring.xml") == ("accepted no-trust-list", b"<rings/>")
    assert place.fetch("none.xml") == ("refused not-found", None)
    place = Place({"ring.xml": b"<rings/>"}, vector("blank.tlv", "vectors-clusters"))
    assert place.fetch("ring.xml") == ("accepted after-rollback", b"<rings/>")


def test_with_lost_trust_nothing_is_fetched():
    place = Place({"ring.xml": b"<rings/>", "load.bin.sgn": LOAD})
    place.world.phone.judge.lose()
    assert place.fetch("ring.xml") == ("refused trust-lost", None)
    assert place.fetch("load.bin.sgn") == ("refused trust-lost", None)
    assert place.world.server.asked == [] and place.there() == []


def test_an_unknown_signer_is_asked_about_at_tvs():
    place = Place({TONES + ".sgn": signed(TONES + ".sgn", b"x")})
    assert place.fetch(TONES)[0] == "refused tvs-unreachable"
    place.world.tvs({"lsc.cert.pem": (TFTP,)})
    place.world.phone.judge.configure([("127.0.0.1", 2445)])
    assert place.fetch(TONES) == ("accepted vouched-by-tvs", b"x")
    assert place.there() == ["2"]


def test_no_server_answers():
    place = Place({}, tftp=["192.0.2.77"])
    assert place.fetch("ring.xml") == ("refused no-server", None) and place.there() == []


def test_names_that_no_server_can_be_asked_for():
    place = Place({})
    assert place.fetch("a" * 260)[0] == "refused bad-name" and place.there() == []


class FullFiles(Files):
    """A disk that is full after `room` bytes; or that fails when a file is made or kept."""

    room = 1 << 30
    fails = ""

    def create(self, owner):
        if self.fails == "create":
            raise OSError(28)
        file = Files.create(self, owner)
        write = file.write

        def limited(block):
            self.room -= len(block)
            if self.room < 0:
                raise OSError(28)
            write(block)

        file.write = limited
        return file

    def kept(self, owner, path):
        if self.fails == "keep":
            raise OSError(28)
        Files.kept(self, owner, path)


def test_a_full_disk_leaves_nothing_and_says_so():
    for room in (0, 1, 100000, len(load_body()) - 1):
        place = Place({"load.bin.sgn": LOAD})
        files = place.use(FullFiles(place.folder))
        files.room = room
        outcome = place.fetch("load.bin")
        assert outcome == ("refused not-stored", None) and place.there() == [], room
        assert "28" in place.history.decisions[-1].text
        files.room = len(load_body())
        assert place.fetch("load.bin")[0] == "accepted signed-by-itl"
    place = Place({"load.bin.sgn": LOAD})
    place.use(FullFiles(place.folder)).fails = "create"
    assert place.fetch("load.bin") == ("refused not-stored", None) and place.there() == []


def test_a_transfer_that_is_ended_leaves_nothing():
    place = Place({"load.bin.sgn": LOAD})

    def gone(packet, source, reply):
        if packet[1] == 4 and packet[3] == 9:
            raise KeyboardInterrupt()  # as a task is cancelled in the middle of a transfer
        place.world.server(packet, source, reply)

    place.world.hal.net.serve_udp("192.0.2.1", 69, gone)
    raises(KeyboardInterrupt, run, place.programs.fetch("load.bin", 1))
    assert place.there() == []
    place.world.hal.net.serve_udp("192.0.2.1", 69, place.world.server)
    assert place.fetch("load.bin")[0] == "accepted signed-by-itl"


def test_a_phone_without_a_folder():
    place = Place({"load.bin.sgn": LOAD})
    place.use(None)
    raises(ValueError, run, place.programs.fetch("load.bin", 1))


# The folder


def kept(files, owner, content):
    file = files.create(owner)
    file.begin(None)
    file.write(content)
    path = file.keep()
    file.drop()
    return path


def test_files_are_kept_for_their_owner_and_go_with_it():
    folder = temporary_path()
    os.mkdir(folder)
    files = Files(folder)
    other = kept(files, 2, b"other")
    mine = [kept(files, 1, b"%d" % number) for number in range(KEPT + 2)]
    left = ["%s/%s" % (folder, name) for name in os.listdir(folder)]
    assert sorted(left) == sorted(mine[2:] + [other])
    os.remove(mine[2])  # somebody else did
    files.release(1)
    files.release(1)
    assert ["%s/%s" % (folder, name) for name in os.listdir(folder)] == [other]
    Files(folder)  # after a restart all are gone
    assert os.listdir(folder) == []


def test_a_file_starts_over_and_a_dropped_one_is_gone():
    folder = temporary_path()
    os.mkdir(folder)
    files = Files(folder)
    file = files.create(1)
    file.begin(5)
    file.write(b"first try")
    file.begin(None)
    file.write(b"second")
    path = file.keep()
    with open(path, "rb") as found:
        assert found.read() == b"second"
    file = files.create(1)
    file.write(b"x")
    file.drop()
    file.drop()
    assert os.listdir(folder) == [path.rsplit("/", 1)[1]]
