# SPDX-License-Identifier: MIT
"""After the boot, this step updates the phone's own software (docs/spec/loads.md). agent/trust/loads.py has the rules.

    the boot loader says how it started   trial: confirm; refused, unconfirmed, fallback: say that the load was rolled back
    the configuration names another load  fetch it to the other slot, verify it, read it back, verify that, look inside
    the load is on the card               store its name, tell the boot loader to try it, restart

Nothing that runs or is trusted changes before the whole load is on the card and was verified from there (W12). Power may
fail at any write: the boot loader ignores the other slot until it is told to try it, as long as this slot is whole."""

from agent.boot import outcomes
from agent.errors import Refused
from agent.fetch.errors import FetchError
from agent.flash import loadslot
from agent.flash.bootstate import BootState, other
from agent.formats.signedfile import SignedFileSink
from agent.settings import server
from agent.trust import loads as rules
from agent.trust.decision import Decision
from agent.trust.wording import loads as wording

#: ms that one load may take to arrive, whatever servers do
LOAD_TIME = 900000
#: Bytes between two lines of the log about the progress.
STEP = 2 << 20
#: The phone begins to write at most WRITES loads without a PAUSE (ms of running) before the next one. Servers that name two
#: loads in turn, or hand out a damaged load, would otherwise cost a whole slot each time. The count survives a restart.
WRITES, PAUSE = 8, 3600000
#: Reasons of a boot that reached no server. A load with a broken network would end its boots so, so they do not confirm it.
_NO_VERDICT = ("no-server", "out-of-time")


