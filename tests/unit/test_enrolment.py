# SPDX-License-Identifier: MIT
"""When the phone asks CAPF, what it does with the answers, and what a loss of power leaves."""

from agent.boot import outcomes
from agent.flash.store import Store
from agent.trust.wording import steps
from hal.fake import FakeFlash, PowerLost
from tests.helpers.agent.both import raises, vector
from tests.helpers.agent.enrolling import (
    CAPF_HOST,
    CAPF_PORT,
    ENCRYPTED,
    OWN,
    SIGNED,
    configuration,
    encrypted_vector,
    enrolling,
    itl,
    new_pair,
    signed,
)
from tests.helpers.agent.phone_world import World, own_pair

HEAP = "8m"  # for the copies of flash that some tests keep
LISTS = ["ctl not-found", "itl not-found"]
TAKEN = SIGNED + " signed-by-itl"


def wait(world, duration):
    """The clock goes on for so many ms."""
    world.hal.clock.now += duration


def rest(world):
    """What was decided after the lists."""
    assert world.reasons()[:2] == LISTS
    return world.reasons()[2:]


def test_a_new_phone_enrols_and_shows_its_certificate():
    world, server = enrolling(configuration(mode=2))
    assert world.boot() is True
    assert rest(world) == [TAKEN, "capf listed-in-itl", "lsc installed", TAKEN]
    lsc = world.identity.lsc
    assert lsc[0] == server.issued[0] and server.identity is None
    assert world.phone.tvs.identity == lsc
    assert world.phone.view.status()["lsc"]["key"] == "ec 256"
    assert world.restart() is True
    assert rest(world) == [TAKEN, "capf listed-in-itl", "lsc no-action"]
    assert server.identity == lsc == world.identity.lsc == world.phone.tvs.identity


def test_which_modes_ask_capf():
    for mode, sessions in ((None, 0), (0, 0), (1, 0), (2, 1), (3, 1), (4, 1)):
        world, server = enrolling(configuration(mode=mode), does=None, mic=own_pair())
        assert world.boot() is True
        assert server.sessions == sessions, mode
        assert rest(world)[:1] == [TAKEN]


def test_a_phone_without_trust_asks_no_capf_server():
    world, server = enrolling(b"", does=None)
    world.store.erase()
    world.files.clear()
    world.files[OWN] = configuration(mode=2)
    assert world.boot() is True
    assert server.sessions == 0 and rest(world) == [OWN + " no-trust-list"]
    world.update_lsc()
    assert world.reasons()[-1] == "lsc !no-trust-list" and server.sessions == 0


def test_a_server_that_is_not_the_clusters_is_told_nothing():
    world, server = enrolling(configuration(mode=2), believed="other.cert.pem")
    assert world.boot() is False
    assert rest(world) == [TAKEN, "capf !unknown-signer", "lsc !untrusted"]
    assert server.heard == [] and world.identity.lsc is None


def test_the_encrypted_configuration_after_the_enrolment_in_one_boot():
    pointer = configuration(mode=2, encrypted=True, full=False)
    world, server = enrolling(pointer)
    # The cluster encrypts to the new certificate; that its key is the vector's is all that is arranged here.
    server.on_issue = lambda certificate: world.files.update({ENCRYPTED: encrypted_vector()})
    keep = world.identity.keep
    world.identity.keep = lambda certificate, key: keep(*own_pair())
    assert world.boot() is True
    assert rest(world) == [TAKEN, "capf listed-in-itl", "lsc installed", TAKEN, ENCRYPTED + " signed-by-itl"]
    assert world.stored()[2:] == (ENCRYPTED.encode(), vector(OWN))


def test_a_signed_configuration_is_replaced_by_the_encrypted_one_in_the_same_boot():
    world, server = enrolling(configuration(mode=2))
    pointer = signed(SIGNED, configuration(mode=2, encrypted=True, full=False))
    server.on_issue = lambda certificate: world.files.update({SIGNED: pointer, ENCRYPTED: encrypted_vector()})
    keep = world.identity.keep
    world.identity.keep = lambda certificate, key: keep(*own_pair())
    assert world.boot() is True
    assert rest(world)[2:] == ["lsc installed", TAKEN, ENCRYPTED + " signed-by-itl"]
    assert server.sessions == 1


