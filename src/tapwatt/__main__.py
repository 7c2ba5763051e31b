"""`python -m tapwatt` is the `tapwatt` command."""

from tapwatt.cli import main

main()
