import NIOCore
import R2Client
import Synchronization

/// One part on its way to the store. Runs beside the others of its upload.
struct PartUpload: Sendable {
  /// What went wrong first in any of them: the upload ends then, and not with the next full part.
  final class Failure: Sendable {
    private let error = Mutex<(any Error)?>(nil)

    var first: (any Error)? { error.withLock { $0 } }

    func note(_ failure: any Error) {
      error.withLock { $0 = $0 ?? failure }
    }
  }

  let bucket: Bucket
  let key: String
  let uploadID: String
  let number: Int
  let part: PartBuffer

  /// - Parameter hashed: the bytes are kept until then.
  func run(hashed: EventLoopFuture<Void>, _ failure: Failure) async throws -> S3CompletedPart {
    defer { part.release() }
    do {
      let completed = try await send()
      try await hashed.get()
      return completed
    } catch {
      failure.note(error)
      try? await hashed.get()
      throw error
    }
  }

  private func send() async throws -> S3CompletedPart {
    if let bytes = part.inMemory {
      return try await bucket.client.uploadPart(key, uploadID: uploadID, partNumber: number, body: bytes)
    }
    let turn = try await bucket.spooledSends.take()
    defer { turn.release() }
    return try await bucket.client.repeating {
      try await bucket.client.uploadPart(
        key, uploadID: uploadID, partNumber: number, contentLength: Int64(part.count)
      ) { writer in
        try await part.read(bucket.pool) { try await writer.write($0) }
      }
    }
  }
}
