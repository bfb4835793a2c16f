"""Who may talk to whom under a set of NetworkPolicies, as the documentation of Kubernetes defines it."""

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network


@dataclass
class Pod:
    namespace: str
    labels: dict = field(default_factory=dict)


def selects(selector: dict, labels: dict) -> bool:
    """A label selector; an empty one selects everything."""
    assert set(selector) <= {"matchLabels"}, f"matchExpressions are not understood here: {selector}"
    return (selector.get("matchLabels") or {}).items() <= labels.items()


def peer_matches(peer: dict, namespace: str, other) -> bool:
    """One entry of from or to; `other` is a Pod or the text of an address outside of the cluster."""
    if "ipBlock" in peer:
        if isinstance(other, Pod):
            return False  # pods are matched by labels; their addresses are nobody's business
        address, block = ip_address(other), ip_network(peer["ipBlock"]["cidr"])
        inside = address.version == block.version and address in block
        exceptions = [ip_network(text) for text in peer["ipBlock"].get("except", [])]
        assert all(exception.subnet_of(block) for exception in exceptions), f"an exception outside of its block: {peer}"
        return inside and not any(address in exception for exception in exceptions)
    if not isinstance(other, Pod):
        return False
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": other.namespace}):
            return False
    elif other.namespace != namespace:
        return False
    return selects(peer.get("podSelector", {}), other.labels)


def allowed(policies: list, pod: Pod, direction: str, other, port: int, protocol: str = "TCP") -> bool:
    """`direction` is ingress or egress, seen from `pod`; ports are those of the containers."""
    mine = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace
        and selects(policy["spec"]["podSelector"], pod.labels)
        and direction.capitalize() in policy["spec"]["policyTypes"]
    ]
    if not mine:
        return True
    side = "from" if direction == "ingress" else "to"
    for spec in mine:
        for rule in spec.get(direction) or []:
            ports = rule.get("ports")
            if ports and not any(p.get("port") == port and p.get("protocol", "TCP") == protocol for p in ports):
                continue
            if side not in rule or any(peer_matches(peer, pod.namespace, other) for peer in rule[side]):
                return True
    return False
