import Crypto
import Foundation
import Ops

/// What kubectl and ssh do with nodes, as far as deploy asks.
extension FakeCluster.State {
  mutating func changeNode(_ words: [String]) -> CommandResult {
    let name = ["label", "taint", "annotate"].contains(words[0]) ? words[2] : words[1]
    guard let identity = objects.keys.first(where: { $0.kind == "Node" && $0.name == name }) else {
      return CommandResult(
        status: 1, output: "", complaint: "Error from server (NotFound): nodes \"\(name)\" not found")
    }
    switch words[0] {
    case "cordon": objects[identity]?["spec"] = ["unschedulable": true]
    case "uncordon": objects[identity]?["spec"] = [:]
    case "label", "annotate":
      let place = "\(words[0])s".replacing("annotates", with: "annotations")
      for word in words.dropFirst(3) where !word.hasPrefix("--") {
        let parts = word.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        var members = objects[identity]?.at("metadata", place)?.members ?? [:]
        if parts.count == 2 { members[parts[0]] = .string(parts[1]) } else { members[String(word.dropLast())] = nil }
        objects[identity]?["metadata"]?[place] = .object(members)
      }
    case "taint":
      for word in words.dropFirst(3) where !word.hasPrefix("--") {
        let parts = word.split { "=:".contains($0) }.map(String.init)
        let effect = word.hasSuffix("-") ? String(parts[1].dropLast()) : parts[parts.count - 1]
        var taints = objects[identity]?.at("spec", "taints")?.array ?? []
        let count = taints.count
        taints.removeAll { $0["key"]?.string == parts[0] && $0["effect"]?.string == effect }
        if word.hasSuffix("-"), taints.count == count {
          return CommandResult(status: 1, output: "", complaint: "error: taint \"\(word.dropLast())\" not found")
        }
        if !word.hasSuffix("-") {
          taints.append([
            "key": .string(parts[0]), "value": .string(parts.count == 3 ? parts[1] : ""), "effect": .string(effect),
          ])
        }
        if objects[identity]?["spec"] == nil { objects[identity]?["spec"] = [:] }
        objects[identity]?["spec"]?["taints"] = .array(taints)
      }
    default: break
    }
    return CommandResult(status: 0, output: "")
  }

  /// The Secret with the password of an earlier machine is gone.
  mutating func letIn(_ secret: String) {
    guard let name = rejected.first(where: { secret == "\($0).node-password.k3s" }) else { return }
    rejected.remove(name)
    for identity in objects.keys where identity.kind == "Node" && identity.name == name {
      objects[identity]?["status"]?["conditions"] = [["type": "Ready", "status": "True"]]
    }
  }

