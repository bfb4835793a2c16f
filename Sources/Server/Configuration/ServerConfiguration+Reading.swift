import Configuration
import Logging
import NIOCore
import UploadCore

/// Everything that is wrong with the configuration: all of it at once, so that nobody has to start ten times.
package struct ConfigurationProblems: Error, CustomStringConvertible {
  /// One line each, with the name of the setting.
  package var lines: [String]

  package var description: String { lines.joined(separator: "\n") }
}

extension ServerConfiguration {
  /// Reads the settings of `Setting.all`.
  ///
  /// - Throws: `ConfigurationProblems`.
  package init(reading reader: ConfigReader) throws(ConfigurationProblems) {
    self.init()
    var values = SettingReader(reader)
    for setting in Setting.all {
      if let problem = values.text(setting).flatMap({ SettingText.problem($0) }) { values.problem(setting, problem) }
    }
    host = values.text(.host) ?? host
    port = values.integer(.port, 0...65535) ?? port
    dataDirectory = values.text(.dataDirectory) ?? dataDirectory
    publicURL = values.parsed(.publicURL, "must be a scheme and a host, such as https://bashupload.app") {
      PublicURL(parsing: $0)
    }
    trustedProxies =
      values.parsed(.trustedProxies, "must be addresses and CIDRs such as 127.0.0.1,10.0.0.0/8, or none") {
        TrustedProxies(parsing: $0)
      } ?? .unset
    metricsHost = values.text(.metricsHost) ?? metricsHost
    metricsPort = values.integer(.metricsPort, 0...65535) ?? metricsPort
    password = values.text(.password).map { Password($0) }
    readPolicy(&values)
    cleansUp = values.flag(.noCleanup).map { !$0 } ?? cleansUp
    cleanupInterval = values.seconds(.cleanupInterval, 1...86_400) ?? cleanupInterval
    leaseSeconds = values.seconds(.leaseSeconds, 1...3_600) ?? leaseSeconds
    resumeSeconds = values.seconds(.resumeSeconds, 0...3_600) ?? resumeSeconds
    minimumFreeSpace = values.bytes(.minFreeSpace, 0...Int64.max) ?? minimumFreeSpace
    storageQuota = values.bytes(.storageQuota, 0...Int64.max).flatMap { $0.bytes == 0 ? nil : $0 }
    shutdownGrace = values.seconds(.shutdownGrace, 0...86_400) ?? shutdownGrace
    readConnection(&values)
    readTLS(&values)
    log.level =
      values.parsed(.logLevel, "must be trace, debug, info, notice, warning, error or critical") { .init(rawValue: $0) }
      ?? log.level
    log.format =
      values.parsed(.logFormat, "must be auto, text or json") { LogConfiguration.Format(rawValue: $0) } ?? log.format
    readBucket(&values)
    if bucket != nil, storageQuota != nil {
      values.problem(
        .storageQuota, "cannot be kept with R2_BUCKET_NAME, because no node knows what the others store: leave it out")
    }
    if !values.problems.isEmpty { throw ConfigurationProblems(lines: values.problems) }
  }

  private mutating func readPolicy(_ values: inout SettingReader) {
    policy.maxUploadSize = values.bytes(.maxUploadSize, 1...(1 << 50)) ?? policy.maxUploadSize
    let longest = UploadPolicy.longestLifetime
    policy.maxAge = values.seconds(.maxAge, 1...longest) ?? policy.maxAge
    policy.maxAgeForMultidownload =
      values.seconds(.maxAgeForMultidownload, 1...longest) ?? policy.maxAgeForMultidownload
    policy.allowLifetimeOverMaxAge = values.flag(.allowLifetimeOverMaxAge) ?? policy.allowLifetimeOverMaxAge
    policy.maxDownloads = values.integer(.maxDownloads, 1...1_000_000) ?? policy.maxDownloads
    let service = values.parsed(.shortURLService, "must be a URL that begins with http:// or https://") { text in
      text.hasPrefix("http://") || text.hasPrefix("https://") ? text : nil
    }
    if values.flag(.enableShortURL) ?? false {
      shortURLService = service
      if service == nil { values.problem(.shortURLService, "must be set when ENABLE_SHORT_URL is true") }
    }
  }

