/// The version of an API server, such as v1.33.5+k3s1.
package struct ServerVersion: Hashable, Sendable, CustomStringConvertible {
  /// As the server calls itself.
  package var description: String
  private var major: Int
  private var minor: Int

  /// From what `kubectl version --output=json` says; `nil` when no server is in it.
  package init?(_ value: JSONValue) {
    let server = value["serverVersion"]
    // Some providers write 30+.
    guard let major = server?["major"]?.string.flatMap({ Int($0) }),
      let minor = server?["minor"]?.string.flatMap({ Int($0.prefix { $0.isNumber }) })
    else { return nil }
    (self.major, self.minor) = (major, minor)
    description = server?["gitVersion"]?.string ?? "v\(major).\(minor)"
  }

  /// Why nothing can be deployed to it; `nil`: it is new enough. An older server would refuse object after object, each in
  /// words of its own.
  package var shortfall: String? {
    if (major, minor) >= (1, 30) { return nil }
    return "this Kubernetes is \(self), and deploy needs 1.30 or newer (preStop.sleep, ValidatingAdmissionPolicy): "
      + "upgrade it first"
  }
}
