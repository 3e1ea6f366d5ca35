"""prometheus.yml files of public repositories: they load exactly where the real promtool loads them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from spyglass.config.prometheus import load_prometheus
from spyglass.model.errors import ConfigError

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("SPYGLASS_CONFORMANCE", ROOT / "../shared/conformance")) / "configs/prometheus"
FILES = sorted(FOLDER.glob("*.y*ml")) if FOLDER.is_dir() else []


def promtool_loads(path: Path) -> bool:
    """Whether the real promtool takes the file's syntax. Missing rule and credential files do not matter here."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed")
    run = subprocess.run(
        [program, "check", "config", "--syntax-only", str(path)], capture_output=True, check=False, text=True
    )
    complaints = [line for line in run.stdout.splitlines() + run.stderr.splitlines() if "field " in line]
    # Debian builds without most discoveries: such a file is fine upstream.
    lacking = bool(complaints) and all(re.search(r"field \w+_sd_configs not found", line) for line in complaints)
    return run.returncode == 0 or lacking


@pytest.mark.skipif(not FILES, reason=f"no conformance data in {FOLDER}: set SPYGLASS_CONFORMANCE")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:40])
def test_a_public_file_loads_where_upstream_loads_it(path: Path) -> None:
    """Every warning names the file and a line; every refusal too."""
    if promtool_loads(path):
        _, warnings = load_prometheus(path)
        assert all(warning.startswith(f"{path}:") for warning in warnings)
        return
    with pytest.raises(ConfigError) as caught:
        load_prometheus(path)
    assert str(caught.value).startswith(f"{path}:")
    assert caught.value.line > 0


