import FoundationEssentials
import NIOCore
import UploadCore

/// The bytes of a claim: one JSON object with sorted keys.
///
/// There is exactly one text for a claim, and everything else is refused: what cannot be understood must never pass for a
/// slot that is free.
package enum ClaimCodec {
  /// Of the format. A node that finds another one does not touch the claim.
  package static let version = 1
  /// Far above any claim.
  package static let maximumSize = 4096

  /// Why bytes are no claim.
  package enum Damage: Error, Hashable, CustomStringConvertible {
    case version(Int)
    case unreadable

    package var description: String {
      switch self {
      case .version(let version):
        "a claim is written in format \(version), this program knows format \(ClaimCodec.version): update it"
      case .unreadable: "a claim cannot be read: something else has written to its key"
      }
    }
  }

  private enum Phase: String, Codable {
    case free, leased, consumed
  }

  /// Numbers of 64 bits are hexadecimal text, because JSON's numbers are not that exact everywhere.
  private struct Body: Codable {
    var v: Int
    var mark: String
    var phase: Phase
    var nonce: String?
    var until: Int64?
    var sent: Int64?
    var consumedAt: Int64?
    var consumedBy: String?
    var client: String?
    var served: Int64
    var attempts: Int
  }

  private struct Version: Codable {
    var v: Int
  }

  package static func encode(_ claim: Claim) throws -> ByteBuffer {
    let slot = claim.slot
    var body = Body(
      v: version, mark: hex(claim.mark), phase: .free, client: slot.client.map(hex), served: slot.bytesServed,
      attempts: slot.attempts)
    switch slot.phase {
    case .free: break
    case .leased(let lease):
      body.phase = .leased
      body.nonce = hex(lease.nonce)
      body.until = lease.until.milliseconds
      body.sent = lease.bytesSent
    case .consumed(let at):
      body.phase = .consumed
      body.consumedAt = at.milliseconds
      body.consumedBy = slot.consumedBy.map(hex)
    }
    return try json(body)
  }

  /// - Parameter number: of the slot, which the key says.
  /// - Throws: `Damage` for anything but the exact bytes of `encode`.
  package static func decode(_ bytes: ByteBuffer, number: Int) throws -> Claim {
    let found = try parse(Version.self, bytes).v
    guard found == version else { throw Damage.version(found) }
    let body = try parse(Body.self, bytes)
    guard let mark = UInt64(body.mark, radix: 16), body.served >= 0, body.attempts >= 0 else {
      throw Damage.unreadable
    }
    let phase: SlotPhase
    switch body.phase {
    case .free: phase = .free
    case .leased:
      guard let nonce = body.nonce.flatMap({ UInt64($0, radix: 16) }), let until = body.until, let sent = body.sent
      else { throw Damage.unreadable }
      phase = .leased(Lease(nonce: nonce, until: Timestamp(milliseconds: until), bytesSent: sent))
    case .consumed:
      guard let at = body.consumedAt else { throw Damage.unreadable }
      phase = .consumed(at: Timestamp(milliseconds: at))
    }
    let slot = DownloadSlot(
      number: number, phase: phase, client: body.client.flatMap(unhex), bytesServed: body.served,
      attempts: body.attempts, consumedBy: body.consumedBy.flatMap { UInt64($0, radix: 16) })
    let claim = Claim(slot: slot, mark: mark)
    // Other spellings, unknown or doubled keys, what does not belong to the phase: all of it shows here.
    guard try encode(claim) == bytes else { throw Damage.unreadable }
    return claim
  }

  static func json(_ value: some Encodable) throws -> ByteBuffer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return ByteBuffer(bytes: try encoder.encode(value))
  }

  static func parse<Value: Decodable>(_ type: Value.Type, _ bytes: ByteBuffer) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes.readableBytesView))
    } catch {
      throw Damage.unreadable
    }
  }

  private static func hex(_ number: UInt64) -> String {
    String(number, radix: 16)
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func unhex(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(byte)
    }
    return bytes
  }
}
