// swift-tools-version: 6.2
import PackageDescription

/// One strictness for every target: Swift 6, warnings are errors.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// The two libraries that others may use show nothing of what they import.
let library = strict + [.enableUpcomingFeature("InternalImportsByDefault")]

/// The Swift runtime inside of the executable: it runs where no Swift is, and its calls are direct (a tenth less processor
/// time per small upload). Only linked so, because `--static-swift-stdlib` would compile everything a second time for the tests.
let staticRuntime: [LinkerSetting] =
  [
    .unsafeFlags(["-static-stdlib"], .when(platforms: [.linux]))
  ]
  + ["CoreFoundation", "_FoundationICU", "_FoundationCShims", "_FoundationCollections"].map {
    .linkedLibrary($0, .when(platforms: [.linux]))
  }

let package = Package(
  name: "bashupload",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "bashupload", targets: ["bashupload"]),
    .library(name: "UploadCore", targets: ["UploadCore"]),
    .library(name: "R2Client", targets: ["R2Client"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
  ],
  targets: [
    .target(name: "UploadCore", swiftSettings: library),
    .target(
      name: "R2Client",
      dependencies: [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
      ],
      swiftSettings: library),
    .target(
      name: "Server",
      dependencies: [
        "UploadCore", "R2Client",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: strict),
    .target(
      name: "Ops",
      dependencies: [
        "UploadCore",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "bashupload",
      dependencies: [
        "Server", "Ops",
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict, linkerSettings: staticRuntime),

    // What the tests of several modules share: contract suites, stores that fail on demand, seeded randomness.
    .target(
      name: "TestKit",
      dependencies: [
        "UploadCore", "R2Client", "Server",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      path: "Tests/Support",
      exclude: ["FakeS3"],
      swiftSettings: strict
    ),
    // R2 in memory, with its own rules and with faults on demand; in process for unit tests, `fake-s3` for the others.
    .target(
      name: "FakeS3",
      dependencies: [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      path: "Tests/Support/FakeS3",
      swiftSettings: strict
    ),
    .executableTarget(name: "fake-s3", dependencies: ["FakeS3"], path: "Tests/FakeS3Server", swiftSettings: strict),
    .testTarget(name: "ArchitectureTests", swiftSettings: strict),
    .testTarget(name: "UploadCoreTests", dependencies: ["UploadCore"], swiftSettings: strict),
    .testTarget(
      name: "R2ClientTests",
      dependencies: [
        "R2Client", "FakeS3", "TestKit",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "ServerTests",
      dependencies: [
        "Server", "R2Client", "TestKit", "FakeS3",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Configuration", package: "swift-configuration"),
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "OpsTests",
      dependencies: ["Ops", "UploadCore", .product(name: "Yams", package: "Yams")],
      exclude: ["Fixtures", "Golden"],
      swiftSettings: strict),
    // What Ops writes is what Server reads: the one place that knows both.
    .testTarget(
      name: "DriftTests",
      dependencies: ["Ops", "Server", "UploadCore", .product(name: "Configuration", package: "swift-configuration")],
      swiftSettings: strict),
  ]
)
