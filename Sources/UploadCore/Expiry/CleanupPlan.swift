/// What cleanup does: a pure function of the rows and the time.
///
/// Object first, then claims, then the row. So a crash at any point leaves a row without an object, which the next run
/// repairs, and never an object which nobody knows.
public enum CleanupPlan {
  /// The bytes which have to leave the store now, in the order of the rows.
  ///
  /// - Parameter resumeSeconds: how long a consumed upload is kept so that its last download can be resumed.
  public static func expiredBlobs(in rows: [CleanupRow], now: Timestamp, resumeSeconds: Int64 = 60) -> [ExpiredBlob] {
    rows.compactMap { row in
      guard row.hasObject, let reason = reason(row, now: now, resumeSeconds: resumeSeconds) else { return nil }
      return ExpiredBlob(id: row.id, reason: reason)
    }
  }

  /// The steps of one run, to be executed in this order. When a step fails, the later ones of the same upload must not
  /// be executed.
  ///
  /// - Parameters:
  ///   - rows: rows of the index which may need something; rows which need nothing yield nothing.
  ///   - buckets: directories of a local store; names that are no bucket are left alone.
  ///   - resumeSeconds: how long a consumed upload is kept so that its last download can be resumed.
  public static func actions(
    for rows: [CleanupRow],
    buckets: [String] = [],
    now: Timestamp,
    resumeSeconds: Int64 = 60
  ) -> [CleanupAction] {
    var actions: [CleanupAction] = []
    for row in rows {
      let blobs = expiredBlobs(in: [row], now: now, resumeSeconds: resumeSeconds)
      actions += blobs.map { .deleteObject($0.id) }
      if row.id.isExpired(at: now) {
        actions += [.deleteClaims(row.id), .forget(row.id)]
      }
    }
    for bucket in buckets {
      if let end = UploadID.bucketEnd(bucket), end <= now { actions.append(.removeBucket(bucket)) }
    }
    return actions
  }

  private static func reason(_ row: CleanupRow, now: Timestamp, resumeSeconds: Int64) -> ExpiredBlob.Reason? {
    let isExpired = row.id.isExpired(at: now)
    switch row.phase {
    case .uploading: return isExpired ? .unfinished : nil
    case .stored: return isExpired ? .expired : nil
    case .consumed(let time):
      if isExpired { return .expired }
      return time.adding(seconds: resumeSeconds) <= now ? .consumed : nil
    case .deleted: return .deleted
    case .blocked: return .blocked
    }
  }
}
