"""Remote read against the real Prometheus: the same samples and encoding, the same refusals, the same answers through a reader."""

from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.integration.prometheus_bench import Door, door
from tests.integration.test_prometheus_peers import prometheus
from tests.unit.formats.test_prometheus_histogram_chunk import content

from spyglass.formats import snappy, wire
from spyglass.formats.chunked_read import CONTENT_TYPE, ChunkedSeries, decode_frames
from spyglass.formats.native_histogram import encode_histogram
from spyglass.formats.prometheus_chunks import FLOAT_HISTOGRAM, HISTOGRAM, XOR, EncodedChunk
from spyglass.formats.prometheus_histogram_chunk import decode_histogram_chunk
from spyglass.formats.prometheus_histogram_write import encode_histogram_chunks
from spyglass.formats.prometheus_xor import decode_xor_chunk
from spyglass.formats.prometheus_xor_write import encode_xor_chunks
from spyglass.formats.remote_read import ReadQuery, encode_read_request
from spyglass.formats.remote_write.v1 import encode_v1
from spyglass.model.histograms import FloatHistogram, ResetHint
from spyglass.model.labels import Labels, labels_of
from spyglass.model.matchers import Matcher
from spyglass.model.samples import STALE

T = 1_700_000_000_000
STEP = 10_000
HEADERS = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
STREAMED, SAMPLES = 1, 0


def floats(labels: Labels, values: list[float], *, jitter: int = 0) -> bytes:
    times = [T + at * STEP + (at * 7919 % (jitter + 1)) for at in range(len(values))]
    return encode_v1([(labels, list(zip(times, values, strict=True)))])


def histograms(labels: Labels, found: list[FloatHistogram], *, start_ms: int = T) -> bytes:
    pairs = b"".join(wire.put_bytes(1, wire.put_text(1, n) + wire.put_text(2, v)) for n, v in labels)
    samples = [wire.put_bytes(4, encode_histogram(h, start_ms + at * STEP)) for at, h in enumerate(found)]
    return wire.put_bytes(1, pairs + b"".join(samples))


