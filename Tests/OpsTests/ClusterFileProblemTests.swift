import Testing

import Ops

/// Deliberate mistakes: each is caught, at its place, with what to write instead.
struct ClusterFileProblemTests {
  struct Mistake: Sendable, CustomTestStringConvertible {
    var old: String
    var new: String
    var path: String
    var says: String

    init(_ old: String, _ new: String, _ path: String, _ says: String) {
      (self.old, self.new, self.path, self.says) = (old, new, path, says)
    }

    var testDescription: String { String(new.prefix(80)) }
  }

  /// The second document's tips, where arguments can be written.
  private static let arguments: [Mistake] = [
    ("kubelet: [node-status-update-frequency=10s]", "kubelet[0]", "10s is the default"),
    ("kubelet: [\"eviction-hard=memory.available<500Mi\"]", "kubelet[0]", "turns the others off"),
    ("kubelet: [\"kube-reserved=cpu=200m,memory=256Mi\"]", "kubelet[0]", "computed from nodes.memory"),
    ("kubelet: [pod-infra-container-image=k8s.gcr.io/pause:3.6]", "kubelet[0]", "frozen since 2023"),
    ("kubelet: [node-ip=10.0.0.1]", "kubelet[0]", "deploy sets it itself"),
    ("etcd: [quota-backend-bytes=8589934592]", "etcd[0]", "more than such a node can hold"),
    ("etcd: [max-request-bytes=10485760]", "etcd[0]", "keeps none out"),
    ("apiserver: [audit-log-path=/var/log/kubernetes/audit.log]", "apiserver[0]", "features.audit writes both"),
    ("apiserver: [--profiling=false]", "apiserver[0]", "without dashes"),
    ("apiserver: [profiling]", "apiserver[0]", "not an argument such as"),
  ].map { Mistake("datastore: etcd", "arguments: { \($0.0) }", "kubernetes.arguments.\($0.1)", $0.2) }

