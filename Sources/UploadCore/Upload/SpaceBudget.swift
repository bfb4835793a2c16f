/// Admission of uploads to a disk: what has been promised to uploads in flight counts as used, so that uploads which
/// begin together cannot fill the disk together.
///
/// `release` bytes when they are on the disk (they are missing from the free bytes then) or will not come.
public struct SpaceBudget: Hashable, Sendable {
  /// Bytes that have to stay free on the disk.
  public var minimumFree: Int64
  /// The most bytes of all uploads together; `nil` for no limit.
  public var quota: Int64?
  /// Bytes promised and not released.
  public private(set) var reserved: Int64 = 0

  /// A budget with nothing reserved.
  public init(minimumFree: Int64, quota: Int64? = nil) {
    self.minimumFree = minimumFree
    self.quota = quota
  }

  /// Promises bytes to an upload.
  ///
  /// - Parameters:
  ///   - bytes: what the upload may need; a negative number counts as 0.
  ///   - free: bytes free on the disk now.
  ///   - stored: bytes of all uploads on the disk now.
  /// - Throws: `UploadRejection.noSpace` or `.quota`, and reserves nothing then.
  public mutating func reserve(_ bytes: Int64, free: Int64, stored: Int64) throws(UploadRejection) {
    let needed = max(0, bytes)
    let available = free.subtractingSaturated(reserved)
    if available.subtractingSaturated(needed) < minimumFree {
      throw .noSpace(needed: needed, free: available, keep: minimumFree)
    }
    let used = stored.addingSaturated(reserved)
    if let quota, used.addingSaturated(needed) > quota {
      throw .quota(limit: ByteCount(quota), used: ByteCount(used), needed: needed)
    }
    reserved = reserved.addingSaturated(needed)
  }

  /// Takes a promise back; never below 0.
  public mutating func release(_ bytes: Int64) {
    reserved = max(0, reserved - max(0, bytes))
  }
}
