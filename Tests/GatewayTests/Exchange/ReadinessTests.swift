import TestSupport
import Testing

@testable import Gateway

@Suite struct ReadinessTests {
    @Test func `at first no model is ready, and says why`() {
        let readiness = Readiness(modelCount: 2)
        #expect(!readiness.isReady && !readiness.isDraining)
        for model in 0..<2 {
            #expect(!readiness.isReady(model: model))
            #expect(readiness.standing(model: model).reason == "it was not asked yet")
            #expect(!readiness.standing(model: model).isReady)
            #expect(readiness.isAskingCalls(model: model))
        }
    }

    @Test func `all models must be ready, and no end be near`() {
        let readiness = Readiness(modelCount: 3)
        for model in 0..<3 {
            #expect(!readiness.isReady)
            readiness.set(model: model, ready: true)
        }
        #expect(readiness.isReady)
        readiness.set(model: 1, ready: false, reason: "no")
        #expect(!readiness.isReady && readiness.isReady(model: 0) && !readiness.isReady(model: 1))
        readiness.set(model: 1, ready: true)
        readiness.startDraining()
        #expect(!readiness.isReady && readiness.isDraining)
        // A model's own readiness is not the Sidecar's.
        #expect(readiness.isReady(model: 1))
    }

    /// Since when: since it changed, and not since it was looked at.
    @Test func `the time is that of the change`() throws {
        let readiness = Readiness(modelCount: 1)
        readiness.set(model: 0, ready: true)
        let up = readiness.standing(model: 0)
        #expect(up.isReady && up.reason == nil)
        // So that a new time would be another one.
        #expect(eventually { Clock.wall() != up.since })
        readiness.set(model: 0, ready: true, reason: "not told")
        #expect(readiness.standing(model: 0) == up)
        readiness.set(model: 0, ready: false, reason: "first")
        let down = readiness.standing(model: 0)
        #expect(!down.isReady && down.reason == "first" && down.since != up.since)
        #expect(eventually { Clock.wall() != down.since })
        readiness.set(model: 0, ready: false, reason: "second")
        #expect(readiness.standing(model: 0) == .init(isReady: false, since: down.since, reason: "second"))
    }

    /// A Prediction makes ready once, where calls are asked; afterwards only what looks after health has a say.
    @Test(arguments: 0..<20) func `a Prediction tells of a model that is asked for by calls`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let readiness = Readiness(modelCount: 3)
        var reference = [(isReady: Bool, asks: Bool, reason: String?)](
            repeating: (false, true, "it was not asked yet"),
            count: 3
        )
        for step in 0..<500 {
            let model = random.below(3)
            switch random.below(4) {
            case 0:
                readiness.gavePrediction(model: model)
                if reference[model].asks { reference[model] = (true, false, nil) }
            case 1:
                let asks = random.chance(50)
                readiness.askCalls(model: model, asks)
                reference[model].asks = asks
            default:
                let ready = random.chance(50)
                readiness.set(model: model, ready: ready, reason: "reason \(step)")
                reference[model] = (ready, reference[model].asks, ready ? nil : "reason \(step)")
            }
            for (model, wanted) in reference.enumerated() {
                let standing = readiness.standing(model: model)
                #expect(standing.isReady == wanted.isReady && standing.reason == wanted.reason, "seed \(seed)")
                #expect(readiness.isReady(model: model) == wanted.isReady, "seed \(seed), step \(step)")
                #expect(readiness.isAskingCalls(model: model) == wanted.asks, "seed \(seed), step \(step)")
            }
            #expect(readiness.isReady == reference.allSatisfy(\.isReady), "seed \(seed), step \(step)")
        }
    }
}
