"""The safety store that a command is given, and recsys bind-store."""

import sys
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys.cli.app import Lang, Published, app

if TYPE_CHECKING:  # a command imports what it runs, so that others start at once
    from recsys.safety.store import SafetyStore

OwnStore = Annotated[
    str | None,
    typer.Option(
        metavar="STORE", help="The safety store: a SQLite file, or an address; data/safety.db if there."
    ),
]


def store_at(address: str | None, *, create: bool = False) -> "SafetyStore | None":
    """Return the store of an address or a file; that of the home when None, if it has one.

    create: make it where it is not there.
    """
    from recsys.pipeline.paths import HOME_STORE
    from recsys.safety import open_safety

    if address is None:
        is_there = create or lexists(HOME_STORE)
        return open_safety(f"sqlite:{HOME_STORE}", create=create) if is_there else None
    return open_safety(address if ":" in address else f"sqlite:{address}", create=create)


@app.command()
def bind_store(
    *,
    safety: OwnStore = None,
    published: Published = Path("data/published"),
    create: Annotated[bool, typer.Option("--create", help="Make a new, empty one where none is.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take the store also where writes are lost, without being asked.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Take a safety store as the one of what is served, after the one before was lost.

    A store that is another one, or has taken fewer writes than the safety ledger knows of, serves nobody:
    restore the newest copy first. Only where there is none: this takes the store as it is. Blocks, bans,
    holds and ends stay in the ledger; hides, passes, likes and categories of reports of the day, boundaries,
    wishes, answers and numbers of tables of today, who was shown to whom today, and receipts since that copy
    are lost: send such tables again. How many writes that is is said first. Beside a ledger that is older
    than the store knows it, nothing is taken: restore the newest ledger.

    Example: recsys bind-store --safety sqlite:data/safety.db --create --yes
    """
    from recsys.cli.app import language, say, settings_if_sound
    from recsys.errors import InputError, explained
    from recsys.pipeline.erasure import require_published_folder
    from recsys.safety.ledger import SafetyLedger
    from recsys.safety.store import CountedStore, ask_safety
    from recsys.safety.store_binding import RenamedStore, StoreBinding

    spoken = language(lang, settings_if_sound())
    require_published_folder(published)
    store, ledger = store_at(safety, create=create), SafetyLedger.of(published)
    if not isinstance(store, CountedStore):
        remedy = "name it: --safety sqlite:FILE or postgresql://user@host/db; --create makes a new one"
        raise InputError(explained("there is no safety store that counts its writes", remedy=remedy))
    StoreBinding(store, ledger).require_ledger()
    identity, writes = ask_safety(store.watermark)
    lost = ledger.writes_unknown_to(identity, writes)
    if lost:
        say("store_lost", spoken, lost=lost, writes=writes)
        if not (yes or (sys.stdin.isatty() and typer.confirm("?"))):
            remedy = "restore the newest copy; add --yes where there is none"
            raise InputError(explained("writes of the safety store are lost", got=str(lost), remedy=remedy))
    if isinstance(store, RenamedStore):  # a copy of it that turns up later is another one
        ask_safety(store.renew_identity)
        identity, writes = ask_safety(store.watermark)
    ledger.bind_store(identity, writes, as_it_is=True)
    say("store_bound", spoken, published=published, writes=writes)
