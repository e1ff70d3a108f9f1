import Testing

@testable import Gateway

@Suite struct HealthProberTests {
    /// A model beside the Sidecar is found soon, one that stays away is not asked all the time.
    @Test(arguments: [(1, 10), (2, 20), (3, 40), (5, 160), (6, 200), (1_000_000, 200)])
    func `asks less often from failure to failure`(_ failures: Int, _ milliseconds: Int64) {
        #expect(HealthProber.eager(after: failures) == milliseconds * 1_000_000)
    }

    /// Asks nobody, and says what the test says.
    private final class FakeProbe: HealthProbe {
        weak var prober: HealthProber?
        let question = "ask"
        private(set) var asked = 0
        private(set) var givenUp = 0

        func ask() { asked += 1 }
        func giveUp() { givenUp += 1 }
    }

    private let readiness = Readiness(modelCount: 2)
    private let probes = [FakeProbe(), FakeProbe()]

    private func makeProber() -> HealthProber {
        HealthProber(
            probes.map { ($0, ReadinessLog(model: "m", url: "u", start: 0) { _, _ in }) },
            readiness: readiness
        )
    }

    @Test func `asks each model in whatever way it is called`() {
        let prober = makeProber()
        #expect(prober.nextDeadline == 0)
        prober.turn(Shard.Pass(now: Clock.monotonic(), isIdle: false))
        #expect(probes.map(\.asked) == [1, 1] && prober.nextDeadline > Clock.monotonic())
        prober.ended(probes[0], .ready)
        prober.ended(probes[1], .refused("it does not want to"))
        #expect(readiness.isReady(model: 0) && !readiness.isReady(model: 1))
        #expect(readiness.standing(model: 1).reason == "ask: it does not want to")
    }

    @Test func `gives up a question that takes too long, and asks again`() {
        let prober = makeProber()
        let now = Clock.monotonic()
        prober.turn(Shard.Pass(now: now, isIdle: false))
        prober.ended(probes[1], .ready)
        prober.turn(Shard.Pass(now: now + 2_000_000_000, isIdle: false))
        #expect(probes.map(\.givenUp) == [1, 0] && probes.map(\.asked) == [1, 1])
        #expect(readiness.standing(model: 0).reason == "ask: no answer within 2s")
        prober.turn(Shard.Pass(now: now + 2_010_000_000, isIdle: false))
        #expect(probes[0].asked == 2)
    }
}
