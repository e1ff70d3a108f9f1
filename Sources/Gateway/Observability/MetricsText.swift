// Lines of the Prometheus text format (exposition format 0.0.4).
extension ByteBuffer {
    func appendHead(_ name: StaticString, _ type: StaticString, _ help: StaticString) {
        append("# HELP ")
        append(name)
        append(UInt8(ascii: " "))
        append(help)
        append("\n# TYPE ")
        append(name)
        append(UInt8(ascii: " "))
        append(type)
        append(UInt8(ascii: "\n"))
    }

    func appendRow(_ name: StaticString, _ value: Int) { appendRow(name, [], value) }

    /// - Parameter labels: as `MetricsLabels` makes them; empty: there are none.
    func appendRow(_ name: StaticString, _ labels: [UInt8], _ value: Int) {
        beginRow(name, labels)
        if !labels.isEmpty { append(UInt8(ascii: "}")) }
        endRow(value)
    }

    /// A row with one label more, whose value needs no escaping.
    func appendRow(_ name: StaticString, _ labels: [UInt8], _ label: StaticString, _ text: ByteView, _ value: Int) {
        beginRow(name, labels)
        append(labels.isEmpty ? "{" : ",")
        append(label)
        append("=\"")
        append(text)
        append("\"}")
        endRow(value)
    }

    /// A row in seconds.
    func appendRow(_ name: StaticString, _ labels: [UInt8] = [], nanoseconds: Int) {
        beginRow(name, labels)
        append(labels.isEmpty ? " " : "} ")
        append(seconds: nanoseconds)
        append(UInt8(ascii: "\n"))
    }

    /// A histogram's rows; the name's parts follow it.
    func appendHistogram(_ name: StaticString, _ labels: [UInt8], _ reading: DurationHistogram.Reading) {
        var total = 0
        for (bound, count) in zip(DurationHistogram.labels, reading.buckets) {
            total += count
            append(name)
            append("_bucket{")
            append(contentsOf: labels)
            append(",le=\"")
            append(bound)
            append("\"} ")
            append(decimal: total)
            append(UInt8(ascii: "\n"))
        }
        append(name)
        append("_sum{")
        append(contentsOf: labels)
        append("} ")
        append(seconds: reading.sumNanoseconds)
        append(UInt8(ascii: "\n"))
        append(name)
        append("_count{")
        append(contentsOf: labels)
        append("} ")
        append(decimal: total)
        append(UInt8(ascii: "\n"))
    }

    private func beginRow(_ name: StaticString, _ labels: [UInt8]) {
        append(name)
        guard !labels.isEmpty else { return }
        append(UInt8(ascii: "{"))
        append(contentsOf: labels)
    }

    private func endRow(_ value: Int) {
        append(UInt8(ascii: " "))
        append(decimal: value)
        append(UInt8(ascii: "\n"))
    }

    private func append(seconds nanoseconds: Int) {
        append(decimal: nanoseconds / 1_000_000_000)
        append(UInt8(ascii: "."))
        append(decimal: UInt(nanoseconds % 1_000_000_000), width: 9)
    }
}

/// Labels as the format writes them. Not for the parts of a page that there are many of: these are made once.
enum MetricsLabels {
    /// `name="value",…`: a value may hold anything; quotes, backslashes and line ends are escaped.
    static func text(_ labels: KeyValuePairs<StaticString, String>) -> [UInt8] {
        var bytes: [UInt8] = []
        for (name, value) in labels { append(name, Array(value.utf8), to: &bytes) }
        return bytes
    }

    static func append(_ name: StaticString, _ value: [UInt8], to bytes: inout [UInt8]) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
        bytes += "\(name)=\"".utf8
        // A value that is not UTF-8 would make the whole page unreadable.
        for byte in String(decoding: value, as: UTF8.self).utf8 {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
