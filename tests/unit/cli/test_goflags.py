"""Command lines of the upstream programs."""

import pytest

from spyglass.cli.dropin.goflags import FlagError
from spyglass.cli.dropin.loki_flags import LOKI, PROMTAIL
from spyglass.cli.dropin.prometheus_flags import TABLE


@pytest.mark.parametrize("dashes", ["-", "--"])
def test_one_dash_or_two_equals_or_space(dashes: str) -> None:
    """All four spellings give the same."""
    spaced = TABLE.parse([f"{dashes}config.file", "a.yml", f"{dashes}web.enable-lifecycle"])
    joined = TABLE.parse([f"{dashes}config.file=a.yml", f"{dashes}web.enable-lifecycle=true"])
    assert spaced == joined
    assert spaced.text("config.file") == "a.yml"
    assert spaced.on("web.enable-lifecycle")


def test_flags_without_a_meaning_are_accepted_and_named_once() -> None:
    """What compose files hold and we do not need."""
    flags = TABLE.parse(
        ["--web.console.libraries=/x", "--web.console.libraries=/y", "--no-storage.tsdb.wal-compression"]
    )
    assert flags.ignored == ("web.console.libraries", "storage.tsdb.wal-compression")


def test_unknown_flags_are_refused_with_upstreams_text() -> None:
    """Prometheus' and Loki's own words."""
    with pytest.raises(FlagError, match="unknown long flag '--storge.tsdb.path'"):
        TABLE.parse(["--storge.tsdb.path=/x"])
    with pytest.raises(FlagError, match="flag provided but not defined: -cnfig.file"):
        LOKI.parse(["-cnfig.file=x"])
    with pytest.raises(FlagError, match="expected argument for flag '--config.file'"):
        TABLE.parse(["--config.file"])
    with pytest.raises(FlagError, match="unexpected extra"):
        TABLE.parse(["extra"])


def test_loki_and_promtail_take_their_families() -> None:
    """Hundreds of flags mirror configuration keys: a family is accepted by its prefix."""
    loki = LOKI.parse(["-config.file=a", "-querier.max-concurrent", "4", "-config.expand-env", "-boltdb.dir=/x"])
    assert loki.on("config.expand-env")
    assert loki.ignored == ("querier.max-concurrent", "boltdb.dir")
    promtail = PROMTAIL.parse(["-config.file", "b", "-client.external-labels=a=b", "-client.batch-wait=2s"])
    assert promtail.text("client.external-labels") == "a=b"
