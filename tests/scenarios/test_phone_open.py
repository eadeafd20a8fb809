# SPDX-License-Identifier: MIT
"""Phones of each kind in an open cluster: configuration by HTTPS, several CAPF servers, an LSC, the MIC in place of one."""

from tests.helpers.lab import stepped
from tests.helpers.lab.procedure import MAC

OWN = f"SEP{MAC}.cnf.xml"
LISTS = ["ctl not-found", "itl first-use"]
PLAIN = f"{OWN} no-file-signer"
SECURE = ["configuration listed-in-itl", f"{OWN}.sgn from-trusted-server"]
CAPF = ["capf listed-in-itl", "lsc installed"]
stepped_phone = stepped.fixture()


def test_an_lsc_where_files_are_not_signed(new_cluster, stepped_phone):
    cluster = new_cluster(kind="open", sast=2)
    cluster.set_capf(MAC, "install", key="ec-256")
    with cluster.serve(ask_certificate=True) as serving:
        phone = stepped_phone(serving, MAC)
        assert phone.do("boot")["good"], phone.log
        assert phone.reasons == [*LISTS, PLAIN, *CAPF, PLAIN]
        assert cluster.phone_certificate(MAC) == phone.section("lsc")
        cluster.itl_sign("sast-2")
        cluster.regenerate("sast-1")
        assert phone.do("restart")["good"] and phone.reasons == ["ctl not-found", "itl signed-by-itl", PLAIN]
        assert cluster.phone_certificate(MAC) == phone.section("lsc")


def test_configuration_by_https_and_an_lsc(new_cluster, stepped_phone):
    cluster = new_cluster(kind="open", https=True)
    cluster.set_capf(MAC, "install", key="ec-256")
    with cluster.serve(ask_certificate=True) as serving:
        ports = {"http_port": serving.port("http"), "https_port": serving.port("https")}
        phone = stepped_phone(serving, MAC, file_transfer="http", **ports)
        assert phone.do("boot")["good"], phone.log
        assert phone.reasons == [*LISTS, *SECURE, *CAPF, *SECURE]


def test_the_next_capf_server_and_the_mic_of_a_phone_without_its_lsc(new_cluster, stepped_phone):
    cluster = new_cluster(nodes=2)
    mic = cluster.make_mic(MAC)
    cluster.set_capf_servers(2)
    with cluster.serve() as serving:
        cluster.stop("capf", 1)
        assert serving.events.wait_for(service="capf", node=1, what="stopped")
        cluster.set_capf(MAC, "install", "lsc", key="ec-256")
        phone = stepped_phone(serving, MAC, mic=mic)
        assert phone.do("boot")["good"], phone.log
        assert phone.reasons[3:5] == CAPF
        assert serving.events.wait_for(service="capf", node=2, what="authenticated", by="mic")
