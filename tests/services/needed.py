"""Which columns of each service's own tables a mapping needs, and what a draft of it came to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.mapping import Mapping as MappingFolder
from recsys.mapping import MappingCheck, check_mapping
from recsys.mapping.draft import MappingDraft, draft_mapping

SECRET = b"0123456789abcdef0123"
_P, _B = "profiles.", "boundaries."

NEEDED: Mapping[str, Mapping[str, set[str]]] = {
    "hidamari": {
        _P + "user_id": {"会員番号"},
        _P + "person_token": {"メールアドレス"},
        _P + "verification": {"本人確認状況"},
        _P + "age_band": {"生年月日"},
        _P + "accepts_age_bands": {"希望年齢下限", "希望年齢上限"},
        _P + "account_state": {"会員状態"},
        _P + "activity": {"最終ログイン日時"},
        _P + "gender": {"性別コード"},
        _P + "meets_genders": {"希望性別"},
        _P + "household_status": {"婚姻状況"},
        _P + "intents": {"利用目的"},
        _P + "cell": {"市区町村名"},
        _P + "max_distance_km": {"距離km"},
        _P + "discretion": {"公開範囲"},
        _B + "contact_frequency": {"連絡頻度"}, _B + "contact_windows": {"活動時間帯"},
        _B + "romance_line": {"恋愛感情"},
        _B + "physical_line": {"身体接触なし同意"}, _B + "financial_line": {"金銭"},
    },
    "quizpair": {
        _P + "user_id": {"id"}, _P + "person_token": {"normalized_email"},
        _P + "verification": {"verified_age"},
        _P + "age_band": {"date_of_birth"}, _P + "accepts_age_bands": {"min_age", "max_age"},
        _P + "account_state": {"activated"}, _P + "activity": {"last_online_time"},
        _P + "gender": {"gender_id"},
        _P + "meets_genders": {"gender_id"}, _P + "household_status": {"relationship_status_id"},
        _P + "intents": {"looking_for_id"}, _P + "cell": {"coordinates", "location_long_friendly"},
        _P + "tz": {"coordinates", "location_long_friendly"}, _P + "max_distance_km": {"distance"},
        _P + "discretion": {"hide_me_from_strangers"},
    },
    "polestar": {
        _P + "user_id": {"user_id"}, _P + "person_token": {"data.email"},
        _P + "verification": {"data.checks.age.status"}, _P + "age_band": {"birth_date"},
        _P + "accepts_age_bands": {"pref_age_min", "pref_age_max"}, _P + "account_state": {"disabled"},
        _P + "activity": {"last_online_time"}, _P + "gender": {"gender"},
        _P + "meets_genders": {"pref_gender"},
        _P + "household_status": {"relationship_status"}, _P + "intents": {"pref_relation_styles"},
        _P + "languages": {"languages"}, _P + "cell": {"city_latitude", "city_longitude", "city"},
        _P + "tz": {"city_latitude", "city_longitude", "city"}, _P + "max_distance_km": {"pref_max_distance"},
    },
    "commonground": {
        _P + "user_id": {"member_no"}, _P + "person_token": {"email"},
        _P + "verification": {"id_check"},
        _P + "age_band": {"birth_year"}, _P + "account_state": {"account"},
        _P + "activity": {"last_seen"},
        _P + "gender": {"gender"}, _P + "household_status": {"household"},
        _P + "intents": {"purpose"},
        _P + "languages": {"languages"}, _P + "cell": {"city"}, _P + "max_distance_km": {"max_km"},
        _P + "discretion": {"show_me_to"}, _B + "contact_frequency": {"contact"},
        _B + "contact_windows": {"times"},
        _B + "romance_line": {"romance"}, _B + "physical_line": {"physical"},
        _B + "financial_line": {"money"},
    },
}  # fmt: skip
"""Columns that the mappings beside this file read, by service and target; what is declared is not needed."""


@dataclass(frozen=True)
class DraftResult:
    """A draft, run as it is, beside the finished mapping.

    right: targets read from the right columns. wrong: targets whose columns are others, or whose known
    values differ from the finished mapping's for some member.
    """

    draft: MappingDraft
    folder: Path
    check: MappingCheck
    right: frozenset[str]
    wrong: frozenset[str]

    @property
    def unflagged(self) -> frozenset[str]:
        """Return the wrong guesses that neither the draft nor the report of its check points at."""
        text = "".join(self.draft.files.values())
        told = "GUESS" in self.check.report("en")
        return frozenset(
            target for target in self.wrong if not told or f"-> {target.partition('.')[2]}:" not in text
        )


def source_of(data: Path, name: str) -> Path:
    return data / name / "quizpair.sql" if name == "quizpair" else data / name


def draft_of(data: Path, name: str, folder: Path, finished: MappingCheck) -> DraftResult:
    """Draft a mapping of a service, run it, and hold it beside the finished one."""
    as_of = datetime.fromisoformat(json.loads((data / name / "expected.json").read_text("utf-8"))["as_of"])
    draft = draft_mapping(source_of(data, name), as_of=as_of)
    check = check_mapping(MappingFolder.read(draft.write(folder)), secret=SECRET)
    read = {one.target: {c.partition(".")[2] for c in one.columns} for one in draft.columns}
    read[_P + "user_id"] = {_key_of(draft)}
    right = {target for target, columns in NEEDED[name].items() if read.get(target) == columns}
    guessed = {target for target, columns in read.items() if columns}
    wrong = {target for target in guessed if target not in right} | {
        target for target in guessed if _differs(target, check, finished)
    }
    return DraftResult(draft, folder, check, frozenset(right), frozenset(wrong))


def _key_of(draft: MappingDraft) -> str:
    line = next(one for one in draft.files["profiles.sql"].splitlines() if "-> user_id" in one)
    return line.split(".", 1)[1].split(" ->")[0]


def _differs(target: str, drafted: MappingCheck, finished: MappingCheck) -> bool:
    table, _, column = target.partition(".")
    frames = [one.tables.tables[table] for one in (drafted, finished)]
    if not all(column in frame.columns for frame in frames):
        return True
    values = [frame.set_index("user_id", drop=False)[column].map(_plain).dropna() for frame in frames]
    both = values[0].index.intersection(values[1].index)
    return bool((values[0][both] != values[1][both]).any())


def _plain(value: Any) -> str | None:
    if hasattr(value, "__len__") and not isinstance(value, str):
        return ",".join(sorted(str(one) for one in value if one is not None)) or None
    return None if value is None or value is pd.NA or value != value else str(value)


@lru_cache(maxsize=1)
def personal_columns() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return columns whose single values may not stand in a draft."""
    return {
        "hidamari": tuple(
            ("kaiin", one) for one in ("メールアドレス", "電話番号", "会社名", "生年月日", "ひとこと")
        ),
        "quizpair": tuple(
            ("person", one) for one in ("email", "name", "about", "date_of_birth", "coordinates")
        ),
        "polestar": (("users", "name"), ("users", "username"), ("profiles", "bio"), ("profiles", "company")),
        "commonground": tuple(("responses", one) for one in ("email", "nickname", "interests", "liked")),
    }
