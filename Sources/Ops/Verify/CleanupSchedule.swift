/// How long a schedule may go without a good run before something is wrong.
struct CleanupSchedule: Sendable {
  private static let hour = 3_600
  private static let day = 86_400

  /// Seconds.
  let patience: Int

  /// Three intervals, at least an hour, of `*/N` minutes; for anything rarer a bit more than twice its longest interval.
  init(_ text: String) {
    let fields = text.split(separator: " ").map(String.init)
    guard fields.count == 5 else {
      patience = 2 * Self.day
      return
    }
    let isOften = fields.dropFirst().allSatisfy { $0 == "*" }
    if isOften, fields[0] == "*" {
      patience = Self.hour
    } else if isOften, fields[0].hasPrefix("*/"), let minutes = Int(fields[0].dropFirst(2)) {
      patience = max(Self.hour, 3 * minutes * 60)
    } else if fields[3] != "*" {
      patience = 731 * Self.day
    } else if fields[2] != "*" {
      patience = 63 * Self.day
    } else {
      patience = fields[4] == "*" ? 2 * Self.day : 15 * Self.day
    }
  }
}
