/// Which media type an upload is sent with, and which ones a browser must not show.
public enum ContentType {
  /// Bytes of which nothing is known.
  public static let unknown = "application/octet-stream"

  /// The media type to keep for an upload.
  ///
  /// - Parameters:
  ///   - header: the value of `Content-Type`. Taken if it is a media type (RFC 9110 section 8.3.1) of printable ASCII
  ///     and at most 255 bytes. `application/x-www-form-urlencoded` is not: curl says so of everything it sends by `-d`.
  ///   - name: its extension decides when the header does not.
  /// - Returns: `application/octet-stream` when neither does.
  public static func choose(header: String?, name: FileName?) -> String {
    if let header = header.map(trimmed), let type = MediaType(header),
      type.essence != "application/x-www-form-urlencoded"
    {
      return header
    }
    guard let fileExtension = name?.fileExtension else { return unknown }
    if let type = byExtension[fileExtension] { return type }
    // Of a double extension the last part says how the bytes are packed.
    let last = fileExtension.utf8.lastIndex(of: UInt8(ascii: ".")).map {
      fileExtension[fileExtension.index(after: $0)...]
    }
    return last.flatMap { byExtension[String($0)] } ?? unknown
  }

  /// Whether a browser might run script in it if it showed it: HTML, anything of XML (SVG, MathML, XSLT), JavaScript
  /// and containers of these. Sent as attachment. A text that is no media type counts as active.
  public static func isActive(_ contentType: String) -> Bool {
    guard let essence = MediaType(trimmed(contentType))?.essence else { return true }
    return active.contains(essence) || essence.hasSuffix("+xml") || essence.hasSuffix("+html")
  }

  /// Whether a browser plays it.
  public static func isMedia(_ contentType: String) -> Bool {
    guard let essence = MediaType(trimmed(contentType))?.essence else { return false }
    return essence.hasPrefix("audio/") || essence.hasPrefix("video/")
  }

  private static func trimmed(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard let first = bytes.firstIndex(where: { !$0.isHTTPWhitespace }),
      let last = bytes.lastIndex(where: { !$0.isHTTPWhitespace })
    else { return "" }
    return String(decoding: bytes[first...last], as: UTF8.self)
  }

  private static let active: Set<String> = [
    "application/ecmascript", "application/hta", "application/javascript", "application/x-ecmascript",
    "application/x-javascript", "application/x-mimearchive", "application/x-shockwave-flash", "application/xml",
    "application/xml-dtd", "application/xml-external-parsed-entity", "application/xslt", "message/rfc822",
    "multipart/mixed", "multipart/related", "multipart/x-mixed-replace", "text/ecmascript", "text/html",
    "text/javascript", "text/jscript", "text/livescript", "text/rdf", "text/vbscript", "text/webviewhtml",
    "text/x-component", "text/x-ecmascript", "text/x-javascript", "text/x-server-parsed-html", "text/xml",
    "text/xml-external-parsed-entity", "text/xsl",
  ]
}
