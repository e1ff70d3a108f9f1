/// Counters in rows, whose columns are numbers that come as they come, such as status codes. One thread writes, any reads.
final class SparseCounters: Sendable {
    /// How many numbers get a column of their own; what comes after them shares the last one.
    static let columns = 64
    /// What the shared column is called.
    static let other = 0

    private let counters: CounterBlock
    /// The numbers by column; 0: the column is not in use.
    private let names = CounterBlock(count: columns)
    /// Columns by number, of which the first few have one; 0: none yet, else the column and 1.
    private let places: CounterBlock

    /// - Parameter limit: numbers are from 1 and below this.
    init(rows: Int, limit: Int) {
        counters = CounterBlock(count: rows * Self.columns)
        places = CounterBlock(count: limit)
    }

    /// Adds one. The writer's thread only.
    @inline(__always)
    func count(_ number: Int, row: Int) {
        let isKnown = number > 0 && number < places.count
        var column = isKnown ? places.load(number) - 1 : Self.columns - 1
        if column < 0 { column = take(number) }
        counters.add(1, at: row * Self.columns + column)
    }

    /// The column of a number that comes for the first time.
    private func take(_ number: Int) -> Int {
        var column = 0
        while column < Self.columns - 1, names.load(column) != 0 { column += 1 }
        if column < Self.columns - 1 { names.add(number, at: column) }
        places.add(column + 1, at: number)
        return column
    }

    /// Shows each number that was counted in a row, and how often; `other` for those without a column. Any thread.
    func read(row: Int, _ body: (_ number: Int, _ count: Int) -> Void) {
        for column in 0..<Self.columns {
            let name = names.load(column)
            if name == 0, column < Self.columns - 1 {
                show(row, Self.columns - 1, Self.other, body)
                return
            }
            show(row, column, name, body)
        }
    }

    private func show(_ row: Int, _ column: Int, _ name: Int, _ body: (Int, Int) -> Void) {
        let count = counters.load(row * Self.columns + column)
        if count > 0 { body(name, count) }
    }
}
