// swift-format-ignore-file
// Written by scripts/embed-kubernetes from deploy/kubernetes: run it after a change there.

extension KubernetesTree {
  /// Every file by its path below deploy/kubernetes.
  package static let files: [String: String] = [
    "base/admission-policy.yaml": ##"""
# What Pod Security cannot say: hostPort 80 and 443, and nothing else of what the level "privileged" lets through. Closed are
# hostPorts other than these two, the network, processes and IPC of the node, privileged (and HostProcess) containers, added
# capabilities, seccomp and AppArmor that are switched off, SELinux types of one's own, an unmasked /proc, sysctls that are not
# safe, probes and hooks that make the kubelet ask other hosts, and every volume but the ones named below (no hostPath, no
# flexVolume). In all containers of a pod: init and ephemeral ones too.
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
        resources: [pods, pods/ephemeralcontainers, replicationcontrollers]
      - apiGroups: [apps]
        apiVersions: [v1]
        operations: [CREATE, UPDATE]
        resources: [daemonsets, deployments, replicasets, statefulsets]
      - apiGroups: [batch]
        apiVersions: [v1]
        operations: [CREATE, UPDATE]
        resources: [jobs, cronjobs]
  variables:
    # The pod itself, or what a controller makes pods from; a CronJob has it one level further down.
    - name: pod
      expression: >-
        has(object.spec.jobTemplate) ? object.spec.jobTemplate.spec.template
        : has(object.spec.template) ? object.spec.template : object
    - name: spec
      expression: "variables.pod.spec"
    - name: containers
      expression: >-
        variables.spec.containers
        + (has(variables.spec.initContainers) ? variables.spec.initContainers : [])
        + (has(variables.spec.ephemeralContainers) ? variables.spec.ephemeralContainers : [])
    # The security contexts of the pod and of its containers, as far as there are any.
    - name: contexts
      expression: >-
        (has(variables.spec.securityContext) ? [variables.spec.securityContext] : [])
        + variables.containers.filter(c, has(c.securityContext)).map(c, c.securityContext)
    # What the kubelet does itself: probes and hooks.
    - name: handlers
      expression: >-
        variables.containers.filter(c, has(c.livenessProbe)).map(c, c.livenessProbe)
        + variables.containers.filter(c, has(c.readinessProbe)).map(c, c.readinessProbe)
        + variables.containers.filter(c, has(c.startupProbe)).map(c, c.startupProbe)
        + variables.containers.filter(c, has(c.lifecycle) && has(c.lifecycle.postStart)).map(c, c.lifecycle.postStart)
        + variables.containers.filter(c, has(c.lifecycle) && has(c.lifecycle.preStop)).map(c, c.lifecycle.preStop)
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
        variables.contexts.all(s, !(has(s.privileged) && s.privileged) &&
        !(has(s.windowsOptions) && has(s.windowsOptions.hostProcess) && s.windowsOptions.hostProcess))
      message: "privileged and HostProcess containers are not allowed in the namespace bashupload"
      reason: Forbidden
    - expression: >-
        variables.contexts.all(s, !has(s.capabilities) || !has(s.capabilities.add) || size(s.capabilities.add) == 0)
      message: "capabilities cannot be added in the namespace bashupload: leave out securityContext.capabilities.add"
      reason: Forbidden
    - expression: >-
        variables.contexts.all(s, !has(s.seccompProfile) || !has(s.seccompProfile.type) || s.seccompProfile.type != 'Unconfined')
      message: "the seccomp profile Unconfined is not allowed in the namespace bashupload: use RuntimeDefault"
      reason: Forbidden
    - expression: >-
        variables.contexts.all(s, !has(s.appArmorProfile) || !has(s.appArmorProfile.type) || s.appArmorProfile.type != 'Unconfined') &&
        (!has(variables.pod.metadata) || !has(variables.pod.metadata.annotations) ||
        variables.pod.metadata.annotations.all(k, !k.startsWith('container.apparmor.security.beta.kubernetes.io/') ||
        variables.pod.metadata.annotations[k] == 'runtime/default' || variables.pod.metadata.annotations[k].startsWith('localhost/')))
      message: "AppArmor cannot be unconfined in the namespace bashupload: use RuntimeDefault (runtime/default in an annotation)"
      reason: Forbidden
    - expression: >-
        variables.contexts.all(s, !has(s.seLinuxOptions) || (!has(s.seLinuxOptions.user) && !has(s.seLinuxOptions.role) &&
        (!has(s.seLinuxOptions.type) ||
        s.seLinuxOptions.type in ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'])))
      message: "SELinux users, roles and types other than container_t are not allowed in the namespace bashupload"
      reason: Forbidden
    - expression: >-
        variables.contexts.all(s, !has(s.procMount) || s.procMount == 'Default')
      message: "procMount must be Default in the namespace bashupload"
      reason: Forbidden
    - expression: >-
        variables.contexts.all(s, !has(s.sysctls) || s.sysctls.all(e, e.name in [
        'kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.ip_local_reserved_ports',
        'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ping_group_range', 'net.ipv4.tcp_fin_timeout',
        'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_keepalive_time',
        'net.ipv4.tcp_rmem', 'net.ipv4.tcp_syncookies', 'net.ipv4.tcp_wmem']))
      message: "only the safe sysctls of Kubernetes may be set in the namespace bashupload"
      reason: Forbidden
    - expression: >-
        variables.handlers.all(h, (!has(h.httpGet) || !has(h.httpGet.host) || h.httpGet.host == '') &&
        (!has(h.tcpSocket) || !has(h.tcpSocket.host) || h.tcpSocket.host == ''))
      message: "probes and hooks that name a host are not allowed in the namespace bashupload: the kubelet would ask it"
      reason: Forbidden
    - expression: >-
        !has(variables.spec.volumes) || variables.spec.volumes.all(v, has(v.configMap) || has(v.csi) || has(v.downwardAPI) ||
        has(v.emptyDir) || has(v.ephemeral) || has(v.persistentVolumeClaim) || has(v.projected) || has(v.secret))
      message: >-
        hostPath, flexVolume and other volumes are not allowed in the namespace bashupload: use configMap, csi, downwardAPI,
        emptyDir, ephemeral, persistentVolumeClaim, projected or secret
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

# A node of 2 CPUs and 2 GB: nginx lets 200 requests in at a time (nginx.conf has the sum of its memory), and 16 places are
# left for the probes of the kubelet. One client may not take them all; an office behind one address is one client.
MAX_CONNECTIONS=216
MAX_CONNECTIONS_PER_CLIENT=32
UPLOADS_PER_MINUTE=60

# The pod ends 150 s after it was told to (terminationGracePeriodSeconds): 10 s of preStop, this, and 20 s to spare. Who needs
# longer transfers changes both, in one overlay.
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
          # On any node, a server too: it is a small request to the bucket, and a cluster of one node has no other.
          tolerations:
            - key: node-role.kubernetes.io/control-plane
              operator: Exists
              effect: NoSchedule
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
          # Not the image's entry script: it edits files, and the root file system is read-only. nginx.conf has the sum of what
          # it can need. Beyond it 118 MiB for each worker are the end: nginx refuses one request then, where
          # the kernel would kill all of them at the limit of the container.
          command: [sh, -c, "ulimit -d 120832 && exec nginx -c /etc/bashupload-nginx/nginx.conf -g 'daemon off;'"]
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
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 30
          livenessProbe:
            # nginx alone: when bashupload is the one that hangs, it is the one to be restarted. No request: while somebody
            # holds all connections it would fail, and a restart would cut the transfers that are in progress.
            tcpSocket: { port: nginx-health }
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 3
          readinessProbe:
            # Through nginx, as clients come, and without their limits.
            httpGet: { path: /readyz, port: nginx-health }
            periodSeconds: 5
            timeoutSeconds: 4
            failureThreshold: 3
          lifecycle:
            preStop:
              # The Service stops sending before nginx stops listening.
              sleep: { seconds: 5 }
          resources:
            requests: { cpu: 50m, memory: 48Mi }
            # The sum stands in nginx.conf. No CPU limit: throttling only makes transfers slow.
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

# What nginx can hold at worst, in KiB, measured by Tests/Integration/deploy/test_nginx_memory.py. It has to fit into the memory
# limit of the container (256 MiB = 262144), on every node. Do the sum again after a change of a figure:
#
#   a request, 200 of them (limit_conn)                                                  992 × 200 = 198400
#       704 of its body, 160 of its answer, its head of 34 twice (bashupload is sent it), TLS, HTTP/2 and pools
#   a connection beyond, without a request or with refused ones, 176 of them             230 × 176 =  40480
#       160: a ClientHello that does not come, and OpenSSL clears the 128 KiB that it announces,
#        75: HTTP/1 over TLS with an unfinished head of 34,
#       230: HTTP/2 with 4 refused requests whose heads are full and whose answers are not read
#   both workers idle, the master, the shared zones                                              16000
#                                                                                        in all 254880
#
# The 176: 2 workers × 288 connections, less two for each request (one to the client, one to bashupload). What no sum can
# bound, such as control frames of HTTP/2 (nginx keeps up to 10,000 of them, 184 bytes each, for every connection), runs into
# the `ulimit -d` that the pod starts nginx with: a request is refused then, and nothing is killed.

# Two, whatever the node has: each costs memory before the first request, `auto` counts the processors of the machine and not
# of the pod (250 MiB with 128 of them), and one alone moves a gigabyte per second.
worker_processes 2;
pid /tmp/nginx.pid;

# Whoever knows the path of an upload can have it, and at lower levels a message quotes the request line. bashupload
# writes one line per request, without it.
error_log stderr crit;

# No worker_shutdown_timeout: at the end of a pod nginx waits for what is running, bashupload ends that after SHUTDOWN_GRACE, and
# the kubelet ends both after terminationGracePeriodSeconds. An overlay changes these two and nothing here.

events {
    worker_connections 288;
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

    # bashupload has the limits and says them in numbers; these are for nginx itself. A head is 32 KiB of target, names and
    # values (MAX_HEADER_SIZE) and what stands between them, 4 bytes for each of 100 fields: in one buffer nginx takes all that
    # bashupload takes, and little more.
    include /etc/bashupload-nginx/limits.conf;
    client_header_timeout 10s;
    reset_timedout_connection on;
    large_client_header_buffers 1 34k;
    client_body_timeout 75s;
    send_timeout 75s;
    keepalive_timeout 60s;

    # Requests in progress; a connection without one does not count. Fewer than MAX_CONNECTIONS, so that a node that is full
    # still answers the kubelet, and as many of one address as MAX_CONNECTIONS_PER_CLIENT: else one client that does not read
    # its refusals keeps all places. Everybody behind one router is one address. In IPv6 a client has a network of 64 bits.
    map $binary_remote_addr $client_network {
        default $binary_remote_addr;
        "~^(?s)(?<network>.{8}).{8}$" $network;
    }
    limit_conn_zone $server_name zone=requests:64k;
    limit_conn_zone $client_network zone=clients:128k;
    limit_conn_log_level info;

    # HTTP/2: at 50 ms round trip an upload is 1.2 MB/s with the defaults, because 64 KiB at a time are allowed in, and 12 MB/s
    # with these.
    http2_body_preread_size 704k;
    http2_max_concurrent_streams 4;
    client_body_buffer_size 256k;

    # A name, not a path: nginx reads a certificate with a fixed path when it starts and never again, but one with a
    # variable at every handshake. The kubelet renews the files by changing the symlink ..data, so certificate and key
    # change together. Nothing has to be reloaded, and no open connection notices. It costs 1.4 ms of CPU for each handshake that
    # resumes nothing; ssl_certificate_cache would save that, but it lets certificate and key expire one after the other. (A
    # handshake in the very instant of the change can fail; a reload closes every idle connection instead.)
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

    # nginx has no other way to write a dollar sign: static.conf may say ${dollar}.
    geo $dollar {
        default "$";
    }

    server {
        # A queue for each worker: from a shared one the worker that is awake takes more than its half, and is full first.
        listen 8080 default_server reuseport;
        listen [::]:8080 default_server reuseport;
        listen 8443 ssl default_server reuseport;
        listen [::]:8443 ssl default_server reuseport;
        http2 on;
        server_name _;

        include /etc/bashupload-nginx/static.conf;

        # An upload without a length is buffered to disk unless the request to bashupload is HTTP/1.1.
        proxy_http_version 1.1;
        proxy_request_buffering off;

        # A connection of its own for each request; since 1.29.7 nginx would keep and reuse them. One that bashupload is just
        # closing would fail an upload whose body cannot be sent a second time.
        proxy_set_header Connection close;

        # nginx is the first hop. What a client sends under these names is replaced, never extended: else it chooses its
        # own address and the URL of its upload.
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Real-IP "";
        proxy_set_header Forwarded "";

        limit_conn requests 200;
        limit_conn clients 32;
        # 500: no memory or no connection for it.
        error_page 500 503 = @busy;
        location @busy {
            default_type text/plain;
            add_header Retry-After 5 always;
            return 503 "too many requests at a time: this node takes 200, and 32 of one address; try again in 5 seconds\n";
        }

        # Too long for nginx is too long for bashupload as well; said in its words.
        error_page 414 /nginx/too-long;
        location = /nginx/too-long {
            internal;
            default_type text/plain;
            return 414 "the request line is too long; the limit is 8192 bytes: shorten the file name\n";
        }
        error_page 494 =431 /nginx/too-large;
        location = /nginx/too-large {
            internal;
            default_type text/plain;
            return 431 "the request header is too large; the limit is 32768 bytes in all: send fewer or shorter fields\n";
        }

        # Too large by its length: bashupload gets the head alone and answers, in its own words, before the client has
        # sent a byte.
        error_page 413 @too-large;
        location @too-large {
            proxy_pass http://127.0.0.1:3000;
            proxy_pass_request_body off;
        }

        # A fixed file (static.conf) is only for reading: an upload that has its name goes to bashupload.
        error_page 405 = @bashupload;
        location @bashupload {
            proxy_pass http://127.0.0.1:3000;
        }

        # bashupload does not answer: it starts, or ends. Its own 503 and the like pass unchanged.
        error_page 502 504 = @away;
        location @away {
            default_type text/plain;
            add_header Retry-After 5 always;
            return 503 "this node is restarting: try again in 5 seconds\n";
        }

        # Downloads never spill to disk. Counted ones are not buffered at all: bashupload asks for that with
        # X-Accel-Buffering, so that it sees a client leave.
        proxy_max_temp_file_size 0;
        proxy_buffer_size 32k;
        proxy_buffers 4 32k;
        proxy_busy_buffers_size 64k;

        proxy_connect_timeout 5s;
        # Between two reads and writes, not in all: a store that is slow to take the last part is waited for.
        proxy_send_timeout 600s;
        proxy_read_timeout 600s;
        # A body that was streamed cannot be sent a second time.
        proxy_next_upstream off;

        location / {
            proxy_pass http://127.0.0.1:3000;
        }
    }

    # For the kubelet, and closed to everybody else (network-policy.yaml), so that nobody can use up its places. nginx lives,
    # whatever bashupload does; and whether both are ready, without the limits of clients.
    server {
        listen 8081;
        listen [::]:8081;
        server_name _;
        location / {
            return 204;
        }
        location = /readyz {
            proxy_pass http://127.0.0.1:3000;
            proxy_http_version 1.1;
            proxy_set_header Connection close;
            proxy_connect_timeout 2s;
            proxy_read_timeout 4s;
        }
    }
}

"""##,
    "base/nginx/static.conf": ##"""
# Fixed answers of an installation, as location blocks. For example, what an advertising network asks for, from a file that is
# one more key of this ConfigMap (its length and its signs do not matter then):
# location = /servads.txt { types {} default_type text/plain; charset utf-8; alias /etc/bashupload-nginx/servads.txt; }
# A short one may stand here: location = /a.txt { default_type text/plain; return 200 'text'; }. nginx takes 4,096 bytes in
# one parameter, quotes included; a quote is \', a backslash \\ and a dollar sign ${dollar}.

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
    "cert-manager/cert-manager.yaml": ##"""
# cert-manager by the Helm controller of k3s. Elsewhere: install 1.18 or newer in your own way.
apiVersion: v1
kind: Namespace
metadata:
  name: cert-manager
---
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata:
  name: cert-manager
  namespace: kube-system
spec:
  repo: https://charts.jetstack.io
  chart: cert-manager
  version: v1.21.1
  targetNamespace: cert-manager
  valuesContent: |
    crds: { enabled: true, keep: true }
    replicaCount: 1
    # The TXT record is looked for where the world will look for it, not in the node's cache.
    extraArgs: ["--dns01-recursive-nameservers-only", "--dns01-recursive-nameservers=1.1.1.1:53,9.9.9.9:53"]
    resources: { requests: { cpu: 10m, memory: 48Mi }, limits: { memory: 128Mi } }
    # Beside the control plane, every part: edges are for transfers, may have taints of their own, and may go.
    nodeSelector: &control { node-role.kubernetes.io/control-plane: "true" }
    tolerations: &anyway [{ operator: Exists, key: node-role.kubernetes.io/control-plane, effect: NoSchedule }]
    webhook:
      resources: { requests: { cpu: 10m, memory: 24Mi }, limits: { memory: 64Mi } }
      nodeSelector: *control
      tolerations: *anyway
    cainjector:
      resources: { requests: { cpu: 10m, memory: 48Mi }, limits: { memory: 128Mi } }
      nodeSelector: *control
      tolerations: *anyway
    startupapicheck: { nodeSelector: *control, tolerations: *anyway }

"""##,
    "cert-manager/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization

resources:
  - cert-manager.yaml

"""##,
    "components/descheduler/descheduler.yaml": ##"""
# Installed by the Helm controller of k3s. The version follows that of Kubernetes: 0.33 for 1.33.
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata:
  name: descheduler
  namespace: kube-system
spec:
  repo: https://kubernetes-sigs.github.io/descheduler/
  chart: descheduler
  version: 0.33.0
  targetNamespace: kube-system
  valuesContent: |
    kind: CronJob
    schedule: "17 * * * *"
    successfulJobsHistoryLimit: 1
    resources:
      requests: { cpu: 20m, memory: 48Mi }
      limits: { memory: 96Mi }
    deschedulerPolicyAPIVersion: descheduler/v1alpha2
    deschedulerPolicy:
      maxNoOfPodsToEvictPerNode: 2
      profiles:
        - name: tidy
          pluginConfig:
            - name: DefaultEvictor
              args:
                nodeFit: true
                # Pods with data on the node would lose it.
                evictLocalStoragePods: false
            - name: RemoveFailedPods
              args:
                minPodLifetimeSeconds: 3600
            - name: RemovePodsHavingTooManyRestarts
              args:
                podRestartThreshold: 50
                includingInitContainers: true
          plugins:
            deschedule:
              enabled: [RemoveFailedPods, RemovePodsHavingTooManyRestarts]

"""##,
    "components/descheduler/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

resources:
  - descheduler.yaml

"""##,
    "components/falco/falco.yaml": ##"""
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata:
  name: falco
  namespace: kube-system
spec:
  repo: https://falcosecurity.github.io/charts
  chart: falco
  version: 9.1.0
  targetNamespace: falco
  createNamespace: true
  valuesContent: |
    driver:
      # No kernel module to build on the node; needs Linux 5.8 with BTF.
      kind: modern_ebpf
    tty: true
    # Only where somebody has said that there is memory for it.
    nodeSelector:
      bashupload.app/falco: "true"
    tolerations:
      - key: node-role.kubernetes.io/control-plane
        operator: Exists
        effect: NoSchedule
    resources:
      requests: { cpu: 100m, memory: 256Mi }
      limits: { memory: 1Gi }
    falcoctl:
      artifact:
        install: { enabled: true }
        # Rules that change by themselves are changes that nobody has read.
        follow: { enabled: false }
    customRules:
      bashupload.yaml: |-
        # One event for each container and not for each program in it: only its first process counts (vpid 1).
        - rule: Privileged container started
          desc: A privileged container outside of the namespaces of the system
          condition: >
            spawned_process and proc.vpid = 1 and container.privileged = true
            and not k8s.ns.name in (kube-system, falco, longhorn-system, system-upgrade)
          output: >
            Privileged container started (namespace=%k8s.ns.name pod=%k8s.pod.name container=%container.name
            image=%container.image.repository user=%user.name command=%proc.cmdline)
          priority: WARNING
          tags: [container]
        # The image of nginx has a shell, and nobody needs it after the start (it sets the limit of memory).
        - rule: Program other than the service in a bashupload pod
          desc: Something runs in the pods of the service that is neither bashupload nor nginx
          condition: >
            spawned_process and k8s.ns.name = bashupload and not proc.name in (bashupload, nginx)
            and not (proc.vpid = 1 and proc.cmdline startswith "sh -c ulimit -d ")
          output: >
            Unexpected program (pod=%k8s.pod.name container=%container.name command=%proc.cmdline parent=%proc.pname)
          priority: CRITICAL
          tags: [container]

"""##,
    "components/falco/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

resources:
  - falco.yaml

"""##,
    "components/logs/alloy.yaml": ##"""
# One agent per node. A sidecar in every pod would need a shared volume and would cost the same memory once per pod.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: alloy
  namespace: bashupload-logs
automountServiceAccountToken: false
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: alloy
  namespace: bashupload-logs
  labels:
    app.kubernetes.io/name: alloy
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: alloy
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 0
      maxUnavailable: 1
  revisionHistoryLimit: 2
  template:
    metadata:
      labels:
        app.kubernetes.io/name: alloy
    spec:
      nodeSelector:
        bashupload.app/role: edge
      tolerations:
        - key: node-role.kubernetes.io/control-plane
          operator: Exists
          effect: NoSchedule
        - key: bashupload.app/spot
          operator: Exists
          effect: NoSchedule
      serviceAccountName: alloy
      automountServiceAccountToken: false
      enableServiceLinks: false
      # The store is outside: logs must leave when the cluster's own DNS is what is broken.
      dnsPolicy: Default
      securityContext:
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: alloy
          image: docker.io/grafana/alloy:v1.20.1@sha256:2aa2099af76c0098d4af7a4d6e48f86cb66dc1a000222ad927a1c67c6542d13f
          imagePullPolicy: IfNotPresent
          args:
            - run
            - /etc/alloy/config.alloy
            - --storage.path=/var/lib/alloy
            - --server.http.listen-addr=0.0.0.0:12345
            - --disable-reporting
          env:
            - { name: GOMEMLIMIT, value: 110MiB }
            - name: NODE_NAME
              valueFrom:
                fieldRef: { fieldPath: spec.nodeName }
            - name: LOKI_URL
              valueFrom:
                secretKeyRef: { name: bashupload-loki, key: url }
            - name: LOKI_USERNAME
              valueFrom:
                secretKeyRef: { name: bashupload-loki, key: username }
            - name: LOKI_PASSWORD
              valueFrom:
                secretKeyRef: { name: bashupload-loki, key: password }
          ports:
            - name: http
              containerPort: 12345
              protocol: TCP
          readinessProbe:
            httpGet: { path: /-/ready, port: http }
            periodSeconds: 15
          resources:
            requests: { cpu: 20m, memory: 80Mi }
            limits: { memory: 144Mi }
          securityContext:
            # The files belong to root; with no capability at all it may read them and no more.
            runAsUser: 0
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - name: config
              mountPath: /etc/alloy
              readOnly: true
            - name: pod-logs
              mountPath: /var/log/pods
              readOnly: true
            - name: state
              mountPath: /var/lib/alloy
      volumes:
        - name: config
          configMap: { name: alloy }
        - name: pod-logs
          hostPath: { path: /var/log/pods, type: Directory }
        - name: state
          emptyDir: { sizeLimit: 128Mi }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: alloy
  namespace: bashupload-logs
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  egress:
    - ports:
        - { protocol: TCP, port: 443 }
        - { protocol: TCP, port: 3100 }
        - { protocol: TCP, port: 53 }
        - { protocol: UDP, port: 53 }

"""##,
    "components/logs/config.alloy": ##"""
// Logs of the pods of the namespace bashupload on this node, to a Loki outside of the cluster. The kubelet rotates the files
// (containerLogMaxSize, containerLogMaxFiles); here nothing is kept but the position.
logging {
  level = "warn"
}

local.file_match "pods" {
  path_targets = [{
    "__path__" = "/var/log/pods/bashupload_*/*/*.log",
    "job"      = "bashupload",
    "node"     = sys.env("NODE_NAME"),
  }]
}

loki.source.file "pods" {
  targets    = local.file_match.pods.targets
  forward_to = [loki.process.lines.receiver]
}

// The runtime puts a time and a stream in front of every line. What remains is bashupload's JSON, without names of files and
// without paths of uploads.
loki.process "lines" {
  stage.cri { }
  forward_to = [loki.write.store.receiver]
}

loki.write "store" {
  endpoint {
    url = sys.env("LOKI_URL")
    basic_auth {
      username = sys.env("LOKI_USERNAME")
      password = sys.env("LOKI_PASSWORD")
    }
  }
}

"""##,
    "components/logs/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

resources:
  - namespace.yaml
  - alloy.yaml

configMapGenerator:
  - name: alloy
    namespace: bashupload-logs
    files: [config.alloy]

"""##,
    "components/logs/namespace.yaml": ##"""
apiVersion: v1
kind: Namespace
metadata:
  name: bashupload-logs
  labels:
    # Reads the log files of the node, which even the level "baseline" refuses; a warning of that at every
    # apply would be one that nobody reads.
    pod-security.kubernetes.io/enforce: privileged
    pod-security.kubernetes.io/warn: privileged

"""##,
    "components/longhorn/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

resources:
  - longhorn.yaml

"""##,
    "components/longhorn/longhorn.yaml": ##"""
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata:
  name: longhorn
  namespace: kube-system
spec:
  repo: https://charts.longhorn.io
  chart: longhorn
  version: 1.12.1
  targetNamespace: longhorn-system
  createNamespace: true
  valuesContent: |
    persistence:
      # local-path of k3s stays the default: a volume is replicated only when somebody asks for it.
      defaultClass: false
      defaultClassReplicaCount: 2
    defaultSettings:
      # Only nodes labelled node.longhorn.io/create-default-disk=true store anything.
      createDefaultDiskLabeledNodes: true
      defaultReplicaCount: 2
      replicaSoftAntiAffinity: false
      storageMinimalAvailablePercentage: 25
    longhornUI:
      replicas: 1

"""##,
    "components/monitoring/alerts.yml": ##"""
groups:
  - name: bashupload
    rules:
      - alert: EdgeDown
        expr: up{job="bashupload"} == 0
        for: 2m
        labels: { severity: critical }
        annotations:
          summary: "bashupload on {{ $labels.instance }} does not answer"
          action: "take its address out of DNS, then: kubectl -n bashupload describe pod, and its log"
      - alert: NoEdges
        # A target that is gone has no `up` that could be 0.
        expr: absent(up{job="bashupload"})
        for: 5m
        labels: { severity: critical }
        annotations:
          summary: "Prometheus sees no pod of bashupload at all"
          action: "kubectl -n bashupload get daemonset,pods; is a node labelled bashupload.app/role=edge?"
      - alert: ManyErrors
        # Without probes: those of the kubelet are half a request in each second, and clients on a quiet node are fewer. A number
        # of failures and not a rate of requests, so that ninety in an hour are told and two in a day are not.
        expr: |
          sum by (instance) (rate(bashupload_requests_total{status=~"5..", route!~"/?(healthz|readyz)"}[15m]))
            / sum by (instance) (rate(bashupload_requests_total{route!~"/?(healthz|readyz)"}[15m])) > 0.05
          and sum by (instance) (increase(bashupload_requests_total{status=~"5..", route!~"/?(healthz|readyz)"}[15m])) > 5
        for: 10m
        labels: { severity: critical }
        annotations:
          summary: "{{ $value | humanizePercentage }} of the requests to {{ $labels.instance }} fail"
          action: "503: the store is away; 507: the disk is full; else the log says what"
      - alert: UploadsFail
        # Apart from the rest: the pages that people look at would hide that nobody can store anything.
        expr: |
          sum by (instance) (rate(bashupload_requests_total{status=~"5..", route=~"/<name>|/short/<name>|/<body>"}[15m]))
            / sum by (instance) (rate(bashupload_requests_total{route=~"/<name>|/short/<name>|/<body>"}[15m])) > 0.2
          and sum by (instance) (increase(bashupload_requests_total{status=~"5..", route=~"/<name>|/short/<name>|/<body>"}[15m])) > 5
        for: 10m
        labels: { severity: critical }
        annotations:
          summary: "{{ $value | humanizePercentage }} of the uploads to {{ $labels.instance }} fail"
          action: "503: the store is away; 507: the disk is full or the quota is used up; else the log says what"
      - alert: NotReady
        # What ManyErrors leaves out. A node that nobody asks for anything tells by this alone that its store is away.
        expr: sum by (instance) (increase(bashupload_requests_total{status=~"5..", route=~"/?readyz"}[5m])) > 10
        for: 5m
        labels: { severity: critical }
        annotations:
          summary: "{{ $labels.instance }} says that it is not ready"
          action: "curl its /readyz: store, index or disk; the log has the cause"
      - alert: CertificateExpires
        # cert-manager says when it will renew, however long a certificate lives (160 hours to 90 days); a day later it has failed.
        expr: certmanager_certificate_renewal_timestamp_seconds{namespace="bashupload"} - time() < -86400
        for: 1h
        labels: { severity: critical }
        annotations:
          summary: "the certificate {{ $labels.name }} should have been renewed a day ago and was not"
          action: "kubectl -n bashupload describe certificate,order,challenge"
      - alert: CertManagerDown
        # Nobody renews meanwhile, and nobody tells that. Without cert-manager there is no target that could be down.
        expr: up{job="cert-manager"} == 0
        for: 15m
        labels: { severity: warning }
        annotations:
          summary: "cert-manager does not answer"
          action: "kubectl -n cert-manager get pods,events"

  - name: node
    rules:
      - alert: HighMemoryUsage
        # What could be given back counts as free: MemAvailable, not MemFree. A node of 2 GB has 300 MB left at 85 %; pods are
        # evicted below 100 MB.
        expr: (1 - node_memory_MemAvailable_bytes{job="node"} / node_memory_MemTotal_bytes{job="node"}) * 100 > 85
        for: 5m
        labels: { severity: warning }
        annotations:
          summary: "{{ $labels.instance }} uses {{ printf \"%.0f\" $value }} % of its memory"
          action: "kubectl top pod -A --sort-by=memory"
      - alert: DiskFills
        expr: |
          node_filesystem_avail_bytes{job="node",mountpoint="/"} / node_filesystem_size_bytes{job="node",mountpoint="/"} < 0.15
          or predict_linear(node_filesystem_avail_bytes{job="node",mountpoint="/"}[6h], 24 * 3600) < 0
        for: 30m
        labels: { severity: warning }
        annotations:
          summary: "the disk of {{ $labels.instance }} is full now or within a day"
          action: "images: crictl rmi --prune; logs: journalctl --vacuum-size=100M"
      - alert: ClockWrong
        # Expiry is part of every id and every node reads it with its own clock.
        expr: abs(node_timex_offset_seconds{job="node"}) > 1 or node_timex_sync_status{job="node"} == 0
        for: 15m
        labels: { severity: warning }
        annotations:
          summary: "the clock of {{ $labels.instance }} is off or not synchronised"
          action: "timedatectl; systemctl status systemd-timesyncd chrony"

"""##,
    "components/monitoring/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

resources:
  - namespace.yaml
  - prometheus.yaml
  - node-exporter.yaml
  - network-policy.yaml

configMapGenerator:
  - name: prometheus
    namespace: bashupload-monitoring
    files: [prometheus.yml, alerts.yml]

"""##,
    "components/monitoring/namespace.yaml": ##"""
apiVersion: v1
kind: Namespace
metadata:
  name: bashupload-monitoring
  labels:
    # node_exporter reads /proc and /sys of the node, which even the level "baseline" refuses; a warning of that at every
    # apply would be one that nobody reads.
    pod-security.kubernetes.io/enforce: privileged
    pod-security.kubernetes.io/warn: privileged

"""##,
    "components/monitoring/network-policy.yaml": ##"""
# Into the pods of the service, to the port of the metrics, from Prometheus and nobody else.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: bashupload-metrics
  namespace: bashupload
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: bashupload
      app.kubernetes.io/component: edge
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: bashupload-monitoring
          podSelector:
            matchLabels:
              app.kubernetes.io/name: prometheus
      ports:
        - { protocol: TCP, port: 9090 }
---
# Inside of monitoring pods reach each other; nobody comes from outside (`kubectl port-forward` goes through the kubelet).
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: monitoring
  namespace: bashupload-monitoring
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector: {}

"""##,
    "components/monitoring/node-exporter.yaml": ##"""
# On every node, through the pod network: with hostNetwork its port would be open on a public address. The price is that
# traffic counters are those of the pod; bashupload_sent_bytes_total has what matters.
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: node-exporter
  namespace: bashupload-monitoring
  labels:
    app.kubernetes.io/name: node-exporter
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: node-exporter
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 0
      maxUnavailable: 1
  revisionHistoryLimit: 2
  template:
    metadata:
      labels:
        app.kubernetes.io/name: node-exporter
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      tolerations:
        - operator: Exists
          effect: NoSchedule
      securityContext:
        runAsNonRoot: true
        runAsUser: 65534
        runAsGroup: 65534
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: node-exporter
          image: docker.io/prom/node-exporter:v1.12.0@sha256:9b0ade5e607f9dbedb0a8e11151b6011ae5bd79304c261804cfdd2cadf200a80
          imagePullPolicy: IfNotPresent
          args:
            - --path.procfs=/host/proc
            - --path.sysfs=/host/sys
            - --path.rootfs=/host/root
            # A few collectors instead of forty: a node has a dozen disks and interfaces that nobody looks at.
            - --collector.disable-defaults
            - --collector.cpu
            - --collector.diskstats
            - --collector.filesystem
            - --collector.loadavg
            - --collector.meminfo
            - --collector.pressure
            - --collector.timex
            - --collector.filesystem.mount-points-exclude=^/(dev|proc|run|sys|var/lib/(kubelet|rancher))($|/)
          ports:
            - name: metrics
              containerPort: 9100
              protocol: TCP
          livenessProbe:
            httpGet: { path: /, port: metrics }
            periodSeconds: 30
          resources:
            requests: { cpu: 10m, memory: 24Mi }
            limits: { memory: 64Mi }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - name: proc
              mountPath: /host/proc
              readOnly: true
            - name: sys
              mountPath: /host/sys
              readOnly: true
            - name: root
              mountPath: /host/root
              mountPropagation: HostToContainer
              readOnly: true
      volumes:
        - name: proc
          hostPath: { path: /proc, type: Directory }
        - name: sys
          hostPath: { path: /sys, type: Directory }
        - name: root
          hostPath: { path: /, type: Directory }

"""##,
    "components/monitoring/prometheus.yaml": ##"""
# One Prometheus for the cluster, beside the control plane when there is room: on an edge it would take a tenth of the memory.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: prometheus
  namespace: bashupload-monitoring
---
# Finding the pods is all it may do, in the two namespaces where they are.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: prometheus
  namespace: bashupload-monitoring
rules:
  - apiGroups: [""]
    resources: [pods]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: prometheus
  namespace: bashupload-monitoring
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: prometheus
subjects:
  - kind: ServiceAccount
    name: prometheus
    namespace: bashupload-monitoring
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: prometheus
  namespace: bashupload
rules:
  - apiGroups: [""]
    resources: [pods]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: prometheus
  namespace: bashupload
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: prometheus
subjects:
  - kind: ServiceAccount
    name: prometheus
    namespace: bashupload-monitoring
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: prometheus
  namespace: bashupload-monitoring
  labels:
    app.kubernetes.io/name: prometheus
spec:
  replicas: 1
  revisionHistoryLimit: 2
  # Never two at a time on a small node.
  strategy:
    type: Recreate
  selector:
    matchLabels:
      app.kubernetes.io/name: prometheus
  template:
    metadata:
      labels:
        app.kubernetes.io/name: prometheus
    spec:
      serviceAccountName: prometheus
      enableServiceLinks: false
      tolerations:
        - key: node-role.kubernetes.io/control-plane
          operator: Exists
          effect: NoSchedule
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              preference:
                matchExpressions:
                  - key: bashupload.app/role
                    operator: In
                    values: [control]
      securityContext:
        runAsNonRoot: true
        runAsUser: 65534
        runAsGroup: 65534
        fsGroup: 65534
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: prometheus
          image: docker.io/prom/prometheus:v3.13.3@sha256:6976aa8a60fec930796ce5772b8d12da7a318a5daa8d40d69c5c7819a05eeed7
          imagePullPolicy: IfNotPresent
          args:
            - --config.file=/etc/prometheus/prometheus.yml
            - --storage.tsdb.path=/prometheus
            - --storage.tsdb.retention.time=15d
            - --storage.tsdb.retention.size=1500MB
            - --web.listen-address=:9090
          env:
            # Go collects garbage harder before the kernel ends it.
            - { name: GOMEMLIMIT, value: 320MiB }
          ports:
            - name: web
              containerPort: 9090
              protocol: TCP
          startupProbe:
            httpGet: { path: /-/ready, port: web }
            periodSeconds: 5
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /-/healthy, port: web }
            periodSeconds: 15
            failureThreshold: 4
          readinessProbe:
            httpGet: { path: /-/ready, port: web }
            periodSeconds: 10
          resources:
            requests: { cpu: 50m, memory: 192Mi }
            limits: { memory: 400Mi }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - name: config
              mountPath: /etc/prometheus
              readOnly: true
            - name: data
              mountPath: /prometheus
      volumes:
        - name: config
          configMap: { name: prometheus }
        # Survives restarts, not a new pod. Who wants history gives it a volume, or remote_write.
        - name: data
          emptyDir: { sizeLimit: 2Gi }
---
apiVersion: v1
kind: Service
metadata:
  name: prometheus
  namespace: bashupload-monitoring
  labels:
    app.kubernetes.io/name: prometheus
spec:
  type: ClusterIP
  selector:
    app.kubernetes.io/name: prometheus
  ports:
    - name: web
      port: 9090
      targetPort: web
      protocol: TCP

"""##,
    "components/monitoring/prometheus.yml": ##"""
global:
  scrape_interval: 30s
  evaluation_interval: 30s

rule_files: [/etc/prometheus/alerts.yml]

# Add your Alertmanager in an overlay:
# alerting: { alertmanagers: [{ static_configs: [{ targets: ["alertmanager.example.org:9093"] }] }] }

scrape_configs:
  # Both by pod and through the pod network: it is encrypted between nodes, and node ports are closed to everybody.
  - job_name: bashupload
    kubernetes_sd_configs:
      - role: pod
        namespaces: { names: [bashupload] }
    relabel_configs:
      - source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_component, __meta_kubernetes_pod_container_port_name]
        regex: edge;metrics
        action: keep
      - source_labels: [__meta_kubernetes_pod_node_name]
        target_label: instance

  - job_name: node
    kubernetes_sd_configs:
      - role: pod
        namespaces: { names: [bashupload-monitoring] }
    relabel_configs:
      - source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_name]
        regex: node-exporter
        action: keep
      - source_labels: [__meta_kubernetes_pod_node_name]
        target_label: instance

  # When certificates expire, in cert-manager's own words. Absent with a certificate of your own.
  - job_name: cert-manager
    # By its name in DNS, which a cluster without cert-manager does not have: a fixed target would be down for ever.
    dns_sd_configs:
      - { names: [cert-manager.cert-manager.svc], type: A, port: 9402 }
    relabel_configs:
      - target_label: instance
        replacement: cert-manager

"""##,
    "components/own-certificate/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

# One object per patch: kustomize 5.5 crashes on a file with several deletions.
patches:
  - patch: |
      apiVersion: cert-manager.io/v1
      kind: Certificate
      metadata: { name: bashupload-wildcard, namespace: bashupload }
      $patch: delete
  - patch: |
      apiVersion: cert-manager.io/v1
      kind: ClusterIssuer
      metadata: { name: bashupload-letsencrypt }
      $patch: delete
  - patch: |
      apiVersion: cert-manager.io/v1
      kind: ClusterIssuer
      metadata: { name: bashupload-letsencrypt-staging }
      $patch: delete

"""##,
    "components/quota/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

resources:
  - quota.yaml

"""##,
    "components/quota/quota.yaml": ##"""
# For 3 edge nodes; a DaemonSet needs more with every node, and a quota that is too small lets the last nodes without a pod
# and says so only in the events of the DaemonSet. So, with n nodes:
#   requests.cpu     (n + 1) × 150m  + 2 ×  20m      one pod more than nodes: the old one may still be ending
#   requests.memory  (n + 1) × 176Mi + 2 ×  48Mi     and two runs of the cleanup
#   limits.memory    (n + 1) × 512Mi + 2 × 128Mi
#   pods             (n + 1) + 2
apiVersion: v1
kind: ResourceQuota
metadata:
  name: bashupload
  namespace: bashupload
spec:
  hard:
    requests.cpu: 640m
    requests.memory: 800Mi
    limits.memory: 2304Mi
    pods: "6"
---
# A quota refuses pods that say nothing; this says it for them. No default CPU limit: it would throttle transfers.
apiVersion: v1
kind: LimitRange
metadata:
  name: bashupload
  namespace: bashupload
spec:
  limits:
    - type: Container
      defaultRequest: { cpu: 20m, memory: 48Mi }
      default: { memory: 128Mi }
      max: { memory: 512Mi }

"""##,
    "components/spot/cleanup.yaml": ##"""
apiVersion: batch/v1
kind: CronJob
metadata:
  name: bashupload-cleanup
  namespace: bashupload
spec:
  jobTemplate:
    spec:
      template:
        spec:
          # Runs elsewhere when there is an elsewhere; tolerated, because all edges may be spot machines.
          tolerations:
            - key: node-role.kubernetes.io/control-plane
              operator: Exists
              effect: NoSchedule
            - key: bashupload.app/spot
              operator: Exists
              effect: NoSchedule
          affinity:
            nodeAffinity:
              preferredDuringSchedulingIgnoredDuringExecution:
                - weight: 100
                  preference:
                    matchExpressions:
                      - key: bashupload.app/spot
                        operator: DoesNotExist

"""##,
    "components/spot/daemonset.yaml": ##"""
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: bashupload
  namespace: bashupload
spec:
  template:
    spec:
      # A patch replaces the whole list, so the toleration of the base stands here again.
      tolerations:
        - key: node-role.kubernetes.io/control-plane
          operator: Exists
          effect: NoSchedule
        - key: bashupload.app/spot
          operator: Exists
          effect: NoSchedule

"""##,
    "components/spot/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

patches:
  - path: daemonset.yaml
  - path: cleanup.yaml

"""##,
    "components/tls-direct/daemonset.yaml": ##"""
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: bashupload
  namespace: bashupload
spec:
  template:
    spec:
      containers:
        - name: nginx
          $patch: delete
        - name: bashupload
          env:
            - { name: PORT, value: "8443" }
            # Read again when the kubelet has renewed them; connections in progress keep theirs.
            - { name: TLS_CERT_FILE, value: /etc/bashupload-tls/tls.crt }
            - { name: TLS_KEY_FILE, value: /etc/bashupload-tls/tls.key }
          ports:
            - containerPort: 3000
              protocol: TCP
              $patch: delete
            - name: https
              containerPort: 8443
              hostPort: 443
              protocol: TCP
          startupProbe:
            httpGet: { path: /healthz, port: https, scheme: HTTPS }
          livenessProbe:
            httpGet: { path: /healthz, port: https, scheme: HTTPS }
          readinessProbe:
            httpGet: { path: /readyz, port: https, scheme: HTTPS }
          lifecycle:
            preStop:
              sleep: { seconds: 5 }
          volumeMounts:
            - name: certificate
              mountPath: /etc/bashupload-tls
              readOnly: true
      volumes:
        - name: nginx-config
          $patch: delete
        - name: nginx-tmp
          $patch: delete

"""##,
    "components/tls-direct/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

configMapGenerator:
  - name: bashupload
    namespace: bashupload
    behavior: merge
    literals:
      # Clients connect to bashupload itself: there is no proxy to believe.
      - TRUSTED_PROXIES=

patches:
  - path: daemonset.yaml
  - path: service.yaml
  - path: nginx-config.yaml
  - path: network-policy.yaml

"""##,
    "components/tls-direct/network-policy.yaml": ##"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: bashupload-public
  namespace: bashupload
spec:
  ingress:
    - from:
        - ipBlock: { cidr: 0.0.0.0/0 }
        - ipBlock: { cidr: "::/0" }
      ports:
        - { protocol: TCP, port: 8443 }

"""##,
    "components/tls-direct/nginx-config.yaml": ##"""
apiVersion: v1
kind: ConfigMap
metadata:
  name: bashupload-nginx
  namespace: bashupload
$patch: delete

"""##,
    "components/tls-direct/service.yaml": ##"""
apiVersion: v1
kind: Service
metadata:
  name: bashupload
  namespace: bashupload
spec:
  ports:
    - port: 80
      protocol: TCP
      $patch: delete

"""##,
    "components/tunnel/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

resources:
  - tunnel.yaml

"""##,
    "components/tunnel/tunnel.yaml": ##"""
# The Kubernetes API through Cloudflare Tunnel, for administrators whose own address changes. Never for uploads: bodies above
# 100 MB are refused there on the free plan, and every byte would take a detour.
apiVersion: v1
kind: Namespace
metadata:
  name: bashupload-tunnel
  labels:
    pod-security.kubernetes.io/enforce: restricted
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: cloudflared
  namespace: bashupload-tunnel
automountServiceAccountToken: false
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cloudflared
  namespace: bashupload-tunnel
  labels:
    app.kubernetes.io/name: cloudflared
spec:
  replicas: 1
  revisionHistoryLimit: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: cloudflared
  template:
    metadata:
      labels:
        app.kubernetes.io/name: cloudflared
    spec:
      serviceAccountName: cloudflared
      automountServiceAccountToken: false
      enableServiceLinks: false
      # Beside the API that it leads to, where that is possible.
      tolerations:
        - key: node-role.kubernetes.io/control-plane
          operator: Exists
          effect: NoSchedule
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              preference:
                matchExpressions:
                  - key: node-role.kubernetes.io/control-plane
                    operator: Exists
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: cloudflared
          image: docker.io/cloudflare/cloudflared:2026.7.3@sha256:e39ee8da81ad5e05d77f38d2f51c60ca51bf2a8450ac3abab50c17fdb91d91bf
          imagePullPolicy: IfNotPresent
          args: [tunnel, --no-autoupdate, --metrics, "0.0.0.0:2000", run]
          env:
            - name: TUNNEL_TOKEN
              valueFrom:
                secretKeyRef: { name: bashupload-tunnel, key: token }
          ports:
            - name: metrics
              containerPort: 2000
              protocol: TCP
          livenessProbe:
            httpGet: { path: /ready, port: metrics }
            periodSeconds: 10
            failureThreshold: 6
          resources:
            requests: { cpu: 20m, memory: 48Mi }
            limits: { memory: 128Mi }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: cloudflared
  namespace: bashupload-tunnel
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  egress:
    # Cloudflare's edge (7844), the API server (443 before and 6443 after the Service's translation) and names.
    - ports:
        - { protocol: TCP, port: 7844 }
        - { protocol: UDP, port: 7844 }
        - { protocol: TCP, port: 443 }
        - { protocol: TCP, port: 6443 }
        - { protocol: TCP, port: 53 }
        - { protocol: UDP, port: 53 }

"""##,
    "components/upgrade-controller/controller.yaml": ##"""
# The controller and what its Plans need; the kind Plan itself comes from its release (README.md), before this.
apiVersion: v1
kind: Namespace
metadata:
  name: system-upgrade
  labels:
    # An upgrade replaces k3s on the node: its pods are privileged, which every other level refuses or warns of.
    pod-security.kubernetes.io/enforce: privileged
    pod-security.kubernetes.io/warn: privileged
---
# Of the controller, and of the pods that upgrade a node: both ask the API.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: system-upgrade
  namespace: system-upgrade
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: bashupload-system-upgrade
rules:
  - apiGroups: [upgrade.cattle.io]
    resources: [plans, plans/status]
    verbs: [get, list, watch, create, patch, update, delete]
  - apiGroups: [apiextensions.k8s.io]
    resources: [customresourcedefinitions]
    verbs: [get, list, watch, create, patch, update]
  - apiGroups: [""]
    resources: [namespaces]
    verbs: [get, list, watch]
  # Labels of finished upgrades; cordon by the pods. Nothing is drained.
  - apiGroups: [""]
    resources: [nodes]
    verbs: [get, list, watch, patch, update]
  - apiGroups: [""]
    resources: [events]
    verbs: [get, create, patch, update]
  - apiGroups: [batch]
    resources: [jobs]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: bashupload-system-upgrade
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: bashupload-system-upgrade
subjects:
  - kind: ServiceAccount
    name: system-upgrade
    namespace: system-upgrade
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: bashupload-system-upgrade
  namespace: system-upgrade
rules:
  - apiGroups: [batch]
    resources: [jobs]
    verbs: [get, list, watch, create, patch, update, delete, deletecollection]
  - apiGroups: [""]
    resources: [secrets, configmaps]
    verbs: [get, list, watch]
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [get, create, update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: bashupload-system-upgrade
  namespace: system-upgrade
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: bashupload-system-upgrade
subjects:
  - kind: ServiceAccount
    name: system-upgrade
    namespace: system-upgrade
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: system-upgrade-controller
  namespace: system-upgrade
  labels:
    app.kubernetes.io/name: system-upgrade-controller
spec:
  replicas: 1
  revisionHistoryLimit: 2
  # Two at a time would start every upgrade twice.
  strategy: { type: Recreate }
  selector:
    matchLabels:
      upgrade.cattle.io/controller: system-upgrade-controller
  template:
    metadata:
      labels:
        app.kubernetes.io/name: system-upgrade-controller
        upgrade.cattle.io/controller: system-upgrade-controller
    spec:
      serviceAccountName: system-upgrade
      enableServiceLinks: false
      nodeSelector:
        node-role.kubernetes.io/control-plane: "true"
      tolerations:
        - key: node-role.kubernetes.io/control-plane
          operator: Exists
          effect: NoSchedule
      securityContext:
        runAsNonRoot: true
        runAsUser: 65534
        runAsGroup: 65534
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: system-upgrade-controller
          image: docker.io/rancher/system-upgrade-controller:v0.19.2@sha256:34fa058fe453da2e1d6cf9052d2961976d5c7294921f8a6a6fb75098a27b0e89
          imagePullPolicy: IfNotPresent
          env:
            - name: SYSTEM_UPGRADE_CONTROLLER_NAME
              value: system-upgrade-controller
            - name: SYSTEM_UPGRADE_CONTROLLER_NAMESPACE
              valueFrom:
                fieldRef: { fieldPath: metadata.namespace }
            - name: SYSTEM_UPGRADE_CONTROLLER_NODE_NAME
              valueFrom:
                fieldRef: { fieldPath: spec.nodeName }
            # An upgrade that hangs or fails is given up, not repeated for ever on the node.
            - { name: SYSTEM_UPGRADE_JOB_ACTIVE_DEADLINE_SECONDS, value: "900" }
            - { name: SYSTEM_UPGRADE_JOB_BACKOFF_LIMIT, value: "3" }
            - { name: SYSTEM_UPGRADE_JOB_IMAGE_PULL_POLICY, value: IfNotPresent }
          resources:
            requests: { cpu: 10m, memory: 48Mi }
            limits: { memory: 128Mi }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir: { sizeLimit: 64Mi }

"""##,
    "components/upgrade-controller/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

resources:
  - controller.yaml
  - plans.yaml

"""##,
    "components/upgrade-controller/plans.yaml": ##"""
# Servers first, one at a time; then the agents, one at a time. The version is pinned and moves by one minor version at most:
# the controller does not check that, and Kubernetes supports nothing else. There is no way back but a snapshot.
apiVersion: upgrade.cattle.io/v1
kind: Plan
metadata:
  name: k3s-server
  namespace: system-upgrade
spec:
  version: v1.33.5+k3s1
  concurrency: 1
  cordon: true
  serviceAccountName: system-upgrade
  nodeSelector:
    matchExpressions:
      - key: node-role.kubernetes.io/control-plane
        operator: Exists
  tolerations:
    - key: node-role.kubernetes.io/control-plane
      operator: Exists
      effect: NoSchedule
  upgrade:
    image: rancher/k3s-upgrade
---
apiVersion: upgrade.cattle.io/v1
kind: Plan
metadata:
  name: k3s-agent
  namespace: system-upgrade
spec:
  version: v1.33.5+k3s1
  concurrency: 1
  # No drain: the pods of the DaemonSet would stay anyway, and running containers survive a restart of k3s.
  cordon: true
  serviceAccountName: system-upgrade
  nodeSelector:
    matchExpressions:
      - key: node-role.kubernetes.io/control-plane
        operator: DoesNotExist
  tolerations:
    - key: bashupload.app/spot
      operator: Exists
      effect: NoSchedule
  prepare:
    image: rancher/k3s-upgrade
    args: [prepare, k3s-server]
  upgrade:
    image: rancher/k3s-upgrade

"""##,
    "components/vpa/kustomization.yaml": ##"""
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component

resources:
  - vpa.yaml

"""##,
    "components/vpa/vpa.yaml": ##"""
# Recommends, never acts: to change the size of a pod it would be evicted, and with hostPort that is an outage of the node.
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata:
  name: bashupload
  namespace: bashupload
spec:
  targetRef:
    apiVersion: apps/v1
    kind: DaemonSet
    name: bashupload
  updatePolicy:
    updateMode: "Off"
  resourcePolicy:
    containerPolicies:
      - containerName: "*"
        controlledResources: [cpu, memory]
        minAllowed: { cpu: 20m, memory: 32Mi }
        # More than this does not fit beside the system on a node of 2 GB.
        maxAllowed: { cpu: "1", memory: 512Mi }

"""##,
  ]
}
