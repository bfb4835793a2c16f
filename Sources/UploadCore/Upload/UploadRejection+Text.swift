extension UploadRejection {
  /// One line for the user: what is wrong, the limit in numbers, what to do. Texts of the user's own are quoted,
  /// escaped and cut to 64 characters; there are no control characters in it.
  public var message: String {
    switch self {
    case .tooLarge(let limit, let declared?):
      "The upload has \(ByteCount(declared)), the limit is \(limit): send less, or in parts."
    case .tooLarge(let limit, nil):
      "The upload is larger than the limit of \(limit): send less, or in parts."
    case .badHeader(let name, let value, let requirement):
      "The header \(Self.plain(name)) is \(QuotedText(value)) but must \(Self.plain(requirement))."
    case .lifetimeAboveLimit(let header, let seconds, let limit):
      "\(Self.plain(header)) asks for \(seconds) seconds, the limit is \(limit) seconds: ask for less."
    case .downloadsAboveLimit(let count, let limit):
      "\(UploadHeader.maxDownloads) asks for \(count) downloads, the limit is \(limit): ask for fewer."
    case .fileName(let error):
      error.message
    case .noSpace(let needed, let free, let keep):
      "The upload needs \(ByteCount(needed)), but \(ByteCount(max(0, free))) are free and \(ByteCount(keep)) must stay "
        + "free: try again later or send less."
    case .quota(let limit, let used, let needed):
      "The upload needs \(ByteCount(needed)), but \(used) of the quota of \(limit) are in use: "
        + "try again later or send less."
    case .lengthMismatch(let declared, let received):
      "\(declared) bytes were declared and \(received) bytes received; nothing was kept: send the file again."
    case .digestMismatch:
      "The bytes received do not have the sha-256 of the \(UploadHeader.reprDigest) header; nothing was kept: "
        + "send the file again."
    case .unfinishedAtExpiry(let expiry):
      "The upload was not finished at \(expiry.rfc3339), when it expired; nothing was kept: "
        + "send it with a Content-Length or a longer \(UploadHeader.expirationSeconds)."
    case .expiryOutOfRange(let expiry):
      "The upload would expire at \(expiry.rfc3339), which is outside of what the service can store: "
        + "tell its operator to check the server's clock."
    }
  }

  /// A stable name for programs, in kebab case. Never changes once released.
  public var code: String {
    switch self {
    case .tooLarge: "too-large"
    case .badHeader: "bad-header"
    case .lifetimeAboveLimit: "lifetime-above-limit"
    case .downloadsAboveLimit: "downloads-above-limit"
    case .fileName: "bad-file-name"
    case .noSpace: "no-space"
    case .quota: "quota-exceeded"
    case .lengthMismatch: "length-mismatch"
    case .digestMismatch: "digest-mismatch"
    case .unfinishedAtExpiry: "unfinished-at-expiry"
    case .expiryOutOfRange: "expiry-out-of-range"
    }
  }

  /// Our own words stay as they are, but a caller may have put a stranger's into them.
  private static func plain(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { !$0.isControlOrLineSeparator }))
  }
}