  static let mistakes: [Mistake] =
    [
      Mistake("maxUploadSize: 5GiB", "maxUploadSize: 5368709120", "policy.maxUploadSize", "5GiB if these are bytes"),
      Mistake("maxUploadSize: 5GiB", "maxUploadSize: 5G", "policy.maxUploadSize", "write 5GiB"),
      Mistake("maxUploadSize: 5GiB", "maxUploadSize: 9TiB", "policy.maxUploadSize", "out of range"),
      Mistake("maxUploadSize: 5GiB", "maxUploadSize: 0B", "policy.maxUploadSize", "out of range"),
      Mistake("maxAge: 1h", "maxAge: 3600", "policy.maxAge", "3600s or 1h"),
      Mistake("maxAge: 1h", "maxAge: 1 hour", "policy.maxAge", "such as 90s"),
      Mistake("maxAge: 1h", "maxAge: 0s", "policy.maxAge", "out of range"),
      Mistake("maxAge: 1h", "maxage: 1h", "policy.maxage", "did you mean maxAge?"),
      Mistake("maxAge: 1h", "maxAge: [1h]", "policy.maxAge", "is a list"),
      Mistake(
        "allowLifetimeOverMaxAge: false", "allowLifetimeOverMaxAge: no", "policy.allowLifetimeOverMaxAge",
        "neither true nor false"),
      Mistake(
        "allowLifetimeOverMaxAge: false", "allowLifetimeOverMaxAge: \"false\"", "policy.allowLifetimeOverMaxAge",
        "without quotes"),
      Mistake("enabled: false, service", "enabled: true, serv", "policy.shortURL.serv", "unknown"),
      Mistake(
        "password: { fromEnv: BASHUPLOAD_PASSWORD }", "password: hunter2", "policy.password", "never stand in this file"
      ),
      Mistake(
        "password: { fromEnv: BASHUPLOAD_PASSWORD }", "password: { env: X }", "policy.password.env",
        "known here: fromEnv"
      ),
      Mistake(
        "password: { fromEnv: BASHUPLOAD_PASSWORD }", "password: { fromEnv: A, fromFile: b }", "policy.password",
        "has 2 of"),
      Mistake(
        "password: { fromEnv: BASHUPLOAD_PASSWORD }", "password: { fromSecret: name }", "policy.password.fromSecret",
        "name/key"),
      Mistake(
        "domain: bashupload.app  ", "domain: https://bashupload.app/", "domain", "write only the domain, bashupload.app"
      ),
      Mistake("domain: bashupload.app  ", "domain: localhost", "domain", "not a domain"),
      Mistake("@sha256:6c3c", ":latest #", "image", "names no digest"),
      Mistake("@sha256:6c3c", "@sha256:6c3", "image", "64 hex digits"),
      Mistake(
        "accountID: 0123456789abcdef0123456789abcdef", "accountID: 0123", "storage.r2.accountID", "32 hex digits"),
      Mistake("accountID: 0123456789abcdef0123456789abcdef", "# nothing", "storage.r2.accountID", "is missing"),
      Mistake("bucket: bashupload", "bucket: null", "storage.r2.bucket", "is empty"),
      Mistake("jurisdiction: default", "jurisdiction: EU", "storage.r2.jurisdiction", "did you mean eu?"),
      Mistake(
        "issuer: letsencrypt ", "issuer: letsencrypt-stagin ", "certificates.issuer",
        "did you mean letsencrypt-staging?"),
      Mistake("issuer: letsencrypt ", "issuer: { secret: mine } ", "certificates.email", "leave it out"),
      Mistake("email: ops@example.org", "email: ops", "certificates.email", "not an e-mail address"),
      Mistake("email: ops@example.org", "", "certificates", "needs email"),
      Mistake("ttl: 60s", "ttl: 30s", "dns.ttl", "1m to 1d"),
      Mistake("minRecords: 2", "minRecords: 4", "dns.minRecords", "at most 3"),
      Mistake("type: wireguardNative }", "type: wireguard-native }", "mesh.type", "did you mean wireguardNative?"),
      Mistake("type: wireguardNative }", "type: zerotier }", "mesh", "needs network"),
      Mistake("type: wireguardNative }", "type: none }", "mesh.type", "one provider's private network"),
      Mistake(
        "version: v1.33.5+k3s1", "version: v1.31.9+k3s1", "kubernetes.k3s.version", "write v1.32.0+k3s1 or newer"),
      Mistake(
        "user: root, port: 22,", "user: \"-oProxyCommand=x\", port: 22,", "access.ssh.user", "name of an account"),
      Mistake("datastore: etcd", "pauseImage: k8s.gcr.io/pause:3.6", "kubernetes.pauseImage", "frozen since 2023"),
      Mistake(
        "datastore: etcd", "quota-backend-bytes: 8589934592", "kubernetes.quota-backend-bytes", "explain etcd-tuning"),
      Mistake("datastore: etcd", "kubeadm: true", "kubernetes.kubeadm", "k3s has no kubeadm"),
      Mistake("datastore: etcd", "coreDNS: { dns-forward-max-per-host: 100 }", "kubernetes.coreDNS", "no such flag"),
      Mistake("cleanup: {", "iptables: []\ncleanup: {", "iptables", "a table of its own"),
    ] + arguments + [
      Mistake("version: v1.33.5+k3s1", "version: 1.33.5", "kubernetes.k3s.version", "with v and +k3s"),
      Mistake(
        "adminCIDRs: [198.51.100.0/24]", "adminCIDRs: [198.51.100.7/24]", "access.adminCIDRs[0]",
        "write 198.51.100.0/24"),
      Mistake(
        "adminCIDRs: [198.51.100.0/24]", "adminCIDRs: [198.51.100.7]", "access.adminCIDRs[0]", "write 198.51.100.7/32"),
      Mistake("port: 22,", "port: 220000,", "access.ssh.port", "from 1 to 65535"),
      Mistake("*/5 * * * *", "*/5 * * *", "cleanup.schedule", "has 4 fields"),
      Mistake("*/5 * * * *", "61 * * * *", "cleanup.schedule", "is not a minute"),
      Mistake("role: control", "role: master", "nodes[0].role", "known here: control, edge, all"),
      Mistake("role: control", "role: edge", "nodes", "has no control node"),
      Mistake("203.0.113.12", "203.0.113.11", "nodes[2].address", "addresses differ"),
      Mistake("name: edge-2", "name: edge-1", "nodes[2].name", "names differ"),
      Mistake("name: edge-2", "name: Edge-2", "nodes[2].name", "write edge-2"),
      Mistake("address: 192.0.2.33", "address: 192.0.2.333", "nodes[3].address", "not an IPv4 address"),
      Mistake("address: 192.0.2.33", "address: \"2001:db8::34\"", "nodes[3].address", "belongs to address6"),
      Mistake(
        "allowance: 2TB, count: both, resetDay: 1 } }", "allowance: 2TB, resetDay: 32 } }", "nodes[1].traffic.resetDay",
        "from 1 to 31"),
      Mistake(
        "monitoring: { enabled: true }", "monitorring: { enabled: true }", "features.monitorring",
        "did you mean monitoring?"),
      Mistake("monitoring: { enabled: true }", "monitoring: true", "features.monitoring", "is a single value"),
      Mistake("logs: { enabled: false }", "logs: { enabled: true }", "features.logs", "without a place"),
      Mistake("tunnel: { enabled: false }", "tunnel: { enabled: true }", "features.tunnel", "without a token"),
      Mistake("tls: nginx ", "tls: direct ", "ingress.staticFiles", "answered by nginx"),
      Mistake(
        "/servads.txt:", "/healthz:", "ingress.staticFiles",
        "is answered by the service itself: write another path"),
      Mistake(
        "S6GVLTLHQPLW1RLTWUKOY3I8JI46Y5HO", String(repeating: "é", count: (128 << 10) / 2), "ingress.staticFiles",
        "have 131084 bytes in all; the limit is 131072"),
      Mistake(
        "S6GVLTLHQPLW1RLTWUKOY3I8JI46Y5HO", "a\\0b", "ingress.staticFiles[/servads.txt]", "has the character U+0000"),
      Mistake("/servads.txt:", "/nginx/too-long:", "ingress.staticFiles", "is below /nginx/"),
      Mistake("/servads.txt:", "/a//b:", "ingress.staticFiles", "would never be asked for"),
      Mistake("/servads.txt:", "/a/../b:", "ingress.staticFiles", "would never be asked for"),
      Mistake("/servads.txt:", "/caf%C3%A9:", "ingress.staticFiles", "would never be asked for"),
      Mistake(
        "/servads.txt:", "/\(String(repeating: "p", count: 255)):", "ingress.staticFiles",
        "a path of 256 bytes is too long"),
      Mistake("apiVersion: bashupload.app/v1", "apiVersion: v1", "apiVersion", "known here: bashupload.app/v1"),
      Mistake(
        "cluster: bashupload-app", "cluster: bashupload-app\ncluster: other", "cluster",
        "is written twice, first in line 4"),
    ]