def test_an_enrolment_that_fails_leaves_the_reason_why_it_cannot_read():
    world, server = enrolling(configuration(mode=2, encrypted=True, full=False))
    server.ends = (9, ())
    assert world.boot() is False
    assert rest(world) == [
        TAKEN,
        "capf listed-in-itl",
        "capf listed-in-itl",
        "lsc !unknown-device",
        ENCRYPTED + " !no-certificate",
    ]
    found = world.phone.view.status()
    assert found["locked_out"] and "no certificate of its own" in found["advice"]


def test_deletion_and_fetch():
    world, server = enrolling(configuration(mode=3), does="fetch", mic=own_pair())
    world.identity.keep(*new_pair())
    assert world.boot() is True and world.reasons()[-1] == "lsc fetched"
    server.does = "delete"
    assert world.restart() is True
    assert rest(world) == [TAKEN, "capf listed-in-itl", "lsc deleted", TAKEN]
    assert world.identity.lsc is None and world.phone.tvs.identity == own_pair()
    stored = Store(world.hal.flash, world.hal.crypto).load()
    assert stored.length("lsc") is None and stored.length("lsc-key") is None and stored.length("itl")
    server.does = "delete"
    assert world.restart() is True and world.reasons()[-1] == "lsc no-certificate"


def test_erasing_everything_takes_the_certificate_and_erasing_the_itl_does_not():
    world, _ = enrolling(configuration(mode=2))
    assert world.boot()
    lsc = world.identity.lsc
    world.erase("itl")
    assert world.identity.lsc == lsc == world.phone.tvs.identity
    world.erase("all")
    assert world.identity.lsc is None is world.phone.tvs.identity


# By a string that a person types


def test_by_string():
    world, server = enrolling(configuration(mode=1))
    server.string = "4711"
    assert world.boot() is True
    assert server.sessions == 0 and world.phone.enrolment.wants_string
    world.update_lsc("4712")
    assert world.reasons()[-1] == "lsc !wrong-string" and world.identity.lsc is None
    assert "update lsc STRING" in world.reported[-1].text
    world.update_lsc()
    assert world.reasons()[-1] == "lsc !string-needed"
    world.update_lsc("4711")
    assert world.reasons()[-3:] == ["capf listed-in-itl", "lsc installed", TAKEN]


def test_update_needs_a_capf_and_trust_that_is_whole():
    world, _ = enrolling(configuration())
    assert world.boot()
    world.update_lsc()
    assert world.reasons()[-1] == "lsc !no-capf"
    world, server = enrolling(configuration(mode=2), does=None)
    assert world.boot()
    world.phone.judge.lose()
    world.update_lsc("1")
    assert world.reasons()[-1] == "lsc !trust-lost" and server.sessions == 1


# Again, later


def test_retry_later_is_done_later_and_not_for_ever():
    world, server = enrolling(configuration(mode=2))
    server.ends = (0, ((12, b"\0\x3c"),))
    assert world.boot() is False
    assert world.reasons()[-1] == "lsc !retry-later" and "in 60 s" in world.reported[-1].text
    for _ in range(5):
        assert not world.phone.enrolment.due()
        wait(world, 59999)
        assert not world.phone.enrolment.due()
        wait(world, 1)
        assert world.phone.enrolment.due() and not world.phone.enrolment.due(), "once"
        world.fetch_configuration()
    wait(world, 100 * 3600000)
    assert not world.phone.enrolment.due() and server.sessions == 6
    server.ends = None
    assert world.boot() is True and world.identity.lsc is not None


def test_a_server_that_is_away_is_asked_again_after_longer_and_longer():
    world, server = enrolling(configuration(mode=2))
    world.hal.net.serve_tcp(CAPF_HOST, CAPF_PORT, None)
    assert world.boot() is False and world.reasons()[-1] == "lsc !unreachable"
    for pause in (60000, 120000, 240000):
        wait(world, pause - 1)
        assert not world.phone.enrolment.due()
        wait(world, 1)
        assert world.phone.enrolment.due()
        world.fetch_configuration()


