extension ExampleResponder {
    func writeV1Iris(to out: ByteBuffer) throws(MalformedAnswer) {
        try writeV1(to: out) { (flower, out) throws(MalformedAnswer) in
            let answer = iris.predict(try input.features(flower))
            out.append("\"")
            out.append(answer.species.label)
            out.append("\"")
        }
    }

    func writeV1Digits(to out: ByteBuffer) throws(MalformedAnswer) {
        try writeV1(to: out) { (image, out) throws(MalformedAnswer) in
            let turn = rotate.predict(try input.image(image))
            out.append("{\"rotation\":")
            out.append(decimal: turn.degrees)
            out.append(",\"label\":\"")
            out.append(decimal: digits.predict(turn.upright).digit)
            out.append("\"}")
        }
    }

    private func writeV1(
        to out: ByteBuffer,
        element: (Int, ByteBuffer) throws(MalformedAnswer) -> Void
    ) throws(MalformedAnswer) {
        out.append("{\"predictions\":[")
        var isFirst = true
        for instance in try input.elements("instances") {
            if !isFirst { out.append(",") }
            isFirst = false
            try element(instance, out)
        }
        out.append("]}")
    }
}
