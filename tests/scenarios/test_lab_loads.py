# SPDX-License-Identifier: MIT
"""The lab hands out firmware loads as their maker signed them, and says what phones will do with them."""

import pytest

from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.model.forecast import sentences
from tests.helpers.agent.both import own_vector

MAC = "00270DC01C92"
NAME = "phonetrust-rpi3-0.2.0"


@pytest.fixture
def cluster(tmp_path):
    made = Cluster.create(tmp_path / "cluster")
    made.add_phone(MAC)
    return made


@pytest.fixture
def load(tmp_path):
    path = tmp_path / "somebody-renamed-it"
    path.write_bytes(own_vector("loads/new.sgn"))
    return path


def forecast(cluster):
    """What is said of loads."""
    return [(item["outcome"], item["reason"]) for item in cluster.forecast() if item["kind"] == "load"]


def test_a_load_is_handed_out_under_the_name_that_is_signed(cluster, load):
    assert cluster.add_load(load) == NAME and cluster.loads() == [NAME]
    assert cluster.handed_out(NAME + ".sgn").read_bytes() == load.read_bytes(), "not a byte of it is the cluster's"
    assert cluster.handed_out(NAME) is None and cluster.handed_out("../cluster.json") is None
    assert cluster.add_load(load) == NAME, "the same once more"
    load.write_bytes(load.read_bytes() + b"x")
    with pytest.raises(LabError, match="another load phonetrust-rpi3-0.2.0.sgn is handed out already"):
        cluster.add_load(load)


@pytest.mark.parametrize("content", [b"", b"text", own_vector("loads/new.cnf.xml.sgn"), own_vector("loads/itl.tlv")])
def test_what_is_no_load_is_not_handed_out(cluster, load, content):
    load.write_bytes(content)
    with pytest.raises(LabError, match="is no load|is no name of a load"):
        cluster.add_load(load)
    assert cluster.loads() == []


def test_the_configuration_names_the_load_and_where_it_is(cluster):
    cluster.set_load(MAC, NAME, "192.0.2.7:6970")
    body = cluster.published(f"SEP{MAC}.cnf.xml.sgn")
    assert b"<loadInformation>phonetrust-rpi3-0.2.0</loadInformation>" in body
    assert b"<loadServer>192.0.2.7:6970</loadServer>" in body
    cluster.add_phone("001122334455")
    cluster.set_load("all", "")
    for mac in (MAC, "001122334455"):
        assert b"<loadInformation></loadInformation>" in cluster.published(f"SEP{mac}.cnf.xml.sgn")
    for wrong in ("a/b", "a b", "x" * 65, "../x"):
        with pytest.raises(LabError, match="is no name of a load"):
            cluster.set_load(MAC, wrong)
    with pytest.raises(LabError, match="does not know the phone"):
        cluster.set_load("00AABBCCDDEE", NAME)


def test_the_forecast_says_what_phones_will_do(cluster, load):
    assert forecast(cluster) == []
    cluster.set_load(MAC, NAME)
    assert forecast(cluster) == [("refused", "not-found")]
    cluster.add_load(load)
    assert forecast(cluster) == [("accepted", "load-installed")]
    cluster.set_load(MAC, "sip88xx.14-2-1-0101-1")
    assert forecast(cluster) == [("refused", "wrong-board")]
    assert any(warning and "sip88xx" in text for warning, text in sentences(cluster.forecast()))


def maker(*names):
    return [own_vector(f"loads/{name}.der") for name in names]


@pytest.mark.parametrize(
    ("file", "runs", "floor", "keys", "expected"),
    [
        ("new", "phonetrust-rpi3-0.1.0", "0.1.0", maker("maker"), ("accepted", "load-installed")),
        ("new", NAME, "0.1.0", maker("maker"), ("accepted", "unchanged")),
        ("new", "phonetrust-rpi3-0.3.0", "0.2.1", maker("maker"), ("refused", "load-too-old")),
        ("new", "phonetrust-rpi4-0.1.0", "0.1.0", maker("maker"), ("refused", "wrong-board")),
        ("new", "phonetrust-rpi3-0.1.0", "0.1.0", maker("spare"), ("refused", "unknown-signer")),
        ("stranger", "phonetrust-rpi3-0.1.0", "0.1.0", maker("maker", "spare"), ("refused", "unknown-signer")),
        ("board", "phonetrust-rpi3-0.1.0", "0.1.0", maker("maker"), ("refused", "wrong-board")),
        ("inside", "phonetrust-rpi3-0.1.0", "0.1.0", maker("maker"), ("refused", "malformed")),
        ("text", "phonetrust-rpi3-0.1.0", "0.1.0", maker("maker"), ("refused", "malformed")),
        ("stranger", "phonetrust-rpi3-0.1.0", "0.1.0", [], ("accepted", "load-installed")),
    ],
)
def test_the_forecast_knows_what_a_phone_runs(cluster, load, file, runs, floor, keys, expected):
    load.write_bytes(own_vector(f"loads/{file}.sgn"))
    cluster.add_load(load)
    cluster.set_load(MAC, NAME)
    cluster.set_software("all", runs, floor, keys)
    assert forecast(cluster) == [expected]
    text = next(item["text"] for item in cluster.forecast() if item["kind"] == "load")
    assert (NAME in text) and (("if its maker signed it" in text) is (not keys)), text


def test_a_damaged_load_is_foreseen(cluster, load):
    load.write_bytes(own_vector("loads/new.sgn")[:-1])
    cluster.add_load(load)
    cluster.set_load(MAC, NAME)
    cluster.set_software(MAC, "phonetrust-rpi3-0.1.0", "0.1.0", maker("maker"))
    assert forecast(cluster) == [("refused", "bad-signature")]
    for name, floor in (("sip88xx", "0.1.0"), ("phonetrust-rpi3-0.1.0", "1")):
        with pytest.raises(LabError, match="is no name of a load|must be three numbers"):
            cluster.set_software(MAC, name, floor)


def test_software_is_set_on_the_command_line(cluster, tmp_path):
    from host_tools.image import keys
    from tests.helpers.board.commands import phonetrust

    keys.new(tmp_path / "key", "a maker")
    words = ["lab", "set", "software", MAC, "phonetrust-rpi3-0.1.0", "--floor", "0.1.0", "--cluster", cluster.path]
    done = phonetrust(*words, "--key", tmp_path / "key")
    assert done.returncode == 0 and f"{MAC} runs phonetrust-rpi3-0.1.0" in done.stdout, done.stderr
    assert len(Cluster(cluster.path).phone(MAC)["software"]["keys"]) == 1
    done = phonetrust(*words, "--key", tmp_path / "no-key")
    assert done.returncode != 0 and "No such file" in done.stderr and "Traceback" not in done.stderr
