/// An object, or a part of one, whose bytes are on the way.
public struct S3Object: Sendable {
  /// Of the whole object, also when only a part was asked for.
  public var metadata: S3ObjectMetadata
  /// Which bytes of the object `body` brings: all, or what the store has made of the range.
  public var range: Range<Int64>
  /// The bytes. Must be read to the end, or dropped; dropping closes the connection.
  public var body: S3ResponseBody
}
