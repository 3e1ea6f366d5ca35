"""The doors of metrics: CPU per million samples for scraping and remote write, and per point for answers.

    python -m bench.metrics_doors [--rounds 40]

The data is `bench.metric_data`'s back end of about 10,000 series; scraping and remote write go into a real store below /tmp.
Prints one JSON object. `decode` is the format alone, `store` the way into the store and back.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from bench.metric_data import BackEnd

from spyglass.api.prometheus.encode import GridText
from spyglass.config.prometheus import parse_prometheus
from spyglass.formats import snappy
from spyglass.formats.exposition.encode import series_text
from spyglass.formats.exposition.parser import ExpositionDecoder
from spyglass.formats.remote_write.v1 import decode_v1, encode_v1
from spyglass.ingest.key_cache import KeyCache
from spyglass.ingest.metrics import MetricIngest
from spyglass.ingest.remote_write import RemoteWriteIngest
from spyglass.model.arrays import F64
from spyglass.model.labels import METRIC_NAME, Labels, labels_of
from spyglass.model.telemetry import Registry
from spyglass.scrape.writer import ScrapeReport, TargetWriter
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.text.gofloat import format_shortest

V1 = "prometheus.WriteRequest"
PER_BODY = 2000
"""Prometheus' max_samples_per_send."""


def cpu_seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def exposition(series: Sequence[Labels], values: F64) -> bytes:
    """A body of the text format."""
    names = [series_text(dict(s)[METRIC_NAME], [pair for pair in s if pair[0] != METRIC_NAME]) for s in series]
    return "".join(f"{n} {format_shortest(v)}\n" for n, v in zip(names, values.tolist(), strict=True)).encode()


def written(series: Sequence[Labels], values: F64, time_ms: int) -> list[bytes]:
    """The same as remote write bodies."""
    rows = [(labels, [(time_ms, value)]) for labels, value in zip(series, values.tolist(), strict=True)]
    return [snappy.compress(encode_v1(rows[at : at + PER_BODY])) for at in range(0, len(rows), PER_BODY)]


def scraping(bodies: Sequence[bytes], store: DiskMetricStore, now_ms: int) -> dict[str, float]:
    decoder = ExpositionDecoder()
    decoder.decode(bodies[0])
    decode = cpu_seconds(lambda: [decoder.decode(body) for body in bodies])
    job = parse_prometheus("scrape_configs: [{job_name: bench}]", file="bench", folder=Path("/")).config.jobs[0]
    writer = TargetWriter(store, MetricIngest(Registry()), labels_of({"job": "bench", "instance": "a"}), job)

    def scrape(number: int) -> None:
        time_ms = now_ms + number * 1000
        prepared = writer.prepare(bodies[number], time_ms=time_ms)
        report = ScrapeReport("", 0.0, prepared.scraped, prepared.kept, prepared.added)
        writer.commit(prepared, report, time_ms)

    first = cpu_seconds(lambda: scrape(0))

    def others() -> None:
        for number in range(1, len(bodies)):
            scrape(number)

    store_cpu = cpu_seconds(others)
    samples = decoder.size * len(bodies) / 1e6
    return {
        "decode_cpu_s_per_m": round(decode / samples, 3),
        "store_cpu_s_per_m": round(store_cpu / samples, 3),
        "first_scrape_cpu_s": round(first, 3),
    }


def remote_write(rounds: Sequence[Sequence[bytes]], size: int, store: DiskMetricStore) -> dict[str, float]:
    cache = KeyCache()
    for body in rounds[0]:
        keys = decode_v1(snappy.decompress(body)).keys
        cache.learn([(key, place + 1) for place, key in enumerate(keys)])
    later = [body for bodies in rounds[1:] for body in bodies]
    decode = cpu_seconds(lambda: [decode_v1(snappy.decompress(body), cache) for body in later])
    receiver = RemoteWriteIngest(MetricIngest(Registry()))
    for body in rounds[0]:
        receiver.write(store, "", snappy.decompress(body), V1)
    started = time.perf_counter()
    whole = cpu_seconds(lambda: [receiver.write(store, "", snappy.decompress(body), V1) for body in later])
    samples = size * (len(rounds) - 1) / 1e6
    return {
        "decode_cpu_s_per_m": round(decode / samples, 3),
        "store_cpu_s_per_m": round(whole / samples, 3),
        "store_m_samples_per_s": round(samples / (time.perf_counter() - started), 2),
    }


def answers() -> dict[str, float]:
    """2,380 series of an hour at 15 s: half a million points and more."""
    values = np.random.default_rng(1).random((2380, 240)) * 1000
    grid, present = GridText([1_700_000_000_000 + 15_000 * step for step in range(240)]), np.ones(240, bool)
    seconds = cpu_seconds(lambda: [grid.points(row, present, None) for row in values])
    return {"us_per_point": round(seconds / values.size * 1e6, 3)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=40)
    rounds = arguments.parse_args().rounds
    back_end = BackEnd()
    series, data = back_end.labels, list(back_end.scrapes(rounds))
    now_ms = time.time_ns() // 1_000_000
    bodies = [exposition(series, values) for values in data]
    sent = [written(series, values, now_ms + number * 15_000) for number, values in enumerate(data)]
    with tempfile.TemporaryDirectory() as folder:
        options = MetricStoreOptions()
        store = DiskMetricStore(Path(folder), files=RealFiles(), clock=SystemClock(), options=options)
        scraped = scraping(bodies, store, now_ms)
        wrote = remote_write(sent, len(series), store)
        store.close()
    print(json.dumps({"series": len(series), "scrape": scraped, "remote_write": wrote, "answers": answers()}, indent=2))


if __name__ == "__main__":
    main()
