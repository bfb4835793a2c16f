/// Aliases that stand for aliases: thirty lines can mean a billion values, and the parser writes them out for keys before
/// anybody can look at them. So they are counted in the text, roughly, before it is parsed; a few of them are told later, each
/// with its place.
enum AliasScan {
  /// More than a person would try before reading that they are not used here.
  private static let most = 20

  /// `nil`: there are few.
  static func problem(_ text: String) -> Problem? {
    var count = 0
    var line = 1
    var first: Int?
    var hasAnchor = false
    var before: UInt8 = 0x0A
    var isStart = false
    for byte in text.utf8 {
      if before == 0x2A || before == 0x26, isStart, isName(byte) {
        if before == 0x26 {
          hasAnchor = true
        } else {
          count += 1
          first = first ?? line
        }
      }
      isStart = !isName(before) && before != 0x2A && before != 0x26
      if byte == 0x0A { line += 1 }
      before = byte
    }
    guard hasAnchor, count > most else { return nil }
    return Problem(
      Position(line: first ?? 1, column: 1), "",
      "\(count) aliases (*name) are not used here: write the values themselves")
  }

  private static func isName(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
      || byte == 0x2D || byte >= 0x80
  }
}
