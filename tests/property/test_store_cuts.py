# SPDX-License-Identifier: MIT
"""The store over whole lives: saves and erases, with losses of power anywhere and in any manner, again and again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import TrustLost
from agent.flash.slot import PAYLOAD_OFFSET, SECTIONS
from agent.flash.store import Store
from hal.fake.flash import FakeFlash, PowerLost
from hal.host import crypto

SIZE = 2 * (PAYLOAD_OFFSET + 12288)

changes = st.dictionaries(
    st.sampled_from(sorted(SECTIONS)),
    st.none() | st.binary(max_size=40) | st.integers(0, 3000).map(lambda size: b"\xa5" * size),
    max_size=4,
)
cuts = st.fixed_dictionaries(
    {
        "lose_power_at": st.integers(1, 16),
        "torn": st.floats(0, 1),
        "survivors": st.none() | st.integers(0, 0xFFFF),
    }
)
steps = st.lists(st.tuples(st.none() | changes, st.none() | cuts), min_size=1, max_size=8)


def content(stored):
    return None if stored is None else {name: bytes(stored.read(name)) for name in stored.names()}


def after(state, change):
    """The state after a save of `change` (None: an erase). A state without sections is None."""
    if change is None:
        return None
    new = {**(state or {}), **change}
    return {name: value for name, value in new.items() if value is not None} or None


@given(steps, st.sampled_from([b"\0", b"\xff"]))
@settings(max_examples=300)
def test_whatever_is_cut_the_phone_is_in_the_old_or_the_new_state(life, blank):
    image, state = blank * SIZE, None
    for change, cut in life:
        flash = FakeFlash(content=image, **(cut or {}))
        store = Store(flash, crypto())
        try:
            assert content(store.load()) == state
            if change is None:
                store.erase()
            else:
                store.save(change)
            allowed = [after(state, change)]
        except PowerLost:
            allowed = [state, after(state, change)]
            flash = flash.after_power_loss()
        image = bytes(flash.data)
        state = content(Store(FakeFlash(content=image), crypto()).load())
        assert state in allowed


@given(
    st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(1, 5000), st.sampled_from([0, 0xFF, 0x5A])), max_size=4)
)
def test_damage_never_makes_a_new_phone_or_a_state_that_never_was(damage):
    flash = FakeFlash(SIZE)
    store = Store(flash, crypto())
    store.load()
    states = [content(store.save({"itl": number * 700})) for number in (b"1", b"2", b"3")]
    for start, length, fill in damage:
        length = min(length, SIZE - start)
        flash.data[start : start + length] = bytes([fill]) * length
    try:
        assert content(Store(flash, crypto()).load()) in states[1:]
    except TrustLost:
        assert damage
