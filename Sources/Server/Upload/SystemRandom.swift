import Glibc

/// The system's generator, asked for 32 bytes at a time: the id and the token of an upload cost one system call.
/// (`SystemRandomNumberGenerator` makes one for every number.)
struct SystemRandom: RandomNumberGenerator {
  private var words = SIMD4<UInt64>()
  private var left = 0

  mutating func next() -> UInt64 {
    if left == 0 {
      guard getentropy(&words, MemoryLayout<SIMD4<UInt64>>.size) == 0 else {
        var system = SystemRandomNumberGenerator()
        return system.next()
      }
      left = words.scalarCount
    }
    left -= 1
    defer { words[left] = 0 }
    return words[left]
  }
}
