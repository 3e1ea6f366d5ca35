"""spyglass.yml: mapping of hosts and paths, defaults, mistakes."""

from pathlib import Path

import pytest
from tests.conformance_data import ROOT

from spyglass.config.spyglass import load_installation
from spyglass.model.errors import ConfigError


def test_the_shipped_file_maps_compose_hosts_and_container_paths() -> None:
    """The decision record's names become this machine's."""
    found = load_installation(ROOT / "config")
    assert found.map_address("backend:3000") == "127.0.0.1:3000"
    assert found.map_url("http://loki:3100/loki/api/v1/push") == "http://127.0.0.1:3100/loki/api/v1/push"
    assert found.map_path("/app/logs/*.log") == f"{ROOT}/logs/*.log"
    assert found.map_path("/app/logsx/a") == "/app/logsx/a"
    assert found.data == ROOT / "var/spyglass"


def test_a_folder_without_the_file_is_an_installation(tmp_path: Path) -> None:
    """Files at their usual places are found; everything else has a default."""
    (tmp_path / "prometheus.yml").write_text("scrape_configs: []\n")
    found = load_installation(tmp_path)
    assert found.prometheus == tmp_path / "prometheus.yml"
    assert found.loki is None
    assert found.config.ports.ui == 3005


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ports: {ui: 70000}\n", "spyglass.yml:1: ports.ui: input should be less than or equal to 65535"),
        ("prots: {}\n", "spyglass.yml:1: prots: field prots is not known here"),
        ("metrics:\n  retention: 15\n", "spyglass.yml:2: metrics.retention: should be a duration"),
        ("files:\n  loki: nowhere.yml\n", "spyglass.yml:2: files.loki: there is no "),
        (
            "metrics:\n  retention_rules:\n  - match: 'debug'\n    keep: 1d\n",
            "spyglass.yml:3: metrics.retention_rules[0].match: 'debug' is not a stream selector",
        ),
        (
            "metrics:\n  retention_rules:\n  - match: '{}'\n    keep: 1d\n",
            "spyglass.yml:3: metrics.retention_rules[0].match: should name at least one label",
        ),
        (
            "metrics:\n  downsampling:\n  - {resolution: 10m, after: 2d}\n",
            "spyglass.yml:3: metrics.downsampling[0].resolution: should be 5m or 1h",
        ),
        (
            "metrics:\n  downsampling:\n  - {resolution: 1h, after: 10d}\n  - {resolution: 5m, after: 2d}\n",
            "spyglass.yml:2: metrics.downsampling: should name each resolution once, the finest first",
        ),
        ("a: 1\na: 2\n", "spyglass.yml:2: a: is given twice"),
    ],
)
def test_mistakes_have_file_line_and_key(tmp_path: Path, text: str, problem: str) -> None:
    """One error: where, which key, what is expected."""
    (tmp_path / "spyglass.yml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_installation(tmp_path)
    assert problem in str(caught.value)


def test_host_entries_without_a_port_keep_the_targets_port(tmp_path: Path) -> None:
    """`db: 127.0.0.1` maps db:5432 to 127.0.0.1:5432."""
    (tmp_path / "spyglass.yml").write_text("hosts:\n  db: 127.0.0.1\n  web: 10.0.0.1:80\n")
    found = load_installation(tmp_path)
    assert found.map_address("db:5432") == "127.0.0.1:5432"
    assert found.map_address("web:9999") == "10.0.0.1:80"
    assert found.map_url("http://db/metrics") == "http://127.0.0.1:80/metrics"


def test_retention_rules_are_selectors_with_times(tmp_path: Path) -> None:
    """Each becomes matchers and a time in ms."""
    (tmp_path / "spyglass.yml").write_text(
        "metrics:\n  retention_rules:\n"
        '  - {match: \'{__name__=~"debug_.*", job!="x"}\', keep: 1d}\n  - {match: \'{job="slo"}\', keep: 0}\n'
    )
    rules = load_installation(tmp_path).config.metrics.retention_rules
    assert [[str(matcher) for matcher in rule.matchers] for rule in rules] == [
        ['__name__=~"debug_.*"', 'job!="x"'],
        ['job="slo"'],
    ]
    assert [rule.keep for rule in rules] == [86_400_000, 0]


def test_downsampling_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    """Resolutions with the age at which they are made, and how long they are kept, in ms; without keep for ever."""
    assert load_installation(tmp_path).config.metrics.downsampling == ()
    (tmp_path / "spyglass.yml").write_text(
        "metrics:\n  downsampling:\n  - {resolution: 5m, after: 40h, keep: 90d}\n  - {resolution: 1h, after: 10d}\n"
    )
    found = load_installation(tmp_path).config.metrics.downsampling
    hour = 3_600_000
    assert [(one.resolution, one.after, one.keep) for one in found] == [
        (hour // 12, 40 * hour, 90 * 24 * hour),
        (hour, 240 * hour, 0),
    ]
