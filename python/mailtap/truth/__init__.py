"""The truth about mail sessions: what the mail servers themselves logged.

`TruthLog` reads logs to `TruthSession` records, `match` joins them with the sessions that a tap
saw, and `compare` counts what of the truth the tap's sessions have.
"""

from mailtap.truth.files import UnreadableLogError
from mailtap.truth.read import FORMATS, ReadFile, TruthLog
from mailtap.truth.session import Rejection, TruthSession

__all__ = ["FORMATS", "ReadFile", "Rejection", "TruthLog", "TruthSession", "UnreadableLogError"]
