# SPDX-License-Identifier: MIT
"""The booted board registers: baresip beside the agent, by TCP in a nonsecure cluster and by mutual TLS in mixed mode.

The SIP phone comes as one more archive behind the card's initramfs, as `phonetrust image build --program` would pack it."""

import pytest
from cryptography.hazmat.primitives import serialization

from agent.flash.store import Store
from hal.host import crypto
from host_tools.board import card as cards
from host_tools.board import sip as sips
from host_tools.hil.strategy import State
from host_tools.image import board as boards
from host_tools.image import phone_programs
from host_tools.image.provision import Region
from tests.helpers.board import raw_card
from tests.helpers.lab.procedure import MAC

DEVICE = f"SEP{MAC}"
IN_THE_IMAGE = ("ld-linux-aarch64.so.1", "libc.so.6", "libm.so.6")
PATIENCE = 90  # seconds in which an emulated board registers


@pytest.fixture
def calling(cluster, environment):
    """The cluster's servers with a call manager, running."""
    with cluster.serve(environment.config.get_option("listen"), sip=True) as running:
        yield running


@pytest.fixture
def sip_phone(phone, calling, environment):
    """The phone with a new card that has the SIP phone on it; off."""
    described = boards.load(environment.config.get_option("board"))
    server = f"{environment.config.get_option('address')}:{calling.tftp_port()}"
    phone.new(mac=MAC, tftp=[server], tftp_timeout=500, tftp_attempts=3)
    entries = phone_programs.collect(
        [str(sips.PROGRAM)], described, boards.TOP, IN_THE_IMAGE, lambda text: None
    ).entries
    with phone.card.in_pc() as path:
        cards.add_files(path, entries)
    return phone


def registered(phone, calling):
    """The event of the registration. The test reads the console meanwhile, because a board stops when its console is not read."""
    phone.expect("sip-phone: .*200 OK", PATIENCE)
    event = calling.events.wait_for(service="sip", what="registered", device=DEVICE)
    assert event, [*calling.events]
    return event


@pytest.mark.needs("card")
def test_registered_by_tcp_in_a_nonsecure_cluster(sip_phone, calling):
    assert sip_phone.boot() == ("trusted", "nonsecure", False)
    assert registered(sip_phone, calling)["transport"] == "tcp"
    assert sip_phone.status()["signatures"]["signed"] == 0


@pytest.mark.needs("card")
def test_enrolled_and_registered_by_mutual_tls_in_mixed_mode(sip_phone, calling, cluster):
    cluster.set_cluster_mode("mixed")
    cluster.set_capf(MAC, "install")
    assert sip_phone.boot() == ("trusted", "mixed", False)
    event = registered(sip_phone, calling)
    assert event["transport"] == "tls"
    status = sip_phone.status()
    assert int(event["serial"], 16) == int(status["lsc"]["serial"], 16)
    assert status["signatures"]["signed"] >= 1 and status["signatures"]["refused"] == 0
    # The key's bytes are nowhere on the card but in the trust store.
    sip_phone.strategy.transition(State.off)
    with sip_phone.card.in_pc() as path:
        store = raw_card.read_store(path)
        with open(path, "rb") as card:
            content = card.read()
    region = Region(len(store))
    region.content[:] = store
    key = bytes(Store(region, crypto()).load().read("lsc-key"))
    numbers = serialization.load_der_private_key(key, None).private_numbers()
    rest = content.replace(store, b"")
    assert len(rest) == len(content) - len(store)
    for prime in (numbers.p, numbers.q):
        for order in ("big", "little"):
            assert prime.to_bytes(128, order) not in rest
    assert numbers.p.to_bytes(128, "big") in store
