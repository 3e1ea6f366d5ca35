"""prometheus.yml: what loads, what is refused with which line, and what is warned of."""

from pathlib import Path

import pytest

from spyglass.config.prometheus import (
    DEFAULT_PROTOCOLS,
    PrometheusFile,
    load_prometheus,
    parse_prometheus,
    read_prometheus_file,
)
from spyglass.config.secrets import masked
from spyglass.model.errors import ConfigError

ROOT = Path(__file__).parents[3]


def parse(text: str, **environment: str) -> PrometheusFile:
    return parse_prometheus(text, file="p.yml", folder=Path("/nowhere"), environment=environment)


def test_the_decision_records_file_loads_with_its_intervals() -> None:
    """Two jobs, the second faster; no warnings; defaults as upstream's."""
    config, warnings = load_prometheus(ROOT / "config/prometheus/prometheus.yml")
    assert warnings == []
    assert [(j.job_name, j.scrape_interval, j.scrape_timeout, j.metrics_path) for j in config.jobs] == [
        ("prometheus", 15_000, 10_000, "/metrics"),
        ("backend", 10_000, 10_000, "/metrics"),
    ]
    assert config.jobs[1].static_configs[0].targets == ("backend:3000",)
    assert config.jobs[0].scrape_protocols == DEFAULT_PROTOCOLS


def test_an_empty_file_and_null_blocks_are_fine() -> None:
    """Upstream starts with an empty file; a key without a value keeps its default."""
    assert parse("").config.jobs == ()
    assert (
        parse("global:\nrule_files:\nscrape_configs:\n  - job_name: a\n    static_configs:\n").config.jobs[0].job_name
        == "a"
    )


def test_scalars_keep_their_spelling() -> None:
    """A label 1.10 or yes is text, not a number or a boolean; booleans and numbers still are where they belong."""
    config = parse(
        "global: {external_labels: {version: 1.10, debug: yes, zone: 007}}\n"
        "scrape_configs:\n- {job_name: 5, honor_labels: true, sample_limit: 10, body_size_limit: 10MB}\n"
    ).config
    assert config.external_labels == {"version": "1.10", "debug": "yes", "zone": "007"}
    job = config.jobs[0]
    assert (job.job_name, job.honor_labels, job.sample_limit, job.body_size_limit) == ("5", True, 10, 10 << 20)


