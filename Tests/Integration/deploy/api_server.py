"""As much of a Kubernetes API server as the real kubectl needs to run `bashupload deploy`: discovery, server-side apply with one
field manager, dry runs, label selectors, optimistic locking, and the few controllers that deploy waits for."""

import json
import re
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# (group, version): kind -> (plural, namespaced)
KINDS = {
    ("", "v1"): {
        "ConfigMap": ("configmaps", True), "Secret": ("secrets", True), "Namespace": ("namespaces", False),
        "Node": ("nodes", False), "Pod": ("pods", True), "Event": ("events", True), "Service": ("services", True),
        "ServiceAccount": ("serviceaccounts", True), "ResourceQuota": ("resourcequotas", True), "LimitRange": ("limitranges", True),
    },
    ("apps", "v1"): {"DaemonSet": ("daemonsets", True), "Deployment": ("deployments", True)},
    ("batch", "v1"): {"CronJob": ("cronjobs", True), "Job": ("jobs", True)},
    ("coordination.k8s.io", "v1"): {"Lease": ("leases", True)},
    ("scheduling.k8s.io", "v1"): {"PriorityClass": ("priorityclasses", False)},
    ("networking.k8s.io", "v1"): {"NetworkPolicy": ("networkpolicies", True)},
    ("rbac.authorization.k8s.io", "v1"): {
        "Role": ("roles", True), "RoleBinding": ("rolebindings", True),
        "ClusterRole": ("clusterroles", False), "ClusterRoleBinding": ("clusterrolebindings", False)},
    ("admissionregistration.k8s.io", "v1"): {
        "ValidatingAdmissionPolicy": ("validatingadmissionpolicies", False),
        "ValidatingAdmissionPolicyBinding": ("validatingadmissionpolicybindings", False),
    },
    ("apiextensions.k8s.io", "v1"): {"CustomResourceDefinition": ("customresourcedefinitions", False)},
    ("helm.cattle.io", "v1"): {"HelmChart": ("helmcharts", True)},
}
CERT_MANAGER = {("cert-manager.io", "v1"): {"Certificate": ("certificates", True), "ClusterIssuer": ("clusterissuers", False)}}


def merge(old, new):
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{key: merge(old.get(key), value) for key, value in new.items()}}


def remove(value, owned, wanted):
    """What we owned and name no longer goes; what others own stays."""
    if not isinstance(value, dict) or not isinstance(owned, dict):
        return value
    kept = {key: item for key, item in value.items() if key not in owned or key in wanted}
    return {key: remove(item, owned.get(key), wanted.get(key) or {}) for key, item in kept.items()}


