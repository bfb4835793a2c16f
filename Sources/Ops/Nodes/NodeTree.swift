/// The files of one node, as `render` writes them and `apply` brings them there. Pure: cluster file and facts in, files out.
/// No secret is in it: those are made on the nodes or come over standard input, see `NodeSecrets`.
package struct NodeTree: Sendable {
  /// A file, and who has to be told when it changes.
  package struct Entry: Hashable, Sendable {
    package var file: NodeFile
    package var service: NodeService
  }

  package let node: NodeSpec
  /// Sorted by path.
  package let entries: [Entry]
  /// What k3s is told to be its own addresses, outside of a mesh: they have to be on one of its interfaces.
  let addresses: [IPAddress]
  /// Files that are left out, and the facts that they wait for.
  let missing: [MissingFact]

  /// One line about the files that are left out; `nil`: none are.
  package var complaint: String? {
    if missing.isEmpty { return nil }
    let files = missing.map { "\($0.path), which needs \($0.what)" }.joined(separator: ", and ")
    return "\(node.name): left out \(files): --facts FILE tells it, or apply asks the nodes"
  }

  package init(_ node: NodeSpec, of file: ClusterFile, facts: KnownFacts) {
    self.node = node
    let network = NodeNetwork(file)
    addresses = network.meshAddress(node) == nil ? network.nodeAddresses(node) : []
    var entries: [Entry] = []
    var missing: [MissingFact] = []
    func add(_ service: NodeService, _ files: [NodeFile]) {
      entries += files.map { Entry(file: $0, service: service) }
    }
    /// A file that needs a fact; without it there is none of it, never half of it.
    func need(_ service: NodeService, _ make: () throws(MissingFact) -> [NodeFile]) {
      do {
        add(service, try make())
      } catch {
        missing.append(error)
      }
    }
    let units = SystemUnits(node, network)
    add(.updates, [SystemUpdates.file])
    add(.modules, [KernelSettings.modules(network)])
    add(.kernel, [KernelSettings.sysctl(node, network)])
    add(.journal, [JournalLimits.file])
    add(.sshd, [SSHDaemonSettings(node).file])
    add(.firewall, [FirewallTable(node, network).file, RevertScript.file, units.firewall, units.revert])
    if file.mesh.type == .wireguard {
      need(.wireguard) { () throws(MissingFact) in [try WireGuardMesh(node, network).file(facts)] }
    }
    if file.mesh.type == .zerotier { add(.zerotier, ZeroTierMesh(network).files) }
    if network.virtualAddress != nil, node.role != .edge {
      need(.keepalived) { () throws(MissingFact) in [try VirtualAddress(node, network).file(facts)] }
    }
    if file.features.enabled.contains(.dynamicAddress) {
      add(.address, AddressWatch(node, network).files + units.address)
    }
    need(.kubernetes) { () throws(MissingFact) in [try K3sConfiguration(node, network).file(facts)] }
    add(.kubernetes, [KubeletSettings(node, grace: file.shutdownGrace).file, units.kubernetes])
    if node.role != .edge { add(.kubernetes, APIServerFiles(file).files) }
    self.entries = entries.sorted { $0.file.path < $1.file.path }
    self.missing = missing
  }

  /// Packages of the system that the files need.
  package static func packages(_ node: NodeSpec, of file: ClusterFile) -> [String] {
    var packages = ["nftables", "unattended-upgrades", "ca-certificates", "curl"]
    if [.wireguard, .wireguardNative].contains(file.mesh.type) { packages.append("wireguard-tools") }
    if NodeNetwork(file).virtualAddress != nil, node.role != .edge { packages.append("keepalived") }
    return packages
  }

  /// Below the output folder of `render`.
  package var rendered: [RenderedFile] {
    entries.map { RenderedFile(path: "nodes/\(node.name)\($0.file.path)", text: $0.file.text, mode: $0.file.mode) }
  }
}
