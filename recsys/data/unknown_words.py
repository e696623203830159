"""Words for types of events and states that nobody knows: what each may mean at worst.

A word restricts by its parts, in several languages: `Blocked_User` keeps two people apart, `profile_paused`
takes its actor out of sight. What is said of something else, such as a banner or leaving a group, and what
tells that a restriction was taken back or looked at, restricts nobody.
"""

import re
from difflib import get_close_matches
from typing import Final

from recsys.catalogue.text_folding import fold

SAFETY_EVENTS: Final = ("block", "report", "end", "money_request", "off_platform_request", "hide")
"""Types of events that keep two people apart."""
SAFETY_TYPES: Final = tuple(fold(word) for word in SAFETY_EVENTS)
_SAFETY_STEMS: Final = re.compile(
    "block|report|abus|harass|unsafe|threat|stalk|flag|mute|hid|money|off platform|complain|no contact|"
    r"\bban|\bunmatch|\brestrict|\bsuspend|\bremov|\bkick|\bscam|\bfraud|\bspam|\bavoid|\bignor|\breject|\brefus|"
    r"^\d*$|^\(|通報|報告|非表示|迷惑|嫌がらせ|苦情|拒否|禁止|停止|凍結|詐欺|脅|"
    + fold("ブロック|つきまとい")
)
"""Parts of a word for a type of event that is not known and may keep two people apart; a number or nothing
may mean anything."""
_PAUSES: Final = re.compile(r"\b(paus|snooz|inactiv|deactiv|hid|invisib|on break)|休|非表示|非公開")
_LEAVES: Final = re.compile(
    r"\b(leav|left(?![a-z])|quit|withdr|delet|eras|forget|close|cancel|resign)|退会|脱退|削除|解約|消去"
)
_STOPS: Final = re.compile(
    r"\b(ban|hold|held|suspend|fr[eo]ez|frozen|lock|disabl|terminat|remov|expel)|停止|凍結|禁止|追放"
)
_FREES: Final = re.compile(
    r"\bun ?(ban|block|delet|disabl|fr[eo]ez|froz|h[eo]ld|hid|lock|paus|remov|restrict|snooz|suspen)\w*"
    r"|\b(lift|return)(s|ed|ing)?\b|\b(resum|restor)(e|es|ed|ing)\b|\bre ?(activat|instat)\w*"
    r"|解除|再開|復帰|復活"
)
"""Parts of a word for a type of event that is not known and takes its actor out of sight, or brings them
back."""
_NOT_YET: Final = re.compile(
    r"(?<![a-z])(no|not|never|non|without|cannot|until|till|before|pending|denied|undone)(?![a-z])"
    r"|(?<![a-z])(appeal|await|cancel|declin|fail|refus|reject|request)\w*"
    "|(?:解除|再開|復帰|復活)(?:の|を|は)?(?:不可|なし|無し|待ち|前|まで|取り?消|拒否|失敗|申請|でき(?:ない|ず))"
)
"""Beside words that bring somebody back: that it has not happened."""
PAUSE: Final = "pause"
LEAVE: Final = "leave"
STOP: Final = "stop"
"""Why such a word takes somebody out of sight; see `may_stop`."""
_OF_SCREENS: Final = "chat|dialog|menu|modal|page|popup|room|screen|session|tab|window"
_OF_CONTENT: Final = "comment|draft|filter|image|like|message|photo|picture|post|reaction|review|story|video"
_OF_PLANS: Final = "appointment|booking|event|meeting|order|payment"
_OF_NOTICES: Final = "alert|e mail|email|mail|music|newsletter|notification|push|reminder|sms|sound"
_WHOSE: Final = "(a |all |an |my |the )?"
_WAS: Final = "((is|was|are|were|has been|have been) )?"
_IN_JAPANESE: Final = "|".join(
    f"({'|'.join(map(fold, things))})({'|'.join(between)})?({'|'.join(map(fold, done))})(した|済み?)?"
    for things, between, done in (
        (
            ("メッセージ", "写真", "画像", "動画", "コメント", "下書き", "投稿", "いいね", "レビュー"),
            ("を", "の"),
            ("削除", "消去", "非表示", "取り?消し?"),
        ),
        (("グループ", "チャット", "ルーム"), ("を", "から", "の"), ("退会", "脱退", "退室", "退出")),
        (("通知", "お知らせ", "メール", "音"), ("を", "の"), ("停止", "休止", "非表示", "拒否")),
    )
)
_OF_SOMETHING_ELSE: Final = re.compile(
    r"\bbanner\w*|\bbank(s|ing)?\b|\bbands?\b|\bbandwidth\b|\bholdings\b|\bholders?\b"
    r"|\block ?screen\w*|\blockers?\b"
    r"|\bbuttons? h[eo]ld\b|\bh[eo]ld (the )?(button|hand)s?\b|\bclosed captions?\b"
    rf"|\bclos(e|ed|es|ing) {_WHOSE}({_OF_SCREENS}|app|application)s?\b"
    rf"|\b({_OF_SCREENS}|group)s? {_WAS}(closed|left|locked|quit)\b|\b(app|application) {_WAS}closed\b"
    rf"|\b(leav(e|es|ing)|left|quit) {_WHOSE}({_OF_SCREENS}|{_OF_CONTENT}|app|application|group)s?\b"
    rf"|\b(cancel(l?ed)?|delet(e|ed)|hid(e|den)?|remov(e|ed)) {_WHOSE}({_OF_CONTENT}|{_OF_PLANS})s?\b"
    rf"|\b({_OF_CONTENT}|{_OF_PLANS})s? {_WAS}(cancel(l?ed)?|closed|deleted|hidden|removed)\b"
    rf"|\b(block(ed)?|disable(d)?|hid(e|den)?|mute(d)?|pause(d)?|snooze(d)?) {_WHOSE}({_OF_NOTICES}|ad)s?\b"
    rf"|\b({_OF_NOTICES}|ad)s? {_WAS}(blocked|disabled|hidden|muted|paused|snoozed)\b"
    rf"|{_IN_JAPANESE}|休日|定休日|休憩"
    r"|\bfeature flag\w*|\b(bug|crash) report(ed|s)?\b|\breport(ed)? (a |the )?(bug|crash)\b"
)
"""Words that hold a part of a restriction and are said of something else than a member."""
_OF_SOMEBODY: Final = re.compile("account|member|profile|user")
_STEM: Final = r"(ban|block|complaint|flag|hid|hide|mute|report|restriction|suspension)(s|d|ed|ned|den)?"
_JAPANESE: Final = "|".join(map(fold, ("ブロック", "通報", "報告", "非表示", "拒否", "禁止", "停止", "凍結")))
_LISTS: Final = "|".join(map(fold, ("一覧", "画面", "設定", "リスト", "ページ")))
_UNDONE: Final = re.compile(
    r"\bun ?(ban(ned)?|block(ed)?|flag(ged)?|hid(e|den)?|mute(d)?|restrict(ed)?|suspend(ed)?)\b"
    rf"|\b{_STEM} (has been |is |was )?(lifted|retracted|undone|withdrawn)\b"
    rf"|\b{_STEM} (accounts? |members? |people |profiles? |users? )?(list|page|screen|settings?|tab) "
    r"(opened|seen|shown|viewed)\b"
    rf"|({_JAPANESE})(の|を)?(解除|取り?消し?|取り?下げ|撤回)(した|済み?)?"
    rf"|({_JAPANESE})(した人)?(の)?({_LISTS})(を|の)?(表示|閲覧|開いた|見た)"
)
"""Words that tell that a restriction was taken back, or that somebody looked at restrictions."""


