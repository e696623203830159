"""Words nobody knows: what restricts by its real words does so in whatever company, and nothing else does.

Planted and seen caught: a negation that takes the whole word away, parts that are looked for after it alone.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.text_folding import fold
from recsys.data.unknown_words import may_separate, may_stop

SEPARATING = (
    *("block", "blocked", "Blocked_User", "user_reported", "harassment", "abuse", "stalking"),
    *("mute", "muted", "flagged", "hidden", "hide", "ban", "banned", "unmatch", "unmatched", "restricted"),
    *(
        "suspended",
        "suspension",
        "rebanned",
        "hide_event",
        "removed",
        "kicked",
        "scam",
        "fraud",
        "spam",
        "avoid",
        "ignored",
        "rejected",
        "refused",
    ),
    *("no_contact", "money", "off_platform", "complaint", "threatened", "block_removed", "report_reviewed"),
    *(
        "ブロック",
        "ブロックした",
        "通報",
        "報告",
        "非表示",
        "迷惑行為",
        "拒否",
        "利用停止",
        "凍結",
        "つきまとい",
    ),
)
STOPPING = (
    *("pause", "paused", "profile_paused", "snooze", "deactivated", "hidden", "on_break", "休会", "非公開"),
    *(
        "leave",
        "left",
        "quit",
        "withdrawn",
        "delete_account",
        "deleted",
        "erase_me",
        "forget",
        "close_account",
    ),
    *("cancel", "resigned", "cancel_subscription", "退会", "脱退", "アカウント削除", "解約"),
    *(
        "ban",
        "banned",
        "ban_user",
        "baneado",
        "banido",
        "banni",
        "bannie",
        "banning",
        "hold",
        "on_hold",
        "held",
    ),
    *(
        "suspended",
        "frozen",
        "locked",
        "disabled",
        "terminated",
        "removed",
        "expelled",
        "利用停止",
        "凍結",
        "追放",
    ),
    *("rebanned", "shadowban", "permabanned", "relocked", "suspension", "pause_event", "leave_event"),
    *("hold_event", "垢バン", "垢BAN", "出禁", "除名", "アカウント閉鎖", "アカウントロック", "無効化"),
)
NOT_SEPARATING = (
    *("unhide", "unblock_user", "unblocked", "unmuted", "block_lifted", "blocks lifted", "report_withdrawn"),
    *("report_was_retracted", "blocked_list_viewed", "hidden_people_page_opened", "blocked_users_list_seen"),
    *(
        "banner_seen",
        "report_bug",
        "bug_report",
        "block_ads",
        "feature_flag_read",
        "ブロック解除",
        "通報の取り消し",
    ),
    *("通報取り下げ", "非表示を解除", "ブロックリスト表示", "ブロックした人の一覧を見た"),
)
NOT_STOPPING = (
    *("banner_seen", "banner", "bank_opened", "bandwidth", "holdings", "close_app", "closed_the_page"),
    *("chat_closed", "app_closed", "session was closed", "message_deleted", "photo_removed", "group_left"),
    *("notifications_paused", "push_disabled", "screen_locked", "leave_app", "quit_app", "left_comment"),
    *("leave_review", "event_cancelled", "remove_filter", "like_removed"),
    *("button_held", "hold_button", "closed_captions", "メッセージ削除", "写真を削除した", "グループ退会"),
    *("通知停止", "メールの拒否", "休日設定", "定休日", "休憩"),
    *("leave_group", "left chat", "leave_room", "delete_message", "removed_photo", "pause_notifications"),
    *(
        "lock_screen_shown",
        "lockers",
        "cancelled_draft",
        "unban",
        "ban_lifted",
        "hold_lifted",
        "resume",
        "login",
    ),
    *("pause_resumed", "back_from_break", "returned_from_pause", "account_restored_after_ban", "lift_ban"),
    *("banner_closed", "close_banner", "swipe_left", "video_paused", "pause_video", "closeness_question"),
    *("bookmark_removed", "remove_favorite", "cancel_upload", "close_ad", "call_held", "like_withdrawn"),
    *("session_terminated", "message_held", "time_left", "動画停止", "再生の一時停止", "画面ロック"),
    *("report_withdrawn", "unpaused_by_timer", "利用停止解除", "停止から復帰", "休会復帰", "凍結を解除した"),
)
COMPANY = ("", "user", "by moderator", "account", "2", "seen", "list", "from app", "member of group")


@pytest.mark.parametrize("word", NOT_SEPARATING)
def test_what_was_taken_back_or_looked_at_separates_nobody(word: str) -> None:
    """Seen to fail: each of them kept two people apart for good."""
    assert not may_separate(fold(word))


@pytest.mark.parametrize("word", NOT_STOPPING)
def test_what_is_said_of_something_else_takes_nobody_out(word: str) -> None:
    """Seen to fail: a banner that was seen, and a group that somebody left."""
    assert may_stop(fold(word)) is None


@given(st.sampled_from(COMPANY), st.sampled_from(SEPARATING), st.sampled_from((*COMPANY, *NOT_SEPARATING)))
def test_a_word_that_separates_does_so_in_whatever_company(before: str, word: str, behind: str) -> None:
    for said in (word, f"{before} {word}", f"{word} | {behind}", f"{behind} | {word}"):
        assert may_separate(fold(said)), said


@given(st.sampled_from(COMPANY), st.sampled_from(STOPPING), st.sampled_from((*COMPANY, *NOT_STOPPING)))
def test_a_word_that_stops_does_so_in_whatever_company(before: str, word: str, behind: str) -> None:
    for said in (word, f"{before} {word}", f"{word} | {behind}", f"{behind} | {word}"):
        assert may_stop(fold(said)), said


AFTER = (
    *("for underage", "until review", "unpaid", "unhappy", "unused", "uncle", "permanent no return"),
    *(
        "pending return",
        "no lift",
        "not lifted",
        "lift denied",
        "lift requested",
        "until resumed",
        "unverified",
    ),
    *(
        "returned user",
        "returning offender",
        "returns monday",
        "for return",
        "can be restored",
        "then restored",
    ),
    *("lift date 2027", "lifts in may", "reinstated", "resumes later", "unlock code sent", "unban requested"),
)
AFTER_IN_JAPANESE = (
    "解除不可",
    "（解除不可）",
    "解除待ち",
    "解除の取り消し",
    "解除前",
    "復活不可",
    "復帰できない",
    "（復帰予定）",
    "解除日未定",
    "（再開未定）",
)


@given(st.sampled_from(STOPPING), st.sampled_from((*AFTER, *AFTER_IN_JAPANESE)))
def test_what_has_not_brought_somebody_back_leaves_them_out(word: str, behind: str) -> None:
    """Seen to fail: `banned_for_underage` by the letters of un-, `suspended_returns_monday` by its return."""
    for said in (f"{word} {behind}", f"{word}_{behind.replace(' ', '_')}"):
        assert may_stop(fold(said)), said


@pytest.mark.parametrize("word", ["ブロック解除取消", "凍結解除待ち", "unblock_denied", "block_not_lifted"])
def test_what_was_not_taken_back_separates(word: str) -> None:
    assert may_separate(fold(word))
