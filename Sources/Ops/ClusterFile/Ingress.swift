/// How requests come in on an edge.
package struct Ingress: Sendable {
  /// Who ends TLS.
  package enum TLS: String, Sendable { case nginx, direct }

  package var tls: TLS
  /// Path to text, in the order of the file.
  package var staticFiles: [(key: String, value: String)]
}
