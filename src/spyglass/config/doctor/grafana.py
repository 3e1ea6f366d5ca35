"""Grafana's provisioning: folders that the file structure overrules, and what provisioning itself warns of."""

from spyglass.config.doctor.finding import Finding, warning
from spyglass.config.grafana import load_provisioning
from spyglass.config.source import read_yaml
from spyglass.config.spyglass import Installation


def examine(installation: Installation) -> list[Finding]:
    """Findings in the provisioning folder. Raises ConfigError."""
    folder = installation.provisioning
    if folder is None:
        return []
    loaded = load_provisioning(folder, map_path=installation.map_path, map_url=installation.map_url)
    found = [_parsed(text) for text in loaded.warnings]
    for file in sorted((folder / "dashboards").glob("*.y*ml")):
        document = read_yaml(file)
        providers = document.data.get("providers") if isinstance(document.data, dict) else None
        for index, provider in enumerate(providers if isinstance(providers, list) else []):
            options = provider.get("options") if isinstance(provider, dict) else None
            if isinstance(options, dict) and options.get("foldersFromFilesStructure") and provider.get("folder"):
                text = (
                    "foldersFromFilesStructure overrules `folder`: Grafana files the dashboards that lie directly in the path under "
                    f"General, not under {provider['folder']!r}. Spyglass files them under the folder that is named"
                )
                remedy = f"move them to a folder {provider['folder']}/, or drop foldersFromFilesStructure"
                found.append(warning(file, document.line(("providers", index, "folder")), "folder", text, remedy))
    return found


def _parsed(text: str) -> Finding:
    """`file:line: message` -> a finding."""
    file, _, rest = text.partition(":")
    line, _, message = rest.partition(":")
    return warning(file, int(line), "", message.strip()) if line.isdigit() else warning(file, 0, "", rest.strip())
