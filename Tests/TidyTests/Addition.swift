import Foundation

/// Something that may be added to the program, and how the code shows which files must change for it.
///
/// The table for people is in docs/ARCHITECTURE.md. The two must agree: where a place comes, or goes, the table changes with it.
struct Addition: Sendable {
    /// As in the table's first column.
    let name: String
    /// A file with such code must change.
    var marks: [Mark] = []
    /// The beginnings of the names of files that have such code and need not change: what is added is their like.
    var except: [String] = []
    /// These must change too, which no mark shows.
    var also: Set<String> = []

    struct Mark: Sendable {
        /// A regular expression for code, without comments and strings.
        let pattern: String
        /// The mark holds only in a file where this matches, too.
        var beside = ""
        /// And only below this folder.
        var folder = "Sources/"

        func matches(_ code: String, path: String) -> Bool {
            path.hasPrefix(folder) && code.range(of: pattern, options: .regularExpression) != nil
                && (beside.isEmpty || code.range(of: beside, options: .regularExpression) != nil)
        }
    }

    static let all: [Addition] = [
        Addition(
            name: "a face",
            marks: [
                Mark(pattern: #"\bcase \.?(native|v1|v2)\b|(==|!=) \.(native|v1|v2)\b"#, beside: #"\b[fF]ace\b"#),
                Mark(pattern: #"\b(Native|V1|V2)Face\b"#),
            ],
            except: ["NativeFace", "V1Face", "V2Face", "ExampleSpeech"],
            also: ["openapi.json"]
        ),
        Addition(
            name: "a model protocol",
            marks: [
                Mark(
                    pattern: #"\bcase \(?\.?(native|v1|v2|raw)\b|(==|!=) \.(native|v1|v2|raw)\b"#,
                    beside: "[mM]odelProtocol|ServiceProtocol"
                ),
                Mark(pattern: #"\b(Native|V1|V2|Raw)Model\b"#),
            ],
            except: ["NativeModel", "V1Model", "V2Model", "RawModel"]
        ),
        Addition(
            name: "a Model Service Adapter",
            marks: [
                Mark(pattern: #"\b(HTTPModelServices|HTTPModelServiceAdapter|HTTPHealthProbe)\b"#),
                // Who tells schemes, and ways of calling, apart.
                Mark(pattern: #"\bscheme == \.|\bcase \.?https?\b"#, beside: #"\b(Scheme|Way|scheme|way)\b"#),
            ],
            except: ["HTTPModelService", "HTTPHealthProbe"]
        ),
        Addition(
            name: "a Provider",
            marks: [
                Mark(pattern: #"\b(RESTProvider|KafkaProvider|RESTSource|KafkaSource)\b"#),
                Mark(pattern: #"[ (]\.rest\b|\bcase \.?rest\b"#),
                Mark(pattern: #"\.providers\.kafka\b|\bKafka\.self\b"#, beside: #"\b[pP]roviders\b"#),
            ],
            except: ["RESTProvider", "RESTSource", "KafkaProvider", "KafkaSource", "Configuration+KafkaProvider"]
        ),
        Addition(
            name: "a policy for calls",
            marks: [
                // Who says which policy an exchange has, and who makes one.
                Mark(pattern: #"\{ exchange\.route\?\.retry \}|\bextension RetryPolicy \{"#)
            ],
            also: ["ModelRoute.swift"]
        ),
        Addition(
            name: "a format of events",
            marks: [Mark(pattern: #"\bcase \.json: JSONEventFormat\b"#, folder: reporters)],
            also: ["Configuration+ReporterCommon.swift", "ReportingBlueprint.swift"]
        ),
        Addition(
            name: "a destination of events",
            marks: [
                Mark(pattern: #"\bcase \.?file\b"#, beside: #"\bcase \.?kafka\b"#),
                // Who names a kind, but for its own files: what is said of it, and what it is made of.
                Mark(pattern: #"\bFile\.self\b|\bReporter\.(File|HTTP)\b|\b(as\?|is) (File|HTTP)\b"#),
                Mark(pattern: #"\b(FileReporter|HTTPReporter|FileDestination|HTTPDestination)\b"#),
            ],
            except: [
                "Configuration+FileReporter", "Configuration+HTTPReporter", "FileDestination", "HTTPDestination",
                "HTTPDelivery",
            ]
        ),
        Addition(
            name: "a kind of event",
            marks: [Mark(pattern: #"\bcase \.?prediction\b|(==|!=) \.prediction\b"#)]
        ),
        Addition(
            name: "a bound",
            // The way of one that there is.
            marks: [
                Mark(pattern: #"\bserver\.maxInFlight\b"#), Mark(pattern: #"\bvar maxInFlight = 10_000\b"#),
            ]
        ),
        Addition(name: "a metric", also: ["ShardMetrics.swift", "MetricsPage.swift"]),
    ]

    private static let reporters = "Sources/Gateway/PredictionReporter/"

    /// In what the table and the sources disagree.
    ///
    /// - Parameter paths: all files of the sources, whatever they hold.
    static func findings(
        _ additions: [Addition],
        _ table: AdditionTable,
        _ files: [SourceFile],
        paths: [String]
    ) -> [String] {
        let names = Dictionary(grouping: paths, by: fileName)
        var findings: [String] = []
        for row in table.rows {
            for file in row.files where names[file]?.count != 1 {
                findings.append(
                    "\(row.name): \(file) \(names[file] == nil ? "is no file" : "is the name of several files")"
                )
            }
            if row.count != Set(row.files).count {
                findings.append("\(row.name): \(row.files.count) files are named, and the table says another number")
            }
        }
        let code = files.map { ($0.path, $0.code.joined(separator: "\n")) }
        for addition in additions {
            guard let row = table.rows.first(where: { $0.name == addition.name }) else {
                findings.append("\(addition.name): has no row")
                continue
            }
            var wanted = addition.also
            for mark in addition.marks {
                let found = code.filter { path, code in
                    !addition.except.contains { fileName(path).hasPrefix($0) } && mark.matches(code, path: path)
                }
                if found.isEmpty { findings.append("\(addition.name): nothing has the mark \(mark.pattern)") }
                wanted.formUnion(found.map { fileName($0.0) })
            }
            for file in wanted.subtracting(row.files).sorted() {
                findings.append("\(addition.name): \(file) must change, and is not named")
            }
            for file in Set(row.files).subtracting(wanted).sorted() {
                findings.append("\(addition.name): \(file) is named, and nothing shows that it must change")
            }
        }
        return findings
    }

    private static func fileName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}
