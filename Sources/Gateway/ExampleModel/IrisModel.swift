/// Which iris a flower is: multinomial logistic regression over sepal length and width, petal length and width, in cm.
struct IrisModel {
    static let version: StaticString = "1"

    enum Species: Int, CaseIterable {
        case setosa, versicolor, virginica

        var label: StaticString {
            switch self {
            case .setosa: "setosa"
            case .versicolor: "versicolor"
            case .virginica: "virginica"
            }
        }
    }

    struct Answer {
        var species: Species
        /// In the order of `Species`; together 1.
        var probabilities: SIMD3<Double>

        var score: Double { probabilities[species.rawValue] }
    }

    // `LogisticRegression(max_iter=10000, tol=1e-8)` of scikit-learn 1.9.1, fitted to all 150 rows of `load_iris()` (Fisher
    // 1936), of which it gets 146 right: `coef_` row by row, and `intercept_`.
    private static let setosa = SIMD4(-0.423513, 0.967351, -2.517154, -1.079335)
    private static let versicolor = SIMD4(0.534464, -0.321588, -0.206393, -0.944299)
    private static let virginica = SIMD4(-0.110951, -0.645762, 2.723548, 2.023634)
    private static let intercepts = SIMD3(9.849590, 2.237199, -12.086789)

    func predict(_ features: SIMD4<Double>) -> Answer {
        let scores =
            SIMD3(
                (Self.setosa * features).sum(),
                (Self.versicolor * features).sum(),
                (Self.virginica * features).sum()
            )
            + Self.intercepts
        // Less the highest, so that no power overflows.
        let differences = scores - scores.max()
        let powers = SIMD3(
            Mathematics.exp(differences[0]),
            Mathematics.exp(differences[1]),
            Mathematics.exp(differences[2])
        )
        var species = Species.setosa
        for other in Species.allCases where scores[other.rawValue] > scores[species.rawValue] { species = other }
        return Answer(species: species, probabilities: powers / powers.sum())
    }
}
