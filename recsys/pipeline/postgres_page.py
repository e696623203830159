"""A safe page in SQL: `recsys.page` and `recsys.inbox`, which a backend in any language may call.

They answer from the exported lists and, in the same statement, the tables of the safety store and its day
log, which stand in the same database. Whatever is missing there is an error of the database, never a page.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import LANGUAGES
from recsys.data.account_linkage import connected_rows
from recsys.messaging.reasons import reason_text_or_none
from recsys.models.directed import sigmoid
from recsys.ranking.publication_filter import EVERY_PAIR, ListFilter
from recsys.ranking.snapshot import Snapshot
from recsys.safety.canonical import any_spelling_sql
from recsys.safety.day_log import SEPARATING
from recsys.types import Int32Array, Int64Array

STAGE: Final = "stage"
CHANCE: Final = "inbox_chance"
"""The chance that the person on a list likes its viewer."""
LIKES: Final = "like_chance"
"""The chance that the viewer of a list likes the person on it."""
INBOXES: Final = "inboxes"
NIGHT_LIKES: Final = "night_likes"
PERSONS: Final = "persons"
WORDS: Final = "reason_words"

TABLES: Final = (
    """CREATE TABLE recsys.inboxes (
      viewer_id text PRIMARY KEY, candidate_id text[] NOT NULL, stage text[] NOT NULL,
      inbox_chance double precision[] NOT NULL)""",
    "CREATE TABLE recsys.persons (account text PRIMARY KEY, person text NOT NULL)",
    "CREATE INDEX persons_person ON recsys.persons (person)",
)
WORDS_TABLES: Final = (
    """CREATE TABLE recsys.reason_words (
      code text NOT NULL, lang text NOT NULL, words text NOT NULL, PRIMARY KEY (code, lang))""",
)
STORE_COLUMNS: Final = (
    "ALTER TABLE recsys.served ADD COLUMN store_identity text, ADD COLUMN store_writes bigint",
)
DAY_COLUMNS: Final = ("ALTER TABLE recsys.served ADD COLUMN day_since timestamptz",)
LIKES_TABLES: Final = (
    """CREATE TABLE recsys.night_likes (
      viewer_id text NOT NULL, candidate_id text NOT NULL, PRIMARY KEY (viewer_id, candidate_id))""",
)

_CHECKED: Final = """
#variable_conflict use_column
DECLARE since timestamptz; as_of timestamptz; who text := viewer; most integer := least(greatest(k, 0), 1000);
BEGIN
  SELECT data_as_of, coalesce(day_since, data_as_of) INTO as_of, since FROM recsys.served;
  IF as_of IS NULL OR max_age IS NULL OR as_of < now() - max_age THEN
    RAISE EXCEPTION 'what is published is too old to serve' USING HINT = 'run the night, then recsys export';
  END IF;
  IF NOT EXISTS (SELECT FROM recsys.served s JOIN recsys_store_identity i
                 ON i.identity = s.store_identity AND i.writes >= s.store_writes) THEN
    RAISE EXCEPTION 'the safety store is another one than at the export, or older than then'
      USING HINT = 'restore the newest copy; for a new store on purpose, run recsys export';
  END IF;
  RETURN QUERY
