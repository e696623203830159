"""Places of one name are told apart by their region, whatever code or language it comes in."""

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import h3
import pytest

from recsys.catalogue.text_folding import unaccented
from recsys.data.geography import load_places
from recsys.mapping.place_table import PlaceTable
from recsys.mapping.places import LARGEST_TAKEN, _aliases, _geonames, _names_of, find_place
from recsys.mapping.regions import _TERRITORIES, JAPAN, _rows, region_code, region_key


def _namesakes() -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the country and name of towns that stand in several regions, with these."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for city in _geonames():
        found[city["countrycode"], city["name"]].add(city["admin1code"])
    return sorted((*key, tuple(sorted(regions))) for key, regions in found.items() if len(regions) > 1)


def _written(country: str, region: str) -> list[str]:
    """Return codes and names of a region that mean it alone."""
    row = next((one for one in _rows().get(country, ()) if one[0] == region), None)
    names = [] if row is None else [*row[1], *row[2][:3], *(f"{country}-{code}" for code in row[1])]
    return [one for one in names if one and region_code(country, one) == region_key(region)]


def test_a_region_tells_towns_of_one_name_apart() -> None:
    """Seen to fail: outside Japan and the USA the region was dropped and the largest namesake taken."""
    asked, wrong = 0, []
    for country, name, regions in _namesakes():
        for region in regions:
            for written in _written(country, region):
                asked += 1
                place, _ = find_place(country, written, name)
                if place is None or place.region != region:
                    wrong.append((country, name, region, written))
    assert asked > 3000
    assert not wrong, wrong


def test_a_town_of_several_in_a_region_that_is_not_known_is_nowhere() -> None:
    """Seen to fail: it was the largest, so two who live 1,600 km apart were neighbours."""
    found = {find_place(country, "Atlantis", name)[0] for country, name, _ in _namesakes()}
    near = [one for one in found if one is not None]
    assert len(near) < 0.2 * len(_namesakes())  # those of one name that are within 50 km
    assert find_place("BR", "DF", "Santa Maria")[0] != find_place("BR", "RS", "Santa Maria")[0]
    assert find_place("BR", "Atlantis", "Santa Maria") == (
        None,
        "several places of this name, and an unknown region",
    )
    assert find_place("BR", "SP", "Porto Alegre") == (None, "a place that is not in its region")


def test_a_town_in_an_unknown_region_is_no_namesake_of_another_country() -> None:
    """Seen to fail: Saint-Denis of La Réunion was the one near Paris, and Vancouver of BC in Washington."""
    by_name: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for city in _geonames():
        by_name[city["name"]].append(city)
    asked, wrong = 0, []
    for name, cities in sorted(by_name.items()):
        for city in cities:
            country, residents = city["countrycode"], city["population"]
            others = [one for one in cities if one["countrycode"] != country]
            if any(one["population"] >= residents and _km(one, city) > 60 for one in others):
                asked += 1
                found = find_place(country, "Atlantis", name)[0]
                wrong += [(country, name)] * (found is not None and found.name == name)
    assert asked > 500
    assert not wrong, wrong


