# SPDX-License-Identifier: MIT
"""The phone's own certificate on its board: CAPF, the encrypted configuration, HTTP, and a person who types the string."""

SIGNED = "SEP00270DC01C92.cnf.xml.sgn"
ENCRYPTED = "SEP00270DC01C92.cnf.xml.enc.sgn"
MAC = "00270DC01C92"
TRUSTED = ("trusted", "nonsecure", False)


def test_enrols_and_reads_its_encrypted_configuration_in_one_boot(phone, cluster, settings, measured):
    cluster.set_encrypted_configuration(MAC, True)
    cluster.set_capf(MAC, "install", key="rsa-2048")
    phone.new(**settings)
    assert phone.boot() == TRUSTED
    decisions = phone.decisions()
    assert decisions["capf"] == ("accepted", "listed-in-itl") and decisions["lsc"] == ("accepted", "installed")
    assert decisions[SIGNED] == decisions[ENCRYPTED] == ("accepted", "signed-by-itl")
    measured("seconds_to_make_an_rsa_key", phone.seconds("lsc accepted") - phone.seconds("makes a key"))
    measured("seconds_to_trusted", phone.seconds("state trusted"))
    status = phone.status()
    assert status["configuration"] == ENCRYPTED and status["lsc"]["key"] == "rsa 2048"
    serial = f"{cluster.state.identities[f'lsc-{MAC}'].certificate.serial_number:x}"
    assert status["lsc"]["serial"].lstrip("0") == serial
    # The power goes and comes: the key is on the card.
    assert phone.boot() == TRUSTED
    assert phone.decisions()[ENCRYPTED] == ("accepted", "signed-by-itl") and "lsc" not in phone.decisions()
    assert phone.status()["lsc"] == status["lsc"]


def test_by_string_at_the_console_over_http(phone, cluster, serving, settings):
    cluster.set_capf(MAC, "install", "string", "4711", key="ec-256")
    ports = {"http_port": serving.port("http"), "https_port": serving.port("https")}
    phone.new(file_transfer="http", **ports, **settings)
    assert phone.boot() == TRUSTED
    assert phone.decisions()["configuration"] == ("accepted", "listed-in-itl") and "lsc" not in phone.decisions()
    assert not serving.events.matching(service="tftp", what="fetch")
    phone.type("update lsc")
    phone.expect("Type the authentication string")
    phone.type("1234")
    phone.expect("lsc refused wrong-string")
    phone.type("update lsc 4711")
    phone.expect("lsc accepted installed")
    phone.type("show lsc")
    phone.expect("key      ec 256 bits")
