// The fake store as a process of its own: prints its settings as KEY=value lines, ends with SIGTERM.
//
//   fake-s3 [--port N] [--admin-port N] [--faults SEED] [--fault-rate R] [--min-part-size BYTES] [--write-interval SECONDS]
//
// A write interval of 0 allows any rate of writes to a key. What the admin port understands: FakeS3+Admin.swift.
import FakeS3
import Foundation

/// The values of `--name value` pairs.
func options(_ arguments: [String], allowed: Set<String>) throws -> [String: String] {
  var values: [String: String] = [:]
  var rest = arguments[...]
  while let name = rest.popFirst() {
    guard allowed.contains(name), let value = rest.popFirst(), Double(value) != nil else {
      throw CocoaError(
        .keyValueValidation, userInfo: [NSLocalizedDescriptionKey: "unknown option or bad number: \(name)"])
    }
    values[name] = value
  }
  return values
}

let values: [String: String]
do {
  values = try options(
    Array(CommandLine.arguments.dropFirst()),
    allowed: ["--port", "--admin-port", "--faults", "--fault-rate", "--min-part-size", "--write-interval"])
} catch {
  FileHandle.standardError.write(Data("fake-s3: \(error.localizedDescription)\n".utf8))
  exit(2)
}

var rules = FakeS3Rules()
if let size = values["--min-part-size"].flatMap({ Int($0) }) { rules.minimumPartSize = size }
if let seconds = values["--write-interval"].flatMap({ Double($0) }) {
  rules.writeInterval = seconds > 0 ? .seconds(seconds) : nil
}
let fake = try await FakeS3.start(rules, port: values["--port"].flatMap { Int($0) } ?? 0)
let adminPort = try await fake.startAdmin(port: values["--admin-port"].flatMap { Int($0) } ?? 0)
if let seed = values["--faults"].flatMap({ UInt64($0) }) {
  fake.faults { $0.failAtRandom(seed: seed, rate: values["--fault-rate"].flatMap { Double($0) } ?? 0.05) }
}
let settings = """
  S3_ENDPOINT=\(fake.endpoint)
  S3_REGION=\(rules.region)
  S3_ACCESS_KEY_ID=\(rules.accessKeyID)
  S3_SECRET_ACCESS_KEY=\(rules.secretAccessKey)
  S3_BUCKET=\(rules.bucket)
  S3_ADMIN=http://127.0.0.1:\(adminPort)

  """
FileHandle.standardOutput.write(Data(settings.utf8))
try await Task.sleep(for: .seconds(86400))
