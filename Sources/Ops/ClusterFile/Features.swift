/// What is switched on.
package struct Features: Sendable {
  /// The ones that are on.
  package var enabled: Set<Feature>
  /// Where each is switched on.
  package var positions: [Feature: Position]
  package var loki: Loki?
  package var auditLevel: String
  package var tunnelToken: SecretReference?
  package var virtualAddress: IPAddress?
  /// Seconds.
  package var dynamicAddressEvery: Int64

  /// Where the logs go.
  package struct Loki: Hashable, Sendable {
    package var url: String
    package var username: String?
    package var password: SecretReference?
  }
}

/// A feature by its key in the cluster file.
package enum Feature: String, Sendable, CaseIterable {
  case monitoring, logs, quota, audit, upgradeController, vpa, spot, descheduler, falco, longhorn, tunnel, keepalived
  case dynamicAddress

  /// The folder below `components`; `nil`: a matter of the nodes.
  package var component: String? {
    switch self {
    case .audit, .keepalived, .dynamicAddress: nil
    case .upgradeController: "upgrade-controller"
    case .monitoring, .logs, .quota, .vpa, .spot, .descheduler, .falco, .longhorn, .tunnel: rawValue
    }
  }
}
