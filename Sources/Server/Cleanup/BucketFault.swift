import R2Client

/// An object of a batch that could not be deleted.
struct BucketFault: Error, CustomStringConvertible {
  let description: String

  init(_ failure: S3DeleteFailure) {
    description = "an object was not deleted: \(failure.code) \(failure.message)"
  }
}
