/// Times as Kubernetes writes them: RFC 3339 in UTC, with or without a fraction.
package enum KubernetesTime {
  /// Seconds since 1970; `nil` for anything else.
  package static func seconds(_ text: String) -> Int? {
    guard let match = text.wholeMatch(of: #/(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?Z/#),
      let year = Int(match.1), let month = Int(match.2), let day = Int(match.3), let hour = Int(match.4),
      let minute = Int(match.5), let second = Int(match.6)
    else { return nil }
    // Years begin in March, so that the leap day is the last one of a year.
    let marchYear = month <= 2 ? year - 1 : year
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let days = marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
    return days * 86_400 + hour * 3_600 + minute * 60 + second
  }

  /// `3d`, `5h`, `12m`, `40s`: how long ago, in its largest unit.
  package static func age(_ text: String?, now: Int) -> String {
    guard let text, let then = seconds(text) else { return "-" }
    let age = max(0, now - then)
    if age >= 172_800 { return "\(age / 86_400)d" }
    if age >= 7_200 { return "\(age / 3_600)h" }
    return age >= 120 ? "\(age / 60)m" : "\(age)s"
  }
}
