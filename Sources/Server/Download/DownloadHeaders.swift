import NIOHTTP1
import UploadCore

/// The response fields of an upload's bytes.
enum DownloadHeaders {
  /// Strong: the bytes behind an id never change. Half of the digest is enough to tell two files apart; where it is not
  /// known the id, which whoever sees the field has, does it as well.
  static func etag(_ record: UploadRecord) -> String {
    record.sha256.isEmpty ? "\"\(record.id)\"" : "\"\(Hex.encode(record.sha256.prefix(16)))\""
  }

  /// What an upload is saved as.
  static func attachment(_ record: UploadRecord) -> String {
    fileName(record).map { ContentDisposition.value($0, attachment: true) } ?? "attachment"
  }

  private static func fileName(_ record: UploadRecord) -> FileName? {
    record.name ?? (try? FileName("\(record.id)"))
  }

  static func make(_ record: UploadRecord) -> HTTPHeaders {
    let name = fileName(record)
    let isActive = ContentType.isActive(record.contentType)
    var headers = HTTPHeaders()
    headers.reserveCapacity(20)
    headers.add(name: "content-type", value: record.contentType)
    headers.add(name: "accept-ranges", value: "bytes")
    headers.add(name: "etag", value: etag(record))
    headers.add(name: "last-modified", value: record.createdAt.httpDate)
    if !record.sha256.isEmpty { headers.add(name: "repr-digest", value: ReprDigest.format(sha256: record.sha256)) }
    if let name {
      headers.add(name: "content-disposition", value: ContentDisposition.value(name, attachment: isActive))
    }
    headers.add(name: "cache-control", value: "no-cache, no-store, must-revalidate")
    // A stored file never runs on our origin: no sniffing, no scripts, no plugins, no same-origin powers.
    headers.add(name: "x-content-type-options", value: "nosniff")
    // The player of Chromium asks for the bytes of the page it stands in, which the empty origin of a plain sandbox may
    // not read. Sound and film keep their origin; without `allow-scripts` nothing can use it.
    let sandbox = ContentType.isMedia(record.contentType) ? "sandbox allow-same-origin" : "sandbox"
    headers.add(
      name: "content-security-policy",
      value: "\(sandbox); default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'")
    headers.add(name: "referrer-policy", value: "no-referrer")
    headers.add(name: "x-robots-tag", value: "noindex")
    if record.isOneTime {
      headers.add(name: "x-one-time-download", value: "true")
    } else {
      headers.add(name: "x-expiration-download", value: "true")
    }
    headers.add(name: "x-expiration-time", value: record.expiresAt.rfc3339)
    return headers
  }
}
