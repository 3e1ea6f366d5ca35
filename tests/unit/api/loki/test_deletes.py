"""/loki/api/v1/delete: asked for, listed, taken back, carried out, remembered."""

from pathlib import Path

import pytest
from tests.loki_kit import NOW, SECOND, loki

from spyglass.config.loki_limits import LimitsConfig
from spyglass.model.errors import CorruptData
from spyglass.storage.files import RealFiles
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.stores import open_log_stores
from spyglass.testing.clock import VirtualClock

DELETE = "/loki/api/v1/delete"
HOUR_NS = 3600 * SECOND


def test_lines_go_once_the_cancel_period_is_over(tmp_path: Path) -> None:
    """Queries do not see them from the start; until then the request is `received`, afterwards `processed`."""
    with loki(folder=tmp_path, cancel_period_ns=HOUR_NS) as kit:
        kit.push(
            [({"job": "a"}, [(NOW - 2 * SECOND, "1"), (NOW - SECOND, "2")]), ({"job": "b"}, [(NOW - SECOND, "3")])]
        )
        answer = kit.client.post(DELETE, params={"query": '{job="a"}', "start": NOW // SECOND - 1})
        assert (answer.status_code, answer.text) == (204, "")
        kit.deletes.run(kit.clock.now_ns())
        (request,) = kit.get(DELETE)
        assert (request["status"], request["query"], request["start_time"]) == ("received", '{job="a"}', NOW / 1e9 - 1)
        assert kit.lines() == ["1", "3"]
        assert list(kit.stores.store().series([], start_ns=0, end_ns=NOW * 2).all_labels()) == [
            (("job", "a"),),
            (("job", "b"),),
        ]
        kit.clock.advance(3600)
        kit.deletes.run(kit.clock.now_ns())
        assert kit.get(DELETE)[0]["status"] == "processed"
        assert kit.lines() == ["1", "3"]
        late = kit.client.request("DELETE", DELETE, params={"request_id": request["request_id"]})
        assert (late.status_code, "already processed is not allowed" in late.text) == (400, True)


def test_a_request_can_be_taken_back_by_its_tenant_only(tmp_path: Path) -> None:
    """404 for others and unknown ids; after that the lines are seen again."""
    with loki(folder=tmp_path, cancel_period_ns=HOUR_NS) as kit:
        kit.push([({"job": "a"}, [(NOW - SECOND, "1")])])
        kit.client.request("PUT", DELETE, params={"query": '{job="a"}', "start": "1"})
        (request,) = kit.get(DELETE)
        params = {"request_id": request["request_id"]}
        other = kit.client.request("DELETE", DELETE, params=params, headers={"X-Scope-OrgID": "other"})
        assert kit.lines() == []
        assert (other.status_code, other.text) == (404, "could not find delete request with given id\n")
        assert kit.client.request("DELETE", DELETE, params=params).status_code == 204
        assert kit.get(DELETE) == []
        assert kit.lines() == ["1"]


def test_deletes_may_hide_and_never_delete(tmp_path: Path) -> None:
    """deletion_mode filter-only: the request stays `received`, its lines stay hidden and stored."""
    with loki(LimitsConfig(deletion_mode="filter-only"), folder=tmp_path) as kit:
        kit.push([({"job": "a"}, [(NOW - SECOND, "keep")]), ({"job": "b"}, [(NOW - SECOND, "secret")])])
        kit.client.post(DELETE, params={"query": '{job="b"}', "start": "1"})
        assert kit.deletes.run(kit.clock.now_ns()) == 0
        assert kit.get(DELETE)[0]["status"] == "received"
        assert kit.lines() == ["keep"]
        assert kit.stores.store().stats_of([], start_ns=0, end_ns=NOW * 2).entries == 2


def test_requests_survive_a_restart(tmp_path: Path) -> None:
    """The file is read again; a file that is none of ours is named."""
    with loki(folder=tmp_path, cancel_period_ns=HOUR_NS) as kit:
        kit.client.post(DELETE, params={"query": '{job="a"}', "start": "1"})
        first = kit.get(DELETE)
    with loki(folder=tmp_path, cancel_period_ns=HOUR_NS) as kit:
        assert kit.get(DELETE) == first
    (tmp_path / "deletes.json").write_text('{"no": "list"}')
    with pytest.raises(CorruptData, match="deletes.json"), loki(folder=tmp_path):
        pass


def test_line_filters_choose_the_lines_in_the_real_store(tmp_path: Path) -> None:
    """`|=` deletes what it matches; a pipeline that changes lines is refused at once."""
    options = LogStoreOptions(min_free_bytes=0)
    stores = open_log_stores(
        tmp_path / "logs", files=RealFiles(), clock=VirtualClock(start_ms=NOW // 1_000_000), options=options
    )
    with loki(stores=stores) as kit:
        kit.push([({"job": "a"}, [(NOW - SECOND, "secret 1"), (NOW - SECOND, "public")])])
        bad = kit.client.post(DELETE, params={"query": '{job="a"} | line_format "x"', "start": "1"})
        assert bad.status_code == 400
        assert kit.client.post(DELETE, params={"query": '{job="a"} |= "secret"', "start": "1"}).status_code == 204
        assert kit.deletes.run(kit.clock.now_ns()) == 1
        assert kit.lines() == ["public"]
    stores.close()


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({}, "query not set"),
        ({"query": "{job=", "start": "1"}, "invalid query: parse error"),
        ({"query": '{job="a"}'}, "start time not set"),
        ({"query": '{job="a"}', "start": "2", "end": "1"}, "start time can't be greater than end time"),
        ({"query": '{job="a"}', "start": "1", "end": str(NOW + SECOND)}, "deletes in the future are not allowed"),
        ({"query": 'rate({job="a"}[1m])', "start": "1"}, "invalid query"),
    ],
)
def test_a_bad_request_is_a_400(params: dict[str, str], text: str) -> None:
    """With what is missing or wrong."""
    with loki() as kit:
        answer = kit.client.post(DELETE, params=params)
        assert (answer.status_code, text in answer.text) == (400, True), answer.text


def test_deletion_can_be_disabled() -> None:
    """limits_config.deletion_mode: disabled is a 403."""
    with loki(LimitsConfig(deletion_mode="disabled")) as kit:
        answer = kit.client.post(DELETE, params={"query": '{job="a"}', "start": "1"})
        assert (answer.status_code, "deletion is not available" in answer.text) == (403, True)
