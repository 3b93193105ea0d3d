"""Tests of `mosntx.config.schema.proxy`."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import ProxyConfig, TcpProxyConfig


class DefaultTests(SynchronousTestCase):
    """The limits that protect a proxy without any configuration."""

    def test_limits(self) -> None:
        """Bounded header blocks, time for them, and idle time; bodies unlimited."""
        config = ProxyConfig(downstream_protocol="Http1")
        limits = (config.max_request_line, config.max_headers, config.max_header_size)
        self.assertEqual(limits, (8192, 100, 32768))
        times = (config.request_header_timeout, config.stream_idle_timeout, config.detect_timeout)
        self.assertEqual(times, (10.0, 300.0, 15.0))
        self.assertEqual((config.max_request_body_size, config.max_pipelined), (0, 64))
        self.assertFalse(config.use_remote_address or config.via or config.generate_request_id)

    def test_frozen(self) -> None:
        """Settings do not change."""
        config = TcpProxyConfig()
        self.assertRaises(attrs.exceptions.FrozenInstanceError, setattr, config, "cluster", "x")
