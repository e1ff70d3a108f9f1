import TestSupport
import Testing

/// Checks all of an event that is the same for every event, and gives its data.
@discardableResult
func expectEvent(
    _ event: JSON?,
    requestId: String?,
    status: Int,
    row: Int = 0,
    of rowCount: Int = 1,
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> JSON {
    let event = try #require(event, sourceLocation: sourceLocation)
    #expect(event["specversion"] == "1.0", sourceLocation: sourceLocation)
    #expect(event["type"] == "org.ameron.prediction.v1", sourceLocation: sourceLocation)
    #expect(event["source"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
    #expect(event["id"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
    #expect(event["datacontenttype"] == "application/json", sourceLocation: sourceLocation)

    let data = try #require(event["data"], sourceLocation: sourceLocation)
    #expect(data["requestId"]?.string == requestId, sourceLocation: sourceLocation)
    #expect(data["predictionId"] == event["id"], sourceLocation: sourceLocation)
    #expect(data["routedModel"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
    #expect(data["modelName"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
    for name in ["modelVersion", "routedVersion"] {
        #expect(data[name] == nil || data[name]?.string?.isEmpty == false, sourceLocation: sourceLocation)
    }
    #expect(data["rowIndex"]?.int == row, sourceLocation: sourceLocation)
    #expect(data["rowCount"]?.int == rowCount, sourceLocation: sourceLocation)
    #expect(data["provider"] == "rest", sourceLocation: sourceLocation)
    #expect(data["status"]?.int == status, sourceLocation: sourceLocation)
    #expect(data["gatewayTimeInMs"]?.hasThreeDecimals == true, sourceLocation: sourceLocation)
    #expect(data["timeTakenInMs"]?.double != nil, sourceLocation: sourceLocation)

    let times = ["receivedAt", "sentAt", "answeredAt", "completedAt"].compactMap { data[$0]?.string }
    for time in times {
        let form = time.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/#)
        #expect(form != nil, "\(time)", sourceLocation: sourceLocation)
    }
    #expect(times == times.sorted(), sourceLocation: sourceLocation)
    #expect(data["receivedAt"] != nil, sourceLocation: sourceLocation)
    #expect(data["completedAt"] != nil, sourceLocation: sourceLocation)
    #expect(event["time"] == data["completedAt"], sourceLocation: sourceLocation)
    if status < 400 {
        #expect(times.count == 4, sourceLocation: sourceLocation)
        #expect(data["error"] == nil, sourceLocation: sourceLocation)
    }
    return data
}

/// Checks the one event of a failed call: its cause must be one of `causes`.
@discardableResult
func expectFailure(
    _ events: [JSON],
    requestId: String?,
    status: Int,
    causes: [String],
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> JSON {
    #expect(events.count == 1, sourceLocation: sourceLocation)
    let data = try expectEvent(events.first, requestId: requestId, status: status, sourceLocation: sourceLocation)
    #expect(data["value"] == .null, sourceLocation: sourceLocation)
    let cause = try #require(data["error"]?["cause"]?.string, sourceLocation: sourceLocation)
    #expect(causes.contains(cause), sourceLocation: sourceLocation)
    #expect(data["error"]?["message"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
    return data
}

extension JSON {
    /// A number as the Sidecar writes times.
    var hasThreeDecimals: Bool { numberText?.wholeMatch(of: #/\d+\.\d{3}/#) != nil }
}

/// A face of the REST Provider.
enum Face: String, CaseIterable, Sendable {
    case native, v1, v2

    func path(_ model: String) -> String {
        switch self {
        case .native: "/predictions/\(model)"
        case .v1: "/v1/models/\(model):predict"
        case .v2: "/v2/models/\(model)/infer"
        }
    }
}