"""
# Decisions are of persons: the latest of all their accounts. A pass or a hide holds both ways, a like is of
# the one account that was liked.
_APART: Final = ", ".join(f"'{kind}'" for kind in sorted(SEPARATING))
_DAY: Final = f"""
WITH me AS MATERIALIZED (
  SELECT who AS account UNION
  SELECT o.account FROM recsys.persons m JOIN recsys.persons o ON o.person = m.person WHERE m.account = who
), happened AS MATERIALIZED (
  SELECT true AS mine, e.target AS other, e.type, e.detail, e.at FROM recsys_day_events e
  WHERE e.actor = ANY (ARRAY(SELECT account FROM me)) AND e.noted > since AND e.target IS NOT NULL
  UNION ALL
  SELECT false, e.actor, e.type, e.detail, e.at FROM recsys_day_events e
  WHERE e.target = ANY (ARRAY(SELECT account FROM me)) AND e.noted > since AND e.type <> 'impression'
    AND (e.type <> 'like' OR e.target = who)
), keyed AS MATERIALIZED (
  SELECT h.*, coalesce('p' || p.person, 'a' || h.other) AS key
  FROM happened h LEFT JOIN recsys.persons p ON p.account = h.other
), latest AS MATERIALIZED (
  SELECT DISTINCT ON (mine, key) mine, key, other, type FROM keyed
  WHERE type IN ('like', 'undo', 'pass', 'hide')
  ORDER BY mine, key, at DESC, array_position(ARRAY['like', 'undo', 'pass', 'hide'], type) DESC
), apart AS MATERIALIZED (
  SELECT 'p' || person AS key FROM recsys.persons WHERE account = who UNION
  SELECT key FROM latest WHERE type IN ('pass', 'hide') UNION
  SELECT key FROM keyed WHERE type IN ({_APART})
    OR (type, detail) IN (('meet_feedback', 'unsafe'), ('feeling_check', 'pressured'))
), likers AS MATERIALIZED (
  SELECT other FROM keyed WHERE NOT mine AND type = 'like'
    AND key IN (SELECT key FROM latest WHERE NOT mine AND type = 'like')
)"""  # noqa: S608 - fixed names
_TEXTS: Final = f"ARRAY[account, {any_spelling_sql('account')}]"
"""Under which texts the store names an account: that of any spelling too, see `recsys.safety.canonical`."""
_OUT: Final = f"""
others AS MATERIALIZED (
  SELECT candidate_id, candidate_id AS account FROM found UNION
  SELECT found.candidate_id, o.account FROM found
    JOIN recsys.persons p ON p.account = found.candidate_id JOIN recsys.persons o ON o.person = p.person
), out AS MATERIALIZED (
  SELECT candidate_id FROM others WHERE EXISTS (SELECT FROM recsys_holds h WHERE h.person = ANY ({_TEXTS}))
    OR EXISTS (SELECT FROM recsys_erased_people x WHERE x.person = ANY ({_TEXTS}))
    OR EXISTS (SELECT FROM recsys_separated_pairs s
               WHERE s.person = ANY (ARRAY(SELECT unnest({_TEXTS}) FROM me)) AND s.other = ANY ({_TEXTS}))
  UNION
  SELECT candidate_id FROM found WHERE EXISTS (
    SELECT FROM recsys_day_events e
    WHERE e.actor = candidate_id AND e.noted > since AND e.type = 'tables')
  UNION
  SELECT candidate_id FROM others JOIN recsys_changed_persons c USING (account) WHERE c.noted > since
), stopped AS MATERIALIZED (
  SELECT FROM me WHERE EXISTS (SELECT FROM recsys_holds h WHERE h.person = ANY ({_TEXTS}))
    OR EXISTS (SELECT FROM recsys_erased_people x WHERE x.person = ANY ({_TEXTS}))
  UNION ALL
  SELECT FROM recsys_day_events e WHERE e.actor = who AND e.noted > since AND e.type = 'tables'
  UNION ALL
  SELECT FROM me JOIN recsys_changed_persons c USING (account) WHERE c.noted > since
)"""  # noqa: S608 - fixed names
_PAGE: Final = f"""{_DAY}, found AS MATERIALIZED (
  SELECT one.candidate_id, one.reasons, one.stage, one.place,
    coalesce('p' || p.person, 'a' || one.candidate_id) AS key
  FROM recsys.recommendations r
  CROSS JOIN unnest(r.candidate_id, r.reasons, r.stage) WITH ORDINALITY
    AS one(candidate_id, reasons, stage, place)
  LEFT JOIN recsys.persons p ON p.account = one.candidate_id
  WHERE r.viewer_id = who AND one.stage IS NOT NULL
), {_OUT}
SELECT row_number() OVER (ORDER BY place), candidate_id, stage,
       CASE WHEN reasons = '' THEN ARRAY[]::text[] ELSE string_to_array(reasons, ',') END
FROM found
WHERE NOT EXISTS (SELECT FROM stopped) AND candidate_id NOT IN (SELECT candidate_id FROM out)
  AND key NOT IN (SELECT key FROM apart)
  AND key NOT IN (SELECT key FROM latest WHERE mine AND type = 'like')
  AND candidate_id NOT IN (SELECT other FROM happened WHERE mine AND type = 'impression')
  AND candidate_id NOT IN (SELECT l.candidate_id FROM recsys.night_likes l WHERE l.viewer_id = who)
