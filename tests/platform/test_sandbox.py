"""The sandbox is written down at each company by itself, as in life; here the copies are held together."""

import tomllib
from importlib.resources import files

from tapwatt.platform import seed
from tapwatt.rails.sandbox import network


def test_platform_edge_and_rails_mean_the_same_terminal() -> None:
    platform = {t["terminal_id"]: t for o in seed.sandbox()["operators"] for t in o.get("terminals", ())}
    edge = tomllib.loads(files("tapwatt.edge").joinpath("sandbox.toml").read_text("utf-8"))
    rails = {terminal.terminal_id: terminal for terminal in network().terminals}
    assert platform
    for terminal in platform.values():
        assert rails[terminal["tid"]].serial == terminal["serial"]
    text = str(edge)
    assert all(terminal["serial"] in text and name in text for name, terminal in platform.items())
