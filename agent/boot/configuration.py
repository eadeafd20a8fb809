# SPDX-License-Identifier: MIT
"""The step of a boot that gets the phone's configuration: signed, encrypted or plain (docs/spec/rules.md, B5).

The step goes like this:
- with trust it asks for `SEP<MAC>.cnf.xml.sgn`, without trust for `SEP<MAC>.cnf.xml`. If the server does not have that file,
  it asks for the default file;
- a signed file may say that it is not the full configuration and that the full one is encrypted. Then the step asks for
  `.enc.sgn` (X3);
- the phone judges the signature of that file first (X1), then decrypts it in place with the LSC's key or the MIC's key. The
  digest of the plaintext tells which key fits. certHash, by which a cluster names the certificate that it encrypted to
  (an MD5 [seen in independent files]), is not needed;
- when the configuration is known, the phone asks CAPF. If that changes the phone's certificate, the cluster has another
  file for the phone, and the step fetches it at once (C15);
- after a refusal the phone keeps the configuration that it has (B8).
"""

from agent.boot import outcomes
from agent.errors import Malformed
from agent.fetch.errors import FetchError, NotFound
from agent.fetch.fetcher import HTTPS
from agent.flash.buffers import BufferSink
from agent.formats.phoneconfig import PhoneConfig

_OPENS_NOT = ("cannot-decrypt", "no-certificate")


class WebServer:
    """Judges the HTTPS server that hands out the configuration, before the phone sends it a request. decision: the Decision
    about the last server, or None."""

    def __init__(self, judge, history):
        self._judge = judge
        self._history = history
        self.decision = None

    async def accept(self, certificate):
        """Whether the server with this certificate (DER) may hand out the configuration."""
        self.decision = None
        self.decision = self._history.record(await self._judge.server("configuration", certificate))
        return self.decision.accepted


