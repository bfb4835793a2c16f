"""What schema validators and `kubectl kustomize` let through, and an API server or a running cluster would not.

`problems(objects, edges)` gives one line per mistake: which object, what is wrong, what to do. The objects of one installation are
checked together, because half of these mistakes are between two objects.
"""

import re

import nginx_memory

# Created by the operator and by cert-manager; never part of the tree.
EXPECTED_SECRETS = {
    ("bashupload", "bashupload-r2"),
    ("bashupload", "bashupload-tls"),
    ("bashupload-tunnel", "bashupload-tunnel"),
    ("bashupload-logs", "bashupload-loki"),
}
# Namespaces that something else makes: the cluster, cert-manager.
FOREIGN_NAMESPACES = {"kube-system", "cert-manager"}

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?")
IMAGE = re.compile(r"(?P<name>[a-z0-9][a-z0-9./:_-]*?)(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(@(?P<digest>[^@]+))?")
QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
SCALE = {"m": 1e-3, None: 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
CRON_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
SECRET_WORDS = re.compile(r"PASSWORD|SECRET|TOKEN|ACCESS_KEY|PRIVATE|CREDENTIAL", re.IGNORECASE)

ENUMS = {
    "concurrencyPolicy": {"Allow", "Forbid", "Replace"},
    "dnsPolicy": {"Default", "ClusterFirst", "ClusterFirstWithHostNet", "None"},
    "effect": {"NoSchedule", "PreferNoSchedule", "NoExecute"},
    "failurePolicy": {"Fail", "Ignore"},
    "fsGroupChangePolicy": {"OnRootMismatch", "Always"},
    "imagePullPolicy": {"Always", "IfNotPresent", "Never"},
    "mountPropagation": {"None", "HostToContainer", "Bidirectional"},
    "preemptionPolicy": {"Never", "PreemptLowerPriority"},
    "protocol": {"TCP", "UDP", "SCTP"},
    "restartPolicy": {"Always", "OnFailure", "Never"},
    "scheme": {"HTTP", "HTTPS"},
    "terminationMessagePolicy": {"File", "FallbackToLogsOnError"},
}
# Fields that are called the same and mean something else depending on where they stand.
ENUMS_AT = {
    (("updateStrategy", "type"), frozenset({"RollingUpdate", "OnDelete"})),
    (("strategy", "type"), frozenset({"RollingUpdate", "Recreate"})),
    (("seccompProfile", "type"), frozenset({"RuntimeDefault", "Localhost", "Unconfined"})),
    (("hostPath", "type"), frozenset({"", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket", "CharDevice"})),
}
OPERATORS = {
    "tolerations": {"Exists", "Equal"},
    "matchExpressions": {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"},
}
PORT_FIELDS = {"containerPort", "hostPort", "nodePort"}
POD_SECURITY_LEVELS = ("privileged", "baseline", "restricted")
WORKLOADS = {"DaemonSet", "Deployment", "StatefulSet", "CronJob", "Job", "Pod"}


def quantity(text) -> float:
    """A Kubernetes quantity as a number; ValueError if it is none."""
    match = QUANTITY.fullmatch(str(text))
    if not match:
        raise ValueError(f"{text!r} is no quantity")
    return float(match[1]) * SCALE[match[2]]


def title(item: dict) -> str:
    namespace = item["metadata"].get("namespace")
    return f"{item['kind']} {namespace + '/' if namespace else ''}{item['metadata']['name']}"


def walk(value, path=()):
    """Every (path, value) below `value`."""
    yield path, value
    if isinstance(value, dict):
        for key, child in value.items():
            yield from walk(child, (*path, key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from walk(child, (*path, number))


def pod_template(item: dict):
    """The pod template of a workload, or None."""
    spec = item.get("spec", {})
    if item["kind"] == "Pod":
        return item
    if item["kind"] == "CronJob":
        spec = spec.get("jobTemplate", {}).get("spec", {})
    return spec.get("template") if item["kind"] in WORKLOADS else None


def containers(template: dict) -> list:
    spec = template["spec"]
    return spec.get("containers", []) + spec.get("initContainers", [])


class Installation:
    """All objects of one installation on so many edges, and the questions that the checks ask about them."""

    def __init__(self, objects: list, edges: int = 3):
        self.objects = objects
        self.edges = edges
        self.workloads = [(item, pod_template(item)) for item in objects if pod_template(item)]

    def of_kind(self, *kinds) -> list:
        return [item for item in self.objects if item["kind"] in kinds]

    def get(self, kind: str, name: str, namespace=None):
        for item in self.of_kind(kind):
            if item["metadata"]["name"] == name and item["metadata"].get("namespace") == namespace:
                return item
        return None

    def settings(self) -> dict:
        """The ConfigMap of the server."""
        for item in self.of_kind("ConfigMap"):
            if re.fullmatch(r"bashupload(-[a-z0-9]{10})?", item["metadata"]["name"]):
                return item.get("data") or {}
        return {}


# -- the checks; each yields (object, line)


def names(them):
    for item in them.objects:
        name, namespace = item["metadata"]["name"], item["metadata"].get("namespace")
        allowed = DNS_LABEL if item["kind"] in ("Service", "Namespace") else DNS_SUBDOMAIN
        if not allowed.fullmatch(name):
            yield item, f"the name {name!r} is not allowed: lower-case letters, digits and '-', at most 63 characters"
        if item["kind"] == "CronJob" and len(name) > 52:
            yield item, f"the name has {len(name)} characters; a CronJob adds 11 for its Jobs: at most 52"
        for key, value in (item["metadata"].get("labels") or {}).items():
            if not isinstance(value, str) or not LABEL_VALUE.fullmatch(value):
                yield item, f"the label {key} has the value {value!r}: a string of at most 63 letters, digits, '-', '_', '.'"
        if namespace and namespace not in FOREIGN_NAMESPACES and not them.get("Namespace", namespace):
            yield item, f"the namespace {namespace} is nowhere made: add it, or correct the name"


def enums(them):
    for item in them.objects:
        if item["kind"] in ("ConfigMap", "HelmChart"):
            continue
        for path, value in walk(item):
            if not path or not isinstance(value, str):
                continue
            allowed = ENUMS.get(path[-1])
            for tail, values in ENUMS_AT:
                if path[-2:] == tail:
                    allowed = values
            if path[-1] == "operator":
                owner = [part for part in path if part in OPERATORS]
                allowed = OPERATORS[owner[-1]] if owner else None
            if item["kind"] == "Service" and path == ("spec", "type"):
                allowed = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}
            if allowed is not None and value not in allowed:
                yield item, f"{path[-1]} is {value!r}; one of {', '.join(sorted(allowed))}"
        if item["kind"] == "Namespace":
            for key, value in (item["metadata"].get("labels") or {}).items():
                if key.startswith("pod-security.kubernetes.io/") and not key.endswith("-version"):
                    if value not in POD_SECURITY_LEVELS:
                        yield item, f"{key} is {value!r}; one of {', '.join(POD_SECURITY_LEVELS)}"


def ports(them):
    for item in them.objects:
        for path, value in walk(item.get("spec", {})):
            is_port = bool(path) and (path[-1] in PORT_FIELDS or (path[-1] in ("port", "targetPort", "endPort")))
            if is_port and isinstance(value, int) and not 1 <= value <= 65535:
                yield item, f"{path[-1]} is {value}; 1 to 65535"
    for item, template in them.workloads:
        seen, numbers = set(), set()
        for container in containers(template):
            for port in container.get("ports", []):
                name = port.get("name")
                if name is not None:
                    if len(name) > 15 or not PORT_NAME.fullmatch(name):
                        yield item, f"the port name {name!r}: at most 15 lower-case letters, digits and '-', with a letter"
                    if name in seen:
                        yield item, f"the port name {name!r} is used twice: names are per pod"
                    seen.add(name)
                key = (port.get("containerPort"), port.get("protocol", "TCP"))
                if key in numbers:
                    yield item, f"containerPort {key[0]} is declared twice: containers of a pod share their ports"
                numbers.add(key)


def selectors(them):
    for item, template in them.workloads:
        if item["kind"] in ("CronJob", "Job", "Pod"):
            continue
        labels = template["metadata"].get("labels") or {}
        wanted = item["spec"].get("selector", {}).get("matchLabels") or {}
        if not wanted or any(labels.get(key) != value for key, value in wanted.items()):
            yield item, f"the selector {wanted} does not match the labels of its own pods {labels}"
    pods = [(item["metadata"].get("namespace"), t["metadata"].get("labels") or {}, t) for item, t in them.workloads]

    def matching(namespace, wanted):
        return [t for place, labels, t in pods if place == namespace and wanted.items() <= labels.items()]

    for service in them.of_kind("Service"):
        wanted = service["spec"].get("selector") or {}
        found = matching(service["metadata"].get("namespace"), wanted)
        if not found:
            yield service, f"the selector {wanted} matches no pod of this namespace"
            continue
        for port in service["spec"].get("ports", []):
            target = port.get("targetPort", port.get("port"))
            declared = [p for t in found for c in containers(t) for p in c.get("ports", [])]
            if target not in [p.get("name") for p in declared] + [p.get("containerPort") for p in declared]:
                yield service, f"targetPort {target!r} is no port of the pods that it selects"
    for policy in them.of_kind("NetworkPolicy"):
        wanted = policy["spec"].get("podSelector", {}).get("matchLabels") or {}
        if wanted and not matching(policy["metadata"].get("namespace"), wanted):
            yield policy, f"podSelector {wanted} matches no pod of this namespace: it protects and permits nothing"


def references(them):
    """Everything that is named must be there: volumes, ConfigMaps and their keys, Secrets, accounts, classes, roles."""
    for item, template in them.workloads:
        namespace, spec = item["metadata"].get("namespace"), template["spec"]
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        mounted = {}

        def config_map(name, keys=()):
            found = them.get("ConfigMap", name, namespace)
            if not found:
                yield item, f"the ConfigMap {name} is not there"
                return
            for key in keys:
                if key not in (found.get("data") or {}):
                    yield item, f"the ConfigMap {name} has no key {key!r}; it has {', '.join(found.get('data') or {})}"

        def secret(name):
            if (namespace, name) not in EXPECTED_SECRETS and not them.get("Secret", name, namespace):
                yield item, f"the Secret {name} is expected by nobody: the README does not say how it is made"

        for container in containers(template):
            paths = set()
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    yield item, f"container {container['name']} mounts the volume {mount['name']!r}, which is not there"
                if mount["mountPath"] in paths:
                    yield item, f"container {container['name']} mounts two volumes at {mount['mountPath']}"
                if mount.get("subPath"):
                    yield item, f"the mount {mount['mountPath']} has a subPath: it would never see a change"
                paths.add(mount["mountPath"])
                mounted.setdefault(mount["name"], []).append(container["name"])
            for source in container.get("envFrom", []):
                if "configMapRef" in source:
                    yield from config_map(source["configMapRef"]["name"])
                if "secretRef" in source:
                    yield from secret(source["secretRef"]["name"])
            variables = [variable["name"] for variable in container.get("env", [])]
            for name in sorted({name for name in variables if variables.count(name) > 1}):
                yield item, f"container {container['name']} sets {name} twice"
            for variable in container.get("env", []):
                source = variable.get("valueFrom") or {}
                if "configMapKeyRef" in source:
                    yield from config_map(source["configMapKeyRef"]["name"], [source["configMapKeyRef"]["key"]])
                if "secretKeyRef" in source:
                    yield from secret(source["secretKeyRef"]["name"])
                if "value" in variable and not isinstance(variable["value"], str):
                    yield item, f"{variable['name']} is {variable['value']!r} and must be a string: put it in quotes"
        for name, volume in volumes.items():
            if name not in mounted:
                yield item, f"the volume {name} is mounted by no container"
            if "configMap" in volume:
                keys = [entry["key"] for entry in volume["configMap"].get("items", [])]
                yield from config_map(volume["configMap"].get("name"), keys)
            if "secret" in volume:
                yield from secret(volume["secret"].get("secretName"))
            if "emptyDir" in volume and not (volume["emptyDir"] or {}).get("sizeLimit"):
                yield item, f"the emptyDir {name} has no sizeLimit: it can fill the disk of the node"
        account = spec.get("serviceAccountName", "default")
        if account != "default" and not them.get("ServiceAccount", account, namespace):
            yield item, f"the ServiceAccount {account} is not there: no pod would be made"
        priority = spec.get("priorityClassName")
        if priority and not priority.startswith("system-") and not them.get("PriorityClass", priority):
            yield item, f"the PriorityClass {priority} is not there: no pod would be made"
    for binding in them.of_kind("RoleBinding", "ClusterRoleBinding"):
        namespace = binding["metadata"].get("namespace")
        role = binding["roleRef"]
        if not them.get(role["kind"], role["name"], namespace if role["kind"] == "Role" else None):
            yield binding, f"the {role['kind']} {role['name']} is not there"
        for subject in binding.get("subjects", []):
            if subject["kind"] == "ServiceAccount" and not them.get("ServiceAccount", subject["name"], subject.get("namespace")):
                yield binding, f"the ServiceAccount {subject.get('namespace')}/{subject['name']} is not there"
    for role in them.of_kind("Role", "ClusterRole"):
        for rule in role.get("rules", []):
            if "*" in rule.get("verbs", []) + rule.get("resources", []) + rule.get("apiGroups", []):
                yield role, "a rule with '*' grants more than anybody has thought of: name verbs and resources"
    for binding in them.of_kind("ValidatingAdmissionPolicyBinding"):
        if not them.get("ValidatingAdmissionPolicy", binding["spec"]["policyName"]):
            yield binding, f"the policy {binding['spec']['policyName']} is not there: nothing would be checked"
        unknown = set(binding["spec"].get("validationActions", [])) - {"Deny", "Warn", "Audit"}
        if unknown:
            yield binding, f"validationActions has {sorted(unknown)}; Deny, Warn and Audit exist"
    for certificate in them.of_kind("Certificate"):
        issuer = certificate["spec"]["issuerRef"]
        if issuer.get("kind") == "ClusterIssuer" and not them.get("ClusterIssuer", issuer["name"]):
            yield certificate, f"the ClusterIssuer {issuer['name']} is not there"


def probes(them):
    for item, template in them.workloads:
        for container in containers(template):
            declared = container.get("ports", [])
            known = [port.get("name") for port in declared] + [port.get("containerPort") for port in declared]
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                probe = container.get(kind)
                if not probe:
                    continue
                handler = probe.get("httpGet") or probe.get("tcpSocket") or probe.get("grpc") or {}
                if "port" in handler and handler["port"] not in known:
                    yield item, f"{kind} of {container['name']} asks port {handler['port']!r}, which that container does not expose"
                if probe.get("timeoutSeconds", 1) > probe.get("periodSeconds", 10):
                    yield item, f"{kind} of {container['name']}: timeoutSeconds is longer than periodSeconds"
                path = (probe.get("httpGet") or {}).get("path")
                if path is not None and not path.startswith("/"):
                    yield item, f"{kind} of {container['name']}: the path {path!r} must begin with '/'"


def images(them):
    for item, template in them.workloads:
        for container in containers(template):
            image = container.get("image", "")
            match = IMAGE.fullmatch(image)
            if not match:
                yield item, f"{container['name']}: {image!r} is no image"
            elif match["digest"] is not None and not re.fullmatch(r"sha256:[0-9a-f]{64}", match["digest"]):
                yield item, f"{container['name']}: the digest of {image} is not sha256: and 64 hexadecimal digits"
            elif match["digest"] is None and match["tag"] in (None, "latest", "stable", "dev", "main", "edge"):
                yield item, f"{container['name']}: the image {image} moves; give it a version or a digest"


def resources(them):
    for item, template in them.workloads:
        for container in containers(template):
            given = container.get("resources") or {}
            requests, limits = given.get("requests") or {}, given.get("limits") or {}
            for group, entry in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
                if entry not in (given.get(group) or {}):
                    yield item, f"container {container['name']} has no {group}.{entry}: on a node of 2 GB it is needed"
            try:
                for entry in set(requests) & set(limits):
                    if quantity(limits[entry]) < quantity(requests[entry]):
                        yield item, f"container {container['name']}: the limit of {entry} is smaller than the request"
                if quantity(requests.get("memory", 0)) < 1e6 and "memory" in requests:
                    yield item, f"container {container['name']} requests {requests['memory']} of memory: is the unit missing?"
            except ValueError as error:
                yield item, f"container {container['name']}: {error}"


def pod_security(them):
    """What the namespace enforces must let the pods be made; and nothing has more rights than it needs."""
    for item, template in them.workloads:
        spec = template["spec"]
        namespace = them.get("Namespace", item["metadata"].get("namespace"))
        labels = (namespace or {"metadata": {}})["metadata"].get("labels") or {}
        level = labels.get("pod-security.kubernetes.io/enforce", "privileged")
        above = []
        for container in containers(template):
            own = container.get("securityContext") or {}
            host_ports = [port["hostPort"] for port in container.get("ports", []) if port.get("hostPort")]
            if host_ports:
                above.append(f"hostPort {', '.join(map(str, host_ports))}")
            if own.get("privileged"):
                above.append("a privileged container")
            if own.get("allowPrivilegeEscalation") is not False:
                yield item, f"container {container['name']}: allowPrivilegeEscalation must be false"
            if "ALL" not in (own.get("capabilities") or {}).get("drop", []):
                yield item, f"container {container['name']}: drop all capabilities"
            if not own.get("readOnlyRootFilesystem"):
                yield item, f"container {container['name']}: readOnlyRootFilesystem must be true; mount an emptyDir where it writes"
            if level == "restricted" and not (own.get("runAsNonRoot") or (spec.get("securityContext") or {}).get("runAsNonRoot")):
                yield item, f"container {container['name']}: the namespace enforces restricted, which needs runAsNonRoot"
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(field):
                above.append(field)
        if any("hostPath" in volume for volume in spec.get("volumes", [])):
            above.append("hostPath volumes")
        if (spec.get("securityContext") or {}).get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield item, "the pod has no seccompProfile RuntimeDefault"
        if above and level != "privileged":
            yield item, f"{', '.join(above)} under Pod Security {level!r}: it is accepted and no pod ever appears"


def host_ports(them):
    for item, template in them.workloads:
        taken = [port["hostPort"] for c in containers(template) for port in c.get("ports", []) if port.get("hostPort")]
        if not taken:
            continue
        if item["kind"] == "DaemonSet":
            rolling = (item["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
            if rolling.get("maxSurge", 0) not in (0, "0", "0%"):
                yield item, "maxSurge with a hostPort: the second pod can never start and the rollout hangs"
        elif item["kind"] != "Pod" and item["spec"].get("replicas", 1) != 1:
            yield item, "a hostPort and several replicas: use a DaemonSet"


def jobs(them):
    for item in them.of_kind("CronJob", "Job"):
        spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
        policy = spec["template"]["spec"].get("restartPolicy", "Always")
        if policy not in ("Never", "OnFailure"):
            yield item, f"restartPolicy of a Job is Never or OnFailure, not {policy}"
        if "activeDeadlineSeconds" not in spec:
            yield item, "no activeDeadlineSeconds: a stuck run would block all later ones (concurrencyPolicy Forbid)"
        if item["kind"] == "CronJob":
            if not cron(item["spec"]["schedule"]):
                yield item, f"the schedule {item['spec']['schedule']!r} is not five cron fields"
            if "startingDeadlineSeconds" not in item["spec"]:
                yield item, "no startingDeadlineSeconds: after 100 missed runs it never starts again"


def cron(text: str) -> bool:
    parts = str(text).split()
    if len(parts) != 5:
        return False
    for part, (low, high) in zip(parts, CRON_FIELDS):
        for piece in part.split(","):
            match = re.fullmatch(r"(\*|\d+(?:-\d+)?)(?:/(\d+))?", piece)
            if not match or match[2] == "0":
                return False
            bounds = [] if match[1] == "*" else list(map(int, match[1].split("-")))
            if any(not low <= number <= high for number in bounds) or bounds != sorted(bounds):
                return False
    return True


def secrets(them):
    for item in them.of_kind("Secret"):
        yield item, "a Secret in the tree: its values would be in the repository; create it beside, and reference it by name"
    for item in them.of_kind("ConfigMap"):
        for key, value in (item.get("data") or {}).items():
            if SECRET_WORDS.search(key) and value:
                yield item, f"{key} belongs into a Secret, not into a ConfigMap that everybody may read"
            if "PRIVATE KEY-----" in str(value):
                yield item, f"{key} holds a private key"
    for item, template in them.workloads:
        for container in containers(template):
            for variable in container.get("env", []):
                if SECRET_WORDS.search(variable["name"]) and variable.get("value"):
                    yield item, f"container {container['name']}: {variable['name']} is written out; take it from a Secret"


def service_rules(them):
    """What holds of this service and no other."""
    settings = them.settings()
    daemonset = them.get("DaemonSet", "bashupload", "bashupload")
    cleanup = them.get("CronJob", "bashupload-cleanup", "bashupload")
    if daemonset:
        runs = cleanup is not None and not cleanup["spec"].get("suspend")
        serves_clean = settings.get("NO_CLEANUP") != "true"
        if runs and serves_clean:
            yield daemonset, "two cleaners: the CronJob runs and NO_CLEANUP is not true, so every node cleans as well"
        if not runs and not serves_clean:
            yield daemonset, "no cleaner: NO_CLEANUP is true and the CronJob is missing or suspended; nothing would ever expire"
        if cleanup and cleanup["spec"].get("concurrencyPolicy") != "Forbid":
            yield cleanup, "concurrencyPolicy must be Forbid: two runs at a time delete the same objects"
        spec = daemonset["spec"]["template"]["spec"]
        stops = [((c.get("lifecycle") or {}).get("preStop") or {}).get("sleep", {}).get("seconds", 0) for c in spec["containers"]]
        needed = max(stops) + int(settings.get("SHUTDOWN_GRACE", 30))
        if spec.get("terminationGracePeriodSeconds", 30) < needed:
            yield daemonset, f"terminationGracePeriodSeconds is shorter than preStop + SHUTDOWN_GRACE = {needed} s: transfers are cut"
        if spec.get("dnsPolicy") != "Default":
            yield daemonset, "dnsPolicy must be Default: else the node cannot reach its bucket when the cluster's DNS is away"
        if "bashupload.app/role" not in (spec.get("nodeSelector") or {}):
            yield daemonset, "no nodeSelector bashupload.app/role: every new machine would serve at once"
        if any(c["name"] == "nginx" for c in spec["containers"]):
            if "127.0.0.1" not in settings.get("TRUSTED_PROXIES", ""):
                yield daemonset, "TRUSTED_PROXIES lacks 127.0.0.1: all clients would be nginx, one rate limit for the world"
        elif settings.get("TRUSTED_PROXIES"):
            yield daemonset, "TRUSTED_PROXIES is set and there is no proxy: clients could choose their address"
        own = [policy for policy in them.of_kind("NetworkPolicy") if policy["metadata"].get("namespace") == "bashupload"]
        if not any(not p["spec"].get("podSelector") and {"Ingress", "Egress"} <= set(p["spec"].get("policyTypes", [])) for p in own):
            yield daemonset, "no NetworkPolicy that denies everything by default in the namespace bashupload"
        for policy in own:
            for rule in policy["spec"].get("egress", []):
                open_ports = [port.get("port") for port in rule.get("ports", [])] or ["any"]
                blocks = [peer["ipBlock"] for peer in rule.get("to", []) if "ipBlock" in peer]
                closed = all_except(blocks, "169.254.0.0/16") if blocks else False
                if not closed and set(open_ports) - {53}:
                    yield policy, "egress reaches 169.254.169.254, where the machine's credentials are: except 169.254.0.0/16"
    for item in them.of_kind("ConfigMap"):
        limits = (item.get("data") or {}).get("limits.conf", "")
        match = re.search(r"^\s*client_max_body_size\s+(\d+)m;", limits, re.MULTILINE)
        if match and "MAX_UPLOAD_SIZE" in settings:
            size = byte_count(settings["MAX_UPLOAD_SIZE"])
            if not size < int(match[1]) * 2**20 <= size + 2 * 2**20:
                allowed = f"client_max_body_size is {match[1]} MiB and MAX_UPLOAD_SIZE {settings['MAX_UPLOAD_SIZE']}"
                yield item, f"{allowed}: 1 MiB more is right"
        nginx = (item.get("data") or {}).get("nginx.conf")
        patience = re.search(r"^\s*worker_shutdown_timeout\s+(\d+)s?;", nginx or "", re.MULTILINE)
        if patience and int(patience[1]) < int(settings.get("SHUTDOWN_GRACE", 30)):
            yield item, f"worker_shutdown_timeout is {patience[1]} s, shorter than SHUTDOWN_GRACE: nginx cuts what bashupload waits for"
        for container in containers(daemonset["spec"]["template"]) if daemonset and nginx else ():
            limit = (container.get("resources") or {}).get("limits", {}).get("memory")
            if container["name"] == "nginx" and limit:
                for line in nginx_memory.problems(nginx, settings, container, quantity(limit)):
                    yield item, line



def all_except(blocks: list, network: str) -> bool:
    return all(network in block.get("except", []) for block in blocks if block["cidr"] == "0.0.0.0/0")


def byte_count(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*(KiB|MiB|GiB|TiB|kB|MB|GB|TB)?", str(text))
    units = {None: 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
    return int(int(match[1]) * units[match[2]])


def quotas(them):
    """A quota must hold a pod on every edge, one that is ending, and two runs of the cleanup."""
    for quota in them.of_kind("ResourceQuota"):
        namespace = quota["metadata"].get("namespace")
        needed = {}
        for item, template in them.workloads:
            if item["metadata"].get("namespace") != namespace:
                continue
            count = them.edges + 1 if item["kind"] == "DaemonSet" else 2
            needed["pods"] = needed.get("pods", 0) + count
            for container in containers(template):
                for group, entries in (container.get("resources") or {}).items():
                    for entry, amount in entries.items():
                        key = f"{group}.{entry}"
                        needed[key] = needed.get(key, 0) + count * quantity(amount)
        for key, amount in quota["spec"]["hard"].items():
            if key in needed and quantity(amount) < needed[key] - 1e-9:
                yield quota, f"{key} is {amount} and {them.edges} edges need {needed[key]:.10g}: the last node would get no pod"


CHECKS = (
    names,
    enums,
    ports,
    selectors,
    references,
    probes,
    images,
    resources,
    pod_security,
    host_ports,
    jobs,
    secrets,
    service_rules,
    quotas,
)


def problems(objects: list, edges: int = 3) -> list:
    """One line per mistake, in the order of the checks; empty when there is none."""
    installation = Installation(objects, edges)
    return [f"{title(item)}: {line}" for check in CHECKS for item, line in check(installation)]
