"""Every gate, constraint and condition has words on the page."""

from recsys.catalogue import load_catalogue
from recsys.constraints.policy import Policy
from recsys.pipeline.gates import GATES, Level
from recsys.settings import PlatformDeclaration
from recsys.storage.manifest import MadeFrom

TEXTS = load_catalogue().texts


def test_every_constraint_has_a_name_and_a_refusal():
    for name in Policy.default().names:
        assert f"constraint.{name}" in TEXTS
        assert f"funnel.{name}" in TEXTS


def test_every_gate_and_level_has_a_name():
    for gate in GATES:
        assert f"gate.{gate.__name__}" in TEXTS
    for level in Level:
        assert f"gate.{level.name}" in TEXTS
        assert f"report.status_{level.name}_note" in TEXTS


def test_every_platform_condition_is_in_words():
    for condition in PlatformDeclaration.conditions():
        assert f"platform.{condition}" in TEXTS


def test_every_id_of_a_manifest_has_a_name():
    for name in MadeFrom.model_fields:
        assert f"report.origin_{name}" in TEXTS
