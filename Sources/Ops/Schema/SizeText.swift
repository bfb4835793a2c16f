import UploadCore

/// Sizes in the short form of the cluster file: `5GiB`.
package enum SizeText {
  /// `5GiB`, without the space of `ByteCount.description`.
  package static func short(_ bytes: Int64) -> String {
    ByteCount(bytes).description.split(separator: " ").joined()
  }

  /// For a number without a unit.
  static func suggestion(_ text: String) -> String {
    guard let bytes = Int64(text), bytes >= 1024 else { return "\(text)MiB or \(text)GiB" }
    let exact = short(bytes)
    return exact == "\(bytes)B" ? exact : "\(bytes)B or \(exact) if these are bytes"
  }

  /// `5G`, `5Gi` (as Kubernetes writes it), `5 gigabytes`: what was meant.
  static func correction(_ text: String) -> String? {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    guard !digits.isEmpty, let letter = text.dropFirst(digits.count).first(where: { $0 != " " })?.uppercased(),
      ["K", "M", "G", "T"].contains(letter)
    else { return nil }
    return "\(digits)\(letter)iB (or \(digits)\(letter)B for powers of 1000)"
  }
}
