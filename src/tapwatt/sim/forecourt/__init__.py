"""The forecourt: a drawn site in the browser where a visitor plugs in, taps, and breaks things.

A second pair of hands on the simulated site (`sim.control` is the first), and eyes on every party's own port.
Nothing here decides about money; it shows what the real programs said.
"""
