"""docs/seeds.md has a row for every key of the four YAML files, and what the documents promise is there."""

import re

import pytest

from kustomize import KUBERNETES, ROOT, build, BASE
from object_checks import containers, pod_template

SEEDS = (ROOT / "docs/seeds.md").read_text()
# The keys of the first document, file by file, as the table writes them.
KEYS = """
Secret cloudflare-api-token-secret | metadata.namespace: cert-manager | type: Opaque | stringData.api-token
ClusterIssuer letsencrypt-prod | spec.acme.server | spec.acme.email: example@example.com | spec.acme.privateKeySecretRef.name
solvers[].dns01.cloudflare.apiTokenSecretRef | solvers[].selector.dnsZones
Certificate wildcard-cert | spec.secretName: wildcard-tls-secret | spec.issuerRef.name | spec.issuerRef.kind | spec.dnsNames
Namespace bashupload | Secret bashupload-secret | R2_ACCOUNT_ID | R2_ACCESS_KEY_ID | R2_SECRET_ACCESS_KEY | R2_BUCKET_NAME
ConfigMap bashupload-config | MAX_UPLOAD_SIZE: "5368709120" | MAX_AGE: "3600" | MAX_AGE_FOR_MULTIDOWNLOAD: "86400"
ENABLE_SHORT_URL: "false" | SHORT_URL_SERVICE | ALLOW_LIFETIME_OVER_MAX_AGE: "false" | NO_CLEANUP: "true"
ConfigMap bashupload-nginx-conf | worker_processes auto | worker_connections 1024 | sendfile on | client_max_body_size 5G
listen 80 | listen [::]:80 | listen 443 ssl http2 | server_name _ | ssl_certificate /etc/nginx/certs/tls.crt
ssl_certificate_key | ssl_protocols TLSv1.2 TLSv1.3 | ssl_ciphers HIGH:!aNULL:!MD5 | ssl_prefer_server_ciphers on
ssl_session_cache shared:SSL:10m | ssl_session_timeout 10m | location = /servads.txt | proxy_pass http://127.0.0.1:3000
proxy_set_header Host $host | proxy_set_header X-Real-IP $remote_addr
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for | proxy_set_header X-Forwarded-Proto $scheme
proxy_request_buffering off | DaemonSet bashupload | spec.selector.matchLabels.app | template.metadata.labels.app
affinity.nodeAffinity … kubernetes.io/hostname NotIn server6127 | containers[nginx].image: nginx:1.27-alpine | ports[http]
ports[https] | hostPort: 80 | volumeMounts nginx.conf subPath | volumeMounts /etc/nginx/certs readOnly
livenessProbe /servads.txt port http | readinessProbe /servads.txt | readinessProbe / | initialDelaySeconds | periodSeconds
timeoutSeconds | failureThreshold | containers[bashupload].image: dulljz/bashupload-go:dev | ports[app].containerPort: 3000
env PORT: "3000" | envFrom secretRef, configMapRef | resources.requests cpu "0.5", memory "128Mi" | volumes configMap
volumes secret | restartPolicy: Always | Service ClusterIP | port 80 | port 443 | targetPort http | targetPort https
"""


@pytest.mark.parametrize("key", [key.strip() for line in KEYS.strip().splitlines() for key in line.split("|")])
def test_every_key_has_a_row(key):
    rows = [line for line in SEEDS.splitlines() if line.startswith("|") and f"`{key}`" in line.split("|")[1]]
    assert rows, f"no row for {key}"
    for row in rows:
        assert len(row.split("|")) == 5 and row.split("|")[2].strip(), row


def test_every_technique_of_the_second_document_names_what_shows_it():
    table = SEEDS[SEEDS.index("## Techniques of the second document") :]
    rows = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| it says")]
    # What the document should have said has a row, too.
    assert len([row for row in rows if not row.startswith("| (nothing ")]) == 31
    tests = {str(path.relative_to(ROOT / "Tests/Integration")) for path in (ROOT / "Tests/Integration").rglob("test_*.py")}
    for row in rows:
        cells = row.strip("| ").split(" | ")
        assert len(cells) == 4 and all(cells), row
        for name in re.findall(r"`([\w/]+\.py)`", cells[3]):
            assert name in tests, f"{name} shows nothing: {row}"


def test_paths_in_the_documents_exist():
    for document in (ROOT / "docs/seeds.md", KUBERNETES / "README.md"):
        for path in re.findall(r"`((?:base|components|overlays|cert-manager|deploy)/[\w./-]+)`", document.read_text()):
            assert any((root / path).exists() for root in (ROOT, KUBERNETES, ROOT / "Tests/Integration")), f"{document.name}: {path}"


def test_names_that_overlays_rely_on():
    """The table of names in the README is what the base builds."""
    readme = (KUBERNETES / "README.md").read_text()
    table = readme[readme.index("## Names") :]
    for item in build(BASE):
        name = re.sub(r"-[a-z0-9]{10}$", "", item["metadata"]["name"]) if item["kind"] == "ConfigMap" else item["metadata"]["name"]
        if item["kind"] != "NetworkPolicy":
            assert f"`{name}`" in table, f"{item['kind']} {name} is not in the README"
        for container in containers(pod_template(item)) if pod_template(item) else ():
            assert f"`{container['name']}`" in table, container["name"]
            assert f"`{container['image'].split(':')[0]}`" in table, container["image"]
