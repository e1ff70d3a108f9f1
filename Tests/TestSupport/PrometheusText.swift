/// Metrics in Prometheus' text format 0.0.4, read strictly.
package struct PrometheusText: Sendable {
    package struct Sample: Sendable, Equatable {
        package var name: String
        package var labels: [String: String]
        package var value: Double
    }

    package var samples: [Sample] = []
    /// What `# TYPE` says of each metric.
    package var types: [String: String] = [:]

    package init(parsing text: String) throws {
        guard text.hasSuffix("\n") else { throw TestFailure("the metrics do not end in a line end") }
        for line in text.split(separator: "\n") {
            if line.hasPrefix("#") {
                let words = line.split(separator: " ")
                if words.count == 4, words[1] == "TYPE" {
                    guard types.updateValue(String(words[3]), forKey: String(words[2])) == nil else {
                        throw TestFailure("two TYPE lines of \(words[2])")
                    }
                }
            } else {
                samples.append(try Self.sample(Array(line)))
            }
        }
        let keys = samples.map { "\($0.name) \($0.labels.sorted { $0.key < $1.key })" }
        guard Set(keys).count == keys.count else { throw TestFailure("a sample stands twice in:\n\(text)") }
    }

    /// The samples of a name that have at least these labels.
    package func samples(_ name: String, _ labels: [String: String] = [:]) -> [Sample] {
        samples.filter { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }
    }

    /// Their sum; 0 when there is none.
    package func total(_ name: String, _ labels: [String: String] = [:]) -> Double {
        samples(name, labels).reduce(0) { $0 + $1.value }
    }

    private static func sample(_ line: [Character]) throws -> Sample {
        var position = 0
        func failure() -> TestFailure { TestFailure("not a sample: \(String(line))") }
        func word() -> String {
            let start = position
            while position < line.count,
                line[position].isASCII
                    && (line[position].isLetter || line[position].isNumber || "_:".contains(line[position]))
            {
                position += 1
            }
            return String(line[start..<position])
        }
        func take(_ character: Character) throws {
            guard position < line.count, line[position] == character else { throw failure() }
            position += 1
        }

        let name = word()
        guard !name.isEmpty else { throw failure() }
        var labels: [String: String] = [:]
        if position < line.count, line[position] == "{" {
            position += 1
            while position < line.count, line[position] != "}" {
                let label = word()
                try take("=")
                try take("\"")
                var value = ""
                while position < line.count, line[position] != "\"" {
                    if line[position] == "\\" {
                        position += 1
                        guard position < line.count else { throw failure() }
                        value.append(line[position] == "n" ? "\n" : line[position])
                    } else {
                        value.append(line[position])
                    }
                    position += 1
                }
                try take("\"")
                guard labels.updateValue(value, forKey: label) == nil else { throw failure() }
                if position < line.count, line[position] == "," { position += 1 }
            }
            try take("}")
        }
        try take(" ")
        guard let value = Double(String(line[position...]).split(separator: " ").first ?? "") else { throw failure() }
        return Sample(name: name, labels: labels, value: value)
    }
}
