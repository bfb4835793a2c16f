"""The tree builds, and everything that it builds is right: schemas, the relations between objects, the server's own reading."""

import os
import re

import pytest
import yaml

import running
from kustomize import BASE, COMPONENTS, KUBERNETES, ROOT, build, find, overlay
from object_checks import containers, pod_template, problems, walk
from schema_checks import violations

# own-certificate takes away what others keep; tls-direct takes away nginx. Both are in: they must get along with all.
SETS = {
    "base": (),
    **{name: (name,) for name in COMPONENTS},
    "all": tuple(COMPONENTS),
    "all with nginx and cert-manager": tuple(name for name in COMPONENTS if name not in ("tls-direct", "own-certificate")),
}


@pytest.fixture(params=SETS, ids=[name.replace(" ", "-") for name in SETS])
def objects(request, tmp_path_factory):
    name = request.param
    folder = BASE if name == "base" else overlay(tmp_path_factory.mktemp("overlay"), SETS[name])
    return build(folder)


def test_components_are_those_of_the_features():
    """Each optional feature has its component, and each component says when it pays and what it costs."""
    assert set(COMPONENTS) == {
        *("descheduler", "falco", "logs", "longhorn", "monitoring", "own-certificate", "quota", "spot", "tls-direct"),
        *("tunnel", "upgrade-controller", "vpa"),
    }
    for name in COMPONENTS:
        readme = (KUBERNETES / "components" / name / "README.md").read_text()
        assert "**When it pays:**" in readme and "**Memory:**" in readme, name


def test_every_object_is_valid(objects):
    assert [line for item in objects for line in violations(item)] == []


def test_no_mistakes_that_schemas_miss(objects):
    assert problems(objects) == []


def test_example_overlay_and_cert_manager(objects=None):
    for folder in (KUBERNETES / "overlays/example", KUBERNETES / "cert-manager"):
        built = build(folder)
        assert [line for item in built for line in violations(item)] == []
        assert problems(built) == []
    example = build(KUBERNETES / "overlays/example")
    images = {c["name"]: c["image"] for item in example if pod_template(item) for c in containers(pod_template(item))}
    assert images["bashupload"] == images["cleanup"] == "registry.example.org/bashupload:0.1.0"
    assert find(example, "Certificate", "bashupload-wildcard")["spec"]["dnsNames"][0] == "files.example.org"


