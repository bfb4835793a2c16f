import UploadCore

/// What is valid and still worth a word.
package enum Advice {
  /// One line each.
  /// - Parameter now: seconds since 1970.
  package static func notes(_ file: ClusterFile, now: Int) -> [String] {
    var notes: [String] = k3s(file, now: now)
    if file.image.digest.dropFirst(7).allSatisfy({ $0 == "0" }) {
      notes.append("image has the digest of init's example: write the one of your image")
    }
    if file.storage.accountID == "0123456789abcdef0123456789abcdef" {
      notes.append("storage.r2.accountID is the one of init's example: write yours")
    }
    if let note = snapshots(file) { notes.append(note) }
    if file.edges.count == 1 { notes.append("one edge: when it is away, the service is away") }
    if file.mesh.type == .zerotier, file.nodes.count > 10 {
      notes.append("\(file.nodes.count) nodes: ZeroTier's free plan ends at 10, and is for personal use")
    }
    if file.certificates.profile == "shortlived" {
      notes.append("certificates live 160 hours: after a failed renewal there are about two days to act")
    }
    if file.policy.maxAge > file.policy.maxAgeForMultidownload {
      notes.append("policy.maxAge is longer than maxAgeForMultidownload: one-time uploads outlive the others")
    }
    let unserved = NodeNetwork(file).isDualStack ? [] : file.edges.filter { $0.address6 != nil }.map(\.name)
    if !unserved.isEmpty {
      let names = unserved.joined(separator: ", ")
      notes.append(
        file.mesh.type == .wireguardNative
          ? "address6 of \(names) is not served: every node needs one"
          : "address6 of \(names) is not served: pods have IPv6 only with mesh.type wireguardNative, and address6 of every "
            + "node")
    }
    return notes + access(file) + unmanaged(file)
  }

  /// What keeps k3s from being installed, and what keeps it from being safe.
  private static func k3s(_ file: ClusterFile, now: Int) -> [String] {
    guard let text = file.kubernetes.version else {
      return [
        "kubernetes.k3s.version is missing: k3s is not installed; write k3s: { version: …, sha256: { amd64: … } }"
      ]
    }
    var notes: [String] = []
    if file.kubernetes.sha256.isEmpty, file.kubernetes.binaries.isEmpty {
      notes.append(
        "kubernetes.k3s.sha256 is missing, and apply installs no k3s without it: write the digest of the line k3s of "
          + "https://github.com/k3s-io/k3s/releases/download/\(text.replacing("+", with: "%2B"))/sha256sum-amd64.txt "
          + "(arm64: the line k3s-arm64 of sha256sum-arm64.txt)")
    }
    if let end = K3sVersion(text)?.end(before: now) {
      notes.append(
        "kubernetes.k3s.version \(text): this Kubernetes gets no fixes since \(end); write a newer one, one minor version at a time"
      )
    }
    return notes
  }

  /// Why no snapshot of etcd reaches the bucket.
  static func snapshots(_ file: ClusterFile) -> String? {
    guard file.kubernetes.savesToBucket, case .kubernetes = file.storage.secretAccessKey else { return nil }
    return
      "storage.r2 by fromSecret does not reach the control nodes, so no snapshot of etcd reaches the bucket: write "
      + "fromEnv or fromFile, or kubernetes.snapshots.to: local"
  }

  /// What of the nodes' firewall keeps the operator out.
  static func access(_ file: ClusterFile) -> [String] {
    guard !file.nodes.isEmpty, file.access.adminCIDRs.isEmpty else { return [] }
    return [
      "access.adminCIDRs is empty: the API (6443) is closed for your kubectl, write the addresses that you come from"
    ]
  }

  /// Keys that are understood and that no verb acts on yet.
  package static func unmanaged(_ file: ClusterFile) -> [String] {
    var parts: [String] = []
    if file.dns != nil { parts.append("dns records") }
    if file.nodes.contains(where: { $0.traffic != nil }) { parts.append("nodes.traffic") }
    return parts.isEmpty ? [] : ["not managed yet by this version: \(parts.joined(separator: ", "))"]
  }
}
