"""limit: a token bucket for the job's lines, or one for each value of a label. Without `drop` reading is slowed down."""

from collections import OrderedDict
from dataclasses import dataclass

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Simple, Stage, StageContext
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import LimitStage


@dataclass(slots=True)
class TokenBucket:
    """`burst` tokens at first, `rate` more every second, never more than `burst`."""

    rate: float
    burst: int
    tokens: float
    at_ns: int

    def allow(self, now_ns: int) -> bool:
        """Take one token, if there is one."""
        self._refill(now_ns)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def reserve(self, now_ns: int) -> float:
        """Take one token, also one that will only be there later. Returns the seconds until then."""
        self._refill(now_ns)
        self.tokens -= 1
        return max(0.0, -self.tokens / self.rate)

    def _refill(self, now_ns: int) -> None:
        self.tokens = min(float(self.burst), self.tokens + max(0, now_ns - self.at_ns) / 1e9 * self.rate)
        self.at_ns = max(self.at_ns, now_ns)


def build(spec: StageSpec, context: StageContext) -> Stage:
    options: LimitStage = spec.options
    buckets: OrderedDict[str, TokenBucket] = context.share(id(spec), OrderedDict)

    def bucket(value: str) -> TokenBucket:
        found = buckets.get(value)
        if found is None:
            found = TokenBucket(options.rate, options.burst, float(options.burst), context.monotonic_ns())
            buckets[value] = found
            if len(buckets) > options.max_distinct_labels:
                buckets.popitem(last=False)
        return found

    def passes(entry: Entry, now_ns: int) -> bool:
        if not options.by_label_name:
            return bucket("").allow(now_ns)
        value = entry.labels.get(options.by_label_name)
        return value is None or bucket(value).allow(now_ns)

    def dropping(entries: list[Entry]) -> list[Entry]:
        now_ns = context.monotonic_ns()
        kept = [entry for entry in entries if passes(entry, now_ns)]
        if len(kept) < len(entries):
            context.metrics.dropped_lines.inc("ratelimited", by=len(entries) - len(kept))
        return kept

    def slowing(entries: list[Entry]) -> list[Entry]:
        now_ns = context.monotonic_ns()
        for _ in entries:
            context.delay_s = max(context.delay_s, bucket("").reserve(now_ns))
        return entries

    return Simple(dropping if options.drop else slowing)
