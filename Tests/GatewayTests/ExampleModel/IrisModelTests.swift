import Testing

@testable import Gateway

@Suite struct IrisModelTests {
    /// What scikit-learn's `predict_proba` says with the full coefficients.
    private static let known: [(SIMD4<Double>, IrisModel.Species, SIMD3<Double>)] = [
        (SIMD4(5.1, 3.5, 1.4, 0.2), .setosa, SIMD3(0.981584, 0.018416, 0.000000)),
        (SIMD4(6.0, 2.7, 5.1, 1.6), .virginica, SIMD3(0.000450, 0.349706, 0.649845)),
        (SIMD4(6.3, 3.3, 6.0, 2.5), .virginica, SIMD3(0.000001, 0.003913, 0.996086)),
        (SIMD4(5.7, 2.8, 4.1, 1.3), .versicolor, SIMD3(0.019162, 0.936039, 0.044799)),
    ]

    @Test(arguments: known.indices)
    func agreesWithScikitLearn(index: Int) {
        let (features, species, probabilities) = Self.known[index]
        let answer = IrisModel().predict(features)
        #expect(answer.species == species)
        #expect(answer.score == answer.probabilities.max())
        for column in 0..<3 { #expect(abs(answer.probabilities[column] - probabilities[column]) < 1e-5) }
    }

    @Test func staysAProbabilityFarOutside() {
        for size in [-1e9, 0, 1e9] {
            let answer = IrisModel().predict(SIMD4(repeating: size))
            #expect(abs(answer.probabilities.sum() - 1) < 1e-12)
            #expect(answer.score >= 1.0 / 3)
        }
    }
}
