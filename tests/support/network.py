"""NetworkPolicies as a cluster's network would read them: who reaches whom.

By the rules of kubernetes.io/docs/concepts/services-networking/network-policies: a pod that no
policy selects is open; of one that is selected only what some rule lets through is reached.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Literal

NAMESPACE_LABEL = "kubernetes.io/metadata.name"
Direction = Literal["Ingress", "Egress"]
_PEERS: dict[Direction, str] = {"Ingress": "from", "Egress": "to"}


@dataclass(frozen=True)
class Host:
    """An address, and whose it is where it is a pod's."""

    ip: str
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


class Network:
    def __init__(self, policies: Iterable[dict[str, Any]]) -> None:
        self._policies = list(policies)

    def lets(self, source: Host, target: Host, port: int, protocol: str = "TCP") -> bool:
        return self._side("Egress", source, target, port, protocol) and self._side(
            "Ingress", target, source, port, protocol
        )

    def takes(self, target: Host, source: Host, port: int) -> bool:
        """Whatever the source may."""
        return self._side("Ingress", target, source, port, "TCP")

    def covers(self, host: Host, direction: Direction) -> bool:
        return bool(self._selecting(direction, host))

    def _selecting(self, direction: Direction, host: Host) -> list[dict[str, Any]]:
        return [
            policy["spec"]
            for policy in self._policies
            if policy["metadata"]["namespace"] == host.namespace
            and direction in policy["spec"]["policyTypes"]
            and _selects(policy["spec"]["podSelector"], host.labels)
        ]

    def _side(self, direction: Direction, host: Host, peer: Host, port: int, protocol: str) -> bool:
        selecting = self._selecting(direction, host)
        rules = [rule for policy in selecting for rule in policy.get(direction.lower()) or []]
        return not selecting or any(
            _is_peer(rule.get(_PEERS[direction]), peer, host.namespace)
            and _is_port(rule.get("ports"), port, protocol)
            for rule in rules
        )


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if unknown := selector.keys() - {"matchLabels"}:
        raise NotImplementedError(f"a selector by {unknown}")
    return selector.get("matchLabels", {}).items() <= labels.items()


def _is_peer(peers: list[dict[str, Any]] | None, host: Host, namespace: str | None) -> bool:
    # Nobody named means everybody.
    return not peers or any(_matches(peer, host, namespace) for peer in peers)


def _matches(peer: dict[str, Any], host: Host, namespace: str | None) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return _inside(host.ip, block["cidr"]) and not any(
            _inside(host.ip, cidr) for cidr in block.get("except", ())
        )
    if host.namespace is None:
        return False
    in_namespace = (
        _selects(peer["namespaceSelector"], {NAMESPACE_LABEL: host.namespace})
        if "namespaceSelector" in peer
        else host.namespace == namespace
    )
    return in_namespace and _selects(peer.get("podSelector", {}), host.labels)


def _inside(address: str, cidr: str) -> bool:
    return ip_address(address) in ip_network(cidr)


def _is_port(ports: list[dict[str, Any]] | None, port: int, protocol: str) -> bool:
    if any("endPort" in entry or isinstance(entry.get("port"), str) for entry in ports or ()):
        raise NotImplementedError("a port that is a range or a name")
    return not ports or any(
        entry.get("protocol", "TCP") == protocol and entry.get("port", port) == port
        for entry in ports
    )
