"""The inbox: who likes a viewer and may be seen by them, best first by the chance of an answer."""

import numpy as np

from recsys.ranking.serve_time_filter import NOBODY, SafetyQuestion, Selection
from recsys.ranking.snapshot import Snapshot
from recsys.ranking.viewer_day import ViewerDay


def select_inbox(
    snapshot: Snapshot, ask: SafetyQuestion, viewer_id: str, k: int, day: ViewerDay
) -> Selection:
    """Return at most `k` people who like the viewer, whom the viewer may see and has not answered.

    Likes of the night and of the day count, those taken back since do not. Rules are checked as for a page;
    who shows themselves only to people they liked is shown. The order is the chance that the viewer likes the
    person who is looked at, so it says nothing that is not the viewer's own.
    """
    row = snapshot.ids.find([viewer_id])[0]
    taken_back = {other for other, kind in day.received.items() if kind != "like"}
    of_night = snapshot.ids.at(snapshot.liked_by(row).tolist())
    ids = list(dict.fromkeys([*of_night, *sorted(day.liked_by)]))
    answered = {*snapshot.ids.at(snapshot.liked(row).tolist()), *day.decided} - {
        other for other, kind in day.decided.items() if kind == "undo"
    }
    out = taken_back | answered | day.apart
    ids = [one for one in ids if one not in out]
    rows = np.array(snapshot.ids.find(ids), np.int32)
    exclusions = ask(viewer_id, ids)
    if row < 0 or exclusions.viewer_excluded:
        return NOBODY
    shown = np.zeros(len(rows), bool)
    known = rows >= 0
    shown[known] = snapshot.may_show(row, rows[known], likes_viewer=True)
    shown &= ~np.array([one in exclusions.excluded for one in ids], bool)
    rows = rows[shown]
    if not len(rows):
        return NOBODY
    best = np.lexsort((rows, -snapshot.live.likes_back(row, rows)))[:k]
    return Selection(rows[best].tolist(), [1.0] * len(best), live=False)
