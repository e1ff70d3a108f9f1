/// The native protocol: `{"predictions":[{"value":...},...]}` or `{"value":...}`.
enum NativeModel: ModelCodec {
    static let name: StaticString = "native"
    /// To the members of the elements of `predictions`.
    static let depth = 3
    static var nameMembers: (model: StaticString, version: StaticString)? { ("modelName", "modelVersion") }

    static func find(in answer: PredictionExtractor) throws(MalformedAnswer) {
        try answer.extractNative()
        answer.takeList()
    }

    static func resembles(_ answer: JSONOutline) -> Bool { answer.member("value", of: 0) != nil }
}

extension PredictionExtractor {
    /// Fills `predictions`, and `extra`.
    fileprivate func extractNative() throws(MalformedAnswer) {
        if let list = outline.member("predictions", of: 0), outline.isArray(list) {
            let count = outline.children(list)
            guard count <= source.maxPredictions else { throw MalformedAnswer("it has \(count) predictions", .tooMany) }
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
        dropRepeatedIds()
        guard !scratch.isEmpty else { return }
        extra = scratch[0..<extraEnd]
        var start = extraEnd
        for (index, end) in ends.enumerated() {
            predictions[index].extra = scratch[start..<end]
            start = end
        }
    }

    /// An event's id must be its own: of several Predictions with one id, only the first has it.
    private func dropRepeatedIds() {
        guard predictions.count > 1, predictions.contains(where: { !$0.id.isEmpty }) else { return }
        names.removeAll()
        for index in predictions.indices where !predictions[index].id.isEmpty {
            if !names.insert(predictions[index].id, hasEscapes: false) { predictions[index].id = .empty }
        }
    }

    /// Puts what we know into its field, and appends the rest to the scratch space: first what has names of its own, then
    /// what has one of ours and is not what it should be. The first member of a name wins.
    ///
    /// - Parameter isAnswer: Whether this is the top level beside a `predictions` array, where that array and the
    ///   answer's `id` are passed over, and `value` means nothing.
    private func sortMembers(of object: Int, into prediction: inout Prediction, isAnswer: Bool) {
        let start = scratch.count
        if !misfits.isEmpty { misfits.removeAll(keepingCapacity: true) }
        if outline.hasDuplicates { names.removeAll() }
        let end = outline.after(object)
        var node = object + 1
        while node < end {
            let name = outline.inside(node)
            let value = node + 1
            let member = Member(name)
            switch member {
            case .predictions where isAnswer, .id where isAnswer:
                break
            case .value where !isAnswer:
                if prediction.value.isEmpty { prediction.value = outline.bytes(value) }
            case .modelName:
                if !take(outline.modelName(value), &prediction.modelName) { misfits.append(node) }
            case .modelVersion:
                if !take(outline.modelVersion(value), &prediction.modelVersion) { misfits.append(node) }
            case .timeTakenInMs:
                if !take(outline.statedTime(value), &prediction.timeTakenInMs) { misfits.append(node) }
            case .id:
                if !take(outline.predictionId(value), &prediction.id) { misfits.append(node) }
            default:
                if isNameOfOurs(node, isAnswer: isAnswer) {
                    // At the top there is no event that could have it.
                    if !isAnswer { misfits.append(node) }
                } else if isFirst(node) {
                    appendMember(node, since: start)
                }
            }
            node = outline.after(value)
        }
        prediction.ownExtra = scratch.count - start
        for node in misfits where isFirst(node) { appendMember(node, since: start) }
    }

    /// Keeps what a member says, unless one before it has; false where it says nothing that can be kept.
    private func take(_ text: ByteView?, _ field: inout ByteView) -> Bool {
        guard let text else { return false }
        if field.isEmpty { field = text }
        return true
    }

    /// Whether an unknown name is one that a native answer has anyway, at this place, when its escapes are read.
    private func isNameOfOurs(_ node: Int, isAnswer: Bool) -> Bool {
        guard outline.hasEscapes(node) || Member(outline.inside(node)) != .unknown else { return false }
        let start = scratch.count
        scratch.append(unescaping: outline.inside(node))
        let member = Member(scratch[start..<scratch.count])
        scratch.truncate(to: start)
        return isAnswer ? member == .predictions || member == .id : member != .unknown && member != .predictions
    }

    /// Whether no member before this one has its name; only where the document has any such.
    private func isFirst(_ node: Int) -> Bool {
        !outline.hasDuplicates || names.insert(outline.inside(node), hasEscapes: outline.hasEscapes(node))
    }

    /// Appends a member, behind a comma unless it is the first.
    private func appendMember(_ node: Int, since start: Int) {
        if scratch.count > start { scratch.append(UInt8(ascii: ",")) }
        scratch.append(outline.bytes(node))
        scratch.append(UInt8(ascii: ":"))
        let value = outline.bytes(node + 1)
        if outline.hasDuplicates, hasDuplicates(value) {
            // As text, so that no object in the event has two members of one name.
            scratch.appendJSON(string: value)
        } else {
            scratch.append(value)
        }
    }
}

extension JSONOutline {
    /// What a stated time may be: a number that is not too long.
    fileprivate func statedTime(_ node: Int) -> ByteView? {
        guard isNumber(node) else { return nil }
        let number = bytes(node)
        return number.count <= Prediction.maxNumberBytes ? number : nil
    }

    /// What a Prediction's id may be: text that can stand in a header line as it is.
    fileprivate func predictionId(_ node: Int) -> ByteView? {
        guard let id = modelName(node), !hasEscapes(node), id.isVisibleASCII else { return nil }
        return id
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
