"""The home of one service: a folder with its settings, mapping, keys and unit files, made once.

Nothing in it is shared with another home, and nothing that stands there already is written over.
"""

import os
import re
import secrets
import sys
from datetime import datetime
from pathlib import Path
from typing import Final

from recsys.config import TOKEN_SECRET
from recsys.errors import SettingsError, explained
from recsys.mapping.draft import draft_mapping, source_from
from recsys.mapping.project import MAPPING_FILE
from recsys.safety.keys import ENVIRONMENT, KEY_FILE
from recsys.settings import PARAMS_FILE
from recsys.storage.atomic_write import write_atomically

"""Secrets of a home, readable by its owner alone; systemd and a shell read it as it is."""
MAPPING: Final = "mapping"
UNITS: Final = "units"
_ZONE: Final = re.compile(r"^zone: (\S+)", re.MULTILINE)

_PARAMS: Final = """\
# Settings of this service; every other one has a default, see the reference of settings.

# The service's own tables, by the SQL in mapping/. Relative paths start at this folder.
source: mapping:mapping

# Keep it the moment of mapping.yaml; empty where that is `now`.
as_of: {as_of}

# The zone of the times that people read, in the log of a night and on its page.
report:
  time_zone: {zone}

# Publishing is refused until all four hold. Declare only what is true of your service.
publish:
  platform:
    declared_for: mapping:mapping
    identity_and_age_checked: false
    report_and_block: false
    partnered_members_welcome_in_writing: false
    support_contact: false
"""
_SERVICE: Final = """\
[Unit]
Description=One night of recommendations
StartLimitIntervalSec=12h
StartLimitBurst=6

[Service]
Type=exec
EnvironmentFile={home}/{keys}
Environment=OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
ExecStart={program} night --home {home}
SuccessExitStatus=10
RestartForceExitStatus=30
RestartSec=5min
RuntimeMaxSec=4h
"""
_TIMER: Final = """\
[Unit]
Description=Recommendations every night

[Timer]
OnCalendar=*-*-* 03:15
Persistent=true

[Install]
WantedBy=timers.target
"""


def make_home(folder: str | Path, source: str | None = None, *, as_of: datetime | None = None) -> list[Path]:
    """Write a home into a new or empty folder and return its files.

    source: folder, file or database address, of which a mapping is drafted; none is when None. as_of: moment
    of the export; see `draft_mapping`.

    Raises SettingsError where settings, a mapping, keys or unit files stand already, SourceError when the
    source cannot be read.
    """
    home = Path(folder).resolve()
    for name in (PARAMS_FILE, ".gitignore", UNITS, KEY_FILE, MAPPING):
        if (home / name).exists():
            remedy = "name another folder; a home is never written over"
            raise SettingsError(
                explained("a home is there already", where=str(home), got=name, remedy=remedy)
            )
    drafts = {} if source is None else _draft(source, home / MAPPING, as_of)
    zone = _ZONE.search(drafts.get(MAPPING_FILE, ""))
    files = {
        PARAMS_FILE: _PARAMS.format(
            as_of="" if as_of is None else as_of.isoformat(), zone="UTC" if zone is None else zone[1]
        ),
        ".gitignore": f"{KEY_FILE}\ndata/\n",
        f"{UNITS}/recsys-night.service": _SERVICE.format(home=home, keys=KEY_FILE, program=_program()),
        f"{UNITS}/recsys-night.timer": _TIMER,
    }
    home.mkdir(parents=True, exist_ok=True)
    for name, text in (files | {f"{MAPPING}/{name}": text for name, text in drafts.items()}).items():
        (home / name).parent.mkdir(exist_ok=True)
        write_atomically(home / name, text.encode())
    write_keys(home / KEY_FILE)
    return sorted(path for path in home.rglob("*") if path.is_file())


def _draft(source: str, mapping: Path, as_of: datetime | None) -> dict[str, str]:
    draft = draft_mapping(source_from(source, mapping), as_of=as_of, folder=mapping)
    return dict(draft.files)


def write_keys(path: Path) -> None:
    """Write new secrets to a file that nobody else may read, from its first moment on."""
    text = "".join(f"{name}={secrets.token_hex(32)}\n" for name in (ENVIRONMENT, TOKEN_SECRET))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _program() -> Path:
    """Return the command of this installation, wherever it is called from."""
    return Path(sys.executable).parent / "recsys"
