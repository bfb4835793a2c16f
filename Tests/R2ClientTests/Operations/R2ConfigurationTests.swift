import R2Client
import Testing

struct R2ConfigurationTests {
  static let account = "0123456789abcdef0123456789abcdef"

  @Test(arguments: [
    (R2Configuration.Jurisdiction.default, "https://\(account).r2.cloudflarestorage.com"),
    (.eu, "https://\(account).eu.r2.cloudflarestorage.com"),
    (.fedramp, "https://\(account).fedramp.r2.cloudflarestorage.com"),
  ])
  func endpointOfAJurisdiction(_ jurisdiction: R2Configuration.Jurisdiction, _ endpoint: String) {
    let configuration = R2Configuration(accountID: Self.account, jurisdiction: jurisdiction, bucket: "b")
    #expect(configuration?.endpoint == endpoint)
    #expect(configuration?.region == "auto")
    #expect(configuration?.isR2 == true)
  }

  @Test(arguments: [
    "", "0123", "evil.example.com/0123456789abcdef", "0123456789abcdef0123456789abcdeg",
    "٠123456789abcdef0123456789abcde",
  ])
  func accountIDBecomesAHostNameAndIsChecked(_ accountID: String) {
    #expect(R2Configuration(accountID: accountID, bucket: "b") == nil)
  }

  @Test func otherServiceKeepsItsEndpoint() {
    let other = R2Configuration(endpoint: "http://127.0.0.1:7480/", region: "r", bucket: "b")
    #expect(other.endpoint == "http://127.0.0.1:7480")
    #expect(!other.isR2)
  }
}
