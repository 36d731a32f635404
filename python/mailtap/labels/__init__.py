"""Third-party labels: importers to one normal form."""

from mailtap.labels.detect import FORMAT_NAMES, LabelError, LabelFile
from mailtap.labels.load import LabelsLoaded, LoadedFile, load

__all__ = [
    "FORMAT_NAMES",
    "LabelError",
    "LabelFile",
    "LabelsLoaded",
    "LoadedFile",
    "load",
]
