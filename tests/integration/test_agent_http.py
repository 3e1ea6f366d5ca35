"""The agent's own page."""

from pathlib import Path

import httpx
from tests.support.agents import agent_config, append, running
from tests.support.loki_receiver import LokiReceiver
from tests.support.waiting import until

from spyglass.agent.http import create_agent_app
from spyglass.agent.manager import AgentManager
from spyglass.config.promtail import parse_promtail
from spyglass.model.errors import ConfigError


def page_of(manager: AgentManager, **options: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=create_agent_app(manager, **options))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://agent")


async def test_the_page_of_a_running_agent(tmp_path: Path) -> None:
    """Ready, its files with how far they were read, its metrics under Promtail's names, its configuration without secrets."""
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "a<b>.log"
    append(path, "one", "two")
    job = {
        "pipeline_stages": [{"metrics": {"seen": {"type": "Counter", "config": {"match_all": True, "action": "inc"}}}}],
        "syslog": {"listen_address": "0.0.0.0:1514"},
    }
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url, **job) as manager, page_of(manager) as page:
        await until(lambda: len(receiver.lines()) == 2)
        assert (await page.get("/ready")).text == "Ready\n"
        targets = (await page.get("/targets")).json()
        (file,) = targets["jobs"][0]["targets"]
        assert (file["path"], file["position"], file["labels"]["job"]) == (str(path), 8, "app")
        assert "syslog: not supported yet" in targets["not_supported"][0]
        html = (await page.get("/targets", headers={"accept": "text/html"})).text
        assert "a&lt;b&gt;.log" in html
        assert "8 of 8 bytes" in html
        (found,) = (await page.get("/service-discovery")).json()["jobs"][0]["targets"]
        assert found["discovered"]["__address__"] == "localhost"
        assert "Discovered" in (await page.get("/service-discovery", headers={"accept": "text/html"})).text
        metrics = (await page.get("/metrics")).text
        await until(lambda: manager.metrics.sent_entries.collect().samples[0][2] == 2)
        assert f'promtail_read_lines_total{{path="{path}"}} 2' in metrics
        assert "promtail_custom_seen" in metrics
        assert "scrape_configs:" in (await page.get("/config")).text
        assert (await page.post("/reload")).status_code == 403
        assert (await page.get("/")).headers["location"] == "targets"


async def test_before_and_after_it_runs(tmp_path: Path) -> None:
    """An agent that does not run is not ready; a reload that fails says where the file is wrong."""
    text = agent_config(tmp_path, "http://127.0.0.1:1/loki/api/v1/push")

    async def reload() -> None:
        raise ConfigError("is wrong", file="promtail.yml", line=7, key="clients")

    class Still:
        def now_ns(self) -> int:
            return 0

        monotonic_ns = now_ns

        async def sleep(self, seconds: float) -> None:
            raise AssertionError(f"nobody sleeps {seconds} s here")

    manager = AgentManager(parse_promtail(text, file="p.yml"), clock=Still())
    async with page_of(manager, reload=reload) as page:
        assert (await page.get("/ready")).status_code == 503
        answer = await page.get("/reload")
        assert (answer.status_code, answer.text) == (
            500,
            "failed to reload config: promtail.yml:7: clients: is wrong\n",
        )
