import Yams

/// YAML to `DocumentNode`.
///
/// Yams refuses a mapping with a duplicate key as a whole, and names only the first. All problems shall be told at once,
/// so the first of two equal keys is masked by characters that nobody writes, of the same length (columns stay right),
/// and the parser runs again. The masked entries are left out of the result and reported.
package enum DocumentParser {
  private static let masks: ClosedRange<UInt32> = 0xE000...0xE0FF

  /// The tree, `nil` when there is none, and what is wrong with its form.
  package static func parse(_ text: String) -> (root: DocumentNode?, problems: [Problem]) {
    // The mark that editors of Windows put before a text (YAML 1.2, 5.2).
    let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    if let bomb = AliasScan.problem(text) { return (nil, [bomb]) }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.unicodeScalars) }
    var hidden: [UInt32: String] = [:]
    for mask in masks {
      do {
        let source = lines.map { String(String.UnicodeScalarView($0)) }.joined(separator: "\n")
        guard let root = try Yams.compose(yaml: source) else {
          return (
            nil, [Problem(Position(line: 1, column: 1), "", "the file is empty: bashupload deploy init writes one")]
          )
        }
        var builder = DocumentBuilder(hidden: hidden)
        return (builder.node(root, path: ""), builder.problems)
      } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
        let key = duplicates.first ?? ""
        if hide(key, at: context.mark, in: &lines, with: mask) {
          hidden[mask] = key
          continue
        }
        let position = Position(line: context.mark.line, column: context.mark.column)
        return (
          nil, [Problem(position, "", "\(duplicates.joined(separator: ", ")) is written more than once: keep one")]
        )
      } catch {
        return (nil, [problem(error, lines)])
      }
    }
    return (nil, [Problem(Position(line: 1, column: 1), "", "too many keys are written more than once")])
  }

  private static func hide(_ key: String, at mark: Mark, in lines: inout [[Unicode.Scalar]], with mask: UInt32) -> Bool
  {
    let wanted = Array(key.unicodeScalars)
    guard lines.indices.contains(mark.line - 1), !wanted.isEmpty, let scalar = Unicode.Scalar(mask) else {
      return false
    }
    var start = mark.column - 1
    let line = lines[mark.line - 1]
    if line.indices.contains(start), line[start] == "\"" || line[start] == "'" { start += 1 }
    let range = start..<(start + wanted.count)
    guard range.upperBound <= line.count, Array(line[range]) == wanted else { return false }
    lines[mark.line - 1].replaceSubrange(range, with: repeatElement(scalar, count: wanted.count))
    return true
  }

  private static func problem(_ error: any Error, _ lines: [[Unicode.Scalar]]) -> Problem {
    switch error {
    case YamlError.scanner(_, _, let mark, _)
    where lines.indices.contains(mark.line - 1)
      && lines[mark.line - 1].prefix { $0 == " " || $0 == "\t" }.contains("\t"):
      return Problem(
        Position(line: mark.line, column: mark.column), "", "a tab indents this line, and YAML takes spaces only")
    case YamlError.scanner(let context, let problem, let mark, _),
      YamlError.parser(let context, let problem, let mark, _),
      YamlError.composer(let context, let problem, let mark, _):
      let about = context.map { " \($0.text) that begins in line \($0.mark.line)" } ?? ""
      return Problem(
        Position(line: mark.line, column: mark.column), "", "this is not YAML: \(problem)\(about)")
    case YamlError.reader(let problem, _, _, _):
      return Problem(Position(line: 1, column: 1), "", "this is not text in UTF-8: \(problem)")
    default:
      return Problem(Position(line: 1, column: 1), "", "this is not YAML: \(error)")
    }
  }
}
