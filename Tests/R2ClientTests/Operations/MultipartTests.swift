import NIOCore
import R2Client
import Testing

struct MultipartTests {
  static let partSize: Int64 = 5 << 20

  @Test(arguments: Store.allCases)
  func anObjectOfParts(_ store: Store) async throws {
    try await store.with { client, prefix in
      let key = "\(prefix)ü m"
      let headers = S3ObjectHeaders(contentType: "video/mp4", userMetadata: ["name": "ü"])
      let layout = try #require(S3PartLayout(size: 2 * Self.partSize + 7, preferredPartSize: Self.partSize))
      let id = try await client.createMultipartUpload(key, headers: headers)
      var parts: [S3CompletedPart] = []
      // In any order, from memory and streamed.
      for number in [3, 1, 2] {
        let range = try #require(layout.range(ofPart: number))
        if number == 2 {
          parts.append(
            try await client.uploadPart(
              key, uploadID: id, partNumber: number, contentLength: range.upperBound - range.lowerBound
            ) { writer in
              for start in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 17) {
                try await writer.write(StreamingTests.pattern(start..<min(start + 1 << 17, range.upperBound)))
              }
            })
        } else {
          parts.append(
            try await client.uploadPart(
              key, uploadID: id, partNumber: number, body: StreamingTests.pattern(range)))
        }
      }
      #expect(await ObjectTests.error { try await client.headObject(key) }?.isNotFound == true)
      let first = try await client.listParts(key, uploadID: id, maxParts: 2)
      let second = try await client.listParts(key, uploadID: id, after: first.nextPartNumberMarker)
      #expect(first.parts + second.parts == parts.sorted { $0.partNumber < $1.partNumber })
      let result = try await client.completeMultipartUpload(key, uploadID: id, parts: parts)
      let object = try await client.getObject(key)
      #expect(object.metadata.eTag == result.eTag)
      #expect(object.metadata.headers == headers)
      #expect(try await object.body.collect(upTo: Int(layout.size)) == StreamingTests.pattern(0..<layout.size))
    }
  }

  @Test(arguments: Store.allCases)
  func openUploadsAreListedAndAborted(_ store: Store) async throws {
    try await store.with { client, prefix in
      var ids: Set<String> = []
      for number in 0..<5 { ids.insert(try await client.createMultipartUpload("\(prefix)ü\(number % 2)")) }
      var listed: [S3MultipartUpload] = []
      var marker: S3MultipartListing.Marker?
      repeat {
        let page = try await client.listMultipartUploads(prefix: prefix, after: marker, maxUploads: 2)
        listed += page.uploads
        marker = page.next
      } while marker != nil && listed.count < 20
      #expect(Set(listed.map(\.uploadID)) == ids)
      #expect(listed.count == 5)
      #expect(listed.allSatisfy { $0.initiated != nil })
      for upload in listed { try await client.abortMultipartUpload(upload.key, uploadID: upload.uploadID) }
      for upload in listed { try await client.abortMultipartUpload(upload.key, uploadID: upload.uploadID) }
      #expect(try await client.listMultipartUploads(prefix: prefix).uploads == [])
    }
  }

  @Test(arguments: Store.allCases)
  func partsThatR2WouldRefuseAreNotSent(_ store: Store) async throws {
    try await store.with { client, prefix in
      let parts = [100, 5].enumerated().map { S3CompletedPart(partNumber: $0 + 1, eTag: S3ETag("e"), size: Int64($1)) }
      let error = await ObjectTests.error {
        try await client.completeMultipartUpload("\(prefix)k", uploadID: "id", parts: parts)
      }
      #expect(error?.code == .entityTooSmall)
      #expect(error?.status == nil)
    }
  }

  /// (Radosgw answers 500 here: it cannot tell an upload that is gone from one that is being completed.)
  @Test(arguments: [Store.fake])
  func anUploadThatIsGone(_ store: Store) async throws {
    try await store.with { client, prefix in
      let part = S3CompletedPart(partNumber: 1, eTag: S3ETag("e"), size: 5)
      let error = await ObjectTests.error {
        try await client.completeMultipartUpload("\(prefix)k", uploadID: "none", parts: [part])
      }
      #expect(error?.code == .noSuchUpload)
      #expect(error?.outcomeUnknown == false)
    }
  }
}
