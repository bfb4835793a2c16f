import R2Client

/// Objects of a batch that could not be deleted.
struct BucketFault: Error, CustomStringConvertible {
  let description: String

  init(_ first: S3DeleteFailure, of count: Int) {
    description = "\(count) objects were not deleted: \(first.code) \(first.message)"
  }
}
