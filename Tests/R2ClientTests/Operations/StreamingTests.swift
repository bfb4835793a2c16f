import Dispatch
import NIOCore
import NIOPosix
import R2Client
import Synchronization
import Testing

struct StreamingTests {
  /// Bytes that show where they belong.
  static func pattern(_ range: Range<Int64>) -> ByteBuffer {
    ByteBuffer(bytes: range.map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
  }

  @Test(arguments: Store.allCases, [0, 1, 65_535, 65_536, 300_000, 3_000_000])
  func bytesArriveAsSent(_ store: Store, _ size: Int64) async throws {
    try await store.with { client, prefix in
      let key = "\(prefix)s"
      _ = try await client.putObject(key, contentLength: size) { writer in
        for start in stride(from: 0, to: size, by: 65_536) {
          try await writer.write(Self.pattern(start..<min(size, start + 65_536)))
        }
      }
      var read: Int64 = 0
      for try await piece in try await client.getObject(key).body {
        #expect(piece == Self.pattern(read..<read + Int64(piece.readableBytes)))
        read += Int64(piece.readableBytes)
      }
      #expect(read == size)
      // The same from memory, where the client cuts it in pieces.
      _ = try await client.putObject(key, body: Self.pattern(0..<size))
      #expect(try await client.getObject(key).body.collect(upTo: Int(size)) == Self.pattern(0..<size))
    }
  }

  /// The loop of the connection says late that the socket is full: until then nothing is piled up for it.
  @Test func aBusyEventLoopIsNotBuried() async throws {
    final class Taken: Sendable {
      let count = Atomic(0)
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    try await FaultyStore.with(eventLoopGroup: group) { store in
      let (piece, count) = (Self.pattern(0..<65_536), 64)
      let taken = Taken()
      let isBusy = DispatchSemaphore(value: 0)
      _ = try await store.client.putObject("busy", contentLength: Int64(piece.readableBytes * count)) { writer in
        for _ in 0..<4 { try await writer.write(piece) }
        group.next().execute { isBusy.wait() }
        async let rest: Void = {
          for _ in 4..<count {
            try await writer.write(piece)
            taken.count.add(1, ordering: .relaxed)
          }
        }()
        try await Task.sleep(for: .milliseconds(300))
        let early = taken.count.load(ordering: .relaxed)
        isBusy.signal()
        #expect(early < 12)
        try await rest
      }
      #expect(try await store.client.headObject("busy").size == piece.readableBytes * count)
    }
    try await group.shutdownGracefully()
  }

  @Test(arguments: Store.allCases, [-1, 1])
  func aBodyOfAnotherLengthStoresNothing(_ store: Store, _ difference: Int64) async throws {
    try await store.with { client, prefix in
      let error = await ObjectTests.error {
        try await client.putObject("\(prefix)l", contentLength: 100_000) { writer in
          try await writer.write(Self.pattern(0..<50_000))
          try await writer.write(Self.pattern(0..<50_000 + difference))
        }
      }
      #expect(error?.code == .incompleteBody)
      #expect(await ObjectTests.error { try await client.headObject("\(prefix)l") }?.isNotFound == true)
    }
  }

  @Test(arguments: Store.allCases)
  func whatTheBodyThrowsComesBack(_ store: Store) async throws {
    struct Left: Error {}
    try await store.with { client, prefix in
      await #expect(throws: Left.self) {
        try await client.putObject("\(prefix)l", contentLength: 100_000) { writer in
          try await writer.write(Self.pattern(0..<50_000))
          throw Left()
        }
      }
      #expect(await ObjectTests.error { try await client.headObject("\(prefix)l") }?.isNotFound == true)
      // The client is as good as before.
      _ = try await client.putObject("\(prefix)l", body: ByteBuffer(string: "x"))
    }
  }

  @Test(arguments: Store.allCases)
  func aBodyThatIsDroppedHarmsNobody(_ store: Store) async throws {
    try await store.with { client, prefix in
      _ = try await client.putObject("\(prefix)d", body: Self.pattern(0..<2_000_000))
      for _ in 0..<5 {
        let object = try await client.getObject("\(prefix)d")
        for try await _ in object.body { break }
      }
      #expect(try await client.headObject("\(prefix)d").size == 2_000_000)
    }
  }

  @Test(arguments: Store.allCases)
  func cancellingEndsTheWait(_ store: Store) async throws {
    try await store.with { client, prefix in
      let upload = Task {
        try await client.putObject("\(prefix)c", contentLength: 10) { _ in try await Task.sleep(for: .seconds(60)) }
      }
      upload.cancel()
      await #expect(throws: CancellationError.self) { try await upload.value }
    }
  }
}
