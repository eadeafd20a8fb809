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
    assert cluster.published_path(NAME + ".sgn").read_bytes() == load.read_bytes(), "not a byte of it is the cluster's"
    assert cluster.published_path(NAME) is None and cluster.published_path("../cluster.json") is None
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
