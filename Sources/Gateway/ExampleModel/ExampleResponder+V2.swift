extension ExampleResponder {
    func writeV2Iris(to out: ByteBuffer) throws(MalformedAnswer) {
        var tensor = try ExampleTensor(input, width: 4)
        irisRows.removeAll(keepingCapacity: true)
        for _ in 0..<tensor.rows { irisRows.append(iris.predict(try input.features(&tensor.numbers))) }
        let wanted = try wantedOutputs("label", "probabilities")

        writeV2Head(.iris, to: out)
        if wanted.first {
            writeOutput("label", "BYTES", rows: irisRows.count, to: out)
            for (row, answer) in irisRows.enumerated() {
                out.append(row == 0 ? "\"" : ",\"")
                out.append(answer.species.label)
                out.append("\"")
            }
            out.append(wanted.second ? "]}," : "]}")
        }
        if wanted.second {
            writeOutput("probabilities", "FP64", rows: irisRows.count, columns: 3, to: out)
            for (row, answer) in irisRows.enumerated() {
                for column in 0..<3 {
                    if row + column > 0 { out.append(",") }
                    out.append(answer.probabilities[column], decimals: 6)
                }
            }
            out.append("]}")
        }
        out.append("]}")
    }

    func writeV2Digits(to out: ByteBuffer) throws(MalformedAnswer) {
        var tensor = try ExampleTensor(input, width: DigitImage.cellCount)
        digitRows.removeAll(keepingCapacity: true)
        for _ in 0..<tensor.rows {
            let turn = rotate.predict(try input.image(&tensor.numbers))
            digitRows.append((turn.degrees, digits.predict(turn.upright).digit))
        }
        let wanted = try wantedOutputs("rotation", "label")

        writeV2Head(.digits, to: out)
        if wanted.first {
            writeOutput("rotation", "INT64", rows: digitRows.count, to: out)
            for (row, answer) in digitRows.enumerated() {
                if row > 0 { out.append(",") }
                out.append(decimal: answer.degrees)
            }
            out.append(wanted.second ? "]}," : "]}")
        }
        if wanted.second {
            writeOutput("label", "BYTES", rows: digitRows.count, to: out)
            for (row, answer) in digitRows.enumerated() {
                out.append(row == 0 ? "\"" : ",\"")
                out.append(decimal: answer.digit)
                out.append("\"")
            }
            out.append("]}")
        }
        out.append("]}")
    }

    /// Which of its two outputs the client asks for: those that it names, else both.
    private func wantedOutputs(
        _ first: StaticString,
        _ second: StaticString
    ) throws(MalformedAnswer) -> (first: Bool, second: Bool) {
        guard input.member(0, "outputs") != nil else { return (true, true) }
        var wanted = (first: false, second: false)
        for output in try input.elements("outputs") {
            let name: ByteView
            if input.outline.isObject(output), let node = input.member(output, "name"), input.outline.isString(node) {
                name = input.outline.inside(node)
            } else {
                name = .empty
            }
            if name == first {
                wanted.first = true
            } else if name == second {
                wanted.second = true
            } else {
                throw MalformedAnswer("each of \"outputs\" must have the name \"\(first)\" or \"\(second)\"")
            }
        }
        return wanted
    }

    /// Everything before the first output. The `id`, where there is one, goes back as it came.
    private func writeV2Head(_ model: ExampleModelName, to out: ByteBuffer) {
        out.append("{\"model_name\":\"")
        out.append(model.text)
        out.append("\",\"model_version\":\"")
        out.append(model.version)
        if let id = input.member(0, "id"), input.outline.isString(id) {
            out.append("\",\"id\":")
            out.append(input.outline.bytes(id))
            out.append(",\"outputs\":[")
        } else {
            out.append("\",\"outputs\":[")
        }
    }

    /// Everything of an output before the first element of its data.
    private func writeOutput(
        _ name: StaticString,
        _ datatype: StaticString,
        rows: Int,
        columns: Int? = nil,
        to out: ByteBuffer
    ) {
        out.append("{\"name\":\"")
        out.append(name)
        out.append("\",\"datatype\":\"")
        out.append(datatype)
        out.append("\",\"shape\":[")
        out.append(decimal: rows)
        if let columns {
            out.append(",")
            out.append(decimal: columns)
        }
        out.append("],\"data\":[")
    }
}
