/// A name that is safe to show, to store and to send in a header; never a path.
///
/// What a client says is only ever a label here: bytes are stored under the id. Still the name comes back to other
/// people's disks and terminals, so separators, control characters and characters which reorder text do not get in.
public struct FileName: Hashable, Sendable, CustomStringConvertible {
  /// Bytes of UTF-8 in the longest name: what common file systems store.
  public static let maximumUTF8Length = 255

  /// The name.
  public let value: String

  /// The name.
  public var description: String { value }

  /// Takes the last component after `/` and `\` and drops bidirectional controls (U+202A–202E, U+2066–2069, U+200E,
  /// U+200F, U+061C), which make `exe.txt` look like `txt.exe`. Trims and normalises nothing else.
  ///
  /// - Throws: `FileNameError` when the rest is empty, "." or "..", longer than 255 bytes, or contains control
  ///   characters (C0, DEL, C1) or the separators U+2028 and U+2029.
  public init(_ raw: some StringProtocol) throws(FileNameError) {
    if Self.isPlain(raw.utf8) {
      value = String(raw)
      return
    }
    // By scalars: "/" with a combining mark is a Character that is different from "/".
    var kept = String.UnicodeScalarView()
    var hasControl = false
    for scalar in raw.unicodeScalars {
      if scalar == "/" || scalar == "\\" {
        kept.removeAll(keepingCapacity: true)
        hasControl = false
      } else if !scalar.isBidirectionalControl {
        hasControl = hasControl || scalar.isControlOrLineSeparator
        kept.append(scalar)
      }
    }
    let name = String(kept)
    if hasControl { throw .controlCharacter }
    if name.isEmpty { throw .empty }
    if name == "." || name == ".." { throw .reserved(name) }
    let bytes = name.utf8.count
    if bytes > Self.maximumUTF8Length { throw .tooLong(bytes: bytes) }
    value = name
  }

  /// A name of printable ASCII without separators, as most are: nothing is dropped from it.
  private static func isPlain(_ name: some Collection<UInt8>) -> Bool {
    (1...maximumUTF8Length).contains(name.count) && name.first != UInt8(ascii: ".")
      && name.allSatisfy { (0x20...0x7e).contains($0) && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\") }
  }

  /// The extension without its dot, lowercased: 1 to 10 of A–Z, a–z, 0–9. Of archives such as `a.tar.gz` both parts,
  /// `tar.gz`. `nil` when there is none, and for names such as `.bashrc`.
  public var fileExtension: String? {
    let bytes = Array(value.utf8)
    guard let (stem, suffix) = Self.split(bytes[...]) else { return nil }
    let last = String(decoding: suffix, as: UTF8.self).lowercased()
    if let (_, inner) = Self.split(stem), String(decoding: inner, as: UTF8.self).lowercased() == "tar" {
      return "tar." + last
    }
    return last
  }

  private static func split(_ name: ArraySlice<UInt8>) -> (stem: ArraySlice<UInt8>, suffix: ArraySlice<UInt8>)? {
    let dot = UInt8(ascii: ".")
    guard let position = name.lastIndex(of: dot) else { return nil }
    let stem = name[..<position]
    let suffix = name[(position + 1)...]
    guard stem.contains(where: { $0 != dot }), (1...10).contains(suffix.count),
      suffix.allSatisfy(\.isASCIIAlphanumeric)
    else { return nil }
    return (stem, suffix)
  }
}
