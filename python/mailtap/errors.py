"""What can go wrong, a class a kind. Every message is one line that says what to do or look at."""

from __future__ import annotations

from mailtap.printable import printable


class MailTapError(Exception):
    """Anything that MailTap can't do; its subclasses say of which kind it is."""


class QueryError(MailTapError):
    """The query engine gave up: no memory or disk space left, most likely."""


class MissingPackageError(MailTapError):
    """A Python package that isn't installed; the message names the extra that has it."""


def first_line(error: Exception) -> str:
    """The first line of an error's text, fit for a terminal."""
    return printable(str(error).partition("\n")[0].strip() or type(error).__name__)
