/// Which of the known words somebody may have meant.
package enum Spelling {
  /// The nearest of `words`, when it is near enough to be a slip of the finger: a third of its letters, at least one.
  static func nearest(to word: String, of words: [String]) -> String? {
    let measured = words.map { (word: $0, distance: distance(word.lowercased(), $0.lowercased())) }
    guard let best = measured.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, best.word.count / 3) ? best.word : nil
  }

  /// `; did you mean "x"?` or `; known here: …`
  package static func hint(_ word: String, of words: [String]) -> String {
    if let best = nearest(to: word, of: words) { return "did you mean \(best)?" }
    return "known here: \(words.joined(separator: ", "))"
  }

  /// Letters to insert, delete, replace or swap with their neighbour.
  static func distance(_ left: String, _ right: String) -> Int {
    let (a, b) = (Array(left), Array(right))
    var rows = [Array(0...b.count)]
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var cost = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, rows[i - 1][j - 1] + 1) }
        row.append(cost)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
