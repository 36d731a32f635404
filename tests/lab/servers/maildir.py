"""A mailbox in the maildir format with the messages that scenarios expect."""

from __future__ import annotations

import os

from lab.isolation import Root
from lab.messages import BARE, PLAIN, RICH


def fill(root: Root, place: str, owner: int) -> None:
    """Make an inbox that holds PLAIN, RICH and BARE."""
    root.folder(place, owner, owner)
    for name in ("cur", "new", "tmp"):
        root.folder(f"{place}/{name}", owner, owner)
    for number, message in enumerate((PLAIN, RICH, BARE)):
        path = root.file(f"{place}/cur/100{number}.M1P1.lab:2,", message.text)
        os.chown(path, owner, owner)
