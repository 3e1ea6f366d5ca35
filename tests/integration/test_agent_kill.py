"""kill -9: the agent is killed ten times while lines come, files rotate and the server stumbles."""

import asyncio
import random
import sys
from pathlib import Path

from tests.support.agents import agent_config
from tests.support.loki_receiver import LokiReceiver
from tests.support.waiting import until

KILLS = 10
SEED = 6


async def heard_from(receiver: LokiReceiver) -> None:
    """Wait for the next push, taken or refused. Two rotations without a living agent in between cannot be followed."""
    seen = len(receiver.pushes) + receiver.refused
    await until(lambda: len(receiver.pushes) + receiver.refused > seen, seconds=30, what="a push")


async def test_no_line_is_lost_or_doubled_over_ten_kills(tmp_path: Path) -> None:
    """Lines have no time of their own, so only a repeated batch with the very same times can be told from new lines."""
    logs = tmp_path / "logs"
    logs.mkdir()
    path, config = logs / "a.log", tmp_path / "promtail.yml"
    dice = random.Random(SEED)
    written: list[str] = []

    def write(count: int) -> None:
        lines = [f"line {len(written) + n} {'same text' * dice.randrange(20)}" for n in range(count)]
        written.extend(lines)
        with path.open("a") as file:
            file.write("".join(line + "\n" for line in lines))

    async with LokiReceiver() as receiver:
        config.write_text(agent_config(tmp_path, receiver.url))
        for kill in range(KILLS):
            write(200)
            if kill % 3 == 2:
                path.rename(logs / f"a.log.{kill}")
                write(100)
            receiver.statuses.extend(dice.choices([500, -500, 204], k=3))
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.support.agent_child", str(config), cwd=Path(__file__).parents[2]
            )
            await heard_from(receiver)
            for _ in range(dice.randrange(8)):
                write(dice.randrange(300))
                await asyncio.sleep(dice.random() * 0.06)
            child.kill()
            await child.wait()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.agent_child", str(config), cwd=Path(__file__).parents[2]
        )
        try:
            await until(lambda: len(receiver.lines()) >= len(written), seconds=30, what="all lines")
        finally:
            child.kill()
            await child.wait()
        assert len(receiver.lines()) == len(written), f"seed {SEED}"
        assert set(receiver.lines()) == set(written)