  /// A server behind ssh: tells the digest of its k3s, and takes another from a script.
  mutating func ssh(_ invocation: Invocation) -> CommandResult {
    let script = invocation.input ?? ""
    guard
      let name = machines.first(where: { entry in invocation.arguments.contains { $0.hasSuffix("@\(entry.value)") } })?
        .key
    else { return CommandResult(status: 255, output: "", complaint: "ssh: connect to host: No route to host") }
    if script.contains("base64 -w 0 /etc/rancher/k3s/k3s.yaml") {
      return CommandResult(status: 0, output: Data(FakeCluster.kubeconfig.utf8).base64EncodedString())
    }
    if script.contains("echo facts 1") {
      let version = objects.first { $0.key.kind == "Node" && $0.key.name == name }?.value
        .at("status", "nodeInfo", "kubeletVersion")?.string
      let digest = binaries.first { $0.value == version }?.key ?? String(repeating: "0", count: 64)
      let sums = fresh.contains(name) ? "" : FakeCluster.sums
      return CommandResult(
        status: 0,
        output:
          "facts 1\narchitecture x86_64\n\(bare.contains(name) ? "" : "sum \(digest) /usr/local/bin/k3s\n")\(sums)\(facts[name] ?? "")"
          + "boot \(starts[name] ?? 0)\n\(needsReboot.contains(name) ? "reboot\n" : "")end\n")
    }
    if let match = script.firstMatch(of: #/k3s etcd-snapshot (save --name|delete) ([\w-]+)/#) {
      let name = String(match.2)
      if match.1 == "delete" {
        for identity in objects.keys where identity.name.hasSuffix("-\(name)") { objects[identity] = nil }
      } else {
        takeSnapshot("\(name)-cp-1-1795348800")
      }
      return CommandResult(status: 0, output: "end\n")
    }
    if script.contains("k3s kubectl get node") { return forget(script) }
    if script.contains("echo \"k3s $(k3s --version") {
      let node = objects.first { $0.key.kind == "Node" && $0.key.name == name }?.value
      return CommandResult(
        status: 0, output: "k3s \(node?.at("status", "nodeInfo", "kubeletVersion")?.string ?? "")\n")
    }
    if script.contains("--cluster-reset-restore-path=") {
      if isCutOffInRestore {
        return CommandResult(status: 255, output: "step set etcd back\n", complaint: "Connection reset by peer")
      }
      if let complaint = complaintOfRestore {
        return CommandResult(status: 1, output: "step x\nback as it was\n", complaint: complaint)
      }
      return CommandResult(
        status: 0, output: "step x\ntoken \(Data("planted-token-8".utf8).base64EncodedString())\nend\n")
    }
    if script.contains("echo \"token ") {
      return CommandResult(
        status: 0,
        output: FakeCluster.tokens.map { "token \($0) \(Data("planted-token-9".utf8).base64EncodedString())\n" }
          .joined())
    }
    if script.contains("step 'note the files'"), fresh.remove(name) != nil {
      addNode(name, role: name.hasPrefix("cp") ? "control" : "edge")
      if !script.contains("echo armed") { return CommandResult(status: 0, output: FakeCluster.sums + "end\n") }
    }
    if script.contains("systemctl restart k3s.service"), duplicates.contains(name) || !waitingForQuorum.isEmpty {
      let complaint = "Job for k3s.service failed because the control process exited with error code.\n"
      return CommandResult(status: 1, output: "step restart k3s.service\n", complaint: complaint)
    }
    if script.contains("journalctl --quiet") { return CommandResult(status: 0, output: journals[name] ?? "") }
    if script.contains("systemctl --no-block reboot") {
      let identity = objects.keys.first { $0.kind == "Node" && $0.name == name }
      if lost.contains(name) {
        if let identity {
          objects[identity]?["status"]?["conditions"] = [["type": "Ready", "status": "Unknown"]]
        }
      } else {
        starts[name, default: 0] += 1
        needsReboot.remove(name)
        if let identity { objects[identity]?["status"]?["nodeInfo"]?["bootID"] = .string("\(starts[name] ?? 0)") }
      }
      return CommandResult(status: 255, output: "rebooting\n", complaint: "Connection closed by remote host")
    }
    if let entry = binaries.first(where: { script.contains("echo '\($0.key)  /usr/local/bin/k3s.bashupload-new'") }),
      let identity = objects.keys.first(where: { $0.kind == "Node" && $0.name == name })
    {
      objects[identity]?["status"]?["nodeInfo"]?["kubeletVersion"] = .string(entry.value)
    }
    return CommandResult(status: 0, output: script.contains("echo armed") ? "armed\n" : "end\n")
  }
}

extension FakeCluster.State {
  /// On a member: the Node of a control node that was built anew goes, unless somebody is ready under that name.
  private mutating func forget(_ script: String) -> CommandResult {
    guard let identity = objects.keys.first(where: { $0.kind == "Node" && script.contains("get node \($0.name) ") })
    else { return CommandResult(status: 0, output: "") }
    let isReady = objects[identity]?.at("status", "conditions")?.array.first?["status"]?.string == "True"
    if isReady { return CommandResult(status: 1, output: "", complaint: "it is Ready in the cluster\n") }
    objects[identity] = nil
    duplicates.remove(identity.name)
    return CommandResult(status: 0, output: "step forget the old \(identity.name)\n")
  }
}

extension FakeCluster {
  static let kubeconfig =
    "clusters: [{ cluster: { server: \"https://127.0.0.1:6443\" } }]\nusers: [planted-kubeconfig-6]\n"
  static var kubeconfigDigest: String {
    SHA256.hash(data: Data(kubeconfig.utf8)).map { String(format: "%02x", $0) }.joined()
  }

  static let sums = tokens.map { "sum \(String(repeating: "7", count: 64)) \($0)\n" }.joined()

  static let tokens = [
    "/etc/rancher/k3s/token", "/etc/rancher/k3s/agent-token", "/var/lib/rancher/k3s/server/token",
    "/var/lib/rancher/k3s/server/agent-token",
  ]
}
