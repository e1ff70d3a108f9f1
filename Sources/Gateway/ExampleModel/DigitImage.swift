/// A picture of 5 by 5 cells, each inked or blank: one bit for each, row by row, the first cell the lowest.
struct DigitImage: Equatable {
    static let side = 5
    static let cellCount = side * side

    private(set) var bits: UInt32 = 0

    /// A blank picture.
    init() {}

    /// A picture drawn with `#` for ink, five rows of five.
    init(_ rows: String...) {
        precondition(rows.count == Self.side && rows.allSatisfy { $0.utf8.count == Self.side }, "not 5 by 5")
        for (row, text) in rows.enumerated() {
            for (column, cell) in text.utf8.enumerated() where cell == UInt8(ascii: "#") {
                ink(row * Self.side + column)
            }
        }
    }

    mutating func ink(_ cell: Int) {
        precondition(cell >= 0 && cell < Self.cellCount, "no such cell")
        bits |= 1 << UInt32(cell)
    }

    /// A quarter turn clockwise.
    var turned: DigitImage {
        var result = DigitImage()
        for row in 0..<Self.side {
            for column in 0..<Self.side {
                // What comes to stand here stood at the bottom of the column, or to the left in its row.
                let from = (Self.side - 1 - column) * Self.side + row
                result.bits |= (bits >> UInt32(from) & 1) << UInt32(row * Self.side + column)
            }
        }
        return result
    }

    /// In how many cells the two agree.
    func agreement(with other: DigitImage) -> Int { Self.cellCount - (bits ^ other.bits).nonzeroBitCount }
}
