"""Frames of sensors, lines of labels and logs, and policy files, mutated at random.

The rule: whatever one sensor, label source or file holds, the figures of the others stay the same,
the correlator goes on, each frame and each line is counted, and what is wrong is one line that can
be printed. A log, a label file or a policy that can't be read is refused by its name. That a source
is tried again, with backoff, is in tests/live/test_hostile_peers.py.
`MAILTAP_FUZZ_EXAMPLES` is how many inputs are tried of each kind.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "live"))

from mailtap.labels import LabelError, LabelFile
from mailtap.labels.load import load as load_labels
from mailtap.live.core.correlator import Correlated, Correlator
from mailtap.live.core.inbox import Inbox
from mailtap.live.sensors.frames import SESSIONS_TOPIC, Event, MalformedError, read_frame
from mailtap.live.store.writer import Store
from mailtap.policy import PolicyError, load_policy
from mailtap.records.database import open_database
from mailtap.report.model import Agreement
from mailtap.sessions import SourceError
from mailtap.sessions.load import load as load_sessions
from records import label, session
from stand_in import frame

EXAMPLES = int(os.environ.get("MAILTAP_FUZZ_EXAMPLES", "8"))
FUZZED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

POLICY = load_policy(None)

NUMBERS = (
    st.sampled_from(
        [0, -1, 2**31, 2**53, 2**63, 10**18, 10**400, 1e300, -1e300, 1e18, 1e-300, float("nan")]
    )
    | st.floats()
)
TEXTS = st.text(max_size=40) | st.sampled_from(
    ["", "\x00", "\x1b[31m", "\u202e", "\u2028", "'; DROP TABLE sessions; --", "x" * 100_000, "[]"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def records(usual: dict[str, object]) -> st.SearchStrategy[str]:
    """A record of which some fields are something else, as JSON or nearly."""
    changed = st.dictionaries(st.sampled_from(sorted(usual)), VALUES, max_size=4)
    lines = changed.map(lambda change: json.dumps(usual | change, allow_nan=True))
    cut = st.tuples(lines, st.integers(0, 200)).map(lambda one: one[0][: one[1]])
    return lines | cut | TEXTS


FRAMES = (
    records(session(1, started=1.0)).map(lambda line: frame(line).encode(errors="replace"))
    | st.binary(max_size=200)
    | st.sampled_from([b"[" * 200_000, b"{" * 200_000, b"", b"null", b'{"type":"error"}'])
)
LABEL_LINES = records(label(1)).map(lambda line: line.encode(errors="replace")) | st.binary(
    max_size=200
)


class Client:
    """Live mode with a good and a hostile sensor, and a good and a hostile label source."""

    def __init__(self, store: Path | None = None, hostile_form: str | None = None) -> None:
        self.store = None if store is None else Store(store, ())
        self.inbox = Inbox(4)
        self.correlator = Correlator(
            self.inbox,
            ["ws://good", "ws://hostile"],
            [("good", "jsonl", None), ("hostile", hostile_form, "hostile")],
            POLICY,
            window=600.0,
            maximum=100_000,
            store=self.store,
            answers=None,
        )
        self.correlator.start()
        if self.store is not None:
            self.store.start()

    def put_good(self) -> None:
        """Five sessions of the good sensor, with their labels from the good source."""
        now = time.monotonic()
        for number in range(2, 7):
            self.inbox.put_frame(0, frame(session(number)).encode(), now)
        good = [json.dumps(label(number)).encode() for number in range(2, 7)]
        self.inbox.put_lines(0, good, None, now)

    def end(self) -> Correlated:
        """What there is at the end. The good sensor and the good source have their figures."""
        self.correlator.stop()
        assert self.correlator.failure is None
        if self.store is not None:
            assert self.store.close() is None
        latest = self.correlator._correlated()
        good, labels = latest.sensors[0], latest.label_sources[0]
        assert (good.received, good.malformed, good.error) == (5, 0, None)
        assert (labels.received, labels.malformed, labels.error) == (5, 0, None)
        by_sensor = {one.sensor: one.agreement for one in latest.figures.by_sensor}
        assert by_sensor["ws://good zeek"] == Agreement(5, 5, 0, 0)
        by_engine = {one.engine: one.agreement for one in latest.figures.by_engine}
        assert by_engine["jsonl"].matched >= 5
        assert latest.waiting >= 0
        return latest


def is_counted(one: bytes) -> bool:
    """Whether a frame is a session's, or none that can be read: all but complaints and the like."""
    try:
        event = read_frame(one)
    except MalformedError:
        return True
    return isinstance(event, Event) and event.topic == SESSIONS_TOPIC


