"""The hub section: one address, four endpoints, and the proxy on the way."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from dca.config.sections import EndpointKeys, HubKeys
from dca.config.settings import Endpoint, HubConfig
from dca.config.table import Place, read_table
from dca.net.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dca.net.proxy import Proxy

__all__ = ["ENDPOINTS", "read_hub"]

HTTPS, SSH = 443, 22
ENDPOINTS = ("grpc", "mqtt", "ssh", "downloads")


def read_hub(table: object, place: Place) -> HubConfig | None:
    """Read ``[hub]`` and its endpoints; None when something is wrong (all of it is noted)."""
    before = len(place.problems.found)
    keys = read_table(HubKeys, table, place, also=frozenset(ENDPOINTS))
    if not isinstance(table, dict):
        return None
    overrides = {
        name: read_table(EndpointKeys, table.get(name, {}), place.child(name)) or EndpointKeys() for name in ENDPOINTS
    }
    _check_proxy(table, place)
    if keys is None:
        return None
    hub = _endpoints(keys, overrides)
    if keys.plaintext_on_loopback and not is_loopback(hub.grpc.host):
        place.fail(
            f"is set, and {hub.grpc.host} is not this machine; plain text goes to 127.0.0.0/8, ::1 and localhost only",
            "plaintext_on_loopback",
        )
    return hub if len(place.problems.found) == before else None


def _endpoints(keys: HubKeys, overrides: dict[str, EndpointKeys]) -> HubConfig:
    https = keys.address.port or HTTPS

    def endpoint(name: str, port: int) -> Endpoint:
        override = overrides[name]
        return Endpoint(override.host or keys.address.host, override.port or port)

    mqtt, ssh = endpoint("mqtt", https), endpoint("ssh", SSH)
    return HubConfig(
        grpc=endpoint("grpc", https),
        mqtt=mqtt,
        ssh=ssh,
        ssh_fallback=Endpoint(ssh.host, https),
        downloads=endpoint("downloads", https),
        activation_code=keys.activation_code,
        ca_file=keys.ca_file,
        plaintext_on_loopback=keys.plaintext_on_loopback,
        proxy=_proxy(keys),
    )


def _check_proxy(table: Mapping[str, object], place: Place) -> None:
    if "proxy_user" in table and "proxy" not in table:
        place.fail("stands alone; proxy says where the proxy is", "proxy_user")
    if "proxy_password" in table and "proxy_user" not in table:
        place.fail("stands alone; proxy_user goes with it", "proxy_password")


def _proxy(keys: HubKeys) -> Proxy | None:
    if keys.proxy is None or keys.proxy_user is None:
        return keys.proxy
    return dataclasses.replace(keys.proxy, user=keys.proxy_user, password=keys.proxy_password)
