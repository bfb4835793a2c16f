import Glibc

/// How the C library's allocator treats large blocks, such as parts.
enum LargeBlocks {
  /// `M_TRIM_THRESHOLD` and `M_MMAP_THRESHOLD` of malloc.h, which Swift's Glibc module leaves out (as it does `mallopt`).
  private static let trimThreshold: CInt = -1
  private static let mapThreshold: CInt = -3

  /// Gives the memory of a block back to the system when it is freed.
  ///
  /// By itself glibc raises its threshold for that to the largest block that was ever freed: from then on parts lie in its
  /// arenas, one per thread, with holes that stay resident (20 MiB of 48). Where there is no such knob nothing happens.
  static func returnToSystem() {
    typealias Setter = @convention(c) (_ parameter: CInt, _ value: CInt) -> CInt
    guard let symbol = dlsym(nil, "mallopt") else { return }
    let mallopt = unsafeBitCast(symbol, to: Setter.self)
    _ = mallopt(mapThreshold, 256 << 10)
    // Setting the one ends the automatic choice of the other, whose fixed value would mean a system call for every
    // buffer of a connection.
    _ = mallopt(trimThreshold, 2 << 20)
  }
}
