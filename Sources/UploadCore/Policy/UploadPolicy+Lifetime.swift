extension UploadPolicy {
  /// What the headers of a request ask for:
  ///
  /// | headers | lifetime |
  /// |---|---|
  /// | none | one download, `maxAge` |
  /// | `X-Max-Downloads: n` | n downloads, `maxAge` |
  /// | `X-Expiration-Seconds: s` or `Max-Days: d` | uncounted until then |
  /// | both | n downloads until then |
  ///
  /// - Throws: `UploadRejection` for a value that is no positive integer, is above its limit, or when both
  ///   `X-Expiration-Seconds` and `Max-Days` are there.
  public func lifetime(of request: UploadRequest) throws(UploadRejection) -> Lifetime {
    let seconds = try requestedSeconds(request)
    let downloads = try requestedDownloads(request)
    switch (downloads, seconds) {
    case (let downloads?, let seconds): return .downloads(downloads, seconds: seconds ?? maxAge)
    case (nil, let seconds?): return .time(seconds: seconds)
    case (nil, nil): return .downloads(.one, seconds: maxAge)
    }
  }

  private func requestedSeconds(_ request: UploadRequest) throws(UploadRejection) -> Int64? {
    if let days = request.maxDaysHeader {
      if request.expirationSeconds != nil {
        throw .badHeader(
          name: UploadHeader.maxDays,
          value: days,
          requirement: "not come together with \(UploadHeader.expirationSeconds)"
        )
      }
      return try seconds(inDays: days)
    }
    guard let text = request.expirationSeconds else { return nil }
    guard let seconds = PositiveInteger.parse(text) else {
      throw .badHeader(
        name: UploadHeader.expirationSeconds,
        value: text,
        requirement: "be a whole number of seconds from 1 to \(lifetimeLimit)"
      )
    }
    try checkLifetime(seconds, header: UploadHeader.expirationSeconds)
    return seconds
  }

  private func seconds(inDays text: String) throws(UploadRejection) -> Int64 {
    guard let days = PositiveInteger.parse(text),
      case (let seconds, false) = days.multipliedReportingOverflow(by: 86_400)
    else {
      throw .badHeader(
        name: UploadHeader.maxDays,
        value: text,
        requirement: "be a whole number of days from 1 on, of at most \(lifetimeLimit) seconds together"
      )
    }
    try checkLifetime(seconds, header: UploadHeader.maxDays)
    return seconds
  }

  private func checkLifetime(_ seconds: Int64, header: String) throws(UploadRejection) {
    if seconds > lifetimeLimit {
      throw .lifetimeAboveLimit(header: header, seconds: seconds, limit: lifetimeLimit)
    }
  }

  private func requestedDownloads(_ request: UploadRequest) throws(UploadRejection) -> DownloadLimit? {
    guard let text = request.maxDownloadsHeader else { return nil }
    guard let number = PositiveInteger.parse(text), let limit = Int(exactly: number).flatMap(DownloadLimit.init) else {
      throw .badHeader(
        name: UploadHeader.maxDownloads,
        value: text,
        requirement: "be a whole number of downloads from 1 to \(maxDownloads)"
      )
    }
    if limit.count > maxDownloads {
      throw .downloadsAboveLimit(limit.count, limit: maxDownloads)
    }
    return limit
  }
}
