import R2Client
import UploadCore

/// What is kept of an upload beside its bytes, as headers of the object.
///
/// The size is the object's own; the id is its key. Fields that are not known here are ignored, so that later versions
/// can add some; a format that is not known is refused.
enum BlobMetadata {
  private static let format = "1"

  private enum Field {
    static let format = "bashupload-format"
    static let name = "name"
    static let created = "created"
    static let maxDownloads = "max-downloads"
    static let deleteTokenHash = "delete-token-hash"
    static let sha256 = "sha256"
  }

  /// The digest is left out while it is not known, at the beginning of a multipart upload.
  static func headers(_ record: UploadRecord) -> S3ObjectHeaders {
    var fields = [
      Field.format: format, Field.created: String(record.createdAt.milliseconds),
      Field.deleteTokenHash: Hex.encode(record.deleteTokenHash),
    ]
    if let name = record.name { fields[Field.name] = name.value }
    if let limit = record.maxDownloads { fields[Field.maxDownloads] = String(limit.count) }
    if !record.sha256.isEmpty { fields[Field.sha256] = Hex.encode(record.sha256) }
    return S3ObjectHeaders(contentType: record.contentType, userMetadata: fields)
  }

  /// Nil when the object was not written by us, or is damaged.
  static func record(_ id: UploadID, _ metadata: S3ObjectMetadata) -> UploadRecord? {
    let fields = metadata.headers.userMetadata
    guard fields[Field.format] == format, let created = fields[Field.created].flatMap({ Int64($0) }),
      let token = fields[Field.deleteTokenHash].flatMap(bytes)
    else { return nil }
    var name: FileName?
    if let text = fields[Field.name] {
      guard let stored = try? FileName(text), stored.value == text else { return nil }
      name = stored
    }
    var limit: DownloadLimit?
    if let text = fields[Field.maxDownloads] {
      // A limit that cannot be read must not become none.
      guard let count = Int(text), let stored = DownloadLimit(count) else { return nil }
      limit = stored
    }
    var digest: [UInt8] = []
    if let text = fields[Field.sha256] {
      guard let stored = bytes(text), stored.count == 32 else { return nil }
      digest = stored
    }
    return UploadRecord(
      id: id, name: name, contentType: metadata.headers.contentType ?? ContentType.unknown, size: metadata.size,
      sha256: digest, createdAt: Timestamp(milliseconds: created), maxDownloads: limit, deleteTokenHash: token)
  }

  private static func bytes(_ text: String) -> [UInt8]? {
    let digits = text.utf8.map { digit -> UInt8? in
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
      default: nil
      }
    }
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[index], let low = digits[index + 1] else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }
}
