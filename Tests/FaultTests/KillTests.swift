import Foundation
import TestSupport
import Testing

@testable import Gateway

/// The Sidecar dies, again and again, and nothing that anybody was told is lost.
///
/// `make test-faults` runs 20 rounds; without AMERON_KILL_ROUNDS there are a few.
@Suite struct KillTests {
    private static let rounds = ProcessInfo.processInfo.environment["AMERON_KILL_ROUNDS"].flatMap(Int.init) ?? 2

    @Test(.timeLimit(.minutes(30))) func losesNothing() throws {
        let world = try KafkaWorld()
        let model = try SidecarProcess(arguments: ["example-model", "--port", "0"])
        let directory = TemporaryDirectory()
        let configuration = FaultConfiguration(
            world: world,
            modelURL: "http://127.0.0.1:\(model.port)/predict/iris",
            spoolPath: directory.file("spool")
        )
        var sidecar = try configuration.start(in: directory)
        let rest = RESTLoad(port: sidecar.port, perSecond: 400)
        let kafka = RequestLoad(world.bootstrap, perSecond: 200)
        for _ in 0..<Self.rounds {
            // A random moment of the work on both sides.
            let answered = rest.count + Int.random(in: 50...400)
            let replied = world.replies.count + Int.random(in: 1...300)
            #expect(eventually(within: 60) { rest.count >= answered && world.replies.count >= replied })
            sidecar.send(signal: SIGKILL)
            rest.setPort(nil)
            #expect(sidecar.waitForExit() == .signal(SIGKILL))
            try Accounts.expectCommittedAreAnswered(world, kafka)
            sidecar = try configuration.start(in: directory)
            rest.setPort(sidecar.port)
        }
        let last = rest.count
        #expect(eventually { rest.count > last })
        try rest.stop()
        try kafka.stop()
        Accounts.settle(world, rest: rest, kafka: kafka, "\(Self.rounds) kills")
        #expect(sidecar.stop() == .code(0))
        try Accounts.expectCommittedAreAnswered(world, kafka)
        // What everybody has is not kept.
        #expect(try directory.spooledBytes("spool") == 0)
    }
}

extension TemporaryDirectory {
    /// The bytes of all segments of a spool.
    func spooledBytes(_ name: String) throws -> Int {
        guard let files = FileManager.default.enumerator(atPath: file(name)) else { return 0 }
        return try files.compactMap { $0 as? String }.filter { $0.hasSuffix(".events") }.reduce(0) { sum, segment in
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(file(name))/\(segment)")
            return sum + ((attributes[.size] as? Int) ?? 0)
        }
    }
}