class LoadStep:
    """Confirms the load that runs, and installs the load that the configuration names.

    part: hal.loads of a phone that can replace its software. software: agent.trust.loads.Software. configuration:
    agent.boot.configuration.ConfigurationStep. fetcher(servers) returns a Fetcher for these servers, or for the phone's own
    servers if None. serving(): whether the service for other programs answers. restart: async; restart(name) restarts the
    phone and does not return. The attribute `wanted` is the name of the load that the last configuration named, or None."""

    def __init__(
        self, part, software, crypto, configuration, judge, keeper, fetcher, serving, history, clock, log, restart
    ):
        self.part = part
        self.software = software
        self.wanted = None
        self._crypto = crypto
        self._rules = rules.LoadRules(crypto, software)
        self._state = BootState(part.environment)
        self._configuration = configuration
        self._judge = judge
        self._keeper = keeper
        self._fetcher = fetcher
        self._serving = serving
        self._history = history
        self._clock = clock
        self._log = log
        self._restart = restart
        self._last_write = clock.monotonic()  # ms at which the last load was written, or at which the agent started
        self._started = part.boot  # what the boot loader said; None once the phone has acted on it

    @property
    def failed(self):
        """The name of the load that failed its trial last, or None."""
        return self._keeper.load_name("failed")

    @property
    def on_trial(self):
        """Whether the running load has not been confirmed yet."""
        return self._started == "trial"

    async def run(self):
        """Act on what the boot loader said, then take or refuse the load that the configuration names. A load that this phone
        runs already is left alone."""
        if not self._judge.trust.lost:
            try:
                self._answer_boot_loader()
            except outcomes.KEEPING_FAILS as error:
                self._history.record(outcomes.not_kept(rules.KIND, error, self._judge, {}))
        if self._configuration.accepted is not None and not self.on_trial:
            await self._take(*self._configuration.accepted)

    def retry(self):
        """A load that failed its trial may be tried again, because a person wants it. Returns False if no load has failed, or
        if that could not be stored."""
        if self.failed is None:
            return False
        try:
            self._keeper.keep_load_names(self._keeper.load_name("trial"), None)
        except outcomes.KEEPING_FAILS as error:
            self._history.record(outcomes.not_kept(rules.KIND, error, self._judge, {}))
            return False
        return True

    # What the boot loader said

    def _answer_boot_loader(self):
        part, keeper = self.part, self._keeper
        if self._started == "trial":
            last = self._history.decisions[-1] if self._history.decisions else None
            if last is None or last.reason in _NO_VERDICT or not self._serving():
                self._log("this load is on trial: it stays once a server has answered it")
                return
            self._state.confirm(part.running)
            part.confirmed()
            self._started = None
            keeper.keep_load_names(None, keeper.load_name("failed"))
            self._history.record(rules.confirmed(self.software.name, part.running))
        elif self._started in ("refused", "unconfirmed", "fallback"):
            why, name = self._started, None
            if why != "fallback":
                # The name is stored before the boot loader's words are removed. If power fails in between, the phone says
                # it once more.
                name = keeper.load_name("trial") or keeper.load_name("failed")
                keeper.keep_load_names(None, name)
            self._history.record(rules.rolled_back(why, name, self.software.name))
            self._state.confirm(part.running)
            self._started = None

    # What the configuration names

    async def _take(self, decision, configuration):
        name = self.wanted = configuration.load
        if not name:
            return
        failed = self.failed
        if failed is not None and failed != name:
            try:
                self._keeper.keep_load_names(self._keeper.load_name("trial"), None)  # W10: another load is named now
            except outcomes.KEEPING_FAILS as error:
                self._history.record(outcomes.not_kept(rules.KIND, error, self._judge, {}))
                return
        if name == self.software.name:
            return
        refusal = self._rules.by_name(name, decision, self._judge.trust.has_trust, failed)
        if refusal is None:
            refusal = await self._install(name, configuration.load_server)
        if refusal is not None:
            self._history.record(refusal)

    async def _install(self, name, load_server):
        """Fetch and verify the load, and restart into it. Returns only if the load is refused: the Decision."""
        try:
            fetcher = self._fetcher([server(load_server)] if load_server else None)
        except ValueError as error:
            return Decision(False, "bad-name", rules.KIND, "The configuration's loadServer: %s." % error)
        slot_name = other(self.part.running)
        slot = self.part.slots[slot_name]
        refusal = self._too_often(name)
        if refusal is not None:
            return refusal
        self._log("fetching the load %s to slot %s" % (name, slot_name))
        body = _Gate(self._rules, name, loadslot.SlotWriter(slot, self._progress(name)), self._count_write)
        sink = body.sink = SignedFileSink(self._crypto, slot.size, body)
        try:
            pieces = loadslot.Pieces(sink)
            await fetcher.fetch(name + ".sgn", pieces, slot.size, self._clock.monotonic() + LOAD_TIME)
            pieces.finish()
            signed = sink.finish()
            refusal = self._rules.by_signature(name, signed)
            if refusal is not None:
                return refusal
            body.writer.finish()
            signed = await self._read_back(sink.header_bytes(), slot, body.writer.size)
            if self._rules.by_signature(name, signed) is not None:
                return self._not_written(name, "at some place of its %d bytes" % body.writer.size)
            refusal = self._rules.by_image(name, loadslot.reader(slot), body.writer.size)
            if refusal is not None:
                return refusal
            self._keeper.keep_load_names(name, None)
            self._state.start_trial(self.part.running)
        except _Stop as stop:
            return stop.decision
        except FetchError as failure:
            return outcomes.failed(rules.KIND, failure)
        except Refused as refused:
            return outcomes.refused(name + ".sgn", refused)
        except outcomes.KEEPING_FAILS as error:
            if isinstance(error, OSError):
                return Decision(False, "not-stored", rules.KIND, wording.not_written(name, error), {"load": name})
            return outcomes.not_kept(rules.KIND, error, self._judge, {})
        finally:
            sink.close()
        self._history.record(self._rules.installed(name, signed, slot_name))
        await self._restart(name)

    def _too_often(self, name):
        """A Decision that refuses if WRITES loads were written without a pause, else None."""
        wait = self._last_write + PAUSE - self._clock.monotonic()
        if wait <= 0 or self._keeper.load_writes() < WRITES:
            return None
        return Decision(False, "too-many-writes", rules.KIND, wording.too_often(name, WRITES, wait), {"load": name})

    def _count_write(self, name):
        """Count a load that is about to be written to the other slot. Raises _Stop, and the errors of
        Keeper.keep_load_names."""
        refusal = self._too_often(name)
        if refusal is not None:
            raise _Stop(refusal)
        now = self._clock.monotonic()
        count = 0 if now - self._last_write >= PAUSE else self._keeper.load_writes()
        self._keeper.keep_load_writes(count + 1)
        self._last_write = now
        if self._state.words().get("upgrade_available") == "1":
            self._state.confirm(self.part.running)  # an earlier trial never came about, and its load is overwritten now

    async def _read_back(self, header, slot, size):
        """Read the body from the card, and return the SignedFile that it makes with the header (bytes)."""
        self._log("reading the load back from the card")
        sink = SignedFileSink(self._crypto, slot.size)
        try:
            sink.write(header)
            piece = bytearray(loadslot.PIECE)
            for offset in range(0, size, loadslot.PIECE):
                view = memoryview(piece)[: min(loadslot.PIECE, size - offset)]
                slot.read_into(offset, view)
                sink.write(view)
                await self._clock.sleep(0)  # lets other tasks run
            return sink.finish()
        finally:
            sink.close()

    def _not_written(self, name, where):
        return Decision(False, "not-stored", rules.KIND, wording.not_readable(name, where), {"load": name})

    def _progress(self, name):
        said = [0]

        def hear(size):
            if size - said[0] >= STEP or size < said[0]:
                said[0] = size
                self._log("%s: %d.%d MiB are here" % (name, size >> 20, (size >> 10 & 1023) * 10 >> 10))

        return hear


class _Stop(Exception):
    """Ends a transfer early. decision: the refusal."""

    def __init__(self, decision):
        self.decision = decision


class _Gate:
    """Passes the body of a load to `writer` after the rules have allowed its header, so that other files are never written to
    the slot. sink: the SignedFileSink that has the header. begun(name): called before the first byte is written."""

    def __init__(self, load_rules, name, writer, begun):
        self._rules = load_rules
        self._name = name
        self.writer = writer
        self._begun = begun
        self.sink = None

    def begin(self, size):
        """The header is complete, and the body begins. Raises _Stop, and what begun() and the writer raise."""
        refusal = self._rules.by_header(self._name, self.sink.header)
        if refusal is not None:
            raise _Stop(refusal)
        self._begun(self._name)
        self.writer.begin(size)

    def write(self, block):
        """The next bytes of the body."""
        self.writer.write(block)
