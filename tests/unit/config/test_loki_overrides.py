"""Limits of single tenants: over those of everybody, read again when it is time, and kept where the file goes wrong."""

from pathlib import Path

import pytest

from spyglass.config.loki import read_loki
from spyglass.config.loki_limits import BlockedQuery, LimitsConfig
from spyglass.config.loki_overrides import OverridesFile, TenantLimits, read_overrides
from spyglass.model.errors import ConfigError

SECOND = 10**9
DAY = 86_400 * SECOND


def limits_in(text: str, defaults: LimitsConfig | None = None) -> TenantLimits:
    defaults = defaults or LimitsConfig()
    return TenantLimits(defaults, read_overrides([("f.yml", text)], defaults).limits)


def test_a_tenants_keys_go_over_everybodys() -> None:
    """What a tenant does not name stays as limits_config has it, durations and sizes included."""
    defaults = LimitsConfig.model_validate({"retention_period": "7d", "max_query_series": 50, "max_line_size": "1KB"})
    limits = limits_in("overrides:\n  a: {retention_period: 30d, max_label_names_per_series: 3}\n  7: {}\n", defaults)
    a = limits.of("a")
    assert (a.retention_period, a.max_label_names_per_series) == (30 * DAY, 3)
    assert (a.max_query_series, a.max_line_size) == (50, 1024)
    assert limits.of("7") == limits.of("other") == defaults


def test_blocked_queries_as_the_documentation_writes_them() -> None:
    """types are texts with commas between, or lists."""
    entries = "[{pattern: 'x.*', regex: true, types: 'filter,limited'}, {hash: 5}, {types: [metric]}]"
    blocked = limits_in(f"overrides: {{a: {{blocked_queries: {entries}}}}}").of("a").blocked_queries
    assert blocked == (
        BlockedQuery(pattern="x.*", regex=True, types=("filter", "limited")),
        BlockedQuery(hash=5),
        BlockedQuery(types=("metric",)),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("overides: {}\n", "f.yml:1: overides: is not known here; did you mean overrides?"),
        ("- a\n", "f.yml:1: should be a mapping with overrides"),
        ("overrides: [a]\n", "f.yml:1: overrides: should be a mapping of tenants"),
        ("overrides:\n  a: 5\n", "f.yml:2: overrides.a: should be a mapping of limits"),
        (
            "overrides:\n  a:\n    retention_period: soon\n",
            "f.yml:3: overrides.a.retention_period: should be a duration",
        ),
        (
            "overrides:\n  a:\n    retention_stream:\n    - {selector: x, period: 1d}\n",
            "f.yml:4: overrides.a.retention_stream[0].selector",
        ),
        (
            "overrides:\n  a:\n    blocked_queries:\n    - {types: some}\n",
            "f.yml:4: overrides.a.blocked_queries[0].types[0]: Input should be",
        ),
        (
            "overrides:\n  a:\n    block_ingestion_until: tomorrow\n",
            "f.yml:3: overrides.a.block_ingestion_until: should be a time",
        ),
    ],
)
def test_mistakes_say_where_they_are(text: str, problem: str) -> None:
    """File, line, key, and what is wrong."""
    with pytest.raises(ConfigError) as caught:
        limits_in(text)
    assert str(caught.value).startswith(problem)


def test_limits_that_no_loki_has_are_named() -> None:
    """They are left out, and said."""
    found = read_overrides([("f.yml", "overrides:\n  a:\n    retention_perid: 5d\n")], LimitsConfig())
    assert found.warnings == (
        "f.yml:3: overrides.a.retention_perid: no version of Loki has this limit; did you mean retention_period? Ignored",
    )


def test_the_file_is_read_again_when_it_is_time(tmp_path: Path) -> None:
    """Every period; what is wrong changes nothing until it is mended; the same text is no change."""
    path = tmp_path / "overrides.yml"
    path.write_text("overrides: {a: {max_query_series: 1}}")
    config = read_loki("runtime_config: {file: overrides.yml, period: 20s}\n", file="f").config
    file = OverridesFile(config, tmp_path)
    assert file.read().limits["a"].max_query_series == 1
    assert file.changed(100 * SECOND) is None, "the text is the same"
    path.write_text("overrides: {a: {max_query_series: 2}}")
    assert file.changed(119 * SECOND) is None, "it is not time"
    found = file.changed(120 * SECOND)
    assert found is not None
    assert found.limits["a"].max_query_series == 2
    path.write_text("overrides: [")
    assert file.changed(140 * SECOND) is None
    assert file.failed
    assert file.known.limits["a"].max_query_series == 2
    path.write_text("overrides: {}")
    found = file.changed(160 * SECOND)
    assert found is not None
    assert not found.limits
    assert not file.failed


def test_a_file_that_is_missing_at_the_start_is_an_error(tmp_path: Path) -> None:
    """Limits that an operator counts on must not be left out in silence. The older key names the file too."""
    config = read_loki("limits_config: {per_tenant_override_config: none.yml}\n", file="f").config
    with pytest.raises(ConfigError, match="none.yml: No such file or directory"):
        OverridesFile(config, tmp_path).read()


def test_later_files_go_before_earlier_ones(tmp_path: Path) -> None:
    """As upstream merges them: key by key."""
    (tmp_path / "a.yml").write_text("overrides: {x: {max_query_series: 1, max_line_size: 5}}")
    (tmp_path / "b.yml").write_text("overrides: {x: {max_query_series: 2}, y: {}}")
    config = read_loki("runtime_config: {file: 'a.yml, b.yml'}\n", file="f").config
    limits = OverridesFile(config, tmp_path).read().limits
    assert (limits["x"].max_query_series, limits["x"].max_line_size, set(limits)) == (2, 5, {"x", "y"})
