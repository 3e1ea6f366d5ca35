"""A JSON-lines log that never makes a request wait: callers queue a finished line, a thread writes batches.

The queue is bounded; when the disk is slower than the application lines are dropped and counted (`dropped`), never blocked on.
Files are opened for appending at each batch's first use and reopened when they were moved away (logrotate's rename).
"""

import atexit
import os
import threading
import time
from collections import deque
from json.encoder import encode_basestring as quote
from pathlib import Path

__all__ = ["JsonLog", "quote"]

MAX_QUEUED = 100_000


class JsonLog:
    """Writes lines to `path`, and those of level `error` to `errors` as well.

    flush_seconds: how long a line may wait for company. max_queued: lines kept while the disk is slow.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        errors: str | Path | None = None,
        flush_seconds: float = 0.1,
        max_queued: int = MAX_QUEUED,
    ) -> None:
        self.path, self.errors = Path(path), Path(errors) if errors else None
        for target in filter(None, (self.path, self.errors)):
            target.parent.mkdir(parents=True, exist_ok=True)
        self.dropped = 0
        self._flush_seconds, self._max_queued = flush_seconds, max_queued
        self._queue: deque[tuple[bool, str]] = deque()
        self._wake, self._closed = threading.Event(), False
        self._files: dict[Path, tuple[int, int]] = {}
        self._second, self._prefix = 0, ""
        self._thread = threading.Thread(target=self._run, name="spyglass-log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, level: str, message: str, **fields: object) -> None:
        """One entry. Values are strings, numbers, booleans or None."""
        parts = [f",{quote(name)}:{_json(value)}" for name, value in fields.items()]
        self.line(level, f'"message":{quote(message)}{"".join(parts)}')

    def line(self, level: str, body: str) -> None:
        """One entry whose fields after level and timestamp are JSON already: `"message":"...",...`. The fast path."""
        if len(self._queue) >= self._max_queued:
            self.dropped += 1
            return
        entry = f'{{"level":"{level}","timestamp":"{self._timestamp()}",{body}}}\n'
        self._queue.append((level == "error", entry))
        if not self._wake.is_set():
            self._wake.set()

    def _timestamp(self) -> str:
        """RFC 3339 with milliseconds; the part down to the second is made once a second."""
        now = time.time()
        second = int(now)
        if second != self._second:
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
            self._second = second
        return f"{self._prefix}{int((now - second) * 1000):03d}Z"

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait()
            if not self._closed:
                time.sleep(self._flush_seconds)
            self._wake.clear()
            self._write_batch()

    def _write_batch(self) -> None:
        lines: list[str] = []
        errors: list[str] = []
        queue = self._queue
        while queue:
            is_error, entry = queue.popleft()
            lines.append(entry)
            if is_error:
                errors.append(entry)
        try:
            self._append(self.path, lines)
            if self.errors:
                self._append(self.errors, errors)
        except OSError:
            self.dropped += len(lines)

    def _append(self, path: Path, lines: list[str]) -> None:
        if not lines:
            return
        data = memoryview("".join(lines).encode("utf-8", "surrogatepass"))
        descriptor = self._descriptor(path)
        while data:
            data = data[os.write(descriptor, data) :]

    def _descriptor(self, path: Path) -> int:
        known = self._files.get(path)
        try:
            inode = path.stat().st_ino
        except FileNotFoundError:
            inode = -1
        if known and known[1] == inode:
            return known[0]
        if known:
            os.close(known[0])
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._files[path] = (descriptor, os.fstat(descriptor).st_ino)
        return descriptor

    def close(self) -> None:
        """Write what is queued and stop the thread. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._wake.set()
        self._thread.join(timeout=5)
        self._write_batch()
        for descriptor, _ in self._files.values():
            os.close(descriptor)
        self._files.clear()
        atexit.unregister(self.close)


def _json(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if value - value == 0 else "null"
    return quote(str(value))
