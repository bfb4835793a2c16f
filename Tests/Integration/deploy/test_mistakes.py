"""Deliberate mistakes in what the tree builds: each must be found, with a line that names the object and helps."""

import copy
import re

import pytest

from kustomize import BASE, build, find, overlay
from object_checks import problems
from schema_checks import violations


def daemonset(objects):
    return find(objects, "DaemonSet", "bashupload")


def pod(objects):
    return daemonset(objects)["spec"]["template"]["spec"]


def nginx(objects):
    return pod(objects)["containers"][0]


def app(objects):
    return pod(objects)["containers"][1]


def job(objects):
    return find(objects, "CronJob", "bashupload-cleanup")["spec"]


def config(objects):
    return find(objects, "ConfigMap", "bashupload")["data"]


def nginx_config(objects, pattern, value):
    data = find(objects, "ConfigMap", "bashupload-nginx")["data"]
    changed = re.sub(pattern, value, data["nginx.conf"])
    assert changed != data["nginx.conf"], "nginx.conf has changed: adapt this mistake"
    data["nginx.conf"] = changed


def namespace_labels(objects):
    return find(objects, "Namespace", "bashupload")["metadata"]["labels"]


def remove(objects, kind, name):
    objects.remove(find(objects, kind, name))


def store_policy(objects):
    return find(objects, "NetworkPolicy", "bashupload-store")["spec"]


