"""Things to scrape: `python -m bench.compare.targets PORT TARGETS` serves /metrics/0 .. of about 10,000 series each, second by second.

The bodies are `bench.metric_data`'s back end, made before the first answer; 88 % of their lines are those of the scrape before. /served
tells how many bodies each kind of client has taken, by the program of its User-Agent.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice

import orjson
from bench.metric_data import BackEnd

from spyglass.formats.exposition.encode import series_text
from spyglass.model.arrays import F64
from spyglass.model.labels import METRIC_NAME, Labels
from spyglass.text.gofloat import format_shortest

BODIES = 60
"""Then they start over, as a process does that was restarted."""


def exposition(series: Sequence[Labels], rows: Sequence[F64]) -> list[bytes]:
    """A body of the text format per row. The target's own `job` and `instance` are the scraper's to add."""
    names = [series_text(dict(one)[METRIC_NAME], [pair for pair in one if pair[0] not in _SCRAPED]) for one in series]
    return [
        "".join(f"{name} {format_shortest(value)}\n" for name, value in zip(names, row.tolist(), strict=True)).encode()
        for row in rows
    ]


_SCRAPED = {METRIC_NAME, "job", "instance"}


class Targets(ThreadingHTTPServer):
    """Each path has a position of its own in the bodies, and moves on when it is asked."""

    daemon_threads = True

    def __init__(self, port: int, count: int) -> None:
        back_end = BackEnd(interval_s=2.2)
        self.bodies = exposition(back_end.labels, list(islice(back_end.scrapes(BODIES), BODIES)))
        self.asked: Counter[tuple[str, str]] = Counter()
        self.targets = {f"/metrics/{n}": n * BODIES // count for n in range(count)}
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A scraper that was stopped in the middle of a scrape."""

    def answer(self, path: str, client: str) -> bytes:
        if path not in self.targets:
            return orjson.dumps(
                {name: sum(n for (who, _), n in self.asked.items() if who == name) for name, _ in self.asked}
            )
        place = self.targets[path] + self.asked[client, path]
        self.asked[client, path] += 1
        return self.bodies[place % BODIES]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Targets

    def do_GET(self) -> None:
        body = self.server.answer(self.path, self.headers.get("User-Agent", "").partition("/")[0].lower())
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


if __name__ == "__main__":
    Targets(int(sys.argv[1]), int(sys.argv[2])).serve_forever()
