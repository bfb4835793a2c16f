/// Why a text is no file name.
public enum FileNameError: Error, Hashable, Sendable {
  /// Nothing is left: the text was empty, or ended in a separator, or held only characters that are dropped.
  case empty
  /// "." or "..", which mean a directory.
  case reserved(String)
  /// A control character or a line separator.
  case controlCharacter
  /// More than `FileName.maximumUTF8Length` bytes of UTF-8.
  case tooLong(bytes: Int)
  /// A percent escape that is none, or bytes that are not UTF-8.
  case badEncoding

  /// One line for the user: what is wrong, the limit in numbers, what to do.
  public var message: String {
    switch self {
    case .empty:
      "The file name is empty: send a name of 1 to \(FileName.maximumUTF8Length) bytes."
    case .reserved(let name):
      "The file name \(QuotedText(name)) means a directory: send another name."
    case .controlCharacter:
      "The file name contains a control character or a line break: send a name without."
    case .tooLong(let bytes):
      "The file name has \(bytes) bytes, the limit is \(FileName.maximumUTF8Length): send a shorter name."
    case .badEncoding:
      "The file name is not valid percent-encoded UTF-8: write % as %25 and other characters as UTF-8."
    }
  }
}
