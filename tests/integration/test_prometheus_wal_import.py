"""A real Prometheus is killed in the middle of its work; what its head held comes over whole: log, checkpoint, head chunks."""

import asyncio
import shutil
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import httpx
import numpy as np
import pytest
import zstandard
from tests.integration.test_prometheus_peers import free_port
from tests.integration.test_remote_read import (
    COUNTERS,
    EVERYTHING,
    HEADERS,
    HISTOGRAMS,
    STEP,
    STREAMED,
    UNEQUAL,
    T,
    fill,
    floats,
    histogram,
    histograms,
    samples_of,
)
from tests.unit.formats.test_prometheus_histogram_chunk import content

from spyglass.api.prometheus.pieces import floats_by_row, histograms_by_row
from spyglass.formats import snappy, wire
from spyglass.formats.chunked_read import decode_frames
from spyglass.formats.crc32c import crc32c
from spyglass.formats.prometheus_chunks import FLOAT_HISTOGRAM, XOR
from spyglass.formats.prometheus_head_chunks import read_head_chunks
from spyglass.formats.prometheus_histogram_chunk import decode_histogram_chunk
from spyglass.formats.prometheus_wal import PAGE_BYTES, ZSTD, WalReport, read_records, wal_segments
from spyglass.formats.prometheus_xor import decode_xor_chunk
from spyglass.formats.remote_read import ReadQuery, encode_read_request
from spyglass.formats.remote_write.v1 import encode_v1
from spyglass.model.labels import Labels, labels_of
from spyglass.model.matchers import Matcher
from spyglass.model.samples import Exemplar
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.prometheus_import import ImportReport, import_prometheus
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.metric_store_suite import select

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")

Found = dict[Labels, list[object]]


@asynccontextmanager
async def killed(folder: Path, config: str = "global: {}\n", *, clean: bool = False) -> AsyncIterator[str]:
    """A Prometheus on folder/data with native histograms and exemplars; killed at the end, so that nothing is tidied up.

    clean: it is told to stop instead, and writes out the chunks that it has buffered.
    """
    (folder / "prometheus.yml").write_text(config)
    address = f"127.0.0.1:{free_port()}"
    process = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
        "--web.enable-admin-api",
        "--enable-feature=native-histograms,exemplar-storage",
        "--storage.tsdb.retention.time=100y",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30), httpx.AsyncClient() as client:
            while True:
                try:
                    if (await client.get(f"http://{address}/-/ready")).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        yield f"http://{address}"
    finally:
        if clean:
            process.terminate()
        else:
            process.kill()
        await process.wait()


async def answered(client: httpx.AsyncClient, url: str, asked: ReadQuery = EVERYTHING) -> Found:
    """Every sample that Prometheus hands out."""
    body = snappy.compress(encode_read_request([asked], [STREAMED]))
    answer = await client.post(url + "/api/v1/read", content=body, headers=HEADERS)
    return {labels: found for (_, labels), found in samples_of(decode_frames(answer.content)).items()}


def imported(folder: Path, ours: Path) -> tuple[Found, ImportReport, DiskMetricStore]:
    """Every sample that our store has after the import; the store is closed."""
    options = MetricStoreOptions(retention_ms=0, min_free_bytes=0, sync_interval_s=60)
    store = DiskMetricStore(ours, files=RealFiles(), clock=VirtualClock(), options=options)
    report = import_prometheus(folder, store)
    selection = select(store)
    found: Found = {}
    for row, (times, values) in floats_by_row(selection).items():
        found[selection.labels.labels(row)] = list(zip(times.tolist(), values.view(np.uint64).tolist(), strict=True))
    for row, some in histograms_by_row(selection).items():
        found.setdefault(selection.labels.labels(row), []).extend((time, content(h)) for time, h in some)
    store.close()
    return found, report, store


def named(found: Found, name: str) -> list[object]:
    [samples] = [samples for labels, samples in found.items() if dict(labels)["__name__"] == name]
    return samples


def sent() -> Found:
    """What `fill` writes."""
    out: Found = {
        labels_of({"__name__": name, "job": "a"}): [
            (T + at * STEP, struct.unpack("<Q", struct.pack("<d", value))[0]) for at, value in enumerate(values)
        ]
        for name, values in COUNTERS.items()
    }
    for name, some in HISTOGRAMS.items():
        labels = labels_of({"__name__": name, "job": "b"})
        out[labels] = [(T + at * STEP, content(h)) for at, h in enumerate(some)]
    return out


EXEMPLAR = wire.put_bytes(
    1,
    wire.put_bytes(1, wire.put_text(1, "__name__") + wire.put_text(2, "counter"))
    + wire.put_bytes(1, wire.put_text(1, "job") + wire.put_text(2, "a"))
    + wire.put_bytes(
        3,
        wire.put_bytes(1, wire.put_text(1, "trace_id") + wire.put_text(2, "é1"))
        + wire.put_double(2, 0.5)
        + wire.put_int(3, T + 5),
    ),
)


