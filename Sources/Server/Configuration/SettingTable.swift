import Configuration

/// The settings as a table: where they come from, and what they are.
package enum SettingTable {
  /// Flags first, then the environment.
  package static func reader(_ flags: [Setting: String]) -> ConfigReader {
    var values: [AbsoluteConfigKey: ConfigValue] = [:]
    for (setting, value) in flags {
      values[AbsoluteConfigKey(setting.key.components)] = ConfigValue(.string(value), isSecret: setting.isSecret)
    }
    return ConfigReader(providers: [InMemoryProvider(name: "flags", values: values), EnvironmentVariablesProvider()])
  }

  /// `NAME=value` lines, secrets as stars.
  package static func inForce(_ reader: ConfigReader) -> String {
    Setting.all.map { setting in
      let value = SettingReader(reader).text(setting)
      return "\(setting.name)=\(setting.isSecret ? (value == nil ? "" : "********") : value ?? setting.standard)\n"
    }.joined()
  }
}

extension Setting {
  /// `MAX_AGE` is `max.age`, which the environment provider writes `MAX_AGE` again.
  var key: ConfigKey { ConfigKey(name.lowercased().split(separator: "_").map(String.init)) }
}
