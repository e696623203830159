"""Words for types of events and states that are not of the tables: what each may mean at worst.

The words of the tables mean what they say. Any other restricts when a part of it does, whatever stands beside
it: `Blocked_User` keeps two people apart, `profilePaused` takes its actor out of sight, and so does
`banned_until_return`; the parts are in `restricting_words`. A word in letters that cannot be read may mean
anything, and restricts. A closed list of whole words restricts nobody: those that take a restriction back,
and those of exactly one thing that is no account and what was done with it, such as `leave_group`.
"""

import re
from functools import lru_cache
from typing import Final

from recsys.catalogue.text_folding import fold, plain
from recsys.data.restricting_words import (
    BANS_IN_KANA,
    LEAVES,
    OF_AN_ACCOUNT,
    PAUSES,
    SEPARATES,
    STOPS,
    UNREAD,
    letters,
)

SAFETY_EVENTS: Final = ("block", "report", "end", "money_request", "off_platform_request", "hide")
"""Types of events that keep two people apart."""
SAFETY_TYPES: Final = tuple(fold(word) for word in SAFETY_EVENTS)
PAUSE: Final = "pause"
LEAVE: Final = "leave"
STOP: Final = "stop"
"""Why such a word takes somebody out of sight; see `may_stop`."""
LONGEST_TYPE: Final = 1024
"""Characters of a type that are read; what is longer cannot be read whole, and may mean anything."""
_LONGEST_REPEATED: Final = 64
_LONGEST_WHOLE: Final = 12
_UNREADABLE: Final = " \u1200"
"""A letter of no script of which a word is known, see `UNREAD`."""


_NO_WORD: Final = re.compile(r"\d*|\(.*", re.DOTALL)
"""A number or nothing may mean anything between two people."""
_PARTING: Final = (SEPARATES, STOPS, BANS_IN_KANA, UNREAD)
"""What keeps two apart: also what others do to somebody, which one does to the other where two are named."""
_STOPPING: Final = ((STOP, STOPS), (STOP, BANS_IN_KANA), (STOP, UNREAD), (LEAVE, LEAVES), (PAUSE, PAUSES))

_APART: Final = (
    "ad|app|application|banner|call|card|chat|dialog|game|group|menu|page|popup|room|screen|session|tab|"
    "window"
)
_CONTENT: Final = (
    "bookmark|comment|draft|favorite|filter|image|interest|item|like|message|music|photo|picture|post|review|"
    "story|tag|upload|video"
)
_NOTICES: Final = "alert|email|mail|newsletter|notification|push|reminder|sms|sound"
_DONE: Final = (
    "close|closed|leave|left|quit|cancel|cancell?ed|pause|paused|h[eo]ld|lock|locked|delete|deleted|withdrawn"
)


def _either_way(done: str, things: str) -> str:
    return f"({done}) ({things})s?|({things})s? ({done})"


def _in_japanese(things: str, done: str) -> str:
    words = ("|".join(map(letters, one.split())) for one in (things, done))
    return "({})(を|の|から)?({})(した|済み?)?".format(*words)


_OF_NO_ACCOUNT: Final = (
    _either_way(_DONE, f"{_APART}|{_CONTENT}|{_NOTICES}"),
    _either_way("remove|removed|hide|hidden", _CONTENT),
    _either_way("block|blocked|disable|disabled|hide|hidden|mute|muted|snooze|snoozed", _NOTICES),
    _either_way(
        "decline|declined|dismiss|dismissed|end|ended|ending",
        f"{_APART}|{_CONTENT}|{_NOTICES}|hint|invitation|invite|meeting|suggestion|tip|tour|trial",
    ),
    "swipe left|time left|report bug|bug report|crash report|feature flag",
    _in_japanese("通話 電話 ビデオ 動画 チャット セッション 再生 予定 イベント 会議", "終了"),
    "(llamada|chamada|chiamata|appel|anruf|videollamada|videochiamata|sesion|sessao|sessione|chat) "
    r"(finaliz|termin|encerr|beend|cerrad|chius)\w*",
    "cache clear(ed)?",
    "(통화|영상|채팅|세션|재생) ?종료|(通话|通話|聊天|会话|會話|视频|視頻)(结束|結束)",
    _in_japanese(
        "メッセージ 写真 画像 動画 コメント 下書き 投稿 いいね レビュー お気に入り",
        "削除 消去 非表示 取り?消し?",
    ),
    _in_japanese("グループ チャット ルーム", "退会 脱退 退室 退出"),
    _in_japanese("通知 お知らせ メール 音 音楽 動画 再生 画面", "(一時)?停止 休止 非表示 拒否 ロック"),
    "休日(設定)?|定休日|休憩|禁煙|禁酒",
)
"""A thing that is no account, and what was done with it."""
_NOUN: Final = "ban|block|complaint|flag|freeze|hide|hold|lock|mute|pause|report|restriction|suspension"
_WHOSE: Final = "account|member|profile|user"
_UN: Final = (
    "un ?(ban|banned|block|blocked|delete|deleted|disable|disabled|flag|flagged|freeze|frozen|hide|hidden|"
    "hold|held|lock|locked|mute|muted|pause|paused|remove|removed|restrict|restricted|snooze|suspend|suspended)"
)
_IN_LISTS: Final = "ブロック 通報 報告 非表示 拒否 禁止 停止 利用停止 一時停止 凍結 休止 休会"
_TAKEN_BACK: Final = (
    f"(({_WHOSE}) ?)?{_UN}( ?({_WHOSE}))?",
    f"({_NOUN})s? (was )?(lifted|retracted|undone|withdrawn)|lift(ed)? ({_NOUN})",
    _in_japanese(_IN_LISTS, "解除 取り?消し? 取り?下げ 撤回"),
    "解(封|禁)|取消(封禁|屏蔽|拉黑|举报)|(차단|정지|제재|제한|신고)(을|를)? ?(해제|취소|철회)",
    r"(entsperr|entbann|desbloque|debloqu|sblocc|desban)\w*",
    f"(blocked|hidden|muted|reported) (({_WHOSE}|people)s? )?(list|page) (opened|seen|viewed)",
    _in_japanese(f"{_IN_LISTS} ブロックした人", "(の)?(一覧|リスト)(を|の)?(表示|閲覧|開いた|見た)"),
)
"""That a restriction was taken back, or that somebody looked at their own."""
_RESTRICTS_NOBODY: Final = re.compile("|".join((*_OF_NO_ACCOUNT, *_TAKEN_BACK)))
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _parted(word: str) -> str:
    """Return a word of a source as its parts with blanks between them, also where capitals part it."""
    text = plain(word)
    return _letters(text[:LONGEST_TYPE]) + _UNREADABLE * (len(text) > LONGEST_TYPE)


