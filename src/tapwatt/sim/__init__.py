"""The other side of every wire: station, car, payment terminal, cards and drivers, as one program.

Speaks only the wire formats of the real things, so each part can be replaced by a real one.
"""
