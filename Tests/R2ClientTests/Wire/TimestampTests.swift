import R2Client
import Testing

struct TimestampTests {
  @Test(arguments: [
    (0, "19700101T000000Z"), (951_782_399, "20000228T235959Z"), (951_782_400, "20000229T000000Z"),
    (1_369_353_600, "20130524T000000Z"), (4_107_542_399, "21000228T235959Z"), (4_107_542_400, "21000301T000000Z"),
  ])
  func basicText(_ seconds: Int64, _ text: String) {
    #expect(S3Timestamp(secondsSince1970: seconds).basicText == text)
  }

  @Test func headersAndListings() {
    let time = S3Timestamp(secondsSince1970: 951_782_400)
    #expect(S3Timestamp(httpDate: "Tue, 29 Feb 2000 00:00:00 GMT") == time)
    #expect(S3Timestamp(rfc3339: "2000-02-29T00:00:00.123Z") == time)
    #expect(S3Timestamp(rfc3339: "2000-02-29T00:00:00Z") == time)
  }

  @Test(arguments: ["", "Tue, 29 Feb 2000 00:00:00", "Tue, 29 Foo 2000 00:00:00 GMT", "Tue, 29 Feb 2000 25:00:00 GMT"])
  func otherTextIsNoDate(_ text: String) {
    #expect(S3Timestamp(httpDate: text) == nil)
    #expect(S3Timestamp(rfc3339: text) == nil)
  }
}
