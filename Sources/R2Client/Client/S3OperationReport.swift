/// One attempt of an operation, for metrics and for counting what it costs.
public struct S3OperationReport: Sendable, Hashable {
  /// What was asked.
  public var operation: S3Operation
  /// 1 for the first attempt of a call.
  public var attempt: Int
  /// HTTP status of the answer; nil when there was none.
  public var status: Int?
  /// What went wrong; nil on success.
  public var errorCode: S3Error.Code?
  /// Until the head of the answer, or the failure.
  public var duration: Duration

  /// What R2 charges for it. An attempt that got no answer may still have been charged.
  public var pricing: S3Operation.Pricing { operation.pricing }
}
