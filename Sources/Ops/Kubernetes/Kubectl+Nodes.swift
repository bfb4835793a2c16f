/// What is done to nodes.
extension Kubectl {
  /// Names of the edges that the cluster does not hear of: what is applied reaches them when they are back.
  func edgesAway() async throws -> Set<String> {
    let edges = try await get("nodes", namespace: nil, selector: "bashupload.app/role=edge")
    return Set(edges.filter { !DeployCommand.isReady($0) }.map(\.name))
  }

  /// Says that the node takes no new pods.
  func cordon(_ node: String) async throws { _ = try await output(["cordon", node]) }

  /// Lets it take pods again.
  func uncordon(_ node: String) async throws { _ = try await output(["uncordon", node]) }

  /// Moves away what can be moved; pods of DaemonSets stay.
  func drain(_ node: String, seconds: Int) async throws {
    _ = try await output(
      ["drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=\(seconds)s"], deadline: seconds + 30)
  }

  /// Sets labels (`name=value`) and removes them (`name-`).
  func label(_ node: String, _ labels: [String]) async throws {
    if labels.isEmpty { return }
    _ = try await output(["label", "node", node, "--overwrite"] + labels)
  }

  /// Sets taints (`key=value:Effect`) and removes them (`key:Effect-`).
  func taint(_ node: String, _ taints: [String]) async throws {
    if taints.isEmpty { return }
    _ = try await output(["taint", "node", node, "--overwrite"] + taints)
  }

  /// Sets annotations (`name=value`).
  func annotate(_ node: String, _ annotations: [String]) async throws {
    if annotations.isEmpty { return }
    _ = try await output(["annotate", "node", node, "--overwrite"] + annotations)
  }
}
