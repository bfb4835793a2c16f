import R2Client
import Testing

struct XMLReaderTests {
  @Test func readsWhatStoresAnswer() throws {
    let node = try XMLReader.read(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <!-- note --><s3:List xmlns="http://s3.amazonaws.com/doc/2006-03-01/" a='>'>
        <Contents><Key>a&amp;b&lt;&#x20AC;&#10;</Key><Size>1</Size></Contents><Contents/><Empty></Empty >
      </s3:List>
      """.utf8)
    #expect(node.name == "List")
    #expect(node.all("Contents").count == 2)
    #expect(node["Contents"]?["Key"]?.text == "a&b<€\n")
    #expect(node["Empty"]?.text == "")
  }

  @Test(arguments: [
    "", "text", "<a>", "<a></b>", "<a><b></a></b>", "<a>&x;</a>", "<a>&#xD800;</a>", "<a></a><b></b>", "<a b='>",
    "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<1></1>", "<a>&amp</a>", "<html><br></html>",
    String(repeating: "<a>", count: 50) + String(repeating: "</a>", count: 50),
  ])
  func refusesEverythingElse(_ text: String) {
    #expect(throws: XMLReader.Malformed.self) { try XMLReader.read(text.utf8) }
  }

  @Test func whatIsWrittenIsRead() throws {
    let node = XMLNode("Delete", children: [XMLNode("Key", "a&b<c>\"d'\r\n\tü€")])
    #expect(try XMLReader.read(node.document.utf8) == node)
  }
}
