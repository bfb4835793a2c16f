import NIOHTTP1
import UploadCore

/// The pages for browsers. They work without scripts, and allow none.
enum Page {
  static let contentSecurityPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

  /// `/`: upload form and the commands.
  static func home(origin: String, policy: UploadPolicy) -> String {
    page(
      title: "bashupload",
      """
      <p>Upload from the terminal, or here. The link works once. <span lang="zh">从终端或在此上传,链接只能下载一次。</span></p>
      <pre>curl \(HTML.escape(origin)) -T file.txt</pre>
      <form method="post" action="/" enctype="multipart/form-data">
      <p><input type="file" name="file" multiple required aria-label="files"></p>
      <p><button type="submit">Upload · <span lang="zh">上传</span></button></p>
      </form>
      <p>At most \(policy.maxUploadSize) a file; kept for \(Duration.seconds(policy.maxAge).inWords).</p>
      """)
  }

  /// What a browser gets after an upload through the form.
  static func uploaded(_ answers: [UploadAnswer]) -> String {
    let items = answers.map { answer in
      """
      <li><a href="\(HTML.escape(answer.url))">\(HTML.escape(answer.url))</a> \(HTML.escape(answer.record.name?.value ?? ""))<br>
      \(HTML.escape(answer.lifetimeNote)) Delete token: <code>\(HTML.escape(answer.deleteToken))</code></li>
      """
    }
    return page(
      title: "Uploaded", "<ul>\n\(items.joined(separator: "\n"))\n</ul>\n<p><a href=\"/\">Upload another file</a></p>")
  }

  /// What a browser, or a bot that looks at links for people, gets for a counted upload: looking spends nothing, the
  /// button does.
  static func download(_ record: UploadRecord, _ availability: Availability, action: String) -> String {
    let name = record.name?.value ?? record.id.description
    let remaining = availability.remaining
    var progress = ""
    if case .leased = availability {
      progress = """
        <p>It is being downloaded at this moment: wait until that has ended or was given up. \
        <span lang="zh">正在被下载,请稍候再试。</span></p>

        """
    }
    let count = remaining == 1 ? "1 more time" : "\(remaining) more times"
    return page(
      title: name,
      """
      <p><strong>\(HTML.escape(name))</strong><br>\(ByteCount(record.size)), can be downloaded \(count), until \(record.expiresAt.rfc3339).</p>
      \(progress)<form method="post" action="\(HTML.escape(action))">
      <p><button type="submit">Download · <span lang="zh">下载</span></button></p>
      </form>
      <p>Looking at this page spends nothing; the button does. <span lang="zh">打开本页不计次数,点击按钮才计。</span></p>
      """)
  }

  static func failure(_ failure: Failure) -> String {
    page(
      title: "\(failure.status.code) \(failure.status.reasonPhrase)",
      "<p>\(HTML.escape(failure.message))</p>\n<p><a href=\"/\">bashupload</a></p>")
  }

  private static func page(title: String, _ body: String) -> String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="robots" content="noindex">
    <title>\(HTML.escape(title))</title>
    <style>
    :root { color-scheme: light dark }
    body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
    pre { overflow-x: auto; padding: .5rem; border: 1px solid }
    button { font: inherit; padding: .5rem 1rem }
    </style>
    </head>
    <body>
    <h1>\(HTML.escape(title))</h1>
    \(body)
    </body>
    </html>

    """
  }
}
