extension ScalarForm {
  private static func isLabel(_ text: some StringProtocol, upTo length: Int = 63) -> Bool {
    (1...length).contains(text.utf8.count) && !text.hasPrefix("-") && !text.hasSuffix("-")
      && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
  }

  static func isDomain(_ text: some StringProtocol) -> Bool {
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    return text.utf8.count <= 253 && labels.count >= 2 && labels.allSatisfy { isLabel($0) }
  }

  private static func isHex(_ text: some StringProtocol, _ count: Int) -> Bool {
    text.utf8.count == count
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// Names of nodes and clusters: also a label value, a host name and a part of object names.
  static let name = ScalarForm("a name of small letters, digits and hyphens, at most 40 long") { text in
    if isLabel(text, upTo: 40) { return nil }
    return isLabel(text.lowercased(), upTo: 40)
      ? "\"\(text)\" has capital letters: write \(text.lowercased())"
      : "\"\(text)\" is not a name of small letters, digits and hyphens, at most 40 long"
  }

  static let domain = ScalarForm("a domain such as bashupload.app") { text in
    if isDomain(text) { return nil }
    if let separator = text.firstRange(of: "://") {
      let host = text[separator.upperBound...].prefix { $0 != "/" }
      return "\"\(text)\" is a URL: write only the domain, \(host)"
    }
    if text.hasPrefix("*.") {
      return "\"\(text)\": write \(text.dropFirst(2)); *.\(text.dropFirst(2)) is served as well"
    }
    return "\"\(text)\" is not a domain such as bashupload.app"
  }

  /// Tags move; a digest is what was tested.
  static let image = ScalarForm("an image by digest, name@sha256:<64 hex digits>") { text in
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      return "\"\(text)\" names no digest, and tags move: write \(text.split(separator: ":").first ?? "")@sha256:… "
        + "(docker buildx imagetools inspect \(text) shows it)"
    }
    let digest = parts[1].split(separator: ":", maxSplits: 1)
    guard !parts[0].isEmpty, digest.count == 2, digest[0] == "sha256", isHex(digest[1], 64) else {
      return "\"\(parts[1])\" is not a digest: sha256: and 64 hex digits"
    }
    let last = parts[0].split(separator: "/").last ?? ""
    return last.contains(":")
      ? "has a tag and a digest: leave the tag out, \(parts[0].prefix { $0 != ":" })@\(parts[1])" : nil
  }

  static let email = ScalarForm("an e-mail address") { text in
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && !parts[0].isEmpty && isDomain(parts[1]) ? nil : "\"\(text)\" is not an e-mail address"
  }

  static func hex(_ count: Int) -> ScalarForm {
    ScalarForm("\(count) hex digits") { text in
      isHex(text, count) ? nil : "has \(text.utf8.count) characters: write \(count) hex digits (0-9, a-f)"
    }
  }

  static let bucket = ScalarForm("a bucket name: 3 to 63 small letters, digits and hyphens") {
    $0.utf8.count >= 3 && isLabel($0)
  }

  static let environmentName = ScalarForm("the name of an environment variable") { text in
    let isName =
      !text.isEmpty && text.utf8.first.map { !(0x30...0x39).contains($0) } == true
      && text.utf8.allSatisfy {
        (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
      }
    // The text itself could be the secret: it is not repeated.
    return isName ? nil : "is not the name of an environment variable; a secret itself never stands in this file"
  }

  static let secretKey = ScalarForm("a Secret and its key, name/key") { text in
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let isValid =
      parts.count == 2
      && parts.allSatisfy { part in
        !part.isEmpty
          && part.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
              || [0x2D, 0x2E, 0x5F].contains($0)
          }
      }
    return isValid ? nil : "\"\(text)\" is not name/key: the Secret in the namespace bashupload, and its key"
  }

  static let secretName = ScalarForm("the name of a Kubernetes Secret") { isLabel($0) }

  static func url(_ schemes: String...) -> ScalarForm {
    let phrase = "a URL that begins with \(schemes.map { "\($0)://" }.joined(separator: " or "))"
    return ScalarForm(phrase) { text in
      let isValid = schemes.contains { text.hasPrefix("\($0)://") && text.utf8.count > $0.utf8.count + 3 }
      return isValid && !text.contains(" ") ? nil : "\"\(text)\" is not \(phrase)"
    }
  }

  static let path = ScalarForm("a path") { text in text.isEmpty ? "is empty: write a path" : nil }

