"""What an operator may see of a pair, and a member never may."""

from dataclasses import dataclass

import numpy as np

from recsys.models.directed import sigmoid
from recsys.ranking.snapshot import Served
from recsys.safety.store import Standing


@dataclass(frozen=True, slots=True)
class PairView:
    """Why one person is, or is not, on another's page; for operators.

    known, listed:   whether the publication holds both, and lists both.
    allowed:         whether its rules let the viewer see the candidate; `recsys why-not` names the rules.
    viewer_out, out: whether safety takes the viewer, or the candidate for this viewer, out now.
    stage:           how far the pair had come that night. tonight: the place on the list of the night.
    p_like, p_liked_back: the model's probabilities in [0, 1]. None of what is not known.
    """

    run_id: str
    known: bool
    listed: bool
    allowed: bool
    viewer_out: bool
    out: bool
    stage: str | None
    tonight: int | None
    p_like: float | None
    p_liked_back: float | None
    reasons: tuple[str, ...]


def pair_view(served: Served, viewer_id: str, candidate_id: str, standing: Standing) -> PairView:
    """Look at a pair of the publication, whatever the rules say of it."""
    viewer, candidate = served.ids.find([viewer_id, candidate_id])
    known, live = min(viewer, candidate) >= 0, served.live
    listed = known and live.is_listed(viewer) and live.is_listed(candidate)
    stage = served.stages.of(viewer, [candidate])[0] if listed else None
    at = np.flatnonzero(served.tonight(viewer).rows == candidate) if known else np.zeros(0, int)
    like, back = _probabilities(served, viewer, candidate) if listed else (None, None)
    return PairView(
        run_id=served.run_id,
        known=known,
        listed=listed,
        allowed=bool(listed and served.may_show(viewer, [candidate])[0]),
        viewer_out=standing.viewer_out,
        out=candidate_id in standing.out,
        stage=stage,
        tonight=int(at[0]) + 1 if len(at) else None,
        p_like=like,
        p_liked_back=back,
        reasons=() if stage is None else tuple(served.reason_codes(viewer, [candidate], [stage])[0]),
    )


def _probabilities(served: Served, viewer: int, candidate: int) -> tuple[float, float]:
    people = served.live.layout.people
    i, j = served.live.layout.position[[viewer, candidate]]
    near = float(people.near[people.place[i], people.place[j]])
    logits = [
        float(people.taste[a].astype(np.float64) @ people.appeal[b].astype(np.float64)) + near
        for a, b in ((i, j), (j, i))
    ]
    like, back = sigmoid(np.array(logits)).tolist()
    return like, back
