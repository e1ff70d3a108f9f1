import Testing

@testable import Gateway

@Suite struct ShardClockTests {
    @Test func aSimulatedClockStandsUntilItIsSet() {
        let clock = ShardClock(simulatedFrom: 5, wall: 1_000)
        #expect(clock.monotonic() == 5 && clock.wall() == 1_000)
        clock.advance(to: 12)
        #expect(clock.monotonic() == 12 && clock.wall() == 1_007)
    }

    @Test func elseItIsTheMachines() {
        let before = Clock.monotonic()
        let time = ShardClock().monotonic()
        #expect(before <= time && time <= Clock.monotonic())
    }

    @Test func itNeverGoesBack() async {
        await #expect(processExitsWith: .failure) {
            ShardClock(simulatedFrom: 5, wall: 0).advance(to: 4)
        }
    }
}
