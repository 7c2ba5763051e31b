"""The programs: composition roots, one file each, that turn settings into objects and objects into wires.

Nothing but these files (and the simulator and the docking kit) may import a `link`.
"""
