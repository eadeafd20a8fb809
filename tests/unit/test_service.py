# SPDX-License-Identifier: MIT
"""The service for other programs: what it answers, and that a program that misbehaves harms nobody but itself."""

import json
import os
from binascii import b2a_base64

from agent.boot.order import HISTORY
from agent.local import service as service_module
from agent.local.service import CLIENTS_LIMIT, LINE_LIMIT, OUTPUT_LIMIT, PROGRAM_LIMIT
from agent.main import Phone
from agent.trust.decision import Decision
from hal.files import Files
from tests.helpers.agent.both import temporary_path, vector
from tests.helpers.agent.building import der
from tests.helpers.agent.phone_world import World

TIMEOUT = 240
SOCKET = "/run/phone/trust.sock"
ITL = {"ITLFile.tlv": vector("itl-base.tlv")}
APPLICATION = (7,)


class Place:
    """A phone that has booted and serves; turn() is one round of its main loop."""

    def __init__(self, files=None, boot=True):
        self.world = World(dict(ITL) if files is None else files)
        hal = self.world.hal
        folder = temporary_path()
        os.mkdir(folder)
        hal.files = Files(folder)
        self.folder = folder
        self.phone = Phone(hal, self.world.settings)
        if boot:
            self.phone.start()
        else:
            self.phone.boot.load()
        self.poller = hal.net.poller()
        self.listener = hal.net.listen_local(SOCKET)
        self.service = self.phone.service = service_module.Service(self.phone, self.listener, self.poller)

    def turn(self, count=1):
        for _ in range(count):
            for thing, readable, writable in self.poller.wait(0):
                self.service.ready(thing, readable, writable)
            more = self.service.serve_next()
        return more

    def settle(self):
        """Turns until nothing happens any more."""
        for _ in range(200):
            found = self.poller.wait(0)
            for thing, readable, writable in found:
                self.service.ready(thing, readable, writable)
            if not self.service.serve_next() and not found:
                return
        raise AssertionError("it goes on for ever")

    def connect(self, **options):
        client = Client(self, self.listener.connect(**options))
        self.turn()
        return client


class Client:
    def __init__(self, place, end):
        self.place = place
        self.end = end
        self._rest = b""

    def lines(self):
        """What has come, each line as an object; also what the service says when it hangs up."""
        data = self._rest + self.end.receive()
        whole, _, self._rest = data.rpartition(b"\n")
        return [json.loads(line) for line in whole.split(b"\n")] if whole else []

    def say(self, data):
        self.end.send(data if isinstance(data, bytes) else json.dumps(data).encode() + b"\n")

    def ask(self, request):
        """One request; its answer."""
        self.lines()
        self.say(request)
        self.place.settle()
        found = self.lines()
        assert len(found) == 1, found
        return found[0]

    @property
    def hung_up(self):
        return self.end.refused


def judge(certificate, purpose="application", number=1):
    data = certificate if isinstance(certificate, bytes) else der(certificate)
    return {"id": number, "do": "judge", "purpose": purpose, "certificate": b2a_base64(data).decode().strip()}


def works(client):
    """The client gets answers."""
    return client.ask({"id": 9, "do": "status"})["ok"] is True


# What it answers


def test_first_line_names_the_versions():
    client = Place().connect()
    first = client.lines()
    assert [sorted(line) for line in first] == [["phonetrust", "protocol"]] and first[0]["protocol"] == 1


def test_status_has_what_is_installed_and_the_id_comes_back():
    client = Place().connect()
    answer = client.ask({"id": "seven", "do": "status"})
    assert answer["id"] == "seven" and answer["ok"] is True
    assert answer["status"]["state"] == "trusted" and answer["status"]["installed"]["itl"]["filename"] == "ITLFile.tlv"
    assert client.ask({"do": "status"})["id"] is None


def test_judge_by_list_by_tvs_and_refused():
    place = Place()
    client = place.connect()
    assert client.ask(judge("tvs.cert.pem", "tvs"))["decision"]["reason"] == "listed-in-itl"
    unreachable = client.ask(judge("tomcat.cert.pem"))["decision"]
    assert (unreachable["outcome"], unreachable["reason"]) == ("refused", "tvs-unreachable")
    tvs = place.world.tvs({"tomcat.cert.pem": APPLICATION, "cucm.cert.pem": (2, 3)})
    place.phone.boot.tvs.set_servers([("127.0.0.1", 2445)])
    found = client.ask(judge("tomcat.cert.pem"))["decision"]
    assert (found["outcome"], found["reason"], found["kind"]) == ("accepted", "vouched-by-tvs", "application")
    assert client.ask(judge("other.cert.pem"))["decision"]["reason"] == "tvs-refused"
    asked = len(tvs.asked)
    assert client.ask(judge(b"no certificate"))["decision"]["reason"] == "malformed"
    assert len(tvs.asked) == asked, "TVS was asked about what is no certificate"