def histogram(at: int, *, hint: ResetHint = ResetHint.UNKNOWN, factor: float = 1.0) -> FloatHistogram:
    index = np.array([-2, -1, 4, 5, 6], np.int64)
    counts = np.array([at, at * 2, 1, at // 3, at * at], np.float64) * factor
    return FloatHistogram(3, float(counts.sum()) + at, at * 1.7, 2.0**-128, float(at), index, counts, reset_hint=hint)


COUNTERS = {
    "counter": [float(at * 3 % 700) for at in range(300)],
    "gauge": [at * 0.1 - 7 for at in range(250)],
    "odd": [0.0, -0.0, float("inf"), 5e-324, float("nan"), STALE, 1e300] * 5,
    "one": [4.5],
}
HISTOGRAMS = {
    "growing": [histogram(at, factor=1.5) for at in range(130)],
    "falling": [histogram(at % 40, factor=0.3) for at in range(100)],
    "gauge_histogram": [histogram(50 - at, hint=ResetHint.GAUGE, factor=0.25) for at in range(50)],
    "ended": [*(histogram(at, factor=0.5) for at in range(5)), FloatHistogram(sum=STALE)],
}


async def fill(client: httpx.AsyncClient, *urls: str) -> None:
    """The same series into each server. Samples in order: Prometheus takes no others."""
    bodies = [floats(labels_of({"__name__": name, "job": "a"}), values) for name, values in COUNTERS.items()]
    bodies += [floats(labels_of({"__name__": "jitter"}), COUNTERS["counter"], jitter=900)]
    bodies += [histograms(labels_of({"__name__": name, "job": "b"}), found) for name, found in HISTOGRAMS.items()]
    for url in urls:
        for body in bodies:
            answer = await client.post(url + "/api/v1/write", content=snappy.compress(body), headers=HEADERS)
            assert answer.status_code == 204, answer.text


async def ask(d: Door, url: str, *accepted: int, queries: list[ReadQuery]) -> httpx.Response:
    body = snappy.compress(encode_read_request(queries, accepted))
    return await d.client.post(url + "/api/v1/read", content=body, headers=HEADERS)


def query(start: int, end: int, pattern: str) -> ReadQuery:
    return ReadQuery(start, end, (Matcher.of("__name__", "=~", pattern),))


EVERYTHING = query(T - 1, T + 10_000_000, ".+")


UNEQUAL = {
    "gauge_histogram": "2.42 fails while it re-encodes gauges: detected unexpected counter reset",
    "ended": "2.42 loses what is before a histogram's stale marker",
}


async def test_streamed_samples_equal_upstreams(tmp_path: Path) -> None:
    """The same series in the same order, the same samples bit by bit; in the chunks that upstream cut ours are its bytes."""
    async with door() as d, prometheus(tmp_path, "global: {}\n", "--enable-feature=native-histograms") as upstream:
        await fill(d.client, d.url, upstream)
        equal = "|".join(name for name in [*COUNTERS, "jitter", *HISTOGRAMS] if name not in UNEQUAL)
        queries = [query(T - 1, T + 10_000_000, equal), query(T + STEP * 7, T + STEP * 130, "counter|growing|one")]
        ours, theirs = [await ask(d, url, STREAMED, SAMPLES, queries=queries) for url in (d.url, upstream)]
        assert ours.headers["content-type"] == theirs.headers["content-type"] == CONTENT_TYPE
        mine, other = decode_frames(ours.content), decode_frames(theirs.content)
        assert [one.labels for one in mine] == [one.labels for one in other]
        assert samples_of(mine) == samples_of(other)
        chunks = [chunk for one in other for chunk in one.chunks]
        assert {chunk.encoding for chunk in chunks} == {XOR, FLOAT_HISTOGRAM}
        for chunk in chunks:
            same_bytes(chunk)


def samples_of(frames: list[ChunkedSeries]) -> dict[tuple[int, Labels], list[object]]:
    """By query and series: (time, a float's bits or a histogram's content)."""
    out: dict[tuple[int, Labels], list[object]] = {}
    for one in frames:
        found = out.setdefault((one.query_index, one.labels), [])
        for chunk in one.chunks:
            if chunk.encoding == XOR:
                times, values = decode_xor_chunk(chunk.data)
                found += zip(times.tolist(), values.view(np.uint64).tolist(), strict=True)
            else:
                found += [(time, content(h)) for time, h in decode_histogram_chunk(chunk.data, chunk.encoding)]
    return out


def same_bytes(theirs: EncodedChunk) -> None:
    """Decoded and encoded again it is what it was: but for a byte of zeros that upstream may leave behind, and the flags."""
    if theirs.encoding == XOR:
        times, values = decode_xor_chunk(theirs.data)
        [data] = encode_xor_chunks(times, values, np.array([0, len(times)]))
        assert theirs.data in (data, data + b"\0")
        return
    samples = decode_histogram_chunk(theirs.data, theirs.encoding)
    [chunk] = encode_histogram_chunks(samples, per_chunk=len(samples))
    assert theirs.data[3:] in (chunk.data[3:], chunk.data[3:] + b"\0")


async def test_whole_counts_are_integer_histograms() -> None:
    """They read as what they were; gauges, resets and stale markers too."""
    async with door() as d:
        found = [histogram(at % 50) for at in range(130)]
        body = histograms(labels_of({"__name__": "whole"}), found)
        assert (await d.client.post(d.url + "/api/v1/write", content=snappy.compress(body), headers=HEADERS)).is_success
        await fill(d.client, d.url)
        frames = decode_frames((await ask(d, d.url, STREAMED, queries=[EVERYTHING])).content)
        told = {dict(one.labels)["__name__"]: one.chunks for one in frames}
        assert {chunk.encoding for chunk in told["whole"]} == {HISTOGRAM}
        assert len(told["whole"]) == 3
        for name, expected in {"whole": found, **HISTOGRAMS}.items():
            back = [h for c in told[name] for h in decode_histogram_chunk(c.data, c.encoding)]
            assert [(time, content(h)) for time, h in back] == [
                (T + at * STEP, content(h)) for at, h in enumerate(expected)
            ]


@pytest.mark.parametrize("accepted", [(), (SAMPLES, STREAMED), (7, SAMPLES), (7,), (7, 9)])
async def test_the_answers_kind_is_negotiated_as_upstream_does(tmp_path: Path, accepted: tuple[int, ...]) -> None:
    """The first kind that the server has; samples where nothing is asked; 400 where it has none."""
    async with door() as d, prometheus(tmp_path, "global: {}\n") as upstream:
        ours, theirs = [await ask(d, url, *accepted, queries=[EVERYTHING]) for url in (d.url, upstream)]
        assert (ours.status_code, ours.headers["content-type"]) == (theirs.status_code, theirs.headers["content-type"])
        if ours.status_code == 400:
            assert ours.text == theirs.text


async def test_a_series_is_split_into_frames() -> None:
    """No frame much larger than its limit; together they hold every chunk once."""
    async with door(read_frame_bytes_max=300) as d:
        await fill(d.client, d.url)
        answer = await ask(d, d.url, STREAMED, queries=[query(T, T + 10_000_000, "counter")])
        frames = decode_frames(answer.content)
        assert len(frames) > 1
        assert [chunk.min_ms for one in frames for chunk in one.chunks] == [T, T + 120 * STEP, T + 240 * STEP]


async def test_unstreamed_answers_are_limited() -> None:
    """More samples than are taken is a 400 with upstream's text; the streamed answer has no such limit."""
    async with door(read_samples_max=100) as d:
        await fill(d.client, d.url)
        asked = [query(T, T + 10_000_000, "counter")]
        refused = await ask(d, d.url, SAMPLES, queries=asked)
        assert (refused.status_code, refused.text) == (400, "exceeded sample limit (100)\n")
        assert (await ask(d, d.url, STREAMED, queries=asked)).status_code == 200


async def test_external_labels_are_added_and_asked_for() -> None:
    """As for unstreamed answers: a series' own label of that name stays, and is not found by asking for the external one."""
    async with door(external_labels=lambda: {"site": "a"}) as d:
        for labels in ({"__name__": "m"}, {"__name__": "m", "site": "b"}):
            body = snappy.compress(floats(labels_of(labels), [1.0]))
            assert (await d.client.post(d.url + "/api/v1/write", content=body, headers=HEADERS)).status_code == 204
        for site, op, found in (("a", "=", ["a"]), ("b", "=", ["b"]), ("", "!=", ["b"]), (".*", "=~", ["a", "b"])):
            asked = ReadQuery(T, T, (Matcher.of("__name__", "=", "m"), Matcher.of("site", op, site)))
            frames = decode_frames((await ask(d, d.url, STREAMED, queries=[asked])).content)
            assert [dict(one.labels)["site"] for one in frames] == found


READ = [
    "{__name__=~'counter|gauge|odd|one'}",
    "rate(counter[5m])",
    "sum by (job) (rate({__name__=~'counter|jitter'}[5m]))",
]


async def test_a_real_reader_sees_what_we_store(tmp_path: Path) -> None:
    """Prometheus with remote_read, and one that holds the samples itself, answer alike. (2.42 asks for samples, and reads floats only.)"""
    here, there = tmp_path / "reader", tmp_path / "holder"
    here.mkdir()
    there.mkdir()
    async with door() as d, prometheus(there, "global: {}\n", "--enable-feature=native-histograms") as holder:
        config = f"remote_read: [{{url: '{d.url}/api/v1/read', read_recent: true}}]\n"
        async with prometheus(here, config) as reader:
            await fill(d.client, d.url, holder)
            for text in READ:
                params: dict[str, str | float] = {"query": text, "start": T / 1000, "end": T / 1000 + 3300, "step": 60}
                answers = [
                    (await d.client.get(f"{url}/api/v1/query_range", params=params)).json() for url in (reader, holder)
                ]
                results = [sorted(answer["data"]["result"], key=repr) for answer in answers]
                assert results[0], text
                assert results[0] == results[1], text
