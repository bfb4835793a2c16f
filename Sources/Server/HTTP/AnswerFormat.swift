import NIOHTTP1

/// How the client wants to be answered, from Accept (RFC 9110, 12.5.1).
package enum AnswerFormat: Sendable {
  /// For people and scripts: curl, wget and everything that says `*/*`.
  case text
  case json
  /// URLs only, one per line (RFC 2483).
  case uriList
  /// A browser that navigates.
  case html

  /// The acceptable format with the highest weight; of equals the first named.
  ///
  /// - Parameter isBrowser: the client shows pages. Programs name HTML too, and save what comes.
  package init(accept: [String], isBrowser: Bool) {
    var best: (format: AnswerFormat, weight: Double) = (.text, 0)
    for element in accept.lazy.flatMap({ $0.split(separator: ",") }) {
      let parts = element.split(separator: ";").map { $0.drop { $0 == " " }.prefix { $0 != " " }.lowercased() }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
      let format: AnswerFormat
      switch parts.first {
      case "application/json", "application/problem+json": format = .json
      case "text/uri-list": format = .uriList
      case "text/html", "application/xhtml+xml":
        guard isBrowser else { continue }
        format = .html
      case "text/plain", "text/*", "*/*": format = .text
      default: continue
      }
      if weight > best.weight { best = (format, weight) }
    }
    self = best.format
  }

  package init(_ headers: HTTPHeaders) {
    self.init(accept: headers["accept"], isBrowser: Visitor(headers).isBrowser)
  }
}
