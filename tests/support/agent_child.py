"""An agent in a process of its own, for tests that kill it: `python -m tests.support.agent_child promtail.yml`."""

import asyncio
import sys
from pathlib import Path

from spyglass.agent.manager import AgentManager
from spyglass.config.promtail import load_promtail
from spyglass.storage.clock import SystemClock


async def main(path: str) -> None:
    manager = AgentManager(load_promtail(Path(path)), clock=SystemClock())
    await manager.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
