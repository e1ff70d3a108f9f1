import Foundation
import Testing

/// The table of docs/ARCHITECTURE.md that says what must change to add something is true of the sources.
@Suite struct AdditionTests {
    @Test func tableOfTheArchitecture() throws {
        let path = SourceFile.root.appending(path: "docs/ARCHITECTURE.md")
        let table = AdditionTable(markdown: try String(contentsOf: path, encoding: .utf8))
        let findings = Addition.findings(
            Addition.all,
            table,
            try SourceFile.all.get(),
            paths: try SourceFile.paths(below: "Sources")
        )
        for finding in findings { Issue.record("\(finding)") }
    }

    /// What is wrong with a table, or with the sources, and what is said of it.
    struct Sample: CustomTestStringConvertible, Sendable {
        let row: String
        var more: [String: String] = [:]
        var findings: [String] = []

        var testDescription: String { findings.first ?? "nothing wrong" }
    }

    static let samples = [
        Sample(row: "| a face | `A.swift`, `B.json` | 2 | a new one |"),
        // A comment, a string, a place that need not change.
        Sample(
            row: "| a face | `A.swift`, `B.json` | 2 | |",
            more: ["C.swift": "// case v1\nlet face = \"case v1\"", "Own.swift": "face: case v1"]
        ),
        Sample(row: "| a metric | `A.swift` | 1 | |", findings: ["a face: has no row"]),
        Sample(
            row: "| a face | `A.swift`, `B.json` | 3 | |",
            findings: ["a face: 2 files are named, and the table says another number"]
        ),
        Sample(
            row: "| a face | `A.swift`, `B.json`, `X.swift` | 3 | |",
            findings: [
                "a face: X.swift is no file", "a face: X.swift is named, and nothing shows that it must change",
            ]
        ),
        Sample(
            row: "| a face | `A.swift`, `B.json` | 2 | |",
            more: ["other/A.swift": ""],
            findings: ["a face: A.swift is the name of several files"]
        ),
        Sample(row: "| a face | `A.swift` | 1 | |", findings: ["a face: B.json must change, and is not named"]),
        Sample(
            row: "| a face | `A.swift`, `B.json` | 2 | |",
            more: ["C.swift": "switch face {\ncase .v1: 1\n}"],
            findings: ["a face: C.swift must change, and is not named"]
        ),
        Sample(
            row: "| a face | `A.swift`, `B.json` | 2 | |",
            more: ["A.swift": "let face = 1"],
            findings: [
                #"a face: nothing has the mark case \.?v1\b"#,
                "a face: A.swift is named, and nothing shows that it must change",
            ]
        ),
    ]

    @Test(arguments: samples) func disagreementIsFound(_ sample: Sample) {
        let face = Addition(
            name: "a face",
            marks: [Addition.Mark(pattern: #"case \.?v1\b"#, beside: "face")],
            except: ["Own"],
            also: ["B.json"]
        )
        let texts = ["A.swift": "enum Face { case v1 }\nvar face: Face", "D.swift": "case v1"]
            .merging(sample.more) { $1 }
        let files = texts.map { SourceFile(path: "Sources/\($0.key)", text: $0.value) }
        let table = AdditionTable(
            markdown: "| x | `Y.swift` | 7 | |\n\(AdditionTable.heading)\nText.\n\n| add | change | files | write |\n"
                + "|---|---|---|---|\n\(sample.row)\n\n## More\n\n| y |\n|---|\n| z | `Z.swift` | 1 | |\n"
        )
        let paths = texts.keys.map { "Sources/\($0)" } + ["Sources/B.json"]
        #expect(Addition.findings([face], table, files, paths: paths) == sample.findings)
    }
}
