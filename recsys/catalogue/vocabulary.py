"""Every allowed value of every enumerated column, in order.

The words are written here; their Japanese and English labels live in the catalogue. There is no
romance or affair intent, no night or private-room meeting setting and no payment word: a source
that uses one is refused, because the word does not exist.
"""

from dataclasses import dataclass
from typing import Final

from recsys.catalogue.columns import Columns as C

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYPARTS: Final = {"early": (5, 9), "day": (9, 17), "evening": (17, 22), "night": (22, 24)}
_ISO_639_1 = """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv
    cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr
    ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw
    ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv
    ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr
    ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi
    yo za zh zu
"""
_ISO_639_3 = (
    "ase bfi ckb fil gsw jsl kvk yue nan hak wuu ceb hil ilo war bho mai awa luo kam kln luy mer "
    "nds scn nap vec kab zgh rom min ban"
)
"""Languages without two letters that forms name: of signs, of regions, of peoples in several countries."""
IN_PERSON_INTENTS: Final = ("hobby_companion", "group_activity")


@dataclass(frozen=True, slots=True)
class Enumeration:
    """The words one column may hold.

    `ordered` words run from least to most; `many` columns hold a set of the words.
    """

    words: tuple[str, ...]
    ordered: bool = False
    many: bool = False

    def code(self, word: str) -> int:
        """Return the position of `word`, or raise ValueError."""
        return self.words.index(word)

    def bit(self, word: str) -> int:
        """Return the bit that stands for `word` in a set of words."""
        return 1 << self.words.index(word)

    def bits(self, *words: str) -> int:
        """Return the bits of several words together."""
        return sum(self.bit(word) for word in set(words))


_AGE_BANDS = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
UNDISCLOSED: Final = "undisclosed"
"""The gender of whoever does not tell one, whatever other words there are."""
_GENDERS = ("woman", "man", "nonbinary", UNDISCLOSED)
_HOUSEHOLDS = ("single", "partnered", "married", "separated")

ENUMERATIONS: Final[dict[str, Enumeration]] = {
    C.AGE_BAND: Enumeration(_AGE_BANDS, ordered=True),
    C.ACCEPTS_AGE_BANDS: Enumeration(_AGE_BANDS, ordered=True, many=True),
    C.VERIFICATION: Enumeration(("none", "age", "id", "id_liveness"), ordered=True),
    C.ACCOUNT_STATE: Enumeration(("active", "paused", "hold", "banned", "erasing")),
    C.ACTIVITY: Enumeration(("today", "week", "month", "dormant"), ordered=True),
    C.GENDER: Enumeration(_GENDERS),
    C.MEETS_GENDERS: Enumeration(_GENDERS, many=True),
    C.HOUSEHOLD_STATUS: Enumeration(_HOUSEHOLDS),
    C.ACCEPTS_HOUSEHOLD_STATUS: Enumeration(_HOUSEHOLDS, many=True),
    C.INTENTS: Enumeration(
        ("emotional_support", "conversation_only", "hobby_companion", "group_activity"), many=True
    ),
    C.LANGUAGES: Enumeration((*_ISO_639_1.split(), *_ISO_639_3.split()), many=True),
    C.DISCRETION: Enumeration(("open", "liked_only")),
    C.CONTACT_FREQUENCY: Enumeration(("daily", "few_week", "weekly", "less"), ordered=True),
    C.CHANNELS: Enumeration(("in_app_text", "in_app_voice", "in_app_video"), many=True),
    C.CONTACT_WINDOWS: Enumeration(tuple(f"{day}_{part}" for day in DAYS for part in DAYPARTS), many=True),
    C.MEETING_SETTINGS: Enumeration(
        ("online_only", "cafe_day", "lunch", "public_event", "group", "class"), many=True
    ),
    C.ROMANCE_LINE: Enumeration(("none_expected", "talk_openly", "end_if_feelings")),
    C.PHYSICAL_LINE: Enumeration(("none",)),
    C.FINANCIAL_LINE: Enumeration(("none", "split_bill")),
    C.DISCLOSURE: Enumeration(("nickname_only", "general_job", "face_after_stage"), ordered=True),
    C.SHARE_MODE: Enumeration(("online", "in_person", "both")),
    C.ROLE: Enumeration(("talks", "listens")),
    C.VISIBILITY: Enumeration(("public", "match_only")),
    C.TYPE: Enumeration(
        (
            "impression",
            "pass",
            "hide",
            "like",
            "message",
            "terms_accepted",
            "verified",
            "optin",
            "rules_agreed",
            "meet_planned",
            "meet_feedback",
            "feeling_check",
            "off_platform_request",
            "money_request",
            "block",
            "report",
            "end",
            "erase",
            "unblock",
            "undo",
        )
    ),
    C.NAMESPACE: Enumeration(("phone", "email", "employer")),
    C.KIND: Enumeration(("self", "exclude")),
}

REPORT_CATEGORIES: Final = (
    "romance_pressure",
    "physical_pressure",
    "money",
    "harassment",
    "exposure",
    "impersonation",
    "minor",
    "threat",
    "solicitation",
    "other",
)
_PLANNED_SETTINGS = ("online_only", "cafe_day", "lunch", "public_event", "group", "class", "private", "other")

EVENT_DETAILS: Final[dict[str, tuple[str, ...]]] = {
    "verified": ENUMERATIONS[C.VERIFICATION].words,
    "optin": ("photo", "meet", "suggestion"),
    "meet_planned": tuple(f"{setting}/{part}" for setting in _PLANNED_SETTINGS for part in DAYPARTS),
    "meet_feedback": ("safe_again", "safe_once", "unsafe"),
    "feeling_check": ("comfortable", "drifting", "closer", "pressured", "done"),
    "report": REPORT_CATEGORIES,
    "end": ("amicable", "unsafe"),
}
"""What `detail` says, by event type; every other type has no detail."""

PERSONAL_EVENTS: Final = ("terms_accepted", "verified", "erase")
"""Events about one person: `target` is null. `optin` may name a target or nobody (anybody)."""

HOLD_STATES: Final = ("active", "lifted")

USUAL_DISTANCES_KM: Final = (10, 25, 50, 100, 300, 20000)
"""Greatest distances that forms usually offer; anybody may choose any whole km of `RANGES`."""

RANGES: Final[dict[str, tuple[int, int]]] = {
    C.AGE_YEARS: (18, 120),
    C.MIN_AGE_YEARS: (18, 120),
    C.MAX_AGE_YEARS: (18, 120),
    C.MAX_DISTANCE_KM: (1, 20000),
    C.MIN_DISTANCE_KM: (0, 20000),
}
"""The least and the greatest whole number of each column that may hold any between them."""

ADULT, OLDEST = RANGES[C.AGE_YEARS]


def years_of_band(band: str) -> tuple[int, int]:
    """Return the youngest and the oldest age in full years of an age band.

    >>> years_of_band("25-34"), years_of_band("65+"), years_of_band("33")
    ((25, 34), (65, 120), (33, 33))
    """
    first, _, last = band.removesuffix("+").partition("-")
    return int(first), OLDEST if band.endswith("+") else int(last or first)


AMOUNTS: Final[dict[str, tuple[int, ...]]] = {
    C.MAX_COMPANIONS: (1, 2, 3, 4, 5),
    C.LEVEL: (1, 2, 3, 4, 5),
    C.WEIGHT: (1, 2, 3),
    C.IMPORTANCE: (0, 1, 10, 50),
}
