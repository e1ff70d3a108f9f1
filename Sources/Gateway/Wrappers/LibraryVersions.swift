private import CCurl
private import CKafka
private import CMicroHTTPD
private import CYAML

/// The C libraries that this process has loaded, as they name themselves.
enum LibraryVersions {
    static var text: String {
        [
            ("libmicrohttpd", String(cString: MHD_get_version())),
            ("librdkafka", String(cString: rd_kafka_version_str())),
            ("libyaml", String(cString: yaml_get_version_string())),
            // libcurl's own text names those that it is made of too.
            ("", String(cString: curl_version())),
        ]
        .map { name, version in name.isEmpty ? version : "\(name)/\(version)" }
        .joined(separator: " ")
    }
}
