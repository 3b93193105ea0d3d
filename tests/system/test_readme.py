"""What the README promises, with real processes and its own ports."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, Running, freePort, scriptPath, until

ROOT = Path(__file__).parents[2]

#: A port, a duration, a misspelt cluster, a status that is no number, an unknown balancer.
FIVE_MISTAKES = """\
servers:
  - default_log_path: stdout
    listeners:
      - name: front
        address: 127.0.0.1:99999
        bind_port: true
        connection_idle_timeout: 10 seconds
        filter_chains:
          - filters:
              - type: proxy
                config: {downstream_protocol: Http1, router_config_name: r}
    routers:
      - router_config_name: r
        virtual_hosts:
          - name: all
            domains: ["*"]
            routers:
              - match: {prefix: /a}
                route: {cluster_name: bakend}
              - match: {prefix: /b}
                direct_response: {status: ok}
cluster_manager:
  clusters:
    - name: backend
      type: SIMPLE
      lb_type: LB_RANDM
      hosts:
        - address: 127.0.0.1:8080
"""
LINES = [5, 7, 19, 21, 26]


class ReadmeTests(SynchronousTestCase):
    """The sample configuration, the embedding example, ``check``."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="mosntx-readme-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        shutil.copytree(ROOT / "conf", self.directory / "conf")

    def test_twoHops(self) -> None:
        """Under twistd, twist and mosntx the sample answers, and SIGTERM ends it with 0."""
        launchers = (
            [scriptPath("twistd"), "-n", "--pidfile", "", "mosn", "--config"],
            [scriptPath("twist"), "mosn", "--config"],
            [scriptPath("mosntx"), "run", "-c"],
            [scriptPath("mosntx"), "start", "-l", "warning", "-c"],
        )
        for launcher in launchers:
            running = Running([*launcher, "conf/mosn.yaml"], 2045, str(self.directory))
            try:
                answer = requests.get("http://127.0.0.1:2045/", timeout=10)
                self.assertEqual(answer.status_code, 200)
                self.assertIn("two hops", answer.text)
                states = requests.get("http://127.0.0.1:34901/api/v1/states", timeout=10)
                self.assertEqual(states.text, f"pid={running.process.pid}&state=6\n")
            finally:
                code = running.stop()
            self.assertEqual(code, 0, launcher)

    def test_embedding(self) -> None:
        """The embedding example runs as printed."""
        shown = re.search(
            r"<!-- embedding example -->\n```python\n(.*?)```",
            (ROOT / "README.md").read_text(),
            re.DOTALL,
        )
        assert shown is not None
        (self.directory / "shop.py").write_text(shown[1])
        arguments = [scriptPath("twistd"), "-n", "--pidfile", "", "-y", "shop.py"]
        running = Running(arguments, 2045, str(self.directory))
        try:
            answer = requests.get("http://127.0.0.1:2045/", timeout=10)
            self.assertEqual((answer.status_code, answer.text), (200, "hello from the shop\n"))
        finally:
            running.stop()

    def test_fiveMistakes(self) -> None:
        """``check`` prints five findings with their lines; the daemon prints the same."""
        path = self.directory / "wrong.yaml"
        path.write_text(FIVE_MISTAKES)
        check = self.run_(scriptPath("mosntx"), "check", str(path))
        self.assertEqual(check.returncode, 1)
        findings = check.stdout.splitlines()[:-1]
        self.assertEqual([int(finding.split(":")[1]) for finding in findings], LINES, check.stdout)
        asJson = json.loads(self.run_(scriptPath("mosntx"), "check", "--json", str(path)).stdout)
        self.assertEqual([problem["line"] for problem in asJson["problems"]], LINES)
        daemon = self.run_(
            scriptPath("twistd"), "-n", "--pidfile", "", "mosn", "--config", str(path)
        )
        self.assertEqual(daemon.returncode, 1)
        for finding in findings:
            self.assertIn(finding, daemon.stderr)

    def test_checkOfNothing(self) -> None:
        """A file that does not exist cannot be read: 2."""
        self.assertEqual(self.run_(scriptPath("mosntx"), "check", "nothing.yaml").returncode, 2)

    def test_portInUse(self) -> None:
        """A port that is in use is found by ``check``, and the daemon does not start."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            text = FIVE_MISTAKES.replace("99999", str(port)).replace("10 seconds", "10s")
            text = text.replace("bakend", "backend").replace("status: ok", "status: 200")
            path = self.directory / "taken.yaml"
            path.write_text(text.replace("LB_RANDM", "LB_RANDOM"))
            check = self.run_(scriptPath("mosntx"), "check", str(path))
            self.assertEqual(check.returncode, 1)
            self.assertIn(f"{path}:5:", check.stdout)
            self.assertIn("in use", check.stdout)
            daemon = self.run_(scriptPath("mosntx"), "run", "-c", str(path))
            self.assertEqual(daemon.returncode, 1)
            self.assertIn("in use", daemon.stderr)
        self.assertEqual(self.run_(scriptPath("mosntx"), "check", str(path)).returncode, 0)

    def test_logsReopen(self) -> None:
        """After logrotate has moved the log away, SIGUSR1 makes a new one."""
        port = freePort()
        log = self.directory / "own.log"
        config = FIVE_MISTAKES.replace("99999", str(port)).replace("10 seconds", "10s")
        config = config.replace("bakend", "backend").replace("status: ok", "status: 200")
        config = config.replace("LB_RANDM", "LB_RANDOM").replace("stdout", str(log))
        daemon = Daemon(config, port)
        try:
            # the port is open a moment before the log says so
            until(lambda: "front" in log.read_text(), "the listener in the log")
            log.rename(self.directory / "own.log.1")
            daemon.kill(signal.SIGUSR1)
        finally:
            self.assertEqual(daemon.stop(), 0)
        self.assertIn("stopped", log.read_text())

    def run_(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            arguments, capture_output=True, text=True, cwd=self.directory, timeout=60, check=False
        )
