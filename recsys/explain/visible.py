"""Which reasons a stage may show."""

from collections.abc import Iterable

from recsys.schema.catalogue import load_catalogue


def kind_of(code: str) -> str:
    """Return the kind of a reason code.

    >>> kind_of("interest:photography"), kind_of("near")
    ('interest', 'near')
    """
    return code.partition(":")[0]


def visible_reasons(codes: Iterable[str], stage: str) -> list[str]:
    """Return the reason codes that may be shown at a stage, in their order.

    Raises InputError for an unknown stage.

    >>> visible_reasons(["interest:photography", "near"], "matched"), visible_reasons(["near"], "closed")
    (['interest:photography', 'near'], [])
    """
    stages = load_catalogue().stages
    stages.code(stage)
    shown = stages.reasons[stage]
    return [code for code in codes if kind_of(code) in shown]
