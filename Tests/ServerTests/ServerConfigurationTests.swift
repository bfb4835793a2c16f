import Configuration
import Server
import Testing
import UploadCore

struct ServerConfigurationTests {
  private func read(_ values: [String: String]) throws -> ServerConfiguration {
    try ServerConfiguration(reading: ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values)))
  }

  @Test func nothingSetIsTheStandard() throws {
    let configuration = try read([:])
    #expect(configuration.policy == UploadPolicy())
    #expect(configuration.port == 3000 && configuration.metricsPort == 9090)
    #expect(configuration.leaseSeconds == 60 && configuration.cleanupInterval == 300 && configuration.cleansUp)
  }

  /// What the table says is what the code does.
  @Test func standardsInTheTableAreReal() throws {
    var values: [String: String] = [:]
    for setting in Setting.all where !setting.standard.isEmpty { values[setting.name] = setting.standard }
    values["R2_REGION"] = nil
    let (explicit, implicit) = (try read(values), try read([:]))
    #expect(explicit.policy == implicit.policy)
    #expect(explicit.host == implicit.host && explicit.port == implicit.port)
    #expect(explicit.dataDirectory == implicit.dataDirectory)
    #expect(explicit.minimumFreeSpace == implicit.minimumFreeSpace && explicit.storageQuota == implicit.storageQuota)
    #expect(explicit.shutdownGrace == implicit.shutdownGrace && explicit.resumeSeconds == implicit.resumeSeconds)
    #expect(explicit.connection.headerTimeout == implicit.connection.headerTimeout)
    #expect(explicit.connection.idleTimeout == implicit.connection.idleTimeout)
    #expect(explicit.connection.minimumRate == implicit.connection.minimumRate)
    #expect(explicit.connection.maximumTargetLength == implicit.connection.maximumTargetLength)
    #expect(explicit.connection.maximumHeaderSize == implicit.connection.maximumHeaderSize)
    #expect(explicit.maximumConnections == implicit.maximumConnections)
    #expect(explicit.maximumRequestsPerClient == implicit.maximumRequestsPerClient)
  }

  @Test func namesOfBashuploadR2() throws {
    let configuration = try read([
      "MAX_UPLOAD_SIZE": "5368709120", "MAX_AGE": "7200", "MAX_AGE_FOR_MULTIDOWNLOAD": "90000",
      "ALLOW_LIFETIME_OVER_MAX_AGE": "true", "ENABLE_SHORT_URL": "true",
      "SHORT_URL_SERVICE": "https://example.com/short",
      "NO_CLEANUP": "true", "PORT": "8080", "PASSWORD": "secret",
    ])
    #expect(configuration.policy.maxUploadSize == ByteCount(5_368_709_120))
    #expect(configuration.policy.maxAge == 7200 && configuration.policy.maxAgeForMultidownload == 90_000)
    #expect(configuration.policy.allowLifetimeOverMaxAge && !configuration.cleansUp && configuration.port == 8080)
    #expect(configuration.shortURLService == "https://example.com/short")
    #expect(configuration.password?.matches("secret".utf8) == true)
    #expect(configuration.password?.matches("Secret".utf8) == false)
    #expect(configuration.password?.matches("".utf8) == false)
  }

  @Test func everyProblemAtOnceAndNoSecret() {
    do {
      _ = try read([
        "PORT": "70000", "MAX_AGE": "-1", "MAX_UPLOAD_SIZE": "huge", "TRUSTED_PROXIES": "10.0.0.0/40",
        "LOG_LEVEL": "loud",
        "TLS_CERT_FILE": "x", "ENABLE_SHORT_URL": "maybe", "PASSWORD": "hunter2", "PUBLIC_URL": "example.com",
      ])
      Issue.record("nothing was wrong")
    } catch {
      let text = "\(error)"
      for name in [
        "PORT", "MAX_AGE", "MAX_UPLOAD_SIZE", "TRUSTED_PROXIES", "LOG_LEVEL", "TLS_KEY_FILE", "ENABLE_SHORT_URL",
        "PUBLIC_URL",
      ] {
        #expect(text.contains("\(name): "), "\(name) is missing in \(text)")
      }
      #expect(!text.contains("hunter2"))
    }
  }

  @Test func emptyIsNotSet() throws {
    #expect(try read(["PASSWORD": "", "MAX_AGE": "", "SHORT_URL_SERVICE": ""]).password == nil)
  }

  @Test(arguments: [
    ("127.0.0.1", "127.0.0.1", true), ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
    ("10.0.0.0/9", "10.128.0.1", false), ("0.0.0.0/0", "1.2.3.4", true), ("2001:db8::/32", "2001:db8:1::1", true),
    ("2001:db8::/32", "2001:db9::1", false), ("10.0.0.0/8", "::ffff:10.0.0.1", true), ("::1", "127.0.0.1", false),
  ])
  func addressRanges(_ range: String, _ address: String, _ inside: Bool) throws {
    #expect(try #require(AddressRange(parsing: range)).contains(address) == inside)
  }

  @Test(arguments: ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/-1", "::1/129", "host", "10.0.0.0/", "10.0.0.0/8/8"])
  func badAddressRanges(_ text: String) {
    #expect(AddressRange(parsing: text) == nil)
  }
}
