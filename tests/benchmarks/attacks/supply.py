"""What a night is fed with: tables refused, cut short, renamed or from another time, and hostile files."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd

from recsys.data.contact_tokens import make_token
from recsys.errors import RecsysError
from recsys.pipeline.gates.proposal import GateResult, Level, Proposal
from recsys.pipeline.gates.table_checks import clock, safety_tables, tables
from recsys.settings import GateSettings
from recsys.storage.load import load_tables
from recsys.strict_yaml import parse_yaml
from tests.benchmarks.attacks import Verdict, attack
from tests.benchmarks.attacks.world import POLICY, town, world
from tests.ranking.published_world import World

Counts = dict[str, dict[str, int]]
GOOD: Final[Counts] = {
    "blocks": {"rows": 150, "refused": 0, "nobody": 0},
    "reports": {"rows": 20, "refused": 0, "nobody": 0},
    "holds": {"rows": 8, "refused": 0, "nobody": 0},
    "interests": {"rows": 900, "refused": 3, "nobody": 0},
}


def _proposal(counts: Counts, before: Counts | None = None, at: pd.Timestamp | None = None) -> Proposal:
    people = world().people
    past = []
    if before is not None:
        past = [{"safety_tables": {f"{name}_rows": of["rows"] for name, of in before.items()}}]
    return Proposal(
        lists=world().lists,
        people=people,
        policy=POLICY,
        limits=GateSettings(),
        row_counts=counts,
        past=past,
        clock=(people.as_of if at is None else at).to_pydatetime(),
    )


def _gated(gate: Callable[[Proposal], GateResult], least: Level, proposal: Proposal) -> Verdict:
    found = gate(proposal)
    return Verdict.of(found.level >= least, f"{found.gate}: {found.level.name}: {found.message}"[:110])


def _counted(name: str, **changes: int) -> Counts:
    return GOOD | {name: GOOD[name] | changes}


for _name in ("blocks", "reports", "holds", "interests"):
    _refused = _counted(_name, refused=GOOD[_name]["rows"])
    attack("supply", f"all {_name} refused", lambda c=_refused: _gated(tables, Level.BLOCK, _proposal(c)))
for _name in ("blocks", "reports", "holds"):
    _gone = {name: of for name, of in GOOD.items() if name != _name}
    _half = _counted(_name, rows=GOOD[_name]["rows"] // 2)
    _none = _counted(_name, nobody=GOOD[_name]["rows"])
    attack(
        "supply", f"{_name} vanish", lambda c=_gone: _gated(safety_tables, Level.BLOCK, _proposal(c, GOOD))
    )
    attack(
        "supply", f"half of {_name}", lambda c=_half: _gated(safety_tables, Level.BLOCK, _proposal(c, GOOD))
    )
    attack(
        "supply",
        f"{_name} name nobody",
        lambda c=_none: _gated(safety_tables, Level.BLOCK, _proposal(c, GOOD)),
    )


def _ahead() -> Verdict:
    people = world().people
    return _gated(clock, Level.BLOCK, _proposal(GOOD, at=people.as_of - pd.Timedelta(days=365)))


def _whole_is_fine() -> Verdict:
    levels = [gate(_proposal(GOOD, GOOD)).level for gate in (tables, safety_tables, clock)]
    return Verdict.of(max(levels) is Level.PASS, "a night with nothing wrong passes these gates")


def _empty_pages() -> Verdict:
    """Lists are full and serving shows nobody: nobody has accepted the terms."""
    from recsys.data.events import Events
    from recsys.data.pair_stages import pair_stages
    from recsys.ranking.snapshot_files import write_snapshot
    from tests.ranking.published_world import ledger_of

    def write(folder: Path, lists: pd.DataFrame) -> None:
        stages = pair_stages(Events.none(), world().people.as_of)
        directed = world().directed
        write_snapshot(
            folder, lists, world().people, POLICY, directed, stages=stages, ledger=ledger_of(folder)
        )

    with tempfile.TemporaryDirectory() as name:
        result = World.publish(world(), Path(name) / "p", serving=write, pages_asked=40)
    gate = next(one for one in result.gates if one.gate == "pages")
    return Verdict.of(not result.published, f"published: {result.published}; {gate.message}")


def _full_pages() -> Verdict:
    with tempfile.TemporaryDirectory() as name:
        result = world().publish(Path(name) / "p", pages_asked=40)
    gate = next(one for one in result.gates if one.gate == "pages")
    return Verdict.of(gate.level is Level.PASS, gate.message)


def _deep_yaml() -> Verdict:
    try:
        parse_yaml("a: " + "[" * 100_000, where="deep.yaml")
    except RecsysError as error:
        return Verdict.of(True, str(error)[:90])
    return Verdict.of(False, "a deep file was read")


TWINS: Final = (
    ("phone", "+81 (0)90-1234-5678", "+81 90 1234 5678"),
    ("phone", "+44 (0)20 7946 0018", "+44 20 7946 0018"),
    ("phone", "＋８１９０１２３４５６７８", "+819012345678"),
    ("email", "mailto:a.b@example.com", "A.B@example.com"),
    ("email", "a@bücher.example", "a@xn--bcher-kva.example"),
    ("email", "a@straße.example", "a@strasse.example"),
)
SECRET: Final = b"a-secret-of-the-benchmark-of-attacks-1"


def _twin(space: str, one: str, other: str) -> Verdict:
    try:
        same = make_token(space, one, SECRET) == make_token(space, other, SECRET)
    except RecsysError as error:
        return Verdict("weak", f"{one} is refused: {str(error)[:60]}")
    return Verdict.of(same, f"{one} and {other} {'are' if same else 'are not'} one {space}")


for _space, _one, _other in TWINS:
    attack("supply", f"{_space} {_one}", partial(_twin, _space, _one, _other))

FREE_MAIL: Final = (
    *("hotmail.co.uk", "yahoo.fr", "outlook.de", "t-online.de", "orange.fr", "libero.it", "foxmail.com"),
    *("plala.or.jp", "so-net.ne.jp", "dion.ne.jp", "ezweb.ne.jp", "docomo.ne.jp", "icloud.com", "gmx.net"),
)


def _free_mail() -> Verdict:
    taken = [one for one in FREE_MAIL if make_token("employer", f"me@{one}", SECRET) is not None]
    return Verdict.of(not taken, f"free mail taken for an employer: {', '.join(taken) or 'none'}")


def _two_schemas() -> Verdict:
    """Parts of one table with different columns: a latitude in part 1."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table, rows in town()[0].items():
            rows.to_parquet(folder / f"{table}.parquet")
        (folder / "profiles.parquet").unlink()
        (folder / "profiles.parquet").mkdir()
        rows = town()[0]["profiles"]
        rows.iloc[:30].to_parquet(folder / "profiles.parquet" / "part-0.parquet")
        rows.iloc[30:].assign(latitude=35.1).to_parquet(folder / "profiles.parquet" / "part-1.parquet")
        try:
            found = load_tables(f"parquet:{folder}")
        except RecsysError as error:
            return Verdict.of(True, str(error).splitlines()[0][:90])
    lost = len(rows) - len(found.accepted["profiles"])
    return Verdict("broken" if lost == 0 else "held", "a latitude in part 1 passes")


def _header_only() -> Verdict:
    with tempfile.TemporaryDirectory() as name:
        for table, rows in town()[0].items():
            rows.to_csv(Path(name) / f"{table}.csv", index=False)
        (Path(name) / "blocks.csv").write_text("actor,target,ts")
        try:
            load_tables(f"csv:{name}")
        except RecsysError as error:
            return Verdict.of("header" in str(error) or "blocks" in str(error), str(error)[:90])
    return Verdict.of(True, "a table of a header alone is an empty table")


for _name, _run in (
    ("a night dated a year ahead", _ahead),
    ("nothing wrong", _whole_is_fine),
    ("lists full and every page empty", _empty_pages),
    ("pages are asked for", _full_pages),
    ("YAML of 100,000 levels", _deep_yaml),
    ("free mail as an employer", _free_mail),
    ("Parquet parts with other columns", _two_schemas),
    ("a header without a newline", _header_only),
):
    attack("supply", _name, _run)
