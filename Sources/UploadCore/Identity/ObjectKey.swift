/// The key of the object that holds an upload's bytes: `u/<id>`.
public struct ObjectKey: Hashable, Sendable, CustomStringConvertible {
  /// What all object keys begin with.
  public static let prefix = "u/"

  /// The upload.
  public let id: UploadID

  /// The key of an upload's object.
  public init(_ id: UploadID) {
    self.id = id
  }

  /// Parses `u/<id>`; `nil` for anything else.
  public init?(parsing key: String) {
    // By bytes: the "/" of a key could be one Character with a combining mark after it.
    guard key.utf8.starts(with: Self.prefix.utf8),
      let id = UploadID(Substring(key.utf8.dropFirst(Self.prefix.utf8.count)))
    else { return nil }
    self.id = id
  }

  /// `u/<id>`.
  public var description: String {
    "\(Self.prefix)\(id)"
  }
}
