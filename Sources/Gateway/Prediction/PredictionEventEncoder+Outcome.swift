// What came of the request, and what is recorded of it: the part of an event that differs from row to row.
extension PredictionEventEncoder {
    /// - Parameters:
    ///   - start: Where the line begins.
    ///   - parts: Gets where the members stand that may be large.
    func appendOutcome(
        of event: PredictionEvent,
        without leftOut: PredictionEvent.Members,
        to out: ByteBuffer,
        since start: Int,
        _ parts: inout EventFrame.Parts
    ) {
        var notFinite: PredictionEvent.Members = []
        out.append(#","value":"#)
        if !event.hasValue || event.value.bytes.isEmpty || leftOut.contains(.value) {
            parts.value = out.part(since: start) { $0.append("null") }
        } else {
            parts.value = out.part(since: start) { if $0.append(event.value) { notFinite.insert(.value) } }
            if event.value.encoding != .json {
                out.appendMember(#","valueEncoding":"#, word: event.value.encoding.word)
            }
            appendShort(#","contentType":"#, event.contentType, to: out)
            appendShort(#","contentEncoding":"#, event.contentEncoding, to: out)
        }
        if let stream = event.stream { append(stream, to: out) }
        if let unsplit = event.unsplit { out.appendMember(#","unsplit":"#, word: unsplit.word) }
        if !event.extra.bytes.isEmpty, !leftOut.contains(.extra) {
            // Beyond the contract: a model's unknown members live on, apart from ours so that no name can clash.
            out.append(#","extra":"#)
            parts.extra = out.part(since: start) { out in
                out.append(UInt8(ascii: "{"))
                if out.append(event.extra) { notFinite.insert(.extra) }
                out.append(UInt8(ascii: "}"))
            }
        }
        if let failure = event.failure { append(failure, to: out) }
        if let input = event.input, !leftOut.contains(.input) {
            out.append(#","input":"#)
            parts.input = out.part(since: start) { if $0.append(input) { notFinite.insert(.input) } }
            out.appendMember(#","inputEncoding":"#, word: input.encoding.word)
        }
        if let request = event.request {
            append(request, without: leftOut, &notFinite, to: out, since: start, &parts)
        }
        appendShort(#","requestContentType":"#, event.requestContentType, to: out)
        appendShort(#","requestContentEncoding":"#, event.requestContentEncoding, to: out)
        if !notFinite.isEmpty { append(#","nonFinite":["#, notFinite, to: out) }
        var truncated = leftOut
        if event.request?.isCut == true { truncated.insert(.request) }
        if event.isValueCut { truncated.insert(.value) }
        if !truncated.isEmpty { append(#","truncated":["#, truncated, to: out) }
    }

    private func append(_ stream: PredictionEvent.Stream, to out: ByteBuffer) {
        out.append(#","stream":{"parts":"#)
        out.append(decimal: stream.parts)
        out.append(#","bytes":"#)
        out.append(decimal: stream.bytes)
        if let time = stream.firstPartTime {
            out.append(#","firstPartInMs":"#)
            out.append(milliseconds: time)
        }
        out.append(UInt8(ascii: "}"))
    }

    private func append(_ failure: PredictionEvent.Failure, to out: ByteBuffer) {
        out.appendMember(#","error":{"cause":"#, word: failure.cause)
        out.appendMember(#","message":"#, plain: failure.message)
        if !failure.detail.isEmpty { out.appendMember(#","detail":"#, plain: failure.detail) }
        out.append(UInt8(ascii: "}"))
    }

    private func append(
        _ request: PredictionEvent.CapturedRequest,
        without leftOut: PredictionEvent.Members,
        _ notFinite: inout PredictionEvent.Members,
        to out: ByteBuffer,
        since start: Int,
        _ parts: inout EventFrame.Parts
    ) {
        if !leftOut.contains(.request) {
            out.append(#","request":"#)
            parts.request = out.part(since: start) { if $0.append(request.body) { notFinite.insert(.request) } }
            out.appendMember(#","requestEncoding":"#, word: request.body.encoding.word)
        }
        if request.isCut || leftOut.contains(.request) {
            out.append(#","requestTruncated":true"#)
        } else {
            out.append(#","requestTruncated":false"#)
        }
    }

    /// Text that others chose and that nobody needs when it is long.
    private func appendShort(_ name: StaticString, _ text: ByteView, to out: ByteBuffer) {
        guard !text.isEmpty, text.count <= Prediction.maxNameBytes else { return }
        out.appendMember(name, plain: text)
    }

    private func append(_ name: StaticString, _ members: PredictionEvent.Members, to out: ByteBuffer) {
        out.append(name)
        var separator: StaticString = "\""
        for (member, word) in PredictionEvent.Members.names where members.contains(member) {
            out.append(separator)
            out.append(word)
            separator = "\",\""
        }
        out.append("\"]")
    }
}

extension ByteBuffer {
    /// Appends a member whose value needs no escape.
    func appendMember(_ name: StaticString, word: StaticString) {
        append(name)
        append(UInt8(ascii: "\""))
        append(word)
        append(UInt8(ascii: "\""))
    }

    /// Appends a member with any text.
    func appendMember(_ name: StaticString, plain: ByteView) {
        append(name)
        appendJSON(string: plain)
    }

    /// Appends a part of a message as a JSON value on one line; whether there was something in it that is not finite.
    fileprivate func append(_ part: PredictionEvent.Part) -> Bool {
        switch part.encoding {
        case .json:
            if part.mayBeNotFinite { return append(finiteJSON: part.bytes) }
            append(json: part.bytes)
        case .text: appendJSON(string: part.bytes)
        case .base64:
            append(UInt8(ascii: "\""))
            append(base64: part.bytes)
            append(UInt8(ascii: "\""))
        }
        return false
    }
}
