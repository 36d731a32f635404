"""From the tables of sessions and labels to the report."""

from __future__ import annotations

from mailtap.correlation.engines import QueryEngine
from mailtap.report.model import Report
from mailtap.report.sessions import session_figures


def build_report(engine: QueryEngine, *, engine_name: str, complete: bool) -> Report:
    """The report over the table `sessions`."""
    figures = session_figures(engine, "sessions")
    return Report(
        complete=complete,
        engine=engine_name,
        sessions=figures.sessions,
        stitched=0,
        direction=figures.direction,
        effective=figures.effective,
        mail=figures.mail,
        decode_as=figures.decode_as,
        consistency=None,
    )
