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
        throw ValidationError("unknown option \(parts[0]): bashupload serve --help lists them")
      }
      guard !setting.isSecret else {
        throw ValidationError("\(setting.name) is a secret, and arguments are public: set it in the environment")
      }
      guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
        throw ValidationError("\(setting.flag) needs a value")
      }
      flags[setting] = value
    }
    return SettingTable.reader(flags)
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
