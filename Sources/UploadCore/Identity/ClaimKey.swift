/// The key of the small object which keeps the state of one download slot: `c/<id>/<n>`.
///
/// Slots are numbered from 1; 0 is the tombstone of an upload that was deleted or blocked.
public struct ClaimKey: Hashable, Sendable, CustomStringConvertible {
  /// What all claim keys begin with.
  public static let prefix = "c/"

  /// The number of the tombstone.
  public static let tombstone = 0

  /// The upload.
  public let id: UploadID

  /// The number of the slot, or 0.
  public let slot: Int

  /// - Precondition: `slot` is not negative.
  public init(_ id: UploadID, slot: Int) {
    precondition(slot >= 0, "slots are numbered from 0")
    self.id = id
    self.slot = slot
  }

  /// Parses `c/<id>/<n>`, n without sign and leading zeros; `nil` for anything else (`c/legacy/…` included).
  public init?(parsing key: String) {
    let bytes = key.utf8
    guard bytes.starts(with: Self.prefix.utf8),
      let slash = bytes.lastIndex(of: UInt8(ascii: "/")),
      let idStart = bytes.index(bytes.startIndex, offsetBy: Self.prefix.utf8.count, limitedBy: slash),
      let id = UploadID(key[idStart..<slash]),
      let number = Self.canonicalNumber(key[bytes.index(after: slash)...])
    else { return nil }
    self.id = id
    self.slot = number
  }

  /// `c/<id>/<n>`.
  public var description: String {
    "\(Self.prefix)\(id)/\(slot)"
  }

  /// One text per number, so that a claim has one key.
  private static func canonicalNumber(_ text: Substring) -> Int? {
    guard let number = Int(text), number >= 0, String(number).utf8.elementsEqual(text.utf8) else { return nil }
    return number
  }
}
