"""What lists hold that a service's raw files forbid: read with pandas alone, apart from the engine's readers.

Each reader returns one row a member: `account` (in use: not banned, held, paused or gone), `proved` (the age
was checked), `gender`, `meets` (a set, empty for everybody), `low` and `high` (the youngest and oldest age
that could be theirs), `least` and `most` (wished ages), `discreet`, `in_person` (some purpose of theirs is
met in person), `latitude`, `longitude`, `km`; and pairs kept apart, in either order, and liked, in order. Who
may be listed at all is in `expected.json` as well.
"""

import io
import json
import re
import struct
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

_CELL_KM = 60.0
"""A cell is wide: its middle may be so far from two members' own places together."""


ADULT = 18

_TOWNS = {
    "札幌市": (43.062, 141.354), "仙台市": (38.268, 140.869), "さいたま市": (35.861, 139.645),
    "千葉市": (35.607, 140.106), "新宿区": (35.694, 139.703), "世田谷区": (35.646, 139.653),
    "八王子市": (35.666, 139.316), "横浜市": (35.444, 139.638), "川崎市": (35.531, 139.703),
    "新潟市": (37.916, 139.036), "金沢市": (36.561, 136.656), "松本市": (36.238, 137.972),
    "名古屋市": (35.181, 136.906), "京都市": (35.012, 135.768), "大阪市": (34.694, 135.502),
    "堺市": (34.573, 135.483), "神戸市": (34.690, 135.195), "広島市": (34.385, 132.455),
    "福岡市": (33.590, 130.402), "那覇市": (26.212, 127.679), "leeds": (53.801, -1.549),
    "bristol": (51.455, -2.588), "glasgow": (55.864, -4.252), "cardiff": (51.482, -3.179),
    "norwich": (52.63, 1.297), "belfast": (54.597, -5.93), "liverpool": (53.408, -2.991),
    "brighton": (50.823, -0.137), "newcastle": (54.978, -1.618), "oxford": (51.752, -1.258),
    "london": (51.507, -0.128),
}  # fmt: skip
"""Latitude and longitude of the towns that two of the services name, by no table of the engine."""


class RawService(NamedTuple):
    """What the raw files of one service say."""

    members: pd.DataFrame
    apart: set[frozenset[str]]
    liked: set[tuple[str, str]]


def violations(raw: RawService, lists: pd.DataFrame, may_be_listed: set[str]) -> dict[str, int]:
    """Return how many rows of lists (`viewer_id`, `candidate_id`) break each rule, 0 where none does."""
    members = raw.members
    a, b = (members.reindex(lists[column]).reset_index() for column in ("viewer_id", "candidate_id"))
    pairs = list(zip(lists["viewer_id"], lists["candidate_id"], strict=True))

    def refuses(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, np.ndarray]:
        wanted = zip(one["meets"], other["gender"], strict=True)
        return {
            "gender": np.array([bool(meets) and gender not in meets for meets, gender in wanted]),
            "too young": (other["high"] < one["least"]).to_numpy(),
            "too old": (other["low"] > one["most"]).to_numpy(),
            "too far": (_km(a, b) > one["km"] + _CELL_KM).to_numpy()
            & (one["in_person"] & other["in_person"]).to_numpy(bool),
            "account": ~one["account"].to_numpy(bool),
            "under age": ~(one["low"] >= ADULT).to_numpy(),
            "age not proved": ~one["proved"].to_numpy(bool),
        }

    found = {name: refuses(a, b)[name] | refuses(b, a)[name] for name in refuses(a, b)}
    found["never listed"] = np.array([not {*pair} <= may_be_listed for pair in pairs], bool)
    found["oneself"] = np.array([one == other for one, other in pairs], bool)
    found["kept apart"] = np.array([frozenset(pair) in raw.apart for pair in pairs], bool)
    hidden = b["discreet"].to_numpy(bool)
    liked = np.array([(other, one) in raw.liked for one, other in pairs], bool)
    found["shown though discreet"] = hidden & ~liked
    return {name: int(wrong.sum()) for name, wrong in found.items()}


def _km(a: pd.DataFrame, b: pd.DataFrame) -> pd.Series:
    """Return the great circle between aligned members, 0 where one has no place."""
    la, lo, lb, lp = (np.radians(x.astype(float)) for x in (a.latitude, a.longitude, b.latitude, b.longitude))
    half = np.sin((lb - la) / 2) ** 2 + np.cos(la) * np.cos(lb) * np.sin((lp - lo) / 2) ** 2
    return pd.Series(2 * 6371.0 * np.arcsin(np.sqrt(half))).fillna(0.0)


def _age(born: pd.Series, day: date) -> pd.Series:
    return born.map(lambda b: np.nan if b is None else _years(b, day))


def _years(since: date, day: date) -> int:
    return day.year - since.year - ((day.month, day.day) < (since.month, since.day))


