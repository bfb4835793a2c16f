import Foundation
import R2Client
import TestKit
import Testing

struct PercentEncodingTests {
  @Test(arguments: [
    ("a/b", "a%2Fb", "a/b"), ("ü €", "%C3%BC%20%E2%82%AC", "%C3%BC%20%E2%82%AC"), ("-._~", "-._~", "-._~"),
    ("a+b*(c)'!", "a%2Bb%2A%28c%29%27%21", "a%2Bb%2A%28c%29%27%21"), ("%41", "%2541", "%2541"), ("", "", ""),
    ("//./..", "%2F%2F.%2F..", "//./.."),
  ])
  func examples(_ text: String, _ component: String, _ path: String) {
    #expect(PercentEncoding.component(text) == component)
    #expect(PercentEncoding.path(text) == path)
  }

  @Test(arguments: ["%", "%4", "%G0", "%FF", "a%C3"])
  func whatIsNoEncodedTextIsRefused(_ text: String) {
    #expect(PercentEncoding.decode(text) == nil)
  }

  /// For any text: only unreserved characters and capital digits remain, and decoding gives the text back.
  @Test func anyTextRoundTrips() {
    let seed = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    for _ in 0..<2000 {
      let length = Int.random(in: 0...20, using: &random)
      var text = ""
      for _ in 0..<length {
        let code = UInt32.random(in: 0...0x2FFF, using: &random)
        if let scalar = Unicode.Scalar(code) { text.unicodeScalars.append(scalar) }
      }
      let encoded = PercentEncoding.component(text)
      #expect(
        PercentEncoding.decode(encoded)?.unicodeScalars.elementsEqual(text.unicodeScalars) == true, "SEED=\(seed)")
      #expect(encoded.wholeMatch(of: /(?:[A-Za-z0-9._~\-]|%[0-9A-F]{2})*/) != nil, "SEED=\(seed) \(encoded)")
      #expect(PercentEncoding.path(text).replacing("/", with: "%2F") == encoded, "SEED=\(seed)")
    }
  }
}
