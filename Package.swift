// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "ameron-sidecar",
    products: [
        .library(name: "Gateway", targets: ["Gateway"]),
        .executable(name: "ameron-sidecar", targets: ["ameron-sidecar"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        // The C libraries. Only Sources/Gateway/Wrappers imports them.
        .systemLibrary(
            name: "CMicroHTTPD",
            pkgConfig: "libmicrohttpd",
            providers: [.apt(["libmicrohttpd-dev"])]
        ),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        // Only a header: no library is linked.
        .systemLibrary(name: "CXXHash", providers: [.apt(["libxxhash-dev"])]),
        .target(name: "CLinux"),
        // Defines recv(2), so that the reader of requests is the Sidecar's own (docs/decisions/0012-request-reader.md).
        .target(name: "CReceiveTap"),
        // simdjson is C++: this target gives it a C face.
        .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),

        .target(
            name: "Gateway",
            dependencies: [
                "CMicroHTTPD", "CCurl", "CKafka", "CYAML", "CXXHash", "CLinux", "CReceiveTap", "CSimdJSON",
                .product(name: "Logging", package: "swift-log"),
            ],
            resources: [
                .embedInCode("Observability/openapi.json"),
                .embedInCode("Configuration/reference.md"),
                .embedInCode("Page/page.html"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "ameron-sidecar",
            dependencies: [
                "Gateway",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Sidecar",
            swiftSettings: swiftSettings,
            // In place of glibc's malloc: 6 % of the time of a request that is reported to Kafka. Sanitizers bring their own.
            linkerSettings: [.linkedLibrary("mimalloc", .when(configuration: .release))]
        ),

        .testTarget(name: "GatewayTests", dependencies: ["Gateway", "TestSupport"], swiftSettings: swiftSettings),
        .target(
            name: "TestSupport",
            dependencies: ["CLinux"],
            path: "Tests/TestSupport",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["Gateway", "TestSupport", "ameron-sidecar"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "FaultTests",
            dependencies: ["Gateway", "TestSupport", "ameron-sidecar"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BudgetTests",
            dependencies: ["Gateway", "TestSupport", "ameron-sidecar"],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "TidyTests", swiftSettings: swiftSettings),
    ],
    cxxLanguageStandard: .cxx17
)
