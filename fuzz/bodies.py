"""Mutated bodies of every wire format: whatever the bytes, a decoder gives a result or its documented error, and does not take long.

    python fuzz/bodies.py [--seconds 60] [--seed N] [--format NAME ...]

The corpus lies in fuzz/corpus/<format>/. A failure prints the format, the bytes and the seed, and ends with status 1; bytes that
once failed belong into the corpus. The unit suite runs a short form of this.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spyglass.formats import (
    loki_push,
    otlp_logs,
    prometheus_histogram_chunk,
    prometheus_xor,
    remote_read,
    snappy,
)
from spyglass.formats.exposition.parser import ExpositionDecoder
from spyglass.formats.exposition.protobuf import read_families
from spyglass.formats.remote_write.v1 import decode_v1
from spyglass.formats.remote_write.v2 import decode_v2
from spyglass.model.errors import MalformedBody

CORPUS = Path(__file__).parent / "corpus"
SECONDS_MAX = 2.0
"""No body of the corpus' size may take longer."""
INTERESTING = (
    b"\x00",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff" * 9 + b"\x01",
    b"\x80" * 9 + b"\x01",
    b"\xc3\x28",
    b'"',
    b"\\",
    b"\n",
    b"{",
    b"}",
)


@dataclass(frozen=True, slots=True)
class Format:
    """decode: bytes -> anything.  errors: what it may raise."""

    decode: Callable[[bytes], object]
    errors: tuple[type[Exception], ...] = (MalformedBody,)


def _families(body: bytes) -> object:
    return list(read_families(body, native=True, classic_too=True))


FORMATS: Mapping[str, Format] = {
    "exposition-text": Format(lambda body: ExpositionDecoder().decode(body)),
    "exposition-openmetrics": Format(lambda body: ExpositionDecoder().decode(body, openmetrics=True)),
    "exposition-protobuf": Format(_families),
    "remote-write-1": Format(decode_v1),
    "remote-write-2": Format(decode_v2),
    "remote-read": Format(remote_read.decode_read_request),
    "snappy": Format(snappy.decompress),
    "loki-push-protobuf": Format(loki_push.decode_push_request),
    "loki-push-json": Format(loki_push.decode_json),
    "otlp-logs-protobuf": Format(otlp_logs.decode_protobuf),
    "otlp-logs-json": Format(otlp_logs.decode_json),
    "chunk-xor": Format(prometheus_xor.decode_xor_chunk, (prometheus_xor.XorError,)),
    "chunk-histogram": Format(
        lambda body: prometheus_histogram_chunk.decode_histogram_chunk(body, 2),
        (prometheus_histogram_chunk.HistogramChunkError,),
    ),
}


def corpus_of(name: str) -> list[bytes]:
    """The bodies to start from, in order of their names."""
    found = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    assert found, f"fuzz/corpus/{name} is empty"
    return found


def mutated(rnd: random.Random, corpus: Sequence[bytes]) -> bytes:
    """One of the corpus with one to six changes."""
    body = bytearray(rnd.choice(corpus))
    for _ in range(rnd.randint(1, 6)):
        at = rnd.randint(0, len(body))
        kind = rnd.randrange(6)
        if kind == 0 and body:
            body[at % len(body)] ^= 1 << rnd.randrange(8)
        elif kind == 1:
            del body[at : at + rnd.randint(1, 12)]
        elif kind == 2:
            body[at:at] = rnd.choice(INTERESTING)
        elif kind == 3:
            body[at : at + 1] = rnd.choice(INTERESTING)
        elif kind == 4:
            other = rnd.choice(corpus)
            start = rnd.randint(0, len(other))
            body[at:at] = other[start : start + rnd.randint(1, 64)]
        else:
            del body[at:]
    return bytes(body)


def problem(name: str, body: bytes) -> str:
    """What is wrong with how a format's decoder takes the body; "" if nothing."""
    form, began = FORMATS[name], time.process_time()
    try:
        form.decode(body)
    except form.errors:
        pass
    except Exception as err:
        return f"{type(err).__name__}: {err}"
    took = time.process_time() - began
    return f"took {took:.1f} s" if took > SECONDS_MAX else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("--format", action="append", choices=sorted(FORMATS), help="only these")
    args = parser.parse_args()
    names = args.format or sorted(FORMATS)
    corpora = {name: corpus_of(name) for name in names}
    print(f"seed {args.seed}, formats: {', '.join(names)}")
    rnd, end, tried = random.Random(args.seed), time.monotonic() + args.seconds, 0
    while time.monotonic() < end:
        name = names[tried % len(names)]
        body = mutated(rnd, corpora[name])
        tried += 1
        if wrong := problem(name, body):
            print(f"{name}: {body!r}\n{wrong}")
            return 1
    print(f"{tried} bodies, nothing wrong")
    return 0


if __name__ == "__main__":
    sys.exit(main())
