import NIOHTTP1

/// Tells requests that want to look at a link from those that want the file. Looking spends nothing.
enum LinkPreview {
  /// A browser that navigates, a prefetch, or an agent that previews links for people.
  static func isLooking(_ request: HTTPRequest) -> Bool {
    if AnswerFormat(request.headers) == .html { return true }
    for name in ["sec-purpose", "purpose", "x-moz", "x-purpose"] {
      let value = request.headers.first(name: name)?.lowercased() ?? ""
      if value.contains("prefetch") || value.contains("preview") || value.contains("prerender") { return true }
    }
    let agent = request.headers.first(name: "user-agent")?.lowercased() ?? ""
    return agents.contains { agent.contains($0) }
  }

  /// Parts of the User-Agent of programs that open links without being asked to by a person. `Accept: text/html` catches
  /// most; these ask for `*/*`.
  private static let agents = [
    "bot", "crawler", "spider", "preview", "facebookexternalhit", "facebookcatalog", "whatsapp", "slack-imgproxy",
    "slackbot", "embedly", "iframely", "pinterest", "vkshare", "mattermost", "viber", "snapchat", "zalo",
    "nextcloud server",
    "google-pagerenderer", "googleimageproxy", "google-safety", "mediapartners-google", "outlook", "ms-office",
    "msoffice",
    "microsoft-preview", "safelinks", "urlscan", "virustotal", "barracuda", "proofpoint", "mimecast",
  ]
}