VARIANTS = """
global: {scrape_interval: 15s, scrape_timeout: 20s}
---
global: {scrape_timeout: 90s}
---
global: {scrape_interval: 15}
---
global: {scrape_interval: ""}
---
global: {external_labels: {a-b: c}}
---
scrape_configs: [{job_name: a, scrape_timeout: 2m}]
---
scrape_configs: [{job_name: a, scrape_interval: 5s}]
---
scrape_configs: [{job_name: a, honor_labels: "true"}]
---
scrape_configs: [{job_name: a, honor_labels: 1}]
---
scrape_configs: [{job_name: a, sample_limit: -1}]
---
scrape_configs: [{job_name: a, sample_limit: many}]
---
scrape_configs: [{job_name: a, body_size_limit: 10MB}]
---
scrape_configs: [{job_name: a, body_size_limit: 10}]
---
scrape_configs: [{job_name: a, scheme: ftp}]
---
scrape_configs: [{job_name: a, params: {x: y}}]
---
scrape_configs: [{job_name: a, params: {x: [y]}}]
---
scrape_configs: [{job_name: a, static_configs: [targets]}]
---
scrape_configs: [{job_name: a, static_configs: [{targets: a}]}]
---
scrape_configs: [{job_name: a, static_configs: [{targets: [a], labels: {b: [c]}}]}]
---
scrape_configs: [{job_name: a, static_configs: [{targets: [1, true]}]}]
---
scrape_configs: [{job_name: a, static_configs: [{targets: [a], labels: {b: }}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{action: keep}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{action: KEEP, source_labels: [x]}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{action: nope}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{action: replace}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{target_label: "${1}_x", regex: "(.*)"}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{action: hashmod, target_label: a, modulus: 4}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{action: labeldrop, regex: a, target_label: b}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{action: labelmap, regex: "a(.*)", replacement: "b$1"}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{action: labelmap, replacement: "-"}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{action: lowercase, target_label: b, replacement: c}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{action: keepequal, source_labels: [a], target_label: b, regex: c}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{source_labels: [a], separator: "", target_label: b}]}]
---
scrape_configs: [{job_name: a, relabel_configs: [{source_labels: [a-b], target_label: b}]}]
---
scrape_configs: [{job_name: a, basic_auth: {}}]
---
scrape_configs: [{job_name: a, basic_auth: {username: a, password: b, password_file: c}}]
---
scrape_configs: [{job_name: a, authorization: {type: Basic, credentials: x}}]
---
scrape_configs: [{job_name: a, authorization: {credentials: x}, bearer_token: y}]
---
scrape_configs: [{job_name: a, oauth2: {client_id: a, client_secret: b, token_url: "http://x"}}]
---
scrape_configs: [{job_name: a, oauth2: {client_id: a}}]
---
scrape_configs: [{job_name: a, tls_config: {insecure_skip_verify: true, min_version: TLS12}}]
---
scrape_configs: [{job_name: a, tls_config: {min_version: TLS9}}]
---
scrape_configs: [{job_name: a, proxy_url: "http://p:3128", no_proxy: x}]
---
scrape_configs: [{job_name: a, no_proxy: x}]
---
scrape_configs: [{job_name: a, file_sd_configs: [{}]}]
---
scrape_configs: [{job_name: a, file_sd_configs: [{files: [a.json, "b/*.yml"], refresh_interval: 1m}]}]
---
scrape_configs: [{job_name: a, file_sd_configs: [{files: ["*/b.yml"]}]}]
---
scrape_configs: [{job_name: a, unknown_configs: []}]
---
scrape_configs: {job_name: a}
---
scrape_configs: [{job_name: a}, {job_name: a}]
---
scrape_configs: [{job_name: ""}]
---
scrape_configs: [null]
---
scrape_configs:
---
rule_files: a.yml
---
rule_files: [a.yml, "b/*.yml"]
---
rule_files: ["a/*/[b.yml"]
---
remote_write: [{}]
---
remote_write: [{url: "http://x/y", queue_config: {capacity: 5}}]
---
remote_write: [{url: "http://x/y", headers: {Authorization: x}}]
---
remote_write: [{url: "http://x/y", name: a}, {url: "http://x/z", name: a}]
---
remote_read: [{url: "http://x/y", read_recent: true}]
---
alerting: {alertmanagers: [{static_configs: [{targets: ["a:9093"]}], scheme: http, timeout: 5s, api_version: v2}]}
---
alerting: {alert_relabel_configs: [{action: nope}]}
---
storage: {tsdb: {out_of_order_time_window: 30m}, exemplars: {max_exemplars: 5}}
---
tracing: {endpoint: "x:4317", client_type: grpc}
---
unknown: 1
---
global: [1]
---
scrape_configs: [{job_name: a, body_size_limit: 10M}]
---
scrape_configs: [{job_name: a, body_size_limit: 1.5MB}]
---
scrape_configs: [{job_name: a, honor_labels: On}]
---
scrape_configs: [{job_name: a, sample_limit: "5"}]
---
scrape_configs: [{job_name: a, sample_limit: 1e3}]
---
scrape_configs: [{job_name: a, scrape_interval: 0}]
---
scrape_configs: [{job_name: a, scrape_interval: 1m30}]
---
scrape_configs: [{job_name: a, job_name: b}]
---
"""


SINCE_3 = (
    "external_labels: {a-b: c}",
    'action: labelmap, replacement: "-"',
    "source_labels: [a-b]",
    'proxy_url: "http://p:3128", no_proxy: x',
)
"""Valid since 3.0 (UTF-8 label names) and 2.43 (no_proxy), and so here; Debian's 2.42 refuses them."""


@pytest.mark.parametrize("text", [text.strip("\n") for text in VARIANTS.split("---\n") if text.strip()])
def test_small_files_are_judged_as_upstream_judges_them(text: str, tmp_path: Path) -> None:
    """One property a file: where promtool 2.42 and the rules of 3.14 agree, so do we."""
    path = tmp_path / "prometheus.yml"
    path.write_text(text + "\n")
    try:
        load_prometheus(path)
        loads, why = True, ""
    except ConfigError as err:
        loads, why = False, str(err)
    expected = promtool_loads(path) or any(part in text for part in SINCE_3)
    assert loads == expected, why
