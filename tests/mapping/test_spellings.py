"""Towns, distances and hours in capitals, digits and inflections of other languages."""

from collections import Counter
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.text_folding import fold, unaccented
from recsys.catalogue.vocabulary import DAYS
from recsys.mapping.contact_windows import read_windows
from recsys.mapping.distances import ANYWHERE, DISTANCE_UNITS, KM_A_MILE, read_distance
from recsys.mapping.functions import Remarks, Surroundings, sql_functions
from recsys.mapping.places import country_code, find_place
from recsys.mapping.signatures import SEPARATORS
from recsys.mapping.values import split_words
from recsys.strict_yaml import flat, parse_yaml

_TOWNS = (
    *("İzmir", "İzmit", "Iğdır", "Eskişehir", "Diyarbakır", "Şırnak", "Çanakkale", "Isparta", "İstanbul"),
    *("Kırıkkale", "Niğde", "Balıkesir", "Bitlis", "Aydın", "Mersin", "Siirt", "Kilis", "Edirne", "Hakkâri"),
)
_DIGITS = {"ASCII": "0123456789", "Devanagari": "०१२३४५६७८९", "Arabic": "٠١٢٣٤٥٦٧٨٩", "Persian": "۰۱۲۳۴۵۶۷۸۹"}


def turkish_capitals(text: str) -> str:
    """Return a text in capitals as a Turkish program writes them."""
    return text.replace("i", "İ").replace("ı", "I").upper()


@pytest.mark.parametrize("town", _TOWNS)
def test_a_town_in_turkish_capitals_is_the_town(town: str) -> None:
    """Seen to fail: the capital I with a dot was an i with a combining dot, and the town unknown."""
    place, reason = find_place("TR", None, town)
    assert place is not None
    for written in (turkish_capitals(town), town.upper(), turkish_capitals(town).title(), town.lower()):
        assert find_place(turkish_capitals("Türkiye"), None, written) == (place, reason), written


@pytest.mark.parametrize("town", ["Berlin", "Paris", "Sinsheim", "Dublin"])
def test_a_town_elsewhere_is_known_in_turkish_capitals(town: str) -> None:
    country = {"Paris": "FR", "Dublin": "IE"}.get(town, "DE")
    assert find_place(country, None, turkish_capitals(town)) == find_place(country, None, town)
    assert country_code("TÜRKİYE") == "TR"


@given(st.text("abciıİIâşS ", max_size=12))
def test_the_two_letters_i_of_turkish_are_one_in_every_folding(text: str) -> None:
    """Seen to fail: one of the foldings kept the dot of a capital, as a mark of its own."""
    for folded in (fold, unaccented):
        assert folded(text) == folded(turkish_capitals(text)) == folded(text.replace("İ", "i"))


@given(
    word=st.sampled_from(sorted(ANYWHERE)),
    change=st.sampled_from([str, str.upper, str.title, turkish_capitals, unaccented]),
    behind=st.sampled_from(["", ".", " ", "!"]),
)
def test_no_limit_is_read_in_capitals_and_without_accents(word: str, change: object, behind: str) -> None:
    assert callable(change)
    assert read_distance(change(word) + behind)[0] == 20_000


@pytest.mark.parametrize(
    "text",
    ["Sin limite", "Sin límites", "Illimitato", "keine Grenze", "Sınır yok", "No importa", "ingen gräns"],
)
def test_words_for_no_limit(text: str) -> None:
    """Seen to fail: NULL, and the member was not listed."""
    assert read_distance(text) == (20_000, None)


@given(
    km=st.integers(2, 999),
    digits=st.sampled_from(sorted(_DIGITS)),
    unit=st.sampled_from(sorted(one for one, km in DISTANCE_UNITS.items() if km >= 1.0)),
    around=st.sampled_from(
        [
            "{} {}",
            "{}{}",
            "up to {} {}",
            "{} {}'ye kadar",
            "{} {}’YE KADAR",
            "{} {} तक",
            "حتى {} {}",
            "{}{}以内",
        ]
    ),
)
def test_a_distance_is_read_in_digits_and_units_of_every_script(
    km: int, digits: str, unit: str, around: str
) -> None:
    """Seen to fail: `30 millas`, `५० किमी`, `٥٠ كم`, `50 km'ye kadar`."""
    text = around.format("".join(_DIGITS[digits][int(one)] for one in str(km)), unit)
    factor = DISTANCE_UNITS[unit]
    assert factor in {1.0, KM_A_MILE}
    assert read_distance(text) == (int(km * factor + 1e-9), None), text


_TEXT = (files("recsys.mapping") / "distance_words.yaml").read_text(encoding="utf-8")
_WORDS = parse_yaml(_TEXT, where="words")


@pytest.mark.parametrize("km", [1, 50, 120])
def test_every_word_for_at_most_stands_beside_every_number(km: int) -> None:
    """Seen to fail: `ไม่เกิน 50 กม.`, `dưới 50 km`, `не более 50 км` and many others were no distances."""
    for word in flat(_WORDS["before"]):
        for text in (f"{word} {km} km", f"{word.capitalize()} {km}", f"{word.upper()}  {km}км"):
            assert read_distance(text) == (km, None), text
    for word in flat(_WORDS["joined_before"]):
        for text in (f"{word}{km}กม.", f"{word} {km} กม", f"{word}{km}公里"):
            assert read_distance(text) == (km, None), text
    for word in flat(_WORDS["behind"]):
        assert read_distance(f"{km} km {word}") == (km, None), word


