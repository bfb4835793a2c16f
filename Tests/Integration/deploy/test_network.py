"""The NetworkPolicies, as a table of who reaches whom."""

import pytest

from kustomize import BASE, build, find, overlay
from network import Pod, allowed
from object_checks import pod_template


def policies_of(objects: list) -> list:
    return [item for item in objects if item["kind"] == "NetworkPolicy"]


def pod_of(objects: list, kind: str, name: str) -> Pod:
    item = find(objects, kind, name)
    return Pod(item["metadata"]["namespace"], pod_template(item)["metadata"]["labels"])


BASE_OBJECTS = build(BASE)
EDGE = pod_of(BASE_OBJECTS, "DaemonSet", "bashupload")
CLEANUP = pod_of(BASE_OBJECTS, "CronJob", "bashupload-cleanup")
STRANGER = Pod("default", {"app": "anything"})

# pod, direction, other side, port, protocol, may it
TABLE = [
    (EDGE, "ingress", "203.0.113.9", 8080, "TCP", True),
    (EDGE, "ingress", "2001:db8::9", 8443, "TCP", True),
    (EDGE, "ingress", "203.0.113.9", 3000, "TCP", False),  # past nginx
    (EDGE, "ingress", "203.0.113.9", 9090, "TCP", False),  # metrics
    (EDGE, "ingress", STRANGER, 3000, "TCP", False),
    (EDGE, "ingress", STRANGER, 9090, "TCP", False),
    (EDGE, "ingress", EDGE, 3000, "TCP", False),
    (EDGE, "egress", "104.16.1.1", 443, "TCP", True),  # the bucket
    (EDGE, "egress", "2606:4700::1", 443, "TCP", True),
    (EDGE, "egress", "104.16.1.1", 80, "TCP", False),
    (EDGE, "egress", "104.16.1.1", 25, "TCP", False),
    (EDGE, "egress", "169.254.169.254", 80, "TCP", False),  # credentials of the machine
    (EDGE, "egress", "169.254.169.254", 443, "TCP", False),
    (EDGE, "egress", "10.43.0.1", 443, "TCP", False),  # the Kubernetes API
    (EDGE, "egress", "fd00::1", 443, "TCP", False),
    (EDGE, "egress", STRANGER, 443, "TCP", False),
    (EDGE, "egress", "169.254.169.253", 53, "UDP", True),  # a provider's resolver
    (EDGE, "egress", "192.0.2.53", 53, "TCP", True),
    (CLEANUP, "ingress", "203.0.113.9", 8080, "TCP", False),
    (CLEANUP, "egress", "104.16.1.1", 443, "TCP", True),
    (CLEANUP, "egress", "192.0.2.53", 53, "UDP", True),
    (CLEANUP, "egress", "10.43.0.1", 443, "TCP", False),
]


@pytest.mark.parametrize("pod, direction, other, port, protocol, may", TABLE, ids=lambda value: str(value)[:24])
def test_base(pod, direction, other, port, protocol, may):
    assert allowed(policies_of(BASE_OBJECTS), pod, direction, other, port, protocol) is may


def test_a_pod_that_nobody_has_thought_of_is_alone():
    """Anything else in the namespace: no way in, no way out."""
    pod = Pod("bashupload", {"app": "debug"})
    for direction, port in (("ingress", 8080), ("egress", 443), ("egress", 53)):
        assert not allowed(policies_of(BASE_OBJECTS), pod, direction, "203.0.113.9", port)


def test_monitoring_opens_the_metrics_to_prometheus_alone(tmp_path):
    objects = build(overlay(tmp_path / "o", ("monitoring",)))
    policies = policies_of(objects)
    prometheus = pod_of(objects, "Deployment", "prometheus")
    exporter = pod_of(objects, "DaemonSet", "node-exporter")
    assert allowed(policies, EDGE, "ingress", prometheus, 9090)
    assert not allowed(policies, EDGE, "ingress", exporter, 9090)
    assert not allowed(policies, EDGE, "ingress", prometheus, 3000)
    assert not allowed(policies, EDGE, "ingress", "203.0.113.9", 9090)
    assert allowed(policies, exporter, "ingress", prometheus, 9100)
    assert not allowed(policies, exporter, "ingress", STRANGER, 9100)
    assert not allowed(policies, prometheus, "ingress", "203.0.113.9", 9090)


def test_direct_tls_has_no_plain_port(tmp_path):
    policies = policies_of(build(overlay(tmp_path / "o", ("tls-direct",))))
    assert allowed(policies, EDGE, "ingress", "203.0.113.9", 8443)
    for port in (8080, 3000, 9090):
        assert not allowed(policies, EDGE, "ingress", "203.0.113.9", port)


@pytest.mark.parametrize("component, kind, name", [("logs", "DaemonSet", "alloy"), ("tunnel", "Deployment", "cloudflared")])
def test_agents_are_reached_by_nobody(tmp_path, component, kind, name):
    objects = build(overlay(tmp_path / "o", (component,)))
    pod = pod_of(objects, kind, name)
    for port in (2000, 12345):
        assert not allowed(policies_of(objects), pod, "ingress", "203.0.113.9", port)
        assert not allowed(policies_of(objects), pod, "ingress", STRANGER, port)
    assert allowed(policies_of(objects), pod, "egress", "104.16.1.1", 443)
    assert not allowed(policies_of(objects), pod, "egress", "104.16.1.1", 22)