class Cluster:
    def __init__(self, has_controllers=True):
        """Without controllers it is what kube-apiserver alone is: somebody else says what came of the objects."""
        self.has_controllers = has_controllers
        self.kinds = {group: dict(kinds) for group, kinds in KINDS.items() if has_controllers or group[0] != "helm.cattle.io"}
        self.objects, self.owned, self.requests = {}, {}, []
        # Namespaces that end, and how often they have been read since.
        self.ending = {}
        self.version, self.lock = 100, threading.RLock()

    def base(self, group, version):
        return f"/apis/{group}/{version}" if group else f"/api/{version}"

    def find(self, path):
        match = re.fullmatch(r"/(?:api|apis/([^/]+))/([^/]+)(?:/namespaces/([^/]+))?/([a-z]+)(?:/([^/]+))?(?:/status)?", path)
        if not match:
            return None
        group, version, namespace, plural, name = match.groups()
        for kind, (own, _) in self.kinds.get((group or "", version), {}).items():
            if own == plural:
                return group or "", version, kind, namespace or "", name
        return None

    def end(self, namespace):
        """A namespace is not gone at once: what is in it goes first, and meanwhile it says that it ends."""
        with self.lock:
            value = json.loads(json.dumps(self.objects[("", "Namespace", "", namespace)]))
            value["metadata"]["deletionTimestamp"] = "2026-11-22T00:00:00Z"
            value["status"] = {"phase": "Terminating"}
            self.objects[("", "Namespace", "", namespace)] = value
            self.ending.setdefault(namespace, 0)
            return value

    def look(self):
        """Each look at namespaces is one nearer to their end; the third finds those that end gone."""
        with self.lock:
            for namespace in list(self.ending):
                self.ending[namespace] += 1
                if self.ending[namespace] > 2:
                    del self.ending[namespace]
                    for key in [key for key in self.objects if key[2] == namespace or key[1:] == ("Namespace", "", namespace)]:
                        del self.objects[key]

    def created(self, old):
        return old.get("metadata", {}).get("creationTimestamp") or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def put(self, group, kind, namespace, name, value):
        with self.lock:
            self.version += 1
            old = self.objects.get((group, kind, namespace, name), {})
            meta = value.setdefault("metadata", {})
            meta.update(name=name, uid=f"uid-{name}", resourceVersion=str(self.version), creationTimestamp=self.created(old))
            if namespace:
                meta["namespace"] = namespace
            meta["generation"] = old.get("metadata", {}).get("generation", 0) + (old.get("spec") != value.get("spec"))
            return value

    def store(self, group, kind, namespace, name, value):
        self.objects[(group, kind, namespace, name)] = value
        self.control(group, kind, namespace, name, value)

    def control(self, group, kind, namespace, name, value):
        if kind == "CustomResourceDefinition" and "spec" in value:
            spec = value["spec"]
            place = (spec["group"], spec["versions"][0]["name"])
            self.kinds.setdefault(place, {})[spec["names"]["kind"]] = (spec["names"]["plural"], spec["scope"] == "Namespaced")
        if not self.has_controllers:
            return
        if kind == "HelmChart" and name == "cert-manager":
            self.kinds.update(CERT_MANAGER)
            for plural in ("certificates", "clusterissuers"):
                self.seed("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "", f"{plural}.cert-manager.io")
            self.seed("apps", "v1", "Deployment", "cert-manager", "cert-manager-webhook", status={"readyReplicas": 1})
        if kind == "Certificate":
            value["status"] = {"conditions": [{"type": "Ready", "status": "True"}], "notAfter": "2027-01-05T00:00:00Z"}
        if kind == "DaemonSet":
            edges = [k for k, v in self.objects.items() if k[1] == "Node" and v["metadata"]["labels"].get("bashupload.app/role") == "edge"]
            value["status"] = {"observedGeneration": value["metadata"]["generation"]} | dict.fromkeys(
                ("desiredNumberScheduled", "updatedNumberScheduled", "numberReady", "numberAvailable"), len(edges)
            )

    def seed(self, group, version, kind, namespace, name, **more):
        api = f"{group}/{version}" if group else version
        labels = more.pop("labels", {})
        value = {"apiVersion": api, "kind": kind, "metadata": {"labels": labels}, **more}
        self.objects[(group, kind, namespace, name)] = self.put(group, kind, namespace, name, value)

    def apply(self, key, wanted, dry):
        with self.lock:
            old = self.objects.get(key)
            value = merge(remove(old or {}, self.owned.get(key), wanted), wanted)
            if key[1] == "DaemonSet":  # one of many defaults
                value["spec"]["template"]["spec"].setdefault("restartPolicy", "Always")
            value = self.put(*key, json.loads(json.dumps(value)))
            if not dry:
                self.owned[key] = wanted
                self.store(*key, value)
            return old is None, value


def serve(cluster: Cluster) -> ThreadingHTTPServer:
    """Listens on a free port of loopback until `shutdown`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet: in two, the second waits 40 ms for an acknowledgement of the first.
        wbufsize = 1 << 16

        def log_message(self, *arguments):
            pass

        def answer(self, code, value):
            body = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def refuse(self, code, reason, message):
            self.answer(code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code})

        def read(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return json.loads(body) if body else {}

        def begin(self):
            path, _, query = self.path.partition("?")
            cluster.requests.append((self.command, self.path))
            return path, urllib.parse.parse_qs(query), cluster.find(path)

        def do_GET(self):
            path, query, found = self.begin()
            if path in ("/api", "/apis", "/version") or path.startswith("/openapi"):
                return self.discover(path)
            for (group, version), kinds in cluster.kinds.items():
                if path == cluster.base(group, version):
                    verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
                    resources = [
                        {"name": plural, "singularName": kind.lower(), "namespaced": scoped, "kind": kind, "verbs": verbs}
                        for kind, (plural, scoped) in kinds.items()
                    ]
                    name = f"{group}/{version}" if group else version
                    return self.answer(200, {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources})
            if not found:
                return self.refuse(404, "NotFound", "the server could not find the requested resource")
            group, version, kind, namespace, name = found
            if "watch" in query:
                return self.watch(kind, query)
            if kind == "Namespace":
                cluster.look()
            if name:
                value = cluster.objects.get((group, kind, namespace, name))
                return self.answer(200, value) if value else self.refuse(404, "NotFound", f'{kind} "{name}" not found')
            terms = [term for term in query.get("labelSelector", [""])[0].split(",") if term]
            chosen = [
                value for (g, k, n, _), value in sorted(cluster.objects.items())
                if (g, k) == (group, kind) and namespace in ("", n) and all(matches(value, term) for term in terms)
                and query.get("fieldSelector", [""])[0] in ("", f"metadata.name={value['metadata']['name']}")
            ]
            name = f"{group}/{version}" if group else version
            self.answer(200, {"kind": f"{kind}List", "apiVersion": name, "metadata": {"resourceVersion": "1"}, "items": chosen})

        def watch(self, kind, query):
            """As far as `kubectl delete --wait` asks: until the one that it names is gone."""
            name = query.get("fieldSelector", [""])[0].partition("=")[2]
            value = cluster.objects.get(("", kind, "", name))
            while kind == "Namespace" and ("", kind, "", name) in cluster.objects:
                cluster.look()
                time.sleep(0.05)
            body = json.dumps({"type": "DELETED", "object": value}).encode() + b"\n" if value else b""
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def discover(self, path):
            groups = [
                {"name": g, "versions": [{"groupVersion": f"{g}/{v}", "version": v}], "preferredVersion": {"groupVersion": f"{g}/{v}", "version": v}}
                for g, v in cluster.kinds if g
            ]
            if path == "/api":
                return self.answer(200, {"kind": "APIVersions", "versions": ["v1"]})
            if path == "/apis":
                return self.answer(200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
            if path == "/version":
                return self.answer(200, {"major": "1", "minor": "33", "gitVersion": "v1.33.5+k3s1"})
            if path == "/openapi/v3":
                paths = {cluster.base(g, v)[1:]: {"serverRelativeURL": "/openapi/v3" + cluster.base(g, v)} for g, v in cluster.kinds}
                return self.answer(200, {"paths": paths})
            # kubectl only wants to know that the server validates fields itself.
            for (group, version), kinds in cluster.kinds.items():
                if path == "/openapi/v3" + cluster.base(group, version):
                    operation = lambda kind: {  # noqa: E731
                        "parameters": [{"name": "fieldValidation", "in": "query"}],
                        "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
                    }
                    paths = {
                        f"{cluster.base(group, version)}/{plural}/{{name}}": {"patch": operation(kind), "post": operation(kind), "put": operation(kind)}
                        for kind, (plural, _) in kinds.items()
                    }
                    return self.answer(200, {"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": paths})
            self.refuse(404, "NotFound", "the server could not find the requested resource")

        def do_PATCH(self):
            _, query, found = self.begin()
            group, _, kind, namespace, name = found
            if "merge-patch" in self.headers.get("Content-Type", ""):
                return self.patch((group, kind, namespace, name))
            if namespace and ("", "Namespace", "", namespace) not in cluster.objects and namespace != "kube-system":
                self.read()
                return self.refuse(404, "NotFound", f'namespaces "{namespace}" not found')
            if namespace in cluster.ending and (group, kind, namespace, name) not in cluster.objects:
                self.read()
                return self.refuse(403, "Forbidden", f"{name} is forbidden: namespace {namespace} is being terminated")
            is_new, value = cluster.apply((group, kind, namespace, name), self.read(), "dryRun" in query)
            self.answer(201 if is_new else 200, value)

        def patch(self, key):
            change = self.read()
            with cluster.lock:
                old = cluster.objects.get(key)
                if not old:
                    return self.refuse(404, "NotFound", f'{key[1]} "{key[3]}" not found')
                # Of what the stories patch, the status has a place of its own; neither says the rest.
                value = cluster.put(*key, merge(json.loads(json.dumps(old)), change))
                cluster.objects[key] = value
            self.answer(200, value)

        def do_PUT(self):
            _, _, found = self.begin()
            group, _, kind, namespace, name = found
            key, value = (group, kind, namespace, name), self.read()
            with cluster.lock:
                old = cluster.objects.get(key)
                if not old or value["metadata"].get("resourceVersion") != old["metadata"]["resourceVersion"]:
                    return self.refuse(409, "Conflict", f'Operation cannot be fulfilled on {kind} "{name}": the object has been modified')
                cluster.store(*key, cluster.put(*key, value))
            self.answer(200, cluster.objects[key])

        def do_POST(self):
            _, _, found = self.begin()
            group, _, kind, namespace, _ = found
            value = self.read()
            key = (group, kind, namespace, value["metadata"]["name"])
            if namespace in cluster.ending:
                return self.refuse(403, "Forbidden", f"{key[3]} is forbidden: namespace {namespace} is being terminated")
            if key in cluster.objects:
                return self.refuse(409, "AlreadyExists", f'{kind} "{key[3]}" already exists')
            cluster.store(*key, cluster.put(*key, value))
            self.answer(201, cluster.objects[key])

        def do_DELETE(self):
            _, _, found = self.begin()
            self.read()
            group, _, kind, namespace, name = found
            if kind == "Namespace" and ("", kind, "", name) in cluster.objects:
                return self.answer(200, cluster.end(name))
            value = cluster.objects.pop((group, kind, namespace, name), None)
            self.answer(200, value) if value else self.refuse(404, "NotFound", f'{kind} "{name}" not found')

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def matches(value, term):
    labels = value.get("metadata", {}).get("labels") or {}
    name, separator, wanted = term.partition("=")
    return labels.get(name) == wanted if separator else name in labels