def test_a_server_may_not_put_the_phone_off_for_a_year():
    world, server = enrolling(configuration(mode=2))
    server.ends = (0, ((12, b"\xff\xff\xff\xff"),))
    world.boot()
    wait(world, 3600000)
    assert world.phone.enrolment.due()


def test_a_silent_server_does_not_hold_the_boot():
    world, server = enrolling(configuration(mode=2), capf_timeout=2000)
    server.silent_after = (2,)
    before = world.hal.clock.monotonic()
    assert world.boot() is False and world.reasons()[-1] == "lsc !interrupted"
    assert world.hal.clock.monotonic() - before < 10000


# Flash


def cut_at_each_write(does, before, torn):
    """Boots with a CAPF that `does` this, the power lost at write 1, 2, 3 ... until none is lost: what each left, as
    (whether the boot ended, the LSC's pair or None). before: the pair it began with."""
    world, server = enrolling(configuration(mode=2), does=None)
    if before is not None:
        world.identity.keep(*before)
    assert world.boot()
    start = bytes(world.hal.flash.data)
    found = []
    while not found or not found[-1][0]:
        flash = FakeFlash(content=start, lose_power_at=len(found) + 1, torn=torn)
        world, server = enrolling(configuration(mode=2), does, flash=flash)
        try:
            world.boot()
            ended = True
        except PowerLost:
            ended = False
        left = flash.after_power_loss()
        stored = World({}, left).store.load()
        parts = [stored.read(name) for name in ("lsc", "lsc-key", "itl")]
        assert (parts[0] is None) == (parts[1] is None), "a certificate without its key, or the other way round"
        assert bytes(parts[2]) == itl()
        after = World({}, left)
        after.load()
        assert not after.trust.lost and (after.identity.lsc is None) == (parts[0] is None), "a pair that fits"
        found.append((ended, after.identity.lsc))
    return found


def test_power_lost_at_each_write_of_an_enrolment_leaves_both_or_neither():
    for torn in (False, True):
        found = cut_at_each_write("install", None, torn)
        assert found[-1][1] is not None and found[0] == (False, None)
        assert len(found) > 2


def test_power_lost_at_each_write_of_an_update_leaves_the_old_or_the_new_pair():
    old = new_pair()
    found = cut_at_each_write("install", old, True)
    was_old = [pair == old for _, pair in found]
    assert was_old == [True] * sum(was_old) + [False] * (len(found) - sum(was_old)), "never back to the old pair"
    assert 0 < sum(was_old) < len(found)
    assert None not in [pair for _, pair in found]


def test_power_lost_at_each_write_of_a_deletion_leaves_both_or_neither():
    old = new_pair()
    found = cut_at_each_write("delete", old, True)
    had = [pair for _, pair in found].count(old)
    assert 0 < had < len(found)
    assert [pair for _, pair in found] == [old] * had + [None] * (len(found) - had)


def test_a_flash_that_fails_keeps_the_old_certificate():
    world, server = enrolling(configuration(mode=2), does=None)
    old = new_pair()
    world.identity.keep(*old)
    assert world.boot()
    server.does = "install"

    def fail(changes):
        raise OSError(5)

    world.store.save = fail
    assert world.boot() is False
    assert world.reasons()[-1] == "lsc !not-stored"
    assert world.identity.lsc == old == world.phone.tvs.identity
    assert 10 not in server.heard, "the server is not told that it was stored"


def test_every_outcome_has_its_words():
    for outcome in steps._ENROLMENTS:
        found = outcomes.enrolment(("h", 1), outcome, "CAPF h:1: it said so")
        assert found.reason == outcome and found.text[-1] == "." and ".." not in found.text
        assert outcomes.enrolment(None, outcome, "x").evidence == {}
    raises(KeyError, outcomes.enrolment, None, "else")
