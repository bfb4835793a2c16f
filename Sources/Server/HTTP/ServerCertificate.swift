import Glibc
import Logging
import NIOSSL
import ServiceLifecycle
import Synchronization

/// The certificate and key of `TLS_CERT_FILE` and `TLS_KEY_FILE`, read again when the files change, as they do when
/// Kubernetes renews a Secret (it swaps the `..data` symlink). Connections that are open keep theirs.
package final class ServerCertificate: Service {
  private let certificateFile: String
  private let keyFile: String
  private let logger: Logger
  private let loaded: Mutex<(context: NIOSSLContext, stamp: Stamp)>

  /// What tells that a file has changed: a renewed Secret has new inodes, an edited file a new time.
  private struct Stamp: Equatable {
    var values: [Int]

    init(_ paths: [String]) {
      values = paths.flatMap { path -> [Int] in
        var info = stat()
        guard stat(path, &info) == 0 else { return [] }
        return [Int(info.st_ino), Int(info.st_mtim.tv_sec), Int(info.st_mtim.tv_nsec), Int(info.st_size)]
      }
    }
  }

  /// - Throws: `NIOSSLError` or `IOError` when the files cannot be read or do not fit together.
  package init(certificateFile: String, keyFile: String, logger: Logger) throws {
    self.certificateFile = certificateFile
    self.keyFile = keyFile
    self.logger = logger
    let stamp = Stamp([certificateFile, keyFile])
    loaded = Mutex((try Self.load(certificateFile, keyFile), stamp))
  }

  var context: NIOSSLContext { loaded.withLock { $0.context } }

  package func run() async throws {
    for await _ in AsyncTimer(every: .seconds(5)).cancelOnGracefulShutdown() {
      let stamp = Stamp([certificateFile, keyFile])
      guard stamp != loaded.withLock({ $0.stamp }) else { continue }
      do {
        let context = try Self.load(certificateFile, keyFile)
        loaded.withLock { $0 = (context, stamp) }
        logger.info("certificate reloaded")
      } catch {
        // Half-written files: keep the certificate that works, try again at the next tick.
        logger.error("certificate not reloaded, the old one stays", metadata: ["error": "\(error)"])
      }
    }
  }

  private static func load(_ certificateFile: String, _ keyFile: String) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMFile(certificateFile).map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem)))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["http/1.1"]
    return try NIOSSLContext(configuration: configuration)
  }
}
