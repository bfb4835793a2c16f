import Testing
import UploadCore

@Suite struct ContentTypeTests {
  @Test(arguments: [
    "text/plain", "text/plain; charset=utf-8", "text/plain;charset=UTF-8", "TEXT/Plain", "application/vnd.api+json",
    "a/b", "text/plain;", "text/plain; ;a=b", "text/plain ; a=b ; c=\"d e\\\"f\"", "text/plain;a=\"\"",
    "x-!#$%&'*+.^_`|~/y",
    "multipart/form-data; boundary=x",
  ])
  func `takes a valid header`(header: String) {
    #expect(ContentType.choose(header: header, name: nil) == header)
    #expect(ContentType.choose(header: " \(header)\t", name: nil) == header)
  }

  @Test(
    arguments: [
      nil, "", " ", "text", "text/", "/plain", "text/plain/x", "text plain", "text/pl ain", "text/plain; a",
      "text/plain; a=",
      "text/plain; =b", "text/plain; a=b c", "text/plain; a=\"b", "text/plain; a=\"b\\", "text/plain, text/html",
      "text/plain\r\nX: y",
      "text/plain; a=é", "text/plain\u{0}", "text/plain;\ta=b", "*/*;q=(", "application/x-www-form-urlencoded",
      "Application/X-WWW-Form-URLencoded; charset=utf-8", "text/\u{301}x",
    ] as [String?])
  func `falls back to the name`(header: String?) throws {
    #expect(ContentType.choose(header: header, name: nil) == "application/octet-stream")
    #expect(ContentType.choose(header: header, name: try FileName("a.png")) == "image/png")
  }

  @Test(arguments: [(255, true), (256, false)])
  func `at most 255 bytes`(count: Int, isTaken: Bool) {
    let header = "a/" + String(repeating: "b", count: count - 2)
    #expect((ContentType.choose(header: header, name: nil) == header) == isTaken)
  }

  @Test(arguments: [
    ("a.txt", "text/plain; charset=utf-8"), ("a.TXT", "text/plain; charset=utf-8"), ("a.json", "application/json"),
    ("a.pdf", "application/pdf"),
    ("a.tar.gz", "application/gzip"), ("a.tar.xz", "application/x-xz"), ("a.tar.nope", "application/octet-stream"),
    ("a.html", "text/html; charset=utf-8"),
    ("a.svg", "image/svg+xml"), ("a", "application/octet-stream"), ("a.nope", "application/octet-stream"),
    (".txt", "application/octet-stream"),
  ])
  func `by extension`(name: String, type: String) throws {
    #expect(ContentType.choose(header: nil, name: try FileName(name)) == type)
  }

  @Test(arguments: [
    "text/html", "Text/HTML; charset=utf-8", "application/xhtml+xml", "image/svg+xml", "IMAGE/SVG+XML", "text/xml",
    "application/xml", "application/atom+xml",
    "application/mathml+xml", "text/xsl", "text/javascript", "application/javascript",
    "multipart/x-mixed-replace; boundary=x", "message/rfc822",
    " text/html ", "", "html", "text/html, text/plain", "text/html\u{0}", "text/html;a=\"",
  ])
  func `active`(type: String) {
    #expect(ContentType.isActive(type))
  }

  @Test(arguments: [
    "text/plain", "text/plain; charset=utf-8", "application/pdf", "image/png", "video/mp4", "application/json",
    "application/octet-stream", "application/zip",
    "text/css; charset=utf-8", "text/csv", "text/markdown", "image/xml", "text/plain; a=html",
    "text/plain; a=\"text/html\"", "application/vnd.x+json",
  ])
  func `not active`(type: String) {
    #expect(!ContentType.isActive(type))
  }

  @Test(arguments: ["html", "htm", "xhtml", "svg", "xml", "js", "mjs", "eml"])
  func `what the table calls by extension is known as active`(fileExtension: String) throws {
    #expect(ContentType.isActive(ContentType.choose(header: nil, name: try FileName("a.\(fileExtension)"))))
  }
}
