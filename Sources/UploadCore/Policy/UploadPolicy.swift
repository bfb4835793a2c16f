/// What uploads the service takes.
public struct UploadPolicy: Hashable, Sendable {
  /// The largest upload.
  public var maxUploadSize: ByteCount
  /// Seconds that an upload lives when the uploader names no time.
  public var maxAge: Int64
  /// The most seconds that an uploader may name, unless `allowLifetimeOverMaxAge`.
  public var maxAgeForMultidownload: Int64
  /// Whether an uploader may name more than `maxAgeForMultidownload`, up to `longestLifetime`.
  public var allowLifetimeOverMaxAge: Bool
  /// The most downloads that an uploader may allow when they are counted.
  public var maxDownloads: Int

  /// Ten years in seconds: the limit even with `allowLifetimeOverMaxAge`.
  public static let longestLifetime: Int64 = 10 * 366 * 86_400

  /// The defaults are 5 GiB, one hour, one day, no longer lifetimes, 1000 downloads.
  public init(
    maxUploadSize: ByteCount = ByteCount(5 << 30),
    maxAge: Int64 = 3_600,
    maxAgeForMultidownload: Int64 = 86_400,
    allowLifetimeOverMaxAge: Bool = false,
    maxDownloads: Int = 1_000
  ) {
    self.maxUploadSize = maxUploadSize
    self.maxAge = maxAge
    self.maxAgeForMultidownload = maxAgeForMultidownload
    self.allowLifetimeOverMaxAge = allowLifetimeOverMaxAge
    self.maxDownloads = maxDownloads
  }

  /// The most seconds that an uploader may name.
  public var lifetimeLimit: Int64 {
    allowLifetimeOverMaxAge ? Self.longestLifetime : maxAgeForMultidownload
  }

  /// Decides before the first byte of the body whether an upload is taken, until when it lives and how it is called.
  ///
  /// The expiry is `now` + lifetime + an allowance for the transfer, rounded up to a whole second.
  ///
  /// - Parameter generator: has to be cryptographic in production; it makes the id.
  /// - Throws: `UploadRejection` when the declared size, a header or the clock is out of bounds.
  public func admit(
    _ request: UploadRequest,
    now: Timestamp,
    using generator: inout some RandomNumberGenerator
  ) throws(UploadRejection) -> Admission {
    try checkSize(request.declaredSize)
    let lifetime = try lifetime(of: request)
    let allowance = Lifetime.transferAllowance(declaredSize: request.declaredSize)
    let expiry = now.adding(seconds: lifetime.seconds).adding(seconds: allowance)
    guard let id = UploadID(expiresAt: expiry, using: &generator) else { throw .expiryOutOfRange(expiry) }
    return Admission(
      id: id,
      createdAt: now,
      expiresAt: id.expiresAt,
      maxDownloads: lifetime.maxDownloads,
      sizeLimit: request.declaredSize ?? maxUploadSize.bytes
    )
  }

  private func checkSize(_ declared: Int64?) throws(UploadRejection) {
    guard let declared else { return }
    if declared < 0 {
      throw .badHeader(
        name: UploadHeader.contentLength,
        value: String(declared),
        requirement: "be a whole number of bytes from 0 to \(maxUploadSize.bytes)"
      )
    }
    if declared > maxUploadSize.bytes {
      throw .tooLarge(limit: maxUploadSize, declared: declared)
    }
  }
}
