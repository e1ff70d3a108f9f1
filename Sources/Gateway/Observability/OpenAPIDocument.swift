/// The description of the REST Provider in OpenAPI 3.1, as `/openapi.json` serves it: the file beside this one.
enum OpenAPIDocument {
    static var json: String { String(decoding: PackageResources.openapi_json, as: UTF8.self) }
}