class ConfigurationStep:
    """Gets the configuration, and lets the phone enrol in between.

    settings: `device` and `configuration_limit` (bytes) are used. crypto: the HAL's. web_server: WebServer. enrolment:
    agent.boot.enrolment.Enrolment. log(line): called with what happens. The attribute `accepted` is (Decision, PhoneConfig)
    of the configuration that the last run accepted, or None."""

    def __init__(self, settings, crypto, fetcher, judge, web_server, keeper, enrolment, history, log):
        self.name = "%s.cnf.xml" % settings.device
        self._limit = settings.configuration_limit
        self._crypto = crypto
        self._fetcher = fetcher
        self._judge = judge
        self._web_server = web_server
        self._keeper = keeper
        self._enrolment = enrolment
        self._history = history
        self._log = log
        self.accepted = None

    @property
    def good(self):
        """Whether the last enrolment went well; also True if there was none."""
        return self._enrolment.good

    async def run(self, deadline):
        """Fetch the configuration, enrol if the cluster wants it, and fetch the configuration again if the phone's certificate
        changed. deadline: ms of the clock, for the enrolment. Returns a Decision, which is recorded."""
        decision, configuration = await self._fetch()
        if configuration is None:
            return self._history.record(decision)
        self._enrolment.take(configuration)
        # CAPF may give the phone the right certificate, so a file that no key opens is not refused yet.
        waits = decision.reason in _OPENS_NOT and self._enrolment.wanted
        if waits:
            self._log("no certificate of this phone opens its configuration; CAPF is asked first")
        else:
            self._history.record(decision)
        if await self._enrolment.step(deadline):
            return await self.fetch_again()
        return self._history.record(decision) if waits else decision

    async def fetch_again(self):
        """Fetch the configuration without asking CAPF, because the phone's certificate has changed. Returns a Decision, which
        is recorded."""
        decision, configuration = await self._fetch()
        if configuration is not None:
            self._enrolment.take(configuration)
        return self._history.record(decision)

    async def _fetch(self):
        """(Decision, PhoneConfig of the last document that was believed, or None)."""
        self.accepted = None
        found = await self._signed_or_plain(self.name)
        if found is None:
            decision = self._judge.trust.decide_autoregistration("XMLDefault.cnf.xml")
            if not decision.accepted:
                return decision, None
            self._log(decision.text)
            found = await self._signed_or_plain("XMLDefault.cnf.xml")
        return found or (outcomes.no_configuration(self.name), None)

    async def _signed_or_plain(self, name):
        """Get one configuration, signed if trust is installed, else unsigned. Returns what _fetch does, or None if the server
        has no such file."""
        buffer = self._keeper.take()
        try:
            if self._judge.trust.has_trust:
                found = await self._one(name + ".sgn", buffer)
                if found is not None:
                    return found
            # If the cluster signs files, this ends in a refusal, which says that the server offers an unsigned file.
            return await self._one(name, buffer)
        finally:
            self._keeper.give()

    async def _one(self, name, buffer):
        """Fetch, judge and read one file, and the encrypted file if the first one sends the phone there. Returns what
        _signed_or_plain does."""
        decision, data = await self._get(name, buffer)
        if decision is None:
            return None
        if not decision.accepted:
            return decision, None
        decision, configuration = self._read(name, buffer, len(data), decision)
        if configuration is None:
            return decision, None
        if configuration.encrypted and not configuration.full:
            self._history.record(decision)
            del data  # the encrypted file will be in the same buffer
            return await self._encrypted(name, buffer), configuration
        return self._keep(name, data[decision.body :], configuration, decision), configuration

    async def _get(self, name, buffer):
        """(Decision about the file, its bytes in `buffer`). The Decision is None if no server has the file."""
        sink = BufferSink(buffer)
        decision = None

        async def judge(way, server):
            nonlocal decision
            previous = self._previous(name)
            if way == HTTPS:
                decision = await self._judge.body(name, sink.data, self._web_server.decision, self._limit, previous)
            else:
                decision = await self._judge.file(name, sink.data, self._limit, previous)
            return decision.accepted

        try:
            secure = self._judge.trust.configuration_by_https
            await self._fetcher.fetch(name, sink, self._limit, secure=secure, judge=judge)
        except NotFound:
            return None, None
        except FetchError as failure:
            return outcomes.failed(name, failure), None
        return decision, sink.data

    def _previous(self, name):
        """TIMESTAMP of the last verified configuration of this name, or None."""
        kept = self._keeper.configuration
        return kept.timestamp if kept is not None and kept.name == name else None

    def _read(self, name, buffer, end, decision):
        """Read the content, which ends at the offset `end` of the buffer. Returns (decision with the notes, PhoneConfig), or
        (refusal, None)."""
        try:
            configuration = PhoneConfig(buffer, decision.body, end)
        except Malformed as error:
            return outcomes.bad_configuration(name, error, decision.evidence), None
        decision.warnings += configuration.notes
        return decision, configuration

    async def _encrypted(self, name, buffer):
        """Fetch and decrypt the encrypted file to which the small document `name` sends the phone. Returns a Decision."""
        from agent.formats.encrypted import decrypt
        from agent.formats.header import Header

        name = (name[:-4] if name.endswith(".sgn") else name) + ".enc.sgn"
        keys = self._keeper.identity.private_keys()
        if not keys:
            return outcomes.no_key(name)
        decision, data = await self._get(name, buffer)
        if decision is None:
            return outcomes.no_encrypted(name)
        if not decision.accepted:
            return decision
        body = data[decision.body :]
        try:
            header = Header(data)
            if header.encryption is None:
                raise Malformed("it has no encryption tags in its header", None, None)
            length = None
            for key in keys:
                length = length if length is not None else decrypt(self._crypto, key, header, body)
        except Malformed as error:
            return outcomes.bad_configuration(name, error, decision.evidence)
        if length is None:
            return outcomes.cannot_decrypt(name, decision.evidence)
        decision, configuration = self._read(name, buffer, decision.body + length, decision)
        if configuration is None:
            return decision
        return self._keep(name, body[:length], configuration, decision)

    def _keep(self, name, body, configuration, decision):
        """Store an accepted configuration, unless it is stored already. Returns `decision`, or a refusal if that fails."""
        try:
            timestamp = decision.evidence.get("timestamp")
            self._keeper.keep_configuration(name, body, configuration.tvs, timestamp)
        except outcomes.KEEPING_FAILS as error:
            return outcomes.not_kept(name, error, self._judge, decision.evidence)
        self._judge.configure(configuration.tvs)
        self.accepted = decision, configuration
        return decision
