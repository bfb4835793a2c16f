/// How long a pod has from the word that it has to end.
enum PodGrace {
  /// What the tree itself is written for.
  static let standard = 120

  /// preStop (10 s), SHUTDOWN_GRACE, and 20 s to spare.
  static func seconds(_ grace: Int) -> Int { 10 + grace + 20 }
}