ORDER BY place LIMIT most;
"""  # noqa: S608 - fixed names
_INBOX: Final = f"""{_DAY}, found AS MATERIALIZED (
  SELECT DISTINCT ON (one.candidate_id) one.candidate_id, one.stage, one.chance,
    coalesce('p' || p.person, 'a' || one.candidate_id) AS key
  FROM (
    SELECT night.candidate_id, night.stage, night.chance FROM recsys.inboxes i
    CROSS JOIN unnest(i.candidate_id, i.stage, i.inbox_chance) AS night(candidate_id, stage, chance)
    WHERE i.viewer_id = who
    UNION ALL
    SELECT r.viewer_id, entry.stage, entry.chance FROM recsys.recommendations r
    CROSS JOIN unnest(r.candidate_id, r.stage, r.inbox_chance) AS entry(candidate_id, stage, chance)
    WHERE r.viewer_id IN (SELECT other FROM likers)
      AND entry.candidate_id = who
    UNION ALL
    SELECT own.candidate_id, own.stage, own.chance FROM recsys.recommendations r
    CROSS JOIN unnest(r.candidate_id, r.stage, r.like_chance) AS own(candidate_id, stage, chance)
    WHERE r.viewer_id = who
      AND own.candidate_id IN (SELECT other FROM likers)
  ) AS one LEFT JOIN recsys.persons p ON p.account = one.candidate_id
  WHERE one.stage IS NOT NULL AND one.chance IS NOT NULL
), {_OUT}
SELECT row_number() OVER (ORDER BY chance DESC, candidate_id COLLATE "C"), candidate_id, stage
FROM found
WHERE NOT EXISTS (SELECT FROM stopped) AND candidate_id NOT IN (SELECT candidate_id FROM out)
  AND key NOT IN (SELECT key FROM apart)
  AND key NOT IN (SELECT key FROM latest WHERE NOT mine AND type <> 'like')
  AND key NOT IN (SELECT key FROM latest WHERE mine AND type <> 'undo')
  AND (candidate_id NOT IN (SELECT l.candidate_id FROM recsys.night_likes l WHERE l.viewer_id = who)
       OR key IN (SELECT key FROM latest WHERE mine))
