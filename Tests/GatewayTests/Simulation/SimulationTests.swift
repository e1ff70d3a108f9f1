import Foundation
import TestSupport
import Testing

@testable import Gateway

/// A thousand shards that never were, each with another seed (`AMERON_SIMULATION_SEEDS` for more or fewer).
///
/// One that fails is had again with `AMERON_SIMULATION_SEED=<seed> swift test --filter SimulationTests`.
@Suite(.serialized) struct SimulationTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let single = environment["AMERON_SIMULATION_SEED"].flatMap { UInt64($0) }
    private static let count = environment["AMERON_SIMULATION_SEEDS"].flatMap { UInt64($0) } ?? 1_000
    private static let maxFailures = 5

    @Test func everySeedKeepsWhatIsPromised() throws {
        let texts = Simulation.Texts()
        let seeds = Self.single.map { $0..<$0 + 1 } ?? 0..<Self.count
        var failures = 0
        try CrashNotice.whileInstalled {
            for seed in seeds where failures < Self.maxFailures {
                CrashNotice.seed = seed
                let simulation = try Simulation(seed: seed, texts)
                simulation.run()
                guard let first = simulation.findings.first else { continue }
                failures += 1
                Issue.record(
                    """
                    seed \(seed): \(first)
                    AMERON_SIMULATION_SEED=\(seed) swift test --filter SimulationTests
                    \(simulation.setup)
                    \(simulation.findings.dropFirst().joined(separator: "\n"))
                    """
                )
            }
        }
    }

    /// Else a seed that has failed would be of no use.
    @Test func aSeedComesToTheSameEachTime() throws {
        let texts = Simulation.Texts()
        var fingerprints: Set<UInt64> = []
        for seed in 0..<20 as Range<UInt64> {
            let runs = try (0..<2).map { _ in
                let simulation = try Simulation(seed: seed, texts)
                simulation.run()
                return simulation.fingerprint
            }
            #expect(runs[0] == runs[1], "seed \(seed)")
            fingerprints.insert(runs[0])
        }
        #expect(fingerprints.count == 20)
    }
}

/// Says which seed it was that brought the process down: by then there is nobody else to say it.
private enum CrashNotice {
    private static let signals = [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT]

    // Written by the one test that runs seeds, read by the signal handler of the same thread.
    nonisolated(unsafe) static var seed: UInt64 = 0
    // As `seed`. A sanitizer's handlers may be among them.
    nonisolated(unsafe) private static var handlers: [Int32: __sighandler_t] = [:]

    static func whileInstalled(_ body: () throws -> Void) rethrows {
        for number in signals {
            handlers[number] = signal(number) { number in
                CrashNotice.write()
                // The crash goes its way.
                signal(number, CrashNotice.handlers[number] ?? SIG_DFL)
                raise(number)
            }
        }
        defer { for number in signals { signal(number, handlers[number] ?? SIG_DFL) } }
        try body()
    }

    private static func write() {
        let text = "\nthe simulation crashed: AMERON_SIMULATION_SEED=\(seed) swift test --filter SimulationTests\n"
        // What is left of the process is enough for that, or nothing is lost.
        FileHandle.standardError.write(Data(text.utf8))
    }
}
