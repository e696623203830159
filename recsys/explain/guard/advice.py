"""What to say to the writer about a finding."""

from recsys.errors import InputError, did_you_mean, explained
from recsys.explain.guard.finding import KINDS
from recsys.explain.guard.rules import load_rules
from recsys.schema.catalogue import load_catalogue
from recsys.schema.catalogue.entries import Language


def advice(kind: str, lang: Language = "ja", *, support: str) -> str:
    """Return what to say to the writer; distress is answered with the support contact.

    support: how to reach the people of the service, in words.
    Raises InputError for an unknown kind.

    >>> advice("money", "en", support="support@example.org")
    'Please keep money, loans and investments out of it, for the peace of both.'
    """
    if kind not in KINDS:
        raise InputError(explained("unknown kind", got=kind, remedy=did_you_mean(kind, KINDS)))
    if kind == "distress":
        return load_catalogue().steps.checks["distress"].text(lang).format(contact=support)
    return load_rules().advice[kind].text(lang)
