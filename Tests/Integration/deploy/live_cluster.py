"""A Kubernetes API server that is there already, seen through kubectl alone.

`KUBECONFIG_TEST` names its kubeconfig. It must be empty of bashupload: the stories create and destroy what `deploy` owns. Where
it has no nodes (kube-apiserver and etcd alone, as envtest starts them) this makes some, and plays the few controllers that
deploy waits for; a real k3s cluster needs nodes with the role of an edge and the image of the cluster file.
"""

import json
import subprocess
import threading

EVERYTHING = (
    "namespaces,configmaps,secrets,serviceaccounts,resourcequotas,daemonsets,deployments,cronjobs,leases,priorityclasses,"
    "networkpolicies,roles,rolebindings,clusterroles,clusterrolebindings,validatingadmissionpolicies,"
    "validatingadmissionpolicybindings,helmcharts.helm.cattle.io"
)


def definition(group, kind, plural, scope):
    """A CustomResourceDefinition that takes anything."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group, "scope": scope, "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema, "subresources": {"status": {}}}],
        },
    }


class LiveCluster:
    def __init__(self, kubeconfig):
        self.kubeconfig = str(kubeconfig)
        namespaces = [item["metadata"]["name"] for item in self.items("namespaces")]
        assert "bashupload" not in namespaces, "KUBECONFIG_TEST names a cluster that runs bashupload: the stories would destroy it"
        self.ends = threading.Event()
        self.controllers = None
        if not self.items("nodes"):
            self.prepare()
            self.controllers = threading.Thread(target=self.control, daemon=True)
            self.controllers.start()

    def shutdown(self):
        self.ends.set()
        if self.controllers:
            self.controllers.join()

    # What the stories ask

    def objects(self):
        return self.items(EVERYTHING)

    def state(self):
        """Everything but what the server itself counts: equal when nothing has been written that says something else."""
        own = ("resourceVersion", "managedFields", "generation")
        return [
            {**item, "status": None, "metadata": {key: value for key, value in item["metadata"].items() if key not in own}}
            for item in self.objects() if item["kind"] != "Lease"
        ]

    def edit(self, kind, name, namespace, patch):
        self.kubectl("patch", kind, name, f"--namespace={namespace}", "--type=merge", f"--patch={json.dumps(patch)}")

    def create(self, value):
        self.kubectl("create", "--filename=-", stdin=value)

    # kubectl

    def kubectl(self, *words, stdin=None, check=True):
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={self.kubeconfig}", *words], capture_output=True, text=True, timeout=60,
            input=json.dumps(stdin) if stdin else None,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def items(self, kinds):
        out = self.kubectl("get", kinds, "--all-namespaces", "--output=json", "--ignore-not-found", check=False)
        return json.loads(out)["items"] if out else []

    def has(self, kind, name, namespace="default"):
        return bool(self.kubectl("get", kind, name, f"--namespace={namespace}", "--output=name", "--ignore-not-found", check=False))

    def set_status(self, item, status):
        meta = item["metadata"]
        where = [f"--namespace={meta['namespace']}"] if "namespace" in meta else []
        self.kubectl(
            "patch", item["kind"], meta["name"], *where, "--subresource=status", "--type=merge", f"--patch={json.dumps({'status': status})}"
        )

    # The controllers that an API server alone does not have

    def prepare(self):
        if not self.has("customresourcedefinitions", "helmcharts.helm.cattle.io"):
            self.create(definition("helm.cattle.io", "HelmChart", "helmcharts", "Namespaced"))
        for name, role in (("cp-1", "control"), ("edge-1", "edge"), ("edge-2", "edge"), ("edge-3", "edge")):
            self.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"bashupload.app/role": role}}})
        for node in self.items("nodes"):
            self.set_status(
                node, {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1.33.5+k3s1"}})

    def control(self):
        while not self.ends.wait(0.5):
            try:
                kinds = "daemonsets,namespaces,helmcharts.helm.cattle.io"
                if self.has("customresourcedefinitions", "certificates.cert-manager.io"):
                    kinds += ",certificates.cert-manager.io"
                for item in self.items(kinds):
                    getattr(self, f"control_{item['kind']}", lambda item: None)(item)
            except AssertionError:
                pass  # It has changed or gone meanwhile: the next round sees it.

    def control_HelmChart(self, item):
        known = self.has("customresourcedefinitions", "certificates.cert-manager.io")
        if item["metadata"]["name"] != "cert-manager" or known:
            return
        labels = {"app": "webhook"}
        if not self.has("namespaces", "cert-manager"):
            self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "cert-manager"}})
        self.create({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cert-manager-webhook", "namespace": "cert-manager"},
            "spec": {"selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {"containers": [{"name": "webhook", "image": "webhook:1"}]}}},
        })
        for deployment in self.items("deployments"):
            self.set_status(deployment, {"replicas": 1, "readyReplicas": 1})
        self.create(definition("cert-manager.io", "ClusterIssuer", "clusterissuers", "Cluster"))
        self.create(definition("cert-manager.io", "Certificate", "certificates", "Namespaced"))

    def control_Certificate(self, item):
        if not item.get("status"):
            self.set_status(item, {"conditions": [{"type": "Ready", "status": "True"}], "notAfter": "2027-01-05T00:00:00Z"})

    def control_DaemonSet(self, item):
        edges = [node for node in self.items("nodes") if node["metadata"]["labels"].get("bashupload.app/role") == "edge"]
        counts = ("currentNumberScheduled", "desiredNumberScheduled", "updatedNumberScheduled", "numberReady", "numberMisscheduled")
        status = dict.fromkeys(counts, len(edges)) | {"numberMisscheduled": 0, "observedGeneration": item["metadata"]["generation"]}
        if (item.get("status") or {}).get("observedGeneration") != status["observedGeneration"]:
            self.set_status(item, status)

    def control_Namespace(self, item):
        if item["metadata"].get("deletionTimestamp") and item.get("spec", {}).get("finalizers"):
            name = item["metadata"]["name"]
            for kind in EVERYTHING.split(","):
                self.kubectl("delete", kind, "--all", f"--namespace={name}", "--wait=false", check=False)
            item["spec"]["finalizers"] = []
            self.kubectl("replace", "--raw", f"/api/v1/namespaces/{name}/finalize", "--filename=-", stdin=item)
