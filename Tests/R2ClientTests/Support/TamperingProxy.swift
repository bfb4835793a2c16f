import NIOCore
import NIOPosix

/// Sits between client and server and exchanges one word of what is sent for another of the same length.
enum TamperingProxy {
  static func with<Result>(
    target: Int, replacing word: String, by other: String, _ test: (Int) async throws -> Result
  ) async throws -> Result {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 16)
      .childChannelInitializer { channel in
        ClientBootstrap(group: channel.eventLoop).connect(host: "127.0.0.1", port: target).flatMap { upstream in
          channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(Forwarder(to: upstream, replacing: word, by: other))
            try upstream.pipeline.syncOperations.addHandler(Forwarder(to: channel, replacing: "", by: ""))
          }
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    do {
      let result = try await test(server.localAddress?.port ?? 0)
      try await server.close()
      return result
    } catch {
      try await server.close()
      throw error
    }
  }

  private final class Forwarder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let target: any Channel
    private let word: String
    private let other: String

    init(to target: any Channel, replacing word: String, by other: String) {
      self.target = target
      self.word = word
      self.other = other
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let bytes = unwrapInboundIn(data)
      guard !word.isEmpty else { return target.writeAndFlush(bytes, promise: nil) }
      let text = String(buffer: bytes).replacing(word, with: other)
      target.writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
      target.close(promise: nil)
    }
  }
}
