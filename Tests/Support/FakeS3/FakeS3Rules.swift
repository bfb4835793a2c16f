/// What the fake enforces: R2's own rules, where other S3 servers are looser. Tests make numbers smaller.
package struct FakeS3Rules: Sendable {
  /// Of every part but the last, in bytes.
  package var minimumPartSize = 5 << 20
  /// Of the names and values of user metadata together, in bytes.
  package var metadataLimit = 8192
  /// Between two writes of one key; sooner is answered 429. Nil allows any rate.
  package var writeInterval: Duration? = .seconds(1)
  /// Of clocks, in seconds.
  package var clockTolerance = 900
  /// The only key that may sign.
  package var accessKeyID = "fake-access-key"
  package var secretAccessKey = "fake-secret-key"
  package var region = "auto"
  package var bucket = "test"

  package init() {}
}
