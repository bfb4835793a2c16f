import Testing
import UploadCore

struct SmokeTests {
  @Test func idCarriesItsExpiry() throws {
    var random = SystemRandomNumberGenerator()
    let id = try #require(UploadID(expiresAt: Timestamp(seconds: 1_800_000_000), using: &random))
    #expect(UploadID(id.description)?.expiresAt == Timestamp(seconds: 1_800_000_000))
  }
}
