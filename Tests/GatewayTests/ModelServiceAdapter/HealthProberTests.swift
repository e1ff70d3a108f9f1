import Testing

@testable import Gateway

@Suite struct HealthProberTests {
    /// A model beside the Sidecar is found soon, one that stays away is not asked all the time.
    @Test(arguments: [(1, 10), (2, 20), (3, 40), (5, 160), (6, 200), (1_000_000, 200)])
    func `asks less often from failure to failure`(_ failures: Int, _ milliseconds: Int64) {
        #expect(HealthProber.eager(after: failures) == milliseconds * 1_000_000)
    }
}
