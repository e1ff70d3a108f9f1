import Testing

@testable import Gateway

@Suite struct DigitsModelTests {
    private static func turned(_ image: DigitImage, quarters: Int) -> DigitImage {
        (0..<quarters).reduce(image) { image, _ in image.turned }
    }

    @Test func turnsClockwise() {
        let image = DigitImage("##...", ".....", ".....", ".....", "....#")
        #expect(image.turned == DigitImage("....#", "....#", ".....", ".....", "#...."))
        #expect(Self.turned(image, quarters: 4) == image)
    }

    @Test(arguments: 0..<10, 0..<4)
    func readsEachDigitAnyWayRound(digit: Int, quarters: Int) {
        let upright = DigitPrototypes.all[digit]
        let turn = RotateModel().predict(Self.turned(upright, quarters: quarters))
        #expect(turn.degrees == (4 - quarters) % 4 * 90)
        #expect(turn.upright == upright)
        let answer = DigitModel().predict(turn.upright)
        #expect(answer.digit == digit)
        #expect(answer.score > 0.95 && answer.score < 1)
    }

    @Test(arguments: 0..<10, 0..<4)
    func bearsTwoWrongCells(digit: Int, quarters: Int) {
        let shown = Self.turned(DigitPrototypes.all[digit], quarters: quarters)
        for first in 0..<DigitImage.cellCount {
            for second in 0...first {
                let image = flipped(shown, first, second)
                let turn = RotateModel().predict(image)
                #expect(turn.degrees == (4 - quarters) % 4 * 90)
                #expect(DigitModel().predict(turn.upright).digit == digit)
            }
        }
    }

    /// The picture with one or two cells changed.
    private func flipped(_ image: DigitImage, _ first: Int, _ second: Int) -> DigitImage {
        var result = DigitImage()
        for cell in 0..<DigitImage.cellCount {
            let wasInked = image.bits >> UInt32(cell) & 1 == 1
            if wasInked != (cell == first || cell == second) { result.ink(cell) }
        }
        return result
    }

    @Test func isUnsureOfABlankPicture() {
        #expect(DigitModel().predict(DigitImage()).score < 0.95)
    }
}
