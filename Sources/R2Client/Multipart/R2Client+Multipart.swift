public import NIOCore
import NIOHTTP1

// The multipart set (docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html), under R2's stricter rules.
extension R2Client {
  /// CreateMultipartUpload: begins an object that comes in parts. The headers are those of the object.
  ///
  /// A repeated attempt after a lost answer may leave a second, empty upload: ``listMultipartUploads(prefix:after:maxUploads:)``
  /// shows it, and R2 ends it after seven days.
  ///
  /// - Returns: the upload id.
  public func createMultipartUpload(_ key: String, headers: S3ObjectHeaders = S3ObjectHeaders()) async throws -> String
  {
    var request = try request(.createMultipartUpload, .POST, key: key)
    request.query = [("uploads", "")]
    try headers.write(to: &request.headers, for: .createMultipartUpload, key: key)
    let xml = try await send(request).xml(request, root: "InitiateMultipartUploadResult")
    guard let uploadID = xml["UploadId"]?.text, !uploadID.isEmpty else {
      throw request.failure(.malformedAnswer, "the answer has no UploadId")
    }
    return uploadID
  }

  /// UploadPart with bytes that are in memory. A part that is uploaded again replaces the earlier one.
  ///
  /// - Parameter partNumber: from 1 to 10,000.
  public func uploadPart(
    _ key: String, uploadID: String, partNumber: Int, body: ByteBuffer
  ) async throws -> S3CompletedPart {
    let size = Int64(body.readableBytes)
    var request = try partRequest(key, uploadID, partNumber, size: size)
    request.body = body
    let answer = try await send(request)
    return S3CompletedPart(partNumber: partNumber, eTag: try answer.eTag(request), size: size)
  }

  /// UploadPart with a body that is written while it is sent: see
  /// ``putObject(_:contentLength:headers:condition:repeats:body:)``.
  public nonisolated(nonsending) func uploadPart(
    _ key: String, uploadID: String, partNumber: Int, contentLength: Int64,
    body: (S3BodyWriter) async throws -> Void
  ) async throws -> S3CompletedPart {
    let request = try partRequest(key, uploadID, partNumber, size: contentLength)
    let answer = try await send(request, contentLength: contentLength, body: body)
    return S3CompletedPart(partNumber: partNumber, eTag: try answer.eTag(request), size: contentLength)
  }

  /// CompleteMultipartUpload: makes the object of its parts.
  ///
  /// Throws `InvalidPart` or `EntityTooSmall` before anything is sent when the parts break R2's rules. `NoSuchUpload` together with
  /// ``S3Error/outcomeUnknown`` means that an earlier attempt may have completed the upload: look with ``headObject(_:)``.
  ///
  /// - Parameter parts: all parts, in any order; numbered from 1 without gaps.
  public func completeMultipartUpload(
    _ key: String, uploadID: String, parts: [S3CompletedPart], condition: S3WriteCondition? = nil,
    repeats: S3Repeats = .whenSafe
  ) async throws -> S3PutResult {
    var request = try request(.completeMultipartUpload, .POST, key: key)
    let parts = parts.sorted { $0.partNumber < $1.partNumber }
    if let (code, problem) = options.partLimits.problem(parts) { throw request.failure(code, problem) }
    request.query = [("uploadId", uploadID)]
    request.set(condition, repeats, writeETags)
    request.headers.add(name: "content-type", value: "application/xml")
    let list = parts.map { part in
      XMLNode("Part", children: [XMLNode("PartNumber", "\(part.partNumber)"), XMLNode("ETag", part.eTag.quoted)])
    }
    request.body = ByteBuffer(string: XMLNode("CompleteMultipartUpload", children: list).document)
    let answer = try await send(request)
    let xml = try successful(answer, request, root: "CompleteMultipartUploadResult")
    if let tag = xml["ETag"]?.text, !tag.isEmpty { return S3PutResult(eTag: S3ETag(tag)) }
    // Radosgw leaves the tag of a new object out.
    return S3PutResult(eTag: try await headObject(key).eTag)
  }

