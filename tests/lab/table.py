"""The result as tables, in Markdown: by server, client and view, and by field and view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lab.compare import Result

GROUPS = (
    *("both", "client", "server", "small segments", "reordered", "loss"),
    *("both, start cut", "client, start cut", "server, start cut"),
)


@dataclass
class Cell:
    """Views and fields, counted."""

    views: int = 0
    views_right: int = 0
    right: int = 0
    wrong: int = 0
    undecidable: int = 0

    def add(self, other: Cell) -> None:
        """Add another's counts."""
        self.views += other.views
        self.views_right += other.views_right
        self.right += other.right
        self.wrong += other.wrong
        self.undecidable += other.undecidable


@dataclass
class Tally:
    """All results, counted in the ways that the tables show."""

    cells: dict[tuple[str, str, str], Cell] = field(default_factory=lambda: defaultdict(Cell))
    """By server, client and view."""
    fields: dict[tuple[str, str], Cell] = field(default_factory=lambda: defaultdict(Cell))
    """By field and view."""
    sessions: dict[tuple[str, str], set[object]] = field(default_factory=lambda: defaultdict(set))
    """By server and client."""

    def add(self, result: Result) -> None:
        """Count one view."""
        counted = Cell(
            *(1, not result.wrong),
            *(len(result.right), len(result.wrong), len(result.undecidable)),
        )
        self.cells[result.server, result.client, result.group].add(counted)
        self.sessions[result.server, result.client].add(result.session)
        for name in result.right:
            self.fields[name, result.group].right += 1
        for name, _, _ in result.wrong:
            self.fields[name, result.group].wrong += 1
        for name in result.undecidable:
            self.fields[name, result.group].undecidable += 1


def total(cells: Iterable[Cell]) -> Cell:
    """Cells added up."""
    whole = Cell()
    for cell in cells:
        whole.add(cell)
    return whole


def _rows(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def by_server(tally: Tally) -> Iterator[str]:
    """Views without any wrong field, of all views."""
    pairs = sorted(tally.sessions)
    names = dict.fromkeys(server for server, _ in pairs)

    def row(title: str, chosen: list[tuple[str, str]]) -> list[str]:
        sessions = sum(len(tally.sessions[pair]) for pair in chosen)
        cells = []
        for group in GROUPS:
            cell = total(
                tally.cells[*pair, group] for pair in chosen if (*pair, group) in tally.cells
            )
            cells.append(f"{cell.views_right:,}/{cell.views:,}" if cell.views else "")
        return [title, str(sessions), *cells]

    rows = []
    for server in names:
        own = [pair for pair in pairs if pair[0] == server]
        rows.append(row(f"**{server}**", own))
        rows += [row(client, [(server, client)]) for _, client in own]
    rows.append(row("**all**", pairs))
    yield from _rows(["server, client", "sessions", *GROUPS], rows)


def by_field(tally: Tally) -> Iterator[str]:
    """Values right, wrong (where there are any) and undecidable."""
    names = sorted({name for name, _ in tally.fields})
    rows = []
    for name in names:
        cells = []
        for group in GROUPS:
            cell = tally.fields.get((name, group), Cell())
            wrong = f" **{cell.wrong:,} wrong**" if cell.wrong else ""
            cells.append(f"{cell.right:,}{wrong} · {cell.undecidable:,}")
        rows.append([f"`{name}`", *cells])
    yield from _rows(["field", *GROUPS], rows)


def summary(tally: Tally) -> str:
    """One line with the figures of all."""
    cell = total(tally.cells.values())
    sessions = sum(len(found) for found in tally.sessions.values())
    views = f"{sessions:,} sessions in {cell.views:,} views"
    fields = f"{cell.right:,} right, {cell.wrong:,} wrong, {cell.undecidable:,} undecidable"
    return f"{views}: {cell.views_right:,} right in every field. Fields: {fields}."


def page(tally: Tally, versions: Mapping[str, str], left_out: Iterable[str]) -> str:
    """The tables as docs/explanation/lab.md has them, below its introduction."""
    software = [[f"{name}", version] for name, version in sorted(versions.items())]
    return "\n".join(
        [
            summary(tally),
            "",
            *(f"{line}\n" for line in left_out),
            "## Views by server and client",
            "",
            "Views that are right in every field, of all views.",
            "",
            *by_server(tally),
            "",
            "## Values by field and view",
            "",
            "Right values, and behind the dot those that the visible bytes leave open.",
            "",
            *by_field(tally),
            "",
            "## Software",
            "",
            *_rows(["package", "version"], software),
            "",
        ]
    )
