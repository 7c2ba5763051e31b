"""`make bench ARGS="iso8583 store"`: run the named benches (all by default), print and write docs/bench.md.

A new bench is one file here with `measure() -> Section`, and one row of `BENCHES`.
"""

import sys
import time
from collections.abc import Callable
from importlib import import_module

from bench.figures import PAGE, Section, as_markdown, as_text, machine, write_page

BENCHES = ("iso8583", "store", "authorisations", "ocpp", "world", "ocmf", "tariff", "pages")


def main(asked: list[str]) -> int:
    """Run what is asked for; 2 for a bench that is not there."""
    if unknown := [name for name in asked if name not in BENCHES]:
        sys.stderr.write(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}\n")
        return 2
    for name in asked or BENCHES:
        measure: Callable[[], Section] = import_module(f"bench.{name}").measure
        where = machine()
        section = measure()
        sys.stdout.write(as_text(name, section) + "\n")
        sys.stdout.flush()
        day = time.strftime("%Y-%m-%d")
        write_page(PAGE, {name: as_markdown(name, section, where=where, day=day)}, BENCHES)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
