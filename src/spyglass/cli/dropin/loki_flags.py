"""Loki's and Promtail's flags. Both have hundreds that mirror their configuration keys: families are accepted by prefix."""

from spyglass.cli.dropin.goflags import FlagTable

_COMMON_BOOLEANS = [
    "config.expand-env",
    "version",
    "help",
    "print-config-stderr",
    "log-config-reverse-order",
    "verify-config",
]

LOKI = FlagTable(
    program="loki",
    used=frozenset(
        [
            "config.file",
            "config.expand-env",
            "server.http-listen-port",
            "server.http-listen-address",
            "verify-config",
            "version",
            "help",
            "common.path-prefix",
            "auth.enabled",
            "log.level",
        ]
    ),
    known=frozenset(["target", "list-targets", "legacy-read-mode", "config.path", *_COMMON_BOOLEANS]),
    booleans=frozenset(["auth.enabled", "list-targets", "legacy-read-mode", "reporting.enabled", *_COMMON_BOOLEANS]),
    known_prefixes=(
        "analytics.", "bloom", "boltdb.", "cassandra.", "chunk.", "common.", "compactor.", "consul.", "distributor.", "dynamodb.",
        "etcd.", "frontend.", "fifocache.", "gcs.", "http.", "index-gateway", "ingester", "kafka.", "limits.", "local.", "log.",
        "memberlist.", "memcached.", "metrics.", "multi.", "operation-config.", "pattern-ingester.", "querier.", "query-",
        "redis.", "replication-factor", "reporting.", "ring.", "ruler.", "runtime-config.", "s3.", "schema-config", "server.",
        "shutdown-", "store.", "table-manager.", "tracing.", "tsdb.", "validation.", "store-", "block-builder", "dataobj", "ui.",
    ),
    aliases={"h": "help"},
)  # fmt: skip

PROMTAIL = FlagTable(
    program="promtail",
    used=frozenset(
        [
            "config.file",
            "config.expand-env",
            "server.http-listen-port",
            "server.http-listen-address",
            "server.disable",
            "client.url",
            "client.external-labels",
            "client.tenant-id",
            "log.level",
            "positions.file",
            "check-syntax",
            "dry-run",
            "inspect",
            "stdin",
            "version",
            "help",
        ]
    ),
    known=frozenset(
        [
            "server.enable-runtime-reload",
            "config.enable-legacy-positions",
            *_COMMON_BOOLEANS,
        ]
    ),
    booleans=frozenset(
        [
            "server.disable",
            "check-syntax",
            "dry-run",
            "inspect",
            "stdin",
            "server.enable-runtime-reload",
            *_COMMON_BOOLEANS,
        ]
    ),
    known_prefixes=(
        "client.",
        "limits.",
        "log.",
        "positions.",
        "server.",
        "target.",
        "tracing.",
        "max-",
        "file-watch.",
    ),
    aliases={"h": "help"},
)
