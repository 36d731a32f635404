"""Sources of sessions: Zeek's logs, the session records of analyze, a gateway's export."""

from mailtap.records.database import open_database
from mailtap.sessions.detect import SourceError
from mailtap.sessions.live_store import load_live_store
from mailtap.sessions.load import SessionsLoaded, load

__all__ = ["SessionsLoaded", "SourceError", "load", "load_live_store", "open_database"]
