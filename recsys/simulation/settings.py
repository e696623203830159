"""Every number of the synthetic town, with where it comes from."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, field_validator

from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.config import PRESENT, Section, Share
from recsys.data.geography import load_places
from recsys.errors import did_you_mean


def _sums_to_one(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    if abs(total - 1.0) > 1e-6:
        raise ValueError(f"shares of one whole must add up to 1, these add up to {total:.6g}")
    return shares


Chances = dict[str, Share]
"""Word to the chance that it is in a set; each word is drawn on its own."""

Shares = Annotated[dict[str, Share], AfterValidator(_sums_to_one)]
"""Word to its share of people; the shares add up to 1."""

Positive = Annotated[float, Field(gt=0.0)]


class BoundarySettings(Section):
    """Shares of boundary answers; all chosen, so that each rule removes some pairs and none removes most."""

    contact_frequency: Shares = Field(default={"daily": 0.22, "few_week": 0.40, "weekly": 0.28, "less": 0.10})
    channels: Chances = Field(default={"in_app_text": 0.97, "in_app_voice": 0.35, "in_app_video": 0.15})
    meeting_settings: Chances = Field(
        default={
            "online_only": 0.20,
            "cafe_day": 0.80,
            "lunch": 0.60,
            "public_event": 0.40,
            "group": 0.35,
            "class": 0.25,
        }
    )
    rhythm: Shares = Field(default={"office": 0.45, "home": 0.30, "shift": 0.15, "weekend": 0.10})
    """Daily rhythm; it decides the contact windows in `recsys.simulation.boundaries`."""
    day_kept: Share = 0.85
    daypart_kept: Share = 0.85
    """Chance that a day, and a part of all days, of one's rhythm is really offered."""
    romance_line: Shares = Field(
        default={"none_expected": 0.62, "talk_openly": 0.20, "end_if_feelings": 0.18}
    )
    financial_line: Shares = Field(default={"none": 0.35, "split_bill": 0.65})
    disclosure: Shares = Field(default={"nickname_only": 0.40, "general_job": 0.38, "face_after_stage": 0.22})
    line_unanswered: Share = 0.004
    """Chance that the physical line, the financial line or another hard line is left empty."""
    avoids: Share = 0.06
    """Chance to avoid a topic one neither needs nor listens to."""


class InterestAndAnswerSettings(Section):
    """How loudly and how completely the hidden person shows in the tables; all numbers chosen.

    The engine sees these tables, never the factors behind them: a larger `*_signal` makes the town
    easier to learn.
    """

    # hidden factors
    hobby_factors: int = Field(default=8, ge=1)
    hobby_groups: int = Field(default=12, ge=1)
    """People come in groups of like hobbies (wine and cooking, mountains and photographs ...)."""
    group_tightness: Share = 0.5
    """Share of the variance of hobby factors that lies between groups."""

    # interests
    interests_per_person: Positive = 8.0
    max_interests: int = Field(default=30, ge=1, le=30)
    no_interests: Share = 0.04
    interest_signal: Positive = 2.6
    interest_popularity: Positive = 0.9
    synonym: Share = 0.15
    """Chance that a tag is written as a synonym or a label instead of its id."""
    free_tag: Share = 0.05
    share_mode: Shares = Field(default={"online": 0.2, "in_person": 0.3, "both": 0.5})

    # answers
    answer_share: Positive = 0.4
    """Mean share of the catalogue's questions one answers; between people it varies widely."""
    answer_spread: Positive = 4.0
    """Concentration of that share between people (the sum of the two Beta parameters)."""
    sensitive_share: Share = 0.15
    """Of those who would answer, how many give a sensitive answer, with consent."""
    answer_signal: Share = 0.7
    """Share of the variance of an answer that comes from the value behind it."""
    importance: Shares = Field(default={"0": 0.15, "1": 0.35, "10": 0.35, "50": 0.15})
    match_only: Share = 0.2
    strict: Share = 0.05
    """People who make one or two answers mandatory."""

    # talk topics
    no_topics: Share = 0.06
    needs_per_person: Positive = 2.4
    listens_per_person: Positive = 3.6
    topic_signal: Positive = 1.2

    # circles and contacts
    joins_circle: Share = 0.18
    """Chance that an interest led to a circle, in the prefecture or online."""
    online_circle: Share = 0.35
    employer: Share = 0.45
    """Gave an employer, so that colleagues are never shown; sizes of employers are skewed."""
    people_per_employer: Positive = 6.0
    excludes_contact: Share = 0.04
    """Asked never to meet one known person, by that person's phone or mail."""


