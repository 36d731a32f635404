"""Mail sessions that a sensor sees only half of, and how far its decoding agrees with a DPI engine.

From captures, or from sessions and labels that exist already, to a report:

    import mailtap

    with mailtap.analyze("tap.pcap", labels=["eve.json"]) as report:
        print(report.figures.mail.starttls, "sessions use STARTTLS")
        print(report.to_dict()["consistency"]["consistent"]["share"])
        table = report.sessions()  # Arrow: pandas, polars and DuckDB take it

Or one record after the other:

    for session in mailtap.sessions("mail_session.log"):
        print(session.uid, session.service, session.starttls)

    for label in mailtap.labels("eve.json"):
        print(label.app, label.provenance)

Or all of them to Parquet, which is read many times faster:

    mailtap.write_sessions("mail_session.log", "sessions.parquet")
    mailtap.write_labels("eve.json", "labels.parquet")

What can't be done raises a subclass of MailTapError, whose message is one line.
"""

from importlib.metadata import version

from mailtap.api import (
    Report,
    analyze,
    labels,
    report,
    sessions,
    write_labels,
    write_sessions,
)
from mailtap.capture.errors import CaptureError
from mailtap.capture.nfstream_labels import LabellingError
from mailtap.errors import MailTapError, MissingPackageError, QueryError
from mailtap.files import StandardInputError, WriteError
from mailtap.labels.detect import LabelError
from mailtap.labels.label import Label
from mailtap.policy import PolicyError
from mailtap.report.against import AgainstError
from mailtap.report.server_logs import TruthError
from mailtap.sessions.detect import SourceError
from mailtap.sessions.session import Session
from mailtap.spark.engine import SparkError
from mailtap.zeek.installation import ZeekError

__version__ = version("mailtap")

__all__ = [
    "AgainstError",
    "CaptureError",
    "Label",
    "LabelError",
    "LabellingError",
    "MailTapError",
    "MissingPackageError",
    "PolicyError",
    "QueryError",
    "Report",
    "Session",
    "SourceError",
    "SparkError",
    "StandardInputError",
    "TruthError",
    "WriteError",
    "ZeekError",
    "__version__",
    "analyze",
    "labels",
    "report",
    "sessions",
    "write_labels",
    "write_sessions",
]
