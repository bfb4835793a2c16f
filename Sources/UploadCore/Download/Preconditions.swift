/// Conditional GET and HEAD (RFC 9110 section 13).
public enum Preconditions {
  /// Evaluates the conditional headers in the order of RFC 9110 section 13.2.2; `nil` for one that was not sent.
  ///
  /// A date that is none is ignored, as the RFC demands. A list of tags that is none matches nothing.
  ///
  /// - Parameters:
  ///   - etag: the tag of the representation, with its quotes.
  ///   - lastModified: compared in whole seconds, which is what HTTP-dates can say.
  public static func evaluate(
    ifMatch: String?,
    ifNoneMatch: String?,
    ifModifiedSince: String?,
    ifUnmodifiedSince: String?,
    etag: String,
    lastModified: Timestamp
  ) -> PreconditionOutcome {
    if let ifMatch {
      if !matches(ifMatch, etag, by: { $0.stronglyMatches($1) }) { return .failed }
    } else if let date = ifUnmodifiedSince.flatMap(parseDate), lastModified.seconds > date.seconds {
      return .failed
    }
    if let ifNoneMatch {
      if matches(ifNoneMatch, etag, by: { $0.weaklyMatches($1) }) { return .notModified }
    } else if let date = ifModifiedSince.flatMap(parseDate), lastModified.seconds <= date.seconds {
      return .notModified
    }
    return .proceed
  }

  /// Whether `Range` is to be looked at, as `If-Range` says (RFC 9110 section 13.1.5): a tag has to match strongly, a
  /// date exactly. Without the header it is. A value that is neither means no.
  public static func rangeApplies(ifRange: String?, etag: String, lastModified: Timestamp) -> Bool {
    guard let ifRange else { return true }
    if let wanted = EntityTag(parsing: ifRange) {
      return EntityTag(parsing: etag)?.stronglyMatches(wanted) ?? false
    }
    return parseDate(ifRange)?.seconds == lastModified.seconds
  }

  private static func matches(_ header: String, _ etag: String, by equal: (EntityTag, EntityTag) -> Bool) -> Bool {
    if header == "*" { return true }
    guard let current = EntityTag(parsing: etag), let tags = EntityTag.list(header) else { return false }
    return tags.contains { equal($0, current) }
  }

  private static func parseDate(_ text: String) -> Timestamp? {
    Timestamp(httpDate: text)
  }
}
