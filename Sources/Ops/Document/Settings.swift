import UploadCore

/// The values of a cluster file by their paths; defaults come from the schema.
///
/// Everything in `texts` has passed its form. What has not is as if it were absent: a file with problems is never used,
/// but its contradictions are still looked for, so that all problems are told at once.
struct Settings: Sendable {
  var texts: [String: String] = [:]
  var positions: [String: Position] = [:]
  /// Elements of lists.
  var counts: [String: Int] = [:]
  /// Keys of maps.
  var keys: [String: [String]] = [:]

  /// Whether the key is in the file.
  func has(_ path: String) -> Bool { positions[path] != nil }

  /// As it is written, else the default.
  func text(_ path: String) -> String? { texts[path] ?? Schema.key(at: path)?.standard }

  func flag(_ path: String) -> Bool { text(path) == "true" }

  func integer(_ path: String) -> Int { text(path).flatMap { Int($0) } ?? 0 }

  func size(_ path: String) -> ByteCount { text(path).flatMap { ByteCount(parsing: $0) } ?? ByteCount(0) }

  func seconds(_ path: String) -> Int64 { text(path).flatMap { DurationText.seconds($0) } ?? 0 }

  func word<T: RawRepresentable>(_ path: String, _ standard: T) -> T where T.RawValue == String {
    text(path).flatMap { T(rawValue: $0) } ?? standard
  }

  func address(_ path: String) -> IPAddress? { text(path).flatMap { IPAddress($0) } }

  func network(_ path: String) -> IPNetwork {
    text(path).flatMap { IPNetwork($0) } ?? IPNetwork(address: .v4([0, 0, 0, 0]), length: 32)
  }

  func list(_ path: String) -> [String] {
    (0..<(counts[path] ?? 0)).compactMap { texts["\(path)[\($0)]"] }
  }

  func map(_ path: String) -> [(key: String, value: String)] {
    (keys[path] ?? []).compactMap { key in texts["\(path)[\(key)]"].map { (key, $0) } }
  }

  func secret(_ path: String) -> SecretReference? {
    if let name = texts["\(path).fromEnv"] { return .environment(name) }
    if let file = texts["\(path).fromFile"] { return .file(file) }
    if let text = texts["\(path).fromSecret"] {
      let parts = text.split(separator: "/").map(String.init)
      return parts.count == 2 ? .kubernetes(name: parts[0], key: parts[1]) : nil
    }
    return nil
  }
}