  private mutating func readConnection(_ values: inout SettingReader) {
    // A refused body is swallowed up to the size that could have been meant.
    connection.lingerBytes = max(Lingering.leastBytes, policy.maxUploadSize.bytes)
    connection.headerTimeout =
      values.seconds(.headerTimeout, 1...3_600).map { .seconds($0) } ?? connection.headerTimeout
    connection.idleTimeout = values.seconds(.idleTimeout, 1...86_400).map { .seconds($0) } ?? connection.idleTimeout
    connection.minimumRate = values.integer(.minRate, 0...1_000_000_000) ?? connection.minimumRate
    connection.maximumTargetLength =
      values.bytes(.maxRequestLine, 256...(1 << 20)).map { Int($0.bytes) } ?? connection.maximumTargetLength
    connection.maximumHeaderSize =
      values.bytes(.maxHeaderSize, 1024...(1 << 20)).map { Int($0.bytes) } ?? connection.maximumHeaderSize
    maximumConnections = values.integer(.maxConnections, 1...1_000_000) ?? maximumConnections
    maximumRequestsPerClient = values.integer(.maxConnectionsPerClient, 0...1_000_000).flatMap { $0 == 0 ? nil : $0 }
    uploadsPerMinute = values.integer(.uploadsPerMinute, 0...1_000_000).flatMap { $0 == 0 ? nil : $0 }
  }

  private mutating func readTLS(_ values: inout SettingReader) {
    switch (values.text(.tlsCertificateFile), values.text(.tlsKeyFile)) {
    case (let certificate?, let key?): tlsFiles = (certificate, key)
    case (nil, nil): break
    case (nil, _?): values.problem(.tlsCertificateFile, "must be set together with TLS_KEY_FILE")
    case (_?, nil): values.problem(.tlsKeyFile, "must be set together with TLS_CERT_FILE")
    }
  }
}

/// Reads texts and collects what is wrong with them. An empty text counts as not set, as in a ConfigMap.
struct SettingReader {
  private let reader: ConfigReader
  private(set) var problems: [String] = []

  init(_ reader: ConfigReader) {
    self.reader = reader
  }

  /// Nil when it is not set, or blank.
  func text(_ setting: Setting) -> String? {
    guard let value = reader.string(forKey: setting.key, isSecret: setting.isSecret) else { return nil }
    let text = SettingText.trimmed(value)
    return text.isEmpty ? nil : text
  }

  mutating func problem(_ setting: Setting, _ what: String) {
    problems.append("\(setting.name): \(what)")
  }

  mutating func parsed<T>(_ setting: Setting, _ requirement: String, _ parse: (String) -> T?) -> T? {
    guard let text = text(setting) else { return nil }
    if let value = parse(text) { return value }
    problem(setting, "\(requirement)\(setting.isSecret ? "" : ", not \"\(Self.shown(text))\"")")
    return nil
  }

  mutating func integer(_ setting: Setting, _ range: ClosedRange<Int>) -> Int? {
    parsed(setting, "must be a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  mutating func seconds(_ setting: Setting, _ range: ClosedRange<Int64>) -> Int64? {
    parsed(setting, "must be whole seconds from \(range.lowerBound) to \(range.upperBound)") { text in
      Int64(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  mutating func bytes(_ setting: Setting, _ range: ClosedRange<Int64>) -> ByteCount? {
    parsed(
      setting, "must be a number of bytes such as 5368709120 or 5GiB, from \(range.lowerBound) to \(range.upperBound)"
    ) { text in
      ByteCount(parsing: text).flatMap { range.contains($0.bytes) ? $0 : nil }
    }
  }

  mutating func flag(_ setting: Setting) -> Bool? {
    parsed(setting, "must be true or false") { text in
      switch text.lowercased() {
      case "true", "1", "yes": true
      case "false", "0", "no": false
      default: nil
      }
    }
  }

  /// A value of the operator, short and on one line.
  private static func shown(_ text: String) -> String {
    let safe = text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : String($0) }.joined()
    return safe.count > 64 ? safe.prefix(64) + "…" : safe
  }
}
