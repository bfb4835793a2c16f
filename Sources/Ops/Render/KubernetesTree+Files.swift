// swift-format-ignore-file
// Written by scripts/embed-kubernetes from deploy/kubernetes: run it after a change there.

extension KubernetesTree {
  /// Every file by its path below deploy/kubernetes.
  package static let files: [String: String] = [
    "base/admission-policy.yaml": ##"""
# What Pod Security cannot say: hostPort 80 and 443, and nothing else of what the level "privileged" lets through.
# Controllers are checked as well as pods, so that the answer comes with `kubectl apply` and not as an event later.
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: bashupload-pods
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
      - apiGroups: [""]
        apiVersions: [v1]
        operations: [CREATE, UPDATE]
        resources: [pods]
      - apiGroups: [apps]
        apiVersions: [v1]
        operations: [CREATE, UPDATE]
        resources: [daemonsets, deployments, statefulsets]
  variables:
    - name: spec
      expression: "has(object.spec.template) ? object.spec.template.spec : object.spec"
    - name: containers
      expression: "variables.spec.containers + (has(variables.spec.initContainers) ? variables.spec.initContainers : [])"
  validations:
    - expression: >-
        variables.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.hostPort) || p.hostPort == 0 || p.hostPort in [80, 443]))
      message: "only the hostPorts 80 and 443 may be used in the namespace bashupload"
      reason: Forbidden
    - expression: >-
        !(has(variables.spec.hostNetwork) && variables.spec.hostNetwork) &&
        !(has(variables.spec.hostPID) && variables.spec.hostPID) &&
        !(has(variables.spec.hostIPC) && variables.spec.hostIPC)
      message: "hostNetwork, hostPID and hostIPC are not allowed in the namespace bashupload"
      reason: Forbidden
    - expression: >-
        variables.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || !c.securityContext.privileged)
      message: "privileged containers are not allowed in the namespace bashupload"
      reason: Forbidden
    - expression: >-
        !has(variables.spec.volumes) || variables.spec.volumes.all(v, !has(v.hostPath))
      message: "hostPath volumes are not allowed in the namespace bashupload"
      reason: Forbidden
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: bashupload-pods
spec:
  policyName: bashupload-pods
  validationActions: [Deny]
  matchResources:
    namespaceSelector:
      matchLabels:
        kubernetes.io/metadata.name: bashupload

"""##,
    "base/bashupload.env": ##"""
# The settings of `bashupload serve` and `bashupload cleanup` that are no secrets; README.md lists them all.
# Account, bucket and keys are in the Secret bashupload-r2.
PUBLIC_URL=https://bashupload.app

# nginx is in the same pod, so its address is loopback; nobody else is believed about client addresses.
TRUSTED_PROXIES=127.0.0.1,::1

MAX_UPLOAD_SIZE=5GiB
MAX_AGE=3600
MAX_AGE_FOR_MULTIDOWNLOAD=86400
ALLOW_LIFETIME_OVER_MAX_AGE=false
ENABLE_SHORT_URL=false

# There is one bucket, and one cleaner of it: the CronJob bashupload-cleanup. Servers that clean too would list the
# bucket once per node and interval.
NO_CLEANUP=true

# One client may not fill a node of 2 CPUs and 2 GB by itself. An office behind one address is one client.
MAX_CONNECTIONS=500
MAX_CONNECTIONS_PER_CLIENT=32
UPLOADS_PER_MINUTE=60

# The pod ends 150 s after it was told to (terminationGracePeriodSeconds): 10 s of preStop, this, and 20 s to spare.
SHUTDOWN_GRACE=120

# Any address of the pod: the NetworkPolicy lets nobody but the monitoring component in.
METRICS_HOST=0.0.0.0
METRICS_PORT=9090
LOG_FORMAT=json

"""##,
    "base/certificates.yaml": ##"""
# cert-manager 1.18 or newer. DNS-01, because only that gives a wildcard, and because every node answers on port 80.
# Try with the staging issuer first: its limits are wide, those of the real one are per week.
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata:
  name: bashupload-letsencrypt-staging
spec:
  acme:
    server: https://acme-staging-v02.api.letsencrypt.org/directory
    email: ops@bashupload.app
    profile: tlsserver
    privateKeySecretRef:
      name: bashupload-letsencrypt-staging-account
    solvers:
      - selector:
          dnsZones: [bashupload.app]
        dns01:
          cloudflare:
            apiTokenSecretRef:
              name: bashupload-cloudflare
              key: api-token
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata:
  name: bashupload-letsencrypt
