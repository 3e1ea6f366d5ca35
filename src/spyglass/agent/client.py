"""Pushes bodies to one Loki: retries while it is away, gives up only on what it refuses for good."""

import logging
import random
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from spyglass import __version__
from spyglass.agent.metrics import AgentMetrics
from spyglass.agent.positions import Parcel
from spyglass.config.promtail import ClientConfig
from spyglass.protocols.clock import Clock

log = logging.getLogger(__name__)

ANSWER_SHOWN = 1024
"""Characters of a refusal's text that go to the log."""

SessionFactory = Callable[[], aiohttp.ClientSession]


class PushClient:
    """One entry of `clients`. `failing` says why the last attempt failed, "" after a success."""

    def __init__(
        self, name: str, config: ClientConfig, url: str, *, folder: Path, clock: Clock, metrics: AgentMetrics
    ) -> None:
        self.name, self.config, self.url = name, config, url
        self.failing = ""
        self._folder, self._clock, self._metrics = folder, clock, metrics
        self._host = urlsplit(url).netloc
        self._tls: ssl.SSLContext | bool = _tls(config, folder)
        self._random = random.Random()

    async def push(
        self, session: aiohttp.ClientSession, parcel: Parcel, *, may_give_up: Callable[[], bool] = lambda: False
    ) -> bool:
        """Deliver one parcel. Tries until it is taken or refused; with `may_give_up` true, only max_retries times.

        Returns: whether it was taken. A refusal (4xx other than 429) is logged and counted, as upstream does.
        """
        self._metrics.encoded_bytes.inc(self._host, by=len(parcel.body))
        retries = 0
        while True:
            status, text = await self._attempt(session, parcel)
            if status // 100 == 2:
                self.failing = ""
                self._metrics.sent_bytes.inc(self._host, by=len(parcel.body))
                self._metrics.sent_entries.inc(self._host, by=parcel.entries)
                return True
            self.failing = f"{status} {text}".strip() if status else text
            reason = self._final(status)
            if not reason and may_give_up() and retries >= self.config.backoff_config.max_retries:
                reason = "ingester_error"
            if reason:
                self._drop(parcel, reason)
                return False
            retries += 1
            self._metrics.batch_retries.inc(self._host, parcel.tenant)
            if retries == 1:
                log.warning("cannot send to %s, trying again: %s", self.url, self.failing)
            await self._clock.sleep(self._pause_s(retries))

    def _final(self, status: int) -> str:
        """Why a status is the last word; "" where the same body may be sent again."""
        if status == 429:
            return "rate_limited" if self.config.drop_rate_limited_batches else ""
        return "ingester_error" if 400 <= status < 500 else ""

    def _drop(self, parcel: Parcel, reason: str) -> None:
        log.error(
            "%d lines dropped (%s): %s answered: %s", parcel.entries, reason, self.url, self.failing[:ANSWER_SHOWN]
        )
        self._metrics.dropped_entries.inc(self._host, parcel.tenant, reason, by=parcel.entries)
        self._metrics.dropped_bytes.inc(self._host, parcel.tenant, reason, by=parcel.size)

    def _pause_s(self, retries: int) -> float:
        """Exponential, with jitter so that agents do not come back all at once."""
        backoff = self.config.backoff_config
        longest = min(backoff.min_period * 2 ** min(retries, 40), backoff.max_period)
        return self._random.uniform(min(backoff.min_period, longest), longest) / 1e9

    async def _attempt(self, session: aiohttp.ClientSession, parcel: Parcel) -> tuple[int, str]:
        """Status and the first line of the answer; status 0 where no answer came."""
        started = self._clock.monotonic_ns()
        status, text = 0, ""
        try:
            timeout = aiohttp.ClientTimeout(total=self.config.timeout / 1e9)
            async with session.post(
                self.url,
                data=parcel.body,
                headers=self._headers(parcel.tenant),
                timeout=timeout,
                ssl=self._tls,
                proxy=self.config.proxy_url or None,
                allow_redirects=self.config.follow_redirects,
            ) as answer:
                status = answer.status
                text = "" if status // 100 == 2 else (await answer.text(errors="replace")).strip()
        except (aiohttp.ClientError, OSError, TimeoutError) as err:
            text = str(err) or type(err).__name__
        seconds = (self._clock.monotonic_ns() - started) / 1e9
        self._metrics.request_seconds.observe(seconds, str(status) if status else "failed", self._host)
        return status, text

    def _headers(self, tenant: str) -> dict[str, str]:
        headers = {"Content-Type": "application/x-protobuf", "User-Agent": f"spyglass-agent/{__version__}"}
        headers.update(self.config.headers)
        headers.update(self.config.request_headers(self._folder))
        if tenant:
            headers["X-Scope-OrgID"] = tenant
        return headers


def _tls(config: ClientConfig, folder: Path) -> ssl.SSLContext | bool:
    """True: the usual checks. Raises OSError or ssl.SSLError where a certificate cannot be read."""
    tls = config.tls_config
    if not (tls.ca_file or tls.ca or tls.cert_file or tls.insecure_skip_verify):
        return True
    context = ssl.create_default_context(
        cafile=str(folder / tls.ca_file) if tls.ca_file else None, cadata=tls.ca or None
    )
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert_file:
        context.load_cert_chain(folder / tls.cert_file, folder / tls.key_file)
    return context
