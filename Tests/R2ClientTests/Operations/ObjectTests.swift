import Foundation
import NIOCore
import R2Client
import Testing

/// The operations on objects, the same on every store.
struct ObjectTests {
  @Test(arguments: Store.allCases)
  func putGetHeadDelete(_ store: Store) async throws {
    try await store.with { client, prefix in
      let key = "\(prefix)a file"
      let headers = S3ObjectHeaders(
        contentType: "text/plain; charset=utf-8", contentDisposition: "attachment; filename=\"a\"",
        cacheControl: "no-store", userMetadata: ["name": "Übung  文件.txt", "plain": "x"])
      let put = try await client.putObject(key, body: ByteBuffer(string: "hello"), headers: headers)
      let head = try await client.headObject(key)
      #expect(head.size == 5)
      #expect(head.eTag == put.eTag)
      #expect(head.headers == headers)
      #expect(abs((head.lastModified?.secondsSince1970 ?? 0) - S3Timestamp.now.secondsSince1970) < 10)
      let object = try await client.getObject(key)
      #expect(object.metadata == head)
      #expect(object.range == 0..<5)
      #expect(String(buffer: try await object.body.collect(upTo: 5)) == "hello")
      try await client.deleteObject(key)
      try await client.deleteObject(key)
      await #expect { try await client.getObject(key) } throws: { ($0 as? S3Error)?.code == .noSuchKey }
      await #expect { try await client.headObject(key) } throws: { ($0 as? S3Error)?.isNotFound == true }
    }
  }

  @Test(arguments: Store.allCases)
  func keysAreBytesAndNotPaths(_ store: Store) async throws {
    try await store.with { client, prefix in
      let names = ["a//b", "a/./b", "a/../b", "ü 文件+&=?#%41;:@$,!'()*~", "trailing/", "a\"<>&b", "tab\tnew\nline"]
      for name in names {
        _ = try await client.putObject(prefix + name, body: ByteBuffer(string: name))
      }
      for name in names {
        let object = try await client.getObject(prefix + name)
        #expect(String(buffer: try await object.body.collect(upTo: 100)) == name)
      }
      let listed = try await client.listObjectsV2(prefix: prefix).objects.map(\.key)
      #expect(Set(listed) == Set(names.map { prefix + $0 }))
      #expect(try await client.deleteObjects(listed) == [])
      #expect(try await client.listObjectsV2(prefix: prefix).objects == [])
    }
  }

