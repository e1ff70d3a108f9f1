extension ExampleResponder {
    /// One Prediction for each flower of `{"instances":[[...],...]}`, or for the one of `{"features":[...]}`.
    func writeNativeIris(heldFor: Int64, to out: ByteBuffer) throws(MalformedAnswer) {
        out.append("{\"predictions\":[")
        if let flower = input.member(0, "features") {
            try writeFlower(flower, heldFor: heldFor, to: out)
        } else {
            guard input.member(0, "instances") != nil else {
                throw MalformedAnswer("there must be \"instances\", an array of flowers, or \"features\", one flower")
            }
            var isFirst = true
            for flower in try input.elements("instances") {
                if !isFirst { out.append(",") }
                isFirst = false
                try writeFlower(flower, heldFor: heldFor, to: out)
            }
        }
        out.append("]}")
    }

    /// Two Predictions for the picture of `{"image":[...]}`: its turn, and its digit.
    func writeNativeDigits(heldFor: Int64, to out: ByteBuffer) throws(MalformedAnswer) {
        guard let node = input.member(0, "image") else {
            throw MalformedAnswer("there must be \"image\", a picture such as [\"..#..\",\".##..\",...]")
        }
        var started = Clock.monotonic()
        let turn = rotate.predict(try input.image(node))
        var ended = Clock.monotonic()
        out.append("{\"predictions\":[")
        writeHead("rotate", RotateModel.version, timeTaken: ended - started, to: out)
        out.append(decimal: turn.degrees)

        started = Clock.monotonic()
        let answer = digits.predict(turn.upright)
        ended = Clock.monotonic()
        out.append("},")
        writeHead("digits", DigitModel.version, timeTaken: ended - started + heldFor, to: out)
        out.append("{\"label\":\"")
        out.append(decimal: answer.digit)
        out.append("\",\"score\":")
        out.append(answer.score, decimals: 4)
        out.append("}}]}")
    }

    private func writeFlower(_ flower: Int, heldFor: Int64, to out: ByteBuffer) throws(MalformedAnswer) {
        let started = Clock.monotonic()
        let answer = iris.predict(try input.features(flower))
        let ended = Clock.monotonic()
        writeHead("iris", IrisModel.version, timeTaken: ended - started + heldFor, to: out)
        out.append("{\"label\":\"")
        out.append(answer.species.label)
        out.append("\",\"score\":")
        out.append(answer.score, decimals: 4)
        out.append("}}")
    }

    /// Everything of a Prediction before its value.
    private func writeHead(_ name: StaticString, _ version: StaticString, timeTaken: Int64, to out: ByteBuffer) {
        out.append("{\"modelName\":\"")
        out.append(name)
        out.append("\",\"modelVersion\":\"")
        out.append(version)
        out.append("\",\"timeTakenInMs\":")
        // To the nanosecond: these models take less than a microsecond.
        out.append(Double(timeTaken) / 1_000_000, decimals: 6)
        out.append(",\"value\":")
    }
}