def _km(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    places = [(float(city["latitude"]), float(city["longitude"])) for city in (one, other)]
    return float(h3.great_circle_distance(*places))


def test_a_part_of_a_country_that_is_one_of_its_own_has_its_own_towns() -> None:
    """Seen to fail: San Juan of Puerto Rico was one in Texas, with another zone."""
    asked, wrong = 0, []
    for country, parts in _TERRITORIES.items():
        for code, names in parts.items():
            towns = [city for city in _geonames() if city["countrycode"] == code]
            for town in towns[:20]:
                for written in filter(None, (code, f"{country}-{code}", *names.split("|"))):
                    found = [find_place(country, written, town["name"])[0]]
                    found += [find_place(country, None, f"{town['name']}, {written}")[0]]
                    asked += len(found)
                    wrong += [(country, written, town["name"])] * any(
                        p is None or p.country != code for p in found
                    )
    assert asked > 300
    assert not wrong, wrong


def test_every_town_of_japan_is_found_in_its_prefecture_and_in_no_other() -> None:
    """The prefecture is that of the nearest municipalities of the catalogue's own table, by JIS numbers.

    Seen to fail for 956 towns: the codes of GeoNames were held against the numbers of JIS.
    """
    catalogue, towns = load_places(), [one for one in _geonames() if one["countrycode"] == JAPAN]
    cities = list(catalogue.cities.values())
    nearest: dict[str, Counter[str]] = defaultdict(Counter)
    for city in cities:
        near = min(towns, key=lambda one: _degrees_between(city, one))
        nearest[near["admin1code"]][city.prefecture] += 1
    prefectures = {code: catalogue.prefectures[found.most_common(1)[0][0]] for code, found in nearest.items()}
    assert len(prefectures) == len({one.code for one in prefectures.values()}) == 47
    wrong, asked = [], 0
    for number, town in enumerate(towns):
        own, other = prefectures[town["admin1code"]], list(prefectures.values())[number % 47]
        name = next((one for one in town["alternatenames"] if _script(one or "a") == "CJK"), town["name"])
        whole = own.label.text("ja")
        short = whole if whole == "北海道" else whole[:-1]
        forms = [str(own.code), f"{own.code:02d}", f"JP-{own.code:02d}", whole, short]
        found = [find_place(JAPAN, one, name)[0] for one in [*forms, own.label.text("en")]]
        found += [find_place("日本", None, f"{whole}{joint}{name}")[0] for joint in ("", " ")]
        asked += len(found)
        wrong += [(name, whole) for one in found if one is None or one.region != town["admin1code"]]
        elsewhere = find_place(JAPAN, other.label.text("ja"), name)[0]
        wrong += [(name, other.code)] * (elsewhere is not None and prefectures[elsewhere.region] != other)
    assert asked == 8 * len(towns) > 8000
    assert not wrong, wrong


def _degrees_between(city: Any, town: Mapping[str, Any]) -> float:
    return math.hypot(city.latitude - float(town["latitude"]), city.longitude - float(town["longitude"]))


@pytest.mark.parametrize(
    ("country", "pairs"),
    [
        ("BR", [("DF", "Distrito Federal"), ("RS", "Estado do Rio Grande do Sul"), ("SP", "sao paulo")]),
        ("RU", [("MOS", "Московская обл."), ("MOW", "г. Москва"), ("LEN", "Ленинградская область")]),
        ("PL", [("14", "woj. mazowieckie"), ("12", "Województwo małopolskie")]),
        ("TH", [("50", "จ.เชียงใหม่"), ("12", "จังหวัดนนทบุรี"), ("10", "กทม.")]),
        ("ID", [("JB", "Jawa Barat"), ("JB", "Prov. Jawa Barat"), ("YO", "Jogja")]),
        ("MX", [("CMX", "CDMX"), ("JAL", "Estado de Jalisco")]),
        ("CN", [("GD", "广东省"), ("GD", "Guangdong")]),
        ("KR", [("41", "경기도"), ("41", "경기")]),
        ("DE", [("BY", "Bayern"), ("NW", "NRW")]),
        ("IN", [("MH", "महाराष्ट्र"), ("TN", "Tamil Nadu")]),
        (
            "JP",
            [
                ("34", "広島"),
                ("34", "広島県"),
                ("13", "東京"),
                ("26", "京都"),
                ("1", "北海道"),
                ("27", "Osaka"),
            ],
        ),
        ("UA", [("32", "Київська область"), ("30", "Київ")]),
        ("AR", [("C", "CABA"), ("B", "Provincia de Buenos Aires")]),
    ],
)
def test_a_code_and_a_name_are_one_region(country: str, pairs: list[tuple[str, str]]) -> None:
    for code, name in pairs:
        assert region_code(country, code) == region_code(country, name) is not None
    assert len({region_code(country, code) for code, _ in pairs}) == len({code for code, _ in pairs})


_OF_KOREA = {  # by the numbers of ISO 3166-2
    "11": "서울 서울시 서울특별시", "26": "부산 부산시 부산광역시", "27": "대구 대구시 대구광역시",
    "28": "인천 인천시 인천광역시", "29": "광주 광주시 광주광역시", "30": "대전 대전시 대전광역시",
    "31": "울산 울산시 울산광역시", "50": "세종 세종시 세종특별자치시", "41": "경기 경기도",
    "42": "강원 강원도 강원특별자치도", "43": "충북 충청북도", "44": "충남 충청남도",
    "45": "전북 전라북도 전북특별자치도", "46": "전남 전라남도", "47": "경북 경상북도", "48": "경남 경상남도",
    "49": "제주 제주도 제주특별자치도",
}  # fmt: skip


def test_every_way_to_write_a_region_of_korea_is_known() -> None:
    """Seen to fail: of an unknown `부산광역시` Seoul was read as well, since no other place is called so."""
    written = [(code, name) for code, names in _OF_KOREA.items() for name in names.split()]
    assert _OF_KOREA.keys() == {code for _, codes, _ in _rows()["KR"] for code in codes}
    assert [name for code, name in written if region_code("KR", name) != region_code("KR", code)] == []
    found = {(code, find_place("KR", name, "서울")[0] is not None) for code, name in written}
    assert {code for code, is_found in found if is_found} == {"11"}


def test_a_code_behind_its_country_is_the_code() -> None:
    """Seen to fail: `JP-09`, whose zero stood in the middle."""
    asked = [(country, code) for country, rows in _rows().items() for _, codes, _ in rows for code in codes]
    known = [one for one in asked if region_code(*one) is not None]
    assert len(known) > 3000
    wrong = [
        (country, code)
        for country, code in known
        for joint in ("-", " ", "")
        if region_code(country, f"{country}{joint}{code}") != region_code(country, code)
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("own", ["DF", "Distrito Federal", "df"])
@pytest.mark.parametrize("given", ["DF", "distrito federal"])
def test_a_place_of_ones_own_is_of_its_region_alone(own: str, given: str) -> None:
    """Seen to fail: a row for one state was taken for a town of its name in any other."""
    rows: list[dict[str, Any]] = [
        {"place": "Santa Maria", "country": "BR", "region": own, "latitude": "-16.0", "longitude": "-48.0"},
        {"place": "Vila Nova", "country": "BR", "latitude": "-20.0", "longitude": "-48.0"},
    ]
    table = PlaceTable.of(rows, country=None, where="places.csv")
    assert table.find("BR", given, "Santa Maria") is not None
    assert table.find("BR", None, "Santa Maria") is not None
    assert table.find("BR", "RS", "Santa Maria") is None
    assert table.find("BR", "RS", "Vila Nova") is not None


@pytest.mark.parametrize("form", ["{}/{}", "{} / {}", "{} - {}", "{} ({})", "{}, {}", "{} – {}"])
def test_a_region_behind_a_town_tells_it_apart(form: str) -> None:
    """Seen to fail: `São Paulo/SP`, as Brazilian forms write a town, was nowhere."""
    asked, wrong = 0, []
    for country, name, regions in _namesakes():
        if country not in {"BR", "US", "MX", "IT", "IN"}:
            continue
        for region in regions:
            for written in _written(country, region)[:2]:
                asked += 1
                place, _ = find_place(country, None, form.format(name, written))
                if place is None or place.region != region:
                    wrong.append((country, name, region, written))
    assert asked > 500
    assert wrong == []
    for country, region, name in (("BR", "RS", "São Paulo/SP"), ("BR", None, "São Paulo/RS")):
        assert find_place(country, region, name)[0] is None


@pytest.mark.parametrize(
    ("region", "name", "city"),
    [
        (None, "서울 강남구", "서울"), (None, "서울특별시 강남구", "서울"), ("서울", "강남구", "서울"),
        (None, "부산 해운대구", "부산"), (None, "부산광역시 해운대구", "부산"),
        (None, "경기도 수원시", "수원"),
        (None, "경기 수원시 영통구", "수원"), ("경기도", "성남시 분당구", "성남"), (None, "창원", "창원시"),
        (None, "진주", "진주시"), (None, "익산", "익산시"), (None, "세종시", "세종"),
    ],
)  # fmt: skip
def test_an_address_of_korea_begins_with_its_city(region: str | None, name: str, city: str) -> None:
    """Seen to fail: whoever gave the usual beginning of an address met nobody in person."""
    assert find_place("KR", region, name)[0] == find_place("KR", None, city)[0] is not None


def test_a_ward_without_its_city_is_nowhere() -> None:
    assert find_place("KR", None, "강남구")[0] is find_place("KR", "부산", "서울 강남구")[0] is None


_AS_WRITTEN = {  # before a town, in files of the country; None: without accents
    "RU": ["г. ", "г.", "город ", "гор. "],
    "VN": ["TP. ", "TP.", "Thành phố ", "tp "],
    "TH": ["จังหวัด", "จ.", "จ. ", "อ.เมือง", "อำเภอเมือง"],
    "ID": ["Kota ", "Kab. ", "Kabupaten "],
    "PL": ["m.st. ", "miasto "],
    "BR": ["Cidade de ", ""],
    "EG": ["مدينة ", ""],
}


def _script(text: str) -> str:
    return unicodedata.name(text[0], "").partition(" ")[0]


@pytest.mark.parametrize("country", sorted(_AS_WRITTEN))
def test_a_town_is_found_as_files_of_its_country_write_it(country: str) -> None:
    """Seen to fail: `г. Москва`, `TP. Hồ Chí Minh`, `จังหวัดเชียงใหม่`, names without accents."""
    towns = [one for one in _geonames() if one["countrycode"] == country]
    asked = 0
    for city in sorted(towns, key=lambda one: -one["population"])[:40]:
        for name in {city["name"], *city["alternatenames"]}:
            place, reason = find_place(country, None, name)
            if place is None or reason is not None or len(name) < 3 or name.lower().endswith("city"):
                continue
            bare = [one for one in (unaccented(name),) if one not in _names_of(country)]
            before = [one for one in _AS_WRITTEN[country] if _script(one or "a") == _script(name)]
            for written in [*(f"{word}{name}" for word in before), *bare]:
                found, remark = find_place(country, None, written)
                asked += 1
                assert found == place or remark == LARGEST_TAKEN, written
    assert asked > 100


@pytest.mark.parametrize(
    ("country", "written", "town"),
    [
        ("TH", "นนทบุรี", "Nonthaburi"), ("TH", "กทม.", "Bangkok"), ("VN", "Đà Lạt", "Da Lat"),
        ("VN", "TP.HCM", "Ho Chi Minh City"), ("ID", "Jogja", "Yogyakarta"),
        ("ID", "Jakarta Selatan", "Jakarta"), ("RU", "Н. Новгород", "Nizhniy Novgorod"),
        ("EG", "الاسكندرية", "Alexandria"), ("IN", "बेंगलुरु", "Bengaluru"),
    ],
)  # fmt: skip
def test_short_names_and_other_letters_are_towns(country: str, written: str, town: str) -> None:
    assert find_place(country, None, written)[0] == find_place(country, None, town)[0] is not None


def test_every_other_name_is_that_of_a_town_in_the_table() -> None:
    for country, towns in _aliases().items():
        for town, names in towns.items():
            known = find_place(country, None, town)[0]
            assert known is not None, town
            assert {find_place(country, None, one)[0] for one in names} == {known}, town


@pytest.mark.parametrize(
    ("country", "name"), [("US", "Kansas"), ("GB", "Kent"), ("FR", "Finistère"), ("TH", "เมือง")]
)
def test_a_region_without_a_town_of_its_name_is_no_town(country: str, name: str) -> None:
    assert find_place(country, None, name)[0] is None
