import NIOCore
import R2Client
import Testing

struct ListingTests {
  @Test(arguments: Store.allCases)
  func pagesAreInOrderAndComplete(_ store: Store) async throws {
    try await store.with { client, prefix in
      let keys = (0..<25).map { "\(prefix)u/\($0 < 10 ? "0" : "")\($0)" }
      for key in keys.shuffled() { _ = try await client.putObject(key, body: ByteBuffer(string: key)) }
      var listed: [String] = []
      var token: String?
      var pages = 0
      repeat {
        let page = try await client.listObjectsV2(prefix: "\(prefix)u/", continuationToken: token, maxKeys: 10)
        #expect(page.objects.allSatisfy { $0.size == $0.key.utf8.count && $0.lastModified != nil })
        listed += page.objects.map(\.key)
        token = page.nextContinuationToken
        pages += 1
      } while token != nil && pages < 10
      #expect(listed == keys)
      #expect(pages == 3)
      let rest = try await client.listObjectsV2(prefix: prefix, startAfter: keys[22])
      #expect(rest.objects.map(\.key) == Array(keys[23...]))
    }
  }

  @Test(arguments: Store.allCases)
  func aDelimiterRollsUp(_ store: Store) async throws {
    try await store.with { client, prefix in
      for name in ["a", "b/1", "b/2", "c/1/x", "d", "ü+ /1"] {
        _ = try await client.putObject(prefix + name, body: ByteBuffer())
      }
      var objects: [String] = []
      var prefixes: [String] = []
      var token: String?
      repeat {
        let page = try await client.listObjectsV2(
          prefix: prefix, delimiter: "/", continuationToken: token, maxKeys: 2)
        objects += page.objects.map(\.key)
        prefixes += page.commonPrefixes
        token = page.nextContinuationToken
      } while token != nil
      #expect(objects == ["a", "d"].map { prefix + $0 })
      #expect(prefixes == ["b/", "c/", "ü+ /"].map { prefix + $0 })
    }
  }

  @Test(arguments: Store.allCases)
  func deletingMany(_ store: Store) async throws {
    try await store.with { client, prefix in
      let keys = (0..<30).map { "\(prefix)\($0)" }
      for key in keys { _ = try await client.putObject(key, body: ByteBuffer()) }
      // What is not there is no failure.
      #expect(try await client.deleteObjects(keys + ["\(prefix)none"]) == [])
      #expect(try await client.listObjectsV2(prefix: prefix).objects == [])
      #expect(try await client.deleteObjects([]) == [])
      let tooMany = await ObjectTests.error { try await client.deleteObjects(Array(repeating: "k", count: 1001)) }
      #expect(tooMany?.code == .invalidArgument)
    }
  }

  @Test(arguments: Store.allCases)
  func theBucketIsThere(_ store: Store) async throws {
    try await store.with { client, _ in try await client.headBucket() }
  }
}