  /// AbortMultipartUpload: drops the parts. An upload that is no longer there is no error.
  public func abortMultipartUpload(_ key: String, uploadID: String) async throws {
    var request = try request(.abortMultipartUpload, .DELETE, key: key)
    request.query = [("uploadId", uploadID)]
    do {
      _ = try await send(request)
    } catch let error as S3Error where error.isNotFound {
      return
    }
  }

  /// ListMultipartUploads: one page of the uploads that are neither completed nor aborted.
  public func listMultipartUploads(
    prefix: String = "", after marker: S3MultipartListing.Marker? = nil, maxUploads: Int = 1000
  ) async throws -> S3MultipartListing {
    var request = S3Request(.listMultipartUploads, .GET)
    // Not percent encoded: radosgw then encodes some of the keys and does not say so.
    request.query = [("uploads", ""), ("max-uploads", "\(maxUploads)"), ("prefix", prefix)]
    if let marker { request.query += [("key-marker", marker.key), ("upload-id-marker", marker.uploadID)] }
    let xml = try await send(request).xml(request, root: "ListMultipartUploadsResult")
    let uploads = try xml.all("Upload").map { node in
      S3MultipartUpload(
        key: try Self.key(node["Key"]?.text, isEncoded: false, request), uploadID: node["UploadId"]?.text ?? "",
        initiated: node["Initiated"].flatMap { S3Timestamp(rfc3339: $0.text) })
    }
    guard xml["IsTruncated"]?.text == "true" else { return S3MultipartListing(uploads: uploads, next: nil) }
    let next = S3MultipartListing.Marker(
      key: try Self.key(xml["NextKeyMarker"]?.text, isEncoded: false, request),
      uploadID: xml["NextUploadIdMarker"]?.text ?? "")
    return S3MultipartListing(uploads: uploads, next: next)
  }

  /// ListParts: one page of the parts that the store has of an upload.
  public func listParts(
    _ key: String, uploadID: String, after partNumberMarker: Int? = nil, maxParts: Int = 1000
  ) async throws -> S3PartListing {
    var request = try request(.listParts, .GET, key: key)
    request.query = [("uploadId", uploadID), ("max-parts", "\(maxParts)")]
    if let partNumberMarker { request.query.append(("part-number-marker", "\(partNumberMarker)")) }
    let xml = try await send(request).xml(request, root: "ListPartsResult")
    let parts = try xml.all("Part").map { node in
      guard let number = node["PartNumber"].flatMap({ Int($0.text) }),
        let size = node["Size"].flatMap({ Int64($0.text) })
      else { throw request.failure(.malformedAnswer, "a part of the listing has no number or no size") }
      return S3CompletedPart(partNumber: number, eTag: S3ETag(node["ETag"]?.text ?? ""), size: size)
    }
    let isTruncated = xml["IsTruncated"]?.text == "true"
    return S3PartListing(
      parts: parts, nextPartNumberMarker: isTruncated ? xml["NextPartNumberMarker"].flatMap { Int($0.text) } : nil)
  }

  private func partRequest(_ key: String, _ uploadID: String, _ partNumber: Int, size: Int64) throws -> S3Request {
    var request = try request(.uploadPart, .PUT, key: key)
    let limits = options.partLimits
    guard (1...limits.maximumCount).contains(partNumber) else {
      throw request.failure(.invalidArgument, "part \(partNumber); parts are numbered from 1 to \(limits.maximumCount)")
    }
    guard (0...limits.maximumSize).contains(size) else {
      throw request.failure(.entityTooLarge, "a part of \(size) bytes; at most \(limits.maximumSize) are allowed")
    }
    request.query = [("partNumber", "\(partNumber)"), ("uploadId", uploadID)]
    return request
  }
}
