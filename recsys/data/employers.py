"""Employers as people write them: a domain or a company's name, each in one spelling."""

import re
from functools import lru_cache
from typing import Final

from recsys.catalogue.text_folding import unaccented
from recsys.data.no_answer_codes import is_unknown
from recsys.errors import InputError, explained

FREE_MAIL: Final = frozenset(
    (
        *("126.com", "139.com", "163.com", "163.net", "aol.com", "asahi-net.or.jp", "att.net", "au.com"),
        *("biglobe.ne.jp", "bigpond.com", "bk.ru", "bol.com.br", "btinternet.com", "comcast.net"),
        *("daum.net", "dion.ne.jp", "docomo.ne.jp", "eonet.ne.jp", "excite.co.jp", "ezweb.ne.jp"),
        *("fastmail.com", "foxmail.com", "free.fr", "freenet.de", "gmail.com", "gmx.at", "gmx.ch"),
        *("gmx.com", "gmx.de", "gmx.net", "goo.jp", "googlemail.com", "hanmail.net", "hey.com"),
        *("hi-ho.ne.jp", "hotmail.co.jp", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.es"),
        *("hotmail.fr", "hotmail.it", "hushmail.com", "i.softbank.jp", "icloud.com", "inbox.ru"),
        *("infoseek.jp", "jcom.home.ne.jp", "laposte.net", "libero.it", "list.ru", "live.co.uk"),
        *("live.com", "live.fr", "live.jp", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com"),
        *("naver.com", "nifty.com", "o2.pl", "ocn.ne.jp", "onet.pl", "orange.fr", "outlook.com"),
        *("outlook.de", "outlook.es", "outlook.fr", "outlook.jp", "plala.or.jp", "pm.me", "proton.me"),
        *("protonmail.com", "qq.com", "rakuten.jp", "rambler.ru", "rediffmail.com", "rocketmail.com"),
        *("sbcglobal.net", "seznam.cz", "sfr.fr", "sina.com", "so-net.ne.jp", "softbank.ne.jp"),
        *("sohu.com", "t-online.de", "terra.com.br", "tuta.com", "tutanota.com", "uol.com.br"),
        *("uqmobile.jp", "verizon.net", "virgilio.it", "vodafone.ne.jp", "wanadoo.fr", "web.de", "wp.pl"),
        *("yahoo.ca", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.com.br", "yahoo.com.hk"),
        *("yahoo.com.tw", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.com", "yandex.ru"),
        *("ybb.ne.jp", "yeah.net", "ymail.com", "ymail.ne.jp", "ymobile.ne.jp", "zoho.com"),
    )
)
"""Mail domains that anybody may have: they say nothing about an employer."""
_LEGAL_END = re.compile(r"\.(?:ltd|inc|co|corp|gmbh|llc|plc)$")
_URL = re.compile(r"^https?://([^/?#:]+).*$", re.DOTALL)
_DOMAIN = re.compile(r"[^\s@/]+\.[^\s@/.]{2,}")


def employer_form(text: str) -> str | None:
    """Return a domain, or the name of a company where the text is no domain; two kinds that never meet.

    None where the text says that there is no employer: people without one are no colleagues.
    """
    if is_unknown(text) or company_name(text) in _no_employer():
        return None
    bare = _URL.sub(r"\1", text).removeprefix("mailto:").partition("?")[0].strip()
    domain = bare.rpartition("@")[2].removeprefix("www.").rstrip(".")
    if _DOMAIN.fullmatch(domain) and not _LEGAL_END.search(domain):
        domain = ascii_domain(domain)
        return None if domain in FREE_MAIL else domain
    name = "" if "@" in text else company_name(text)
    if not name:
        remedy = "give the employer's mail domain, such as example.co.jp, or the company's name"
        raise InputError(explained("the value is neither a domain nor a company", remedy=remedy))
    return f"name {name}"


def ascii_domain(domain: str) -> str:
    """Return a domain as ASCII, so that its two spellings meet; as it is where it has none."""
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


_JAPANESE: Final = (
    r"株式会社|有限会社|合同会社|合資会社|合名会社|相互会社|"
    r"(?:一般|公益)?(?:社団|財団)法人|医療法人|学校法人|宗教法人|社会福祉法人|独立行政法人|"
    r"\((?:株|有|同|資|名|社|財|医|学|宗|福|独)\)"
)
_OF_EAST_ASIA: Final = rf"{_JAPANESE}|주식회사|유한회사|\((?:주|유)\)|股份有限公司|有限责任公司|有限公司"
_BEFORE: Final = (
    r"(?:ооо|оао|зао|пао|ао|ип|тов|pt|cv|ud|sarl|sasu|sas|eurl|snc|scop|scic|gie|s\.?a\.?r\.?l\.?|s\.?a\.?s\.?)\.?\s+|"
    r"(?:sa|s\.a\.|société|ets|ets\.|établissements|srl|spa|firma|fa\.)\s+(?=\w{2})|"
    r"công ty (?:tnhh|cổ phần|cp)(?: mtv| một thành viên)?\s+|บริษัท\s*|شركة\s+"
)
_BEHIND: Final = r"\s*จำกัด(?:\s*\(มหาชน\))?"


_AROUND = re.compile(
    rf"^(?:{unaccented(f'{_OF_EAST_ASIA}|{_BEFORE}')})+|(?:{unaccented(f'{_OF_EAST_ASIA}|{_BEHIND}')})+$"
)
_LEGAL_WORDS: Final = frozenset(
    (
        "ab", "ag", "aktiengesellschaft", "as", "asa", "bv", "bvba", "co", "company", "corp",
        "corporation", "cv", "eg", "eireli", "ev", "gmbh", "inc", "incorporated", "kft", "kg", "kk", "lda",
        "limitada", "limited", "llc", "llp", "lp", "ltd", "ltda", "mbh", "nv", "ohg", "oy", "oyj", "plc",
        "pte", "pty", "sa", "sarl", "sas", "se", "sl", "spa", "srl", "ug",
        "aps", "bhd", "dd", "doo", "ead", "ehf", "ek", "eood", "eurl", "gbr", "jsc", "kgaa", "ks", "nyrt",
        "ojsc", "ood", "ou", "pcl", "pjsc", "pllc", "pvt", "sac", "sasu", "sdn", "sia", "slu", "snc", "sp",
        "sro", "sti", "sirketi", "tbk", "uab", "vos", "wll", "zrt",
    )
)  # fmt: skip
_LEGAL_ENDS: Final = (
    *(("sp", "z", "oo"), ("sp", "z", "o", "o"), ("s", "r", "o"), ("a", "s"), ("s", "a"), ("de", "cv")),
    *(("s", "a", "r", "l"), ("s", "p", "a"), ("d", "o", "o"), ("e", "v"), ("san", "ve", "tic")),
    *(("sanayi", "ve", "ticaret"), ("p", "vt"), ("ve", "tic")),
)
_BEFORE_A_FORM: Final = frozenset(("private", "anonim", "und", "and"))
"""Words of a legal form before another of its words alone."""
_NO_EMPLOYER: Final = frozenset(
    (
        *("無職", "自営業", "自営", "個人事業主", "フリーランス", "フリー", "主婦", "主夫", "専業主婦"),
        *("専業主夫", "学生", "退職", "年金生活", "求職中", "会社員", "公務員", "パート", "アルバイト"),
        *("その他", "非公開", "self-employed", "self employed", "freelance", "freelancer"),
        *("unemployed", "retired", "student", "homemaker", "housewife", "not working", "between jobs"),
        *("private", "employee", "other", "selbständig", "selbstständig", "freiberuflich"),
        *("freiberufler", "arbeitslos", "rentner", "rentnerin", "hausfrau", "hausmann", "indépendant"),
        *("indépendante", "au chômage", "retraité", "retraitée", "étudiant", "étudiante"),
        *("sans emploi", "autónomo", "autónoma", "desempleado", "desempleada", "jubilado", "jubilada"),
        *("estudiante", "ama de casa", "autônomo", "autônoma", "desempregado", "desempregada"),
        *("aposentado", "aposentada", "reformado", "reformada", "estudante", "dona de casa"),
        *("libero professionista", "disoccupato", "disoccupata", "pensionato", "pensionata"),
        *("studente", "zzp", "zelfstandig", "werkloos", "gepensioneerd", "무직", "자영업", "프리랜서"),
        *("주부", "학생", "퇴직", "无业", "自由职业", "退休", "个体户"),
        *(
            "은퇴",
            "구직중",
            "취업준비생",
            "대학생",
            "대학원생",
            "전업주부",
            "회사원",
            "공무원",
            "학교",
            "家庭主妇",
        ),
        *(
            "学生",
            "待业",
            "自雇",
            "own business",
            "own company",
            "business owner",
            "my own business",
            "myself",
        ),
        *("entrepreneur", "contractor", "consultant", "looking for work", "job seeker", "jobseeker"),
        *("seeking work", "stay at home parent", "stay-at-home mum", "stay-at-home dad", "parental leave"),
        *("maternity leave", "on leave", "sabbatical", "pensioner", "disabled", "carer", "various"),
        *("confidential", "prefer not to say", "secret", "nobody", "no employer", "no job", "none currently"),
        *("studentin", "student", "schüler", "schülerin", "auszubildende", "auszubildender", "azubi"),
        *("ruhestand", "im ruhestand", "in rente", "rente", "pension", "pensionär", "pensionärin"),
        *("elternzeit", "in elternzeit", "arbeitssuchend", "arbeitsuchend", "auf jobsuche", "privat"),
        *("selbständige", "selbstständige", "selbständiger", "selbstständiger", "freelancerin", "beamter"),
        *("beamtin", "angestellter", "angestellte", "keiner", "geheim", "à mon compte", "auto-entrepreneur"),
        *("autoentrepreneur", "auto-entrepreneuse", "femme au foyer", "homme au foyer", "en recherche"),
        *("demandeur d'emploi", "demandeuse d'emploi", "congé parental", "fonctionnaire", "salarié"),
        *("salariée", "en paro", "parado", "parada", "pensionista", "por cuenta propia", "empleado"),
        *("empleada", "funcionario", "funcionaria", "cuenta propia", "por conta própria", "do lar"),
        *("conta própria", "servidor público", "servidora pública", "pensionista", "casalinga"),
        *("in pensione", "lavoratore autonomo", "lavoratrice autonoma", "in cerca di lavoro", "huisvrouw"),
        *("huisman", "werkzoekend", "met pensioen", "zelfstandige", "eigen bedrijf", "freelanceur"),
        *("serbest", "serbest çalışan", "serbest meslek", "kendi işim", "emekli", "öğrenci", "işsiz"),
        *("çalışmıyor", "çalışmıyorum", "ev hanımı", "yok", "gizli", "özel", "memur", "işçi", "esnaf"),
        *("स्वरोज़गार", "स्वरोजगार", "गृहिणी", "छात्र", "छात्रा", "विद्यार्थी", "बेरोज़गार", "बेरोजगार"),
        *("सेवानिवृत्त", "कोई नहीं", "नहीं", "नौकरी नहीं", "व्यवसाय", "खुद का व्यवसाय", "housewife", "home maker"),
        *("bezrobotny", "bezrobotna", "emeryt", "emerytka", "na emeryturze", "rencista", "rencistka"),
        *("samozatrudniony", "samozatrudniona", "własna działalność", "własna firma", "studentka"),
        *("uczeń", "uczennica", "gospodyni domowa", "urlop macierzyński", "wolny zawód", "nie pracuję"),
        *("nezaměstnaný", "nezaměstnaná", "důchodce", "důchodkyně", "v důchodu", "osvč", "živnostník"),
        *("na mateřské", "v domácnosti", "egenföretagare", "eget företag", "arbetslös", "arbetssökande"),
        *("pensionerad", "föräldraledig", "studerande", "hemmafru", "selvstændig", "arbejdsløs", "ledig"),
        *(
            "pensioneret",
            "på barsel",
            "efterløn",
            "selvstendig næringsdrivende",
            "arbeidsledig",
            "pensjonist",
        ),
        *("hjemmeværende", "yrittäjä", "työtön", "eläkeläinen", "eläkkeellä", "opiskelija", "kotiäiti"),
        *("безработный", "безработная", "пенсионер", "пенсионерка", "на пенсии", "самозанятый"),
        *("самозанятая", "ип", "фриланс", "фрилансер", "студент", "студентка", "домохозяйка", "в декрете"),
        *("не работаю", "нет", "частная практика", "безробітний", "безробітна", "пенсіонер", "пенсіонерка"),
        *("самозайнятий", "самозайнята", "фоп", "домогосподарка", "не працюю", "thất nghiệp", "nghỉ hưu"),
        *("đã nghỉ hưu", "tự do", "làm tự do", "sinh viên", "học sinh", "nội trợ", "tự kinh doanh"),
        *("wiraswasta", "wirausaha", "pensiunan", "pensiun", "mahasiswa", "mahasiswi", "pelajar"),
        *("ibu rumah tangga", "tidak bekerja", "belum bekerja", "pekerja lepas", "ว่างงาน", "เกษียณ"),
        *("นักเรียน", "นักศึกษา", "แม่บ้าน", "อาชีพอิสระ", "ธุรกิจส่วนตัว", "ฟรีแลนซ์", "متقاعد", "متقاعدة"),
        *(
            "自由業",
            "自由工作者",
            "家管",
            "家庭主婦",
            "待業中",
            "無",
            "沒有",
            "没有",
            "自營",
            "自營商",
            "接案",
            "已退休",
            "退休人員",
        ),
        *(
            "無業",
            "学生",
            "公務員",
            "上班族",
            "全職媽媽",
            "soho",
            "個體戶",
            "à la retraite",
            "pensionné",
            "pensionnée",
        ),
        *(
            "mère au foyer",
            "père au foyer",
            "profession libérale",
            "chômage",
            "chômeur",
            "chômeuse",
            "sans",
            "néant",
        ),
        *(
            "privé",
            "confidentiel",
            "confidentielle",
            "indépendant(e)",
            "travailleur indépendant",
            "micro-entrepreneur",
        ),
        *(
            "aucun",
            "aucune",
            "rien",
            "retraite",
            "en formation",
            "en reconversion",
            "intermittent",
            "intermittente",
        ),
        *(
            "jua kali",
            "hakuna",
            "mwanafunzi",
            "sina kazi",
            "mstaafu",
            "nimestaafu",
            "biashara",
            "biashara yangu",
        ),
        *(
            "kujiajiri",
            "nimejiajiri",
            "mama wa nyumbani",
            "mkulima",
            "binafsi",
            "hustler",
            "business",
            "farmer",
        ),
        *("عاطل", "عاطل عن العمل", "طالب", "طالبة", "ربة منزل", "عمل حر", "لا يعمل", "لا أعمل"),
    )
)
"""What people write in place of an employer's name."""
_DOTS = re.compile(r"(?<=\b\w)\.(?=\s*\w?\b)|\.")
_NO_WORD = re.compile(r"[\W_]+")


def company_name(text: str) -> str:
    """Return the one spelling of a company's name; empty where nothing but a legal form is there.

    Accents are dropped, since many people write names without them; the marks of kana and Hangul are letters.

    >>> company_name("㈱ひだまり商事") == company_name("株式会社 ひだまり商事")
    True
    >>> company_name("Example GmbH & Co. KG"), company_name("EXAMPLE, Inc."), company_name("Straße AG")
    ('example', 'example', 'strasse')
    >>> company_name("Itaú Unibanco S.A."), company_name("パナ") == company_name("バナ")
    ('itauunibanco', False)
    """
    bare = re.sub(r"\s+", " ", unaccented(text)).strip()
    while (shorter := _AROUND.sub("", bare).strip()) != bare:
        bare = shorter
    words = _NO_WORD.sub(" ", _DOTS.sub("", bare).replace("'", "")).split()
    n_words = len(words)
    while words:
        is_one = words[-1] in _LEGAL_WORDS or (words[-1] in _BEFORE_A_FORM and len(words) < n_words)
        several = (len(form) for form in _LEGAL_ENDS if tuple(words[-len(form) :]) == form)
        if not (ends := max(several, default=int(is_one))):
            break
        del words[-ends:]
    return "".join(words)


@lru_cache(maxsize=1)
def _no_employer() -> frozenset[str]:
    """Return the one spelling of each text that stands in place of an employer's name."""
    return frozenset(map(company_name, _NO_EMPLOYER))
