"""The four hosts of the card rails: four companies that share wire formats and tools, never logic.

Each has its own `decide` (pure), `tables` and `pages`; `relaying` is the loop of a host that passes payments
on, `traffic` the JSON view of its stored life cycles.
"""
