"""The admission policy, evaluated: every field that it closes, in every container of every kind that makes pods."""

import copy
import functools

import pytest
from celpy import Environment, json_to_cel
from celpy.celtypes import MapType, StringType

from kustomize import BASE, COMPONENTS, build, find, overlay
from object_checks import pod_template


@functools.cache
def policy() -> dict:
    return find(build(BASE), "ValidatingAdmissionPolicy", "bashupload-pods")["spec"]


@functools.cache
def program(expression: str):
    environment = Environment()
    return environment.program(environment.compile(expression))


GROUPS = {
    ("", "pods"): "Pod",
    ("", "replicationcontrollers"): "ReplicationController",
    **{("apps", f"{kind.lower()}s"): kind for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")},
    **{("batch", f"{kind.lower()}s"): kind for kind in ("Job", "CronJob")},
}
KINDS = tuple(GROUPS.values())


def wrapped(template: dict, kind: str) -> dict:
    """An object of this kind that makes this pod."""
    if kind == "Pod":
        return {"kind": kind, **template}
    spec = {"template": template} if kind != "CronJob" else {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}
    return {"kind": kind, "metadata": {"name": "x"}, "spec": spec}


def denied(template: dict, kind: str = "Pod") -> list:
    """The messages with which the policy refuses an object of this kind with this pod, as the API server would."""
    variables, messages = MapType(), []
    bindings = {"object": json_to_cel(wrapped(template, kind)), "variables": variables}
    for variable in policy()["variables"]:
        variables[StringType(variable["name"])] = program(variable["expression"]).evaluate(bindings)
    for rule in policy()["validations"]:
        if not program(rule["expression"]).evaluate(bindings):
            messages.append(rule["message"])
    return messages


def test_every_kind_is_asked_about():
    """What is not in the rules never comes to the expressions."""
    rules = policy()["matchConstraints"]["resourceRules"]
    asked = {(group, resource) for rule in rules for group in rule["apiGroups"] for resource in rule["resources"]}
    assert asked == set(GROUPS) | {("", "pods/ephemeralcontainers")}
    assert all(rule["operations"] == ["CREATE", "UPDATE"] and rule["apiVersions"] == ["v1"] for rule in rules)
    assert policy()["failurePolicy"] == "Fail"


@pytest.mark.parametrize("kind", KINDS)
def test_the_service_is_admitted(tmp_path, kind):
    for name, components in (("nginx", ()), ("direct", ("tls-direct",)), ("more", ("spot", "quota", "own-certificate"))):
        built = build(overlay(tmp_path / name, components))
        for owner, workload in (("DaemonSet", "bashupload"), ("CronJob", "bashupload-cleanup")):
            assert denied(pod_template(find(built, owner, workload)), kind) == []


# Fields of a container: (what, words of the message)
CONTAINER = {
    "another hostPort": ({"ports": [{"containerPort": 1, "hostPort": 8080}]}, "80 and 443"),
    "ssh": ({"ports": [{"containerPort": 1, "hostPort": 80}, {"containerPort": 2, "hostPort": 22}]}, "80 and 443"),
    "privileged": ({"securityContext": {"privileged": True}}, "privileged"),
    "HostProcess": ({"securityContext": {"windowsOptions": {"hostProcess": True}}}, "HostProcess"),
    "a capability": ({"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}}, "capabilities"),
    "all capabilities": ({"securityContext": {"capabilities": {"add": ["ALL"]}}}, "capabilities"),
    "seccomp": ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "seccomp"),
    "AppArmor": ({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, "AppArmor"),
    "SELinux type": ({"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}, "SELinux"),
    "SELinux user": ({"securityContext": {"seLinuxOptions": {"user": "system_u"}}}, "SELinux"),
    "procMount": ({"securityContext": {"procMount": "Unmasked"}}, "procMount"),
    "probe of another host": ({"livenessProbe": {"httpGet": {"port": 80, "host": "169.254.169.254"}}}, "name a host"),
    "readiness of another host": ({"readinessProbe": {"tcpSocket": {"port": 80, "host": "10.0.0.1"}}}, "name a host"),
    "start of another host": ({"startupProbe": {"tcpSocket": {"port": 80, "host": "10.0.0.1"}}}, "name a host"),
    "hook to another host": ({"lifecycle": {"preStop": {"httpGet": {"port": 80, "host": "10.0.0.1"}}}}, "name a host"),
    "first hook to another host": ({"lifecycle": {"postStart": {"tcpSocket": {"port": 80, "host": "10.0.0.1"}}}}, "name a host"),
}
# Fields of the pod.
POD = {
    "hostNetwork": ({"hostNetwork": True}, "hostNetwork"),
    "hostPID": ({"hostPID": True}, "hostPID"),
    "hostIPC": ({"hostIPC": True}, "hostIPC"),
    "HostProcess": ({"securityContext": {"windowsOptions": {"hostProcess": True}}}, "HostProcess"),
    "seccomp": ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "seccomp"),
    "AppArmor": ({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, "AppArmor"),
    "SELinux role": ({"securityContext": {"seLinuxOptions": {"role": "sysadm_r"}}}, "SELinux"),
    "sysctl of the node": ({"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]}}, "sysctls"),
    "sysctl of the network": (
        {"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}, {"name": "net.core.somaxconn", "value": "9"}]}},
        "sysctls",
    ),
    **{
        f"volume {name}": ({"volumes": [{"name": "e", "emptyDir": {}}, {"name": "v", name: source}]}, "hostPath, flexVolume")
        for name, source in {
            "hostPath": {"path": "/"},
            "flexVolume": {"driver": "example.org/x"},
            "gitRepo": {"repository": "https://example.org/x"},
            "nfs": {"server": "10.0.0.1", "path": "/"},
            "iscsi": {"targetPortal": "10.0.0.1"},
            "image": {"reference": "example.org/x"},
        }.items()
    },
}
PLACES = ("containers", "initContainers", "ephemeralContainers")
ANNOTATION = "container.apparmor.security.beta.kubernetes.io/a"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", CONTAINER)
def test_a_container_is_refused(name, place, kind):
    if place == "ephemeralContainers" and kind != "Pod":
        kind = "Pod"  # nobody else has them
    fields, words = CONTAINER[name]
    spec = {"containers": [{"name": "a"}]}
    spec.setdefault(place, []).append({"name": "b", **copy.deepcopy(fields)})
    messages = denied({"metadata": {}, "spec": spec}, kind)
    assert len(messages) == 1 and words in messages[0], messages


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", POD)
def test_a_pod_is_refused(name, kind):
    fields, words = POD[name]
    messages = denied({"spec": {"containers": [{"name": "a"}], **copy.deepcopy(fields)}}, kind)
    assert len(messages) == 1 and words in messages[0], messages


@pytest.mark.parametrize("kind", KINDS)
def test_an_annotation_of_apparmor(kind):
    for value, refused in (("unconfined", True), ("", True), ("runtime/default", False), ("localhost/mine", False)):
        template = {"metadata": {"annotations": {"other": "unconfined", ANNOTATION: value}}, "spec": {"containers": [{"name": "a"}]}}
        messages = denied(template, kind)
        assert bool(messages) is refused and all("AppArmor" in message for message in messages), (value, messages)


ADMITTED = {
    "hostPorts of the service": {"containers": [{"name": "a", "ports": [{"containerPort": 1, "hostPort": 80}, {"containerPort": 2}]}]},
    "no hostPort": {"containers": [{"name": "a", "ports": [{"containerPort": 1, "hostPort": 0}]}]},
    "nothing added": {"containers": [{"name": "a", "securityContext": {"capabilities": {"drop": ["ALL"], "add": []}, "privileged": False}}]},
    "profiles": {
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}, "appArmorProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "a", "securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "x"}}}],
    },
    "a safe sysctl": {
        "securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
        "containers": [{"name": "a"}],
    },
    "volumes": {
        "volumes": [{"name": n, n: {}} for n in ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "projected", "secret")]
        + [{"name": "p", "persistentVolumeClaim": {"claimName": "x"}}],
        "containers": [{"name": "a"}],
    },
    "its own probes": {
        "containers": [{"name": "a", "livenessProbe": {"httpGet": {"port": 1, "host": ""}}, "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}]
    },
    "switched off": {"hostNetwork": False, "hostPID": False, "hostIPC": False, "containers": [{"name": "a"}]},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ADMITTED)
def test_the_usual_is_admitted(name, kind):
    assert denied({"spec": copy.deepcopy(ADMITTED[name])}, kind) == []


# What Pod Security calls baseline, in the fields that our own pods use.
def above_baseline(spec: dict) -> list:
    found = [field for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    found += ["hostPath" for volume in spec.get("volumes", []) if "hostPath" in volume]
    for container in spec["containers"] + spec.get("initContainers", []):
        found += ["hostPort" for port in container.get("ports", []) if port.get("hostPort")]
        found += ["privileged"] if (container.get("securityContext") or {}).get("privileged") else []
    return found


@pytest.mark.parametrize("name", COMPONENTS)
def test_components_warn_of_nothing_that_they_need(name, tmp_path):
    """A warning that is always there is one that nobody reads. The namespace of the service is the exception: its hostPorts."""
    built = build(overlay(tmp_path / "o", (name,)))
    namespaces = {item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in built if item["kind"] == "Namespace"}
    for item in built:
        template, labels = pod_template(item), namespaces.get(item["metadata"].get("namespace"), {})
        if template and item["metadata"]["namespace"] != "bashupload":
            # Without a label it is the level that the API server was given, which on our nodes is restricted.
            level = labels.get("pod-security.kubernetes.io/warn") or labels.get("pod-security.kubernetes.io/enforce") or "restricted"
            assert level == "privileged" or not above_baseline(template["spec"]), f"{item['metadata']['name']} warns of itself"