def test_requests_do_not_push_the_phones_own_decisions_out_of_its_status():
    place = Place()
    before = [decision.reason for decision in place.phone.boot.decisions]
    client = place.connect()
    for _ in range(40):
        client.ask(judge("other.cert.pem", "tvs"))
    found = client.ask({"id": 1, "do": "status"})["status"]
    assert [decision["reason"] for decision in found["decisions"]] == before
    assert len(found["requests"]) == HISTORY and found["requests"][-1]["reason"] == "tvs-untrusted"


def test_wrong_requests_get_an_error_and_the_connection_stays():
    client = Place().connect()
    for request, words in (
        ({"id": 1, "do": "dance"}, "'dance' is none of: fetch, judge, status"),
        ({"id": 1, "do": "judge", "purpose": "sip", "certificate": "AA=="}, "purpose must be one of"),
        ({"id": 1, "do": "judge", "purpose": ["tvs"], "certificate": "AA=="}, "purpose must be one of"),
        ({"id": 1, "do": "judge", "purpose": "tvs"}, "certificate must be"),
        ({"id": 1, "do": "judge", "purpose": "tvs", "certificate": ""}, "certificate must be"),
        ({"id": 1, "do": "judge", "purpose": "tvs", "certificate": 7}, "certificate must be"),
        ({"id": 1, "do": "judge", "purpose": "tvs", "certificate": "A"}, "certificate must be"),
        ({"id": 1, "do": "fetch"}, "name must be"),
        ({"id": 1, "do": "fetch", "name": ""}, "name must be"),
        ({"id": 1, "do": "fetch", "name": "a\nb"}, "name must be"),
        ({"id": 1, "do": "fetch", "name": "a\x9bb"}, "name must be"),
        ({"id": 1, "do": "fetch", "name": "a" * 251}, "name must be"),
    ):
        answer = client.ask(request)
        assert answer["ok"] is False and words in answer["error"], (request, answer)
    assert works(client)