@FUZZED
@given(st.lists(FRAMES, max_size=30), st.lists(LABEL_LINES, max_size=30))
@example([frame(session(1, seq=10**18, started=n)).encode() for n in range(12)], [])
@example([frame(session(1, ts=1e300, duration=-1e18)).encode()], [b"a\rb,c", b'"' + b"x" * 200_000])
def test_one_sensor_s_nonsense_changes_no_figure_of_the_others(
    frames: list[bytes], lines: list[bytes]
) -> None:
    client = Client()
    now = time.monotonic()
    for one in frames:
        client.inbox.put_frame(1, one, now)
    client.inbox.put_lines(1, lines, None, now)
    client.put_good()
    _, hostile = client.end().sensors
    assert hostile.received + hostile.duplicates + hostile.malformed == sum(map(is_counted, frames))


@FUZZED
@given(st.lists(LABEL_LINES, max_size=30), st.sampled_from(["jsonl", None]))
@example([b'"' + b"x" * 200_000, b"\r", b"{"], None)
def test_each_line_of_a_label_source_is_counted_and_its_error_is_one_line(
    lines: list[bytes], form: str | None
) -> None:
    client = Client(hostile_form=form)
    errors = []
    for one in lines:
        client.inbox.put_lines(1, [one], None, time.monotonic())
        errors.append(client.correlator.latest.label_sources[1].error)
    client.put_good()
    source = client.end().label_sources[1]
    counted = source.received + source.other + source.malformed
    whole = [line for line in lines if line.strip()]
    assert all(error is None or error.isprintable() for error in (*errors, source.error))
    assert len({*errors, source.error} - {None}) <= 2  # no lines yet, and no known format
    assert counted <= len(lines)
    assert source.error is not None or len(whole) <= counted


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@FUZZED
@given(st.lists(FRAMES, max_size=10))
@example([frame(session(1, seq=2**53, started=n)).encode() for n in range(1_100)])
def test_the_store_takes_whatever_live_mode_takes(scratch: Path, frames: list[bytes]) -> None:
    path = scratch / "live.duckdb"
    path.unlink(missing_ok=True)
    client = Client(path)
    now = time.monotonic()
    for one in frames:
        client.inbox.put_frame(1, one, now)
    client.put_good()
    client.end()


@FUZZED
@given(st.lists(records(session(1)).filter(lambda line: not {*"\r\n"} & {*line}), max_size=10))
@example(["", "0", "{"])
def test_a_log_s_nonsense_is_counted_and_changes_no_figure_of_another(
    scratch: Path, lines: list[str]
) -> None:
    good, log = scratch / "good.jsonl", scratch / "hostile.jsonl"
    good.write_text("".join(json.dumps(session(number)) + "\n" for number in range(2, 7)))
    text = "\n".join([json.dumps(session(1)), *lines]) + "\n"
    log.write_bytes(text.encode(errors="surrogatepass"))
    with open_database() as connection:
        try:
            loaded = load_sessions(connection, [good, log], POLICY)
        except SourceError as error:
            assert str(error).startswith(str(log))
            assert str(error).isprintable()
            return
        of_good = connection.execute(
            "SELECT count(*) FROM sessions WHERE starts_with(sensor, ?)", [str(good)]
        ).fetchall()
    assert of_good == [(5,)]
    assert all(warning.startswith(str(log)) for warning in loaded.warnings)
    assert len(loaded.warnings) <= 1  # what is wrong with a file is said once, with a number
    malformed = sum(int(warning.split(": ")[1].split()[0]) for warning in loaded.warnings)
    whole = sum(line.strip(" ") != "" for line in lines)
    assert 6 <= loaded.sessions + malformed <= 6 + whole  # a record that comes again is one


@FUZZED
@given(st.lists(LABEL_LINES, max_size=10))
@example([b"\r0"])
def test_a_label_file_s_nonsense_changes_no_figure_of_another(
    scratch: Path, lines: list[bytes]
) -> None:
    good, file = scratch / "good-labels.jsonl", scratch / "labels.jsonl"
    good.write_text("".join(json.dumps(label(number)) + "\n" for number in range(2, 7)))
    file.write_bytes(b"\n".join(lines))
    with open_database() as connection:
        try:
            first, _ = load_labels(connection, [LabelFile(good), LabelFile(file)], POLICY).files
            assert (first.labels, first.other, first.malformed) == (5, 0, 0)
        except LabelError as error:
            assert str(error).startswith(str(file))
            assert str(error).isprintable()


POLICIES = st.dictionaries(
    st.sampled_from(["redact", "join", "ports", "effective", "labels", "expect", "generic"])
    | TEXTS,
    VALUES,
    max_size=3,
).map(lambda document: json.dumps(document).encode(errors="replace")) | st.binary(max_size=100)


@FUZZED
@given(POLICIES)
@example(b"a: &a [*a]")
@example(b"[" * 10_000)
@example(b"redact: !!python/object/apply:os.system [true]")
def test_a_policy_is_taken_or_refused(scratch: Path, text: bytes) -> None:
    file = scratch / "policy.yaml"
    file.write_bytes(text)
    try:
        load_policy(file)
    except PolicyError as error:
        assert str(error).startswith(str(file))
        assert str(error).isprintable()
    assert load_policy(None) == POLICY
