"""A configuration with every key that MOSN's own samples use (spec/config.md section 10)."""

from __future__ import annotations

import json
from typing import Any


def tls(status: bool) -> dict[str, Any]:
    """A TLS context with the keys of MOSN's samples."""
    return {
        "status": status,
        "type": "",
        "server_name": "example.com",
        "ca_cert": "../certs/ca.pem",
        "cert_chain": "../certs/cert.pem",
        "private_key": "../certs/key.pem",
        "verify_client": True,
        "require_client_cert": True,
        "ecdh_curves": "P256",
    }


ALL_KEYS: dict[str, Any] = {
    "close_graceful": True,
    "disable_upgrade": True,
    "servers": [
        {
            "default_log_path": "stdout",
            "default_log_level": "DEBUG",
            "processor": "auto",
            "routers": [
                {
                    "router_config_name": "server_router",
                    "virtual_hosts": [
                        {
                            "name": "serverHost",
                            "domains": ["*"],
                            "routers": [
                                {
                                    "match": {"headers": [{"name": "service", "value": ".*"}]},
                                    "route": {"cluster_name": "serverCluster"},
                                    "request_mirror_policies": {
                                        "cluster": "mirrorCluster",
                                        "percent": 100,
                                    },
                                },
                                {"match": {"path": "/p"}, "direct_response": {"status": 200}},
                                {
                                    "match": {"prefix": "/"},
                                    "direct_response": {"status": 200, "body": "hello"},
                                },
                            ],
                        }
                    ],
                }
            ],
            "listeners": [
                {
                    "name": "serverListener",
                    "address": "127.0.0.1:2046",
                    "bind_port": True,
                    "log_path": "stdout",
                    "connection_idle_timeout": 0,
                    "access_logs": [
                        {"log_path": "stdout", "log_format": "%start_time% %duration%"}
                    ],
                    "listener_filters": [{"type": "original_dst", "config": {"type": "redirect"}}],
                    "use_original_dst": "redirect",
                    "filter_chains": [
                        {
                            "tls_context": tls(False),
                            "filters": [
                                {
                                    "type": "proxy",
                                    "config": {
                                        "downstream_protocol": "X",
                                        "upstream_protocol": "X",
                                        "extend_config": {"sub_protocol": "x_example"},
                                        "router_config_name": "server_router",
                                        "fallback_for_unknown_protocol": True,
                                    },
                                },
                                {
                                    "type": "tcp_proxy",
                                    "config": {
                                        "cluster": "serverCluster",
                                        "routes": [{"cluster": "serverCluster"}],
                                    },
                                },
                            ],
                        }
                    ],
                    "stream_filters": [
                        {"type": name, "config": {}}
                        for name in ("healthcheck", "mirror", "proxywasm", "flowControlFilter")
                    ]
                    + [
                        {"type": name}
                        for name in ("seata", "dsl", "dubbo_stream", "ip_access", "transcoder")
                    ]
                    + [{"type": "jwt_authn"}, {"type": "demo"}],
                },
                {
                    "name": "old",
                    "address": "127.0.0.1:2048",
                    "bind_port": False,
                    "filter_chains": [
                        {
                            "filters": [
                                {
                                    "type": "proxy",
                                    "config": {
                                        "downstream_protocol": "Http2",
                                        "upstream_protocol": "Http1",
                                        "extend_config": {"http2_use_stream": True},
                                        "router_config_name": "old_router",
                                    },
                                },
                                {
                                    "type": "connection_manager",
                                    "config": {
                                        "router_config_name": "old_router",
                                        "virtual_hosts": [
                                            {
                                                "name": "v",
                                                "domains": ["*"],
                                                "routers": [{"route": {"cluster_name": "udp"}}],
                                            }
                                        ],
                                    },
                                },
                                {"type": "tunnel"},
                            ]
                        }
                    ],
                },
                {
                    "name": "udp",
                    "network": "udp",
                    "address": "127.0.0.1:5300",
                    "bind_port": True,
                    "filter_chains": [
                        {"filters": [{"type": "udp_proxy", "config": {"cluster": "udp"}}]}
                    ],
                },
            ],
        }
    ],
    "cluster_manager": {
        "clusters": [
            {
                "Name": "serverCluster",
                "type": "SIMPLE",
                "lb_type": "LB_RANDOM",
                "max_request_per_conn": 1024,
                "conn_buffer_limit_bytes": 32768,
                "tls_context": tls(False),
                "hosts": [
                    {"address": "127.0.0.1:8080", "weight": 10},
                    {"address": "127.0.0.1:8081"},
                ],
                "slow_start": {
                    "mode": "duration",
                    "slow_start_duration": "10s",
                    "aggression": 1.0,
                    "min_weight_percent": 0.1,
                },
                "health_check": {
                    "protocol": "http1",
                    "timeout": "1s",
                    "interval": "15s",
                    "healthy_threshold": 1,
                    "service_name": "service",
                },
            },
            {"name": "mirrorCluster", "hosts": [{"address": "127.0.0.1:8082"}]},
            {"name": "udp", "lb_type": "LB_REQUEST_ROUNDROBIN", "hosts": []},
        ]
    },
    "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 34901}}},
    "pprof": {"debug": True, "port_value": 34902},
    "metrics": {
        "sinks": [
            {
                "type": "prometheus",
                "config": {"port": 34903, "endpoint": "/metrics", "percentiles": [50, 99]},
            }
        ],
        "shm_zone": "zone",
        "shm_size": "10MB",
        "flush_interval": 10,
    },
    "tracing": {"enable": True, "driver": "SOFATracer", "config": {"log_path": "/tmp/trace"}},
    "extends": [{"type": "tunnel_agent", "config": {"hosts": []}}],
    "third_part_codec": {"codecs": [{"enable": True, "type": "wasm", "path": "x.wasm"}]},
    "wasm_global_plugins": [{"plugin_name": "p", "instance_num": 1}],
    "plugin": {"log_base": "/tmp"},
    "dynamic_resources": {"ads_config": {}},
    "static_resources": {"clusters": []},
}
"""Every key of spec/config.md section 10."""

