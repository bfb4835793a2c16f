/// How requests come in on an edge.
package struct Ingress: Sendable {
  /// Who ends TLS.
  package enum TLS: String, Sendable { case nginx, direct }

  package var tls: TLS
  /// Path to text, in the order of the file.
  package var staticFiles: [(key: String, value: String)]
  /// What all of them may have: they are in one ConfigMap with the configuration of nginx, of at most 1 MiB, and every
  /// generation keeps a copy.
  package static let staticFilesLimit = 128 << 10
  /// The bytes of all of them, paths included.
  package var staticFilesSize: Int {
    staticFiles.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
  }
}
