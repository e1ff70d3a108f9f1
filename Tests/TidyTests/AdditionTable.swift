import Foundation

/// The table of docs/ARCHITECTURE.md that says which files change when something is added.
struct AdditionTable {
    struct Row {
        /// What is added.
        let name: String
        /// By their names, without folders: what stands between backquotes in the second column.
        let files: [String]
        /// How many the table says they are.
        let count: Int?
    }

    static let heading = "## Where to add something"

    let rows: [Row]

    init(markdown: String) {
        let section = markdown.components(separatedBy: "\n").drop { $0 != Self.heading }.dropFirst()
            .prefix { !$0.hasPrefix("## ") }
        // Below the titles and the line under them.
        rows = section.filter { $0.hasPrefix("|") }.dropFirst(2).map { line in
            let cells = line.components(separatedBy: "|").dropFirst().map { $0.trimmingCharacters(in: .whitespaces) }
            let quoted = cells.dropFirst().first?.components(separatedBy: "`") ?? []
            return Row(
                name: cells.first ?? "",
                files: quoted.indices.filter { !$0.isMultiple(of: 2) }.map { quoted[$0] },
                count: cells.dropFirst(2).first.flatMap { Int($0) }
            )
        }
    }
}