spec:
  acme:
    server: https://acme-v02.api.letsencrypt.org/directory
    email: ops@bashupload.app
    # 45 days, server authentication only. "shortlived" (160 hours) works as well, since a renewed certificate is served
    # without anybody doing anything; it leaves two days to repair what keeps it from being renewed.
    profile: tlsserver
    privateKeySecretRef:
      name: bashupload-letsencrypt-account
    solvers:
      - selector:
          dnsZones: [bashupload.app]
        dns01:
          cloudflare:
            apiTokenSecretRef:
              name: bashupload-cloudflare
              key: api-token
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: bashupload-wildcard
  namespace: bashupload
spec:
  secretName: bashupload-tls
  issuerRef:
    group: cert-manager.io
    kind: ClusterIssuer
    name: bashupload-letsencrypt
  dnsNames: [bashupload.app, "*.bashupload.app"]
  # The issuer decides how long; a third of that time is left to renew.
  renewBeforePercentage: 33
  privateKey:
    # A fresh key each time: a stolen one is worth no more than one certificate.
    rotationPolicy: Always
    algorithm: ECDSA
    size: 256
  usages: [digital signature, server auth]

"""##,
    "base/cleanup.yaml": ##"""
# The one cleaner of the bucket. A run costs O(expired), so an empty one is a single listing.
apiVersion: batch/v1
kind: CronJob
metadata:
  name: bashupload-cleanup
  namespace: bashupload
  labels:
    app.kubernetes.io/name: bashupload
    app.kubernetes.io/component: cleanup
spec:
  schedule: "*/5 * * * *"
  timeZone: Etc/UTC
  # Never two at a time: they would delete the same objects twice.
  concurrencyPolicy: Forbid
  # A run that could not start within this time is left out; without it, 100 missed ones (a server that was away for a
  # morning) stop the CronJob for good.
  startingDeadlineSeconds: 200
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      backoffLimit: 2
      # Stuck in a dead store: give up before the third missed run; the next one goes on where this one stopped.
      activeDeadlineSeconds: 900
      ttlSecondsAfterFinished: 86400
      template:
        metadata:
          labels:
            app.kubernetes.io/name: bashupload
            app.kubernetes.io/component: cleanup
        spec:
          restartPolicy: Never
          serviceAccountName: bashupload
          automountServiceAccountToken: false
          enableServiceLinks: false
          dnsPolicy: Default
          terminationGracePeriodSeconds: 30
          securityContext:
            runAsNonRoot: true
            fsGroup: 10001
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: cleanup
              image: bashupload:0.1.0
              imagePullPolicy: IfNotPresent
              args: [cleanup, --json]
              envFrom:
                - configMapRef: { name: bashupload }
                - secretRef: { name: bashupload-r2 }
              env:
                - { name: DATA_DIR, value: /data }
              resources:
                requests: { cpu: 20m, memory: 48Mi }
                limits: { memory: 128Mi }
              securityContext:
                runAsUser: 10001
                runAsGroup: 10001
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities: { drop: [ALL] }
              volumeMounts:
                - name: data
                  mountPath: /data
                - name: tmp
                  mountPath: /tmp
          volumes:
            - name: data
              emptyDir: { sizeLimit: 1Gi }
            - name: tmp
              emptyDir: { sizeLimit: 64Mi }

"""##,
    "base/daemonset.yaml": ##"""
