"""Tests of `mosntx.config.load`: the loading rules L1 to L16 of spec/config.md."""

from __future__ import annotations

import json
import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.load import loadText
from tests.config import samples
from tests.config.allkeys import ALL_KEYS_JSON, ALL_KEYS_YAML
from tests.config.samples import (
    EVERYTHING,
    SMALL_BUILD,
    found,
    load,
    minimal,
    problemsOf,
)


class LoadingRuleTests(SynchronousTestCase):
    """The rules of spec/config.md section 1."""

    def test_L1_formatByName(self) -> None:
        """YAML by its suffix, and YAML in files of any name when it is no JSON."""
        text = ALL_KEYS_YAML
        for name in ("a.yaml", "a.YML", "a", "a.conf"):
            self.assertEqual(loadText(text, name, EVERYTHING).config.mode, "mix")
        self.assertEqual(loadText(text, "a.json", EVERYTHING, format="yaml").config.mode, "mix")

    def test_L2_jsonInYamlFile(self) -> None:
        """JSON with tabs in a file called .yaml is JSON."""
        loaded = loadText(ALL_KEYS_JSON, "all.yaml", EVERYTHING)
        self.assertEqual(loaded.config, loadText(ALL_KEYS_JSON, "all.json", EVERYTHING).config)

    def test_L2_brokenJson(self) -> None:
        """Broken JSON is reported as JSON, with its place; what YAML forgives is warned about."""
        (problem,) = problemsOf('{"servers": [\n\t{,}]}')
        self.assertEqual((problem.line, problem.column), (2, 3))
        text = json.dumps(minimal()).replace("]}]}}", "]},]}}")
        (warning,) = problemsOf(text)
        self.assertIn("not JSON", warning.message)

    def test_L3_keysInAnyCase(self) -> None:
        """Keys of the schema match in any case, but underscores stay."""
        text = json.dumps(minimal()).replace('"address"', '"Address"').replace('"name"', '"NAME"')
        self.assertEqual(problemsOf(text), ())
        text = json.dumps(minimal()).replace('"servers"', '"SERVERS"')
        self.assertEqual(problemsOf(text), ())

    def test_L4_freeMapsKeepTheirCase(self) -> None:
        """Metadata keys stay as they are."""
        host = {"address": "127.0.0.1:1", "metadata": {"filter_metadata": {"mosn.lb": {"Ab": "C"}}}}
        config = load(samples.withCluster(hosts=[host])).config
        self.assertEqual(config.cluster_manager.clusters[0].hosts[0].metadata, {"Ab": "C"})

    def test_L5_unknownKeys(self) -> None:
        """A warning at the key, everywhere; an error with `strict`; CamelCase is understood."""
        obj = minimal()
        obj["nonsense"] = 1
        obj["servers"][0]["listeners"][0]["filter_chains"][0]["filters"][0]["config"]["via_"] = "x"
        self.assertEqual({severity for severity, _ in found(obj)}, {"warning"})
        self.assertEqual({severity for severity, _ in found(obj, strict=True)}, {"error"})
        settings = {"fall_back_policy": 1, "subset_selectors": [["v"]]}
        camel = samples.withCluster(LBSubsetConfig=settings, hosts=[])
        self.assertEqual(found(camel), [("warning", "cluster_manager.clusters[0].LBSubsetConfig")])
        subset = load(camel).config.cluster_manager.clusters[0].lb_subset_config
        assert subset is not None
        self.assertEqual(subset.fall_back_policy, 1)

    def test_L6_duplicateKeys(self) -> None:
        """The later value counts; objects are merged; both are warned about."""
        text = json.dumps(minimal())
        text = text[:-1] + ', "pid": "/a", "PID": "/b", "plugin": {"log_base": "x"}, "plugin": {}}'
        loaded = loadText(text, "d.json", EVERYTHING)
        self.assertEqual(loaded.config.pid, "/b")
        assert loaded.config.plugin is not None
        self.assertEqual(loaded.config.plugin.log_base, "x")
        self.assertEqual([p.path for p in loaded.problems], ["pid", "plugin"])

    def test_L7_wrongTypes(self) -> None:
        """Each wrong type is an error at its value, with the expected type."""
        cases: list[tuple[dict[str, Any], str]] = [
            (samples.withCluster(name=5), "expected text"),
            (samples.withCluster(hosts={}), "expected a list"),
            (samples.withCluster(hosts=[7]), "expected an object"),
            (samples.withCluster(mark=-1), "not within 0 and 4294967295"),
            (samples.withCluster(mark=2**32), "not within"),
            (samples.withCluster(mark=1.0), "expected a whole number"),
            (samples.withCluster(mark=True), "expected a whole number"),
            (samples.withCluster(mark="1"), "expected a whole number"),
            (samples.withCluster(lb_subset_config={"fall_back_policy": 256}), "not within"),
            (samples.withCluster(lb_subset_config={"default_subset": {"a": 1}}), "expected text"),
            (samples.withCluster(lbconfig={"active_request_bias": "x"}), "expected a number"),
            (samples.withListener(bind_port="true"), "expected true or false"),
            (samples.withListener(stream_filters={}), "expected a list"),
        ]
        for obj, message in cases:
            errors = [p.message for p in problemsOf(obj) if p.severity == "error"]
            self.assertTrue(errors and errors[0].startswith(("expected", "the number")), errors)
            self.assertIn(message, errors[0])

    def test_L8_null(self) -> None:
        """Null is as if the key were not there, but for durations that cannot be null."""
        obj = samples.withCluster(
            hosts=None, type=None, mark=None, idle_timeout=None, slow_start=None
        )
        self.assertEqual(found(obj), [])
        self.assertEqual(
            found(samples.withCluster(connect_timeout=None)),
            [("error", "cluster_manager.clusters[0].connect_timeout")],
        )
        self.assertEqual(
            found(samples.withCluster(name=None)), [("error", "cluster_manager.clusters[0].name")]
        )

    def test_L10_durations(self) -> None:
        """Go's grammar; a number needs a unit unless it is 0."""
        for value, seconds in (
            ("1m30s", 90.0),
            ("1.5h", 5400.0),
            ("300ms", 0.3),
            (0, 0.0),
            ("0", 0),
        ):
            config = load(samples.withCluster(idle_timeout=value)).config
            self.assertEqual(config.cluster_manager.clusters[0].idle_timeout, seconds)
        wrong: list[Any] = [5, 1.5, 0.0, "", "5", "1d", "1 s", "s", True, [], "-1s"]
        for bad in wrong:
            errors = found(samples.withCluster(idle_timeout=bad))
            self.assertEqual(errors, [("error", "cluster_manager.clusters[0].idle_timeout")])

    def test_L12_noExpansion(self) -> None:
        """Variables of the environment stay as they are."""
        config = load(samples.withCluster(hosts=[], sub_type="$HOME/${PATH}")).config
        self.assertEqual(config.cluster_manager.clusters[0].sub_type, "$HOME/${PATH}")

    def test_L14_directories(self) -> None:
        """Virtual hosts and clusters from directories; empty files and other names are left out."""
        os.makedirs("routers/sub.json.d")
        os.makedirs("clusters")
        host = samples.router()["virtual_hosts"][0]
        files = {
            "routers/b.json": json.dumps({**host, "name": "b", "domains": ["b.com"]}, indent="\t"),
            "routers/a.yaml": "name: a\ndomains: ['*']\n",
            "routers/empty.json": "",
            "routers/notes.txt": "not a configuration",
            "clusters/c.json": json.dumps(samples.cluster()),
        }
        for name, text in files.items():
            with open(name, "w") as file:
                file.write(text)
        obj = minimal()
        obj["servers"][0]["routers"] = [{"router_config_name": "r", "router_configs": "routers"}]
        obj["cluster_manager"] = {"clusters_configs": "clusters"}
        loaded = load(obj)
        self.assertEqual(
            [v.name for v in loaded.config.server.routers[0].virtual_hosts], ["a", "b"]
        )
        self.assertEqual(loaded.config.cluster_manager.clusters[0].name, "c")
        where = loaded.position("servers[0].routers[0].virtual_hosts[1].domains[0]")
        self.assertEqual(where[0], os.path.join("routers", "b.json"))
        self.assertGreater(where[1], 1)

    def test_L14_brokenDirectories(self) -> None:
        """A missing directory, a broken file, and both forms are errors with their places."""
        obj = minimal()
        obj["cluster_manager"]["clusters_configs"] = "nowhere"
        self.assertEqual(found(obj), [("error", "cluster_manager.clusters_configs")])
        obj["cluster_manager"]["clusters"] = []
        self.assertEqual(found(obj), [("error", "cluster_manager.clusters_configs")])
        os.mkdir("broken")
        with open("broken/x.json", "w") as file:
            file.write('{\n"name": ]')
        obj["cluster_manager"]["clusters_configs"] = "broken"
        (problem,) = problemsOf(obj)
        self.assertEqual(
            (problem.file, problem.line, problem.column), (os.path.join("broken", "x.json"), 2, 9)
        )

    def test_L15_oneServer(self) -> None:
        """No server and two servers are errors."""
        self.assertEqual(found({}), [("error", "servers")])
        self.assertEqual(found({"servers": []}), [("error", "servers")])
        obj = minimal()
        obj["servers"] *= 2
        self.assertIn(("error", "servers[1]"), found(obj))

    def test_L16_modes(self) -> None:
        """Files with xDS resources load; what xDS may bring is not missing; it is reported."""
        both = {"dynamic_resources": {"ads_config": {}}, "static_resources": {"clusters": []}}
        loaded = load(both, SMALL_BUILD)
        self.assertEqual(loaded.config.mode, "xds")
        self.assertEqual(loaded.config.server.listeners, ())
        self.assertEqual([p.severity for p in loaded.problems], ["unsupported"])
        obj = {**minimal(), **both}
        obj["cluster_manager"] = {}
        mixed = load(obj)
        self.assertEqual(mixed.config.mode, "mix")
        self.assertEqual([p.severity for p in mixed.problems], ["warning"])
        self.assertEqual(load({**minimal(), "node": {}}).config.mode, "file")
