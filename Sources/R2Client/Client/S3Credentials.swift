/// An access key and its secret. The secret is shown by no description.
public struct S3Credentials: Sendable, Hashable {
  /// Names the key; not secret, and part of presigned URLs.
  public var accessKeyID: String
  /// Signs requests; never sent.
  public var secretAccessKey: String

  /// Takes both as the store has issued them.
  public init(accessKeyID: String, secretAccessKey: String) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
  }
}

extension S3Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The access key id without the secret.
  public var description: String { "S3Credentials(\(accessKeyID))" }
  /// The same as `description`.
  public var debugDescription: String { description }
  /// Only the access key id, so that `dump` tells no secret either.
  public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
}
