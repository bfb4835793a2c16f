import FakeS3
import Foundation
import NIOCore
import R2Client
import Testing

/// What stores refuse, and what an operator is told.
struct RefusalTests {
  private static func explanation(
    _ store: Store, _ change: (inout R2ClientOptions) -> Void = { _ in },
    credentials: (inout S3Credentials) -> Void = { _ in }, configuration: (inout R2Configuration) -> Void = { _ in }
  ) async throws -> (S3Error, String) {
    var found: (S3Error, String)?
    try await store.with(options: change, credentials: credentials, configuration: configuration) { client, _ in
      let error = await ObjectTests.error { try await client.listObjectsV2(maxKeys: 1) }
      let refusal = try #require(error)
      let text = refusal.explanation(client.configuration)
      #expect(!"\(refusal) \(text)".contains("secret-key"))
      #expect(!text.contains("\n"))
      found = (refusal, text)
    }
    return try #require(found)
  }

  @Test(arguments: Store.allCases)
  func anUnknownAccessKey(_ store: Store) async throws {
    let (error, text) = try await Self.explanation(store, credentials: { $0.accessKeyID = "nobody" })
    #expect([.invalidAccessKeyID, .unauthorized].contains(error.code))
    #expect(text.contains("does not know the access key"))
  }

  @Test(arguments: Store.allCases)
  func aWrongSecret(_ store: Store) async throws {
    let (error, text) = try await Self.explanation(store, credentials: { $0.secretAccessKey = "wrong" })
    #expect(error.code == .signatureDoesNotMatch)
    #expect(error.status == 403)
    #expect(text.contains("secret access key does not belong"))
  }

  @Test(arguments: Store.allCases)
  func aMissingBucket(_ store: Store) async throws {
    let (error, text) = try await Self.explanation(store, configuration: { $0.bucket = "nowhere" })
    #expect(error.code == .noSuchBucket)
    #expect(text.contains("there is no bucket \"nowhere\""))
  }

  @Test(arguments: Store.allCases, [-3600, 3600])
  func aWrongClock(_ store: Store, _ offset: Int64) async throws {
    let (error, text) = try await Self.explanation(store) { options in
      options.now = { S3Timestamp(secondsSince1970: S3Timestamp.now.secondsSince1970 + offset) }
    }
    #expect(error.code == .requestTimeTooSkewed)
    let ahead = try #require(error.clockAhead?.components.seconds)
    #expect(abs(ahead + offset) <= 120)
    #expect(text.contains(offset < 0 ? "seconds behind the store's" : "seconds ahead of the store's"))
  }

  @Test(arguments: Store.allCases)
  func aTamperedBody(_ store: Store) async throws {
    try await store.with { client, prefix in
      // A fake is its own: the tampered client below must reach this one.
      let port = try #require(URL(string: client.configuration.endpoint)?.port)
      let error = try await TamperingProxy.with(target: port, replacing: "hello", by: "jello") { proxy in
        var stored: S3Error?
        // The fake of this client is still there: only the way to it is another.
        try await store.with(configuration: { $0.endpoint = "http://127.0.0.1:\(proxy)" }) { tampered, _ in
          stored = await ObjectTests.error {
            try await tampered.putObject("\(prefix)t", body: ByteBuffer(string: "hello"))
          }
        }
        return stored
      }
      #expect(error?.status == 400)
      #expect(error?.code == .contentSHA256Mismatch)
      #expect(await ObjectTests.error { try await client.headObject("\(prefix)t") }?.isNotFound == true)
    }
  }

  @Test func nobodyListens() async throws {
    let (error, text) = try await Self.explanation(
      .fake, { $0.retry = .none }, configuration: { $0.endpoint = "http://127.0.0.1:1" })
    #expect(error.code == .connectionFailed)
    #expect(!error.outcomeUnknown)
    #expect(text.contains("nobody answers at http://127.0.0.1:1"))
  }

  @Test func aNameThatIsNotKnown() async throws {
    let (error, text) = try await Self.explanation(
      .fake, { $0.retry = .none }, configuration: { $0.endpoint = "http://store.invalid" })
    #expect(error.code == .nameNotFound)
    #expect(text.contains("store.invalid"))
  }

  @Test func noTLSAtAll() async throws {
    let (error, text) = try await Self.explanation(
      .fake, { $0.retry = .none }, configuration: { $0.endpoint = $0.endpoint.replacing("http:", with: "https:") })
    #expect(error.code == .tlsFailed)
    #expect(text.contains("speaks no TLS (wrong version number)"))
  }

  @Test(arguments: ["", "ftp://a", "127.0.0.1:80", "http://", "http://a?b", "http://user@host"])
  func whatIsNoEndpoint(_ endpoint: String) async throws {
    await #expect(throws: S3Error.self) {
      try await Store.fake.with(configuration: { $0.endpoint = endpoint }) { _, _ in }
    }
  }
}
