"""The integrator's guide is true: its blocks run as they are written, its function knows what is genuine."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any

from tests.web.scenes import CURVE, Scene
from tests.web.serving import serving

from tapwatt.platform.webhook_signing import headers_of, secret_of

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "integrator.md").read_text("utf-8")
DEMO = "http://127.0.0.1:8080"


def blocks(kind: str) -> list[str]:
    """The guide's blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", GUIDE, re.M | re.S)


async def test_every_block_runs_as_it_is_written(scene: Scene) -> None:
    await scene.opens()
    await scene.visit(1, *CURVE)
    shell = "\n".join(blocks("sh"))
    assert DEMO in shell
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": os.environ.get("HOME", "/")}
    async with serving(scene) as url:
        process = await asyncio.create_subprocess_exec(
            "bash", "-e", "-o", "pipefail", "-c", shell.replace(DEMO, url),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment,
        )  # fmt: skip
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert "everything" not in said.decode() or '"status": 422' in said.decode()


def test_the_guides_function_knows_what_is_genuine() -> None:
    there: dict[str, Any] = {}
    (source,) = blocks("python")
    exec(compile(source, "integrator.md", "exec"), there)
    old, new = secret_of(bytes(32)), secret_of(bytes(range(32)))
    headers = headers_of([new, old], event_id="evt_1", at_s=1000, body=b"{}")
    assert there["genuine"](old, headers, b"{}", 1200)
    assert there["genuine"](new, headers, b"{}", 1200)
    assert not there["genuine"](new, headers, b"{ }", 1200)
    assert not there["genuine"](new, headers, b"{}", 1301)
    assert not there["genuine"](secret_of(b"x" * 32), headers, b"{}", 1000)
