"""What the sessions of each kind say."""

from __future__ import annotations

from random import Random

from ..dialogue import Builder, Dialogue
from . import imap, other, pop3, smtp, tunnel

KINDS: dict[str, Builder] = {
    **smtp.BUILDERS,
    **pop3.BUILDERS,
    **imap.BUILDERS,
    **other.BUILDERS,
    **tunnel.BUILDERS,
}


def build(kind: str, rng: Random) -> Dialogue:
    """A session of `kind`, a key of `KINDS`. The same state of `rng` gives the same session."""
    return KINDS[kind](rng)
