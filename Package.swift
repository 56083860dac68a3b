// swift-tools-version: 6.2
import PackageDescription

/// What the C library and the compiler check at run time in C and C++. Swift code has both checks anyway.
let hardenedC = ["-D_FORTIFY_SOURCE=3", "-fstack-protector-strong"]

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    // Small functions of the lower modules are called for each check by the upper ones: they are worth inlining there.
    // Exclusive access is checked at run time in debug builds, in which every test runs. In a release the checks are 3,400
    // of 74,000 instructions of a check (callgrind, one connection).
    .unsafeFlags(["-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    // A section for each function, so that the linker can place the functions of a check next to each other.
    .unsafeFlags(["-Xfrontend", "-function-sections"], .when(configuration: .release)),
    // Checks of lengths and of the stack in the inline C functions of the shims. The first ones need an optimizing compiler.
    .unsafeFlags(hardenedC.flatMap { ["-Xcc", $0] } + ["-Xcc", "-O2"], .when(configuration: .release)),
]

// Every address of a library is looked up at the start, and the table of them is read-only from then on (full RELRO).
let hardened: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "-z", "-Xlinker", "relro", "-Xlinker", "-z", "-Xlinker", "now"])
]

// A check starts with cold caches, so its functions are next to each other in the order of their calls: on 77 pages instead
// of 237. `Benchmarks/link-order` writes the list, and docs/decisions/0017-link-order.md has the figures.
// Without a build ID, which would depend on the folder of the build.
let ordered: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-use-ld=lld", "-Xlinker", "--no-warn-symbol-ordering", "-Xlinker", "--build-id=none", "-Xlinker",
            "--symbol-ordering-file=\(Context.packageDirectory)/Sources/connectd/link-order.txt",
        ], .when(configuration: .release))
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
                "AccessPolicy", "Blackbox", "CAres", "CheckEngine", "CheckModel", "CLinux", "CMicrohttpd",
                "Configuration", "ConnectAPI", "COpenSSL", "Diagnosis", "Dialog", "DNS", "ErrorCatalogue", "Fleet",
                "HTTPServer", "NATSClient", "NetworkTypes", "Reachability", "SocketIO", "StrictJSON", "TLS",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["link-order.txt"], swiftSettings: strict, linkerSettings: hardened + ordered),
        .target(
            name: "Blackbox",
            dependencies: [
                "CheckEngine", "CheckModel", "Configuration", "ConnectAPI", "ErrorCatalogue", "HTTPServer", "Metrics",
                "NetworkTypes", "SocketIO", "TLS",
            ],
            swiftSettings: strict),
        .target(
            name: "Fleet",
            dependencies: [
                "CheckEngine", "CheckModel", "Configuration", "ConnectAPI", "ErrorCatalogue", "HTTPServer", "Metrics",
                "NATSClient", "NetworkTypes", "SocketIO", "StrictJSON",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .target(
            name: "NATSClient", dependencies: ["CLinux", "CNATS", "NetworkTypes", "SocketIO"], swiftSettings: strict),
        .target(
            name: "ConnectAPI",
            dependencies: [
                "AccessPolicy", "CheckEngine", "CheckModel", "CLinux", "Configuration", "COpenSSL", "CSpecification",
                "Diagnosis", "Dialog", "ErrorCatalogue", "HTTPServer", "Metrics", "NetworkTypes", "SocketIO",
                "StrictJSON", "TLS", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .target(
            name: "Configuration",
            dependencies: [
                "AccessPolicy", "CheckModel", "CLinux", "COpenSSL", "CYAML", "Dialog", "NetworkTypes", "StrictJSON",
                "SocketIO", "TLS",
            ],
            swiftSettings: strict),
        .target(
            name: "Reachability",
            dependencies: ["CheckModel", "Configuration", "ErrorCatalogue", "NetworkTypes", "StrictJSON"],
            swiftSettings: strict),
        .target(
            name: "HTTPServer",
            dependencies: ["CLinux", "CMicrohttpd", "NetworkTypes", "SocketIO", "TLS"], swiftSettings: strict),
        .target(
            name: "CheckEngine",
            dependencies: [
                "AccessPolicy", "CheckModel", "CLinux", "Diagnosis", "Dialog", "DNS", "ErrorCatalogue", "NetworkTypes",
                "Presets", "SocketIO", "STARTTLS", "TLS",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),
        .target(
            name: "Dialog",
            dependencies: ["CheckModel", "CLinux", "CPCRE2", "CRE2", "ErrorCatalogue", "NetworkTypes", "SocketIO"],
            swiftSettings: strict),
        .target(
            name: "DNS",
            dependencies: ["CAres", "CheckModel", "CLinux", "ErrorCatalogue", "NetworkTypes", "SocketIO"],
            swiftSettings: strict),
        .target(name: "Metrics", dependencies: ["CheckModel", "ErrorCatalogue", "SocketIO"], swiftSettings: strict),
        .target(
            name: "TLS",
            dependencies: [
                "CheckModel", "CLinux", "COpenSSL", "ErrorCatalogue", "NetworkTypes", "SocketIO", "STARTTLS",
            ],
            swiftSettings: strict),
        .target(name: "Presets", dependencies: ["CheckModel", "NetworkTypes"], swiftSettings: strict),
        .target(name: "STARTTLS", dependencies: ["CheckModel", "NetworkTypes"], swiftSettings: strict),
        .target(name: "SocketIO", dependencies: ["CLinux", "NetworkTypes"], swiftSettings: strict),
        .target(name: "StrictJSON", swiftSettings: strict),
        .target(
            name: "Diagnosis", dependencies: ["CheckModel", "ErrorCatalogue", "NetworkTypes"], swiftSettings: strict),
        .target(name: "CheckModel", dependencies: ["ErrorCatalogue", "NetworkTypes"], swiftSettings: strict),
        .target(name: "AccessPolicy", dependencies: ["NetworkTypes"], swiftSettings: strict),
        .target(name: "ErrorCatalogue", dependencies: ["NetworkTypes"], swiftSettings: strict),
        .target(name: "NetworkTypes", dependencies: ["CIdn2"], swiftSettings: strict),

        .target(name: "CSpecification"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(
            name: "CMicrohttpd", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libssl libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(name: "CIdn2", pkgConfig: "libidn2", providers: [.apt(["libidn2-dev"])]),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        // Not a systemLibrary: Swift cannot import C++ headers here, and SwiftPM warns about `-pthread` in re2.pc.
        .target(
            name: "CRE2",
            cxxSettings: [
                .unsafeFlags(["-Wall", "-Wextra"]),
                .unsafeFlags(hardenedC + ["-D_GLIBCXX_ASSERTIONS"], .when(configuration: .release)),
            ],
            linkerSettings: [.linkedLibrary("re2")]),
        // Only the header is needed for the build: the library is loaded when a fleet is configured.
        .target(
            name: "CNATS",
            cSettings: [
                .unsafeFlags(["-Wall", "-Wextra"]),
                .unsafeFlags(hardenedC, .when(configuration: .release)),
            ]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        // What the tests of several modules need.
        .target(
            name: "TestSupport", dependencies: ["CLinux", "NetworkTypes"], path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(
            name: "NetworkTypesTests", dependencies: ["NetworkTypes", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ErrorCatalogueTests", dependencies: ["ErrorCatalogue", "NetworkTypes"],
            swiftSettings: strict),
        .testTarget(
            name: "AccessPolicyTests", dependencies: ["AccessPolicy", "NetworkTypes"],
            swiftSettings: strict),
        .testTarget(
            name: "CheckModelTests",
            dependencies: ["CheckModel", "ErrorCatalogue", "NetworkTypes"],
            swiftSettings: strict),
        .testTarget(
            name: "DiagnosisTests", dependencies: ["Diagnosis", "CheckModel", "ErrorCatalogue", "NetworkTypes"],
            swiftSettings: strict),
        .testTarget(name: "StrictJSONTests", dependencies: ["StrictJSON", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SocketIOTests", dependencies: ["SocketIO", "NetworkTypes", "CLinux", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "DNSTests",
            dependencies: ["DNS", "SocketIO", "CheckModel", "ErrorCatalogue", "NetworkTypes", "CLinux", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "MetricsTests", dependencies: ["CheckModel", "ErrorCatalogue", "Metrics"], swiftSettings: strict),
        .testTarget(
            name: "STARTTLSTests", dependencies: ["STARTTLS", "CheckModel", "NetworkTypes", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "PresetsTests", dependencies: ["Presets", "CheckModel", "NetworkTypes"], swiftSettings: strict),
        .testTarget(
            name: "TLSTests",
            dependencies: [
                "TLS", "STARTTLS", "SocketIO", "CheckModel", "ErrorCatalogue", "NetworkTypes", "CLinux", "COpenSSL",
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DialogTests",
            dependencies: ["Dialog", "CheckModel", "ErrorCatalogue", "NetworkTypes", "SocketIO", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CheckEngineTests",
            dependencies: [
                "CheckEngine", "AccessPolicy", "Dialog", "SocketIO", "CheckModel", "ErrorCatalogue", "NetworkTypes",
                "TLS", "DNS", "CLinux", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HTTPServerTests",
            dependencies: ["HTTPServer", "SocketIO", "NetworkTypes", "CLinux", "COpenSSL", "TLS"],
            swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests",
            dependencies: ["Configuration", "AccessPolicy", "CheckModel", "NetworkTypes", "StrictJSON"],
            swiftSettings: strict),
        .testTarget(
            name: "ConnectAPITests",
            dependencies: [
                "ConnectAPI", "AccessPolicy", "CheckEngine", "CheckModel", "Configuration", "ErrorCatalogue",
                "HTTPServer", "NetworkTypes", "SocketIO", "StrictJSON", "TLS",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ReachabilityTests",
            dependencies: [
                "Reachability", "CheckModel", "Configuration", "ErrorCatalogue", "NetworkTypes", "StrictJSON",
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "BlackboxTests",
            dependencies: [
                "Blackbox", "CheckEngine", "CheckModel", "Configuration", "Dialog", "ErrorCatalogue", "Metrics",
                "NetworkTypes",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FleetTests",
            dependencies: [
                "Fleet", "CheckEngine", "CheckModel", "ConnectAPI", "ErrorCatalogue", "NATSClient", "NetworkTypes",
                "SocketIO", "StrictJSON",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "NATSClientTests", dependencies: ["NATSClient", "NetworkTypes", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ConnectdTests",
            dependencies: [
                "connectd", "CheckEngine", "CheckModel", "Diagnosis", "ConnectAPI", "ErrorCatalogue", "Fleet",
                "NetworkTypes",
                "StrictJSON",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
    ]
)

// The fuzzers are linked with libFuzzer without its main function. `Fuzz/run` says where it is.
if let library = Context.environment["CONNECTD_FUZZ"] {
    package.targets.append(
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "AccessPolicy", "CheckEngine", "CheckModel", "Configuration", "ConnectAPI", "COpenSSL", "Dialog", "DNS",
                "HTTPServer", "NetworkTypes", "Presets", "Reachability", "STARTTLS", "StrictJSON", "TLS",
            ],
            path: "Fuzz/Sources", swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-use-ld=lld", "-Xlinker", library]), .linkedLibrary("stdc++")]))
}