class FunnelSettings(Section):
    """Chances and delays of look, like, inbox, reply, talk, meet, comfortable; all chosen.

    The order of the steps is that of the source article: one to two weeks of messages, a first
    meeting by day in a public place, rules agreed, feelings checked.
    """

    # the list: opened, then read from the top
    opens_today: Share = PRESENT["today"]
    opens_week: Share = PRESENT["week"]
    opens_month: Share = PRESENT["month"]
    """Chance that a list of the night is opened, by activity."""
    look_decay: float = Field(default=0.5, ge=0.0)
    """P(look at position r) = r ** -look_decay: position bias, gentler than a search page's 1/r."""
    busy: float = Field(default=0.0, ge=0.0)
    """Logits taken off a like for each conversation one is in already (the history effect): recent matches
    make the next like less likely. 0, the default, for none: none of the real data at hand says how much."""
    leaves_a_night: Share = 0.0
    """Chance a night that somebody leaves who is in no conversation; each conversation divides it by e. 0,
    the default: leaving does not depend on what the service did (see `HistorySettings.left_within`)."""
    passes: Share = 0.12
    """After a look without a like: passed in so many words."""
    hides: Share = 0.01

    # the inbox: read from the most liked down
    inbox_decay: float = Field(default=0.7, ge=0.0)
    """P(a like at place r of the inbox is read) = r ** -inbox_decay: steeper than a list, which is short."""
    inbox_days: int = Field(default=7, ge=1)
    """A like waits so long and takes its place among the others; older ones lie too deep to be read."""
    flattered: float = 0.8
    """Logits added when one already knows that the other likes."""
    inbox_passes: Share = 0.3
    answer_hours: Positive = 20.0
    """Median hours until an inbox is read."""

    # talk
    first_message: Share = 0.9
    reply: float = 1.0
    """Logit of an answer to the first message at average rapport."""
    rapport: float = Field(default=0.9, ge=0.0)
    """Weight of rapport (standardised mutual taste) in every later step."""
    rapport_noise: float = Field(default=0.7, ge=0.0)
    conversations_at_once: int = Field(default=4, ge=1)
    """Conversations one keeps up; in m of them one answers a new one as often as this over m + 1."""
    stop_a_day: Share = 0.13
    """Chance a day that a conversation ends, at average rapport."""
    max_conversation_days: int = Field(default=28, ge=1)
    reply_hours: Positive = 6.0
    messages_a_day: Positive = 2.0

    # trust
    rules_after_days: int = Field(default=7, ge=0)
    agrees_rules: Share = 0.75
    shares_photo: Share = 0.4
    meets: float = 0.5
    """Logit of planning a meeting once rules are agreed, at average rapport."""
    odd_plan: Share = 0.02
    """A first meeting planned by evening or in a private place: a safety flag, not a label."""
    safe: Share = 0.985
    again: float = 0.8
    """Logit of wanting to meet again, at average rapport."""
    check_after_days: int = Field(default=10, ge=1)
    comfortable: float = 1.3
    """Logit of feeling comfortable at a check, at average rapport."""
    drifting: Share = 0.35
    pressured: Share = 0.06
    """Of those who are not comfortable; the rest say they are done."""
    says_goodbye: Share = 0.35
    """A talk that stopped is ended in so many words."""
    friction: Share = 0.012
    """One of a talking pair blocks the other; half of these are also reported."""


class HistorySettings(Section):
    """The past: lists drawn at random among people who may be shown, with their true propensity.

    Chosen so that 5,000 people leave 100,000 to 300,000 events.
    """

    days: int = Field(default=56, ge=0)
    list_length: int = Field(default=10, ge=1)
    visits_a_week: Positive = 0.85
    """Lists opened a week by someone active daily; `FunnelSettings.opens_*` scale the others."""
    neighbourhood: int = Field(default=4096, ge=2)
    """At most so many people, drawn at random, are considered for one viewer over the whole past."""
    joined_within: Share = 0.08
    """Newcomers: joined during the past, on a random day of it."""
    left_within: Share = 0.04
    """Churn: became dormant during the past, on a random day of it."""
    moved: Share = 0.05
    """Had an earlier profile with another radius, before the past began."""
    first_join_days: int = Field(default=400, ge=1)
    """The earliest members joined so many days before the past began."""


