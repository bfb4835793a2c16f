/// A version of k3s, such as v1.33.5+k3s1.
package struct K3sVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
  package var major: Int
  package var minor: Int
  package var patch: Int
  package var release: Int

  /// The first that reads drop-ins of the kubelet's configuration.
  package static let oldest = K3sVersion(major: 1, minor: 32, patch: 0, release: 1)

  private init(major: Int, minor: Int, patch: Int, release: Int) {
    (self.major, self.minor, self.patch, self.release) = (major, minor, patch, release)
  }

  /// `nil` for anything else.
  package init?(_ text: String) {
    guard text.hasPrefix("v"), let plus = text.firstRange(of: "+k3s") else { return nil }
    let numbers = text[..<plus.lowerBound].dropFirst().split(separator: ".", omittingEmptySubsequences: false)
    guard numbers.count == 3, let major = Int(numbers[0]), let minor = Int(numbers[1]), let patch = Int(numbers[2]),
      let release = Int(text[plus.upperBound...])
    else { return nil }
    self.init(major: major, minor: minor, patch: patch, release: release)
  }

  /// When Kubernetes ends the support of a minor version: https://kubernetes.io/releases/
  private static let ends: [Int: (text: String, seconds: Int)] = [
    32: ("2026-02-28", 1_772_236_800), 33: ("2026-06-28", 1_782_604_800), 34: ("2026-10-27", 1_793_059_200),
    35: ("2027-02-28", 1_803_772_800),
  ]

  /// The day on which it got its last fix, when that is over; older ones than are known ended before.
  /// - Parameter now: seconds since 1970.
  func end(before now: Int) -> String? {
    guard major == 1, let end = Self.ends[minor] ?? (minor < 32 ? ("2025-11-11", 0) : nil), end.seconds < now else {
      return nil
    }
    return end.text
  }

  /// Whether the number of snapshots in a bucket is a setting of its own; one that does not know it does not start with it.
  var hasSnapshotRetentionOfBuckets: Bool {
    switch (major, minor) {
    case (1, 32): patch >= 8
    case (1, 33): patch >= 4
    default: (major, minor) >= (1, 34)
    }
  }

  package var description: String { "v\(major).\(minor).\(patch)+k3s\(release)" }

  package static func < (lhs: K3sVersion, rhs: K3sVersion) -> Bool {
    (lhs.major, lhs.minor, lhs.patch, lhs.release) < (rhs.major, rhs.minor, rhs.patch, rhs.release)
  }
}
