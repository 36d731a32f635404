"""The notebook of the documentation, executed on a capture of real mail servers."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
from nbclient import NotebookClient

CHECKOUT = Path(__file__).parents[2]


def test_it_goes_from_a_capture_to_a_plot(tmp_path: Path) -> None:
    shutil.copy(CHECKOUT / "tests/lab/captures/postfix.pcap", tmp_path / "tap.pcap")
    notebook = nbformat.read(CHECKOUT / "docs/capture-to-plot.ipynb", as_version=4)
    client = NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}, timeout=120)
    client.execute()  # raises what a cell raises
    outputs = [
        output.get("data", {})
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    figures = outputs[0]["text/plain"]
    assert "mail sessions" in figures
    assert "consistent with it          0" not in figures
    assert "image/png" in outputs[-1]


def test_it_is_committed_without_outputs() -> None:
    notebook = nbformat.read(CHECKOUT / "docs/capture-to-plot.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
