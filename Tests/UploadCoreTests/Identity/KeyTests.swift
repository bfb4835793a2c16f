import Testing
import UploadCore

@Suite struct KeyTests {
  static let text = "1icput0123456789"

  @Test func `object keys`() throws {
    let id = try #require(UploadID(Self.text))
    #expect(ObjectKey(id).description == "u/1icput0123456789")
    #expect(ObjectKey(parsing: "u/1icput0123456789") == ObjectKey(id))
  }

  @Test(arguments: [
    "", "u", "u/", "1icput0123456789", "/u/1icput0123456789", "u/1icput0123456789/", "u/1icput0123456789.txt",
    "u//1icput0123456789", "U/1icput0123456789", "c/1icput0123456789", "u/1icput012345678", "abc123.txt",
    "u/\u{301}1icput0123456789",
  ])
  func `no object keys`(key: String) {
    #expect(ObjectKey(parsing: key) == nil)
  }

  @Test(arguments: [0, 1, 9, 10, 1_000, Int.max])
  func `claim keys`(slot: Int) throws {
    let id = try #require(UploadID(Self.text))
    let key = ClaimKey(id, slot: slot)
    #expect(key.description == "c/1icput0123456789/\(slot)")
    #expect(ClaimKey(parsing: key.description) == key)
    #expect(ClaimKey(parsing: key.description)?.slot == slot)
  }

  @Test func `the tombstone is number 0`() throws {
    let id = try #require(UploadID(Self.text))
    #expect(ClaimKey(id, slot: ClaimKey.tombstone).description == "c/1icput0123456789/0")
  }

  @Test(arguments: [
    "", "c", "c/", "c//", "c/1", "c/1icput0123456789", "c/1icput0123456789/", "c/1icput0123456789/-1",
    "c/1icput0123456789/+1", "c/1icput0123456789/01", "c/1icput0123456789/00", "c/1icput0123456789/1/",
    "c/1icput0123456789/1 ", "c/1icput0123456789/٣", "c/1icput0123456789/9223372036854775808",
    "u/1icput0123456789/1", "c/legacy/abc123.txt/1", "c/1icput012345678/1", "/c/1icput0123456789/1",
    "c/1icput0123456789/1\u{301}",
  ])
  func `no claim keys`(key: String) {
    #expect(ClaimKey(parsing: key) == nil)
  }
}