def may_separate(kind: str) -> bool:
    """Say whether a folded word for a type of event that is not known may be one that separates.

    >>> [may_separate(word) for word in ("blocked", "unblocked", "block lifted", "unblocked reported")]
    [True, False, False, True]
    """
    left = _of_members(kind if _NOT_YET.search(kind) else _without(kind, _UNDONE))
    if kind and not left:
        return False
    return bool(_SAFETY_STEMS.search(left)) or bool(get_close_matches(left, SAFETY_TYPES, 1, 0.75))


def may_stop(kind: str) -> str | None:
    """Return why a folded word for a type of event may take its actor out of sight; None when it does not.

    That is a pause, somebody who leaves, or a stop by others; the words of an erasure are of those who leave.

    >>> may_stop("paused"), may_stop("withdraw"), may_stop("banned"), may_stop("ban lifted"), may_stop("lke")
    ('pause', 'leave', 'stop', None, None)
    >>> may_stop("banned for underage"), may_stop("paused until monday"), may_stop("ban not lifted")
    ('stop', 'pause', 'stop')
    >>> may_stop("banner seen"), may_stop("leave group"), may_stop("leave group and delete account")
    (None, None, 'leave')
    """
    if _FREES.search(kind) and not _NOT_YET.search(kind):
        return None
    words, left = {PAUSE: _PAUSES, LEAVE: _LEAVES, STOP: _STOPS}, _of_members(kind)
    return next((why for why, parts in words.items() if parts.search(left)), None)


def _of_members(kind: str) -> str:
    """Return what a word says of members: the whole where it names one."""
    return kind if _OF_SOMEBODY.search(kind) else _without(kind, _OF_SOMETHING_ELSE)


def _without(kind: str, parts: re.Pattern[str]) -> str:
    return " ".join(parts.sub(" ", kind).split()) if parts.search(kind) else kind