# One pod on every edge node: nginx takes the node's ports 80 and 443, ends TLS and hands over to bashupload on port 3000.
# There is no central ingress: a file would cross the network twice.
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: bashupload
  namespace: bashupload
  labels:
    app.kubernetes.io/name: bashupload
    app.kubernetes.io/component: edge
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: bashupload
      app.kubernetes.io/component: edge
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      # Two pods cannot have the same hostPort. The API accepts a surge and the rollout then waits for ever.
      maxSurge: 0
      maxUnavailable: 1
  # A pod that fails right after it became ready stops the rollout at the first node.
  minReadySeconds: 10
  revisionHistoryLimit: 5
  template:
    metadata:
      labels:
        app.kubernetes.io/name: bashupload
        app.kubernetes.io/component: edge
    spec:
      # By label, not by host name: a new machine serves when somebody says so.
      nodeSelector:
        bashupload.app/role: edge
      tolerations:
        # A server that is labelled as an edge too (a cluster of one node) serves, whatever taint it has as a server.
        - key: node-role.kubernetes.io/control-plane
          operator: Exists
          effect: NoSchedule
      priorityClassName: bashupload-edge
      serviceAccountName: bashupload
      automountServiceAccountToken: false
      enableServiceLinks: false
      # The node's own resolver: only public names are needed, and the cluster's DNS, the mesh and the server may be down
      # while this node's uplink is fine.
      dnsPolicy: Default
      # preStop (10 s) + SHUTDOWN_GRACE (120 s) + 20 s.
      terminationGracePeriodSeconds: 150
      securityContext:
        runAsNonRoot: true
        # Both containers read the certificate and write to their volumes as members of this group.
        fsGroup: 10001
        fsGroupChangePolicy: OnRootMismatch
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: nginx
          # The stable branch. The digest is the multi-platform index that docker-library/repo-info recorded for
          # nginx:stable-alpine (1.30.6) on 2026-10-21; compare with `docker buildx imagetools inspect` before changing it.
          image: docker.io/library/nginx:1.30.6-alpine@sha256:0e52bd054126cdc040b1276c0af347aeb02a41b9cfe305d6094767ac30e97949
          imagePullPolicy: IfNotPresent
          # Not the image's entry script: it edits files, and the root file system is read-only.
          command: [nginx, -c, /etc/bashupload-nginx/nginx.conf, -g, daemon off;]
          ports:
            # A process without privileges listens above 1024; the node's 80 and 443 are translated to these.
            - name: http
              containerPort: 8080
              hostPort: 80
              protocol: TCP
            - name: https
              containerPort: 8443
              hostPort: 443
              protocol: TCP
            - name: nginx-health
              containerPort: 8081
              protocol: TCP
          startupProbe:
            httpGet: { path: /, port: nginx-health }
            periodSeconds: 1
            timeoutSeconds: 2
            failureThreshold: 30
          livenessProbe:
            # nginx alone: when bashupload is the one that hangs, it is the one to be restarted.
            httpGet: { path: /, port: nginx-health }
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 3
          readinessProbe:
            # The way that clients take.
            httpGet: { path: /readyz, port: http }
            periodSeconds: 5
            timeoutSeconds: 4
            failureThreshold: 3
          lifecycle:
            preStop:
              # The Service stops sending before nginx stops listening.
              sleep: { seconds: 5 }
          resources:
            requests: { cpu: 50m, memory: 48Mi }
            # 2 MiB for each HTTP/2 upload in progress is what can grow. No CPU limit: throttling only makes transfers slow.
            limits: { memory: 256Mi }
          securityContext:
            runAsUser: 101
            runAsGroup: 101
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            # Folders, not subPath: a subPath mount never sees a change.
            - name: nginx-config
              mountPath: /etc/bashupload-nginx
              readOnly: true
            - name: certificate
              mountPath: /etc/bashupload-tls
              readOnly: true
            - name: nginx-tmp
              mountPath: /tmp
        - name: bashupload
          image: bashupload:0.1.0
          imagePullPolicy: IfNotPresent
          args: [serve]
          envFrom:
            - configMapRef: { name: bashupload }
            # Later wins: what is in the Secret cannot be overruled by a ConfigMap.
            - secretRef: { name: bashupload-r2 }
          env:
            - { name: HOST, value: 0.0.0.0 }
            - { name: PORT, value: "3000" }
            - { name: DATA_DIR, value: /data }
          ports:
            - name: app
              containerPort: 3000
              protocol: TCP
            - name: metrics
              containerPort: 9090
              protocol: TCP
          startupProbe:
            # Up to two minutes for a slow disk and an index to be checked; then the others take over.
            httpGet: { path: /healthz, port: app }
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /healthz, port: app }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: { path: /readyz, port: app }
            periodSeconds: 5
            timeoutSeconds: 4
            failureThreshold: 3
          lifecycle:
            preStop:
              # nginx stops taking requests at 5 s; bashupload refuses new ones only after that.
              sleep: { seconds: 10 }
          resources:
            requests: { cpu: 100m, memory: 128Mi }
            # 5 GiB up and down peaks at 62 MiB, 200 paused uploads at 65 MiB (docs/performance.md); the rest is for the
            # parts in memory of uploads on their way to the bucket.
            limits: { memory: 256Mi }
          securityContext:
            runAsUser: 10001
            runAsGroup: 10001
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - name: data
              mountPath: /data
            - name: app-tmp
              mountPath: /tmp
      volumes:
        - name: nginx-config
          configMap: { name: bashupload-nginx }
        - name: certificate
          secret:
            secretName: bashupload-tls
            defaultMode: 0440
        - name: nginx-tmp
          emptyDir: { sizeLimit: 64Mi }
        - name: app-tmp
          emptyDir: { sizeLimit: 64Mi }
        # The bucket is the truth; this is the node's journal and cache. It survives restarts of the container and of the
        # node, which is when there is something to finish (uploads to abort, deletes owed), and goes with the pod, which
        # had its time to finish. A hostPath would need root to make it writable and a way to forget it on old nodes.
        - name: data
          emptyDir: { sizeLimit: 4Gi }