def test_a_status_longer_than_what_may_wait_is_given():
    place = Place()
    client = place.connect(room=10 * OUTPUT_LIMIT)
    for _ in range(HISTORY):
        place.phone.boot.record(Decision(False, "bad-signature", "itl", "x" * (OUTPUT_LIMIT // HISTORY) + "."))
    answer = client.ask({"id": 1, "do": "status"})
    assert answer["ok"] and len(json.dumps(answer)) > OUTPUT_LIMIT
    assert works(client)


def test_requests_do_not_end_the_asking_for_absent_servers():
    place = Place()
    boot = place.phone.boot
    place.world.hal.net = None  # nothing is asked before the pause is over
    boot.record(Decision(False, "no-server", "ctl", "Nobody."))
    place.phone._ask_again()
    boot.requests.judge("tvs", b"?")
    place.phone._ask_again()
    assert place.phone._due is not None


# Changes


def test_subscribers_hear_decisions_and_changes_of_trust():
    place = Place()
    client, other = place.connect(), place.connect()
    answer = client.ask({"id": 1, "do": "subscribe"})
    assert answer["ok"] and answer["trust"]["state"] == "trusted" and answer["trust"]["installed"]["ctl"] is None
    assert place.turn() is False and client.lines() == []
    place.world.files["CTLFile.tlv"] = vector("ctl-mixed.tlv")
    place.phone.restart()
    place.settle()
    events = client.lines()
    decided = [event["decision"]["kind"] for event in events if event["event"] == "decision"]
    assert decided[:2] == ["ctl", "itl"]
    changes = [event["trust"] for event in events if event["event"] == "trust"]
    assert len(changes) == 1 and changes[0]["mode"] == "mixed" and changes[0]["installed"]["ctl"]["sha256"]
    place.phone.restart()  # the same lists: nothing has changed
    place.settle()
    assert [event["event"] for event in client.lines() if event["event"] != "decision"] == []
    place.phone.erase("all")
    place.settle()
    changed = client.lines()[-1]
    assert changed["event"] == "trust" and changed["trust"]["state"] == "no-trust"
    assert [line for line in other.lines() if "event" in line] == []


def test_who_unsubscribes_hears_no_more_and_who_comes_later_is_told_what_is():
    place = Place()
    client = place.connect()
    client.ask({"id": 1, "do": "subscribe"})
    assert client.ask({"id": 2, "do": "unsubscribe"})["ok"]
    place.phone.erase("all")
    place.settle()
    assert client.lines() == []
    assert client.ask({"id": 3, "do": "subscribe"})["trust"]["state"] == "no-trust"
    place.settle()
    assert client.lines() == []


# Programs that misbehave


def test_what_is_no_request_ends_that_client_alone():
    place = Place()
    good = place.connect(process=1)
    for data in (
        b"garbage\n",
        b"\n",
        b"\xff\xfe\x00\n",
        b"[1]\n",
        b"1\n",
        b'{"do": 1}\n',
        b'{"do": "status", "id": []}\n',
        b'{"do": "status", "id": 1.5}\n',
        b'{"do": "status", "id": 99999999999999999999}\n',
        b'{"do": "status", "id": "\\u001b[2J"}\n',
        b'{"do": "status", "id": "\\ud800"}\n',
        b"[" * 16000 + b"\n",
        b'{"do":' * 2000 + b"\n",
        b"\0" * 100 + b"\n",
    ):
        bad = place.connect(process=2)
        bad.lines()
        bad.say(data)
        place.settle()
        said = bad.lines()
        assert bad.hung_up and len(said) == 1 and said[0]["ok"] is False and said[0]["error"], data[:20]
    assert works(good)


def test_a_huge_line_ends_that_client_alone():
    place = Place()
    good = place.connect(process=1)
    for data in (b"x" * (LINE_LIMIT + 1), b"x" * 200000, b'{"do": "' + b"s" * LINE_LIMIT + b'"}\n'):
        bad = place.connect(process=2)
        bad.lines()
        bad.say(data)
        place.settle()
        assert bad.hung_up and "at most %d bytes" % LINE_LIMIT in bad.lines()[0]["error"]
    assert works(good)


def test_a_request_of_the_largest_size_is_answered():
    client = Place().connect()
    request = b'{"id": 1, "do": "status", "x": "'
    client.lines()
    client.say(request + b"x" * (LINE_LIMIT - len(request) - 2) + b'"}\n')
    client.place.settle()
    assert client.lines()[0]["ok"] is True and not client.hung_up


def test_a_request_byte_by_byte_and_several_at_once():
    place = Place()
    client = place.connect()
    client.lines()
    for byte in b'{"id": 5, "do": "status"}\n':
        client.say(bytes([byte]))
        place.turn()
    assert [line["id"] for line in client.lines()] == [5]
    client.say(b"".join([b'{"id": %d, "do": "unsubscribe"}\n' % number for number in range(50)]))
    place.settle()
    assert [line["id"] for line in client.lines()] == list(range(50))


def test_who_floods_takes_turns_with_the_others():
    place = Place()
    flood, good = place.connect(process=1), place.connect(process=2)
    flood.lines(), good.lines()
    flood.say(b'{"id": 1, "do": "unsubscribe"}\n' * 500)
    place.turn()
    good.say({"id": 2, "do": "status"})
    place.turn(2)
    assert [line["id"] for line in good.lines()] == [2], "it had to wait for the other's flood"
    assert 0 < len(flood.lines()) <= 4


def test_who_never_reads_is_closed_and_the_others_go_on():
    place = Place()
    good, deaf = place.connect(process=1), place.connect(process=2, room=1000)
    deaf.say(b'{"id": 1, "do": "status"}\n' * 400)
    for _ in range(400):
        place.turn()
        if deaf.hung_up:
            break
    assert deaf.hung_up
    assert works(good)
    waiting = [client for client in place.service._clients if len(client.output) > OUTPUT_LIMIT]
    assert waiting == []


def test_a_subscriber_that_never_reads_is_closed():
    place = Place()
    deaf = place.connect(process=2, room=300)
    deaf.say({"id": 1, "do": "subscribe"})
    place.settle()
    good = place.connect(process=1)
    for _ in range(1000):
        place.phone.boot.requests.judge("tvs", b"?")
        if deaf.hung_up:
            break
    assert deaf.hung_up and works(good)


def test_who_goes_away_in_the_middle_of_a_request_is_forgotten():
    place = Place()
    good = place.connect(process=1)
    for data in (b"", b'{"do": "sta', b'{"id": 1, "do": "status"}\n', b'{"id": 1, "do": "status"}\n{"id":'):
        gone = place.connect(process=2)
        gone.say(data)
        gone.end.close()
        place.settle()
        assert gone.hung_up
    assert works(good) and len(place.service._clients) == 1


def test_a_hundred_connections_of_one_program_leave_room_for_others():
    place = Place()
    greedy = [place.connect(process=2) for _ in range(100)]
    refused = [client for client in greedy if client.hung_up]
    assert len(refused) == 100 - PROGRAM_LIMIT
    assert "one program may have %d connections" % PROGRAM_LIMIT in refused[0].lines()[0]["error"]
    good = place.connect(process=1)
    assert works(good) and works(greedy[0])
    greedy[0].end.close()
    place.settle()
    assert works(place.connect(process=2)), "a connection that ended counts no more"


def test_no_more_than_so_many_clients_in_all():
    place = Place()
    clients = [place.connect(process=number) for number in range(CLIENTS_LIMIT + 1)]
    assert [client.hung_up for client in clients] == [False] * CLIENTS_LIMIT + [True]
    assert "there are 16 clients already" in clients[-1].lines()[0]["error"]
    assert works(clients[0])


def test_a_listener_that_fails_once_goes_on():
    place = Place()

    class Failing:
        def __init__(self, listener):
            self.accept_again = listener.accept

        def __call__(self):
            place.listener.accept = self.accept_again
            raise OSError(103)

    place.listener.accept = Failing(place.listener)
    client = place.connect()
    place.settle()
    assert works(client)


def test_close_ends_every_client():
    place = Place()
    client = place.connect()
    place.service.close()
    assert client.hung_up and place.listener.closed
