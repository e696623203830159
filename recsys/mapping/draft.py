"""Drafts a mapping from a source: guesses with their evidence, TODO where nothing is known.

What a draft does not know is NULL, so it lists nobody for a wrong reason. It runs as it is, but for tables of
two people, such as blocks, where nothing says who they are: these end with the question. Every
guess stands under a comment that `recsys map check` counts until somebody takes it away.
"""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from recsys.catalogue.han_variants import HAN_VARIANTS
from recsys.data.date_reading import read_date
from recsys.errors import SettingsError, SourceError, explained
from recsys.mapping.column_profile import ColumnProfile, profile_table, quoted
from recsys.mapping.csv_reader import NoNamesError, TableOptions
from recsys.mapping.draft_guess import (
    MemberTable,
    Profiles,
    candidates,
    draft_words,
    is_like,
    labels_of,
    member_table,
    names_the_member,
)
from recsys.mapping.draft_restrictions import asked_of, asked_of_members, unread_members, unread_restrictions
from recsys.mapping.draft_sql import PHONES, DraftedColumn, Labels, country_column, drafted, region_column
from recsys.mapping.draft_tables import other_queries, subject_of, tables_of_sanctions
from recsys.mapping.draft_views import DraftedView, key_value_views, nested_row_views
from recsys.mapping.encodings import guess_encoding
from recsys.mapping.header_rows import is_whole, more_headers
from recsys.mapping.project import GUESS, MAPPING_FILE, TODO
from recsys.mapping.sources import source_tables, unread_files
from recsys.storage.source_folder import name_of_table

MOST_ROWS: Final = 20_000
"""Rows of a table that are looked at, evenly over the table."""
CSV_SUFFIXES: Final = (".csv", ".tsv", ".mer", ".txt")


@dataclass(frozen=True)
class DraftSource:
    """Tables by name, the encoding they were read in (None: UTF-8) and how single tables are read."""

    tables: Mapping[str, Any]
    encoding: str | None
    options: Mapping[str, TableOptions]


def read_for_draft(address: str, folder: Path, encoding: str | None = None) -> DraftSource:
    """Return the tables of a source.

    encoding: of its texts; guessed when None, for each CSV file by itself where they are of several.

    Raises SourceError when it cannot be read.
    """
    texts = {file: file.read_bytes() for file in _text_files((folder / address).resolve())}
    options: dict[str, TableOptions] = {}
    if encoding is None:
        other = {file: content for file, content in texts.items() if guess_encoding([content])}
        encoding = guess_encoding(list(other.values()))
        if encoding is None or not all(one.isascii() for file, one in texts.items() if file not in other):
            options, encoding = _encodings_by_table(other, encoding), None
    read = source_tables(address, folder=folder, encoding=encoding, options=options)
    spread = {name_of_table(file.name) for file in _text_files((folder / address).resolve(), CSV_SUFFIXES)}

    def with_headers(name: str, n: int) -> Any:
        options[name] = options.get(name, TableOptions()).model_copy(update={"header_rows": n})
        return source_tables(address, folder=folder, encoding=encoding, options=options)[name]()

    tables = {
        name: _under_titles(table, partial(with_headers, name)) if name in spread else table()
        for name, table in read.items()
    }
    more = {name: n for name, table in tables.items() if name in spread and (n := more_headers(table))}
    tables |= {
        name: with_headers(name, options.get(name, TableOptions()).header_rows + n)
        for name, n in more.items()
    }
    return DraftSource(tables, encoding, options)


_MOST_HEADERS: Final = 4


def _under_titles(read: Callable[[], Any], with_headers: Callable[[int], Any]) -> Any:
    """Return a table whose names may stand below a title or merged cells, which name columns alike.

    with_headers: reads it with so many rows of headers, 0 where it has none. A row that holds a number or a
    date is none.
    """
    try:
        return read()
    except NoNamesError:
        return with_headers(0)
    except SourceError as error:
        for n in range(2, _MOST_HEADERS + 1):
            with suppress(SourceError):
                table = with_headers(n)
                words = [word for name in table.column_names for word in (name, *name.split())]
                if any(is_whole(word) or read_date(word, "dmy")[0] is not None for word in words):
                    break
                return table
        raise error from None


