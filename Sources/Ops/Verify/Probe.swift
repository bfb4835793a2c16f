/// A request to one edge by its own address, whatever the DNS says, with the right name in TLS.
struct Probe: Sendable {
  /// What came back.
  struct Answer: Sendable {
    var status: Int
    var body: String
  }

  /// It did not come to an answer.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  let runner: any CommandRunner
  let domain: String
  /// Certificates of the staging issuer are trusted by nobody.
  let isInsecure: Bool
  /// Goes by standard input: arguments are public.
  let password: String?

  func put(_ text: String, name: String, at address: IPAddress) async throws(Failure) -> Answer {
    try await request(
      ["--request", "PUT", "--header", "Accept: text/uri-list", "--data-binary", text],
      "https://\(domain)/\(name)", at: address)
  }

  func get(_ url: String, at address: IPAddress) async throws(Failure) -> Answer {
    try await request([], url, at: address)
  }

  private func request(_ more: [String], _ url: String, at address: IPAddress) async throws(Failure) -> Answer {
    var arguments = ["--silent", "--show-error", "--connect-timeout", "15", "--max-time", "60", "--config", "-"]
    let host = address.bits == 128 ? "[\(address)]" : "\(address)"
    arguments += ["--resolve", "\(domain):443:\(host)", "--write-out", "\n%{http_code}"]
    if isInsecure { arguments.append("--insecure") }
    let secret = password.map { "header = \"Authorization: \(Self.quoted($0))\"\n" } ?? ""
    let result: CommandResult
    do {
      result = try await runner.run(Invocation("curl", arguments + more + [url], input: secret, deadline: 90))
    } catch {
      throw Failure(description: "\(error)")
    }
    guard result.status == 0 else {
      let reason = result.complaint.split(separator: "\n").first.map(String.init) ?? "curl ended with \(result.status)"
      throw Failure(description: reason)
    }
    var lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
    let status = lines.popLast().flatMap { Int($0) } ?? 0
    return Answer(status: status, body: lines.joined(separator: "\n"))
  }

  private static func quoted(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
  }
}
