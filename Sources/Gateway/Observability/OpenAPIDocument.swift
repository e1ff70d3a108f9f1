/// The description of the REST Provider in OpenAPI 3.1, as `/openapi.json` serves it.
enum OpenAPIDocument {
    static let json = "{}"
}
