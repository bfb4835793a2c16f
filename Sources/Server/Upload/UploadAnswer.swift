import NIOCore
import NIOHTTP1
import UploadCore

/// What we tell about a stored upload.
struct UploadAnswer {
  let record: UploadRecord
  var url: String
  let deleteToken: String
  /// Why there is no short URL although one was asked for.
  var shortURLProblem: String?
  let expiresAt: String

  init(_ record: UploadRecord, url: String, deleteToken: String) {
    self.record = record
    self.url = url
    self.deleteToken = deleteToken
    expiresAt = record.expiresAt.rfc3339
  }

  /// The note below the URL, as bashupload-r2 puts it: English, then Chinese.
  var note: String {
    let main =
      if record.isOneTime {
        "Note: This file can be downloaded only once, until \(expiresAt).\n注意:此文件只能下载一次,有效期至 \(expiresAt)。"
      } else if let maxDownloads = record.maxDownloads?.count {
        "Note: This file can be downloaded \(maxDownloads) times, until \(expiresAt).\n注意:此文件可下载 \(maxDownloads) 次,有效期至 \(expiresAt)。"
      } else {
        "Note: This file can be downloaded any number of times until \(expiresAt).\n注意:此文件在 \(expiresAt) 之前可多次下载。"
      }
    return main + (shortURLProblem.map { "\n\($0)" } ?? "")
  }

  /// One sentence for the page.
  var lifetimeNote: String {
    if let maxDownloads = record.maxDownloads?.count {
      return record.isOneTime ? "Works once, until \(expiresAt)." : "Works \(maxDownloads) times, until \(expiresAt)."
    }
    return "Works until \(expiresAt)."
  }
}

extension UploadAnswer: Encodable {
  private enum CodingKeys: String, CodingKey {
    case url, id, name, size, contentType, sha256, createdAt, expiresAt, maxDownloads, oneTime, deleteToken
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(url, forKey: .url)
    try container.encode(record.id.description, forKey: .id)
    try container.encodeIfPresent(record.name?.value, forKey: .name)
    try container.encode(record.size, forKey: .size)
    try container.encode(record.contentType, forKey: .contentType)
    try container.encode(Hex.encode(record.sha256), forKey: .sha256)
    try container.encode(record.createdAt.rfc3339, forKey: .createdAt)
    try container.encode(expiresAt, forKey: .expiresAt)
    try container.encodeIfPresent(record.maxDownloads?.count, forKey: .maxDownloads)
    try container.encode(record.isOneTime, forKey: .oneTime)
    try container.encode(deleteToken, forKey: .deleteToken)
  }
}

/// Lower-case hexadecimal.
enum Hex {
  /// 32 digits. Two calls of the generator: with the system's, each is a system call.
  static func random128(using generator: inout some RandomNumberGenerator) -> String {
    let words: (UInt64, UInt64) = (generator.next(), generator.next())
    return withUnsafeBytes(of: words) { encode($0) }
  }

  private static let digits = Array("0123456789abcdef".utf8)

  static func encode(_ bytes: some Collection<UInt8>) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
      var index = 0
      for byte in bytes {
        buffer[index] = digits[Int(byte >> 4)]
        buffer[index + 1] = digits[Int(byte & 15)]
        index += 2
      }
      return index
    }
  }
}
