"""The simulated world: the shipped programs on one loop with virtual time, in-memory wires and seeded faults.

Nothing here is a copy of a program: `start` of each program runs as it does in its own process. Replaced are
the clock, chance, the sockets and the disk (docs/decisions/0016-the-world-runs-the-programs.md).
"""
