"""A Kubernetes API server that is there already, seen through kubectl alone.

`KUBECONFIG_TEST` names its kubeconfig. It must be empty of bashupload: the stories create and destroy what `deploy` owns. Where
it has no nodes (`Tests/kubernetes-server`) this makes some and plays their kubelets, the Helm controller and cert-manager; where
it has no controllers either (kube-apiserver and etcd alone, as envtest starts them), those that deploy waits for as well. A real
k3s cluster needs nodes with the role of an edge and the image of the cluster file.
"""

import json
import subprocess
import threading
from datetime import datetime, timezone

EVERYTHING = (
    "namespaces,configmaps,secrets,serviceaccounts,resourcequotas,daemonsets,deployments,cronjobs,leases,priorityclasses,"
    "networkpolicies,roles,rolebindings,clusterroles,clusterrolebindings,validatingadmissionpolicies,"
    "validatingadmissionpolicybindings,helmcharts.helm.cattle.io"
)

# The label of nodes that are made here.
OURS = "bashupload.app/stand-in"


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
        if not any(OURS not in node["metadata"]["labels"] for node in self.items("nodes")):
            # The first account of a namespace is made by the controller manager.
            self.has_controllers = self.has("serviceaccounts", "default")
            self.prepare()
            self.controllers = threading.Thread(target=self.control, daemon=True)
            self.controllers.start()

    def shutdown(self):
        if self.controllers:
            # The next story begins with nothing, too.
            self.kubectl("delete", "helmcharts.helm.cattle.io", "--all", "--all-namespaces")
            self.kubectl("delete", "namespace", "cert-manager", "--ignore-not-found")
            kinds = [f"{plural}.cert-manager.io" for plural in ("certificates", "clusterissuers")]
            self.kubectl("delete", "customresourcedefinitions", *kinds, "--ignore-not-found")
        self.ends.set()
        if self.controllers:
            self.controllers.join()
            self.kubectl("delete", "nodes", f"--selector={OURS}")

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
            ["kubectl", f"--kubeconfig={self.kubeconfig}", *words], capture_output=True, text=True, timeout=120,
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

    # What runs on nodes and in the cluster, as far as it is not there

    def prepare(self):
        if not self.has("customresourcedefinitions", "helmcharts.helm.cattle.io"):
            self.create(definition("helm.cattle.io", "HelmChart", "helmcharts", "Namespaced"))
        for name, role in (("cp-1", "control"), ("edge-1", "edge"), ("edge-2", "edge"), ("edge-3", "edge")):
            if not self.has("nodes", name):
                labels = {"bashupload.app/role": role, OURS: "yes"}
                self.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
        room = {"cpu": "2", "memory": "2Gi", "ephemeral-storage": "40Gi", "pods": "110"}
        for node in self.items("nodes"):
            self.set_status(node, {
                "conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1.33.5+k3s1"},
                "capacity": room, "allocatable": room,
            })

    def control(self):
        while not self.ends.wait(0.5):
            try:
                kinds = "helmcharts.helm.cattle.io," + ("pods" if self.has_controllers else "daemonsets,namespaces")
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
        if not self.has_controllers:
            for deployment in self.items("deployments"):
                self.set_status(deployment, {"replicas": 1, "readyReplicas": 1})
        self.create(definition("cert-manager.io", "ClusterIssuer", "clusterissuers", "Cluster"))
        self.create(definition("cert-manager.io", "Certificate", "certificates", "Namespaced"))

    def control_Certificate(self, item):
        if not item.get("status"):
            self.set_status(item, {"conditions": [{"type": "Ready", "status": "True"}], "notAfter": "2027-01-05T00:00:00Z"})

    def control_Pod(self, item):
        """The kubelet: pods run at once, those of jobs are done at once, an image whose digest begins with dead is nowhere."""
        meta, spec = item["metadata"], item["spec"]
        if meta.get("deletionTimestamp"):
            where = f"--namespace={meta['namespace']}"
            self.kubectl("delete", "pod", meta["name"], where, "--grace-period=0", "--force", "--wait=false", "--ignore-not-found")
        elif spec.get("nodeName") and not item["status"].get("containerStatuses"):
            now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            is_broken = any("@sha256:dead" in container["image"] for container in spec["containers"])
            is_done = spec["restartPolicy"] == "Never" and not is_broken
            state = {"running": {"startedAt": now}}
            if is_broken:
                state = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
            elif is_done:
                state = {"terminated": {"exitCode": 0, "startedAt": now, "finishedAt": now}}
            is_ready = not is_broken and not is_done
            self.set_status(item, {
                "phase": "Pending" if is_broken else "Succeeded" if is_done else "Running", "startTime": now, "podIP": "10.42.0.9",
                "conditions": [
                    {"type": kind, "status": str(is_ready), "lastTransitionTime": now} for kind in ("Ready", "ContainersReady")
                ],
                "containerStatuses": [
                    {"name": container["name"], "image": container["image"], "imageID": "", "ready": is_ready, "restartCount": 0,
                     "state": state}
                    for container in spec["containers"]
                ],
            })

    def control_DaemonSet(self, item):
        edges = [node for node in self.items("nodes") if node["metadata"]["labels"].get("bashupload.app/role") == "edge"]
        counts = ("currentNumberScheduled", "desiredNumberScheduled", "updatedNumberScheduled", "numberReady", "numberAvailable", "numberMisscheduled")
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
