/// What the Sidecar answers by itself: its health, its models, its metrics. One per shard; confined to its thread.
final class LocalAnswers {
    /// The model whose service answers for its server (`GET /v2`); nil: there is not just one such server.
    let serverMetadataRoute: ModelRoute?

    private let catalog: ModelCatalog
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
        catalog: ModelCatalog,
        serverMetadataRoute: ModelRoute?,
        startMetrics: @escaping () -> any HTTPBodySource,
        openAPI: String,
        page: Page?
    ) {
        self.catalog = catalog
        self.serverMetadataRoute = serverMetadataRoute
        self.startMetrics = startMetrics
        self.openAPI = ByteBuffer(text: openAPI)
        self.page = page
    }

    var hasPage: Bool { page != nil }

    private var readiness: Readiness { catalog.readiness }

    /// Writes status, content type and body of the reply.
    func write(_ endpoint: RESTEndpoint, to exchange: Exchange) {
        let body = exchange.reply.ownBody
        var isFine = true
        var contentType: StaticString? = "application/json"
        switch endpoint {
        case .face(let target):
            isFine = exchange.request.face.codec.answer(target.question, exchange.route, catalog, to: body)
        case .live: body.append("{\"live\":true}")
        case .readyInBrief: isFine = catalog.writeReadiness(to: body)
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
        for route in catalog.routes {
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
}
