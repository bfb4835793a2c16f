import Glibc

/// Does once what publishing an upload does: create, write, sync, name, sync the folder, read back, remove. What a file
/// system lacks is found at the start and by `/readyz`, not by the first upload.
struct PublicationProof {
  private let root: String
  /// `u`, open.
  private let uploads: CInt
  /// In `u`; nobody takes it for an upload or a folder of them.
  private let name: String

  /// - Parameter number: of this proof in this process: several may run at the same time.
  init(_ root: String, _ uploads: CInt, number: Int) {
    self.root = root
    self.uploads = uploads
    name = ".check-\(getpid())-\(number)"
  }

  func run(_ naming: LocalBlobStore.Naming) throws(StoreError) {
    let temporary = naming == .nameless ? nil : root + "/tmp/" + name
    // What a killed process of the same number has left.
    if let temporary { try Posix.unlink(temporary) }
    try Posix.unlink(root + "/u/" + name)
    let descriptor: CInt =
      if let temporary {
        try Posix.open(temporary, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
      } else {
        try Posix.openNameless(in: uploads)
      }
    defer { close(descriptor) }
    do {
      try publish(descriptor, temporary, naming)
      try Posix.unlink(root + "/u/" + name)
    } catch {
      if let temporary { _ = try? Posix.unlink(temporary) }
      _ = try? Posix.unlink(root + "/u/" + name)
      throw error
    }
  }

  private func publish(_ descriptor: CInt, _ temporary: String?, _ naming: LocalBlobStore.Naming) throws(StoreError) {
    if temporary != nil { try Posix.check("flock") { flock(descriptor, LOCK_EX | LOCK_NB) } }
    try Posix.check("write") { pwrite(descriptor, "ok", 2, 0) }
    try Posix.check("fsync") { fsync(descriptor) }
    try LocalBlobStore.link(descriptor, temporary, to: name, uploads, naming)
    try Posix.check("fsync directory") { fsync(uploads) }
    guard let file = try Posix.openForReading(name, in: uploads), file.size == 2 else {
      throw .system(operation: "read back", errno: EIO)
    }
  }
}
