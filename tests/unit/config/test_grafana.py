"""Grafana's provisioning files and GF_ variables."""

from pathlib import Path

import pytest

from spyglass.config.grafana import Datasource, derived_uid, load_provisioning, load_provisioning_file
from spyglass.config.grafana_references import expand
from spyglass.config.grafana_settings import grafana_settings
from spyglass.config.spyglass import load_installation
from spyglass.model.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]


def written(tmp_path: Path, text: str, name: str = "datasources/a.yml") -> Path:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_the_adrs_files_load_with_hosts_and_paths_mapped() -> None:
    """config/grafana/provisioning as it stands, on this machine's names."""
    installation = load_installation(ROOT / "config")
    assert installation.provisioning is not None
    found = load_provisioning(
        installation.provisioning, environment={}, map_path=installation.map_path, map_url=installation.map_url
    )
    prometheus, loki = found.datasources
    assert (prometheus.uid, prometheus.url, prometheus.is_default) == (
        "PBFA97CFB590B2093",
        "http://127.0.0.1:9090",
        True,
    )
    assert (loki.uid, loki.url, loki.file_url) == ("P8E80F9AEF21F6940", "http://127.0.0.1:3100", "http://loki:3100")
    (provider,) = found.providers
    assert (provider.folder, provider.path, provider.update_interval_seconds) == (
        "ClientForge",
        ROOT / "dashboards",
        10,
    )
    assert provider.allow_ui_updates
    assert found.warnings == ()


def test_values_are_expanded_keys_are_not(tmp_path: Path) -> None:
    """$VAR, ${VAR}, $__env{}, $__file{} and $$ in values, nested ones too; a file's last line end goes."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    file = written(
        tmp_path,
        f"""
apiVersion: 1
datasources:
  - name: $NAME
    type: prometheus
    url: http://${{HOST}}:$__env{{PORT}}/
    isDefault: $YES
    basicAuth: true
    basicAuthUser: me
    jsonData: {{httpHeaderName1: X-Scope-OrgID, $KEY: a$$b}}
    secureJsonData: {{basicAuthPassword: '$__file{{{secret}}}', httpHeaderValue1: $MISSING}}
