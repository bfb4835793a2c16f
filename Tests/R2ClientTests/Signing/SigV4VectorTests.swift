import R2Client
import Testing

/// The published examples of Signature Version 4.
struct SigV4VectorTests {
  /// docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
  static let s3 = SigV4Signer(
    credentials: S3Credentials(
      accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    region: "us-east-1")
  static let s3Time = S3Timestamp(secondsSince1970: 1_369_353_600)  // 2013-05-24
  static let s3Host = "examplebucket.s3.amazonaws.com"
  static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  private static func s3Request(
    _ method: String, _ path: String, query: [(String, String)] = [], headers: [(String, String)] = [],
    hash: String = emptyHash
  ) -> CanonicalRequest {
    CanonicalRequest(
      method: method, path: path, query: query.map { (name: $0.0, value: $0.1) },
      headers: ([("Host", s3Host), ("x-amz-date", "20130524T000000Z"), ("x-amz-content-sha256", hash)] + headers)
        .map { (name: $0.0, value: $0.1) }, payloadHash: hash)
  }

  private static func signature(_ request: CanonicalRequest) -> String {
    s3.authorization(of: request, at: s3Time).suffix(64).description
  }

  @Test func getObject() {
    let request = Self.s3Request("GET", "/test.txt", headers: [("Range", "bytes=0-9")])
    #expect(
      Self.s3.authorization(of: request, at: Self.s3Time)
        == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
  }

  @Test func putObject() {
    let request = Self.s3Request(
      "PUT", "/\(PercentEncoding.path("test$file.text"))",
      headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
      hash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
    #expect(Self.signature(request) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
  }

  @Test func getBucketLifecycle() {
    let request = Self.s3Request("GET", "/", query: [("lifecycle", "")])
    #expect(Self.signature(request) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
  }

  @Test func listObjects() {
    let request = Self.s3Request("GET", "/", query: [("prefix", "J"), ("max-keys", "2")])
    #expect(Self.signature(request) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
  }

  /// docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
  @Test func presignedURL() {
    let request = CanonicalRequest(
      method: "GET", path: "/test.txt", query: [], headers: [("host", Self.s3Host)],
      payloadHash: SigV4Signer.unsignedPayload)
    #expect(
      Self.s3.presignedQuery(of: request, at: Self.s3Time, seconds: 86400)
        == "X-Amz-Algorithm=AWS4-HMAC-SHA256"
        + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
  }

  /// Cases of the general test suite that do not depend on rules that S3 lacks (normalised paths, double encoding).
  @Test(arguments: [
    ("GET", [(String, String)](), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    (
      "GET", [("Param2", "value2"), ("Param1", "value1")],
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    ),
    ("POST", [], "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
  ])
  func suite(_ method: String, _ query: [(String, String)], _ signature: String) {
    let signer = SigV4Signer(
      credentials: S3Credentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
      region: "us-east-1", service: "service")
    let request = CanonicalRequest(
      method: method, path: "/", query: query.map { (name: $0.0, value: $0.1) },
      headers: [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")], payloadHash: Self.emptyHash)
    let time = S3Timestamp(secondsSince1970: 1_440_938_160)
    #expect(signer.authorization(of: request, at: time).hasSuffix("Signature=\(signature)"))
  }

  @Test func headersAreTrimmedJoinedAndInOrder() {
    let request = CanonicalRequest(
      method: "GET", path: "/", query: [], headers: [("B", "  a   b "), ("a", "2"), ("A", "1")], payloadHash: "h")
    #expect(request.text == "GET\n/\n\na:2,1\nb:a b\n\na;b\nh")
  }

  @Test func theKeyOfADayIsNotUsedOnAnother() {
    let request = Self.s3Request("GET", "/test.txt", headers: [("Range", "bytes=0-9")])
    let other = S3Timestamp(secondsSince1970: Self.s3Time.secondsSince1970 + 86400)
    let first = Self.signature(request)
    #expect(Self.s3.authorization(of: request, at: other).suffix(64) != first)
    #expect(Self.signature(request) == first)
  }

  @Test func secretsAreNotShown() {
    let credentials = S3Credentials(accessKeyID: "id", secretAccessKey: "secret")
    var dumped = ""
    dump(credentials, to: &dumped)
    #expect(!"\(credentials) \(String(reflecting: credentials)) \(dumped)".contains("secret\""))
    #expect(!"\(credentials) \(String(reflecting: credentials))".contains("secret"))
  }
}
