import NIOCore
import R2Client
import Server
import TestKit
import Testing
import UploadCore

struct ClaimCodecTests {
  private static let lease = Lease(nonce: .max, until: LedgerCluster.start, bytesSent: 5)

  private static let slots = [
    DownloadSlot(unused: 1),
    DownloadSlot(number: 1, phase: .leased(lease), client: [0, 255, 16], bytesServed: .max, attempts: 10),
    DownloadSlot(
      number: 1, phase: .consumed(at: LedgerCluster.start), client: [], bytesServed: 1, attempts: 0, consumedBy: 1),
    DownloadSlot(
      number: 1, phase: .consumed(at: Timestamp(milliseconds: -1)), client: nil, bytesServed: 0, attempts: 0),
  ]

  @Test(arguments: slots) func comesBackAsItWas(slot: DownloadSlot) throws {
    let claim = Claim(slot: slot, mark: 0x0123_4567_89ab_cdef)
    let bytes = try ClaimCodec.encode(claim)
    #expect(try ClaimCodec.decode(bytes, number: 1) == claim)
  }

  @Test func theFormatStays() throws {
    let bytes = try ClaimCodec.encode(Claim(slot: Self.slots[1], mark: 255))
    #expect(
      String(buffer: bytes)
        == #"{"attempts":10,"client":"00ff10","mark":"ff","nonce":"ffffffffffffffff","phase":"leased","#
        + #""sent":5,"served":9223372036854775807,"until":1800000000000,"v":1}"#)
    #expect(String(buffer: try Tombstone.blocked.encoded()) == #"{"state":"blocked","v":1}"#)
  }

  @Test(arguments: [
    "", "{}", "null", "free", #"{"attempts":0,"mark":"1","phase":"free","served":0}"#,
    #"{"attempts":0,"mark":"1","phase":"free","served":0,"v":2}"#,
    #"{"attempts":0,"mark":"1","phase":"free","served":0,"v":1} "#,
    #"{"attempts":0,"extra":1,"mark":"1","phase":"free","served":0,"v":1}"#,
    #"{"attempts":0,"mark":"1","nonce":"1","phase":"free","served":0,"v":1}"#,
    #"{"attempts":0,"mark":"1","phase":"leased","served":0,"v":1}"#,
    #"{"attempts":0,"mark":"1","phase":"leased","nonce":"1","served":0,"v":1}"#,
    #"{"attempts":0,"mark":"1","phase":"consumed","served":0,"v":1}"#,
    #"{"attempts":0,"mark":"xyz","phase":"free","served":0,"v":1}"#,
    #"{"attempts":0,"client":"0","mark":"1","phase":"free","served":0,"v":1}"#,
    #"{"attempts":-1,"mark":"1","phase":"free","served":0,"v":1}"#,
    #"{"attempts":0,"mark":"1","phase":"unheard","served":0,"v":1}"#,
  ])
  func whatIsNoClaimIsRefused(text: String) throws {
    #expect(throws: ClaimCodec.Damage.self) { try ClaimCodec.decode(ByteBuffer(string: text), number: 1) }
    #expect(throws: ClaimCodec.Damage.self) { try Tombstone(decoding: ByteBuffer(string: text)) }
  }

  @Test func anyByteThatChangesIsSeen() throws {
    let bytes = try ClaimCodec.encode(Claim(slot: Self.slots[2], mark: 1))
    for index in 0..<bytes.readableBytes {
      for value in UInt8(0)...255 {
        var damaged = bytes
        damaged.setInteger(value, at: index)
        guard let claim = try? ClaimCodec.decode(damaged, number: 1) else { continue }
        #expect(try ClaimCodec.encode(claim) == damaged)
      }
    }
  }

  /// What is not understood is never taken for a free slot.
  @Test func foreignClaimIsAnErrorAndStays() async throws {
    try await LedgerCluster.with { cluster in
      for (text, word) in [("garbage", "cannot be read"), (#"{"v":7}"#, "format 7")] {
        let record = try LedgerCluster.upload(downloads: 1)
        let key = ClaimKey(record.id, slot: 1).description
        _ = try await cluster.clients[0].putObject(key, body: ByteBuffer(string: text))
        do {
          _ = try await cluster.ledgers[0].begin(
            record, LedgerCluster.whole(record, client: 1), now: LedgerCluster.start)
          Issue.record("a claim that cannot be read was ignored")
        } catch StoreError.unavailable(let reason, _) {
          #expect(reason.contains(word))
          #expect(!reason.contains("\(record.id)"))
        }
        let stored = try await cluster.clients[0].getObject(key).body.collect(upTo: 100)
        #expect(String(buffer: stored) == text)
      }
    }
  }

  @Test func otherObjectsBesideTheClaimsAreIgnored() async throws {
    try await LedgerCluster.with { cluster in
      let record = try LedgerCluster.upload(downloads: 3)
      for name in ["digest", "01", "-1", "1/x"] {
        _ = try await cluster.clients[0].putObject("c/\(record.id)/\(name)", body: ByteBuffer(string: "x"))
      }
      let decision = try await cluster.ledgers[0].begin(
        record, LedgerCluster.whole(record, client: 1), now: LedgerCluster.start)
      #expect(LedgerCluster.holder(record, decision)?.slot == 1)
    }
  }

  @Test func memoryIsBounded() throws {
    let memory = ClaimMemory(uploadCapacity: 100, claimCapacity: 300)
    let stored = { (number: Int) in
      StoredClaim(claim: Claim(slot: DownloadSlot(unused: number), mark: 1), eTag: S3ETag("x"))
    }
    var last: UploadID?
    for _ in 0..<1_000 {
      let id = try LedgerCluster.upload(downloads: 1).id
      for number in 1...5 { memory.remember(stored(number), of: id) }
      #expect(memory.uploadCount <= 60)
      last = id
    }
    #expect(memory.claims(try #require(last)).count == 5)
  }
}
