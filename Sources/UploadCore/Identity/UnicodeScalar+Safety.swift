extension Unicode.Scalar {
  /// C0, DEL and C1 controls and the separators that end a line.
  var isControlOrLineSeparator: Bool {
    switch value {
    case 0x00...0x1F, 0x7F...0x9F, 0x2028, 0x2029: true
    default: false
    }
  }

  /// Characters without width that change the direction of the text around them.
  var isBidirectionalControl: Bool {
    switch value {
    case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
