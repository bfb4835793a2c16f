import FoundationEssentials
import NIOHTTP1

/// The password in a request: `Authorization: <password>` as bashupload-r2 takes it, or Basic (RFC 7617) with any user.
enum Credentials {
  static func allow(_ request: HTTPRequest, _ password: Password) -> Bool {
    guard let value = request.headers.first(name: "authorization") else { return false }
    // Both forms are always looked at, so that the time does not tell which one a guess came near to.
    let isPlain = password.matches(value.utf8)
    let isBasic = password.matches(basicPassword(value) ?? [])
    return isPlain || isBasic
  }

  private static func basicPassword(_ value: String) -> [UInt8]? {
    let parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "basic", let decoded = Data(base64Encoded: String(parts[1])),
      let colon = decoded.firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    return Array(decoded[(colon + 1)...])
  }
}
