import Foundation
import TestSupport
import Testing

/// The limits of `Tests/budgets/limits.txt`, and the tools that measure. All figures are counts; none is a time.
enum Budget {
    /// Where `make budgets` has put what is built for these tests; nil: they are not to run.
    static let tools = ProcessInfo.processInfo.environment["AMERON_BUDGETS"]

    static let limitsFile = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("budgets/limits.txt").path

    /// Lines of a name and a number; `#` begins a comment.
    static func limits(in text: String) -> [String: Double] {
        var limits: [String: Double] = [:]
        for line in text.split(separator: "\n") {
            let words = line.prefix { $0 != "#" }.split(separator: " ")
            if words.count == 2 { limits[String(words[0])] = Double(words[1]) }
        }
        return limits
    }

    private static let limits = limits(in: String(decoding: wholeFile(limitsFile) ?? [], as: UTF8.self))

    /// nil: not stated.
    static func limit(_ name: String) -> Double? { limits[name] }

    /// Prints the figure beside its limit; a figure above it, or without one, fails the test.
    ///
    /// - Parameter explanation: what helps to find the cause; asked for only then.
    static func expect(
        _ name: String,
        _ measured: Double,
        sourceLocation: SourceLocation = #_sourceLocation,
        explanation: () -> String = { "" }
    ) {
        let limit = limit(name)
        let figure = String(format: "%.2f", measured)
        let allowed = limit.map { String(format: "%.2f", $0) } ?? "not stated"
        print("budget  \(padded(name, 44)) measured \(padded(figure, 9)) allowed \(allowed)")
        if measured <= limit ?? -1 { return }
        Issue.record(
            "\(name): measured \(figure), allowed \(allowed) (Tests/budgets/limits.txt)\n\(explanation())",
            sourceLocation: sourceLocation
        )
    }

    /// A figure that is for people only.
    static func tell(_ name: String, _ text: String) { print("figure  \(padded(name, 44)) \(text)") }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

/// The suites below are one after the other: what is counted is the work of one process, at a known load.
@Suite(.serialized, .enabled(if: Budget.tools != nil, "make budgets runs them, on the release build"))
struct BudgetTests {}