AGE_BANDS = ENUMERATIONS["age_band"].words


class PeopleSettings(Section):
    """Shares of people. Places follow city populations; every other number is chosen.

    The age, household and gender mix is that of the members the service is written for (adults of
    middle age, often married), not that of the country. About four people in five come out listed.
    """

    # age and household: middle age leads, marriage rises with age
    age_band: Shares = Field(default=dict(zip(AGE_BANDS, (0.04, 0.16, 0.28, 0.28, 0.16, 0.08), strict=True)))
    household_by_age: dict[str, Shares] = Field(
        default={
            "18-24": {"single": 0.85, "partnered": 0.13, "married": 0.02, "separated": 0.00},
            "25-34": {"single": 0.45, "partnered": 0.20, "married": 0.32, "separated": 0.03},
            "35-44": {"single": 0.24, "partnered": 0.10, "married": 0.59, "separated": 0.07},
            "45-54": {"single": 0.18, "partnered": 0.07, "married": 0.66, "separated": 0.09},
            "55-64": {"single": 0.14, "partnered": 0.05, "married": 0.70, "separated": 0.11},
            "65+": {"single": 0.14, "partnered": 0.04, "married": 0.68, "separated": 0.14},
        }
    )
    gender: Shares = Field(default={"woman": 0.47, "man": 0.47, "nonbinary": 0.02, "undisclosed": 0.04})

    # whom one meets
    meets_any_gender: Share = 0.45
    """Left open: any gender. The relation is not a romance, so many do not filter."""
    meets_own_gender_only: Share = 0.15
    """Own gender and nonbinary; the rest tick the other binary gender, nonbinary and undisclosed."""
    accepts_any_age: Share = 0.25
    accepted_band_steps: Shares = Field(default={"1": 0.55, "2": 0.45})
    """How many age bands away from one's own are still accepted."""
    accepts_other_household: Share = 0.75
    """Chance to accept each household status other than one's own."""

    # what one looks for
    intents: Chances = Field(
        default={
            "emotional_support": 0.78,
            "conversation_only": 0.35,
            "hobby_companion": 0.70,
            "group_activity": 0.30,
        }
    )
    max_distance_km: Shares = Field(
        default={"10": 0.05, "25": 0.17, "50": 0.35, "100": 0.28, "300": 0.10, "20000": 0.05}
    )
    min_distance_km: Shares = Field(default={"0": 0.82, "5": 0.10, "10": 0.05, "25": 0.03})
    """Discretion near home: some ask that nobody from the next street sees them."""
    languages: Chances = Field(default={"en": 0.22, "zh": 0.04, "ko": 0.03, "pt": 0.01})
    """Spoken beside Japanese."""
    without_japanese: Share = 0.01
    liked_only: Share = 0.15
    """Exposures only to people they liked; more common among the married in the source article."""
    suggestible: Share = 0.5
    """Of the `liked_only`, how many opted in to double-blind suggestions."""
    max_companions: Shares = Field(default={"1": 0.45, "2": 0.30, "3": 0.17, "4": 0.05, "5": 0.03})

    # account
    verification: Shares = Field(default={"none": 0.04, "age": 0.36, "id": 0.40, "id_liveness": 0.20})
    account_state: Shares = Field(
        default={"active": 0.955, "paused": 0.030, "hold": 0.006, "banned": 0.006, "erasing": 0.003}
    )
    activity: Shares = Field(default={"today": 0.33, "week": 0.40, "month": 0.24, "dormant": 0.03})
    person_token: Share = 0.9
    """Has a token that survives re-registration."""
    abroad: Share = 0.01
    """Lives abroad without a cell and looks for conversation alone."""
    gap: Share = 0.005
    """Chance that any one answer of the profile was never given."""
    no_boundaries: Share = 0.02
    """Never filled in the boundaries, so is not listed."""

    # places
    prefectures: tuple[str, ...] = ()
    """Where homes may lie, by id (`tokyo`); none named: all over the country. One city is a dense market."""
    countryside_km: Positive = 20.0
    """Standard deviation of homes outside the cities, around a city of the prefecture. Cities and
    prefectures weigh as their residents of the 2020 Population Census (`recsys.data.geography`)."""
    cell_resolution: int = Field(default=6, ge=4, le=6)

    @field_validator("prefectures")
    @classmethod
    def _are_places(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in load_places().prefectures:
                raise ValueError(f"no prefecture '{name}'; {did_you_mean(name, load_places().prefectures)}")
        return names


class TasteSettings(Section):
    """Standard deviations, in logits, of the parts of the hidden taste over pairs that may meet.

    Chosen. Content (interests, values, talk) carries about as much as who is looking and who is
    looked at, as in speed dating, where rater and partner effects and the rest are of like size.
    """

    like_rate: Share = 0.24
    """P(like | looked), on average over pairs that may meet."""
    interests: float = Field(default=0.8, ge=0.0)
    values: float = Field(default=0.7, ge=0.0)
    hold_conversations: float = Field(default=0.8, ge=0.0)
    listens_back: Share = 0.4
    """How much being able to listen counts beside being listened to."""
    selectivity: float = Field(default=0.6, ge=0.0)
    popularity: float = Field(default=0.55, ge=0.0)
    popularity_skew: Positive = 2.0
    """Shape of the gamma from which popularity is drawn: smaller is more skewed."""
    chemistry: float = Field(default=0.4, ge=0.0)
    """Hidden factors that no table shows: only likes can teach them."""
    chemistry_factors: int = Field(default=4, ge=1)
    nearness: float = Field(default=0.8, ge=0.0)
    """Added next door; it falls off as exp(-km / nearness_km)."""
    nearness_km: Positive = 20.0
    noise: float = Field(default=0.5, ge=0.0)
    """Noise of one pair in one direction; nobody can learn it."""


SPEED_DATING_TASTE: Final = TasteSettings(
    like_rate=0.44,
    interests=0.15,
    values=0.15,
    hold_conversations=0.3,
    selectivity=1.4,
    popularity=1.4,
    chemistry=1.0,
    nearness=0.0,
)
"""A taste under which meetings come out as at speed dating: both answers unrelated, people very different.

Fitted by hand to 4,184 meetings (`python -m tests.benchmarks.town`): what two people share says little there.
"""


class AbuseSettings(Section):
    """Bad actors and how members answer them; all chosen, larger than one would hope to see."""

    bad_actors: Share = 0.01
    kinds: dict[str, Share] = Field(default={"money": 0.5, "off_platform": 0.3, "pushy": 0.2})
    """What they are after: money, contact elsewhere, or a romance nobody offered."""
    scripted_like: Share = 0.9
    """They like nearly everybody they look at."""
    asks: Share = 0.7
    """Chance to ask once a talk has begun."""
    victim_blocks: Share = 0.7
    victim_reports: Share = 0.5
    brigades_per_1000: float = Field(default=0.6, ge=0.0)
    """Groups who report one person they never talked with."""
    brigade_size: int = Field(default=5, ge=2)
    known_blocks_per_100: float = Field(default=1.0, ge=0.0)
    """Blocks made before the past began, of people one knows from elsewhere."""
    held_after_reports: int = Field(default=3, ge=1)
    """People of the review queue hold an account reported by so many others; brigades are lifted."""


class TownSettings(Section):
    """Everything that decides a town beside its size, its random generator and its date.

    >>> TownSettings().taste.like_rate
    0.24
    """

    people: PeopleSettings = PeopleSettings()
    boundaries: BoundarySettings = BoundarySettings()
    content: InterestAndAnswerSettings = InterestAndAnswerSettings()
    taste: TasteSettings = TasteSettings()
    funnel: FunnelSettings = FunnelSettings()
    history: HistorySettings = HistorySettings()
    abuse: AbuseSettings = AbuseSettings()
    corruption: Share = 0.0
    """Broken rows added to the tables, as a share of each table's rows."""


def town_settings(raw: Mapping[str, Any]) -> TownSettings:
    """Read town settings from plain values.

    Raises SettingsError naming every unknown key and impossible value.

    >>> town_settings({"corruption": 0.01}).corruption
    0.01
    >>> town_settings({"coruption": 0.01})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    recsys.errors.SettingsError: unknown key in the town's settings: ... did you mean 'corruption'?
    """
    return TownSettings.from_mapping(raw, where="the town's settings")
