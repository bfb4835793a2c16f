import FakeS3
import NIOCore
import R2Client
import Testing

struct TimeoutTests {
  private static func impatient(_ options: inout R2ClientOptions) {
    options.timeouts = S3Timeouts(connect: .seconds(20), firstByte: .seconds(2), idle: .seconds(2))
    options.retry = .none
  }

  @Test func noAnswer() async throws {
    try await FaultyStore.with(options: Self.impatient) { store in
      store.fake.faults { $0.fail(.stall) }
      let error = try await store.failure { try await $0.putObject("k", body: ByteBuffer(string: "x")) }
      #expect(error?.code == .firstByteTimeout)
      #expect(error?.outcomeUnknown == true)
    }
  }

  /// More than the buffers of the sockets hold, so that the sender notices.
  @Test func theStoreTakesNoMoreBytes() async throws {
    try await FaultyStore.with(options: Self.impatient) { store in
      store.fake.faults { $0.fail(.stall) }
      let error = try await store.failure {
        try await $0.putObject("k", body: ByteBuffer(repeating: 1, count: 32 << 20))
      }
      #expect(error?.code == .idleTimeout)
      #expect(error?.outcomeUnknown == true)
    }
  }

  @Test func theStoreSendsNoMoreBytes() async throws {
    try await FaultyStore.with(options: Self.impatient) { store in
      _ = try await store.client.putObject("k", body: ByteBuffer(repeating: 1, count: 100_000))
      store.fake.faults { $0.fail(.stalledAnswer, of: "GetObject") }
      let object = try await store.client.getObject("k")
      let error = await ObjectTests.error { try await object.body.collect(upTo: 100_000) }
      #expect(error?.code == .idleTimeout)
    }
  }

  /// Who reads slowly, or has nothing to send for a while, is not the store's fault. (The pauses are the subject: longer than
  /// the idle timeout, and nothing happens that could be waited for.)
  @Test func slowCallersAreLeftAlone() async throws {
    try await FaultyStore.with(options: { options in
      Self.impatient(&options)
      // Counts from the last byte sent: it is not the subject, and a busy machine takes its time over 24 MiB.
      options.timeouts.firstByte = .seconds(60)
    }) { store in
      let size = 24 << 20
      _ = try await store.client.putObject("k", contentLength: 2) { writer in
        try await writer.write(ByteBuffer(string: "a"))
        try await Task.sleep(for: .seconds(5))
        try await writer.write(ByteBuffer(string: "b"))
      }
      _ = try await store.client.putObject("k", body: ByteBuffer(repeating: 1, count: size))
      var read = 0
      for try await piece in try await store.client.getObject("k").body {
        if read == 0 { try await Task.sleep(for: .seconds(5)) }
        read += piece.readableBytes
      }
      #expect(read == size)
    }
  }

  @Test func noFreeConnection() async throws {
    try await FaultyStore.with(options: { options in
      Self.impatient(&options)
      options.timeouts.firstByte = .seconds(60)
      options.timeouts.idle = .seconds(60)
      options.timeouts.connect = .seconds(1)
      options.connectionLimit = 1
    }) { store in
      _ = try await store.client.putObject("k", body: ByteBuffer(repeating: 1, count: 24 << 20))
      let object = try await store.client.getObject("k")
      let error = try await store.failure { try await $0.headObject("k") }
      #expect(error?.code == .connectTimeout)
      #expect(error?.outcomeUnknown == false)
      #expect(try await object.body.collect(upTo: 24 << 20).readableBytes == 24 << 20)
    }
  }

  /// A store that reads nothing holds the sender back: what was taken from it is what the sockets hold, which is the
  /// kernel's to say (tens of MiB on loopback), and not the 1 GiB of the body.
  @Test func backPressureReachesTheSender() async throws {
    try await FaultyStore.with(options: Self.impatient) { store in
      store.fake.faults { $0.fail(.stall) }
      var taken = 0
      let error = try await store.failure { client in
        try await client.putObject("k", contentLength: 1 << 30) { writer in
          for _ in 0..<(1 << 13) {
            try await writer.write(ByteBuffer(repeating: 1, count: 1 << 17))
            taken += 1 << 17
          }
        }
      }
      #expect(error?.code == .idleTimeout)
      #expect(taken < 256 << 20)
    }
  }
}
