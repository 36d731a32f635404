"""`make lab`: play all scenarios, and hold the decoder against what happened."""

from __future__ import annotations

import pickle
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import isolation, packages
from lab.laboratory import Laboratory
from lab.scenarios import imap, pop3, smtp
from lab.servers.base import Server
from lab.servers.dovecot import Dovecot
from lab.servers.exim import Exim
from lab.servers.postfix import Postfix

SERVERS: tuple[type[Server], ...] = (Postfix, Exim, Dovecot)
BUILD = Path(__file__).resolve().parents[2] / "build" / "lab"


def main(arguments: list[str]) -> int:
    if not isolation.inside():
        reason = isolation.why_not()
        if reason is not None:
            print(f"The laboratory is left out: {reason}.")
            return 0
        with ThreadPoolExecutor(4) as pool:
            pool.map(lambda kind: packages.download(kind.packages, BUILD / "packages" / kind.name), SERVERS)
        return isolation.enter(arguments)
    began = time.monotonic()
    isolation.prepare(BUILD / "roots")
    laboratory = Laboratory(BUILD / "roots", BUILD / "packages")
    laboratory.start(SERVERS)
    print(f"started {time.monotonic() - began:.1f}")
    outcome = laboratory.play([*smtp.catalogue.scenarios, *pop3.catalogue.scenarios, *imap.catalogue.scenarios])
    print(f"played {time.monotonic() - began:.1f}", len(outcome.recorded), outcome.versions)
    for line in outcome.left_out + outcome.failures:
        print(line)
    for server in laboratory.servers:
        (BUILD / f"{server.name}.log").write_text("\n".join([*server.output, *server.log()]))
    (BUILD / "recorded.pickle").write_bytes(pickle.dumps([(r.server, r.scenario.serves, r.scenario.name, r.index, r.session, r.log) for r in outcome.recorded]))
    return 0


sys.exit(main(sys.argv[1:]))