@lru_cache(maxsize=1 << 12)
def _letters(text: str) -> str:
    return letters(_CAPITAL.sub(" ", text))


def may_separate(word: str) -> bool:
    """Say whether a word for a type of event that is not of the tables may be one that separates.

    >>> [may_separate(word) for word in ("blocked", "unblocked", "block_lifted", "unblockedThenReported")]
    [True, False, False, True]
    """
    kind = _parted(word)
    if kind and _RESTRICTS_NOBODY.fullmatch(kind):
        return False
    if _NO_WORD.fullmatch(kind) or any(parts.search(kind) for parts in _PARTING):
        return True
    return any(_is_slip(kind, word) for word in SAFETY_TYPES)


def _is_slip(word: str, of: str) -> bool:
    """Say whether a word is another with two letters in each other's place, one inside it missing or doubled.

    Another letter makes another word: `repost` is no report, and `send` no end.
    """
    inside = range(1, len(of) - 1)
    missing = {of[:at] + of[at + 1 :] for at in inside}
    doubled = {of[:at] + of[at] + of[at:] for at in range(len(of))}
    turned = {of[:at] + of[at + 1] + of[at] + of[at + 2 :] for at in range(len(of) - 1)}
    return len(of) > 3 and word in missing | doubled | turned


def may_stop(word: str, *, alone: bool = True) -> str | None:
    """Return why a word for a type of event may take its actor out of sight; None when it does not.

    That is a stop by others, somebody who leaves, or a pause, the gravest that a part of the word says; the
    words of an erasure are of those who leave. alone: nobody else is named beside them.

    >>> may_stop("paused"), may_stop("withdraw"), may_stop("banned"), may_stop("ban_lifted"), may_stop("lke")
    ('pause', 'leave', 'stop', None, None)
    >>> may_stop("paused_then_banned"), may_stop("paused_until_return"), may_stop("leave_group")
    ('stop', 'pause', None)
    >>> may_stop("account_blocked"), may_stop("account_blocked", alone=False)
    ('stop', None)
    """
    kind = _parted(word)
    if _RESTRICTS_NOBODY.fullmatch(kind):
        return None
    if alone and OF_AN_ACCOUNT.search(kind):
        return STOP
    return next((why for why, parts in _STOPPING if parts.search(kind)), None)


def may_restrict(word: str, *, alone: bool | None = None) -> bool:
    """Say whether a word that is not of the tables may restrict somebody.

    alone: whether it stands beside one person (True) or two (False); None where that is not known.

    >>> [word for word in ("login", "banned_again", "unblocked") if may_restrict(word)]
    ['banned_again']
    """
    return (alone is not True and may_separate(word)) or (alone is not False and may_stop(word) is not None)


_PLAIN: Final = re.compile(r"[^\W\d]+(?:-[^\W\d]+){0,5}")
_WITHOUT_BLANKS: Final = re.compile(r"[\u0e00-\U0010ffff]")
"""Letters of scripts in which a sentence may stand without blanks; a word of them is of twelve at most."""


def repeated(word: str) -> str:
    """Return a word as a message may repeat it: one of letters alone, for it may be anything that was sent.

    >>> repeated("banned_again"), repeated("a@example.com"), repeated("he hit me")
    ("'banned_again'", 'a type that is no word', 'a type that is no word')
    """
    longest = _LONGEST_WHOLE if _WITHOUT_BLANKS.search(word) else _LONGEST_REPEATED
    is_word = len(word) <= longest and _PLAIN.fullmatch(word)
    return f"'{word}'" if is_word else "a type that is no word"