"""##,
    "base/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization

resources:
  - namespace.yaml
  - priority-class.yaml
  - service-account.yaml
  - daemonset.yaml
  - service.yaml
  - cleanup.yaml
  - network-policy.yaml
  - admission-policy.yaml
  - certificates.yaml

# A generator adds a hash of the values to the name: a changed value is a changed pod template, so the pods are replaced.
configMapGenerator:
  - name: bashupload
    namespace: bashupload
    envs: [bashupload.env]
  - name: bashupload-nginx
    namespace: bashupload
    files: [nginx/nginx.conf, nginx/limits.conf, nginx/static.conf]

"""##,
    "base/namespace.yaml": ##"""
apiVersion: v1
kind: Namespace
metadata:
  name: bashupload
  labels:
    # hostPort is refused by the level "baseline", and Pod Security cannot allow two ports only: a namespace that enforces
    # baseline takes the DaemonSet and never makes a pod. So nothing is enforced here; admission-policy.yaml closes what
    # that opens, and the warnings tell of the rest (the hostPorts of the container nginx are the one that is expected).
    pod-security.kubernetes.io/enforce: privileged
    pod-security.kubernetes.io/warn: restricted
    pod-security.kubernetes.io/audit: restricted

"""##,
    "base/network-policy.yaml": ##"""
# Nothing in, nothing out, and then what is needed. Probes of the kubelet come from the pod's own node and always pass.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: bashupload
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
---
# The public. A policy sees a packet after the node's port was translated, so these are the ports of the container.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: bashupload-public
  namespace: bashupload
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: bashupload
      app.kubernetes.io/component: edge
  policyTypes: [Ingress]
  ingress:
    - from:
        - ipBlock: { cidr: 0.0.0.0/0 }
        - ipBlock: { cidr: "::/0" }
      ports:
        - { protocol: TCP, port: 8080 }
        - { protocol: TCP, port: 8443 }
