"""Sources of sessions: Zeek's logs, the session records of analyze, a gateway's export."""

from mailtap.sources.database import open_database
from mailtap.sources.detect import SourceError
from mailtap.sources.live_store import load_live_store
from mailtap.sources.load import SessionsLoaded, load

__all__ = ["SessionsLoaded", "SourceError", "load", "load_live_store", "open_database"]