# what: (the mistake, words of the line that must come)
MISTAKES = {
    "bad enum": (lambda o: pod(o).update(dnsPolicy="Host"), "dnsPolicy is 'Host'; one of"),
    "pull policy": (lambda o: app(o).update(imagePullPolicy="Sometimes"), "imagePullPolicy is 'Sometimes'"),
    "toleration operator": (lambda o: pod(o)["tolerations"][0].update(operator="In"), "operator is 'In'; one of Equal, Exists"),
    "protocol in lower case": (lambda o: nginx(o)["ports"][0].update(protocol="tcp"), "protocol is 'tcp'"),
    "selector and labels differ": (
        lambda o: daemonset(o)["spec"]["template"]["metadata"]["labels"].update({"app.kubernetes.io/component": "egde"}),
        "does not match the labels of its own pods",
    ),
    "Service selects nothing": (
        lambda o: find(o, "Service", "bashupload")["spec"]["selector"].update({"app.kubernetes.io/name": "bashuploads"}),
        "matches no pod of this namespace",
    ),
    "Service to a port that is not there": (
        lambda o: find(o, "Service", "bashupload")["spec"]["ports"][0].update(targetPort="web"),
        "targetPort 'web' is no port",
    ),
    "NetworkPolicy for nobody": (
        lambda o: store_policy(o)["podSelector"]["matchLabels"].update({"app.kubernetes.io/name": "app"}),
        "it protects and permits nothing",
    ),
    "port out of range": (lambda o: nginx(o)["ports"][0].update(hostPort=80443), "hostPort is 80443; 1 to 65535"),
    "port name too long": (lambda o: app(o)["ports"][1].update(name="prometheus-metrics"), "at most 15"),
    "port name twice": (lambda o: app(o)["ports"][1].update(name="http"), "'http' is used twice"),
    "volume missing": (lambda o: pod(o)["volumes"].pop(0), "mounts the volume 'nginx-config', which is not there"),
    "volume unused": (lambda o: nginx(o)["volumeMounts"].pop(), "mounted by no container"),
    "ConfigMap missing": (lambda o: remove(o, "ConfigMap", "bashupload-nginx"), "is not there"),
    "key of a ConfigMap missing": (
        lambda o: app(o)["env"].append(
            {
                "name": "X",
                "valueFrom": {
                    "configMapKeyRef": {"name": find(o, "ConfigMap", "bashupload")["metadata"]["name"], "key": "MAX_AGES"}
                },
            }
        ),
        "has no key 'MAX_AGES'; it has",
    ),
    "Secret by a wrong name": (
        lambda o: app(o)["envFrom"][1]["secretRef"].update(name="bashupload-secret"),
        "the Secret bashupload-secret is expected by nobody",
    ),
    "subPath": (lambda o: nginx(o)["volumeMounts"][0].update(subPath="nginx.conf"), "never see a change"),
    "PriorityClass missing": (lambda o: remove(o, "PriorityClass", "bashupload-edge"), "no pod would be made"),
    "ServiceAccount missing": (lambda o: remove(o, "ServiceAccount", "bashupload"), "no pod would be made"),
    "restartPolicy of a Job": (
        lambda o: job(o)["jobTemplate"]["spec"]["template"]["spec"].update(restartPolicy="Always"),
        "restartPolicy of a Job is Never or OnFailure",
    ),
    "schedule": (lambda o: job(o).update(schedule="*/5 * * *"), "is not five cron fields"),
    "schedule out of range": (lambda o: job(o).update(schedule="60 * * * *"), "is not five cron fields"),
    "hostPort under baseline": (
        lambda o: namespace_labels(o).update({"pod-security.kubernetes.io/enforce": "baseline"}),
        "hostPort 80, 443 under Pod Security 'baseline': it is accepted and no pod ever appears",
    ),
    "Pod Security level": (
        lambda o: namespace_labels(o).update({"pod-security.kubernetes.io/warn": "strict"}),
        "one of privileged, baseline, restricted",
    ),
    "surge with a hostPort": (
        lambda o: daemonset(o)["spec"]["updateStrategy"]["rollingUpdate"].update(maxSurge=1),
        "the rollout hangs",
    ),
    "Secret value in a ConfigMap": (
        lambda o: config(o).update(R2_SECRET_ACCESS_KEY="abc"),
        "R2_SECRET_ACCESS_KEY belongs into a Secret",
    ),
    "resources missing": (lambda o: nginx(o).pop("resources"), "has no limits.memory"),
    "memory without a unit": (lambda o: app(o)["resources"]["requests"].update(memory="128"), "is the unit missing?"),
    "limit below the request": (lambda o: app(o)["resources"]["limits"].update(memory="64Mi"), "smaller than the request"),
    "image without a tag": (lambda o: app(o).update(image="bashupload"), "moves; give it a version or a digest"),
    "image latest": (lambda o: app(o).update(image="bashupload:latest"), "moves; give it a version or a digest"),
    "digest cut short": (lambda o: app(o).update(image="bashupload@sha256:6c3c"), "64 hexadecimal digits"),
    "probe of a port that is not exposed": (
        lambda o: app(o)["readinessProbe"]["httpGet"].update(port=3001),
        "asks port 3001, which that container does not expose",
    ),
    "probe of the other container's port": (
        lambda o: app(o)["livenessProbe"]["httpGet"].update(port="http"),
        "asks port 'http', which that container does not expose",
    ),
    "two cleaners": (lambda o: config(o).update(NO_CLEANUP="false"), "two cleaners"),
    "no cleaner": (lambda o: job(o).update(suspend=True), "no cleaner"),
    "cleaners at a time": (lambda o: job(o).update(concurrencyPolicy="Allow"), "must be Forbid"),
    "grace too short": (
        lambda o: pod(o).update(terminationGracePeriodSeconds=30),
        "shorter than preStop + SHUTDOWN_GRACE = 130 s",
    ),
    "nginx less patient than the server": (
        lambda o: nginx_config(o, r"worker_processes 2;", "worker_processes 2; \nworker_shutdown_timeout 60s;"),
        "nginx cuts what bashupload waits for",
    ),
    "DNS of the cluster": (lambda o: pod(o).update(dnsPolicy="ClusterFirst"), "dnsPolicy must be Default"),
    "proxy not trusted": (lambda o: config(o).update(TRUSTED_PROXIES=""), "one rate limit for the world"),
    "credentials of the machine in reach": (
        lambda o: store_policy(o)["egress"][0]["to"][0]["ipBlock"]["except"].remove("169.254.0.0/16"),
        "except 169.254.0.0/16",
    ),
    "nginx allows less than the server": (
        lambda o: config(o).update(MAX_UPLOAD_SIZE="6GiB"),
        "client_max_body_size is 5121 MiB and MAX_UPLOAD_SIZE 6GiB",
    ),
    "more connections than nginx has memory for": (
        lambda o: nginx_config(o, r"worker_connections \d+", "worker_connections 4096"),
        "nginx may need 1960 MiB and has 256",
    ),
    "a worker for each processor": (
        lambda o: nginx_config(o, r"worker_processes \d+", "worker_processes auto"),
        "worker_processes is auto: it counts the processors of the machine",
    ),
    "heads of 128 KiB": (
        lambda o: nginx_config(o, r"large_client_header_buffers 1 34k", "large_client_header_buffers 4 32k"),
        "nginx may need 350 MiB and has 256",
    ),
    "nginx without limits of requests": (
        lambda o: nginx_config(o, r"\n\s*limit_conn (requests|clients) .*", ""),
        "one client can take all memory",
    ),
    "nginx without an end of memory": (
        lambda o: nginx(o).update(command=["nginx", "-c", "/etc/bashupload-nginx/nginx.conf", "-g", "daemon off;"]),
        "started without `ulimit -d`",
    ),
    "an end of memory beyond the container's": (
        lambda o: nginx(o).update(command=[word.replace("-d 120832", "-d 240000") for word in nginx(o)["command"]]),
        "are more than the container has (256 MiB)",
    ),
    "no room for probes": (
        lambda o: config(o).update(MAX_CONNECTIONS="200"),
        "nginx lets 200 requests in and MAX_CONNECTIONS is 200",
    ),
    "nginx lets more of one client in than the server": (
        lambda o: config(o).update(MAX_CONNECTIONS_PER_CLIENT="16"),
        "nginx lets 32 requests of one client in and MAX_CONNECTIONS_PER_CLIENT is 16",
    ),
    "namespace misspelt": (
        lambda o: find(o, "Service", "bashupload")["metadata"].update(namespace="bash-upload"),
        "the namespace bash-upload is nowhere made",
    ),
    "privilege": (lambda o: app(o)["securityContext"].pop("capabilities"), "drop all capabilities"),
    "variable that is a number": (lambda o: app(o)["env"][1].update(value=3000), "put it in quotes"),
    "emptyDir without an end": (lambda o: pod(o)["volumes"][-1].update(emptyDir={}), "it can fill the disk"),
    "issuer misspelt": (
        lambda o: find(o, "Certificate", "bashupload-wildcard")["spec"]["issuerRef"].update(name="letsencrypt-prod"),
        "the ClusterIssuer letsencrypt-prod is not there",
    ),
    "policy that binds nothing": (
        lambda o: remove(o, "ValidatingAdmissionPolicy", "bashupload-pods"),
        "nothing would be checked",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_found(name):
    mistake, words = MISTAKES[name]
    objects = build(BASE)
    mistake(objects)
    found = problems(objects)
    assert any(words in line for line in found), f"not found; what was found: {found}"
    assert all(line.split(": ")[0].split()[0] in {item["kind"] for item in build(BASE)} for line in found), found
    assert len(found) <= 3, f"one mistake, a flood of lines: {found}"


def test_quota_that_is_too_small(tmp_path):
    objects = build(overlay(tmp_path / "o", ("quota",)))
    quota = find(objects, "ResourceQuota", "bashupload")
    assert problems(objects) == []
    for key, amount in {"requests.memory": "1Gi", "limits.memory": "2Gi", "requests.cpu": "600m", "pods": "5"}.items():
        changed = copy.deepcopy(objects)
        find(changed, "ResourceQuota", "bashupload")["spec"]["hard"][key] = amount
        found = problems(changed)
        small = key != "requests.memory"  # one GiB is enough for three
        assert any(f"{key} is {amount} and 3 edges need" in line for line in found) is small, found
    assert quota["spec"]["hard"]["pods"] == "6"
    assert len(problems(objects, edges=4)) == 4 and problems(objects, edges=2) == []


# Mistakes that schemas find: (kind, name, change, words)
AGAINST_SCHEMAS = {
    "unknown field": ("DaemonSet", "bashupload", lambda i: i["spec"].update(updateStrategies={}), "updateStrategies"),
    "wrong type": ("Service", "bashupload", lambda i: i["spec"]["ports"][0].update(port="80"), "80"),
    "api version gone": ("CronJob", "bashupload-cleanup", lambda i: i.update(apiVersion="batch/v1beta1"), "no schema"),
    "unknown kind": ("Service", "bashupload", lambda i: i.update(kind="Servise"), "no schema"),
    "ACME profile": (
        "ClusterIssuer",
        "bashupload-letsencrypt",
        lambda i: i["spec"]["acme"].update(profile="short-lived"),
        "short-lived",
    ),
    "rotation": (
        "Certificate",
        "bashupload-wildcard",
        lambda i: i["spec"]["privateKey"].update(rotationPolicy="Alway"),
        "Alway",
    ),
    "RSA size for ECDSA": ("Certificate", "bashupload-wildcard", lambda i: i["spec"]["privateKey"].update(size=2048), "2048"),
    "name with a path": (
        "Certificate",
        "bashupload-wildcard",
        lambda i: i["spec"]["dnsNames"].append("https://x.org"),
        "https://x.org",
    ),
    "solver misspelt": (
        "ClusterIssuer",
        "bashupload-letsencrypt",
        lambda i: i["spec"]["acme"]["solvers"][0].update(dns1={}),
        "dns1",
    ),
}


@pytest.mark.parametrize("name", AGAINST_SCHEMAS)
def test_mistake_is_found_by_a_schema(name):
    kind, object_name, change, words = AGAINST_SCHEMAS[name]
    item = find(build(BASE), kind, object_name)
    assert violations(item) == []
    change(item)
    found = violations(item)
    assert found and any(words in line for line in found), found


COMPONENT_MISTAKES = {
    "VPA that evicts": ("vpa", "VerticalPodAutoscaler", "bashupload", lambda s: s["updatePolicy"].update(updateMode="Auto")),
    "VPA with YAML's Off": ("vpa", "VerticalPodAutoscaler", "bashupload", lambda s: s["updatePolicy"].update(updateMode=False)),
    "Plan without a pinned version": ("upgrade-controller", "Plan", "k3s-server", lambda s: s.update(version="stable")),
    "chart without a version": ("falco", "HelmChart", "falco", lambda s: s.pop("version")),
}


@pytest.mark.parametrize("name", COMPONENT_MISTAKES)
def test_mistake_in_a_component_is_found_by_a_schema(name, tmp_path):
    component, kind, object_name, change = COMPONENT_MISTAKES[name]
    item = find(build(overlay(tmp_path / "o", (component,))), kind, object_name)
    change(item["spec"])
    assert violations(item)
