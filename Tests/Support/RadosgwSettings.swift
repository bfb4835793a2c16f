import Foundation
import R2Client

/// The real S3 server of the tests, which Tests/s3-server-rgw starts.
package enum RadosgwSettings {
  struct Missing: Error, CustomStringConvertible {
    var description: String
  }

  /// Where it is and who may use it, from the environment.
  package static func read() throws -> (R2Configuration, S3Credentials) {
    let environment = ProcessInfo.processInfo.environment
    func value(_ name: String) throws -> String {
      guard let value = environment[name], !value.isEmpty else {
        throw Missing(description: "\(name) is not set: run `make test-unit`, or begin with Tests/s3-server-rgw run")
      }
      return value
    }
    return (
      R2Configuration(
        endpoint: try value("S3_ENDPOINT"), region: try value("S3_REGION"), bucket: try value("S3_BUCKET"),
        writeETags: .unquoted),
      S3Credentials(accessKeyID: try value("S3_ACCESS_KEY_ID"), secretAccessKey: try value("S3_SECRET_ACCESS_KEY"))
    )
  }
}