def _members(ids: pd.Series, **columns: object) -> pd.DataFrame:
    empty = {"latitude": np.nan, "longitude": np.nan, "km": np.inf, "in_person": False}
    empty |= {"least": np.nan, "most": np.nan}
    frame = pd.DataFrame({"id": list(ids), **empty, **{k: _plain(v) for k, v in columns.items()}})
    return frame.drop_duplicates("id", keep="last").set_index("id")


def _towns(names: pd.Series) -> dict[str, list[float]]:
    """Return degrees of towns by name, NaN for another name."""
    found = [_TOWNS.get(name.strip().lower(), (np.nan, np.nan)) for name in names]
    return {"latitude": [one[0] for one in found], "longitude": [one[1] for one in found]}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, pd.Series) else value


def hidamari(folder: Path) -> RawService:
    """Read the CSV files, cp932; ages count on 30 June 2026."""

    def csv(name: str) -> pd.DataFrame:
        return pd.read_csv(folder / f"{name}.csv", encoding="cp932", dtype=str, keep_default_na=False)

    def born(text: str) -> date | None:
        eras = {"S": 1925, "平成": 1988, None: 0}
        match = re.match(r"(S|平成)?(\d+)\D(\d+)\D(\d+)", text)
        try:
            return date(int(match[2]) + eras[match[1]], int(match[3]), int(match[4])) if match else None
        except ValueError:
            return None

    k = csv("kaiin").sort_values("更新日時", kind="stable")
    sex = k["性別コード"].str.translate(str.maketrans("０１２３９", "01239"))
    age = _age(k["生年月日"].map(born), date(2026, 6, 30))
    mail = k["メールアドレス"].str.lower()
    banned = set(mail[k["会員状態"] == "3"]) - {""}
    members = _members(
        k["会員番号"],
        account=(k["会員状態"] == "1") & ~mail.isin(banned),
        proved=k["本人確認状況"].isin(["2", "3"]),
        gender=sex,
        meets=k["希望性別"].map(lambda t: set(t.split("|")) - {""}),
        low=age,
        high=age,
        least=pd.to_numeric(k["希望年齢下限"]),
        most=pd.to_numeric(k["希望年齢上限"]),
        discreet=k["公開範囲"] == "2",
        in_person=k["利用目的"].str.contains("03|04"),
        km=pd.to_numeric(k["距離km"]).fillna(np.inf),
        **_towns(k["市区町村名"]),
    )
    block = csv("block").query("解除日時 == ''")
    likes = csv("iine").query("種別 == '1'")
    tsuho = csv("tsuho")
    apart = {frozenset(p) for p in [*_pairs(block.iloc[:, :2]), *_pairs(tsuho.iloc[:, :2])]}
    return RawService(members, apart, set(_pairs(likes.iloc[:, :2])))


