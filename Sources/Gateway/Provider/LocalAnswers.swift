/// What the Sidecar answers by itself: its health, its models, its metrics. One per shard; confined to its thread.
final class LocalAnswers {
    /// The model whose service answers for all V2 models (`GET /v2`); nil: there is not just one such server.
    let serverMetadataRoute: ModelRoute?

    private let routes: [ModelRoute]
    /// One of each name, in the order of the configuration.
    private let names: [ModelRoute]
    private let router: Router
    private let readiness: Readiness
    private let startMetrics: () -> any HTTPBodySource
    private let openAPI: ByteBuffer
    private let timestamps = TimestampWriter()
    /// nil: it is off.
    private let page: Page?

    /// What `/ui` is made of.
    struct Page {
        /// Writes body and headers.
        var write: (Exchange) -> Void
        /// Writes the last Predictions after this number of theirs.
        var writePredictions: (_ after: Int, ByteBuffer) -> Void
    }

    init(
        router: Router,
        serverMetadataRoute: ModelRoute?,
        readiness: Readiness,
        startMetrics: @escaping () -> any HTTPBodySource,
        openAPI: String,
        page: Page?
    ) {
        self.router = router
        self.routes = router.routes
        var seen: Set<String> = []
        self.names = router.routes.filter { seen.insert($0.name.view.string).inserted }
        self.serverMetadataRoute = serverMetadataRoute
        self.readiness = readiness
        self.startMetrics = startMetrics
        self.openAPI = ByteBuffer(text: openAPI)
        self.page = page
    }

    var hasPage: Bool { page != nil }

    /// Writes status, content type and body of the reply.
    func write(_ endpoint: RESTEndpoint, to exchange: Exchange) {
        let body = exchange.reply.ownBody
        var isFine = true
        var contentType: StaticString? = "application/json"
        switch endpoint {
        case .predict: preconditionFailure("predictions are not answered here")
        case .live, .v2Live: body.append("{\"live\":true}")
        case .v2Ready:
            isFine = readiness.isReady
            body.append(isFine ? "{\"ready\":true}" : "{\"ready\":false}")
        case .ready:
            isFine = readiness.isReady
            writeReadiness(to: body, isReady: isFine)
        case .metrics:
            contentType = "text/plain; version=0.0.4; charset=utf-8"
            exchange.reply.stream = startMetrics()
        case .openAPI: body.append(openAPI.view)
        case .page:
            contentType = nil
            page?.write(exchange)
        case .pagePredictions(let after):
            exchange.reply.headers.append("Cache-Control", ByteView("no-store"))
            page?.writePredictions(after, body)
        case .v1Models: writeModelList(to: body)
        case .v1Model, .v2ModelReady:
            isFine = exchange.route.map { readiness.isReady(model: $0.index) } ?? false
            writeModelReadiness(to: body, exchange.route, isReady: isFine)
        case .v2Server:
            body.append("{\"name\":\"ameron-sidecar\",\"version\":\"")
            body.append(string: Version.current)
            body.append("\",\"extensions\":[]}")
        case .v2Model: writeModelMetadata(to: body, exchange.route)
        }
        exchange.reply.status = isFine ? 200 : 503
        if let contentType {
            exchange.reply.headers.append("Content-Type", ByteView(contentType))
            exchange.reply.headers.append("X-Content-Type-Options", ByteView("nosniff"))
        }
        if !isFine { exchange.reply.headers.append("Retry-After", ByteView("1")) }
    }

    private func writeReadiness(to body: ByteBuffer, isReady: Bool) {
        body.append(isReady ? "{\"ready\":true" : "{\"ready\":false")
        body.append(readiness.isDraining ? ",\"draining\":true,\"models\":[" : ",\"draining\":false,\"models\":[")
        for route in routes {
            if route.index > 0 { body.append(UInt8(ascii: ",")) }
            writeStanding(to: body, route, readiness.standing(model: route.index))
        }
        body.append("]}")
    }

    private func writeStanding(to body: ByteBuffer, _ route: ModelRoute, _ standing: Readiness.Standing) {
        body.append("{\"name\":\"")
        body.append(route.nameJSON.view)
        if !route.version.isEmpty {
            body.append("\",\"version\":\"")
            body.append(route.versionJSON.view)
        }
        body.append(standing.isReady ? "\",\"ready\":true,\"since\":\"" : "\",\"ready\":false,\"since\":\"")
        timestamps.append(standing.since, to: body)
        body.append(UInt8(ascii: "\""))
        if let reason = standing.reason {
            body.append(",\"reason\":")
            body.appendJSON(text: reason)
        }
        body.append(UInt8(ascii: "}"))
    }

    private func writeModelReadiness(to body: ByteBuffer, _ route: ModelRoute?, isReady: Bool) {
        body.append("{\"name\":\"")
        body.append(route?.nameJSON.view ?? .empty)
        body.append(isReady ? "\",\"ready\":true}" : "\",\"ready\":false}")
    }

    private func writeModelList(to body: ByteBuffer) {
        body.append("{\"models\":[")
        for (index, route) in names.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body.append(UInt8(ascii: "\""))
            body.append(route.nameJSON.view)
            body.append(UInt8(ascii: "\""))
        }
        body.append("]}")
    }

    private func writeModelMetadata(to body: ByteBuffer, _ route: ModelRoute?) {
        guard let route else { return }
        body.append("{\"name\":\"")
        body.append(route.nameJSON.view)
        body.append("\",\"versions\":[")
        var isFirst = true
        for other in routes where other.name.view == route.name.view && !other.version.isEmpty {
            if !isFirst { body.append(UInt8(ascii: ",")) }
            isFirst = false
            body.append(UInt8(ascii: "\""))
            body.append(other.versionJSON.view)
            body.append(UInt8(ascii: "\""))
        }
        body.append("],\"platform\":\"ameron-sidecar\",\"inputs\":[],\"outputs\":[]}")
    }
}
