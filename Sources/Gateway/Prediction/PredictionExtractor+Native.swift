/// The native protocol: `{"predictions":[{"value":...},...]}` or `{"value":...}`.
extension PredictionExtractor {
    func extractNative() throws(MalformedAnswer) {
        if let list = member("predictions", of: 0), outline.isArray(list) {
            try extractList(list)
        } else {
            var prediction = Prediction()
            sortMembers(of: 0, into: &prediction, isAnswer: false)
            guard !prediction.value.isEmpty else {
                throw MalformedAnswer("the answer has neither `predictions` (an array) nor `value`")
            }
            prediction.extra = scratch.view
            predictions.append(prediction)
        }
    }

    private func extractList(_ list: Int) throws(MalformedAnswer) {
        var defaults = Prediction()
        sortMembers(of: 0, into: &defaults, isAnswer: true)
        let extraEnd = scratch.count
        let end = outline.after(list)
        var element = list + 1
        while element < end {
            var prediction = Prediction()
            if outline.isObject(element) { sortMembers(of: element, into: &prediction, isAnswer: false) }
            guard !prediction.value.isEmpty else {
                throw MalformedAnswer("`predictions[\(predictions.count)]` is not an object with a `value`")
            }
            if prediction.modelName.isEmpty { prediction.modelName = defaults.modelName }
            if prediction.modelVersion.isEmpty { prediction.modelVersion = defaults.modelVersion }
            if prediction.timeTakenInMs.isEmpty { prediction.timeTakenInMs = defaults.timeTakenInMs }
            predictions.append(prediction)
            ends.append(scratch.count)
            element = outline.after(element)
        }
        guard !scratch.isEmpty else { return }
        extra = scratch[0..<extraEnd]
        var start = extraEnd
        for (index, end) in ends.enumerated() {
            predictions[index].extra = scratch[start..<end]
            start = end
        }
    }

    /// Puts what we know into its field, and appends the rest to the scratch space. The first member of a name wins.
    ///
    /// - Parameter isAnswer: Whether this is the top level beside a `predictions` array, where that array and the
    ///   answer's `id` are passed over, and `value` means nothing.
    private func sortMembers(of object: Int, into prediction: inout Prediction, isAnswer: Bool) {
        let start = scratch.count
        let end = outline.after(object)
        var node = object + 1
        while node < end {
            let name = outline.inside(node)
            let value = node + 1
            switch Member(name) {
            case .predictions where isAnswer, .id where isAnswer:
                break
            case .value where !isAnswer:
                if prediction.value.isEmpty { prediction.value = outline.bytes(value) }
            case .modelName where outline.isString(value):
                if prediction.modelName.isEmpty { prediction.modelName = outline.inside(value) }
            case .modelVersion where outline.isString(value):
                if prediction.modelVersion.isEmpty { prediction.modelVersion = outline.inside(value) }
            case .modelVersion where outline.isNumber(value):
                if prediction.modelVersion.isEmpty { prediction.modelVersion = outline.bytes(value) }
            case .timeTakenInMs where outline.isNumber(value):
                if prediction.timeTakenInMs.isEmpty { prediction.timeTakenInMs = outline.bytes(value) }
            case .id where outline.isString(value):
                if prediction.id.isEmpty { prediction.id = outline.inside(value) }
            default:
                if scratch.count > start { scratch.append(UInt8(ascii: ",")) }
                scratch.append(outline.bytes(node))
                scratch.append(UInt8(ascii: ":"))
                scratch.append(outline.bytes(value))
            }
            node = outline.after(value)
        }
    }
}

/// The members of a native answer that mean something to us.
private enum Member {
    case predictions, value, modelName, modelVersion, timeTakenInMs, id, unknown

    init(_ name: ByteView) {
        // All differ in length, so one comparison tells.
        let (candidate, text): (Member, StaticString) =
            switch name.count {
            case 2: (.id, "id")
            case 5: (.value, "value")
            case 9: (.modelName, "modelName")
            case 11: (.predictions, "predictions")
            case 12: (.modelVersion, "modelVersion")
            case 13: (.timeTakenInMs, "timeTakenInMs")
            default: (.unknown, "")
            }
        self = name == text ? candidate : .unknown
    }
}
