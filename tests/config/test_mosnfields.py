"""Tests of `mosntx.config.mosnfields`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.fields import classSpec
from mosntx.config.mosnfields import (
    DIFFERENCES,
    DIFFERS,
    NEEDS,
    NOT_BUILT,
    OWN,
    SECTIONS,
    WORKS,
    mosnFieldsRst,
    rows,
)
from mosntx.config.names import FEATURES, Names
from mosntx.config.schema import Cluster, HashCookie, Match, RetryPolicy, Route
from mosntx.config.schema.base import IGNORED

CLASSES = [cls for _, classes in SECTIONS for cls in classes]


class MosnFieldsTests(SynchronousTestCase):
    """The tables of MOSN's keys."""

    def verdicts(self, cls: type, names: Names | None = None) -> dict[str, list[str]]:
        return {key: found for key, *found in rows(cls, names or Names.everything())}

    def test_everyKey(self) -> None:
        """Each key of each class has a row, and all but those that simply work say more."""
        text = mosnFieldsRst(Names.everything())
        for cls in CLASSES:
            found = self.verdicts(cls)
            spec = classSpec(cls)
            self.assertEqual(set(found), {field.key for field in spec.fields} | set(spec.ignored))
            for key, (status, note) in found.items():
                self.assertIn(f"``{key}``\n     - {status}\n", text)
                self.assertEqual(status == WORKS, not note, (cls.__name__, key))

    def test_kinds(self) -> None:
        """One of each kind."""
        self.assertEqual(self.verdicts(RetryPolicy)["status_codes"], [WORKS, ""])
        status, note = self.verdicts(RetryPolicy)["num_retries"]
        self.assertEqual((status, note[:10]), (DIFFERS, "As written"))
        self.assertEqual(self.verdicts(Match)["cookies"][0], OWN)
        self.assertEqual(self.verdicts(Cluster)["outlier_detection"][0], OWN)
        self.assertNotIn(OWN, self.verdicts(RetryPolicy)["back_off"][1])
        self.assertEqual(self.verdicts(HashCookie)["ttl"][0], IGNORED)
        self.assertEqual(self.verdicts(Route)["decorator"], [IGNORED, "Never had an effect."])

    def test_notBuilt(self) -> None:
        """What a build cannot do is said, whatever would differ."""
        found = self.verdicts(Cluster, Names())
        self.assertEqual(found["lb_subset_config"], [NOT_BUILT, f"Needs {FEATURES['subset']}."])
        self.assertEqual(found["tls_context"][0], NOT_BUILT)
        self.assertEqual(self.verdicts(Cluster)["tls_context"][0], WORKS)

    def test_noneOfThePast(self) -> None:
        """Each difference is of a key that there is, in a class that is shown."""
        for table in (DIFFERENCES, NEEDS):
            for cls, keys in table.items():
                self.assertIn(cls, CLASSES)
                self.assertLessEqual(set(keys), {field.key for field in classSpec(cls).fields})
