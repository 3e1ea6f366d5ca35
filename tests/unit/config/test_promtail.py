"""promtail-config.yml: what loads, what is refused with file and line, what is named as not there."""

import re
from pathlib import Path

import pytest
from tests.conformance_data import CONFORMANCE, needs_conformance

from spyglass.config.promtail import StageSpec, load_promtail, parse_promtail
from spyglass.config.promtail_stages import DropStage, JsonStage
from spyglass.model.errors import ConfigError

ADR = Path(__file__).parents[3] / "config" / "promtail" / "promtail-config.yml"
SECOND = 10**9


def test_the_decision_records_file() -> None:
    """It loads unchanged and without a warning."""
    loaded = load_promtail(ADR)
    assert loaded.warnings == ()
    assert loaded.config.server.http_listen_port == 9080
    assert [client.url for client in loaded.config.all_clients] == ["http://loki:3100/loki/api/v1/push"]
    assert [[stage.name for stage in stages] for stages in loaded.pipelines] == [["json", "labels", "timestamp"], []]
    assert loaded.config.scrape_configs[1].docker_sd_configs[0].refresh_interval == 5 * SECOND


@needs_conformance
def test_files_of_public_repositories() -> None:
    """All of them load."""
    files = sorted((CONFORMANCE / "configs" / "promtail").iterdir())
    assert files
    for file in files:
        load_promtail(file)


def test_defaults_are_upstreams() -> None:
    """What a minimal file means."""
    config = parse_promtail("clients: [{url: http://loki:3100/loki/api/v1/push}]", file="p.yml").config
    (client,) = config.all_clients
    assert (client.batchwait, client.batchsize, client.timeout) == (SECOND, 1 << 20, 10 * SECOND)
    assert client.backoff_config.max_period == 300 * SECOND
    assert config.positions.filename == "/var/log/positions.yaml"
    assert config.target_config.sync_period == 10 * SECOND


def test_scalars_stay_what_the_file_says() -> None:
    """Label values keep their zeros; a key without value keeps its default."""
    text = "scrape_configs: [{job_name: 1.10, static_configs: [{labels: {v: 1.10, on: yes, n: }}], relabel_configs: }]"
    (job,) = parse_promtail(text, file="p.yml").config.scrape_configs
    assert job.job_name == "1.10"
    assert job.static_configs[0].labels == {"v": "1.10", "on": "yes", "n": ""}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server: {}\nclientz: []", "p.yml:2: clientz: field clientz is not known here"),
        ("clients:\n  - url: loki", "p.yml:2: clients[0].url: should be a URL such as http://host:8080, found 'loki'"),
        (
            "scrape_configs:\n  - job_name: a\n    pathes: x",
            "p.yml:3: scrape_configs[0].pathes: field pathes is not known",
        ),
        (
            "scrape_configs:\n- pipeline_stages:\n  - jsn: {}",
            "p.yml:3: scrape_configs[0].pipeline_stages[0].jsn: there is no stage of this name",
        ),
        (
            "scrape_configs:\n- pipeline_stages:\n  - json: {}\n",
            "p.yml:3: scrape_configs[0].pipeline_stages[0].json.expressions: is required",
        ),
        (
            "scrape_configs:\n- pipeline_stages:\n  - regex:\n      expression: '(?P<a>'",
            "p.yml:4: scrape_configs[0].pipeline_stages[0].regex.expression: error parsing regexp",
        ),
        (
            "scrape_configs:\n- pipeline_stages:\n  - match:\n      selector: '{}'\n      stages:\n      - tenant: {}",
            "p.yml:6: scrape_configs[0].pipeline_stages[0].match.stages[0].tenant: exactly one of label",
        ),
        ("scrape_configs:\n- pipeline_stages:\n  - a: 1\n    b: 2", "p.yml:3: .*a stage is a mapping with one key"),
        ("scrape_configs:\n- pipeline_stages:\n  - labels: [x]", "p.yml:3: .*labels: should map label names"),
        ("scrape_configs:\n- pipeline_stages:\n  - drop: {}", "p.yml:3: .*drop: needs at least one of source"),
        ("scrape_configs:\n- pipeline_stages:\n  - sampling: {rate: 2}", "p.yml:3: .*rate: .*less than or equal to 1"),
        ("scrape_configs:\n- pipeline_stages:\n  - limit: {rate: 1, burst: 1, by_label_name: x}", "needs drop: true"),
        (
            "scrape_configs:\n- pipeline_stages:\n  - metrics: {x: {type: Counter}}",
            "action of a counter is one of inc, add",
        ),
        ("scrape_configs: [{encoding: klingon}]", "encoding: there is no encoding 'klingon'"),
        ("positions: {sync_period: soon}", "p.yml:1: positions.sync_period: should be a duration"),
    ],
)
def test_mistakes_name_the_place(text: str, message: str) -> None:
    """File, line, key, and what is wrong."""
    with pytest.raises(ConfigError) as caught:
        parse_promtail(text, file="p.yml")
    pattern = message.replace("[", r"\[").replace("(?P", r"\(\?P")
    assert re.search(pattern, str(caught.value)), str(caught.value)


def test_what_is_not_there_is_named() -> None:
    """Sources and stages that load but give nothing, and keys that a stage ignores, in file order."""
    text = (
        "scrape_configs:\n- journal: {max_age: 12h}\n  pipeline_stages:\n  - geoip: {db: x}\n"
        "  - drop: {source: a, sorce: b}\n- kubernetes_sd_configs: [{role: pod}]\n"
    )
    loaded = parse_promtail(text, file="p.yml")
    assert [warning.split(": ", 2)[0] for warning in loaded.warnings] == ["p.yml:2", "p.yml:4", "p.yml:5", "p.yml:6"]
    assert "this source gives no lines" in loaded.warnings[0]
    assert [stage.name for stage in loaded.pipelines[0]] == ["drop"]


def test_stages_become_specs() -> None:
    """A name without a value is its own source; stages of a match hang below it."""
    text = (
        "scrape_configs:\n- pipeline_stages:\n  - json: {expressions: {level: , user: a.b}}\n"
        "  - match:\n      selector: '{a=\"b\"}'\n      stages:\n      - drop: {source: x}\n"
    )
    first, second = parse_promtail(text, file="p.yml").pipelines[0]
    assert first == StageSpec(
        "json",
        JsonStage(expressions={"level": "level", "user": "a.b"}),
        (),
        "p.yml",
        3,
        "scrape_configs[0].pipeline_stages[0].json",
    )
    assert [inner.options for inner in second.inner] == [DropStage(source=("x",))]


def test_environment_is_expanded_on_request(tmp_path: Path) -> None:
    """As with -config.expand-env."""
    file = tmp_path / "p.yml"
    file.write_text("clients: [{url: 'http://${HOST:-loki}:3100/loki/api/v1/push'}]")
    loaded = load_promtail(file, expand_env=True, environment={"HOST": "logs"})
    assert loaded.config.clients[0].url == "http://logs:3100/loki/api/v1/push"
    with pytest.raises(ConfigError, match="No such file"):
        load_promtail(tmp_path / "absent.yml")
