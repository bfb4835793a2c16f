/// The operations of S3 that the client speaks, by their own names.
public enum S3Operation: String, Sendable, Hashable, CaseIterable {
  case putObject = "PutObject"
  case getObject = "GetObject"
  case headObject = "HeadObject"
  case copyObject = "CopyObject"
  case deleteObject = "DeleteObject"
  case deleteObjects = "DeleteObjects"
  case listObjectsV2 = "ListObjectsV2"
  case headBucket = "HeadBucket"
  case createMultipartUpload = "CreateMultipartUpload"
  case uploadPart = "UploadPart"
  case completeMultipartUpload = "CompleteMultipartUpload"
  case abortMultipartUpload = "AbortMultipartUpload"
  case listMultipartUploads = "ListMultipartUploads"
  case listParts = "ListParts"

  /// R2's classes of operations (developers.cloudflare.com/r2/pricing).
  public enum Pricing: String, Sendable, Hashable, CaseIterable {
    case classA = "A"
    case classB = "B"
    case free
  }

  /// What R2 charges for one request.
  public var pricing: Pricing {
    switch self {
    case .putObject, .copyObject, .listObjectsV2, .createMultipartUpload, .uploadPart, .completeMultipartUpload,
      .listMultipartUploads, .listParts:
      .classA
    case .getObject, .headObject, .headBucket: .classB
    case .deleteObject, .deleteObjects, .abortMultipartUpload: .free
    }
  }

  /// Whether it changes what is stored, so that a lost answer leaves a question.
  public var isWrite: Bool {
    switch self {
    case .putObject, .copyObject, .deleteObject, .deleteObjects, .createMultipartUpload, .uploadPart,
      .completeMultipartUpload, .abortMultipartUpload:
      true
    case .getObject, .headObject, .headBucket, .listObjectsV2, .listMultipartUploads, .listParts: false
    }
  }
}
