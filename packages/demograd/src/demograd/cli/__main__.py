"""``python -m demograd.cli``."""

from demograd.cli._main import main

main(prog_name="demograd")