def _pairs(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return list(frame.astype(str).itertuples(index=False, name=None))


def quizpair(folder: Path) -> RawService:
    """Read the blocks of COPY; ages count on 15 May 2026, nobody's gender codes are translated."""
    text = (folder / "quizpair.sql").read_text(encoding="utf-8")

    def copied(name: str) -> pd.DataFrame:
        match = re.search(rf"^COPY public\.{name} \((.*?)\) FROM stdin;\n(.*?)^\\\.$", text, re.M | re.S)
        assert match
        columns = match[1].split(", ")
        return pd.read_csv(io.StringIO(match[2]), sep="\t", names=columns, dtype=str, na_values=["\\N"],
                           keep_default_na=False, quoting=3)  # fmt: skip

    kinds = dict.fromkeys("19", "m") | dict.fromkeys("28", "w") | dict.fromkeys("34567", "n") | {"10": "u"}
    p = copied("person")
    wanted = copied("search_preference_gender").groupby("person_id")["gender_id"].agg(set)
    ages = copied("search_preference_age").set_index("person_id").astype(float).reindex(p["id"])
    far = (
        copied("search_preference_distance").set_index("person_id")["distance"].astype(float).reindex(p["id"])
    )
    age = _age(
        p["date_of_birth"].map(lambda t: date.fromisoformat(t) if isinstance(t, str) else None),
        date(2026, 5, 15),
    )
    wishes = p["id"].map(wanted)
    meets = wishes.map(lambda ids: {kinds[i] for i in ids} if isinstance(ids, set) else set())
    where = p["coordinates"].map(_point)
    bans = copied("banned_person").query("expires_at > '2026-05-15 12:00:00'")["normalized_email"]
    bot = p["roles"].fillna("").str.contains("bot")
    members = _members(
        p["id"], account=(p["activated"] == "t") & ~bot & ~p["normalized_email"].isin(bans),
        proved=p["verified_age"] == "t", gender=p["gender_id"].map(kinds), meets=meets, low=age, high=age,
        least=ages["min_age"], most=ages["max_age"], discreet=p["hide_me_from_strangers"] == "t",
        km=far.fillna(np.inf),
        latitude=where.str[1], longitude=where.str[0], in_person=p["looking_for_id"].isin(["5", "7"]),
    )  # fmt: skip
    skipped, messaged = copied("skipped"), copied("messaged")
    told = skipped[skipped["reported"] == "t"]
    return RawService(
        members, {frozenset(x) for x in _pairs(told.iloc[:, :2])}, set(_pairs(messaged.iloc[:, :2]))
    )


def _point(text: object) -> tuple[float, float]:
    if not isinstance(text, str):
        return np.nan, np.nan
    x, y = struct.unpack("<dd", bytes.fromhex(text)[-16:])
    return (np.nan, np.nan) if abs(x) + abs(y) < 1e-9 else (x, y)


def polestar(folder: Path) -> RawService:
    """Read the Parquet files; without a birth date the age is the typed one and years since, or one more."""
    day = date(2026, 4, 1)
    p = pd.read_parquet(folder / "profiles.parquet").sort_values("created_time", kind="stable")
    exact = _age(p["birth_date"].map(lambda b: b if isinstance(b, date) else None), day)
    typed = p["age"] + p["created_time"].map(lambda t: _years(t, day))
    place = p[["city_latitude", "city_longitude"]].astype(float)
    place[(place.abs().sum(axis=1) < 1e-9).to_numpy()] = np.nan
    users = pd.read_parquet(folder / "users.parquet")
    flags = pd.DataFrame(map(json.loads, users["data"]), index=users["id"]).reindex(p["user_id"])
    shut = flags.reindex(columns=["isBannedFromPosting", "userDeleted", "testUser"]).eq(True).any(axis=1)
    checks = flags["checks"].map(
        lambda one: one.get("age", {}).get("status") if isinstance(one, dict) else ""
    )
    members = _members(
        p["user_id"],
        account=~shut.to_numpy() & ~p["disabled"].eq(True) & p["looking_for_matches"].eq(True),
        proved=(checks == "passed").to_numpy(),
        gender=p["gender"],
        meets=p["pref_gender"].map(lambda g: set() if g is None else set(g)),
        low=exact.fillna(typed),
        high=exact.fillna(typed + 1),
        least=p["pref_age_min"],
        most=p["pref_age_max"],
        discreet=False,
        km=p["pref_max_distance"].fillna(np.inf) * 1.609344,
        latitude=place["city_latitude"],
        longitude=place["city_longitude"],
        in_person=p["pref_relation_styles"].map(_meets_in_person),
    )  # fmt: skip
    data = pd.read_parquet(folder / "private_users.parquet")
    apart = set()
    for user, text in zip(data["id"], data["data"], strict=True):
        lists = json.loads(text)
        for other in [*lists.get("blockedUserIds", ()), *lists.get("blockedByUserIds", ())]:
            apart.add(frozenset((user, other)))
    reports = pd.read_parquet(folder / "reports.parquet")
    apart |= {frozenset(x) for x in _pairs(reports[["user_id", "content_owner_id"]])}
    stars = pd.read_parquet(folder / "profile_stars.parquet")
    return RawService(members, apart, set(_pairs(stars[["creator_id", "target_id"]])))


def _meets_in_person(styles: object) -> bool:
    return isinstance(styles, np.ndarray) and not {"friendship", "collaboration"}.isdisjoint(styles)


def commonground(folder: Path) -> RawService:
    """Read the survey; it asks nobody for a gender or an age to meet, and of births only the year."""
    r = pd.read_csv(folder / "responses.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig").iloc[2:]
    r = r[(r["Status"] == "IP Address") & (r["Finished"] == "True")]
    r = r.assign(at=pd.to_datetime(r["EndDate"], format="%d/%m/%Y %H:%M")).sort_values("at", kind="stable")
    sets = pd.Series([set() for _ in range(len(r))])
    born = r["birth_year"].str.extract(r"^(?:born )?(\d{2}|\d{4})$")[0].astype(float)
    born = born.where(born > 99, born + 1900)
    members = _members(
        r["member_no"], account=r["account"] == "active", proved=r["id_check"].str.lower() == "yes",
        gender="", meets=sets, low=2025 - born, high=2026 - born,
        discreet=r["show_me_to"] == "Only people I liked",
        in_person=r["purpose"].str.contains("A hobby, shared in person|A group, a class or a walk"),
        km=r["max_km"].str.extract(r"(\d+)")[0].astype(float).fillna(np.inf), **_towns(r["city"]),
    )  # fmt: skip
    rows = list(zip(r["member_no"], r["liked"], r["blocked"], r["reported"], strict=True))
    apart = {frozenset((me, other)) for me, _, blocked, _ in rows for other in blocked.split()}
    apart |= {
        frozenset((me, t.split(":")[0].strip()))
        for me, *_, told in rows
        for t in told.split(";")
        if t.strip()
    }
    return RawService(members, apart, {(me, other) for me, liked, *_ in rows for other in liked.split()})


READERS: dict[str, Callable[[Path], RawService]] = {
    "hidamari": hidamari,
    "quizpair": quizpair,
    "polestar": polestar,
    "commonground": commonground,
}