---
# The bucket and the resolver of the node. Not the private networks, and not the address where providers serve the
# credentials of the machine (169.254.169.254); some of them have their resolver there or in a private network, hence
# port 53 to anybody.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: bashupload-store
  namespace: bashupload
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: bashupload
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except: [10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
        - ipBlock:
            cidr: "::/0"
            except: ["fc00::/7", "fe80::/10"]
      ports:
        - { protocol: TCP, port: 443 }
    - ports:
        - { protocol: UDP, port: 53 }
        - { protocol: TCP, port: 53 }

"""##,
    "base/nginx/limits.conf": ##"""
# MAX_UPLOAD_SIZE and 1 MiB for the frame of a form. Known here, a file that is too large is refused before it is sent.
client_max_body_size 5121m;

"""##,
    "base/nginx/nginx.conf": ##"""
# nginx in front of bashupload, in the same pod. It ends TLS and streams: bytes are handed on as they come, nothing is
# written to disk, and an abort on one side is an abort on the other. For nginx 1.27 and newer.

worker_processes auto;
pid /tmp/nginx.pid;

# Whoever knows the path of an upload can have it, and at lower levels a message quotes the request line. bashupload
# writes one line per request, without it.
error_log stderr crit;

# As long as SHUTDOWN_GRACE of bashupload: what is running may end.
worker_shutdown_timeout 120s;

events {
    worker_connections 4096;
}

http {
    access_log off;
    server_tokens off;
    default_type application/octet-stream;

    client_body_temp_path /tmp/client-body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;

    sendfile on;
    tcp_nopush on;

    # bashupload has the limits and says them in numbers; these are for nginx itself.
    include /etc/bashupload-nginx/limits.conf;
    client_header_timeout 15s;
    large_client_header_buffers 4 32k;
    client_body_timeout 75s;
    send_timeout 75s;
    keepalive_timeout 60s;

    # HTTP/2: at 50 ms round trip an upload is 1.1 MB/s with the defaults, because 64 KiB at a time are allowed in. The
    # second line bounds what one connection may claim of it.
    http2_body_preread_size 2m;
    http2_max_concurrent_streams 16;
    client_body_buffer_size 1m;

    # A name, not a path: nginx reads a certificate with a fixed path when it starts and never again, but one with a
    # variable at every handshake. The kubelet renews the files by changing the symlink ..data, so certificate and key
    # change together. Nothing has to be reloaded, and no connection notices. It costs 1.4 ms of CPU for each handshake that
    # resumes nothing; ssl_certificate_cache would save that, but it lets certificate and key expire one after the other.
    map $ssl_server_name $certificate_folder {
        default /etc/bashupload-tls;
    }
    ssl_certificate $certificate_folder/tls.crt;
    ssl_certificate_key $certificate_folder/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    # Mozilla's intermediate list for TLS 1.2, without those that need Diffie-Hellman parameters.
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
    ssl_prefer_server_ciphers off;
    ssl_session_cache shared:tls:4m;
    ssl_session_timeout 1d;
    # Their key would never change while nginx runs, which undoes forward secrecy.
    ssl_session_tickets off;

    server {
        listen 8080 default_server;
        listen [::]:8080 default_server;
        listen 8443 ssl default_server;
        listen [::]:8443 ssl default_server;
        http2 on;
        server_name _;

        include /etc/bashupload-nginx/static.conf;

        # An upload without a length is buffered to disk unless the request to bashupload is HTTP/1.1.
        proxy_http_version 1.1;
        proxy_request_buffering off;

        # nginx is the first hop. What a client sends under these names is replaced, never extended: else it chooses its
        # own address and the URL of its upload.
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Real-IP "";
        proxy_set_header Forwarded "";

        # Too large by its length: bashupload gets the head alone and answers, in its own words, before the client has
        # sent a byte.
        error_page 413 @too-large;
        location @too-large {
            proxy_pass http://127.0.0.1:3000;
            proxy_pass_request_body off;
        }

        # bashupload does not answer: it starts, or ends. Its own 503 and the like pass unchanged.
        error_page 502 504 = @away;
        location @away {
            default_type text/plain;
            add_header Retry-After 5 always;
            return 503 "this node is restarting: try again in 5 seconds\n";
        }

        location / {
            proxy_pass http://127.0.0.1:3000;

            # Downloads never spill to disk. Counted ones are not buffered at all: bashupload asks for that with
            # X-Accel-Buffering, so that it sees a client leave.
            proxy_max_temp_file_size 0;
            proxy_buffer_size 64k;
            proxy_buffers 8 64k;
            proxy_busy_buffers_size 128k;

            proxy_connect_timeout 5s;
            # Between two reads and writes, not in all: a store that is slow to take the last part is waited for.
            proxy_send_timeout 600s;
            proxy_read_timeout 600s;
            # A body that was streamed cannot be sent a second time.
            proxy_next_upstream off;
        }
    }

    # For the kubelet: nginx lives, whatever bashupload does.
    server {
        listen 8081;
        listen [::]:8081;
        server_name _;
        location / {
            return 204;
        }
    }
}

"""##,
    "base/nginx/static.conf": ##"""
# Fixed answers of an installation, as location blocks. For example, what an advertising network asks for:
# location = /servads.txt { default_type text/plain; return 200 'value'; }

"""##,
    "base/priority-class.yaml": ##"""
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata:
  name: bashupload-edge
description: The service itself; agents and dashboards on the same small node give way first.
value: 1000000

"""##,
    "base/service-account.yaml": ##"""
# The service never talks to the Kubernetes API: an account without rights whose token is mounted nowhere.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: bashupload
  namespace: bashupload
automountServiceAccountToken: false

"""##,
    "base/service.yaml": ##"""
# For probes and tools inside the cluster; the public comes by the nodes' own addresses and hostPort.
apiVersion: v1
kind: Service
metadata:
  name: bashupload
  namespace: bashupload
  labels:
    app.kubernetes.io/name: bashupload
spec:
  type: ClusterIP
  selector:
    app.kubernetes.io/name: bashupload
    app.kubernetes.io/component: edge
  ports:
    - name: http
      port: 80
      targetPort: http
      protocol: TCP
    - name: https
      port: 443
      targetPort: https
      protocol: TCP

"""##,
  ]
}
