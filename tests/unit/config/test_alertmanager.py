"""alertmanager.yml is checked as amtool checks it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.conformance_data import CONFORMANCE, needs_conformance

from spyglass.config.alertmanager import load_alertmanager
from spyglass.model.errors import ConfigError


@needs_conformance
@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed")
@pytest.mark.parametrize("path", sorted(CONFORMANCE.glob("configs/alertmanager/*")), ids=lambda p: p.name[:40])
def test_public_files_are_accepted_and_refused_as_amtool_does(path: Path) -> None:
    """The same verdict as the real program's."""
    verdict = subprocess.run(["amtool", "check-config", path], capture_output=True, check=False).returncode == 0
    try:
        load_alertmanager(path)
        ours = True
    except ConfigError:
        ours = False
    assert ours == verdict


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("receivers: [{name: a}]\n", "no route provided in config"),
        ("route: {receiver: b}\nreceivers: [{name: a}]\n", 'undefined receiver "b" used in route'),
        ("route: {receiver: a}\nreceivers: [{name: a}, {name: a}]\n", 'notification config name "a" is not unique'),
        (
            "route: {receiver: a}\nreceivers:\n- name: a\n  email_configs: [{to: x, subject: y}]\n",
            "field subject is not known here",
        ),
        ("route: {receiver: a, match: {b: c}}\nreceivers: [{name: a}]\n", "root route must not have any matchers"),
        ("route: {receiver: a, group_interval: 0s}\nreceivers: [{name: a}]\n", "group_interval cannot be zero"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, problem: str) -> None:
    """Upstream's wording where it has one."""
    file = tmp_path / "alertmanager.yml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_alertmanager(file)
    assert problem in str(caught.value)
