"""Sources and labels as Spark's tables; what that takes beside Spark is asked for here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mailtap.errors import MissingPackageError
from mailtap.labels.detect import LabelFile
from mailtap.policy import Policy
from mailtap.spark.engine import SparkEngine


def load_on_spark(
    engine: SparkEngine,
    paths: Sequence[Path],
    files: Sequence[LabelFile],
    policy: Policy,
    *,
    details: bool,
) -> tuple[str, ...]:
    """Makes the tables `sessions` and `labels` of sources that Spark reads itself; the warnings.

    Raises SourceError, LabelError, and MissingPackageError.
    """
    try:
        from mailtap.spark.sources import load_labels, load_sessions
    except ImportError as error:
        raise MissingPackageError(
            f"{error.name} isn't installed: pip install 'mailtap[spark]'"
        ) from None
    return (
        *load_sessions(engine, paths, policy, details=details),
        *load_labels(engine, files, policy),
    )