  static let urlPath = ScalarForm("a path such as /robots.txt") { text in
    // Whoever asks them wants to know of the service, not of nginx.
    if ["/healthz", "/readyz", "/"].contains(text) {
      return "\"\(text)\" is answered by the service itself: write another path, such as /robots.txt"
    }
    // nginx keeps the length of a location in one byte, and finds longer ones never.
    if text.utf8.count > 255 {
      return "a path of \(text.utf8.count) bytes is too long; the limit is 255: shorten it"
    }
    if text.hasPrefix("/nginx/") {
      return "\"\(text)\" is below /nginx/, where nginx has words of its own: write another path, such as /robots.txt"
    }
    // nginx compares with the path after it has been decoded and tidied: these would never be asked for.
    let segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().dropLast()
    let isTidy = !segments.contains("") && !text.split(separator: "/").contains { $0 == "." || $0 == ".." }
    guard isTidy, !text.contains(where: { "%?#".contains($0) }) else {
      return "\"\(text)\" would never be asked for: write a path without //, /./, /../, %, ? and #"
    }
    let isValid =
      text.hasPrefix("/") && text.count > 1
      && text.utf8.allSatisfy {
        (0x21...0x7E).contains($0) && ![0x22, 0x27, 0x5C, 0x7B, 0x7D, 0x3B, 0x24].contains($0)
      }
    return isValid ? nil : "\"\(text)\" is not a path such as /robots.txt, without spaces, quotes, braces, $ and ;"
  }

  static let k3sVersion = ScalarForm("a k3s version such as v1.33.5+k3s1") { text in
    let parts = text.split(separator: "+", omittingEmptySubsequences: false)
    let numbers = parts[0].dropFirst().split(separator: ".", omittingEmptySubsequences: false)
    let isValid =
      parts.count == 2 && text.hasPrefix("v") && numbers.count == 3 && numbers.allSatisfy { Int($0) != nil }
      && parts[1].hasPrefix("k3s") && Int(parts[1].dropFirst(3)) != nil
    return isValid ? nil : "\"\(text)\" is not a k3s version such as v1.33.5+k3s1 (with v and +k3s…)"
  }

  /// An account; ssh gets it as a part of an argument, so it may not begin with a dash.
  static let user = ScalarForm("the name of an account: letters, digits, . _ and -") { text in
    text.utf8.first.map { (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || $0 == 0x5F } == true
      && text.utf8.count <= 32
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
          || [0x2D, 0x2E, 0x5F].contains($0)
      }
  }

  /// One argument of a part of Kubernetes.
  static let argument = ScalarForm("an argument such as max-pods=40") { text in
    if text.hasPrefix("-") { return "\"\(text)\": write it without dashes, name=value" }
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    if let tip = Tips.tip(forArgument: parts[0]) { return tip.refusal(of: parts[0]) }
    let isName =
      !parts[0].isEmpty
      && parts[0].utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    guard isName, parts.count == 2, parts[1].utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      return "\"\(text)\" is not an argument such as max-pods=40 (small letters, digits and hyphens, =, a value)"
    }
    return nil
  }

  static let label = ScalarForm("a label such as example.org/disk") { text in
    isQualifiedName(text) ? nil : "\"\(text)\" is not a label such as example.org/disk"
  }

  static let labelValue = ScalarForm(
    "a label's value, at most 63 letters, digits, . _ and -, the first and the last a letter or digit"
  ) { text in text.isEmpty || isLabelName(text) }

  static let taint = ScalarForm("a taint such as dedicated=edge:NoSchedule") { text in
    let halves = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let pair = halves[0].split(separator: "=", omittingEmptySubsequences: false).map(String.init)
    let isValid =
      halves.count == 2 && ["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(halves[1])
      && pair.count <= 2 && isQualifiedName(pair[0]) && (pair.count == 1 || pair[1].isEmpty || isLabelName(pair[1]))
    return isValid ? nil : "\"\(text)\" is not a taint such as dedicated=edge:NoSchedule"
  }

  /// What Kubernetes calls a qualified name: a label name, and a DNS name and a slash before it or not.
  private static func isQualifiedName(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2, let name = parts.last, isLabelName(name) else { return false }
    guard parts.count == 2 else { return true }
    return parts[0].utf8.count <= 253
      && parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
        !label.isEmpty && !label.hasPrefix("-") && !label.hasSuffix("-")
          && label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
      }
  }

  private static func isLabelName(_ text: String) -> Bool {
    func isAlphanumeric(_ byte: UInt8) -> Bool {
      (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
    }
    guard let first = text.utf8.first, let last = text.utf8.last, text.utf8.count <= 63 else { return false }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && text.utf8.allSatisfy { isAlphanumeric($0) || [0x2D, 0x2E, 0x5F].contains($0) }
  }
}
