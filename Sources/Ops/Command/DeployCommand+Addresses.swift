/// Nodes whose public address changes tell it to k3s themselves; whoever comes to them, and their neighbours' files, have it
/// from the cluster.
extension DeployCommand {
  /// The file with the addresses that the nodes have now. Without `features.dynamicAddress`, and where the cluster is not known
  /// or does not answer, it is the file as it is.
  func present(_ file: ClusterFile) async -> ClusterFile {
    // Without a name, kubectl could be of some other cluster.
    guard file.features.enabled.contains(.dynamicAddress), context.variables["KUBECONFIG"] != nil else { return file }
    guard let live = try? await kubectl.get("nodes", namespace: nil) else {
      context.complain("the cluster does not tell where its nodes are now: the addresses of the file are used")
      return file
    }
    var file = file
    for index in file.nodes.indices {
      let node = file.nodes[index]
      let addresses = live.first { $0.name == node.name }?.value.at("status", "addresses")?.array ?? []
      let told = addresses.filter { $0["type"]?.string == "ExternalIP" }.compactMap { $0["address"]?.string }
      guard let address = told.compactMap({ IPAddress($0) }).first(where: { !$0.isV6 }), address != node.address,
        !file.nodes.contains(where: { $0.address == address })
      else { continue }
      context.say(
        "node/\(node.name): its public address is \(address) now, \(node.address) in the file: used for ssh, and for what "
          + "others know of it")
      file.nodes[index].listedAddress = node.address
      file.nodes[index].address = address
    }
    return file
  }
}