""",
    )
    env = {"NAME": "Prom", "HOST": "h", "PORT": "9", "YES": "true"}
    found = load_provisioning_file(file, environment=env)
    (source,) = found.datasources
    assert (source.name, source.url, source.is_default, source.uid) == ("Prom", "http://h:9", True, derived_uid("Prom"))
    assert source.json_data["$KEY"] == "a$b"
    assert source.secure == {"basicAuthPassword": "hunter2"}
    assert found.warnings == (
        f"{file}:11: datasources[0].secureJsonData.httpHeaderValue1: environment variable MISSING is not set; it is empty",
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("$$A", "$A"),
        ("a$$$A", "a$x"),
        ("${A}b", "xb"),
        ("$A_", ""),
        ("$__env{A}", "x"),
        ("100%$", "100%$"),
        ("$(a)", "$(a)"),
        ("$1", ""),
    ],
)
def test_expansion(given: str, expected: str) -> None:
    """As Go's os.Expand, with Grafana's functions."""
    assert expand(given, {"A": "x"})[0] == expected


def test_unknown_keys_are_named_with_their_line(tmp_path: Path) -> None:
    """A typing mistake is pointed at, with the key that was meant; nothing is refused."""
    file = written(
        tmp_path,
        "apiVersion: 1\ndatasources:\n  - name: a\n    type: loki\n    isdefault: true\n    colour: red\nextra: 1\n",
    )
    assert load_provisioning_file(file, environment={}).warnings == (
        f"{file}:5: datasources[0].isdefault: is not known (did you mean isDefault?); ignored",
        f"{file}:6: datasources[0].colour: is not known; ignored",
        f"{file}:7: extra: is not known; ignored",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datasources:\n  - type: loki\n", ":2: datasources[0].name: is required"),
        ("datasources:\n  - name: ''\n    type: loki\n", ":2: datasources[0].name: must not be empty"),
        (
            "datasources:\n  - {name: a, type: loki, isDefault: true}\n  - {name: b, type: loki, isDefault: true}\n",
            ":3: datasources[1].isDefault: only one data source may be the default, and 'a' already is",
        ),
        (
            "datasources:\n  - {name: a, type: loki, uid: x}\n  - {name: b, type: loki, uid: x}\n",
            ":3: datasources[1].uid: 'x' is the uid of 'a' already",
        ),
        ("datasources:\n  - {name: a, type: loki, jsonData: 3}\n", ":2: datasources[0].jsonData: "),
        ("datasources: [", ":1: is not valid YAML"),
        ("just text", ":1: should be a mapping"),
        ("providers:\n  - name: a\n    options: {}\n", ":3: providers[0].options.path: is required"),
        (
            "providers:\n  - {name: a, options: {path: /x}}\n  - {name: a, options: {path: /y}}\n",
            ":3: providers[1].name: 'a' is given twice",
        ),
        (
            "datasources:\n  - {name: a, type: loki, url: '$__file{/none}'}\n",
            ":2: datasources[0].url: $__file cannot be read",
        ),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    """file:line: key: what is wrong."""
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_provisioning_file(file, environment={})
    assert str(caught.value).startswith(f"{file}{message}")


def test_deleted_and_pruned(tmp_path: Path) -> None:
    """deleteDatasources takes what an earlier file made; a later file of the same name wins and keeps the id."""
    written(
        tmp_path,
        "datasources:\n  - {name: a, type: loki}\n  - {name: b, type: loki}\nprune: true\n",
        "datasources/1.yml",
    )
    later = "deleteDatasources:\n  - {name: a, orgId: 1}\ndatasources:\n  - {name: b, type: prometheus}\n"
    written(tmp_path, later, "datasources/2.yaml")
    found = load_provisioning(tmp_path, environment={})
    assert [(source.name, source.type, source.id) for source in found.datasources] == [("b", "prometheus", 2)]
    assert (found.prune, found.deleted_datasources) == (True, ("a",))


def test_the_oldest_forms(tmp_path: Path) -> None:
    """snake_case keys; providers as a bare list with options.folder."""
    old = written(
        tmp_path, "- name: default\n  org_id: 1\n  folder: F\n  type: file\n  options:\n    folder: /x\n", "d.yml"
    )
    (provider,) = load_provisioning_file(old, environment={}).providers
    assert (provider.folder, provider.path) == ("F", Path("/x"))
    source = "datasources:\n  - {name: a, type: loki, is_default: true, json_data: {maxLines: 5}}\n"
    (made,) = load_provisioning_file(written(tmp_path, source), environment={}).datasources
    assert (made.is_default, made.json_data) == (True, {"maxLines": 5})


def test_kinds_that_are_not_read_are_named(tmp_path: Path) -> None:
    """An alerting file does not vanish silently."""
    written(tmp_path, "groups: []\n", "alerting/rules.yml")
    (warning,) = load_provisioning(tmp_path, environment={}).warnings
    assert warning.endswith("alerting provisioning is not read here")


def test_headers_of_a_datasource() -> None:
    """httpHeaderName1 with httpHeaderValue1."""
    source = Datasource(1, "u", "n", "loki", "", json_data={"httpHeaderName1": "X-A"}, secure={"httpHeaderValue1": "v"})
    assert source.headers() == {"X-A": "v"}


def test_grafana_environment(tmp_path: Path) -> None:
    """The variables that mean something; the others are listed; __FILE reads a file."""
    secret = tmp_path / "pw"
    secret.write_text("s3cret\n")
    found = grafana_settings(
        {
            "GF_SECURITY_ADMIN_PASSWORD__FILE": str(secret),
            "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_AUTH_ANONYMOUS_ORG_ROLE": "Admin",
            "GF_SERVER_ROOT_URL": "http://x/grafana/",
            "GF_SERVER_SERVE_FROM_SUB_PATH": "true",
            "GF_INSTALL_PLUGINS": "x",
            "OTHER": "1",
        }
    )
    assert (found.admin_password, found.anonymous, found.anonymous_role) == ("s3cret", True, "Admin")
    assert (found.sub_path, found.ignored) == ("/grafana", ("GF_INSTALL_PLUGINS",))


@pytest.mark.parametrize(
    "environment",
    [{"GF_AUTH_BASIC_ENABLED": "maybe"}, {"GF_AUTH_ANONYMOUS_ORG_ROLE": "King"}, {"GF_SERVER_HTTP_PORT": "x"}],
)
def test_wrong_variables_are_named(environment: dict[str, str]) -> None:
    """The variable is in the message."""
    with pytest.raises(ConfigError, match=next(iter(environment))):
        grafana_settings(environment)
