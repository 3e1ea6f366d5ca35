"""Whose data a request means, and the limits of single tenants on every way in."""

from datetime import UTC, datetime

import pytest
from tests.loki_kit import NOW, SECOND, LokiKit, loki

from spyglass.api.loki.tenant import Tenancy
from spyglass.config.loki_limits import BlockedQuery, LimitsConfig

A, B = {"X-Scope-OrgID": "a"}, {"X-Scope-OrgID": "b"}
STREAM = {"job": "x"}
RANGE = "/loki/api/v1/query_range"


def limits(**keys: object) -> LimitsConfig:
    return LimitsConfig.model_validate(keys)


def push(kit: LokiKit, headers: dict[str, str], *values: tuple[object, ...], **labels: str) -> tuple[int, str]:
    return kit.push([({**STREAM, **labels}, values or [(NOW, "line")])], headers)


@pytest.mark.parametrize(
    ("tenancy", "own", "nobodys"),
    [(Tenancy.OPTIONAL, ["of a"], ["of nobody"]), (Tenancy.IGNORED, ["of a", "of nobody"], ["of a", "of nobody"])],
)
def test_the_header_where_it_is_not_required(tenancy: Tenancy, own: list[str], nobodys: list[str]) -> None:
    """Without a Loki file tenants are apart; with `auth_enabled: false` there is only one, whatever the header says."""
    with loki(tenancy=tenancy) as kit:
        assert push(kit, A, (NOW, "of a"))[0] == 204
        assert push(kit, {}, (NOW + 1, "of nobody"))[0] == 204
        assert (kit.lines(tenant="a"), kit.lines()) == (own, nobodys)


def test_an_ignored_header_may_be_anything() -> None:
    """Nobody looks at it, so it is not refused either."""
    with loki(tenancy=Tenancy.IGNORED, multi_tenant=True) as kit:
        assert push(kit, {"X-Scope-OrgID": "no/name"}, (NOW - 1, "line"))[0] == 204
        assert kit.get("/loki/api/v1/labels", {"X-Scope-OrgID": "a|no/name"})["data"] == ["job"]


def test_limits_of_pushes_are_the_tenants() -> None:
    """The same push is refused for one and taken from another."""
    overrides = {
        "a": limits(
            max_line_size=3, max_label_names_per_series=2, ingestion_rate_mb=0.00001, ingestion_burst_size_mb=0.00001
        )
    }
    with loki(overrides=overrides) as kit:
        assert push(kit, B, y="1", z="2")[0] == 204
        status, text = push(kit, A, y="1", z="2")
        assert status == 400
        assert text.endswith("has 3 label names; limit 2")
        assert push(kit, A)[1].startswith("Max entry size '3' bytes exceeded")
        assert [push(kit, A, (NOW + i, "abc"))[0] for i in range(5)] == [204, 204, 204, 429, 429]


def test_ingestion_can_be_blocked_for_a_while() -> None:
    """With the status that the operator chose; 200 tells the sender nothing; nothing is stored, and that is counted."""
    until = datetime.fromtimestamp(NOW / SECOND + 60, UTC).isoformat().replace("+00:00", "Z")
    overrides = {
        "a": limits(block_ingestion_until=until),
        "b": limits(block_ingestion_until=until, block_ingestion_status_code=200),
    }
    with loki(overrides=overrides) as kit:
        assert push(kit, A) == (260, f"ingestion blocked for user a until '{until}' with status code '260'")
        assert push(kit, B) == (204, "")
        assert kit.lines(tenant="a") == kit.lines(tenant="b") == []
        assert kit.ingest.counts().discarded == {("a", "blocked_ingestion"): 1, ("b", "blocked_ingestion"): 1}
        kit.clock.advance(61)
        assert push(kit, A)[0] == 204


def test_labels_that_an_operator_enforces() -> None:
    """A stream without them is refused, the others are stored."""
    with loki(overrides={"a": limits(enforced_labels=["env", "team"])}) as kit:
        wanted = 'missing required labels env,team for user a for stream {job="x"}'
        assert push(kit, A) == (400, wanted)
        assert push(kit, A, env="prod", team="t")[0] == 204


def test_limits_of_queries_are_the_tenants() -> None:
    """Entries, blocked queries, bytes read, matchers: what one may ask, another may not."""
    own = limits(
        max_entries_limit_per_query=5,
        max_streams_matchers_per_query=1,
        max_query_bytes_read=10,
        blocked_queries=[BlockedQuery(types=("metric",))],
    )
    with loki(overrides={"a": own}) as kit:
        push(kit, A, (NOW, "x" * 2000))
        push(kit, B, (NOW, "x" * 2000))
        for query, limit, problem in (
            ('{job="x"}', 6, "max entries limit per query exceeded, limit > max_entries_limit_per_query (6 > 5)"),
            ('{job="x",a=""}', 5, "max streams matchers per query exceeded, matchers-count > limit (2 > 1)"),
            ('rate({job="x"}[1m])', 5, "query blocked by policy"),
            (
                '{job="x"}',
                5,
                "the query would read too many bytes (query: 2.0 KiB, limit: 10 B); consider adding more ",
            ),
        ):
            window = {"query": query, "limit": limit, "start": NOW - SECOND, "end": NOW + SECOND}
            status, text = kit.error(RANGE, A, **window)
            assert status == 400
            assert problem in text
            kit.get(RANGE, B, **window)


def test_a_query_over_several_tenants_has_the_tightest_limits() -> None:
    """The least of each limit."""
    overrides = {"a": limits(max_entries_limit_per_query=5), "b": limits(max_entries_limit_per_query=7)}
    with loki(overrides=overrides, multi_tenant=True) as kit:
        status, text = kit.error(RANGE, {"X-Scope-OrgID": "b|a"}, query='{job="x"}', limit=6)
        assert (status, "(6 > 5)" in text) == (400, True)


def test_a_tenant_may_be_barred_from_deleting() -> None:
    """deletion_mode is a limit like the others."""
    with loki(overrides={"a": limits(deletion_mode="disabled")}) as kit:

        def asked(headers: dict[str, str]) -> int:
            params = {"query": '{job="x"}', "start": "1"}
            return kit.client.post("/loki/api/v1/delete", params=params, headers=headers).status_code

        assert (asked(A), asked(B)) == (403, 204)