  @Test(arguments: mistakes)
  func isCaughtAtItsPlace(_ mistake: Mistake) throws {
    let text = Example.with(mistake.old, mistake.new)
    let problems = Example.problems(text)
    let problem = try #require(
      problems.first { $0.path == mistake.path }, "\(problems.map { $0.line(in: "f") })")
    #expect(problem.message.contains(mistake.says), "\(problem.message)")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(problem.position.line >= 1 && problem.position.line <= lines.count)
    // One mistake, one line: nothing that follows from it is told as well.
    let excess = problems.filter { $0 != problem && !$0.path.hasPrefix("nodes[") && $0.path != "certificates.dns01" }
    #expect(excess.isEmpty, "\(excess.map { $0.line(in: "f") })")
  }

  @Test func allProblemsAreToldAtOnceInTheOrderOfTheFile() {
    var text = Example.with("maxAge: 1h", "maxAge: 3600")
    text = text.replacing("ttl: 60s", with: "ttl: 60")
    text = text.replacing("cleanup: {", with: "cleanups: {")
    text += "cluster: again\ndomain: twice.example.org\nfoo: 1\n"
    let problems = Example.problems(text)
    #expect(problems.map(\.path) == ["policy.maxAge", "dns.ttl", "cleanups", "cluster", "domain", "foo"])
    #expect(problems.map(\.position) == problems.map(\.position).sorted())
    #expect(problems[4].line(in: "f").hasPrefix("f:"))
  }

  @Test func duplicatesAreFoundAtEveryDepth() {
    let text = Example.with("maxAge: 1h", "maxAge: 1h\n  maxAge: 2h").replacing(
      "resetDay: 1 }, spot", with: "resetDay: 1, \"resetDay\": 2 }, spot")
    #expect(Example.problems(text).map(\.path) == ["policy.maxAge", "nodes[2].traffic.resetDay"])
  }

  @Test(arguments: ["", "a: [", "- 1\n- 2", "\t: x", "a: &x 1\nb: *x", "a: 1\n---\nb: 2"])
  func whatIsNoClusterFileIsSaidInOneLineEach(_ text: String) {
    let problems = Example.problems(text)
    #expect(!problems.isEmpty)
    #expect(problems.allSatisfy { !$0.message.contains("\n") })
  }

  /// The mistake that editors make, not operators.
  @Test func tabsAreCalledByTheirName() throws {
    let problem = try #require(Example.problems("policy:\n\tmaxAge: 1h\n").first)
    #expect(problem.line(in: "f") == "f:2:1: a tab indents this line, and YAML takes spaces only")
  }

  /// The text of a secret that was written where its name belongs is not repeated on a terminal or in a CI log.
  @Test func secretsWrittenByMistakeAreNotRepeated() {
    for new in ["password: S3cr3t!", "password: { fromEnv: \"S3cr3t!\" }", "password: [S3cr3t!]"] {
      let problems = Example.problems(Example.with("password: { fromEnv: BASHUPLOAD_PASSWORD }", new))
      #expect(!problems.isEmpty)
      #expect(problems.allSatisfy { !$0.message.contains("S3cr3t") })
    }
  }

  /// Its pods would have IPv6, and nobody would listen there.
  @Test func directTLSHasNoIPv6() {
    let text = Example.with("tls: nginx ", "tls: direct ").replacing(
      "  staticFiles: { /servads.txt: \"S6GVLTLHQPLW1RLTWUKOY3I8JI46Y5HO\" }\n", with: "")
    #expect(Example.problems(text).isEmpty, "one node with address6 makes no dual-stack cluster")
    let dual = text.replacing(#/address: 203.0.113.1(\d),/#) { match in
      "address: 203.0.113.1\(match.1), address6: \"2001:db8::1\(match.1)\","
    }
    let problems = Example.problems(dual)
    #expect(problems.map(\.path) == ["ingress.tls"])
    #expect(problems.first?.message.contains("listens on IPv4 only") == true)
  }

  @Test func threeControlNodesNeedOnePlace() {
    let nodes = """
        - { name: cp-2, role: control, address: 203.0.113.20, provider: hetzner, region: fsn }
        - { name: cp-3, role: control, address: 203.0.113.21, provider: vultr, region: ap-tokyo, privateAddress: 10.0.0.3 }

      features: 
      """
    let problems = Example.problems(Example.with("\nfeatures: ", nodes))
    #expect(
      problems.map { "\($0.path)" }.sorted() == ["nodes[0]", "nodes[4]", "nodes[4].provider", "nodes[4].region"],
      "\(problems.map { $0.line(in: "f") })")
  }
}
