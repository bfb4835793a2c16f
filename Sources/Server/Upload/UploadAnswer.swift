import NIOCore
import NIOHTTP1
import UploadCore

/// What we tell about a stored upload. The property names are the keys of the JSON answer.
struct UploadAnswer: Encodable {
  var url: String
  var id: String
  var name: String?
  var size: Int64
  var contentType: String
  var sha256: String
  var createdAt: String
  var expiresAt: String
  var maxDownloads: Int?
  var oneTime: Bool
  var deleteToken: String
  /// Why there is no short URL although one was asked for.
  var shortURLProblem: String?

  private enum CodingKeys: String, CodingKey {
    case url, id, name, size, contentType, sha256, createdAt, expiresAt, maxDownloads, oneTime, deleteToken
  }

  init(_ record: UploadRecord, url: String, deleteToken: String) {
    self.url = url
    id = record.id.description
    name = record.name?.value
    size = record.size
    contentType = record.contentType
    sha256 = Hex.encode(record.sha256)
    createdAt = record.createdAt.rfc3339
    expiresAt = record.expiresAt.rfc3339
    maxDownloads = record.maxDownloads?.count
    oneTime = record.isOneTime
    self.deleteToken = deleteToken
  }

  /// The note below the URL, as bashupload-r2 puts it: English, then Chinese.
  var note: String {
    let main =
      if oneTime {
        "Note: This file can be downloaded only once, until \(expiresAt).\n注意:此文件只能下载一次,有效期至 \(expiresAt)。"
      } else if let maxDownloads {
        "Note: This file can be downloaded \(maxDownloads) times, until \(expiresAt).\n注意:此文件可下载 \(maxDownloads) 次,有效期至 \(expiresAt)。"
      } else {
        "Note: This file can be downloaded any number of times until \(expiresAt).\n注意:此文件在 \(expiresAt) 之前可多次下载。"
      }
    return main + (shortURLProblem.map { "\n\($0)" } ?? "")
  }

  /// One sentence for the page.
  var lifetimeNote: String {
    if let maxDownloads {
      return oneTime ? "Works once, until \(expiresAt)." : "Works \(maxDownloads) times, until \(expiresAt)."
    }
    return "Works until \(expiresAt)."
  }
}

/// Lower-case hexadecimal.
enum Hex {
  /// 32 digits. Two calls of the generator: with the system's, each is a system call.
  static func random128(using generator: inout some RandomNumberGenerator) -> String {
    [generator.next(), generator.next()].map { (word: UInt64) in
      encode((0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) })
    }.joined()
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
