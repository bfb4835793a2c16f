import NIOHTTP1

/// What kind of program asks: a browser that a person sits at, a program that looks at links for people, or any other.
///
/// Only the first two get pages: whatever else asks for a file gets the file, and no script takes a page for it.
enum Visitor {
  /// A browser that navigates: what comes is shown to a person.
  case browser
  /// A program that opens links to show people what is behind them.
  case preview
  case program

  init(_ request: HTTPRequest) {
    self.init(request.headers)
  }

  init(_ headers: HTTPHeaders) {
    if Self.navigates(headers) {
      self = .browser
    } else if let agent = headers.first(name: "user-agent"), Self.isPreview(agent) {
      self = .preview
    } else {
      self = .program
    }
  }

  var isBrowser: Bool {
    if case .browser = self { true } else { false }
  }

  /// It wants to look at a link, and not the file behind it.
  var looks: Bool {
    switch self {
    case .browser, .preview: true
    case .program: false
    }
  }

  /// What browsers alone send, and only when a person goes to a URL (W3C Fetch Metadata). Old ones, and all on plain http, do
  /// not send these fields: they ask for a safe page instead (Upgrade Insecure Requests).
  private static func navigates(_ headers: HTTPHeaders) -> Bool {
    let mode = headers.first(name: "sec-fetch-mode")
    let destination = headers.first(name: "sec-fetch-dest")
    if mode != nil || destination != nil {
      return mode?.lowercased() == "navigate" || destination?.lowercased() == "document"
    }
    return headers.contains(name: "upgrade-insecure-requests")
      && headers.first(name: "user-agent")?.hasPrefix("Mozilla/") == true
  }

  /// A browser fetches what a person may want next: nobody has asked for it yet.
  static func isPrefetch(_ request: HTTPRequest) -> Bool {
    ["sec-purpose", "purpose", "x-moz", "x-purpose"].contains { name in
      guard let value = request.headers.first(name: name)?.lowercased() else { return false }
      return value.hasPrefix("prefetch") || value.hasPrefix("preview") || value.hasPrefix("prerender")
    }
  }

  /// Whether the User-Agent names a program of `previews` by a whole word. A phone is called CUBOT, and a backup program
  /// may be called anything.
  private static func isPreview(_ agent: String) -> Bool {
    // No such program has a longer one; nobody pays for reading more.
    agent.prefix(512).split { !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == ".") }
      .contains { previews.contains($0.lowercased()) }
  }

  /// Words in the User-Agent of programs that open links without being asked to by a person, as they document them. No
  /// names of apps: what a person taps in one is fetched under the same name.
  private static let previews: Set<String> = [
    "applebot", "baiduspider", "barracuda", "bingbot", "bingpreview", "bitlybot", "bytespider", "ccbot",
    "discordbot", "duckduckbot", "embedly", "facebookbot", "facebookcatalog", "facebookexternalhit", "facebot",
    "google-inspectiontool", "google-pagerenderer", "google-safety", "googlebot", "googlebot-image",
    "googleimageproxy", "gptbot", "iframely", "kakaotalk-scrap", "line-poker", "linkedinbot", "mattermost-bot",
    "mediapartners-google", "meta-externalagent", "meta-externalfetcher", "microsoft-preview", "mimecast",
    "ms-office", "msoffice", "petalbot", "pinterestbot", "proofpoint", "qwantbot", "redditbot", "safelinks",
    "signal-link-preview", "skypeuripreview", "slack-imgproxy", "slackbot", "slackbot-linkexpanding", "synapse",
    "telegrambot", "twitterbot", "urlscan", "virustotal", "vkshare", "whatsapp", "xing-contenttabreceiver",
    "yandexbot", "yisouspider", "zoombot",
  ]
}
