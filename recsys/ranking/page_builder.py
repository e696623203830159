"""Building pages: what a viewer may see of the people who were selected, with a signed receipt."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from recsys.messaging.icebreakers import icebreaker_kinds
from recsys.ranking.hot_reload import CurrentSnapshot
from recsys.ranking.response_and_receipt import Item, Offered, Page, Receipt
from recsys.ranking.serve_time_filter import Selection
from recsys.ranking.snapshot import Snapshot
from recsys.ranking.snapshot_rows import LISTED
from recsys.safety.keys import Keys

_RECORDED_LATER: Final = timedelta(hours=1)
"""How long after a page expired what was shown of it may still be recorded."""


class PageBuilder:
    """Turns rows into pages.

    valid_for: how long a page may be shown before it is asked for anew. receipts_last: how long after it was
    made what was shown of it may be recorded.
    """

    def __init__(self, keys: Keys, valid_for: timedelta) -> None:
        self._keys, self._valid_for = keys, valid_for
        self.receipts_last = valid_for + _RECORDED_LATER

    def page(
        self,
        use: CurrentSnapshot,
        viewer_id: str,
        items: tuple[Item, ...],
        selection: Selection,
        moment: datetime,
    ) -> Page:
        """Return a page with its receipt."""
        snapshot = use.snapshot
        offered = tuple(
            Offered(item.candidate_id, item.rank, chance)
            for item, chance in zip(items, selection.propensity, strict=True)
        )
        model = snapshot.version_for(int(snapshot.ids.find([viewer_id])[0]))
        end = moment + self.receipts_last
        receipt = Receipt(
            snapshot.run_id, model, viewer_id, moment.isoformat(), offered, expires_at=end.isoformat()
        )
        return Page(
            viewer_id=viewer_id,
            items=items,
            model_version=model,
            data_as_of=snapshot.data_as_of,
            staleness=max(moment - snapshot.data_as_of, timedelta(0)),
            degraded=use.degraded,
            receipt=receipt.signed(self._keys),
        )

    def items(
        self, snapshot: Snapshot, viewer_id: str, rows: Sequence[int], moment: datetime
    ) -> tuple[Item, ...]:
        """Return what the viewer may see of these people, by stage and reasons of the night."""
        if not rows:
            return ()
        viewer = snapshot.ids.find([viewer_id])[0]
        stages = snapshot.stages.of(viewer, rows)
        return self.items_with_reasons(
            snapshot, viewer_id, rows, snapshot.reason_codes(viewer, rows, stages), moment, stages
        )

    def items_with_reasons(  # noqa: PLR0917
        self,
        snapshot: Snapshot,
        viewer_id: str,
        rows: Sequence[int],
        reasons: Sequence[Sequence[str]],
        moment: datetime,
        stages: Sequence[str] | None = None,
    ) -> tuple[Item, ...]:
        """Return the same with given reasons; people without a history are listed."""
        return self.items_of(snapshot, viewer_id, snapshot.ids.at(rows), reasons, moment, stages)

    def items_of(  # noqa: PLR0917
        self,
        snapshot: Snapshot,
        viewer_id: str,
        candidates: Sequence[str],
        reasons: Sequence[Sequence[str]],
        moment: datetime,
        stages: Sequence[str] | None = None,
    ) -> tuple[Item, ...]:
        """Return the same of people named by their ids."""
        expires = moment + self._valid_for
        stages = [LISTED] * len(candidates) if stages is None else stages
        kinds = icebreaker_kinds(viewer_id, candidates, reasons, stages, catalogue=snapshot.catalogue)
        return tuple(
            Item(
                candidate_id=candidate,
                rank=rank,
                reasons=tuple(codes),
                stage=stage,
                icebreaker_kind=kind,
                expires_at=expires,
            )
            for rank, (candidate, codes, stage, kind) in enumerate(
                zip(candidates, reasons, stages, kinds, strict=True), start=1
            )
        )
