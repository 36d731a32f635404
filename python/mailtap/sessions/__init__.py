"""Sources of sessions: Zeek's logs, the session records of analyze, a gateway's export."""

from mailtap.sessions.detect import SourceError
from mailtap.sessions.load import SessionsLoaded, load

__all__ = ["SessionsLoaded", "SourceError", "load"]