class Strict(yaml.SafeLoader):
    """YAML in which a key that stands twice is a mistake and not a way to lose the first."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep) for key, _ in node.value]
        double = {key for key in keys if keys.count(key) > 1}
        assert not double, f"{node.start_mark}: twice: {double}"
        return super().construct_mapping(node, deep)


@pytest.mark.parametrize("path", sorted(KUBERNETES.rglob("*.y*ml")), ids=lambda path: str(path.relative_to(KUBERNETES)))
def test_no_key_stands_twice(path):
    for document in yaml.load_all(path.read_text(), Strict):
        assert document is not None, "an empty document"
        for _, value in walk(document):
            if isinstance(value, str) and "\n" in value and path.name != "kustomization.yaml" and "valuesContent" in path.read_text():
                yaml.load(value, Strict)  # values of charts


def test_a_changed_setting_replaces_the_pods(tmp_path):
    """The hash of the ConfigMap is part of its name, and the name is part of the pod."""
    names = set()
    for number, limit in enumerate(("1GiB", "2GiB")):
        extra = (
            "configMapGenerator: [{name: bashupload, namespace: bashupload, behavior: merge,"
            f" literals: [MAX_UPLOAD_SIZE={limit}]}}]\n"
        )
        built = build(overlay(tmp_path / str(number), (), extra))
        config = find(built, "ConfigMap", "bashupload")
        assert config["data"]["MAX_UPLOAD_SIZE"] == limit and config["data"]["MAX_AGE"] == "3600", "merged, not replaced"
        template = pod_template(find(built, "DaemonSet", "bashupload"))
        assert template["spec"]["containers"][-1]["envFrom"][0]["configMapRef"]["name"] == config["metadata"]["name"]
        names.add(config["metadata"]["name"])
    assert len(names) == 2


def known_settings() -> set:
    """The settings table of the README, which a test of its own compares with the server."""
    return set(re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))


def server_environment(built: list, workload: str, kind: str) -> dict:
    """What the container of bashupload sees, but for Secrets."""
    container = pod_template(find(built, kind, workload))["spec"]["containers"][-1]
    values = {}
    for source in container["envFrom"]:
        if "configMapRef" in source:
            values.update(find(built, "ConfigMap", source["configMapRef"]["name"])["data"])
    values.update({variable["name"]: variable["value"] for variable in container["env"]})
    return values


@pytest.mark.parametrize("components", [(), ("tls-direct",), ("monitoring",)], ids=str)
@pytest.mark.parametrize("kind, workload", [("DaemonSet", "bashupload"), ("CronJob", "bashupload-cleanup")])
def test_the_server_reads_its_settings(tmp_path, components, kind, workload):
    """No name that the server does not know, and no value that it refuses."""
    values = server_environment(build(overlay(tmp_path / "overlay", components)), workload, kind)
    assert set(values) <= known_settings()
    for name in ("TLS_CERT_FILE", "TLS_KEY_FILE"):
        if name in values:
            values[name] = str(tmp_path / name)
            (tmp_path / name).write_text("")
    printed = running.run(["serve", "--print-config"], tmp_path, values)
    assert printed.returncode == 0, printed.stderr
    shown = dict(line.split("=", 1) for line in printed.stdout.splitlines() if re.match(r"[A-Z0-9_]+=", line))
    for name in ("PUBLIC_URL", "NO_CLEANUP", "METRICS_HOST", "SHUTDOWN_GRACE"):
        assert shown[name] == values[name], (name, shown)
    assert shown["MAX_UPLOAD_SIZE"] in ("5GiB", str(5 * 2**30))


def test_the_image_can_be_what_the_pod_asks():
    """User, port and folders of the Dockerfile and of the pod agree, and nothing is written outside of a volume."""
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    spec = pod_template(find(build(BASE), "DaemonSet", "bashupload"))["spec"]
    container = spec["containers"][-1]
    assert re.search(r"^USER (\d+)", dockerfile, re.MULTILINE)[1] == str(container["securityContext"]["runAsUser"])
    assert re.search(r'^ENTRYPOINT \["/usr/local/bin/bashupload"\]', dockerfile, re.MULTILINE)
    assert re.search(r"^EXPOSE 3000 9090", dockerfile, re.MULTILINE)
    assert container["args"] == ["serve"]


def test_no_image_and_no_secret_is_written_out():
    """Nothing in the tree looks like a credential; every digest has been looked up, not made up."""
    for path in sorted(KUBERNETES.rglob("*")):
        if path.is_file():
            text = path.read_text()
            assert "PRIVATE KEY" not in text and not re.search(r"AKIA[0-9A-Z]{16}|eyJ[A-Za-z0-9_-]{20,}", text), path
            for digest in re.findall(r"sha256:([0-9a-f]+)", text):
                assert len(digest) == 64 and len(set(digest)) > 10, f"{path}: {digest}"
    assert os.path.islink(KUBERNETES) is False


@pytest.mark.parametrize("name", COMPONENTS)
def test_images_of_components_are_pinned(name, tmp_path):
    """By a digest, whose source the README tells; a tag can be moved. `bashupload` is what the overlay says."""
    documented = (KUBERNETES / "README.md").read_text()
    for item in build(overlay(tmp_path / "o", (name,))):
        for container in containers(pod_template(item)) if pod_template(item) else ():
            image = container["image"]
            if image.startswith("bashupload:"):
                continue
            tagged, _, digest = image.partition("@")
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest), f"{image}: no digest; crane digest {tagged}"
            if not tagged.startswith("docker.io/library/nginx:"):
                assert f"| `{tagged}` | `{digest}` |" in documented, f"{image}: the README does not say where its digest is from"


def test_the_plans_have_what_they_name(tmp_path):
    """Namespace, account and rights of the upgrade controller come with the component; only its kind does not."""
    built = build(overlay(tmp_path / "o", ("upgrade-controller",)))
    for plan in ("k3s-server", "k3s-agent"):
        spec, namespace = find(built, "Plan", plan)["spec"], find(built, "Plan", plan)["metadata"]["namespace"]
        labels = find(built, "Namespace", namespace)["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "privileged", "no pod of an upgrade would be made"
        account = find(built, "ServiceAccount", spec["serviceAccountName"])["metadata"]
        assert account["namespace"] == namespace
        bound = [
            item["roleRef"]["name"]
            for item in built
            if item["kind"] in ("ClusterRoleBinding", "RoleBinding")
            and {"kind": "ServiceAccount", "name": account["name"], "namespace": namespace} in item["subjects"]
        ]
        assert len(bound) == 2
        nodes = [rule for rule in find(built, "ClusterRole", bound[0])["rules"] if "nodes" in rule["resources"]]
        assert {"get", "list", "watch", "patch", "update"} <= set(nodes[0]["verbs"]), "the pods cordon the node"
    controller = pod_template(find(built, "Deployment", "system-upgrade-controller"))["spec"]
    assert controller["serviceAccountName"] == "system-upgrade" and controller.get("automountServiceAccountToken") is not False
    readme = (KUBERNETES / "components/upgrade-controller/README.md").read_text()
    version = re.search(r":(v[\d.]+)@", controller["containers"][0]["image"])[1]
    assert f"`crd.yaml` of release {version} of rancher/system-upgrade-controller" in readme
