"""Which label belongs to which session.

Of several candidates that one is taken which has most of its time in common with the session
(the time both take divided by the time that they take together), then the one that starts nearest.
Where two are equally good and contradict each other, the session is ambiguous and none is taken.
"""

from __future__ import annotations

from mailtap.correlation import sql
from mailtap.correlation.candidates import LABEL_FACTS, SESSION_COLUMNS, find_candidates
from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.verdicts import Judge, judged_sql

#: What is kept of a session with a candidate, beside the verdict.
_PAIR = (
    *SESSION_COLUMNS,
    *("app", "label_protocol", "label_provenance", "label_id", "engine"),
    *("service", "effective", "decoder", "empty_cause"),
)

#: By which of several candidates is chosen.
_NEARNESS = ("likeness", "distance")
_CONTESTED = ("session_id", "label_id", "engine", *_NEARNESS)

#: What a label `l` states, to compare it with another's.
STATEMENT = ("app", *LABEL_FACTS)
_STATEMENT = "concat_ws('|', " + ", ".join(f"coalesce(l.{name}, '')" for name in STATEMENT) + ")"

#: A session in scope with its label.
_VERDICTS = "SELECT * FROM judged_candidates WHERE chosen AND in_scope"


def pair_by_join(
    engine: QueryEngine, judge: Judge, slack: float, clocks_differ: bool, *, keep: bool = False
) -> bool:
    """Makes `judged_candidates`, `verdicts` and `verdicts_by_engine` of `whole_sessions` and
    `labels`; whether several engines labelled, so that the latter two may differ.

    `slack` is in seconds. With `clocks_differ`, label times are shifted by table `clock_offsets`.
    They are views of `judged_candidates`, a table if `keep`, and of `judged_pairs`, a table if
    several engines labelled: a table costs more than to ask once, less than to ask twice.
    """
    (engines,) = engine.rows("SELECT count(DISTINCT engine) AS n FROM labels")
    several_engines = bool(engines["n"] > 1)
    contested = find_candidates(engine, slack, clocks_differ)
    # Judged as they come out of the join: to look both sides up again afterwards costs more.
    make_pairs = engine.table if several_engines else engine.view
    make_candidates = engine.table if keep else engine.view
    make_pairs(
        "judged_pairs",
        f"SELECT {sql.columns((*_PAIR, *_NEARNESS))}, {judge.sql()} AS judgement FROM candidates",
    )
    if contested:
        if several_engines:  # nearly all pairs are contested, and they are at hand
            engine.view("contested_pairs", f"SELECT {sql.columns(_CONTESTED)} FROM judged_pairs")
        else:
            engine.table("contested_pairs", "SELECT * FROM contested")
        _choose(engine)
        make_candidates(
            "judged_candidates",
            f"SELECT j.*, {judged_sql()}, p.session_id IS NULL AS chosen FROM judged_pairs j "
            "LEFT JOIN passed_over p ON p.session_id = j.session_id AND p.label_id = j.label_id",
        )
    else:
        for name in ("several", "ambiguous"):
            engine.view(name, "SELECT CAST(NULL AS BIGINT) AS session_id WHERE false")
        make_candidates(
            "judged_candidates", f"SELECT *, {judged_sql()}, true AS chosen FROM judged_pairs"
        )
    engine.view("verdicts", _VERDICTS)
    if contested and several_engines:
        _choose_by_engine(engine)
    else:
        engine.view("verdicts_by_engine", _VERDICTS)
    return several_engines


def pair_by_row(engine: QueryEngine, judge: Judge) -> None:
    """Makes `judged_candidates`, `verdicts` and `verdicts_by_engine` of sessions that carry their
    own label, as a gateway exports them.
    """
    engine.view(
        "judged_candidates",
        f"SELECT *, {judged_sql()}, session_id AS label_id, 'label' AS engine, true AS chosen "
        f"FROM (SELECT *, {judge.sql()} AS judgement FROM whole_sessions WHERE label_is_label)",
    )
    engine.view("verdicts", _VERDICTS)
    engine.view("verdicts_by_engine", _VERDICTS)


def _choose(engine: QueryEngine) -> None:
    """Makes `passed_over`, those of `contested_pairs` that are not taken, and `several` and
    `ambiguous`, the sessions of which that is so.
    """
    engine.table(
        "several", "SELECT session_id FROM contested_pairs GROUP BY session_id HAVING count(*) > 1"
    )
    engine.table(
        "ranked",
        """
        SELECT c.*, row_number() OVER (PARTITION BY session_id
                                       ORDER BY likeness DESC, distance, label_id) AS place,
               rank() OVER (PARTITION BY session_id
                            ORDER BY likeness DESC, distance) AS shared_place
        FROM contested_pairs c JOIN several USING (session_id)""",
    )
    # Statements are long, so only those of candidates that are equally good are compared.
    engine.table(
        "ambiguous",
        "SELECT r.session_id AS session_id FROM ranked r "
        "SEMI JOIN (SELECT session_id FROM ranked WHERE shared_place = 1 AND place > 1) t "
        "ON t.session_id = r.session_id JOIN labels l ON l.label_id = r.label_id "
        "WHERE r.shared_place = 1 GROUP BY r.session_id "
        f"HAVING min({_STATEMENT}) <> max({_STATEMENT})",
    )
    engine.table(
        "passed_over",
        "SELECT r.session_id AS session_id, label_id FROM ranked r "
        "LEFT JOIN ambiguous a ON a.session_id = r.session_id "
        "WHERE place > 1 OR a.session_id IS NOT NULL",
    )


def _choose_by_engine(engine: QueryEngine) -> None:
    """Makes `verdicts_by_engine`: sessions in scope, each with the label of each engine. It is
    chosen as `_choose` does, among the labels of that engine alone.
    """
    # Most sessions have one label of an engine.
    engine.table(
        "several_by_engine",
        "SELECT session_id, engine FROM ranked GROUP BY session_id, engine HAVING count(*) > 1",
    )
    of_engine = "PARTITION BY r.session_id, r.engine ORDER BY likeness DESC, distance"
    engine.table(
        "ranked_by_engine",
        f"SELECT r.session_id AS session_id, r.label_id AS label_id, r.engine AS engine, "
        f"{_STATEMENT} AS statement, rank() OVER ({of_engine}) AS shared_place, "
        f"row_number() OVER ({of_engine}, r.label_id) AS place FROM ranked r "
        "JOIN several_by_engine s ON s.session_id = r.session_id AND s.engine = r.engine "
        "JOIN labels l ON l.label_id = r.label_id",
    )
    engine.table(
        "ambiguous_by_engine",
        "SELECT session_id, engine FROM ranked_by_engine WHERE shared_place = 1 "
        "GROUP BY session_id, engine HAVING min(statement) <> max(statement)",
    )
    engine.table(
        "passed_over_by_engine",
        "SELECT r.session_id AS session_id, label_id FROM ranked_by_engine r "
        "LEFT JOIN ambiguous_by_engine a ON a.session_id = r.session_id AND a.engine = r.engine "
        "WHERE place > 1 OR a.session_id IS NOT NULL",
    )
    engine.view(
        "verdicts_by_engine",
        f"SELECT * FROM (SELECT *, {judged_sql()} FROM judged_pairs) j "
        "ANTI JOIN passed_over_by_engine p "
        "ON p.session_id = j.session_id AND p.label_id = j.label_id WHERE in_scope",
    )
