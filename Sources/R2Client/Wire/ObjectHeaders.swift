import NIOHTTP1

// Between the headers of HTTP and our values.
extension S3ObjectHeaders {
  private static let metadataPrefix = "x-amz-meta-"

  /// Adds what is set; throws for what S3 would refuse.
  func write(to headers: inout HTTPHeaders, for operation: S3Operation, key: String) throws {
    func add(_ name: String, _ value: String?) throws {
      guard let value else { return }
      guard value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
        throw S3Error(.invalidArgument, "\(name) must be printable ASCII", operation: operation, key: key)
      }
      headers.add(name: name, value: value)
    }
    try add("content-type", contentType)
    try add("content-disposition", contentDisposition)
    try add("cache-control", cacheControl)
    let metadata = userMetadata.sorted { $0.key < $1.key }.map { ($0.key, EncodedWord.encode($0.value)) }
    let size = metadata.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count }
    guard size <= Self.userMetadataLimit else {
      throw S3Error(
        .metadataTooLarge, "user metadata of \(size) bytes, at most \(Self.userMetadataLimit) are allowed",
        operation: operation, key: key)
    }
    for (name, value) in metadata {
      guard Self.isMetadataName(name) else {
        throw S3Error(
          .invalidArgument, "a name of user metadata must consist of a-z, 0-9, '-', '_' and '.'",
          operation: operation, key: key)
      }
      headers.add(name: Self.metadataPrefix + name, value: value)
    }
  }

  init(_ headers: HTTPHeaders) {
    self.init(
      contentType: headers.first(name: "content-type"),
      contentDisposition: headers.first(name: "content-disposition"),
      cacheControl: headers.first(name: "cache-control"))
    for (name, value) in headers {
      let name = name.lowercased()
      guard name.hasPrefix(Self.metadataPrefix) else { continue }
      userMetadata[String(name.dropFirst(Self.metadataPrefix.count))] = EncodedWord.decode(value)
    }
  }

  private static func isMetadataName(_ name: String) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
          UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }
}
