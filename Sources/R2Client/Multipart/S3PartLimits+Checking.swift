extension S3PartLimits {
  /// Which rule the parts of one upload break, in their order; nil when none.
  package func problem(_ parts: [S3CompletedPart]) -> (S3Error.Code, String)? {
    guard let first = parts.first, let last = parts.last else { return (.invalidPart, "there are no parts") }
    guard parts.count <= maximumCount else {
      return (.invalidArgument, "\(parts.count) parts; at most \(maximumCount) are allowed")
    }
    for (index, part) in parts.enumerated() where part.partNumber != index + 1 {
      return (.invalidPart, "part \(index + 1) is missing")
    }
    for part in parts.dropLast() {
      if part.size != first.size {
        return (
          .invalidPart,
          "part \(part.partNumber) has \(part.size) bytes, part 1 has \(first.size): all but the last must be equal"
        )
      }
      if part.size < minimumSize {
        return (
          .entityTooSmall, "part \(part.partNumber) has \(part.size) bytes; all but the last need \(minimumSize)"
        )
      }
    }
    if last.size > first.size {
      return (
        .invalidPart, "the last part has \(last.size) bytes; it must not be larger than the others (\(first.size))"
      )
    }
    return nil
  }
}
