"""The names of every table and column, written once.

Tables are plain DataFrames. A person is a `user_id`; a pair is `viewer_id` and `candidate_id`
when one looks at a list, `actor` and `target` when one does something to the other.
"""

from types import MappingProxyType
from typing import Final


class Tables:
    """Names of the tables a data source holds."""

    PROFILES: Final = "profiles"
    BOUNDARIES: Final = "boundaries"
    INTERESTS: Final = "interests"
    TALK_TOPICS: Final = "talk_topics"
    ANSWERS: Final = "answers"
    COMMUNITIES: Final = "communities"
    EVENTS: Final = "events"
    BLOCKS: Final = "blocks"
    REPORTS: Final = "reports"
    HOLDS: Final = "holds"
    TOKENS: Final = "tokens"


class Columns:
    """Names of the columns in tables and results."""

    USER: Final = "user_id"
    VALID_FROM: Final = "valid_from"

    # profiles
    PERSON_TOKEN: Final = "person_token"
    AGE_BAND: Final = "age_band"
    ACCEPTS_AGE_BANDS: Final = "accepts_age_bands"
    AGE_YEARS: Final = "age_years"
    MIN_AGE_YEARS: Final = "min_age_years"
    MAX_AGE_YEARS: Final = "max_age_years"
    VERIFICATION: Final = "verification"
    ACCOUNT_STATE: Final = "account_state"
    ACTIVITY: Final = "activity"
    GENDER: Final = "gender"
    MEETS_GENDERS: Final = "meets_genders"
    HOUSEHOLD_STATUS: Final = "household_status"
    ACCEPTS_HOUSEHOLD_STATUS: Final = "accepts_household_status"
    INTENTS: Final = "intents"
    LANGUAGES: Final = "languages"
    CELL: Final = "cell"
    TZ: Final = "tz"
    MAX_DISTANCE_KM: Final = "max_distance_km"
    MIN_DISTANCE_KM: Final = "min_distance_km"
    DISCRETION: Final = "discretion"
    MAX_COMPANIONS: Final = "max_companions"

    # boundaries
    CONTACT_FREQUENCY: Final = "contact_frequency"
    CHANNELS: Final = "channels"
    CONTACT_WINDOWS: Final = "contact_windows"
    MEETING_SETTINGS: Final = "meeting_settings"
    ROMANCE_LINE: Final = "romance_line"
    PHYSICAL_LINE: Final = "physical_line"
    FINANCIAL_LINE: Final = "financial_line"
    DISCLOSURE: Final = "disclosure"
    TOPICS_AVOID: Final = "topics_avoid"

    # interests, talk topics, answers, communities
    TAG: Final = "tag"
    LEVEL: Final = "level"
    SHARE_MODE: Final = "share_mode"
    TOPIC: Final = "topic"
    ROLE: Final = "role"
    WEIGHT: Final = "weight"
    QUESTION: Final = "question_id"
    ANSWER: Final = "answer"
    ACCEPTED: Final = "accepted"
    IMPORTANCE: Final = "importance"
    MANDATORY: Final = "mandatory"
    VISIBILITY: Final = "visibility"
    CONSENT: Final = "consent_id"
    COMMUNITY: Final = "community_id"

    # events and safety
    EVENT: Final = "event_id"
    TS: Final = "ts"
    ACTOR: Final = "actor"
    TARGET: Final = "target"
    TYPE: Final = "type"
    SURFACE: Final = "surface"
    POSITION: Final = "position"
    PROPENSITY: Final = "propensity"
    MODEL_VERSION: Final = "model_version"
    DETAIL: Final = "detail"
    COUNT: Final = "count"
    REPLY_LAG_H: Final = "reply_lag_h"
    CATEGORY: Final = "category"
    STATE: Final = "state"
    OWNER: Final = "owner"
    NAMESPACE: Final = "namespace"
    KIND: Final = "kind"
    HMAC: Final = "hmac"

    # results
    VIEWER: Final = "viewer_id"
    CANDIDATE: Final = "candidate_id"
    RANK: Final = "rank"
    P_LIKE: Final = "p_like"
    P_LOOK: Final = "p_look"
    P_ANSWER: Final = "p_answer"
    P_LIKED_BACK: Final = "p_liked_back"
    P_MUTUAL: Final = "p_mutual"
    SCORE: Final = "score"
    EXPOSURE: Final = "exposure"
    REASONS: Final = "reasons"

    # inside a Population: a person's position in id order
    ROW: Final = "row"


PROBABILITIES: Final = MappingProxyType(
    {
        Columns.P_LOOK: "P(look)",
        Columns.P_LIKE: "P(like | look)",
        Columns.P_LIKED_BACK: "P(liked back | look)",
        Columns.P_MUTUAL: "P(both like | both look)",
        Columns.P_ANSWER: "P(like | liked)",
    }
)
"""What each column of probabilities is the probability of, in tables, figures and pages.

>>> PROBABILITIES["p_like"]
'P(like | look)'
"""
