/// What `--help` prints.
package enum DeployHelp {
  package static var overview: String {
    func rows(_ verbs: [DeployVerb]) -> String {
      verbs.map { "  \($0.rawValue)\(String(repeating: " ", count: 12 - $0.rawValue.count))\($0.summary)\n" }.joined()
    }
    let verbs = DeployVerb.allCases
    return """
      Puts the service on public servers and keeps it right, from one cluster file.

      bashupload deploy VERB [--file bashupload.yaml]

      \(rows(verbs.filter { !$0.isNotManagedYet }))
      Not part of this version:
      \(rows(verbs.filter(\.isNotManagedYet)))
      bashupload deploy VERB --help explains a verb; bashupload deploy explain --list lists keys and topics.

      """
  }

  package static func page(_ verb: DeployVerb) -> String {
    let operand = verb.operand.map { verb == .drain || verb == .undrain ? " \($0.name)" : " [\($0.name)]" } ?? ""
    var text = "\(verb.summary.prefix(1).uppercased())\(verb.summary.dropFirst()).\n\n"
    text += "bashupload deploy \(verb.rawValue)\(operand) [options]\n\n"
    if let operand = verb.operand { text += row(operand.name, operand.help) }
    for option in verb.options {
      text += row(option.name + (option.value.map { " \($0)" } ?? ""), option.help)
    }
    return text
  }

  private static func row(_ name: String, _ help: String) -> String {
    "  \(name)\(String(repeating: " ", count: max(2, 20 - name.count)))\(help)\n"
  }
}
