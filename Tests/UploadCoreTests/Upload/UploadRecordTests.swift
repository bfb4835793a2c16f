import Testing
import UploadCore

@Suite struct UploadRecordTests {
  @Test(arguments: [(nil, false, false), (1, true, true), (2, false, true)] as [(Int?, Bool, Bool)])
  func `counted and one-time`(downloads: Int?, isOneTime: Bool, isCounted: Bool) {
    let record = UploadRecord(
      id: makeID(), name: nil, contentType: "text/plain", size: 3, sha256: Array(0..<32), createdAt: noon,
      maxDownloads: downloads.map(limit), deleteTokenHash: [])
    #expect(record.isOneTime == isOneTime)
    #expect(record.isCounted == isCounted)
    #expect(record.expiresAt == noon)
  }

  @Test func `states have the names of the interface`() {
    let names = UploadState.allCases.map(\.rawValue)
    #expect(names == ["available", "leased", "consumed", "expired", "deleted", "blocked"])
  }
}
