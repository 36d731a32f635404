"""`make lab`: play all scenarios, and hold the decoder against what happened.

`python -m lab SERVER...` plays those servers only, and leaves docs/explanation/lab.md as it is.
`python -m lab tamper [SERVER...]` plays only what a proxy does between clients and servers.
`python -m lab keep` writes tests/lab/captures anew: what chosen.py names, from the last run.
`python -m lab judge FOLDER` judges the captures that a run kept (build/lab/captures).
`python -m lab logs FOLDER` judges the servers' own logs that it kept (build/lab/own-logs).

Exit status 0: enough is right (WHOLE and ENOUGH below), or the laboratory can't run here (one line
says why). 1: it isn't. 2: the laboratory itself is wrong: a server failed, or truth and log
disagree.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from lab import clients, isolation, own_logs, packages, saved, table
from lab.chosen import chosen
from lab.compare import Result, judge_all
from lab.laboratory import Laboratory
from lab.scenarios import ALL
from lab.servers import KINDS
from lab.tampering.play import play
from lab.truth import Truth, disagreements, known

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = CHECKOUT / "build" / "lab"
KEPT = CHECKOUT / "tests" / "lab" / "captures"
PAGE = CHECKOUT / "docs" / "explanation" / "lab.md"
WHOLE = ("both", "client", "server", "small segments", "reordered")
"""Views in which no byte of the sides seen is missing: every field must be right in all of them."""
ENOUGH = 0.999
"""The share of all views that must be right in every field. The table names the others."""
MARK = "<!-- Below this line: written by `make lab`. -->\n"


def main(arguments: list[str]) -> int:
    """Outside: prepare and go inside. Inside: the laboratory."""
    if arguments[:1] == ["judge"]:
        tally, mismatches = judged(saved.load(Path(arguments[1])))
        return result(tally, mismatches)
    if arguments[:1] == ["logs"]:
        return logs_result(own_logs.judge(Path(arguments[1])))
    if arguments[:1] == ["keep"]:
        saved.save(KEPT, filter(chosen, saved.load(BUILD / "captures")))
        return 0
    if isolation.inside():
        return laboratory(arguments)
    reason = isolation.why_not()
    if reason is not None:
        print(f"The laboratory is left out: {reason}.")
        return 0
    wanted = {kind.name: kind.packages for kind in KINDS}
    wanted |= {clients.folder(name): needed for name, needed in clients.PROGRAMS.items()}
    packages.update_lists()
    with ThreadPoolExecutor(4) as pool:
        for name, needed in wanted.items():
            pool.submit(packages.download, needed, BUILD / "packages" / name)
    return isolation.enter(arguments)


def laboratory(names: list[str]) -> int:
    """Servers up, scenarios played, decoder judged, results written."""
    began = time.monotonic()
    tampering_only = names[:1] == ["tamper"]
    names = names[tampering_only:]

    def note(text: str) -> None:
        print(f"{time.monotonic() - began:5.1f} s  {text}", flush=True)

    isolation.prepare(BUILD / "roots")
    lab = Laboratory(BUILD / "roots", BUILD / "packages")
    lab.start([kind for kind in KINDS if not names or kind.name in names])
    if not any(server.packages for server in lab.servers) and not lab.outcome.failures:
        print(f"The laboratory is left out: {lab.outcome.left_out[0]}.")
        return 0
    note(f"{len(lab.servers)} servers run")
    if tampering_only:
        return tampered(lab, note)
    outcome = lab.play(ALL)
    note(f"{len(outcome.recorded)} connections recorded")
    for server in lab.servers:
        (BUILD / f"{server.name}.log").write_text("\n".join([*server.output, *server.log()]))

    truths = []
    for recorded in outcome.recorded:
        scenario = recorded.scenario
        truth = known(
            *(recorded.server, scenario.client, scenario.name, scenario.serves, scenario.speaks),
            recorded.session,
        )
        truths.append(truth)
        wants = scenario.wants_of(recorded.server)
        outcome.failures += disagreements(truth, wants, recorded.log)
    saved.save(BUILD / "captures", truths)
    own_logs.save(BUILD / "own-logs", lab.servers)
    tally, mismatches = judged(truths)
    introduction = PAGE.read_text().partition(MARK)[0] if PAGE.exists() else ""
    if not names:
        PAGE.write_text(
            introduction + MARK + "\n" + table.page(tally, outcome.versions, outcome.left_out)
        )
    for line in outcome.left_out + outcome.failures:
        print(line)
    status = max(
        result(tally, mismatches),
        logs_result(own_logs.judge(BUILD / "own-logs")),
        tampered(lab, note),
    )
    note("done")
    if outcome.failures:
        print(f"The laboratory itself failed in {len(outcome.failures)} places, listed above.")
        return 2
    return status


def logs_result(found: Iterable[own_logs.Found]) -> int:
    """Show how many sessions of the servers' own logs are found, and give the exit status."""
    status = 0
    for one in found:
        print(one)
        status = status if one.enough else 1
    return status


def tampered(lab: Laboratory, note: Callable[[str], None]) -> int:
    """Have a proxy provoke every finding, show what is wrong, and give the exit status."""
    found = play(lab)
    missing = found.missing() if len(lab.servers) == len(KINDS) else []
    print("\n".join([*found.wrong, *(f"not provoked: {line}" for line in missing)]))
    note(f"{found.sessions} connections tampered with, {len(found.wrong)} views are wrong")
    return 1 if found.wrong or missing else 0


def judged(truths: list[Truth]) -> tuple[table.Tally, list[str]]:
    """All views of all sessions, counted, and the mismatches as JSON lines."""
    tally = table.Tally()
    mismatches: list[str] = []
    with ProcessPoolExecutor() as pool:
        for results in pool.map(_judge, truths, range(len(truths)), chunksize=4):
            for result in results:
                tally.add(result)
                mismatches += result.mismatches()
    return tally, mismatches


def _judge(truth: Truth, seed: int) -> list[Result]:
    return list(judge_all(truth, seed))


def result(tally: table.Tally, mismatches: list[str]) -> int:
    """Show the table, keep the mismatches, and give the exit status."""
    print("\n".join([table.summary(tally), *table.by_server(tally)]))
    path = BUILD / "mismatches.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in mismatches))
    if mismatches:
        print(f"{len(mismatches):,} values are wrong; {path} lists them.")
    whole = table.total(cell for key, cell in tally.cells.items() if key[2] in WHOLE)
    views = table.total(tally.cells.values())
    enough = whole.views_right == whole.views and views.views_right >= ENOUGH * views.views
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