  @Test(arguments: Store.allCases)
  func ranges(_ store: Store) async throws {
    try await store.with { client, prefix in
      let key = "\(prefix)r"
      let tag = try await client.putObject(key, body: ByteBuffer(string: "0123456789")).eTag
      func text(_ range: S3ByteRange) async throws -> String {
        let object = try await client.getObject(key, range: range, ifMatch: tag)
        #expect(object.metadata.size == 10)
        let text = String(buffer: try await object.body.collect(upTo: 10))
        #expect(object.range.count == text.count)
        return text
      }
      #expect(try await text(.bytes(2..<5)) == "234")
      #expect(try await text(.bytes(8..<50)) == "89")
      #expect(try await text(.from(7)) == "789")
      #expect(try await text(.last(4)) == "6789")
      await #expect { try await client.getObject(key, range: .from(10)) } throws: {
        ($0 as? S3Error)?.code == .invalidRange
      }
      await #expect { try await client.getObject(key, ifMatch: S3ETag("other")) } throws: {
        ($0 as? S3Error)?.isPreconditionFailed == true
      }
    }
  }

  @Test(arguments: Store.allCases)
  func conditionalWrites(_ store: Store) async throws {
    try await store.with { client, prefix in
      let key = "\(prefix)claim"
      let first = try await client.putObject(key, body: ByteBuffer(string: "1"), condition: .ifAbsent)
      let again = await Self.error {
        try await client.putObject(key, body: ByteBuffer(string: "2"), condition: .ifAbsent)
      }
      #expect(again?.isPreconditionFailed == true)
      #expect(again?.outcomeUnknown == false)
      let second = try await client.putObject(key, body: ByteBuffer(string: "3"), condition: .ifMatch(first.eTag))
      let stale = await Self.error {
        try await client.putObject(key, body: ByteBuffer(string: "4"), condition: .ifMatch(first.eTag))
      }
      #expect(stale?.isPreconditionFailed == true)
      #expect(try await client.headObject(key).eTag == second.eTag)
    }
  }

  @Test(arguments: Store.allCases)
  func oneOfManyWins(_ store: Store) async throws {
    try await store.with { client, prefix in
      let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<20 {
          group.addTask {
            let body = ByteBuffer(string: "\(number)")
            do {
              _ = try await client.putObject("\(prefix)race", body: body, condition: .ifAbsent)
              return true
            } catch let error as S3Error where error.isPreconditionFailed {
              return false
            }
          }
        }
        return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(wins == 1)
    }
  }

  @Test(arguments: Store.allCases)
  func copy(_ store: Store) async throws {
    try await store.with { client, prefix in
      let headers = S3ObjectHeaders(contentType: "a/b", userMetadata: ["x": "ü"])
      let put = try await client.putObject("\(prefix)ä +1", body: ByteBuffer(string: "copy"), headers: headers)
      #expect(try await client.copyObject(from: "\(prefix)ä +1", to: "\(prefix)2").eTag == put.eTag)
      #expect(try await client.headObject("\(prefix)2").headers == headers)
      let missing = await Self.error { try await client.copyObject(from: "\(prefix)none", to: "\(prefix)3") }
      #expect(missing?.isNotFound == true)
    }
  }

  @Test(arguments: Store.allCases)
  func presignedURLs(_ store: Store) async throws {
    try await store.with { client, prefix in
      let key = "\(prefix)ü 1"
      _ = try await client.putObject(key, body: ByteBuffer(string: "presigned"))
      let port = try #require(URL(string: client.configuration.endpoint)?.port)
      func get(_ url: String) async throws -> String {
        let path = url.dropFirst(client.configuration.endpoint.count)
        return try await RawHTTP.send(
          "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n", port: port)
      }
      let url = try client.presignedURL(.get, key, validFor: .seconds(60))
      #expect(try await get(url).hasSuffix("presigned"))
      #expect(try await get(url.replacing("X-Amz-Expires=60", with: "X-Amz-Expires=61")).hasPrefix("HTTP/1.1 403"))
      #expect(throws: S3Error.self) { try client.presignedURL(.get, key, validFor: .seconds(604_801)) }
      #expect(throws: S3Error.self) { try client.presignedURL(.get, key, validFor: .zero) }
    }
  }

  @Test(arguments: Store.allCases)
  func whatS3WouldRefuseIsNotSent(_ store: Store) async throws {
    try await store.with { client, prefix in
      let body = ByteBuffer(string: "x")
      let keys = ["", String(repeating: "k", count: 1025)]
      for key in keys {
        #expect(await Self.error { try await client.putObject(key, body: body) }?.code == .invalidArgument)
      }
      var headers = S3ObjectHeaders(userMetadata: ["m": String(repeating: "x", count: 8192)])
      #expect(
        await Self.error { try await client.putObject("\(prefix)m", body: body, headers: headers) }?.code
          == .metadataTooLarge)
      headers = S3ObjectHeaders(contentDisposition: "attachment\r\nx: y")
      #expect(
        await Self.error { try await client.putObject("\(prefix)m", body: body, headers: headers) }?.code
          == .invalidArgument)
    }
  }

  static func error<Result>(_ operation: () async throws -> Result) async -> S3Error? {
    do {
      _ = try await operation()
      return nil
    } catch {
      return error as? S3Error
    }
  }
}
