"""Text from logs, made harmless for a terminal or a page."""

from __future__ import annotations


def printable(value: str) -> str:
    r"""The text with every control, format or otherwise invisible character written out as `\x1b`.

    Terminal escapes, line breaks and the marks that reverse the writing direction become visible.
    Markup of rich is not its concern: such text is handed to rich as `Text`, which isn't parsed.
    """
    if value.isprintable():
        return value
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in value
    )