ORDER BY chance DESC, candidate_id COLLATE "C" LIMIT most;
"""  # noqa: S608 - fixed names
# The names of schemas are put in, temporary tables come last: whoever calls a function could otherwise put
# tables of their own, by the names of the store's, before them.
_CHANGED: Final = """CREATE TABLE recsys_changed_persons (
  account text PRIMARY KEY, noted timestamptz NOT NULL)"""
"""A table of the safety store that one of an earlier version has not got."""
_OPTIONS: Final = "LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO {schemas}, pg_temp"
_FUNCTIONS: Final = (
    f"""CREATE OR REPLACE FUNCTION recsys.page(viewer text, k integer DEFAULT 10,
      max_age interval DEFAULT '7 days')
    RETURNS TABLE (rank bigint, candidate_id text, stage text, reasons text[])
    {_OPTIONS} AS $page${_CHECKED} {_PAGE} END $page$""",
    f"""CREATE OR REPLACE FUNCTION recsys.inbox(viewer text, k integer DEFAULT 10,
      max_age interval DEFAULT '7 days')
    RETURNS TABLE (rank bigint, candidate_id text, stage text)
    {_OPTIONS} AS $page${_CHECKED} {_INBOX} END $page$""",
    f"""CREATE OR REPLACE FUNCTION recsys.reason_texts(reasons text[], lang text DEFAULT 'ja')
    RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO pg_catalog, pg_temp AS $page$
      SELECT coalesce(array_agg(w.words ORDER BY one.place), ARRAY[]::text[])
      FROM unnest($1) WITH ORDINALITY AS one(code, place)
      JOIN recsys.{WORDS} w ON w.code = one.code AND w.lang = $2
    $page$""",  # noqa: S608 - fixed names
)


def create_functions(cursor: Any) -> None:
    """Make or renew the functions; they read tables where the connection finds the safety store's.

    Schemas that a call may not create tables in are searched alone, those of the connection that renews them.
    """
    cursor.execute("SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) AS name")
    (schemas,) = cursor.fetchone()
    missing = "to_regclass('recsys_day_events') IS NOT NULL AND to_regclass('recsys_changed_persons') IS NULL"
    cursor.execute(f"DO $$ BEGIN IF {missing} THEN {_CHANGED}; END IF; END $$")
    for statement in _FUNCTIONS:
        cursor.execute(statement.replace("{schemas}", schemas))


def bind_store(cursor: Any) -> None:
    """Note beside what is served which safety store its pages ask, and how many writes it has taken.

    A store that is made anew, or an older copy of it, knows nothing of what the one before kept apart.
    """
    cursor.execute("SELECT to_regclass('recsys_store_identity') IS NOT NULL")
    if cursor.fetchone()[0]:
        cursor.execute(
            "UPDATE recsys.served SET store_identity = identity, store_writes = writes "
            "FROM recsys_store_identity"
        )


def note_accounts_beside(cursor: Any, gone: str) -> None:
    """Note the other accounts of people who are removed, before what says whose they are is removed too.

    What keeps somebody apart may stand under the account that goes: the others wait for the next night.
    gone: SQL of the ids.
    """
    cursor.execute("SELECT to_regclass('recsys_changed_persons') IS NOT NULL")
    if cursor.fetchone()[0]:
        cursor.execute(
            "INSERT INTO recsys_changed_persons SELECT DISTINCT o.account, now() "  # noqa: S608 - fixed names
            "FROM recsys.persons m JOIN recsys.persons o ON o.person = m.person "
            f"WHERE m.account IN {gone} AND o.account NOT IN {gone} "
            "ON CONFLICT (account) DO UPDATE SET noted = excluded.noted"
        )


def serving_columns(table: Any, snapshot: Snapshot | None) -> Any:
    """Return an Arrow table of lists with the stage of each pair and the chance of an answer.

    The stage is null for a pair that a ranker would not show by the rules or by its stage. Without a snapshot
    it is null throughout.
    """
    n = len(table)
    stage, chance, likes = (np.full(n, None, object) for _ in range(3))
    if snapshot is not None and n:
        viewers, candidates = (_rows(snapshot, table[name]) for name in (C.VIEWER, C.CANDIDATE))
        starts = np.flatnonzero(np.diff(viewers, prepend=-2))
        answered = _chances(snapshot, candidates, viewers)
        liked = _chances(snapshot, viewers, candidates)
        for start, end in zip(starts, [*starts[1:], n], strict=True):
            viewer, rows = int(viewers[start]), candidates[start:end]
            if viewer < 0:
                continue
            keep = rows >= 0
            keep[keep] = snapshot.may_show(viewer, rows[keep])
            stages = snapshot.stages.of(viewer, np.maximum(rows, 0).tolist())
            for at in np.flatnonzero(keep):
                stage[start + at], likes[start + at] = stages[at], float(liked[start + at])
                chance[start + at] = float(answered[start + at])
    for name, values, kind in (
        (STAGE, stage, pa.string()),
        (CHANCE, chance, pa.float64()),
        (LIKES, likes, pa.float64()),
    ):
        table = table.append_column(name, pa.array(values, kind))
    return table


def inbox_table(snapshot: Snapshot, only: ListFilter = EVERY_PAIR) -> Any:
    """Return who liked each viewer by the night as an Arrow table, one row a viewer, best first.

    Whom the viewer liked too is among them: a like undone by day leaves the other's like unanswered. only:
    leaves out pairs that may not stand in a list.
    """
    viewers, people, stages, chances = list[str](), list[list[str]](), list[list[str]](), list[list[float]]()
    for row in snapshot.live.layout.order.tolist():
        likers = snapshot.liked_by(row)
        if len(likers):
            likers = likers[snapshot.may_show(row, likers, likes_viewer=True)]
        (viewer,) = snapshot.ids.at([row])
        if only.leaves_out:
            likers = likers[only.keeps_of(viewer, snapshot.ids.at(likers.tolist()))]
        if not len(likers):
            continue
        chance = snapshot.live.likes_back(row, likers)
        best = np.lexsort((likers, -chance))
        viewers.append(viewer)
        people.append(snapshot.ids.at(likers[best].tolist()))
        stages.append(snapshot.stages.of(row, likers[best].tolist()))
        chances.append(chance[best].tolist())
    return pa.table(
        {
            C.VIEWER: pa.array(viewers, pa.string()),
            C.CANDIDATE: pa.array(people, pa.list_(pa.string())),
            STAGE: pa.array(stages, pa.list_(pa.string())),
            CHANCE: pa.array(chances, pa.list_(pa.float64())),
        }
    )


def like_table(snapshot: Snapshot, only: ListFilter = EVERY_PAIR) -> Any:
    """Return whom each viewer liked by the night as an Arrow table: viewer_id, candidate_id.

    Of pairs alone that stand in a list or an inbox: no other is asked for.
    """
    likes, lists, n = snapshot.data.likes, snapshot.data.lists, len(snapshot.ids)
    i, j = likes.rows.astype(np.int64), likes.indices.astype(np.int64)
    viewers = np.repeat(np.arange(len(lists.indptr) - 1), np.diff(lists.indptr))
    pair, back = i * n + j, j * n + i
    listed = np.unique(viewers * n + lists.candidates)
    needed = np.isin(pair, listed) | np.isin(back, listed) | np.isin(back, pair)
    columns = zip((C.VIEWER, C.CANDIDATE), (i[needed], j[needed]), strict=True)
    table = {name: pa.array(snapshot.ids.at(rows.tolist()), pa.string()) for name, rows in columns}
    return only.rows_of(pa.table(table))


def word_table(snapshot: Snapshot) -> Any:
    """Return every reason of the publication in words as an Arrow table: code, lang, words."""
    codes, langs, words = list[str](), list[str](), list[str]()
    for code in map(str, snapshot.reasons.all_codes[0]):
        for lang in LANGUAGES:
            text = reason_text_or_none(code, lang, snapshot.catalogue)
            if text is None:
                continue
            codes.append(code)
            langs.append(lang)
            words.append(text)
    return pa.table(
        {name: pa.array(of, pa.string()) for name, of in (("code", codes), ("lang", langs), ("words", words))}
    )


def person_table(snapshot: Snapshot, only: ListFilter = EVERY_PAIR) -> Any:
    """Return the accounts of everybody who has several, as an Arrow table: account, person.

    only: says who is one person by tokens of former nights as well.
    """
    token = snapshot.data.persons.of_row[-1]
    with_token = np.flatnonzero(token)
    linked = np.array(snapshot.ids.find(only.persons), np.int64)
    there = linked >= 0
    numbers = np.fromiter(only.persons.values(), np.int64)
    person = connected_rows(len(token), (with_token, token[with_token]), (linked[there], numbers[there]))
    rows = np.flatnonzero(person >= 0)
    accounts, names = snapshot.ids.at(rows.tolist()), person[rows].astype(str).tolist()
    return pa.table({"account": pa.array(accounts, pa.string()), "person": pa.array(names, pa.string())})


def _rows(snapshot: Snapshot, column: Any) -> Int64Array:
    """Return the row of each id of an Arrow column, -1 for nobody."""
    packed = snapshot.data.ids
    ids = column.to_pandas().to_numpy(object)
    wanted = np.array([str(one).encode("utf-8", "replace") for one in ids], np.bytes_)
    at = np.minimum(np.searchsorted(packed, wanted), max(len(packed) - 1, 0))
    return np.where(packed[at] == wanted, at, -1).astype(np.int64)


def _chances(snapshot: Snapshot, likers: Int64Array, liked: Int64Array) -> Any:
    """Return the chance that each of `likers` likes the one of `liked`, 0 for people who are not listed."""
    people, position = snapshot.live.layout.people, snapshot.live.layout.position
    found = np.zeros(len(likers))
    listed = (likers >= 0) & (liked >= 0)
    i: Int32Array = position[np.maximum(likers, 0)]
    j: Int32Array = position[np.maximum(liked, 0)]
    listed &= (i >= 0) & (j >= 0)
    i, j = i[listed], j[listed]
    logits = np.einsum("nf,nf->n", people.taste[i].astype(np.float64), people.appeal[j].astype(np.float64))
    found[listed] = sigmoid(logits + people.near[people.place[i], people.place[j]])
    return found
