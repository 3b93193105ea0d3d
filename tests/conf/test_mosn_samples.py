"""Configurations in the shape of MOSN's own samples load unchanged and serve requests."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.mesh import MemoryMesh

REQUEST = b"GET /sample?x=1 HTTP/1.1\r\nHost: sample\r\nService: com.sample\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def listener(name: str, port: int, proxy: str, more: str = "") -> str:
    """A listener as the samples write it, indented with tabs."""
    return f"""{{
\t\t\t"name":"{name}",
\t\t\t"address":"127.0.0.1:{port}",
\t\t\t"bind_port":true,{more}
\t\t\t"filter_chains":[{{
\t\t\t\t"tls_context":{{}},
\t\t\t\t"filters":[{proxy}]
\t\t\t}}]
\t\t}}"""


def sample(listeners: str, routers: str, hosts: str = '{"address":"127.0.0.1:8080"}') -> str:
    """A whole file."""
    return f"""{{
\t"close_graceful" : true,
\t"servers":[{{
\t\t"default_log_path":"stdout",
\t\t"default_log_level":"DEBUG",
\t\t"routers":[{routers}],
\t\t"listeners":[{listeners}]
\t}}],
\t"cluster_manager":{{
\t\t"clusters":[{{
\t\t\t"Name":"serverCluster",
\t\t\t"type":"SIMPLE",
\t\t\t"lb_type":"LB_RANDOM",
\t\t\t"max_request_per_conn":1024,
\t\t\t"conn_buffer_limit_bytes":32768,
\t\t\t"hosts":[{hosts}]
\t\t}}]
\t}},
\t"admin":{{"address":{{"socket_address":{{"address":"0.0.0.0","port_value":34901}}}}}}
}}"""


PROXY = (
    '{"type":"proxy","config":{"downstream_protocol":"Http1","upstream_protocol":"Http1",'
    '"router_config_name":"server_router"}}'
)
MATCHES = (
    '{"prefix":"/"}',
    '{"headers":[{"name":"service","value":".*"}]}',
    '{"path":"/sample"}',
    '{"regex":"^/sam.*$"}',
)


def router(match: str, action: str = '"route":{"cluster_name":"serverCluster"}') -> str:
    """A router configuration with one route."""
    return (
        '{"router_config_name":"server_router","virtual_hosts":[{"name":"serverHost",'
        f'"domains":["*"],"routers":[{{"match":{match},{action}}}]}}]}}'
    )


class SampleTests(SynchronousTestCase):
    """Shapes of MOSN's configs/ and examples/codes/."""

    def serves(self, config: str, name: str = "serverListener") -> MemoryMesh:
        """Assert that a request goes through; return the mesh."""
        mesh = MemoryMesh(config)
        client = mesh.client(name)
        client.send(REQUEST)
        self.assertEqual(mesh.dialled, [("127.0.0.1", 8080)])
        upstream = mesh.upstream()
        self.assertEqual(upstream.take(), REQUEST)
        upstream.send(ANSWER)
        self.assertEqual(client.take(), ANSWER)
        return mesh

    def answers(self, config: str, name: str = "serverListener") -> bytes:
        """Return what a request is answered without any upstream."""
        client = MemoryMesh(config).client(name)
        client.send(REQUEST)
        return client.take()

    def test_simpleHttp(self) -> None:
        """The http samples: one listener, one router, one cluster; every kind of match they use."""
        for match in MATCHES:
            self.serves(sample(listener("serverListener", 2046, PROXY), router(match)))

    def test_oldFieldsOnListeners(self) -> None:
        """Samples that still carry log_path, and a healthcheck filter that nothing registers."""
        more = (
            '\n"log_path":"./logs/server.log","stream_filters":[{"type":"healthcheck","config":'
            '{"passthrough":false,"cache_time":"360s","endpoint":"test"}}],'
        )
        self.serves(sample(listener("serverListener", 2046, PROXY, more), router(MATCHES[0])))

    def test_connectionManager(self) -> None:
        """The form of 0.4: the router stands in a second network filter."""
        manager = f'{{"type":"connection_manager","config":{router(MATCHES[0])}}}'
        self.serves(sample(listener("serverListener", 2046, f"{PROXY},{manager}"), ""))

    def test_inlineVirtualHosts(self) -> None:
        """The form of 0.1 and 0.2: virtual hosts inside the proxy."""
        proxy = (
            '{"type":"proxy","config":{"downstream_protocol":"Http1","upstream_protocol":"Http1",'
            '"virtual_hosts":[{"name":"all","domains":["*"],"routers":[{"match":{"prefix":"/"},'
            '"route":{"cluster_name":"serverCluster"}}]}]}}'
        )
        self.serves(sample(listener("serverListener", 2046, proxy), ""))

    def test_auto(self) -> None:
        """Samples with Auto find HTTP/1 by its first octets."""
        proxy = PROXY.replace('"downstream_protocol":"Http1"', '"downstream_protocol":"Auto"')
        self.serves(sample(listener("serverListener", 2046, proxy), router(MATCHES[0])))

    def test_directResponse(self) -> None:
        """Samples that answer by themselves, with and without a body."""
        action = '"direct_response":{"status":200,"body":"hello"}'
        config = sample(listener("serverListener", 2046, PROXY), router(MATCHES[0], action))
        self.assertTrue(self.answers(config).startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertTrue(self.answers(config).endswith(b"\r\n\r\nhello"))
        action = '"direct_response":{"status":500}'
        config = sample(listener("serverListener", 2046, PROXY), router(MATCHES[0], action))
        self.assertTrue(self.answers(config).startswith(b"HTTP/1.1 500 Internal Server Error\r\n"))

    def test_clientAndServer(self) -> None:
        """The samples with two listeners, each with its own router and cluster."""
        client = PROXY.replace("server_router", "client_router")
        clientRouter = router(MATCHES[0]).replace("server_router", "client_router")
        both = ",".join(
            (listener("clientListener", 2045, client), listener("serverListener", 2046, PROXY))
        )
        config = sample(both, f"{clientRouter},{router(MATCHES[0])}")
        self.serves(config, "clientListener")
        self.serves(config, "serverListener")

    def test_severalHostsWithWeights(self) -> None:
        """Hosts with weights, one of which is down: the request reaches the other."""
        hosts = (
            '{"address":"127.0.0.1:8080","weight":1},{"address":"127.0.0.1:8081","weight":100,'
            '"hostname":"b"}'
        )
        mesh = MemoryMesh(
            sample(listener("serverListener", 2046, PROXY), router(MATCHES[0]), hosts)
        )
        client = mesh.client("serverListener")
        client.send(REQUEST)
        first = mesh.dialled[0]
        mesh.refuse()
        mesh.advance(0.1)
        self.assertNotEqual(mesh.dialled[0], first)
        mesh.upstream().send(ANSWER)
        self.assertEqual(client.take(), ANSWER)