def test_external_labels_expand_the_environment() -> None:
    """$VAR, ${VAR}, $$; an unknown variable is empty and warned of. Nowhere else is anything expanded."""
    loaded = parse(
        "global:\n  external_labels:\n    a: $HOST-x\n    b: ${HOST}$$\n    c: $NONE\n"
        "scrape_configs: [{job_name: $HOST}]\n",
        HOST="web1",
    )
    assert loaded.config.external_labels == {"a": "web1-x", "b": "web1$", "c": ""}
    assert loaded.config.jobs[0].job_name == "$HOST"
    assert loaded.warnings == (
        "p.yml:5: global.external_labels.c: the environment has no variable NONE: it stands for nothing",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "global:\n  scrape_intervall: 5s\n",
            "p.yml:2: global.scrape_intervall: field scrape_intervall is not known here",
        ),
        (
            "global:\n  scrape_interval: 5x\n",
            "p.yml:2: global.scrape_interval: not a valid duration string: \"5x\", found '5x'",
        ),
        (
            "scrape_configs:\n- job_name: a\n  scrape_interval: 5s\n  scrape_timeout: 6s\n",
            "p.yml:4: scrape_configs[0].scrape_timeout: scrape timeout greater than scrape interval for scrape config "
            'with job name "a"',
        ),
        (
            "scrape_configs:\n- job_name: a\n- job_name: a\n",
            'p.yml:3: scrape_configs[1].job_name: found multiple scrape configs with job name "a"',
        ),
        ("scrape_configs:\n- metrics_path: /x\n", "p.yml:2: scrape_configs[0]: job_name is empty"),
        ("scrape_configs:\n-\n", "p.yml:2: scrape_configs[0]: empty or null scrape config section"),
        (
            "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - regex: '('\n    target_label: x\n",
            "p.yml:4: scrape_configs[0].relabel_configs[0].regex: error parsing regexp: missing closing ): `(`, found '('",
        ),
        (
            "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - action: hashmod\n    target_label: x\n",
            "p.yml:4: scrape_configs[0].relabel_configs[0]: relabel configuration for hashmod requires non-zero modulus",
        ),
        (
            "scrape_configs:\n- job_name: a\n  static_configs:\n  - targets: ['http://x/']\n",
            "p.yml:4: scrape_configs[0].static_configs[0].targets: 'http://x/' is not a valid hostname",
        ),
        (
            "scrape_configs:\n- job_name: a\n  basic_auth: {username: u}\n  bearer_token: t\n",
            "p.yml:2: scrape_configs[0]: at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured",
        ),
        (
            "scrape_configs:\n- job_name: a\n  file_sd_configs: [{files: [x.txt]}]\n",
            "p.yml:3: scrape_configs[0].file_sd_configs[0].files: path name 'x.txt' is not valid for file discovery",
        ),
        ("- a\n", "p.yml:1: should be a mapping of blocks such as global and scrape_configs"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, message: str) -> None:
    """`file:line: key: what is wrong`, with upstream's words where it has good ones."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_what_does_not_run_yet_is_warned_of() -> None:
    """Other discoveries, rules, alerting and remote write load and say so."""
    loaded = parse(
        "rule_files: [r.yml]\nremote_write: [{url: 'http://x/'}]\n"
        "scrape_configs:\n- job_name: a\n  docker_sd_configs: [{host: x}]\n"
    )
    assert [w.split(": ")[0:2] for w in loaded.warnings] == [
        ["p.yml:1", "rule_files"],
        ["p.yml:2", "remote_write"],
        ["p.yml:5", "scrape_configs[0].docker_sd_configs"],
    ]


def test_jobs_may_stand_in_other_files(tmp_path: Path) -> None:
    """scrape_config_files: globs relative to the file; a mistake there names that file."""
    (tmp_path / "prometheus.yml").write_text("global: {scrape_interval: 7s}\nscrape_config_files: ['jobs/*.yml']\n")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/a.yml").write_text("scrape_configs: [{job_name: a}]\n")
    loaded = read_prometheus_file(tmp_path / "prometheus.yml")
    assert [(j.job_name, j.scrape_interval, j.scrape_timeout) for j in loaded.config.jobs] == [("a", 7_000, 7_000)]
    (tmp_path / "jobs/b.yml").write_text("scrape_configs: [{job_name: a}]\n")
    with pytest.raises(ConfigError, match=r"jobs/b\.yml:1: .*found multiple scrape configs"):
        read_prometheus_file(tmp_path / "prometheus.yml")


def test_limits_come_from_global_where_a_job_has_none() -> None:
    """0 is none, as upstream has it; false is false."""
    jobs = parse(
        "global: {sample_limit: 9, body_size_limit: 1MB, scrape_native_histograms: true}\n"
        "scrape_configs:\n- {job_name: a, sample_limit: 0}\n- {job_name: b, sample_limit: 3, scrape_native_histograms: false}\n"
    ).config.jobs
    assert [(j.sample_limit, j.body_size_limit, j.scrape_native_histograms) for j in jobs] == [
        (9, 1 << 20, True),
        (3, 1 << 20, False),
    ]
    assert [j.scrape_protocols[0] for j in jobs] == ["PrometheusProto", "OpenMetricsText1.0.0"]


def test_secrets_are_masked() -> None:
    """status/config never shows a password."""
    assert masked("  basic_auth:\n    username: u\n    password: p w\n") == (
        "  basic_auth:\n    username: u\n    password: <secret>\n"
    )


def test_a_key_of_prometheus_2_is_taken_under_its_new_name() -> None:
    """scrape_classic_histograms was renamed; a file of version 2 loads and is told so."""
    text = "scrape_configs:\n- job_name: a\n  scrape_classic_histograms: true\n"
    loaded = parse_prometheus(text, file="p.yml", folder=Path())
    assert loaded.config.jobs[0].classic_histograms_too
    assert loaded.warnings == (
        "p.yml:3: scrape_configs[0].scrape_classic_histograms: "
        "removed in Prometheus 3, taken as always_scrape_classic_histograms",
    )
