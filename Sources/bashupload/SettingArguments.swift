import ArgumentParser
import Configuration
import Server

/// The settings of `serve` as flags: `--max-age 60` or `--max-age=60` is `MAX_AGE=60`, and wins over the environment.
enum SettingArguments {
  static func reader(_ arguments: [String]) throws -> ConfigReader {
    var flags: [Setting: String] = [:]
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let setting = Setting.all.first(where: { $0.flag == parts[0] }) else {
        throw wrong("unknown option \(parts[0]): bashupload serve --help lists them")
      }
      guard !setting.isSecret else {
        throw wrong("\(setting.name) is a secret, and arguments are public: set it in the environment")
      }
      guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
        throw wrong("\(setting.flag) needs a value: bashupload serve --help says which")
      }
      flags[setting] = value
    }
    return SettingTable.reader(flags)
  }

  /// One line, without the usage of the whole program that a `ValidationError` brings.
  private static func wrong(_ text: String) -> ExitCode {
    CommandFailure.complain(text)
    return .validationFailure
  }

  /// Every problem at once, one line each.
  static func configuration(_ reader: ConfigReader) throws -> ServerConfiguration {
    do throws(ConfigurationProblems) {
      return try ServerConfiguration(reading: reader)
    } catch {
      CommandFailure.complain(error.description)
      throw ExitCode(1)
    }
  }

  /// For `--help`.
  static var manual: String {
    "Settings come from the environment, or as flags (secrets only from the environment):\n\n"
      + Setting.all.map { setting in
        let names = setting.isSecret ? setting.name : "\(setting.name), \(setting.flag)"
        return "  \(names)\(setting.standard.isEmpty ? "" : " (\(setting.standard))")\n      \(setting.help)"
      }.joined(separator: "\n")
  }
}
