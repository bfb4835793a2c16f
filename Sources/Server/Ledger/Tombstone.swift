import FoundationEssentials
import NIOCore

/// What `c/<id>/0` says of an upload that is gone before its time.
package enum Tombstone: String, Sendable, CaseIterable, Codable {
  /// By its owner.
  case deleted
  /// By the operator.
  case blocked
}

extension Tombstone {
  private struct Body: Codable {
    var state: Tombstone
    var v: Int
  }

  /// One line of JSON.
  package func encoded() throws -> ByteBuffer {
    try ClaimCodec.json(Body(state: self, v: ClaimCodec.version))
  }

  /// - Throws: `ClaimCodec.Damage` for anything but the exact bytes of `encoded`.
  package init(decoding bytes: ByteBuffer) throws {
    let body = try ClaimCodec.parse(Body.self, bytes)
    guard body.v == ClaimCodec.version else { throw ClaimCodec.Damage.version(body.v) }
    self = body.state
    guard try encoded() == bytes else { throw ClaimCodec.Damage.unreadable }
  }
}
