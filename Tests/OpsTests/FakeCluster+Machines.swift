import Foundation
import Ops

/// What kubectl and ssh do with nodes, as far as deploy asks.
extension FakeCluster.State {
  mutating func changeNode(_ words: [String]) -> CommandResult {
    let name = words[0] == "label" ? words[2] : words[1]
    guard let identity = objects.keys.first(where: { $0.kind == "Node" && $0.name == name }) else {
      return CommandResult(
        status: 1, output: "", complaint: "Error from server (NotFound): nodes \"\(name)\" not found")
    }
    switch words[0] {
    case "cordon": objects[identity]?["spec"] = ["unschedulable": true]
    case "uncordon": objects[identity]?["spec"] = [:]
    case "label":
      for word in words.dropFirst(3) where !word.hasPrefix("--") {
        let parts = word.split(separator: "=").map(String.init)
        var labels = objects[identity]?.at("metadata", "labels")?.members ?? [:]
        if parts.count == 2 { labels[parts[0]] = .string(parts[1]) } else { labels[String(word.dropLast())] = nil }
        objects[identity]?["metadata"]?["labels"] = .object(labels)
      }
    default: break
    }
    return CommandResult(status: 0, output: "")
  }

  /// A server behind ssh: tells the digest of its k3s, and takes another from a script.
  mutating func ssh(_ invocation: Invocation) -> CommandResult {
    let script = invocation.input ?? ""
    guard
      let name = machines.first(where: { entry in invocation.arguments.contains { $0.hasSuffix("@\(entry.value)") } })?
        .key
    else { return CommandResult(status: 255, output: "", complaint: "ssh: connect to host: No route to host") }
    if script.contains("base64 -w 0 /etc/rancher/k3s/k3s.yaml") {
      let text = "clusters: [{ cluster: { server: \"https://127.0.0.1:6443\" } }]\nusers: [planted-kubeconfig-6]\n"
      return CommandResult(status: 0, output: Data(text.utf8).base64EncodedString())
    }
    if script.contains("echo facts 1") {
      let version = objects.first { $0.key.kind == "Node" && $0.key.name == name }?.value
        .at("status", "nodeInfo", "kubeletVersion")?.string
      let digest = binaries.first { $0.value == version }?.key ?? String(repeating: "0", count: 64)
      let sums = FakeCluster.tokens.map { "sum \(String(repeating: "7", count: 64)) \($0)\n" }.joined()
      return CommandResult(
        status: 0,
        output: "facts 1\narchitecture x86_64\nsum \(digest) /usr/local/bin/k3s\n\(sums)\(facts[name] ?? "")"
          + "boot \(starts[name] ?? 0)\n\(needsReboot.contains(name) ? "reboot\n" : "")end\n")
    }
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

extension FakeCluster {
  static let tokens = [
    "/etc/rancher/k3s/token", "/etc/rancher/k3s/agent-token", "/var/lib/rancher/k3s/server/token",
    "/var/lib/rancher/k3s/server/agent-token",
  ]
}