def test_what_is_no_distance_is_named_for_the_operator() -> None:
    """Seen to fail: only their number was told."""
    remarks = Remarks()
    around = Surroundings(datetime(2026, 6, 1, tzinfo=UTC), load_catalogue())
    read = next(one.read for one in sql_functions(around, remarks) if one.name == "distance")
    for text in ("near my home", "near my home", "50 km", "hana@example.org", None):
        read(text, "km")
    assert remarks.unmatched == {"distance": Counter({"near my home": 2})}


@pytest.mark.parametrize("text", ["30 millones", "50 km/h", "sin", "limite", "no", "५० डिग्री"])
def test_other_words_are_no_distance(text: str) -> None:
    assert read_distance(text)[0] is None


_PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "evening": {"sv": ("kväll", "kvällar"), "nb": ("kveld", "kvelder"), "da": ("aften", "aftener")},
    "early": {"sv": ("morgon", "morgnar"), "nb": ("morgener",), "da": ("morgener",)},
}
_GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "sv": {"vardags": DAYS[:5], "helg": DAYS[5:], "lördags": ("sat",)},
    "nb": {"hverdags": DAYS[:5], "lørdags": ("sat",)},
    "da": {"hverdags": DAYS[:5], "weekend": DAYS[5:], "lørdags": ("sat",)},
}


@pytest.mark.parametrize("language", sorted(_GROUPS))
@pytest.mark.parametrize("part", sorted(_PARTS))
def test_days_and_parts_written_together_are_read(language: str, part: str) -> None:
    """Seen to fail: `vardagskvällar`, `hverdagskvelder`."""
    for group, days in _GROUPS[language].items():
        for word in _PARTS[part][language]:
            for text in (group + word, (group + word).capitalize(), f"{group}{word}.", f"{group} {word}"):
                assert read_windows(text) == ([f"{day}_{part}" for day in days], None), text


@pytest.mark.parametrize(
    ("word", "part"),
    [("مساء", "evening"), ("صباح", "early"), ("ليلا", "night"), ("صباحا", "early"), ("السبت مساء", "sat")],
)
@pytest.mark.parametrize("mark", ["", "\u064b", "\u064e", "\u0650", "\u0651", "\u0640"])
def test_words_of_arabic_are_read_with_their_vowels_and_without(word: str, part: str, mark: str) -> None:
    """Seen to fail: the word for in the evening as it is usually written, with the sign of its ending."""
    plainly = read_windows(word)
    assert plainly[0]
    assert all(part in window for window in plainly[0])
    for text in (f"{word}{mark}", f"{word[:1]}{mark}{word[1:]}", f"{word[:-1]}{mark}{word[-1]}"):
        assert read_windows(text) == plainly


@pytest.mark.parametrize("text", ["Wochenendabend", "Wochenendabende", "viikonloppuiltaisin", "helgkvällar"])
def test_evenings_of_the_weekend_in_one_word(text: str) -> None:
    assert read_windows(text) == (["sat_evening", "sun_evening"], None)


@pytest.mark.parametrize("text", ["arki-iltaisin", "arki iltaisin", "hverdagsaftener", "vardagskväll"])
def test_evenings_of_weekdays_in_one_word(text: str) -> None:
    assert read_windows(text) == ([f"{day}_evening" for day in DAYS[:5]], None)


@pytest.mark.parametrize(
    ("part", "words"), [("evening", ["tối"]), ("day", ["ban ngày", "chiều"]), ("early", ["sáng"])]
)
def test_days_by_their_number_in_vietnamese_are_read(part: str, words: list[str]) -> None:
    """Seen to fail: `T2-T6 tối`, `T7, CN` and `tối trong tuần`, as every form writes them."""
    names = [*(f"T{n}" for n in range(2, 8)), "CN"]
    for word in words:
        for first, last in [(0, 4), (5, 6), (1, 3)]:
            wanted = [f"{day}_{part}" for day in DAYS[first : last + 1]]
            assert read_windows(f"{names[first]}-{names[last]} {word}") == (wanted, None)
        assert read_windows(f"{word} trong tuần") == ([f"{day}_{part}" for day in DAYS[:5]], None)
        for at, name in enumerate(names):
            assert read_windows(f"{word} {name}") == ([f"{DAYS[at]}_{part}"], None)
    assert read_windows("T2 20h")[0] is None


@pytest.mark.parametrize("text", ["cả ngày", "ว่างตลอด", "kapan saja"])
def test_any_time_is_every_window(text: str) -> None:
    found, _ = read_windows(text)
    assert found is not None
    assert len(found) == 28


@pytest.mark.parametrize("mark", [",", ";", "،", "؛", "।", "、", "\x0b", "\x1d"])
@pytest.mark.parametrize("blank", ["", " "])
def test_words_part_at_the_commas_of_every_script(mark: str, blank: str) -> None:
    """Seen to fail: two words with an Arabic comma, or a danda, between were one."""
    assert split_words(f"رجال{mark}{blank}نساء", SEPARATORS) == ["رجال", "نساء"]