ALL_KEYS_JSON = json.dumps(ALL_KEYS, indent="\t")
"""With tabs, as half of MOSN's samples; YAML readers refuse that."""

ALL_KEYS_YAML = """\
close_graceful: true
disable_upgrade: on
servers:
- default_log_path: stdout
  default_log_level: DEBUG
  processor: auto
  routers:
  - router_config_name: server_router
    virtual_hosts:
    - name: serverHost
      domains: ["*"]
      routers:
      - match: {headers: [{name: service, value: ".*"}]}
        route: {cluster_name: serverCluster}
        request_mirror_policies: {cluster: mirrorCluster, percent: 100}
      - match: {path: /p}
        direct_response: {status: 200}
      - match: {prefix: /}
        direct_response: {status: 200, body: hello}
  listeners:
  - name: serverListener
    address: 127.0.0.1:2046
    bind_port: yes
    log_path: stdout
    connection_idle_timeout: 0
    access_logs:
    - log_path: stdout
      log_format: "%start_time% %duration%"
    listener_filters:
    - type: original_dst
      config: {type: redirect}
    use_original_dst: redirect
    filter_chains:
    - tls_context: &tls
        status: false
        type: ""
        server_name: example.com
        ca_cert: ../certs/ca.pem
        cert_chain: ../certs/cert.pem
        private_key: ../certs/key.pem
        verify_client: true
        require_client_cert: true
        ecdh_curves: P256
      filters:
      - type: proxy
        config:
          downstream_protocol: X
          upstream_protocol: X
          extend_config: {sub_protocol: x_example}
          router_config_name: server_router
          fallback_for_unknown_protocol: true
      - type: tcp_proxy
        config: {cluster: serverCluster, routes: [{cluster: serverCluster}]}
    stream_filters:
    - {type: healthcheck, config: {}}
    - {type: mirror, config: {}}
    - {type: proxywasm, config: {}}
    - {type: flowControlFilter, config: {}}
    - {type: seata}
    - {type: dsl}
    - {type: dubbo_stream}
    - {type: ip_access}
    - {type: transcoder}
    - {type: jwt_authn}
    - {type: demo}
  - name: old
    address: 127.0.0.1:2048
    bind_port: no
    filter_chains:
    - filters:
      - type: proxy
        config:
          downstream_protocol: Http2
          upstream_protocol: Http1
          extend_config: {http2_use_stream: true}
          router_config_name: old_router
      - type: connection_manager
        config:
          router_config_name: old_router
          virtual_hosts:
          - name: v
            domains: ["*"]
            routers: [{route: {cluster_name: udp}}]
      - type: tunnel
  - name: udp
    network: udp
    address: 127.0.0.1:5300
    bind_port: true
    filter_chains:
    - filters: [{type: udp_proxy, config: {cluster: udp}}]
cluster_manager:
  clusters:
  - Name: serverCluster
    type: SIMPLE
    lb_type: LB_RANDOM
    max_request_per_conn: 1024
    conn_buffer_limit_bytes: 32768
    tls_context: *tls
    hosts:
    - {address: 127.0.0.1:8080, weight: 10}
    - {address: 127.0.0.1:8081}
    slow_start: {mode: duration, slow_start_duration: 10s, aggression: 1.0, min_weight_percent: 0.1}
    health_check:
      protocol: http1
      timeout: 1s
      interval: 15s
      healthy_threshold: 1
      service_name: service
  - name: mirrorCluster
    hosts: [{address: 127.0.0.1:8082}]
  - name: udp
    lb_type: LB_REQUEST_ROUNDROBIN
    hosts: []
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 34901}}}
pprof: {debug: true, port_value: 34902}
metrics:
  sinks:
  - type: prometheus
    config: {port: 34903, endpoint: /metrics, percentiles: [50, 99]}
  shm_zone: zone
  shm_size: 10MB
  flush_interval: 10
tracing: {enable: true, driver: SOFATracer, config: {log_path: /tmp/trace}}
extends: [{type: tunnel_agent, config: {hosts: []}}]
third_part_codec: {codecs: [{enable: true, type: wasm, path: x.wasm}]}
wasm_global_plugins: [{plugin_name: p, instance_num: 1}]
plugin: {log_base: /tmp}
dynamic_resources: {ads_config: {}}
static_resources: {clusters: []}
"""
"""The same in YAML."""
