import Ops
import Testing

struct ValueTests {
  @Test(
    arguments: [
      ("90s", 90), ("5m", 300), ("24h", 86_400), ("7d", 604_800), ("1h30m", 5_400), ("0s", 0), ("", nil), ("5", nil),
      ("m", nil), ("5m1h", nil), ("1h1h", nil), ("-5m", nil), ("1.5h", nil), ("5 m", nil),
      ("9223372036854775807d", nil),
    ] as [(String, Int64?)])
  func durations(_ text: String, _ seconds: Int64?) {
    #expect(DurationText.seconds(text) == seconds)
  }

  @Test(
    arguments: [
      ("203.0.113.10", "203.0.113.10"), ("2001:db8::33", "2001:db8::33"), ("::", "::"), ("::1", "::1"),
      ("1::", "1::"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::ffff:1.2.3.4", "::ffff:102:304"),
      ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1.2.3", nil), ("1.2.3.256", nil), ("01.2.3.4", nil), ("1.2.3.4.5", nil),
      ("1:2:3:4:5:6:7", nil), ("1::2::3", nil), ("12345::", nil), (":", nil), ("g::", nil), ("1:2:3:4:5:6:7::8", nil),
    ] as [(String, String?)])
  func addresses(_ text: String, _ written: String?) {
    #expect(IPAddress(text)?.description == written)
  }

  @Test func networks() {
    #expect(IPAddress("198.51.100.77")?.network(24).description == "198.51.100.0")
    #expect(IPAddress("198.51.100.77")?.network(29).description == "198.51.100.72")
    #expect(IPAddress("2001:db8::ffff")?.network(120).description == "2001:db8::ff00")
    #expect(IPAddress("1.2.3.4")?.network(0).description == "0.0.0.0")
  }

  @Test func timesOfKubernetes() {
    #expect(KubernetesTime.seconds("1970-01-01T00:00:00Z") == 0)
    #expect(KubernetesTime.seconds("2026-11-22T12:00:00.123456Z") == 1_795_348_800)
    #expect(KubernetesTime.seconds("2024-02-29T23:59:59Z") == 1_709_251_199)
    #expect(KubernetesTime.seconds("yesterday") == nil)
    #expect(KubernetesTime.age("2026-11-22T11:00:00Z", now: 1_795_348_800) == "60m")
    #expect(KubernetesTime.age(nil, now: 0) == "-")
  }

  @Test func yamlKeepsTypes() throws {
    let text = "kind: A\nmetadata: {name: x}\na: '1'\nb: 1\nc: true\nd: \"true\"\ne: null\nf: 1.5\n---\nkind: B\n---\n"
    let objects = try YAMLObjects.parse(text)
    #expect(objects.map(\.kind) == ["A", "B"])
    #expect(
      objects.first?.value
        == [
          "kind": "A", "metadata": ["name": "x"], "a": "1", "b": 1, "c": true, "d": "true", "e": .null,
          "f": .number(1.5),
        ])
  }

  @Test func objectsOneAfterAnotherAreRead() throws {
    let text = "{\"kind\":\"A\",\"x\":\"}{\\\"\"}\n{\"kind\":\"List\",\"items\":[{\"kind\":\"B\"},{\"kind\":\"C\"}]}\n"
    #expect(try KubernetesObject.parse(json: text).map(\.kind) == ["A", "B", "C"])
    #expect(try KubernetesObject.parse(json: "").isEmpty)
  }

  @Test func fieldsAreComparedByName() {
    let before: JSONValue = [
      "c": [["name": "a", "image": "1"], ["name": "b", "image": "2"]], "n": [1, 2], "s": "x",
    ]
    let after: JSONValue = ["c": [["name": "z"], ["name": "b", "image": "3"]], "n": [1], "t": ["k": "v"]]
    #expect(
      FieldChange.between(before, after) == [
        FieldChange(path: "c[a]", before: "{image, name}", after: nil),
        FieldChange(path: "c[b].image", before: "2", after: "3"),
        FieldChange(path: "c[z]", before: nil, after: "{name}"),
        FieldChange(path: "n[1]", before: "2", after: nil),
        FieldChange(path: "s", before: "x", after: nil),
        FieldChange(path: "t", before: nil, after: "{k}"),
      ])
  }
}
