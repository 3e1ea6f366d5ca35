"""Grafana's HTTP API over real HTTP: login, dashboards, data sources, queries, the proxy, the UI's files."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from tests.grafana_kit import NOW_MS, PROMETHEUS_URL, Kit, echo_app, grafana, log_in, serving
from tests.integration.prometheus_bench import door

from spyglass.api.grafana.app import create_grafana_app
from spyglass.config.grafana import Datasource
from spyglass.config.grafana_settings import GrafanaSettings
from spyglass.model.labels import labels_of
from spyglass.model.samples import Exemplar, WriteBatch

ADMIN = ("admin", "admin")


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    kit = Kit(tmp_path)
    yield kit
    kit.close()


@pytest.fixture
async def client(kit: Kit) -> AsyncIterator[httpx.AsyncClient]:
    async with grafana(kit) as client:
        yield client


@pytest.fixture
async def admin(client: httpx.AsyncClient) -> httpx.AsyncClient:
    assert (await log_in(client)).status_code == 200
    return client


# -- people -------------------------------------------------------------------------------------------------------------


async def test_health_needs_no_login(client: httpx.AsyncClient) -> None:
    """/api/health says that the database is fine, to everybody."""
    answer = await client.get("/api/health")
    assert answer.status_code == 200
    assert answer.json()["database"] == "ok"


async def test_login_sets_a_cookie_that_scripts_cannot_read(client: httpx.AsyncClient) -> None:
    """The right password gives a session cookie, HttpOnly and SameSite=Lax, with which the API answers."""
    answer = await log_in(client)
    assert answer.json()["message"] == "Logged in"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("grafana_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await client.get("/api/user")).json()["login"] == "admin"


async def test_unknown_user_and_wrong_password_look_the_same(client: httpx.AsyncClient) -> None:
    """Both are 401 with the same body, so that nobody learns which logins exist."""
    wrong, unknown = await log_in(client, "admin", "no"), await log_in(client, "nobody", "no")
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)
    assert wrong.status_code == 401


async def test_guessing_is_slowed_down(client: httpx.AsyncClient, kit: Kit) -> None:
    """After five failures even the right password must wait, until the window has passed."""
    for _ in range(5):
        assert (await log_in(client, "admin", "guess")).status_code == 401
    assert (await log_in(client)).status_code == 429
    kit.clock.advance(301)
    assert (await log_in(client)).status_code == 200


async def test_logout_ends_the_session(admin: httpx.AsyncClient) -> None:
    """The cookie is worth nothing after logout, even if somebody kept it."""
    cookie = admin.cookies["grafana_session"]
    assert (await admin.post("/logout")).status_code == 200
    answer = await admin.get("/api/user", headers={"Cookie": f"grafana_session={cookie}"})
    assert answer.status_code == 401


async def test_api_without_login_is_refused_as_json(client: httpx.AsyncClient) -> None:
    """401 with a JSON message."""
    answer = await client.get("/api/search")
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


async def test_basic_authentication(client: httpx.AsyncClient) -> None:
    """Scripts may use it on every request."""
    assert (await client.get("/api/login/ping", auth=ADMIN)).status_code == 200
    assert (await client.get("/api/login/ping", auth=("admin", "x"))).status_code == 401


async def test_writes_from_another_site_are_refused(admin: httpx.AsyncClient) -> None:
    """A browser that sends our cookie with another site's form gets 403."""
    answer = await admin.post("/api/folders", json={"title": "x"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


async def test_a_forged_host_header_opens_no_door(client: httpx.AsyncClient) -> None:
    """What is public is decided by the path that is routed, not by a URL made with the Host header."""
    answer = await client.get("/api/search", headers={"Host": "x/api/health?"})
    assert answer.status_code in (400, 401)


async def test_password_change_ends_other_sessions(kit: Kit, admin: httpx.AsyncClient) -> None:
    """The old cookie dies, the answer brings a new one."""
    old = admin.cookies["grafana_session"]
    answer = await admin.put("/api/user/password", json={"oldPassword": "admin", "newPassword": "longer"})
    assert answer.status_code == 200
    assert (await admin.get("/api/user")).status_code == 200
    assert kit.accounts.session_user(old) is None
    assert kit.accounts.verify("admin", "longer") is not None


async def test_anonymous_viewers_read_but_do_not_write(kit: Kit) -> None:
    """GF_AUTH_ANONYMOUS_ENABLED lets people look without a login, as the role it names."""
    kit.settings = GrafanaSettings(anonymous=True)
    async with grafana(kit) as client:
        assert (await client.get("/api/search")).status_code == 200
        assert (await client.post("/api/folders", json={"title": "x"})).status_code == 403


async def test_settings_tell_the_login_page_that_this_is_the_demo(client: httpx.AsyncClient) -> None:
    """Before login: whether it is the demo, no data sources. After: those too."""
    before = (await client.get("/api/frontend/settings")).json()
    assert before["demo"] is True
    assert "datasources" not in before
    await log_in(client)
    after = (await client.get("/api/frontend/settings")).json()
    assert sorted(after["datasources"]) == ["Loki", "Prometheus"]
    assert after["defaultDatasource"] == "Prometheus"


# -- dashboards ---------------------------------------------------------------------------------------------------------


async def test_provisioned_dashboard_is_found_and_read(kit: Kit, admin: httpx.AsyncClient) -> None:
    """Search lists folder and dashboard; reading gives its model and where it comes from."""
    kit.write("a.json", {"uid": "abc", "title": "A Board", "tags": ["t"], "panels": [], "schemaVersion": 38})
    hits = (await admin.get("/api/search")).json()
    assert [(hit["type"], hit["title"]) for hit in hits] == [("dash-folder", "Ours"), ("dash-db", "A Board")]
    assert hits[1]["url"] == "/d/abc/a-board"
    assert hits[1]["folderTitle"] == "Ours"
    answer = (await admin.get("/api/dashboards/uid/abc")).json()
    assert answer["dashboard"]["title"] == "A Board"
    assert answer["meta"]["provisioned"] is True
    assert answer["meta"]["provisionedExternalId"] == "a.json"
    assert (await admin.get("/api/search?query=nothing")).json() == []
    assert (await admin.get("/api/dashboards/tags")).json() == [{"term": "t", "count": 1}]


async def test_names_of_datasources_are_looked_up(kit: Kit, admin: httpx.AsyncClient) -> None:
    """An old dashboard names "Loki" or nothing at all; the model has the uid and type of the one that is there."""
    panels = [
        {"type": "logs", "datasource": "Loki", "targets": [{}]},
        {"type": "graph", "datasource": None, "targets": [{}]},
    ]
    kit.write("a.json", {"uid": "a", "title": "A", "panels": panels})
    model = (await admin.get("/api/dashboards/uid/a")).json()["dashboard"]
    assert [panel["datasource"]["uid"] for panel in model["panels"]] == ["logs", "prom"]


async def test_missing_dashboard_is_404(admin: httpx.AsyncClient) -> None:
    """With Grafana's message."""
    answer = await admin.get("/api/dashboards/uid/nope")
    assert (answer.status_code, answer.json()["message"]) == (404, "Dashboard not found")


async def test_save_checks_versions(admin: httpx.AsyncClient) -> None:
    """A save over a newer version is 412 unless it says overwrite."""
    first = await admin.post("/api/dashboards/db", json={"dashboard": {"title": "Mine", "panels": []}})
    assert first.status_code == 200
    uid = first.json()["uid"]
    again = {"dashboard": {"uid": uid, "title": "Mine", "version": 1}}
    assert (await admin.post("/api/dashboards/db", json=again)).json()["version"] == 2
    stale = await admin.post("/api/dashboards/db", json=again)
    assert (stale.status_code, stale.json()["status"]) == (412, "version-mismatch")
    assert (await admin.post("/api/dashboards/db", json={**again, "overwrite": True})).json()["version"] == 3
    assert len((await admin.get(f"/api/dashboards/uid/{uid}/versions")).json()["versions"]) == 3
    assert (await admin.delete(f"/api/dashboards/uid/{uid}")).status_code == 200
    assert (await admin.get(f"/api/dashboards/uid/{uid}")).status_code == 404


async def test_same_title_in_a_folder_is_412(admin: httpx.AsyncClient) -> None:
    """Two dashboards of one name in one folder would not be told apart."""
    body = {"dashboard": {"title": "Mine"}}
    assert (await admin.post("/api/dashboards/db", json=body)).status_code == 200
    twin = await admin.post("/api/dashboards/db", json=body)
    assert (twin.status_code, twin.json()["status"]) == (412, "name-exists")


async def test_provisioned_dashboards_are_saved_only_where_allowed(tmp_path: Path) -> None:
    """Without allowUiUpdates 400; deleting never."""
    kit = Kit(tmp_path, allow_ui_updates=False)
    kit.write("a.json", {"uid": "abc", "title": "A"})
    async with grafana(kit) as client:
        await log_in(client)
        answer = await client.post("/api/dashboards/db", json={"dashboard": {"uid": "abc", "title": "B"}})
        assert (answer.status_code, answer.json()["message"]) == (400, "Cannot save provisioned dashboard")
        assert (await client.delete("/api/dashboards/uid/abc")).status_code == 400
    kit.close()


async def test_saved_content_comes_back_unchanged(admin: httpx.AsyncClient) -> None:
    """What the migrations do not know or change is still there in the original."""
    board = {"title": "Old", "uid": "old", "rows": [{"panels": []}], "unheard": {"of": [1, 2.5, None, 2**70]}}
    assert (await admin.post("/api/dashboards/db", json={"dashboard": board})).status_code == 200
    assert (await admin.get("/api/dashboards/uid/old?original=true")).json()["dashboard"] == board


async def test_bodies_that_are_no_dashboards(admin: httpx.AsyncClient) -> None:
    """400 with a reason, never 500."""
    for body in (b"", b"[]", b"{", b'{"dashboard": 1}', b'{"dashboard": {}}', b"\xff"):
        answer = await admin.post("/api/dashboards/db", content=body)
        assert answer.status_code == 400
        assert answer.json()["message"]


async def test_folders(admin: httpx.AsyncClient) -> None:
    """Made, listed, renamed with a check of the version, removed with what is in them."""
    made = (await admin.post("/api/folders", json={"title": "Team", "uid": "team"})).json()
    assert (made["uid"], made["url"]) == ("team", "/dashboards/f/team/team")
    assert (await admin.post("/api/folders", json={"title": "team"})).status_code == 412
    board = {"dashboard": {"title": "In", "uid": "in"}, "folderUid": "team"}
    assert (await admin.post("/api/dashboards/db", json=board)).json()["folderUid"] == "team"
    assert [hit["title"] for hit in (await admin.get("/api/search?folderUIDs=team")).json()] == ["In"]
    renamed = await admin.put("/api/folders/team", json={"title": "Crew", "version": made["version"]})
    assert renamed.json()["title"] == "Crew"
    assert (await admin.put("/api/folders/team", json={"title": "X", "version": 1})).status_code == 412
    assert (await admin.put("/api/folders/team", json={"title": "X", "version": "odd"})).status_code == 200
    assert (await admin.get(f"/api/folders/id/{made['id']}")).json()["uid"] == "team"
    assert (await admin.delete("/api/folders/team")).status_code == 200
    assert (await admin.get("/api/dashboards/uid/in")).status_code == 404
    assert (await admin.get("/api/folders/team")).status_code == 404
    assert (await admin.get("/api/folders/general")).json()["title"] == "General"


async def test_versions_are_listed_and_restored(admin: httpx.AsyncClient) -> None:
    """An older version becomes the newest again."""
    for title in ("One", "Two"):
        await admin.post("/api/dashboards/db", json={"dashboard": {"uid": "v", "title": title}, "overwrite": True})
    first = (await admin.get("/api/dashboards/uid/v/versions/1")).json()
    assert first["data"]["title"] == "One"
    assert (await admin.post("/api/dashboards/uid/v/restore", json={"version": 1})).json()["version"] == 3
    assert (await admin.get("/api/dashboards/uid/v")).json()["dashboard"]["title"] == "One"
    assert (await admin.post("/api/dashboards/uid/v/restore", json={"version": 9})).status_code == 404


async def test_stars_preferences_and_home(kit: Kit, admin: httpx.AsyncClient) -> None:
    """A starred dashboard is found by it; the preferred home is where / leads."""
    kit.write("a.json", {"uid": "abc", "title": "A"})
    assert (await admin.post("/api/user/stars/dashboard/uid/abc")).status_code == 200
    assert [hit["uid"] for hit in (await admin.get("/api/search?starred=true")).json()] == ["abc"]
    assert (await admin.delete("/api/user/stars/dashboard/uid/abc")).status_code == 200
    assert (await admin.get("/api/search?starred=true")).json() == []
    assert (await admin.get("/api/dashboards/home")).json()["meta"]["isHome"] is True
    assert (
        await admin.put("/api/user/preferences", json={"homeDashboardUID": "abc", "theme": "light"})
    ).status_code == 200
    assert (await admin.get("/api/dashboards/home")).json() == {"redirectUri": "/d/abc/a"}
    assert (await admin.get("/api/user/preferences")).json()["theme"] == "light"


async def test_deep_nesting_is_refused(admin: httpx.AsyncClient) -> None:
    """400 where it is saved or migrated; the stack is safe."""
    deep = b'{"dashboard": {"title": "x", "a": ' + b"[" * 400 + b"]" * 400 + b"}}"
    for path in ("db", "migrate", "import"):
        answer = await admin.post(f"/api/dashboards/{path}", content=deep)
        assert (answer.status_code, "deep" in answer.json()["message"]) == (400, True)
    worse = await admin.post("/api/dashboards/db", content=b"[" * 200_000)
    assert worse.status_code == 400


async def test_migrating_without_saving(admin: httpx.AsyncClient) -> None:
    """Any dashboard JSON in today's schema; nothing is stored."""
    body = {"dashboard": {"title": "Old", "rows": [{"panels": [{"type": "graph", "span": 12}]}]}}
    model = (await admin.post("/api/dashboards/migrate", json=body)).json()["dashboard"]
    assert model["panels"][0]["fieldConfig"]["defaults"]["unit"] == "short"
    assert [panel["type"] for panel in model["panels"]] == ["timeseries"]
    assert (await admin.get("/api/search")).json() == []


async def test_annotations(admin: httpx.AsyncClient) -> None:
    """Stored, found by time and tag, changed, deleted."""
    body = {"text": "deploy", "time": NOW_MS, "timeEnd": NOW_MS + 5, "tags": ["x"], "dashboardUID": "d", "panelId": 2}
    number = (await admin.post("/api/annotations", json=body)).json()["id"]
    found = (await admin.get(f"/api/annotations?from={NOW_MS + 1}&to={NOW_MS + 9}&tags=x")).json()
    assert [(a["text"], a["panelId"]) for a in found] == [("deploy", 2)]
    assert (await admin.get(f"/api/annotations?from={NOW_MS + 6}")).json() == []
    assert (await admin.patch(f"/api/annotations/{number}", json={"text": "done"})).status_code == 200
    assert (await admin.get(f"/api/annotations/{number}")).json()["text"] == "done"
    assert (await admin.delete(f"/api/annotations/{number}")).status_code == 200
    assert (await admin.post("/api/annotations", json={"text": ""})).status_code == 400
    assert (await admin.post("/api/annotations", json={"text": "x", "time": 10**30})).status_code == 400
    assert (await admin.get(f"/api/annotations/{10**30}")).status_code == 404
    assert (await admin.get(f"/api/annotations?from={10**20}")).json() == []


# -- data sources -------------------------------------------------------------------------------------------------------


async def test_datasources_are_listed_without_secrets(kit: Kit, admin: httpx.AsyncClient) -> None:
    """Secrets are named, never shown; a source is found by uid, name and id."""
    secret = Datasource(3, "s", "Secret", "prometheus", "http://x:1", secure={"basicAuthPassword": "hunter2"})
    kit.datasources.append(secret)
    listed = await admin.get("/api/datasources")
    assert "hunter2" not in listed.text
    assert listed.json()[2]["secureJsonFields"] == {"basicAuthPassword": True}
    for path in ("uid/s", "name/Secret", "3"):
        assert (await admin.get(f"/api/datasources/{path}")).json()["name"] == "Secret"
    assert (await admin.get("/api/datasources/uid/none")).status_code == 404
    assert (await admin.get("/api/datasources/uid/prom/health")).json()["status"] == "OK"
    assert (await admin.get("/api/datasources/uid/logs/health")).json()["status"] == "OK"


async def test_proxy_to_our_own_door_drops_cookies(admin: httpx.AsyncClient) -> None:
    """In this process: path, query and body arrive; our session and its cookies do not, either way."""
    answer = await admin.post(
        "/api/datasources/proxy/uid/prom/api/v1/query?a=1", content=b"query=up", headers={"X-Other": "1"}
    )
    seen = answer.json()
    assert (seen["path"], seen["query"], seen["body"]) == ("/api/v1/query", "a=1", "query=up")
    assert not {"cookie", "authorization", "x-other"} & set(seen["headers"])
    assert "theirs" not in answer.headers.get("set-cookie", "")
    assert (await admin.get("/api/datasources/proxy/2/loki/api/v1/labels")).json()["path"] == "/loki/api/v1/labels"


async def test_proxy_over_http(kit: Kit, admin: httpx.AsyncClient) -> None:
    """A data source elsewhere: its own headers and password go out, our cookie does not."""
    async with serving(echo_app()) as url:
        kit.datasources.append(
            Datasource(
                7,
                "far",
                "Far",
                "prometheus",
                url,
                basic_auth=True,
                basic_auth_user="u",
                json_data={"httpHeaderName1": "X-Scope-OrgID"},
                secure={"basicAuthPassword": "p", "httpHeaderValue1": "t1"},
            )
        )
        answer = await admin.get("/api/datasources/proxy/uid/far/api/v1/labels?x=%2F")
        seen = answer.json()
        assert (seen["path"], seen["query"]) == ("/api/v1/labels", "x=%2F")
        assert seen["headers"]["authorization"] == "Basic dTpw"
        assert seen["headers"]["x-scope-orgid"] == "t1"
        assert "cookie" not in seen["headers"]
        assert "set-cookie" not in answer.headers
    gone = await admin.get("/api/datasources/proxy/uid/far/api/v1/labels")
    assert (gone.status_code, "cannot be reached" in gone.json()["message"]) == (502, True)


async def test_tailing_over_a_websocket(admin: httpx.AsyncClient) -> None:
    """Our own Loki's tail comes through, for people who are logged in, from our own pages."""
    path = "/api/datasources/proxy/uid/logs/loki/api/v1/tail?query=%7Ba%3D%22b%22%7D"
    url = f"{str(admin.base_url).replace('http', 'ws', 1).rstrip('/')}{path}"
    cookie = {"Cookie": f"grafana_session={admin.cookies['grafana_session']}"}
    async with websockets.connect(url, additional_headers=cookie) as socket:
        messages = [json.loads(message) async for message in socket]
    assert messages == [{"query": '{a="b"}', "cookie": None}] * 2
    strangers: list[dict[str, str]] = [{}, {**cookie, "Origin": "https://evil.example"}]
    for headers in strangers:
        with pytest.raises(websockets.exceptions.InvalidStatus):
            await websockets.connect(url, additional_headers=headers)


@pytest.mark.parametrize(
    "query",
    [
        {"expr": 3},
        {"expr": ""},
        {},
        {"expr": "up", "intervalMs": -5, "maxDataPoints": "x", "interval": "never", "step": 7},
        {"expr": "up", "intervalMs": 1e300},
        {"expr": "up", "datasource": {"uid": {"a": 1}}},
        {"expr": "up", "datasource": [1]},
        {"expr": "up", "datasource": 99},
        {"expr": "up", "timeRange": {"from": "later", "to": "now"}},
        {"expr": "up", "timeRange": {"from": "now", "to": "now-1h"}},
        {"expr": "up", "timeRange": {"from": -(10**30), "to": 10**30}},
        {"expr": "up", "legendFormat": 3, "format": [], "refId": 7},
    ],
)
async def test_odd_queries_are_answered(admin: httpx.AsyncClient, query: dict[str, Any]) -> None:
    """With frames or with an error that says why; never with a 500."""
    answer = await _query(admin, query)
    assert answer.status_code in (200, 207)
    (result,) = answer.json()["results"].values()
    assert result["status"] < 500
    assert result["frames"] or result["error"]


@pytest.mark.parametrize("far", [False, True])
async def test_proxy_streams(kit: Kit, far: bool) -> None:
    """What the data source has sent arrives before it has sent the rest."""
    more = asyncio.Event()

    async def slowly(_: Request) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"first "
            await more.wait()
            yield b"second"

        return StreamingResponse(parts())

    app = Starlette(routes=[Route("/api/v1/export", slowly)])
    async with serving(app) as url:
        kit.datasources.append(Datasource(7, "far", "Far", "prometheus", url))
        local = {} if far else {url: app}
        deps = dataclasses.replace(kit.deps(), local=local)
        async with (
            serving(create_grafana_app(deps)) as base,
            httpx.AsyncClient(base_url=base, auth=ADMIN) as client,
            client.stream("GET", "/api/datasources/proxy/uid/far/api/v1/export") as answer,
        ):
            chunks = answer.aiter_bytes()
            assert await anext(chunks) == b"first "
            more.set()
            assert await anext(chunks) == b"second"


async def test_proxy_paths_stay_inside(kit: Kit, admin: httpx.AsyncClient) -> None:
    """No dots; and viewers cannot reach what changes data."""
    assert (await admin.get("/api/datasources/proxy/uid/prom/api/v1/%2e%2e/x")).status_code in (400, 404)
    kit.accounts.add_user("eve", "viewer-password")
    eve = ("eve", "viewer-password")
    path = "/api/datasources/proxy/uid/prom/api/v1/admin/tsdb/delete_series"
    admin.cookies.clear()
    assert (await admin.post(path, auth=eve)).status_code == 403
    assert (await admin.get("/api/datasources/proxy/uid/prom/api/v1/labels", auth=eve)).status_code == 200


# -- queries ------------------------------------------------------------------------------------------------------------


async def _query(client: httpx.AsyncClient, *queries: dict[str, Any], **body: Any) -> httpx.Response:
    full = [
        {"refId": "A", "datasource": {"uid": "prom", "type": "prometheus"}, "intervalMs": 15_000, **q} for q in queries
    ]
    return await client.post("/api/ds/query", json={"from": "now-1m", "to": "now", "queries": full, **body})


async def test_range_query_gives_a_frame_per_series(admin: httpx.AsyncClient) -> None:
    """Times and values in columns on a grid aligned to the step; absent points left out; the legend applied."""
    answer = await _query(admin, {"expr": "up", "legendFormat": "{{job}}"})
    assert answer.status_code == 200
    frames = answer.json()["results"]["A"]["frames"]
    assert [frame["schema"]["name"] for frame in frames] == ["backend", "prometheus"]
    times, values = frames[0]["data"]["values"]
    assert times == [1_699_999_935_000 + i * 15_000 for i in range(5)]
    assert values == [time / 1000 for time in times]
    assert frames[1]["data"]["values"][0] == times[::2]
    field = frames[0]["schema"]["fields"][1]
    assert field["labels"] == {"__name__": "up", "job": "backend"}
    assert field["config"]["displayNameFromDS"] == "backend"
    assert "Step: 15s" in frames[0]["schema"]["meta"]["executedQueryString"]


async def test_same_expression_is_evaluated_once(kit: Kit, admin: httpx.AsyncClient) -> None:
    """Two queries of one request that differ only in their legend share the work."""
    await _query(
        admin, {"expr": "up"}, {"refId": "B", "expr": "up", "legendFormat": "x"}, {"refId": "C", "expr": "up{}"}
    )
    assert sorted(query for query, _ in kit.metrics.asked) == ["up", "up{}"]


async def test_exemplars_come_with_the_query(kit: Kit) -> None:
    """`exemplar: true` adds a frame to the answer of a range query, from our own door and from others' alike; no further request."""
    asked: list[str] = []

    async def exemplars(request: Request) -> JSONResponse:
        asked.append(request.query_params["query"])
        one = {"labels": {"trace_id": "abc"}, "value": "0.5", "timestamp": 1_699_999_990}
        return JSONResponse({"status": "success", "data": [{"seriesLabels": {"job": "x"}, "exemplars": [one]}]})

    async def values(_: Request) -> JSONResponse:
        result = [{"metric": {"job": "x"}, "values": [[1_699_999_990, "1"]]}]
        return JSONResponse({"status": "success", "data": {"resultType": "matrix", "result": result}})

    app = Starlette(routes=[Route("/api/v1/query_exemplars", exemplars), Route("/api/v1/query_range", values)])
    async with serving(app) as url:
        kit.datasources.append(Datasource(3, "far", "Far", "prometheus", url))
        deps = dataclasses.replace(kit.deps(), local={PROMETHEUS_URL: app})
        async with serving(create_grafana_app(deps)) as ours, httpx.AsyncClient(base_url=ours, timeout=20) as client:
            await log_in(client)
            far = {"refId": "B", "expr": "x", "exemplar": True, "datasource": {"uid": "far"}}
            instant = {"refId": "C", "expr": "up", "exemplar": True, "instant": True, "range": False}
            answer = await _query(client, {"expr": "up", "exemplar": True}, far, instant)
    results = answer.json()["results"]
    for ref_id in ("A", "B"):
        frame = results[ref_id]["frames"][-1]
        assert frame["schema"]["name"] == "exemplar"
        assert frame["data"]["values"] == [[1_699_999_990_000], [0.5], ["x"], ["abc"]]
    assert all(frame["schema"]["name"] != "exemplar" for frame in results["C"]["frames"])
    assert sorted(asked) == ["up", "x"]


async def test_exemplars_of_our_own_prometheus_door(kit: Kit) -> None:
    """What the metric store keeps comes with the query, through the door's own handler and without a socket."""
    async with door() as metrics:
        store = metrics.stores.store("")
        refs = store.resolve([labels_of({"__name__": "up", "job": "backend"})])
        one = Exemplar(labels_of({"trace_id": "abc"}), 0.25, NOW_MS - 5_000)
        store.append(WriteBatch(refs, np.array([NOW_MS - 5_000]), np.array([1.0]), exemplars=((int(refs[0]), one),)))
        deps = dataclasses.replace(kit.deps(), local={PROMETHEUS_URL: Starlette(routes=list(metrics.routes))})
        async with serving(create_grafana_app(deps)) as ours, httpx.AsyncClient(base_url=ours, timeout=20) as client:
            await log_in(client)
            answer = await _query(client, {"expr": "up", "exemplar": True})
    frame = answer.json()["results"]["A"]["frames"][-1]
    assert [field["name"] for field in frame["schema"]["fields"]] == ["Time", "Value", "__name__", "job", "trace_id"]
    assert frame["data"]["values"] == [[NOW_MS - 5_000], [0.25], ["up"], ["backend"], ["abc"]]


async def test_exemplars_that_fail_leave_the_graph(admin: httpx.AsyncClient) -> None:
    """A data source without exemplars still answers the query itself."""
    answer = await _query(admin, {"expr": "up", "exemplar": True})
    assert answer.status_code == 200
    assert len(answer.json()["results"]["A"]["frames"]) == 2


EXPRESSION = {"uid": "__expr__", "type": "__expr__"}


async def test_expressions_over_queries(admin: httpx.AsyncClient) -> None:
    """Reduced, calculated with and compared, in any order; hidden queries are asked but not answered with."""
    answer = await _query(
        admin,
        {"refId": "D", "datasource": EXPRESSION, "type": "math", "expression": "$C * 2 + $B"},
        {"refId": "A", "expr": "up", "hide": True},
        {"refId": "B", "datasource": EXPRESSION, "type": "reduce", "expression": "A", "reducer": "count"},
        {"refId": "C", "datasource": EXPRESSION, "type": "math", "expression": "is_number($A)"},
    )
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert sorted(results) == ["B", "C", "D"]
    counts = {
        frame["schema"]["fields"][0]["labels"]["job"]: frame["data"]["values"] for frame in results["B"]["frames"]
    }
    assert counts == {"backend": [[5]], "prometheus": [[3]]}
    (first, second) = results["D"]["frames"]
    assert [field["name"] for field in first["schema"]["fields"]] == ["Time", "D"]
    assert first["data"]["values"][1] == [7, 7, 7, 7, 7]
    assert second["data"]["values"][1] == [5, 5, 5]
    assert second["schema"]["fields"][1]["labels"] == {"__name__": "up", "job": "prometheus"}


async def test_expressions_that_fail(admin: httpx.AsyncClient) -> None:
    """Each says which query is at fault; the others are answered."""
    answer = await _query(
        admin,
        {"refId": "A", "expr": "broken("},
        {"refId": "B", "datasource": EXPRESSION, "type": "math", "expression": "$A + 1"},
        {"refId": "C", "datasource": EXPRESSION, "type": "math", "expression": "$Z"},
        {"refId": "D", "datasource": EXPRESSION, "type": "math", "expression": "1 +"},
        {"refId": "E", "datasource": EXPRESSION, "type": "math", "expression": "$F"},
        {"refId": "F", "datasource": EXPRESSION, "type": "math", "expression": "$E"},
        {"refId": "G", "datasource": EXPRESSION, "type": "sql", "expression": "SELECT 1"},
        {"refId": "H", "datasource": EXPRESSION, "type": "math", "expression": "nan() * 2"},
    )
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert {ref: result["error"] for ref, result in results.items() if "error" in result} == {
        "A": "1:8: parse error: unclosed left parenthesis",
        "B": "B: its query A failed: 1:8: parse error: unclosed left parenthesis",
        "C": "C: there is no query 'Z'",
        "D": "D: something is missing at the end of '1 +'",
        "E": "E: E -> F -> E refer to each other",
        "F": "E: E -> F -> E refer to each other",
        "G": "G: SQL expressions are not evaluated here (there are: math, reduce, resample, threshold)",
    }
    assert results["H"]["frames"][0]["data"] == {"values": [[None]], "entities": [{"NaN": [0]}]}


async def test_errors_stay_with_their_query(admin: httpx.AsyncClient) -> None:
    """One broken query does not take the others along: 207, and each result says how it went."""
    answer = await _query(admin, {"expr": "broken("}, {"refId": "B", "expr": "up"})
    results = answer.json()["results"]
    assert answer.status_code == 207
    assert results["A"] == {
        "status": 400,
        "error": "1:8: parse error: unclosed left parenthesis",
        "errorSource": "downstream",
        "frames": [],
    }
    assert len(results["B"]["frames"]) == 2
    unknown = await _query(admin, {"expr": "up", "datasource": {"uid": "none"}})
    assert "was not found" in unknown.json()["results"]["A"]["error"]
    assert (await admin.post("/api/ds/query", json={"queries": []})).status_code == 400


async def test_instant_table(admin: httpx.AsyncClient) -> None:
    """One frame: Time, a column per label, the value."""
    answer = await _query(admin, {"expr": "up", "instant": True, "range": False, "format": "table"})
    (frame,) = answer.json()["results"]["A"]["frames"]
    assert [field["name"] for field in frame["schema"]["fields"]] == ["Time", "__name__", "job", "Value"]
    assert frame["data"]["values"][2] == ["backend", "prometheus"]
    assert frame["data"]["values"][0] == [NOW_MS, NOW_MS]


async def test_values_that_json_cannot_write(admin: httpx.AsyncClient) -> None:
    """NaN and infinities are null in the column and named in entities."""
    answer = await _query(admin, {"expr": "odd"})
    data = answer.json()["results"]["A"]["frames"][0]["data"]
    assert data["values"][1] == [1.0, None, None, None, 1.0]
    assert data["entities"] == [None, {"NaN": [1], "Inf": [2], "NegInf": [3]}]


async def test_heatmap_buckets_lose_their_accumulation(admin: httpx.AsyncClient) -> None:
    """format=heatmap: a column per bucket from the lowest on, each with its own count."""
    answer = await _query(admin, {"expr": "buckets", "format": "heatmap"})
    (frame,) = answer.json()["results"]["A"]["frames"]
    assert [field["name"] for field in frame["schema"]["fields"]] == ["Time", "0.1", "0.5", "+Inf"]
    assert [column[0] for column in frame["data"]["values"][1:]] == [1.0, 3.0, 5.0]


async def test_log_lines(admin: httpx.AsyncClient) -> None:
    """One frame, newest first over all streams, with labels and metadata as objects and exact times as text."""
    query = {"datasource": {"uid": "logs", "type": "loki"}, "expr": '{job="backend"}', "queryType": "range"}
    answer = await _query(admin, query)
    (frame,) = answer.json()["results"]["A"]["frames"]
    assert [field["name"] for field in frame["schema"]["fields"]] == ["labels", "Time", "Line", "tsNs", "id"]
    labels, times, lines, exact, ids = frame["data"]["values"]
    assert lines == ["ERROR b", "fine", "ERROR a"]
    assert labels[1] == {"job": "backend", "level": "info", "trace": "t1"}
    assert exact[0] == str(NOW_MS * 10**6 - 1)
    assert times[0] == NOW_MS - 1
    assert len(set(ids)) == 3


async def test_leaving_cancels_the_query(kit: Kit, admin: httpx.AsyncClient) -> None:
    """When the asker goes away the engine stops."""
    with pytest.raises(httpx.ReadTimeout):
        await admin.post(
            "/api/ds/query",
            json={"queries": [{"refId": "A", "expr": "slow", "datasource": {"uid": "prom"}}]},
            timeout=0.3,
        )
    assert await asyncio.to_thread(kit.metrics.stopped.wait, 10)


# -- the UI's files -----------------------------------------------------------------------------------------------------


async def test_ui_files(kit: Kit) -> None:
    """Hashed assets for ever, index.html never cached and with a policy, client routes get it, missing files do not."""
    ui = kit.folder / "ui"
    (ui / "assets").mkdir(parents=True)
    (ui / "index.html").write_text("<!doctype html>")
    (ui / "assets" / "app-a1b2c3d4.js").write_text("let x")
    (ui / "assets" / "app-a1b2c3d4.js.br").write_bytes(b"packed")
    kit.ui_dir = ui
    async with grafana(kit) as client:
        page = await client.get("/d/abc/some-board")
        assert page.text == "<!doctype html>"
        assert page.headers["cache-control"] == "no-cache"
        assert page.headers["content-security-policy"].startswith("default-src 'self'; style-src")
        plain = await client.get("/assets/app-a1b2c3d4.js", headers={"Accept-Encoding": "identity"})
        assert plain.text == "let x"
        assert "immutable" in plain.headers["cache-control"]
        assert plain.headers["content-type"].startswith("text/javascript")
        packed = await client.head("/assets/app-a1b2c3d4.js", headers={"Accept-Encoding": "gzip, br"})
        assert packed.headers["content-encoding"] == "br"
        assert (await client.get("/assets/gone.js")).status_code == 404
        assert (await client.get("/../../etc/passwd")).status_code in (200, 404)
        missing = await client.get("/api/nothing", auth=ADMIN)
        assert (missing.status_code, missing.json()) == (404, {"message": "Not found"})


async def test_a_rebuilt_ui_is_noticed(kit: Kit) -> None:
    """Without a restart: new names of assets are served once index.html has changed."""
    kit.ui_dir = kit.folder / "ui"
    kit.ui_dir.mkdir()
    async with grafana(kit) as client:
        assert "not built" in (await client.get("/")).text
        (kit.ui_dir / "index.html").write_text("one")
        (kit.ui_dir / "app.js").write_text("1")
        assert (await client.get("/")).text == "one"
        assert (await client.get("/app.js")).text == "1"


async def test_serving_from_a_sub_path(kit: Kit) -> None:
    """GF_SERVER_ROOT_URL with a path: everything is below it, addresses too, and the cookie."""
    kit.settings = GrafanaSettings(root_url="http://x/grafana/", serve_from_sub_path=True)
    kit.write("a.json", {"uid": "abc", "title": "A"})
    async with grafana(kit) as client:
        answer = await client.post("/grafana/login", json={"user": "admin", "password": "admin"})
        assert "Path=/grafana" in answer.headers["set-cookie"]
        hits = (await client.get("/grafana/api/search?type=dash-db")).json()
        assert hits[0]["url"] == "/grafana/d/abc/a"


async def test_import_with_inputs(admin: httpx.AsyncClient) -> None:
    """The choices for `__inputs` are filled in and saved."""
    board = {
        "title": "Shared",
        "__inputs": [{"name": "DS_P", "type": "datasource", "pluginId": "prometheus"}],
        "panels": [{"type": "timeseries", "datasource": "${DS_P}", "targets": [{"expr": "up"}]}],
    }
    body = {"dashboard": board, "inputs": [{"name": "DS_P", "type": "datasource", "value": "prom"}], "overwrite": True}
    made = (await admin.post("/api/dashboards/import", json=body)).json()
    assert made["imported"] is True
    model = (await admin.get(f"/api/dashboards/uid/{made['uid']}")).json()["dashboard"]
    assert model["panels"][0]["datasource"]["uid"] == "prom"


async def test_resources_of_loki(admin: httpx.AsyncClient) -> None:
    """Grafana's resource paths are those of Loki's API."""
    answer = await admin.get("/api/datasources/uid/logs/resources/label/job/values")
    assert answer.json()["path"] == "/loki/api/v1/label/job/values"


async def test_metrics_page(client: httpx.AsyncClient) -> None:
    """/metrics needs no login, as Grafana's."""
    assert (await client.get("/metrics")).text == "spyglass_up 1\n"


# -- library panels -----------------------------------------------------------------------------------------------------

_LIBRARY = "/api/library-elements"
_CPU = {"name": "CPU", "kind": 1, "uid": "cpu", "model": {"type": "gauge", "title": "CPU"}}


async def test_library_panel_life(admin: httpx.AsyncClient) -> None:
    """Made, read by uid and name, changed with its version, listed, removed."""
    made = (await admin.post(_LIBRARY, json=_CPU)).json()["result"]
    assert (made["uid"], made["version"], made["type"], made["meta"]["folderName"]) == ("cpu", 1, "gauge", "General")
    assert (await admin.get(f"{_LIBRARY}/cpu")).json()["result"] == made
    assert (await admin.get(f"{_LIBRARY}/name/CPU")).json()["result"] == [made]
    change = {"name": "CPU 2", "kind": 1, "version": 1, "model": {"type": "stat"}}
    changed = await admin.patch(f"{_LIBRARY}/cpu", json=change)
    assert (changed.status_code, changed.json()["result"]["version"]) == (200, 2)
    late = await admin.patch(f"{_LIBRARY}/cpu", json=change)
    assert late.status_code == 412
    assert late.json() == {"message": "the library element has been changed by someone else"}
    page = (await admin.get(_LIBRARY, params={"searchString": "cpu", "typeFilter": "stat", "kind": 1})).json()["result"]
    assert (page["totalCount"], page["page"], page["perPage"]) == (1, 1, 100)
    assert page["elements"][0]["model"] == {"type": "stat"}
    gone = await admin.delete(f"{_LIBRARY}/cpu")
    assert gone.json()["message"] == "Library element deleted"
    assert (await admin.get(f"{_LIBRARY}/cpu")).status_code == 404
    assert (await admin.get(f"{_LIBRARY}/name/CPU 2")).json() == {"message": "library element could not be found"}


async def test_library_panel_is_refused(kit: Kit, admin: httpx.AsyncClient) -> None:
    """Taken names are 400, unknown folders and elements 404, bodies without a name 400; viewers may read only."""
    await admin.post(_LIBRARY, json=_CPU)
    taken = await admin.post(_LIBRARY, json={**_CPU, "uid": "other"})
    assert (taken.status_code, taken.json()["message"]) == (400, "library element with that name or UID already exists")
    assert (await admin.post(_LIBRARY, json={**_CPU, "name": "x"})).status_code == 400
    assert (await admin.post(_LIBRARY, json={"model": {}})).status_code == 400
    assert (await admin.post(_LIBRARY, json={"name": "y", "model": 3})).status_code == 400
    assert (await admin.post(_LIBRARY, json={**_CPU, "uid": "z", "folderUid": "none"})).status_code == 404
    assert (await admin.patch(f"{_LIBRARY}/none", json={"version": 1})).status_code == 404
    assert (await admin.delete(f"{_LIBRARY}/none")).status_code == 404
    assert (await admin.get(f"{_LIBRARY}/none/connections")).status_code == 404
    eve = ("eve", "viewer-password")
    kit.accounts.add_user(*eve)
    async with httpx.AsyncClient(base_url=admin.base_url, auth=eve) as viewer:
        assert (await viewer.get(f"{_LIBRARY}/cpu")).status_code == 200
        assert (await viewer.post(_LIBRARY, json=_CPU)).status_code == 403
        assert (await viewer.delete(f"{_LIBRARY}/cpu")).status_code == 403


async def test_dashboards_show_library_panels(admin: httpx.AsyncClient) -> None:
    """The model comes with the dashboard; who shows it is known, and keeps it from being removed."""
    await admin.post(_LIBRARY, json=_CPU)
    panel = {"id": 3, "gridPos": {"x": 0, "y": 0, "w": 6, "h": 4}, "libraryPanel": {"uid": "cpu", "name": "CPU"}}
    body = {"dashboard": {"title": "Shows", "uid": "shows", "panels": [panel]}}
    saved = (await admin.post("/api/dashboards/db", json=body)).json()
    shown = (await admin.get("/api/dashboards/uid/shows")).json()["dashboard"]["panels"][0]
    assert (shown["type"], shown["id"], shown["libraryPanel"]["uid"]) == ("gauge", 3, "cpu")
    connections = (await admin.get(f"{_LIBRARY}/cpu/connections")).json()["result"]
    assert [(one["connectionUid"], one["connectionId"]) for one in connections] == [("shows", saved["id"])]
    assert (await admin.get(f"{_LIBRARY}/cpu")).json()["result"]["meta"]["connectedDashboards"] == 1
    refused = await admin.delete(f"{_LIBRARY}/cpu")
    assert (refused.status_code, refused.json()["message"]) == (403, "the library element has connections")
    await admin.delete("/api/dashboards/uid/shows")
    assert (await admin.delete(f"{_LIBRARY}/cpu")).status_code == 200


async def test_library_panels_move_with_their_folder(admin: httpx.AsyncClient) -> None:
    """One is kept in a folder, found there, and falls back to General when the folder goes."""
    folder = (await admin.post("/api/folders", json={"title": "Team"})).json()
    made = await admin.post(_LIBRARY, json={**_CPU, "folderUid": folder["uid"]})
    assert made.json()["result"]["meta"]["folderName"] == "Team"
    for params in ({"folderFilterUIDs": folder["uid"]}, {"folderFilter": str(folder["id"])}):
        assert (await admin.get(_LIBRARY, params=params)).json()["result"]["totalCount"] == 1
    assert (await admin.get(_LIBRARY, params={"folderFilterUIDs": "general"})).json()["result"]["totalCount"] == 0
    await admin.delete(f"/api/folders/{folder['uid']}")
    assert (await admin.get(f"{_LIBRARY}/cpu")).json()["result"]["folderUid"] == ""


async def test_import_fills_the_library(admin: httpx.AsyncClient) -> None:
    """`__elements` of an exported dashboard go into the library, with the importer's choices; what is there stays."""
    await admin.post(_LIBRARY, json=_CPU)
    elements = {
        "cpu": {"uid": "cpu", "name": "Other", "kind": 1, "model": {"type": "text"}},
        "mem": {"uid": "mem", "name": "Memory", "kind": 1, "model": {"type": "stat", "datasource": {"uid": "${DS}"}}},
    }
    panels = [{"id": i, "libraryPanel": {"uid": uid, "name": uid}} for i, uid in enumerate(elements, start=1)]
    model = {
        "title": "Imported",
        "uid": "imported",
        "panels": panels,
        "__inputs": [{"name": "DS", "type": "datasource", "pluginId": "prometheus"}],
        "__elements": elements,
    }
    inputs = [{"name": "DS", "type": "datasource", "pluginId": "prometheus", "value": "prom"}]
    answer = await admin.post("/api/dashboards/import", json={"dashboard": model, "inputs": inputs})
    assert answer.status_code == 200
    memory = (await admin.get(f"{_LIBRARY}/mem")).json()["result"]
    assert (memory["name"], memory["model"]["datasource"]) == ("Memory", {"uid": "prom"})
    shown = (await admin.get("/api/dashboards/uid/imported")).json()["dashboard"]
    assert [panel["type"] for panel in shown["panels"]] == ["gauge", "stat"]
    original = (await admin.get("/api/dashboards/uid/imported?original=1")).json()["dashboard"]
    assert "__elements" not in original
