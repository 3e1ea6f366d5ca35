"""GET or POST /loki/api/v1/patterns: what kinds of lines there are, and how many of each per step. Mined at query time.

At most SAMPLED lines are read: from each of SLICES parts of the range the newest ones, so that a flood at one time does not hide
the others. Counts are of the lines read.
"""

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.bridge import CancellableBudget
from spyglass.api.loki import params as read
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.encode import JSON_TYPE, success
from spyglass.api.loki.reader import least, reading_tenants
from spyglass.api.loki.template_miner import TemplateMiner
from spyglass.model.errors import InvalidParameter
from spyglass.protocols.queries import StreamsResult

SAMPLED = 10_000
SLICES = 10
MAX_PATTERNS = 300
MIN_STEP_NS = 10 * 10**9


async def patterns(request: Request, deps: LokiDeps) -> Response:
    """{"data": [{"pattern": "...", "level": "info", "samples": [[unix seconds, count], ...]}, ...]}, the most frequent first."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    start, end = read.time_range(params, deps.clock.now_ns())
    step = max(read.step_ns(params, start, end), MIN_STEP_NS)
    query, budget = read.required(params, "query"), deps.budget(tenant)

    def mine() -> bytes:
        miners: dict[str, TemplateMiner] = {}
        for number, (level, line, time_ns) in enumerate(_sampled(query, start, end, tenant, budget, deps)):
            if number % 500 == 0:
                budget.check()
            miners.setdefault(level, TemplateMiner()).add(line, time_ns // step)
        found = [(level, cluster) for level, miner in miners.items() for cluster in miner.clusters()]
        found.sort(key=lambda one: -one[1].total)
        rows = [
            {
                "pattern": cluster.pattern,
                "level": level,
                "samples": [[at * step // 10**9, count] for at, count in sorted(cluster.counts.items())],
            }
            for level, cluster in found[:MAX_PATTERNS]
        ]
        return success(rows)

    body = await deps.bridge.run(mine, budget=budget, disconnected=request.is_disconnected)
    return Response(body, media_type=JSON_TYPE)


def _sampled(
    query: str, start: int, end: int, tenant: str, budget: CancellableBudget, deps: LokiDeps
) -> Iterator[tuple[str, str, int]]:
    """(level, line, time) of the lines looked at."""
    width = max(-(-(end - start) // SLICES), 1)
    maximum = least(deps, tenant, "max_entries_limit_per_query")
    size = min(SAMPLED // SLICES, maximum or SAMPLED)
    for at in range(start, end, width):
        budget.check()
        result = deps.queries.range(
            query,
            start_ns=at,
            end_ns=min(at + width, end),
            step_ns=10**9,
            limit=size,
            direction="backward",
            tenant=tenant,
            budget=budget,
        )
        if not isinstance(result, StreamsResult):
            raise InvalidParameter("only log queries have patterns, not metric queries")
        for labels, entries in result.streams:
            level = dict(labels).get("detected_level", "unknown")
            for entry in entries:
                yield level, entry.line, entry.time_ns
