/// The first step: how a picture of a digit must be turned to stand upright.
struct RotateModel {
    static let version: StaticString = "3"

    private let prototypes = DigitPrototypes.all

    struct Answer {
        /// Clockwise: 0, 90, 180 or 270.
        var degrees: Int
        /// The picture, turned by so many.
        var upright: DigitImage
    }

    /// The turn after which the picture is most like some digit; the smallest of several.
    func predict(_ image: DigitImage) -> Answer {
        var best = Answer(degrees: 0, upright: image)
        var bestAgreement = 0
        var turned = image
        for quarter in 0..<4 {
            if quarter > 0 { turned = turned.turned }
            for prototype in prototypes where prototype.agreement(with: turned) > bestAgreement {
                bestAgreement = prototype.agreement(with: turned)
                best = Answer(degrees: quarter * 90, upright: turned)
            }
        }
        return best
    }
}

/// The second step: which digit an upright picture shows.
struct DigitModel {
    static let version: StaticString = "7"

    private let prototypes = DigitPrototypes.all

    struct Answer {
        var digit: Int
        /// From 0 to 1: the softmax over the cells in which the picture agrees with each digit.
        var score: Double
    }

    func predict(_ image: DigitImage) -> Answer {
        var best = Answer(digit: 0, score: 0)
        var bestAgreement = 0
        for (digit, prototype) in prototypes.enumerated() {
            let agreement = prototype.agreement(with: image)
            if agreement > bestAgreement {
                bestAgreement = agreement
                best.digit = digit
            }
        }
        var sum = 0.0
        for prototype in prototypes {
            sum += Mathematics.exp(Double(prototype.agreement(with: image) - bestAgreement))
        }
        best.score = 1 / sum
        return best
    }
}
