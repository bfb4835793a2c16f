import NIOCore
import NIOPosix

/// Sends bytes to a port and reads until the other side closes: for requests that the client would never make.
enum RawHTTP {
  static func send(_ text: String, port: Int) async throws -> String {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(string: text))
      var answer = ByteBuffer()
      for try await var piece in inbound { answer.writeBuffer(&piece) }
      return String(buffer: answer)
    }
  }
}