def _encodings_by_table(texts: Mapping[Path, bytes], encoding: str | None) -> dict[str, TableOptions]:
    """Return the encoding of each CSV file by table: one that fits them all, else its own."""
    return {
        name_of_table(file.name): TableOptions(encoding=encoding or guess_encoding([content]))
        for file, content in texts.items()
        if file.suffix.lower() in CSV_SUFFIXES
    }


def sampled(table: Any) -> Any:
    """Return rows evenly over a table, all of a small one."""
    step = max(1, -(-table.num_rows // MOST_ROWS))
    return table.take(list(range(0, table.num_rows, step))) if step > 1 else table


def _text_files(path: Path, suffixes: tuple[str, ...] = (*CSV_SUFFIXES, ".sql")) -> list[Path]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [file for file in files if file.suffix.lower() in suffixes and file.is_file()]


@dataclass(frozen=True)
class MappingDraft:
    """A drafted mapping: the text of each file by name, and the guesses of profiles and boundaries."""

    files: Mapping[str, str]
    columns: tuple[DraftedColumn, ...]

    def write(self, folder: str | Path) -> Path:
        """Write the files into a new or empty folder.

        Raises SettingsError where a mapping stands there already.
        """
        folder = Path(folder)
        if any(folder.glob("*.sql")) or (folder / MAPPING_FILE).exists():
            remedy = "name another folder; a draft never takes the place of a mapping"
            raise SettingsError(explained("a mapping is there already", where=str(folder), remedy=remedy))
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        return folder


def draft_mapping(
    source: str | Path,
    *,
    as_of: datetime | None = None,
    folder: Path | None = None,
    encoding: str | None = None,
) -> MappingDraft:
    """Look at the tables of a source and draft a mapping.

    as_of: moment of the export; without it the time the newest file was written, else now. folder: where
    the draft will stand, for a path of the source that starts there. encoding: of its texts; guessed
    when None.

    Raises SourceError when the source cannot be read or no table could hold members.
    """
    address, where = str(source), folder or Path()
    found = read_for_draft(address, where, encoding)
    tables = found.tables
    profiles = {name: profile_table(name, sampled(table)) for name, table in tables.items()}
    by_member, nested = key_value_views(profiles, tables), nested_row_views(profiles, tables)
    profiles |= _profiled(by_member)
    drafted_views = {view.name for view in by_member}
    members = member_table(profiles, lambda name: name in drafted_views or subject_of(name))
    labels = _labels(profiles, tables)
    country = country_column(candidates("profiles.cell", members, profiles))
    own = [one for table in (members.table, *members.joined) for one in profiles[table]]
    region = region_column(own, country)
    columns = tuple(
        drafted(target, candidates(target, members, profiles), members, labels, country, region=region)
        for target in draft_words()
    )
    columns = tuple(_zone_of_place(one, columns) for one in columns)
    names = {
        MAPPING_FILE: _yaml(
            address, as_of or _written(address, where), found, profiles, unread_files(address, where)
        ),
        "profiles.sql": _profiles_sql(
            members,
            [one for one in columns if one.target.startswith("profiles.")],
            tables_of_sanctions(profiles),
        ),
        "boundaries.sql": _boundaries_sql(
            members, [one for one in columns if one.target.startswith("bound")]
        ),
    }
    names |= other_queries(members, profiles | _profiled(nested))
    names["profiles.sql"] = _asked_first(names, profiles, members)
    text = "\n".join(names.values())
    names |= {view.file: view.sql for view in by_member + nested if quoted(view.name) in text}
    return MappingDraft(names, columns)


def _asked_first(names: Mapping[str, str], profiles: Profiles, members: MemberTable) -> str:
    """Return the query of profiles under what a draft asks of columns that may restrict and nothing reads."""
    queries = {name: text for name, text in names.items() if name.endswith(".sql")}
    by_name = unread_restrictions(profiles, queries)
    told = {one.partition(" (")[0] for one in by_name}
    by_value = [one for one in unread_members(profiles, queries, members.key) if one not in told]
    asked = [text for text in (asked_of(by_name), asked_of_members(by_value)) if text]
    return "".join(f"{TODO} {text}\n" for text in asked) + names["profiles.sql"]


def _profiled(views: Sequence[DraftedView]) -> dict[str, list[ColumnProfile]]:
    return {view.name: profile_table(view.name, sampled(view.table)) for view in views}


def source_from(source: str, folder: Path) -> str:
    """Return the address of a source as `mapping.yaml` in `folder` names it: paths start there.

    A path may be given as a night names it, with its kind before it.

    >>> home = Path("home/mapping")
    >>> source_from("members.db", home) == source_from("duckdb:members.db", home)
    True
    """
    if "://" in source:
        return source
    kind, _, path = source.partition(":")
    return os.path.relpath(path if kind in {"parquet", "csv", "duckdb"} and path else source, folder)


def _labels(profiles: Profiles, tables: Mapping[str, Any]) -> Labels:
    found: dict[str, Mapping[str, str]] = {}
    for columns in profiles.values():
        for column in columns:
            table, _ = labels_of(column, profiles)
            if not table:
                continue
            names = [one for one in profiles[table] if one.kind == "text"]
            if names:
                ids, texts = (tables[table].column(one).to_pylist() for one in ("id", names[0].name))
                found[f"{column.table}.{column.name}"] = {
                    str(i): str(t) for i, t in zip(ids, texts, strict=True)
                }
    return found


def _zone_of_place(column: DraftedColumn, columns: tuple[DraftedColumn, ...]) -> DraftedColumn:
    """Return the zone of the place where no column says one."""
    cell = next(one for one in columns if one.target == "profiles.cell")
    if column.target != "profiles.tz" or column.sql or cell.sql is None:
        return column
    sql = cell.sql.replace("cell_of_place(", "zone_of_place(").replace("cell(", "zone_of(")
    return DraftedColumn(column.target, cell.columns, sql, ("the zone of the place", *cell.evidence[1:]))


def _of_table(options: TableOptions) -> str:
    """Return how one table is read, as mapping.yaml says it."""
    said = {"encoding": options.encoding, "header_rows": options.header_rows}
    usual = TableOptions()
    return ", ".join(f"{name}: {value}" for name, value in said.items() if value != getattr(usual, name))


def _written(address: str, folder: Path) -> datetime:
    path = (folder / address).resolve()
    files = [one for one in (path.iterdir() if path.is_dir() else [path]) if one.is_file()]
    latest = max((file.stat().st_mtime for file in files), default=None)
    return datetime.now(UTC) if latest is None else datetime.fromtimestamp(latest, UTC)


def _yaml(
    address: str, as_of: datetime, found: DraftSource, profiles: Profiles, unread: Sequence[str]
) -> str:
    encoding, options = found.encoding, found.options
    japanese = encoding in {"cp932", "euc_jp"} or _is_japanese(
        "".join(one.name for columns in profiles.values() for one in columns)
    )
    lines = [
        f"source: {address}",
        "# TODO is this the moment of the export? Ages count on its day",
        f"as_of: {as_of.isoformat(timespec='seconds')}",
    ]
    lines += [f"# GUESS by the look of the letters\nencoding: {encoding}"] if encoding else []
    lines += ["# TODO the zone of times that have none; in doubt ask whoever exported them"]
    guessed = ["# GUESS by the look of the letters", "zone: Asia/Tokyo", "country: JP"]
    lines += guessed if japanese else ["zone: UTC", "# TODO country: GB"]
    if made_up := _made_up(profiles):
        lines += ["# GUESS several members have these, which look made up: nobody is one person by them"]
        lines += [f"placeholders: {json.dumps(made_up, ensure_ascii=False)}"]
    if options:
        lines += [
            "tables:",
            *(
                f"  # GUESS by the look of its letters\n  {name}: {{{_of_table(one)}}}"
                for name, one in options.items()
            ),
        ]
    lines += [f"# TODO not read, save it as CSV if it holds a table: {name}" for name in unread]
    lines += [
        "# TODO what holds for everybody by a document that members agreed to, such as:",
        "# declared:",
        '#   boundaries.channels: {value: [in_app_text], document: "terms 3: messages through the app"}',
        "#   profiles.accepts_household_status:",
        '#     {value: [single, partnered, married, separated], document: "terms 2"}',
    ]
    return "\n".join(lines) + "\n"


def _made_up(profiles: Profiles) -> list[str]:
    """Return the numbers of telephones and the mailboxes that look as if typed for want of one."""
    columns = [one for found in profiles.values() for one in found]
    said = {(value, one.name) for one in columns for value in one.made_up}
    return sorted({value for value, name in said if "@" in value or is_like(PHONES, name)})


def _is_japanese(text: str) -> bool:
    """Say whether a text has kana, or Han characters of which none has another form in Japan.

    >>> _is_japanese("会員番号"), _is_japanese("ニックネーム"), _is_japanese("會員編號"), _is_japanese("会员")
    (True, True, False, False)
    """
    if re.search("[ぁ-んァ-ヶ]", text):
        return True
    return bool(re.search("[一-龠]", text)) and not any(ord(one) in HAN_VARIANTS for one in text)


def _from(members: MemberTable) -> str:
    joins = [
        f"LEFT JOIN {quoted(name)} ON {names_the_member(f'{quoted(name)}.{key.sql}', key, members.key)}"
        for name, key in members.joined.items()
    ]
    return "\n".join(["FROM numbered AS m", *joins])


def _numbered(members: MemberTable) -> str:
    key = f"canonical_id({members.key.sql})"
    newer = members.newer
    order = key if newer is None else f"utc({newer.sql}, NULL, '{newer.order}')"
    return (
        f"WITH numbered AS (\n  SELECT *, {key} AS draft_id,\n"  # noqa: S608 quoted names of the source
        f"    row_number() OVER (PARTITION BY {key} ORDER BY {order} DESC) AS draft_row\n"
        f"  FROM {quoted(members.table)}\n)"
    )


def _of_sanctions(tables: Sequence[str]) -> str:
    """Return a line that asks for bans where tables hold them by their names, nothing where none does."""
    names = ", ".join(tables)
    return f"  {TODO} who is banned or held back by {names}? As drafted nobody is\n" if names else ""


def _profiles_sql(members: MemberTable, columns: list[DraftedColumn], sanctions: Sequence[str] = ()) -> str:
    key = members.key
    header = f" OR m.draft_id = '{members.key.name}'" if members.key.name in members.key.ids else ""
    no_id = f"m.draft_id IS NULL{header}"
    older = "older_row" if members.newer else "another_row"
    aside = f"CASE WHEN {no_id} THEN 'no_id' WHEN m.draft_row > 1 THEN '{older}' END AS set_aside"
    newer = f"; the newest by {members.newer.name}" if members.newer else ""
    doubled = ""
    if members.newer is None and key.distinct + key.repeated < round(key.known * key.rows):
        doubled = f"  {TODO} members have several rows that differ, and no column says which is the newest\n"
    evidence = f"{key.known:.0%} known, {key.distinct:,} different{newer}"
    note = f"  {GUESS} {members.table}.{key.name} -> user_id: {evidence}"
    proved = "verification IN ('age', 'id', 'id_liveness')"
    known = {one.target for one in columns if one.sql is not None}
    first = [
        f"{note}\n{_of_others(members)}  m.draft_id AS user_id",
        f"  {TODO} who is a test account, or has left?\n{_of_sanctions(sanctions)}{doubled}  {aside}",
    ]
    if "profiles.verification" not in known:
        first.append("  CAST(NULL AS VARCHAR) AS verification")
    if "profiles.age_band" not in known:
        return _select(_numbered(members), first, columns, _from(members))
    head = (
        f"{_numbered(members)}\n-- an age band counts where the age is proved\n"
        f"SELECT * REPLACE (CASE WHEN {proved} THEN age_band END AS age_band) FROM ("
    )
    return _select(head, first, columns, f"{_from(members)}\n)")


def _of_others(members: MemberTable) -> str:
    """Return a line that names tables of further members, nothing where there are none."""
    names = ", ".join(members.others)
    return f"  {TODO} these look like members too, a query and UNION ALL for each: {names}\n" if names else ""


def _boundaries_sql(members: MemberTable, columns: list[DraftedColumn]) -> str:
    header = f" AND m.draft_id <> '{members.key.name}'" if members.key.name in members.key.ids else ""
    where = f"{_from(members)}\nWHERE m.draft_id IS NOT NULL AND m.draft_row = 1{header}"
    return _select(_numbered(members), ["  m.draft_id AS user_id"], columns, where)


def _select(head: str, first: list[str], columns: list[DraftedColumn], tail: str) -> str:
    known = [one.lines() for one in columns if one.sql is not None]
    unknown = [one.lines() for one in columns if one.sql is None]
    return "\n".join([head, "SELECT", ",\n".join([*first, *known]), *unknown, tail]) + "\n"
