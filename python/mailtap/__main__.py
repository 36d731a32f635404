"""`python -m mailtap`."""

from mailtap.cli import main

main(prog_name="mailtap")
