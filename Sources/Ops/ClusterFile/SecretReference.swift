/// Where a secret is; never the secret itself.
package enum SecretReference: Hashable, Sendable, CustomStringConvertible {
  /// An environment variable of whoever runs deploy.
  case environment(String)
  /// A file on the machine that runs deploy.
  case file(String)
  /// A key of a Secret that is already in the namespace of the service.
  case kubernetes(name: String, key: String)

  package var description: String {
    switch self {
    case .environment(let name): "environment variable \(name)"
    case .file(let path): "file \(path)"
    case .kubernetes(let name, let key): "Secret \(name), key \(key)"
    }
  }
}
