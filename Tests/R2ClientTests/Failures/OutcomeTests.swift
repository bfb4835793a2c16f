import FakeS3
import Foundation
import NIOCore
import R2Client
import TestKit
import Testing

/// What an error says of a write's outcome is true, whatever goes wrong: a model of the bucket follows every call.
struct OutcomeTests {
  @Test func whatIsSaidOfAnOutcomeIsTrue() async throws {
    let seed = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    try await FaultyStore.with(options: { $0.retry.maximumAttempts = 3 }) { store in
      store.fake.faults { $0.failAtRandom(seed: seed, rate: 0.3) }
      // What each key may hold: one text, or one of several after a write of unknown outcome; nil is no object.
      var model: [String: Set<String?>] = [:]
      for step in 0..<400 {
        let key = "k\(Int.random(in: 0..<8, using: &random))"
        let text = "\(step)"
        let before = model[key] ?? [nil]
        let action = Int.random(in: 0..<4, using: &random)
        do {
          switch action {
          case 0:
            _ = try await store.client.putObject(key, body: ByteBuffer(string: text))
            model[key] = [text]
          case 1:
            _ = try await store.client.putObject(key, body: ByteBuffer(string: text), condition: .ifAbsent)
            #expect(before.contains(nil), "SEED=\(seed) step \(step)")
            model[key] = [text]
          case 2:
            try await store.client.deleteObject(key)
            model[key] = [nil]
          default:
            let object = try await store.client.getObject(key)
            let found = String(buffer: try await object.body.collect(upTo: 100))
            #expect(before.contains(found), "SEED=\(seed) step \(step)")
            model[key] = [found]
          }
        } catch let error as S3Error {
          if error.outcomeUnknown {
            model[key] = before.union([action == 2 ? nil : text])
          } else if error.isPreconditionFailed {
            model[key] = before.subtracting([nil])
          } else if action == 3 && error.isNotFound {
            #expect(before.contains(nil), "SEED=\(seed) step \(step)")
            model[key] = [nil]
          }
          #expect(model[key]?.isEmpty != true, "SEED=\(seed) step \(step): \(error)")
        }
      }
      // The store agrees with one of what each key may hold.
      store.fake.faults { $0.reset() }
      for (key, allowed) in model {
        let found = await ObjectTests.error { try await store.client.headObject(key) } == nil
        #expect(allowed.contains { ($0 != nil) == found }, "SEED=\(seed) \(key)")
      }
    }
  }
}
