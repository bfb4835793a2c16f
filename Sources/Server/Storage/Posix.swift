import FoundationEssentials
import Glibc
import Synchronization
import UploadCore

/// The few system calls of the local store that have no Swift form, with errors instead of -1.
enum Posix {
  /// O_TMPFILE is a compound macro that Swift does not import (asm-generic/fcntl.h: __O_TMPFILE | O_DIRECTORY).
  private static let openTemporary: CInt = 0o20000000 | O_DIRECTORY
  private static let followSymlink: CInt = 0x400
  private static let emptyPath: CInt = 0x1000

  /// Repeats a call that a signal has interrupted, and turns -1 into an error.
  @discardableResult
  static func check<T: SignedInteger>(_ operation: String, _ call: () -> T) throws(StoreError) -> T {
    while true {
      let result = call()
      if result >= 0 { return result }
      let code = errno
      if code == EINTR { continue }
      if code == ENOSPC || code == EDQUOT { throw .full }
      throw .system(operation: operation, errno: code)
    }
  }

  static func open(_ path: String, _ flags: CInt, mode: mode_t = 0) throws(StoreError) -> CInt {
    try check("open") { Glibc.open(path, flags | O_CLOEXEC, mode) }
  }

  /// - Parameter path: from `directory`.
  /// - Returns: nil when there is no such file.
  static func openForReading(_ path: String, in directory: CInt) throws(StoreError) -> OpenFile? {
    let descriptor: CInt
    do {
      descriptor = try check("open") { openat(directory, path, O_RDONLY | O_CLOEXEC) }
    } catch .system(_, ENOENT) {
      return nil
    }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else {
      let code = errno
      close(descriptor)
      throw .system(operation: "fstat", errno: code)
    }
    return OpenFile(descriptor: descriptor, size: Int64(info.st_size))
  }

  /// A file without a name in this directory; it is gone with its last descriptor, whatever happens to us.
  static func openNameless(in directory: String) throws(StoreError) -> CInt {
    try open(directory, openTemporary | O_RDWR, mode: 0o600)
  }

  /// The same in a directory that is open.
  static func openNameless(in directory: CInt) throws(StoreError) -> CInt {
    try check("open") { openat(directory, ".", openTemporary | O_RDWR | O_CLOEXEC, 0o600) }
  }

  /// Gives a nameless file its name (open(2), O_TMPFILE).
  ///
  /// - Parameter path: from `directory`.
  static func link(_ descriptor: CInt, to path: String, in directory: CInt) throws(StoreError) {
    if linksDescriptors.load(ordering: .relaxed), try linkDescriptor(descriptor, to: path, in: directory) { return }
    try check("linkat") { linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", directory, path, followSymlink) }
    linksDescriptors.store(false, ordering: .relaxed)
  }

  /// Renames a file when nothing has the new name. Not atomic between processes: for file systems without hard links, in a
  /// folder where one process alone gives names.
  ///
  /// - Parameter path: from `directory`.
  static func renameIfAbsent(_ temporary: String, to path: String, in directory: CInt) throws(StoreError) {
    let failure: StoreError? = renaming.withLock { _ in
      do throws(StoreError) {
        var info = stat()
        if fstatat(directory, path, &info, AT_SYMLINK_NOFOLLOW) == 0 {
          return .system(operation: "rename", errno: EEXIST)
        }
        try check("rename") { renameat(AT_FDCWD, temporary, directory, path) }
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  /// One look and one rename at a time.
  private static let renaming = Mutex(())

  /// The short way, which does not look up a path in /proc: for everybody since Linux 6.10, before that for a process
  /// with CAP_DAC_READ_SEARCH; for others it finds nothing (ENOENT).
  private static func linkDescriptor(
    _ descriptor: CInt, to path: String, in directory: CInt
  ) throws(StoreError) -> Bool {
    do {
      try check("linkat") { linkat(descriptor, "", directory, path, emptyPath) }
      return true
    } catch .system(_, ENOENT) {
      return false
    }
  }

  /// Until it turns out that the short way is not allowed.
  private static let linksDescriptors = Atomic(true)

  /// Whether a directory is on tmpfs, by its device in /proc/self/mountinfo (proc(5)); false when that cannot be told.
  static func isInMemory(_ path: String) -> Bool {
    var info = stat()
    guard stat(path, &info) == 0, let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
    else { return false }
    // makedev(3), whose macros Swift does not import.
    let major = (info.st_dev >> 8) & 0xfff | (info.st_dev >> 32) & ~0xfff
    let minor = info.st_dev & 0xff | (info.st_dev >> 12) & ~0xff
    let device = "\(major):\(minor)"
    return mounts.split(separator: "\n").contains { line in
      let fields = line.split(separator: " ")
      let type = fields.drop { $0 != "-" }.dropFirst().first
      return fields.count > 2 && fields[2] == device && type == "tmpfs"
    }
  }

  static func makeDirectory(_ path: String) throws(StoreError) {
    do {
      try check("mkdir") { mkdir(path, 0o700) }
    } catch .system(_, EEXIST) {
      return
    }
  }

  static func syncDirectory(_ path: String) throws(StoreError) {
    let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    try check("fsync directory") { fsync(descriptor) }
  }

  /// - Returns: false when there was no such file.
  @discardableResult
  static func unlink(_ path: String) throws(StoreError) -> Bool {
    do {
      try check("unlink") { Glibc.unlink(path) }
      return true
    } catch .system(_, ENOENT) {
      return false
    }
  }

  static func writeAll(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(StoreError) {
    var done = 0
    while done < bytes.count {
      done += try check("pwrite") {
        pwrite(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset) + off_t(done))
      }
    }
  }

  /// The names in a directory, sorted, without "." and ".."; empty when it does not exist.
  static func names(in directory: String) throws(StoreError) -> [String] {
    guard let stream = opendir(directory) else {
      if errno == ENOENT { return [] }
      throw .system(operation: "opendir", errno: errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
