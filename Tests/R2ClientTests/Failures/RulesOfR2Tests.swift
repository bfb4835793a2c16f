import FakeS3
import NIOCore
import R2Client
import Testing

/// The fake keeps R2's rules, also against a client that would not.
struct RulesOfR2Tests {
  @Test func unequalPartsAreRefusedAtTheEnd() async throws {
    try await FaultyStore.with(options: { options in
      options.partLimits.minimumSize = 1
    }) { store in
      let id = try await store.client.createMultipartUpload("k")
      var parts: [S3CompletedPart] = []
      for (index, size) in [2048, 3000, 10].enumerated() {
        let body = ByteBuffer(repeating: 1, count: size)
        var part = try await store.client.uploadPart("k", uploadID: id, partNumber: index + 1, body: body)
        part.size = 2048  // what the client believes
        parts.append(part)
      }
      let error = try await store.failure { try await $0.completeMultipartUpload("k", uploadID: id, parts: parts) }
      #expect(error?.code == .invalidPart)
      #expect(error?.status == 400)
      #expect(error?.outcomeUnknown == false)
    }
  }

  @Test func smallPartsAreRefused() async throws {
    try await FaultyStore.with(options: { options in
      options.partLimits.minimumSize = 1
    }) { store in
      let id = try await store.client.createMultipartUpload("k")
      var parts: [S3CompletedPart] = []
      for number in 1...2 {
        parts.append(
          try await store.client.uploadPart("k", uploadID: id, partNumber: number, body: ByteBuffer(string: "x")))
      }
      let error = try await store.failure { try await $0.completeMultipartUpload("k", uploadID: id, parts: parts) }
      #expect(error?.code == .entityTooSmall)
    }
  }

  @Test func oneWriteASecondToAKey() async throws {
    try await FaultyStore.with(rules: { $0.writeInterval = .seconds(60) }, options: { $0.retry = .none }) { store in
      let first = try await store.client.putObject("k", body: ByteBuffer(string: "1"))
      let error = try await store.failure {
        try await $0.putObject("k", body: ByteBuffer(string: "2"), condition: .ifMatch(first.eTag))
      }
      #expect(error?.isThrottled == true)
      #expect(error?.outcomeUnknown == true)
      _ = try await store.client.putObject("other", body: ByteBuffer(string: "1"))
    }
  }

  @Test func conditionsOnComplete() async throws {
    try await FaultyStore.with { store in
      func complete(_ condition: S3WriteCondition?) async throws -> S3PutResult {
        let id = try await store.client.createMultipartUpload("k")
        let part = try await store.client.uploadPart("k", uploadID: id, partNumber: 1, body: ByteBuffer(string: "x"))
        return try await store.client.completeMultipartUpload("k", uploadID: id, parts: [part], condition: condition)
      }
      let first = try await complete(.ifAbsent)
      #expect(try await store.failure { _ in try await complete(.ifAbsent) }?.isPreconditionFailed == true)
      _ = try await complete(.ifMatch(first.eTag))
    }
  }

  @Test func requestsThatTheClientNeverSends() async throws {
    try await FaultyStore.with(rules: { $0.metadataLimit = 100 }) { store in
      func status(_ request: SignedRawRequest) async throws -> String {
        let line = try await request.answer(of: store.fake)
        return String(line.dropFirst("HTTP/1.1 ".count).prefix(3))
      }
      let metadata = [(name: "x-amz-meta-a", value: String(repeating: "x", count: 100))]
      let requests: [(SignedRawRequest, String)] = [
        (SignedRawRequest(), "200"),
        (SignedRawRequest(payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), "501"),
        (SignedRawRequest(framing: "Transfer-Encoding: chunked\r\n", body: "1\r\nx\r\n0\r\n\r\n"), "411"),
        (SignedRawRequest(headers: metadata), "400"),
        (SignedRawRequest(payloadHash: String(repeating: "0", count: 64)), "400"),
      ]
      for (request, expected) in requests {
        let found = try await status(request)
        #expect(found == expected)
      }
      #expect(store.fake.calls == ["PutObject": 5])
    }
  }
}