async def test_a_killed_prometheus_comes_over_whole(tmp_path: Path) -> None:
    """Floats, native histograms, gauges, stale markers, exemplars: what was written and what Prometheus answered, bit by bit."""
    async with killed(tmp_path) as url, httpx.AsyncClient(timeout=30) as client:
        await fill(client, url)
        body = snappy.compress(EXEMPLAR)
        assert (await client.post(url + "/api/v1/write", content=body, headers=HEADERS)).status_code == 204
        equal = "|".join({"jitter", *COUNTERS, *HISTOGRAMS} - set(UNEQUAL))
        theirs = await answered(client, url, ReadQuery(T, T + 10**7, (Matcher.of("__name__", "=~", equal),)))
    found, report, _ = imported(tmp_path / "data", tmp_path / "ours")
    assert (report.notes, report.blocks) == ([], 0)
    assert {labels: found[labels] for labels in theirs} == theirs
    assert {labels: found[labels] for labels in sent()} == sent()
    assert report.samples == sum(map(len, found.values()))
    assert report.histograms == sum(map(len, HISTOGRAMS.values()))
    again, twice, store = imported(tmp_path / "data", tmp_path / "ours")
    assert again == found
    assert twice.notes == []
    options = MetricStoreOptions(retention_ms=0, min_free_bytes=0)
    store = DiskMetricStore(tmp_path / "ours", files=RealFiles(), clock=VirtualClock(), options=options)
    [(labels, exemplars)] = store.exemplars([], start_ms=T, end_ms=T + 10**7)
    assert dict(labels)["__name__"] == "counter"
    assert exemplars == [Exemplar(labels_of({"trace_id": "é1"}), 0.5, T + 5)]
    store.close()


async def test_what_was_scraped_comes_over(tmp_path: Path) -> None:
    """A Prometheus that scrapes itself: every sample that it answered before it was killed is there."""
    config = (
        "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
        "scrape_configs: [{job_name: self, static_configs: [{targets: ['ADDRESS']}]}]\n"
    )
    port = free_port()
    async with killed(tmp_path, config.replace("ADDRESS", f"127.0.0.1:{port}")) as url, httpx.AsyncClient() as client:
        # The target is a port where nobody listens at first: its `up` is 0, and no other series is there.
        async with asyncio.timeout(20):
            theirs: Found = {}
            while not theirs or min(map(len, theirs.values())) < 5:
                await asyncio.sleep(0.1)
                theirs = await answered(client, url, ReadQuery(0, 10**14, (Matcher.of("job", "=", "self"),)))
    found, report, _ = imported(tmp_path / "data", tmp_path / "ours")
    assert report.notes == []
    for labels, samples in theirs.items():
        assert found[labels][: len(samples)] == samples


async def test_deleted_samples_stay_deleted(tmp_path: Path) -> None:
    """Tombstones in the log hide floats and histograms."""
    async with killed(tmp_path) as url, httpx.AsyncClient() as client:
        await fill(client, url)
        for name in ("gauge", "falling"):
            params: dict[str, str | float] = {"match[]": name, "start": T / 1000 + 100, "end": T / 1000 + 500}
            answer = await client.post(url + "/api/v1/admin/tsdb/delete_series", params=params)
            assert answer.status_code == 204, answer.text
        theirs = await answered(
            client, url, ReadQuery(T, T + 10**7, (Matcher.of("__name__", "=~", "gauge|falling|one"),))
        )
    found, _, _ = imported(tmp_path / "data", tmp_path / "ours")
    assert len(named(theirs, "gauge")) == len(COUNTERS["gauge"]) - 41
    assert {labels: found[labels] for labels in theirs} == theirs


def whole(at: int, time_ms: int) -> bytes:
    """A remote-write entry of one integer histogram, which counts on with `at`."""
    labels = wire.put_bytes(1, wire.put_text(1, "__name__") + wire.put_text(2, "whole"))
    counts = [at, at * 2, 3]
    deltas = [counts[0], *(after - before for before, after in pairwise(counts))]
    histogram = (
        wire.put_int(1, sum(counts))
        + wire.put_double(3, at * 0.7)
        + wire.put_zigzag(4, 2)
        + wire.put_double(5, 0.001)
        + wire.put_bytes(11, wire.put_zigzag(1, -3) + wire.put_int(2, 3))
        + wire.put_packed_varints(12, [delta * 2 if delta >= 0 else -delta * 2 - 1 for delta in deltas])
        + wire.put_int(15, time_ms)
    )
    return wire.put_bytes(1, labels + wire.put_bytes(4, histogram))


