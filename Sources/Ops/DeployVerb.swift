/// What an operator can do with a cluster; each verb plans first and executes then.
public enum DeployVerb: String, Sendable, CaseIterable {
  case initialize = "init"
  case check, plan, apply, status, verify, watch, drain, undrain, upgrade, rollback, backup, restore, doctor, explain,
    render
  case destroy

  /// This version manages nothing yet: every verb says so instead of doing half of it.
  public var notManagedYet: String {
    "deploy \(rawValue): not managed yet by this version; run `bashupload serve` on one machine meanwhile"
  }
}
