import Foundation
import NIOCore
import NIOHTTP1

// A second port from which other processes steer the fake.
extension FakeS3 {
  /// `GET /-/calls`: calls by operation, as JSON. `GET /-/keys`: the keys. `GET /-/uploads`: open multipart uploads.
  /// `POST /-/faults?fault=NAME[&operation=NAME][&nth=N]`: one call fails. `POST /-/faults?seed=N[&rate=R]`: calls fail at
  /// random. `POST /-/reset`: no more faults, and the counts begin again.
  ///
  /// - Returns: the port.
  package func startAdmin(port: Int = 0) async throws -> Int {
    let channel = try await Self.listen(
      port: port, fate: { _ in nil },
      answer: { request in
        self.administer(request)
      })
    return channel.localAddress?.port ?? 0
  }

  private func administer(_ request: FakeS3Request) -> FakeS3Reply {
    switch "\(request.head.method) /\(request.bucket)/\(request.key ?? "")" {
    case "GET /-/calls": return json(calls)
    case "GET /-/keys": return json(keys)
    case "GET /-/uploads": return json(["open": openUploads])
    case "POST /-/reset":
      faults { $0.reset() }
      return FakeS3Reply(.noContent)
    case "POST /-/faults": return setFaults(request)
    default: return FakeS3Reply(.notFound)
    }
  }

  private func setFaults(_ request: FakeS3Request) -> FakeS3Reply {
    if let seed = request[query: "seed"].flatMap({ UInt64($0) }) {
      let rate = request[query: "rate"].flatMap { Double($0) } ?? 0.05
      faults { $0.failAtRandom(seed: seed, rate: rate) }
    } else if let fault = request[query: "fault"].flatMap({ FakeS3Fault(rawValue: $0) }) {
      let nth = request[query: "nth"].flatMap { Int($0) } ?? 1
      faults { $0.fail(fault, of: request[query: "operation"], nth: nth) }
    } else {
      let names = FakeS3Fault.allCases.map(\.rawValue).joined(separator: " ")
      return FakeS3Reply(.badRequest, body: ByteBuffer(string: "seed=N or fault=NAME, one of: \(names)\n"))
    }
    return FakeS3Reply(.noContent)
  }

  private func json(_ value: some Encodable) -> FakeS3Reply {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let data = try? encoder.encode(value) else { return FakeS3Reply(.internalServerError) }
    return FakeS3Reply(headers: ["content-type": "application/json"], body: ByteBuffer(bytes: data))
  }
}