async def test_blocks_checkpoint_and_log_come_over_together(tmp_path: Path) -> None:
    """After compactions the head begins behind the blocks, and a checkpoint stands for the oldest part of the log.

    Blocks and head hold floats, integer histograms and float histograms.
    """
    series = [labels_of({"__name__": "long", "i": str(i)}) for i in range(20)]
    async with httpx.AsyncClient(timeout=30) as client:
        for _ in range(4):
            async with killed(tmp_path):
                pass
        async with killed(tmp_path) as url:
            for at in range(600):
                time = T + at * 60_000
                fractions = labels_of({"__name__": "fractions"})
                body = encode_v1([(labels, [(time, at + i / 8)]) for i, labels in enumerate(series)]) + whole(at, time)
                body = snappy.compress(body + histograms(fractions, [histogram(at + 1, factor=0.5)], start_ms=time))
                answer = await client.post(url + "/api/v1/write", content=body, headers=HEADERS)
                assert answer.status_code == 204, answer.text
            async with asyncio.timeout(60):
                while not list((tmp_path / "data" / "wal").glob("checkpoint.*[0-9]")):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.1)
            theirs = await answered(client, url, ReadQuery(T, T + 10**8, (Matcher.of("__name__", "!=", ""),)))
    found, report, _ = imported(tmp_path / "data", tmp_path / "ours")
    assert report.blocks > 0
    assert report.notes == []
    assert (len(found), {len(samples) for samples in found.values()}) == (22, {600})
    assert found == theirs


async def test_head_chunks_hold_what_was_written(tmp_path: Path) -> None:
    """Read by themselves: the full chunks of the series with more than 120 samples. A flipped bit is told."""
    async with killed(tmp_path, clean=True) as url, httpx.AsyncClient() as client:
        await fill(client, url)
    notes: list[str] = []
    chunks = [one.chunk for one in read_head_chunks(tmp_path / "data" / "chunks_head", notes)]
    assert notes == []
    read = [decode_xor_chunk(chunk.data) for chunk in chunks if chunk.encoding == XOR]
    times = [T + at * STEP for at in range(len(COUNTERS["counter"]))]
    expected = list(zip(times, COUNTERS["counter"], strict=True))
    counters = [list(zip(times.tolist(), values.tolist(), strict=True)) for times, values in read]
    assert [points for points in counters if points[1:2] == expected[1:2]] == [expected[: len(counters[0])]]
    histograms = [decode_histogram_chunk(c.data, c.encoding) for c in chunks if c.encoding == FLOAT_HISTOGRAM]
    growing = [content(h) for h in HISTOGRAMS["growing"]]
    assert growing[:50] in [[content(h) for _, h in found][:50] for found in histograms]
    [file] = (tmp_path / "data" / "chunks_head").iterdir()
    data = bytearray(file.read_bytes())
    data[60] ^= 1
    file.write_bytes(data)
    assert list(read_head_chunks(file.parent, notes)) == []
    assert "fails its checksum" in notes[0]


async def test_a_torn_log_is_told_and_the_rest_comes_over(tmp_path: Path) -> None:
    """Cut at any byte: a note says where, and every record before the cut is there."""
    async with killed(tmp_path) as url, httpx.AsyncClient() as client:
        for at in range(30):
            body = snappy.compress(floats(labels_of({"__name__": f"m{at}"}), [float(at)]))
            assert (await client.post(url + "/api/v1/write", content=body, headers=HEADERS)).is_success
    [segment] = [path for path in wal_segments(tmp_path / "data" / "wal") if path.stat().st_size]
    whole = segment.read_bytes().rstrip(b"\0")
    for cut in (1, 8, 50, 300):
        segment.write_bytes(whole[:-cut])
        found, report, _ = imported(tmp_path / "data", tmp_path / f"ours{cut}")
        assert 30 > len(found) >= 30 - cut
        assert f"of {len(whole) - cut}; the rest of this file is left out" in report.notes[0]
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    segment.write_bytes(damaged)
    found, report, _ = imported(tmp_path / "data", tmp_path / "ours")
    assert 0 < len(found) < 30
    assert "fails its checksum" in report.notes[0]


@pytest.mark.parametrize("compression", [0, ZSTD])
async def test_logs_of_every_compression_are_read(tmp_path: Path, compression: int) -> None:
    """Debian's Prometheus writes snappy; the same records in plain and in zstd, across pages, say the same."""
    async with killed(tmp_path) as url, httpx.AsyncClient() as client:
        await fill(client, url)
    expected, _, _ = imported(tmp_path / "data", tmp_path / "one")
    segments = wal_segments(tmp_path / "data" / "wal")
    records = list(read_records(segments, WalReport()))
    for path in segments[1:]:
        path.unlink()
    segments[0].write_bytes(written(records, compression))
    shutil.rmtree(tmp_path / "data" / "chunks_head")
    found, report, _ = imported(tmp_path / "data", tmp_path / "two")
    assert report.notes == []
    assert found == expected


def written(records: Iterable[bytes], compression: int) -> bytes:
    """A segment, as Prometheus' own writer lays it out."""
    out = bytearray()
    for record in records:
        left = zstandard.ZstdCompressor().compress(record) if compression else record
        begun = False
        while left or not begun:
            room = PAGE_BYTES - len(out) % PAGE_BYTES - 7
            if room <= 0:
                out += b"\0" * (room + 7)
                continue
            part, left = left[:room], left[room:]
            kind = (3 if left else 4) if begun else (2 if left else 1)
            out += struct.pack(">BHI", kind | compression, len(part), crc32c(part)) + part
            begun = True
    return bytes(out)
