// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    // Small functions of the lower modules are called for each check by the upper ones: they are worth inlining there.
    // Exclusive access is checked at run time in debug builds, in which every test runs: in a release it would be 3 % of
    // what a check costs.
    .unsafeFlags(["-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    // The C library's checks of lengths, in the inline functions of the shims; they need an optimizing compiler.
    .unsafeFlags(["-Xcc", "-D_FORTIFY_SOURCE=2", "-Xcc", "-O2"], .when(configuration: .release)),
]

// Every address of a library is looked up at the start, and the table of them is read-only from then on (full RELRO).
let hardened: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "-z", "-Xlinker", "relro", "-Xlinker", "-z", "-Xlinker", "now"])
]

let package = Package(
    name: "connectd",
    products: [
        .executable(name: "connectd", targets: ["connectd"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "connectd",
            dependencies: [
                "CheckEngine", "CheckModel", "CLinux", "CMicrohttpd", "COpenSSL", "CAres", "Configuration",
                "ConnectAPI",
                "DNS", "HTTPServer",
                "SocketIO", "StrictJSON", "TLSClient", "TLSServer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict, linkerSettings: hardened),
        .target(
            name: "ConnectAPI",
            dependencies: [
                "CheckEngine", "CheckModel", "COpenSSL", "CSpecification", "Configuration", "HTTPServer", "Metrics",
                "SocketIO", "StrictJSON", "TLSClient",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .target(
            name: "Configuration",
            dependencies: [
                "CheckEngine", "CheckModel", "CLinux", "CYAML", "StrictJSON", "SocketIO", "TLSClient", "TLSServer",
            ],
            swiftSettings: strict),
        .target(
            name: "HTTPServer",
            dependencies: ["CheckModel", "CLinux", "CMicrohttpd", "SocketIO", "TLSServer"], swiftSettings: strict),
        .target(
            name: "CheckEngine",
            dependencies: [
                "CheckModel", "CLinux", "CPCRE2", "CRE2", "DNS", "SocketIO", "TLSClient",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),
        .target(name: "DNS", dependencies: ["CAres", "CheckModel", "CLinux", "SocketIO"], swiftSettings: strict),
        .target(name: "Metrics", dependencies: ["CheckModel", "SocketIO"], swiftSettings: strict),
        .target(
            name: "TLSClient", dependencies: ["CheckModel", "CLinux", "COpenSSL", "SocketIO"], swiftSettings: strict),
        .target(name: "TLSServer", dependencies: ["COpenSSL", "TLSClient"], swiftSettings: strict),
        .target(name: "SocketIO", dependencies: ["CheckModel", "CLinux"], swiftSettings: strict),
        .target(name: "StrictJSON", swiftSettings: strict),
        .target(name: "CheckModel", swiftSettings: strict),

        .target(name: "CSpecification"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(
            name: "CMicrohttpd", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libssl libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        // Not a systemLibrary: Swift cannot import C++ headers here, and SwiftPM warns about `-pthread` in re2.pc.
        .target(
            name: "CRE2", cxxSettings: [.unsafeFlags(["-Wall", "-Wextra"])], linkerSettings: [.linkedLibrary("re2")]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        // What the tests of several modules need.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "CheckModelTests", dependencies: ["CheckModel", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "StrictJSONTests", dependencies: ["StrictJSON", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SocketIOTests", dependencies: ["SocketIO", "CheckModel", "CLinux", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "DNSTests", dependencies: ["DNS", "SocketIO", "CheckModel", "CLinux"], swiftSettings: strict),
        .testTarget(name: "MetricsTests", dependencies: ["CheckModel", "Metrics"], swiftSettings: strict),
        .testTarget(
            name: "TLSClientTests", dependencies: ["TLSClient", "SocketIO", "CheckModel", "CLinux", "COpenSSL"],
            swiftSettings: strict),
        .testTarget(
            name: "CheckEngineTests", dependencies: ["CheckEngine", "SocketIO", "CheckModel", "CLinux"],
            swiftSettings: strict),
        .testTarget(
            name: "HTTPServerTests",
            dependencies: ["HTTPServer", "SocketIO", "CheckModel", "CLinux", "COpenSSL", "TLSClient", "TLSServer"],
            swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["Configuration", "CheckModel", "StrictJSON"],
            swiftSettings: strict),
        .testTarget(
            name: "ConnectAPITests",
            dependencies: [
                "ConnectAPI", "CheckEngine", "CheckModel", "Configuration", "HTTPServer", "Metrics", "SocketIO",
                "StrictJSON", "TLSClient",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ConnectdTests", dependencies: ["connectd", "CheckEngine", "CheckModel"], swiftSettings: strict),
    ]
)
