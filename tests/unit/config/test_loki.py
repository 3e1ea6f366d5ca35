"""loki-config.yml: both generations load, what has no meaning is named, mistakes have a line."""

from pathlib import Path

import pytest
from tests.conformance_data import CONFORMANCE, ROOT, needs_conformance

from spyglass.config.loki import _SECTIONS, expand_environment, load_loki, parse_selector, read_loki
from spyglass.config.loki_keys import KNOWN
from spyglass.model.errors import ConfigError

DAY_NS = 86_400 * 10**9


def test_the_decision_records_file_loads_with_its_removed_keys_named() -> None:
    """The file that Loki 3 refuses loads; each removed key is named with its line; nothing is deleted by age."""
    loaded = load_loki(ROOT / "config/loki/loki-config.yml")
    assert loaded.generation == 2
    assert loaded.config.retention_ns == 0
    assert loaded.config.limits_config.reject_old_samples_max_age == 7 * DAY_NS
    named = [text.split(": ")[1] for text in loaded.warnings[:2]]
    assert named == ["storage_config.boltdb_shipper.shared_store", "limits_config.enforce_metric_name"]


@needs_conformance
@pytest.mark.parametrize("path", sorted(CONFORMANCE.glob("configs/loki/*")), ids=lambda p: p.name[:40])
def test_public_files_load(path: Path) -> None:
    """Files that people have published load, whatever their generation."""
    load_loki(path, expand_env=True, environment={})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("servr: {}\n", "f.yml:1: servr: no version of Loki has this block; did you mean server?"),
        ("colours: {}\n", "f.yml:1: colours: no version of Loki has this block"),
        ("server:\n  http_listen_port: high\n", "f.yml:2: server.http_listen_port: input should be a valid integer"),
        ("limits_config:\n  retention_period: soon\n", "f.yml:2: limits_config.retention_period: should be a duration"),
        (
            "limits_config:\n  retention_stream:\n  - selector: job\n    period: 1d\n",
            "f.yml:3: limits_config.retention_stream[0].selector",
        ),
        ("- a\n", "f.yml:1: should be a mapping"),
        ("a: [1\n", "f.yml:2: is not valid YAML"),
    ],
)
def test_mistakes_are_reported_with_file_line_and_key(text: str, problem: str) -> None:
    """Each mistake gives one error that says where and what."""
    with pytest.raises(ConfigError) as caught:
        read_loki(text, file="f.yml")
    assert str(caught.value).startswith(problem)


def test_retention_is_off_until_the_compactor_is_on() -> None:
    """As in Loki, retention_period alone deletes nothing, and that is said."""
    off = read_loki("limits_config: {retention_period: 7d}\n", file="f")
    on = read_loki("limits_config: {retention_period: 7d}\ncompactor: {retention_enabled: true}\n", file="f")
    assert (off.config.retention_ns, on.config.retention_ns) == (0, 7 * DAY_NS)
    assert any("deletes nothing" in text for text in off.warnings)


def test_a_misspelt_key_is_named_apart_from_those_without_a_meaning() -> None:
    """With the key that was meant; keys of Loki that mean nothing here, and unknown ones, share one line."""
    text = (
        "limits_config:\n  retention_perid: 7d\n  cardinality_limit: 5\n  colour: red\nquerier: {max_concurrent: 4}\n"
    )
    assert read_loki(text, file="f.yml").warnings == (
        "f.yml:2: limits_config.retention_perid: no version of Loki has this key; did you mean retention_period? Ignored",
        "f.yml: without a meaning in one process, ignored: limits_config.cardinality_limit, limits_config.colour, querier.max_concurrent",
    )


def test_all_keys_that_are_honoured_are_known() -> None:
    """Or they would be taken for misspelt ones in hints."""
    for block, model in _SECTIONS.items():
        assert set(model.model_fields) <= KNOWN[block]


def test_environment_is_expanded_as_lokis_flag_does() -> None:
    """Defaults in both spellings, and a doubled dollar stays one."""
    text = "a: ${A}\nb: ${B:-x}\nc: ${C:y}\nd: $$E\n"
    assert expand_environment(text, {"A": "1"}) == "a: 1\nb: x\nc: y\nd: $E\n"


def test_selectors_are_parsed() -> None:
    """All four operators, both quotes."""
    matchers = parse_selector('{a="b", c=~`d.*`, e!="f",g!~"h"}')
    assert [str(m) for m in matchers] == ['a="b"', 'c=~"d.*"', 'e!="f"', 'g!~"h"']
