/// Ways out to services of the cluster file that the policies of the tree do not open: other ports, private addresses.
struct EgressPolicies {
  private let file: ClusterFile
  private let components: [String]

  init(_ file: ClusterFile, components: [String]) {
    self.file = file
    self.components = components
  }

  /// Empty: none are needed.
  var text: String {
    [
      policy(
        "bashupload-services", namespace: "bashupload", pods: ["app.kubernetes.io/name: bashupload"],
        to: Self.endpoints([file.storage.endpoint, file.shortURLService]).filter { $0.port != 443 || $0.isPrivate }),
      // The component opens its two ports to every address.
      policy(
        "alloy-loki", namespace: "bashupload-logs", pods: [],
        to: components.contains("logs")
          ? Self.endpoints([file.features.loki?.url]).filter { ![443, 3_100].contains($0.port) } : []),
    ].compactMap { $0 }.joined(separator: "---\n")
  }

  private static func endpoints(_ urls: [String?]) -> [ServiceEndpoint] {
    var found: [ServiceEndpoint] = []
    for endpoint in urls.compactMap({ $0 }).compactMap(ServiceEndpoint.init) where !found.contains(endpoint) {
      found.append(endpoint)
    }
    return found
  }

  private func policy(_ name: String, namespace: String, pods: [String], to endpoints: [ServiceEndpoint]) -> String? {
    if endpoints.isEmpty { return nil }
    let selector =
      pods.isEmpty
      ? "  podSelector: {}" : "  podSelector:\n    matchLabels:\n      " + pods.joined(separator: "\n      ")
    return """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata:
        name: \(name)
        namespace: \(namespace)
      spec:
      \(selector)
        policyTypes: [Egress]
        egress:
      \(endpoints.map(Self.rule).joined(separator: "\n"))

      """
  }

  /// A host name may have any address, a private one as well, but for those at which providers serve the credentials of the
  /// machine.
  private static func rule(_ endpoint: ServiceEndpoint) -> String {
    let peers =
      endpoint.address.map { ["        - ipBlock: { cidr: \"\($0)/\($0.bits)\" }"] } ?? [
        "        - ipBlock: { cidr: 0.0.0.0/0, except: [169.254.0.0/16] }",
        "        - ipBlock: { cidr: \"::/0\", except: [\"fe80::/10\"] }",
      ]
    return """
          - to:
      \(peers.joined(separator: "\n"))
            ports:
              - { protocol: TCP, port: \(endpoint.port) }
      """
  }
}
