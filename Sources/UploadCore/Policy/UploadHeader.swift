/// The request headers that say how long an upload lives, as the user has to write them.
public enum UploadHeader {
  /// Seconds until the upload expires.
  public static let expirationSeconds = "X-Expiration-Seconds"
  /// Days until the upload expires; 86400 seconds each.
  public static let maxDays = "Max-Days"
  /// How many downloads are allowed. `Max-Downloads` is another name of it.
  public static let maxDownloads = "X-Max-Downloads"
  /// The digest that the upload has to have (RFC 9530).
  public static let reprDigest = "Repr-Digest"
  /// The size of the body in bytes.
  public static let contentLength = "Content-Length"
}
